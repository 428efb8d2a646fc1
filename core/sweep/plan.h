#pragma once

#include "core/run.h"
#include "core/selection.h"
#include "core/sweep/protocol.h"

#include <map>
#include <string>
#include <vector>

namespace keepset {

/// What a policy keeps that has counts of its own, whatever is asked for.
struct OwnCount {
    std::int64_t kept = 0; ///< positions, over all rows of all windows
    std::int64_t rows = 0; ///< of all windows
};
using OwnCounts = std::map<std::string, OwnCount>; ///< by the policy's one spelling

/// Points of a sweep in order: dense first, then every policy at every sparsity or budget, each once; of `own` one
/// point each, at the sparsity or budget that was asked for where it keeps just as many, else at its own sparsity.
/// Throws Error{usage}: no points, a budget above the context, repeated policies, granularity that token-drop cannot
/// have.
std::vector<SelectRequest> plan_points(const SweepRequest& request, const OwnCounts& own = {});

/// Throws Error{usage} where context and target together exceed the positions of the model, with what fits.
/// Target 0: there is none.
void refuse_beyond_positions(std::int64_t context, std::int64_t target, std::int64_t positions);

/// Non-overlapping windows of a token stream (SEMANTICS 5). `tokens` is the whole text's, with the BOS in front where
/// the tokenizer adds one; every window then starts with it. Throws Error{input} where the text is too short, with the
/// numbers.
std::vector<Window> cut_windows(const SweepRequest& request, const std::vector<Token>& tokens, bool bos);

/// exp of the entropy of the ids' own frequencies: what a model without context could reach at best.
double unigram_perplexity(const std::vector<Token>& tokens);

/// The ids that stand in the text where a window begins, read from its tokens and not from the window, so that one can
/// be held against the other.
struct TextHashes {
    std::uint64_t read = 0; ///< hash_of_ids of the context, then of the targets but the last: what the model reads
    std::uint64_t target = 0; ///< of the targets but the first: what is scored
};
TextHashes text_hashes(const SweepRequest& request, const std::vector<Token>& tokens, bool bos, std::int64_t begin);

} // namespace keepset
