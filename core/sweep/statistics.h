#pragma once

#include "core/findings.h"
#include "core/intervals.h"
#include "core/run.h"

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

/// Points of a sweep compared over its windows (SEMANTICS 5).
namespace keepset {

/// Sparsities closer than this are one.
inline constexpr double same_sparsity = 1e-12;

/// Index of the point of a policy (canonical spelling) at a sparsity, if there is one.
std::optional<std::size_t> find_point(const Run& run, const std::string& policy, double sparsity);
/// Points of a run by policy, for whoever asks for many: find_point goes through all of them.
class PointIndex {
public:
    explicit PointIndex(const Run& run);
    /// As find_point.
    std::optional<std::size_t> find(const std::string& policy, double sparsity) const;
    /// Points of a policy in the order of the run; none where it has no such policy.
    std::vector<std::size_t> of(const std::string& policy) const;

private:
    struct Place {
        double sparsity;
        std::size_t point;
    };
    std::unordered_map<std::string, std::vector<Place>> places_;
};
/// Index of the dense point, if there is one.
std::optional<std::size_t> dense_point(const Run& run);
/// Difference of two points' NLL per token over all windows done: mean of (a - b). NaN throughout where a loss of
/// either is not finite in any of them: such a window never drops out.
Interval paired_interval(const Run& run, std::size_t a, std::size_t b);
/// The same for whoever makes many: `quantile` is interval_quantile of the windows done.
Interval paired_interval(const Run& run, std::size_t a, std::size_t b, double quantile);
/// Fewer key tokens than this, over all windows done, allow no claim about them (SEMANTICS 5).
inline constexpr double least_key_tokens = 30;
/// Windows done that have key tokens.
std::int64_t windows_with_key_tokens(const Run& run);
/// Whether something may be said about them: there are enough, in at least `least_windows` windows.
bool may_tell_of_key_tokens(const Run& run);
/// Difference of two points' ΔNLL over all key tokens: mean of (a - b), paired by window, which weighs as many as it
/// has (ratio_interval). `quantile` is interval_quantile of windows_with_key_tokens. NaN as paired_interval's.
Interval paired_key_interval(const Run& run, std::size_t a, std::size_t b, double quantile);
/// Why paired_interval of two points has no mean: "the loss is not finite for CAB in 2 of 10 windows"; else empty.
std::string why_undecided(const Run& run, std::size_t a, std::size_t b);

} // namespace keepset
