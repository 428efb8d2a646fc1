#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

/// The audit's reports, and what results carry beside their numbers so that it can find them wrong; a part of
/// core/types.h.
namespace keepset {

inline constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

/// undecided: the numbers that the check looks at are not finite, so that "finite" fails and this one cannot tell.
enum class CheckStatus : std::uint8_t { pass, warning, fail, undecided, not_applicable };
std::string name_of(CheckStatus value);

/// One check of SEMANTICS 8.
struct Check {
    std::string name; ///< "baseline", "distinct", …
    CheckStatus status = CheckStatus::not_applicable;
    std::string detail; ///< what was found and what it means, in words
};

struct AuditReport {
    std::vector<Check> checks;
    bool failed() const;
    bool warned() const;
};

/// What another token at one place of a text changed, relative to the largest value compared (SEMANTICS 8, causality).
/// NaN: not tried.
struct Perturbation {
    double before = not_a_number; ///< largest change at the positions before it: none under causal attention
    double after = not_a_number; ///< largest change from it on: there must be one
};

/// What a sweep really did, beside its results, so that the audit can find it wrong (SEMANTICS 8). An array is empty
/// where the run comes from a file that lacks it. "Rows" are those of all layers and kv heads.
struct RunEvidence {
    std::vector<std::uint64_t> selected_hash; ///< (points, windows): of the positions that the policy chose
    std::vector<std::int64_t> first_kept; ///< (points, windows): rows that kept position 0
    std::vector<std::int64_t> tied_rows; ///< (points, windows): rows where equal scores met at the cut
    std::vector<std::uint64_t> read_hash; ///< (windows): of the ids that the model read: context, targets but the last
    std::vector<std::uint64_t> text_read_hash; ///< (windows): of the ids that stand there in the text
    std::vector<std::uint64_t> text_target_hash; ///< (windows): the same of the ids to be scored
    std::vector<std::int64_t> window_begin; ///< (windows): its first token of the text; -1 until it is done
    std::vector<double> least_importance; ///< (windows): smallest A
    std::vector<double> most_of_visible; ///< (windows): largest A[j] / number of queries that see j
    std::vector<double> first_token_mass; ///< (windows): share of the attention mass at position 0
    std::vector<double> largest_hidden; ///< (windows): largest magnitude of a hidden state after the last layer
    Perturbation context_change; ///< of a context token: the logits of the dense pass
    Perturbation target_change; ///< of a target token: the scored rows of the protocol
};

} // namespace keepset
