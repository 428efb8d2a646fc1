#pragma once

#include "core/sweep/sweep.h"

#include <chrono>
#include <functional>
#include <stop_token>
#include <vector>

/// What a sweep is made of, whoever takes its windows.
namespace keepset {

/// A sweep with nothing done: its points, sizes and arrays.
Run empty_run(
    const SweepModel& model, const SweepRequest& request, const std::vector<SelectRequest>& plan, std::size_t windows);

/// What came out of a window.
struct MeasuredWindow {
    std::int64_t window = 0;
    WindowResult result;
};

/// What a window of a sweep needs to be measured and kept.
struct WindowWork {
    const SweepModel& model;
    const SweepRequest& request;
    const std::vector<SelectRequest>& plan;

    /// All points on a window. `point_done` is told after every point. Throws Cancelled. Threads may call it at the
    /// same time.
    WindowResult measure(const Window& window, const std::stop_token& stop,
        const std::function<void(std::int64_t points)>& point_done) const;
    /// Puts into `run` what came out of a window and what was done in it, and flags it.
    void add(const Window& window, const WindowResult& result, Run& run) const;
    /// Bytes that measuring a window takes beside the weights, an estimate.
    std::int64_t bytes_of_window() const;
};

/// Work left in points, told after every one of them.
class SweepProgress {
public:
    SweepProgress(const Task& task, const Run& run)
        : task_(task)
        , windows_(run.windows_of_shard())
        , points_(static_cast<std::int64_t>(run.points.size()))
        , first_(run.windows_done())
        , begin_(std::chrono::steady_clock::now())
    {
    }
    void tell(std::int64_t windows_done, std::int64_t points_done) const
    {
        if (!task_.progress)
            return;
        const double elapsed = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
        const std::int64_t done = windows_done * points_ + points_done;
        const std::int64_t total = windows_ * points_;
        const auto fresh = static_cast<double>(done - first_ * points_);
        const double left = fresh > 0 ? elapsed * static_cast<double>(total - done) / fresh : not_a_number;
        const std::int64_t shown = std::min(windows_done + 1, windows_);
        task_.progress({ "window " + std::to_string(shown) + " of " + std::to_string(windows_), "points", done, total,
            elapsed, left });
    }

private:
    const Task& task_;
    std::int64_t windows_;
    std::int64_t points_;
    std::int64_t first_;
    std::chrono::steady_clock::time_point begin_;
};

} // namespace keepset
