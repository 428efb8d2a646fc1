#pragma once

#include "core/run.h"

#include <cstdint>
#include <string>
#include <vector>

/// What may be said about the methods of a sweep (SEMANTICS 5).
namespace keepset {

/// Difference of two points' NLL per token, paired by window (SEMANTICS 5).
struct PairedDifference {
    std::string policy;
    std::string reference;
    double sparsity = 0;
    double mean = not_a_number; ///< nats per token; above 0: `policy` is worse
    double low = not_a_number; ///< 95%; NaN below 5 windows
    double high = not_a_number;
    std::int64_t windows = 0;
    double p_value = not_a_number; ///< two-sided, of "no difference"; NaN where there is no interval
    bool stands = false; ///< excludes 0 also by Holm's correction over all comparisons made with the reference
    std::string undecided; ///< why there is no mean: whose losses are not finite in how many windows; empty: there is
};

/// "A beats B at s": only where the paired interval excludes 0, with what stands by Holm's correction over all
/// comparisons made, and with the control beside it.
struct Finding {
    std::string sentence;
    bool decided = false; ///< somebody is ahead somewhere
};

/// Policies of a run in the order of its points, canonical spelling.
std::vector<std::string> methods(const Run& run);
/// ΔNLL per token of every point of every other method to `reference` at the same sparsity (the dense point where
/// reference is "dense").
std::vector<PairedDifference> paired_differences(const Run& run, const std::string& reference);
/// What may be said about `reference` against every other method, in sentences; names the missing control (SEMANTICS
/// 4).
std::vector<Finding> findings(const Run& run, const std::string& reference);

/// How many scored tokens need the context and by which rule (SEMANTICS 5), or why none were looked for: a sentence.
std::string about_key_tokens(const Run& run);
/// Key tokens of all windows done; NaN where none were looked for.
double key_tokens_of(const Run& run);

/// The points of a run as CSV, RFC 4180, full double precision: columns of /sweep/points, key tokens, and behind them
/// the other metrics with the ends of their 95% intervals.
std::string to_csv(const Run& run);

} // namespace keepset
