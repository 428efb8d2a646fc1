#pragma once

#include "core/sweep/window_work.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <vector>

/// Several windows of a sweep at a time, which fill a GPU where one leaves it waiting for its host.
namespace keepset {

/// Who takes windows and is told of them, always in the thread that called run_windows, so that nothing here needs a
/// lock.
struct WindowFlow {
    std::function<std::optional<std::int64_t>()> next; ///< a window that nobody works on; nothing: there is none
    /// Windows that are through, several where they were while the last were being kept.
    std::function<void(const std::vector<MeasuredWindow>& through)> done;
    std::function<void(std::int64_t points)> under_way; ///< points done of windows that are not; may be absent
};

/// Works through windows of `all` (that of index i is i), `at_once` of them at a time, each by a thread with streams of
/// its own on GPUs; where memory does not suffice, fewer; where it is one, in this thread. No number depends on how
/// many: each window is computed as if it were alone. Throws Cancelled, and what a window throws.
void run_windows(const WindowWork& work, const std::vector<Window>& all, std::int64_t at_once, const WindowFlow& flow,
    const std::stop_token& stop);

/// As many as the request says; else as many as keep a GPU busy, 2 to 6 by the model's size, where they have room
/// beside its weights. 1 on a CPU, whose threads one window keeps busy.
std::int64_t windows_at_once(const WindowWork& work);

} // namespace keepset
