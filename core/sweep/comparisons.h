#pragma once

#include "core/sweep/statistics.h"

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace keepset {

/// Which scored tokens the losses of a comparison are of.
enum class Compared : std::uint8_t { all_tokens, key_tokens };

/// Two methods at one sparsity above 0, paired by window.
struct Comparison {
    double sparsity = 0;
    Interval difference; ///< of NLL per compared token, first method minus second
    bool stands = false; ///< the difference is not 0 also by Holm's correction over all comparisons made
    std::string undecided; ///< why there is no difference (why_undecided); empty: there is one
};

/// All comparisons that are made for what is said about one method: it against every other but dense, and every control
/// that tells such a gain apart (SEMANTICS 4), the protected one included (4b), against both, over all tokens and,
/// where there are enough, over the key tokens, on which nothing is compared with dense: it chose them. Holm's
/// correction goes over all of them (SEMANTICS 5).
class Comparisons {
public:
    /// `reference` is a method of the run.
    Comparisons(const Run& run, const std::string& reference);
    /// a against b at every sparsity above 0 that both have (any that the other has, where one is "dense"), ascending;
    /// nothing where the two were not compared.
    std::vector<Comparison> between(
        const std::string& a, const std::string& b, Compared tokens = Compared::all_tokens) const;
    /// How many have an interval, which is what Holm's correction counts.
    std::int64_t count() const { return count_; }

private:
    using Made = std::map<std::pair<std::string, std::string>, std::vector<Comparison>>;
    using Points = std::map<std::string, std::vector<std::size_t>>; // of every method, by ascending sparsity

    void compare(const Run& run, const Points& points, const std::string& a, const std::string& b);
    void compare_key_tokens(const Run& run, const Points& points, const std::string& a, const std::string& b);
    void correct();

    double quantile_; ///< of the intervals over all windows done
    Made made_;
    Made of_key_tokens_;
    std::int64_t count_ = 0;
};

} // namespace keepset
