#pragma once

#include "core/choices.h"

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// The eviction policies there are, and how they are spelled (SEMANTICS 4).
namespace keepset {

/// A policy as asked for: its name and the parameters that were set. Missing ones have their defaults.
struct PolicySpec {
    std::string name;
    std::map<std::string, std::string> parameters;
    bool operator==(const PolicySpec&) const = default;
};

/// What a parameter's value may be.
enum class ParameterKind : std::uint8_t {
    number, ///< in [minimum, maximum]
    whole, ///< the same, a whole number
    share_or_count, ///< below 1 a share, from 1 on a whole number, up to `maximum`
    choice, ///< one of `choices`
    text, ///< any text; one with commas, parentheses or quotes is spelled in double quotes
    policy ///< the spelling of another policy, which may have parameters of its own
};

struct PolicyParameter {
    std::string name;
    std::string description;
    std::string default_value; ///< empty: taken from the request (the random policy's seed)
    ParameterKind kind = ParameterKind::number;
    std::vector<std::string> choices = {};
    double minimum = 0;
    double maximum = 1;
    bool of_score = false; ///< a score of the policy's own depends on it
};

/// What a policy ranks by.
enum class ScoreOf : std::uint8_t {
    nothing, ///< place or chance
    importance, ///< the run's importance (SEMANTICS 2)
    own ///< a score of its own, made from the dense pass (SEMANTICS 4b)
};

/// Whose rows share a budget (SEMANTICS 4c).
enum class Sharing : std::uint8_t {
    none, ///< every row keeps k
    layer, ///< rows of one layer, or layers among one another by a rule that looks at one layer
    model ///< all rows of the model together
};

/// One line of the policy table, as forms and help show it.
struct PolicyInfo {
    std::string name;
    std::string title; ///< "H2O"
    std::string description; ///< one sentence
    std::vector<PolicyParameter> parameters;
    std::vector<Label> labels; ///< that it gives out, in the order of filling
    ScoreOf ranks_by = ScoreOf::importance;
    std::string score = {}; ///< what its score is made from, a clause; empty: the general one says it
    std::string source = {}; ///< paper or code that it comes from
    Sharing shares = Sharing::none; ///< unless its parameter `uniform` says otherwise: sharing_of
};

/// Every policy there is (SEMANTICS 4), in table order.
std::span<const PolicyInfo> policies();
/// "cab(local=0.3)" → spec, names and values checked. Throws Error{usage}.
PolicySpec parse_policy(std::string_view text);
/// "h2o,cab(bridge=median,local=0.3)" → specs; commas inside parentheses do not split.
std::vector<PolicySpec> parse_policies(std::string_view text);
/// The one spelling of a policy in files: parameters that differ from the default, in table order.
std::string canonical(const PolicySpec& policy);
/// For people: "H2O", "CAB", "H2O (local 0.3)".
std::string title(const PolicySpec& policy);
/// Title of a policy as it is spelled in a file; the spelling itself where this build does not know the policy.
std::string title_of(const std::string& spelling);
/// "0,0.5,0.9" or "0:0.9:0.1" (both ends included) → ascending distinct shares in [0, 1). Throws Error{usage}.
std::vector<double> parse_sparsities(std::string_view text);
/// Whether a policy ranks by attention itself, so that an analysis for it has to keep_attention. Throws Error{usage}.
bool needs_attention(const PolicySpec& policy);
/// The scores of policies' own that a policy ranks by, each in the one spelling by which an analysis knows it; empty
/// for one that ranks by importance or by nothing. Throws Error{usage}.
std::vector<std::string> scores_of(const PolicySpec& policy);
/// Whose rows share a budget under a policy, so that they may keep other numbers than k. Throws Error{usage}.
Sharing sharing_of(const PolicySpec& policy);
/// k entries kept of `context` at `sparsity` (SEMANTICS 3).
std::int64_t budget_of(double sparsity, std::int64_t context, Rounding rounding = Rounding::floor);

} // namespace keepset
