#pragma once

#include "core/sweep/window_store.h"
#include "core/sweep/window_work.h"

#include <functional>
#include <span>
#include <vector>

/// A sweep by the processes of a group: each takes window after window, rank 0 keeps what comes in.
namespace keepset {

struct GroupSweep {
    const WindowWork& work;
    const std::vector<Window>& windows; ///< of the whole sweep
    const Task& task;
};

/// Rank 0: hands out `open`, takes windows itself, and puts all into `run`; `keep` is told of those that came in
/// together, in a thread of its own. Returns when all are there. Throws Error{device} where a rank is lost, Cancelled;
/// what had come in by then is kept.
void lead_sweep(WindowStore& store, const GroupSweep& sweep, const std::vector<std::int64_t>& open, Run& run,
    const std::function<void(std::span<const std::int64_t> windows)>& keep);

/// Any other rank: takes windows until there are none and returns when rank 0 has them all. `run` has nothing done yet.
/// Throws Error{usage} where rank 0 does another sweep, Error{device} where it is lost, Cancelled.
void help_sweep(WindowStore& store, const GroupSweep& sweep, Run& run);

} // namespace keepset
