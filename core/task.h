#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <stop_token>
#include <string>

/// Long work: how it is followed and stopped.
namespace keepset {

inline constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

/// Where long work stands. `stage` is a phrase in the gerund ("analysing", "reading weights").
struct Progress {
    std::string stage;
    std::string unit; ///< of done and total: "layers", "windows", …
    std::int64_t done = 0;
    std::int64_t total = 0; ///< 0: unknown
    double elapsed_s = 0;
    double left_s = not_a_number; ///< NaN: unknown
    double part = 0; ///< of the unit under way that is done, in [0, 1), where a unit takes long

    /// Of all; 0 where the total is unknown.
    double share() const { return total > 0 ? (static_cast<double>(done) + part) / static_cast<double>(total) : 0; }
};

/// Told, on the thread that does the work, which share of it is through: in (0, 1].
using ShareFn = std::function<void(double share)>;
using ProgressFn = std::function<void(const Progress&)>; ///< called on the thread that does the work

/// How a caller follows and stops long work. Stopped work throws Cancelled within a fifth of a second.
struct Task {
    std::stop_token stop;
    ProgressFn progress; ///< may be empty
};

} // namespace keepset
