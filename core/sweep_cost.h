#pragma once

#include "core/run.h"

#include <cstdint>

/// What a sweep takes, told before it starts from what one took.
namespace keepset {

/// Tokens that go through the model in one window of a sweep, roughly: the context once and the targets for every
/// point.
double work_of_window(const SweepRequest& request);
/// Seconds that a unit of that work took, where `windows` windows of a sweep took `seconds`.
double seconds_per_work(const SweepRequest& request, std::int64_t windows, double seconds);
/// Seconds that `windows` windows of a sweep will take at such a rate; NaN where that is NaN: nothing was measured.
double expected_seconds(const SweepRequest& request, std::int64_t windows, double seconds_per_work);

} // namespace keepset
