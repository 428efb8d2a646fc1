#pragma once

#include "core/run.h"

#include <cstdint>
#include <string>
#include <vector>

/// Windows and settings of a sweep on their way between processes, as CBOR (RFC 8949).
namespace keepset {

/// All that a run holds of one window that is done.
std::vector<std::uint8_t> pack_window(const Run& run, std::int64_t window);
/// Puts it into another run of the same sweep and flags it; gives the window. refresh_points is left to the caller.
/// Throws Error{internal} where it does not fit.
std::int64_t unpack_window(const std::vector<std::uint8_t>& packed, Run& run);

/// What two processes must agree on to share a sweep.
std::vector<std::uint8_t> pack_settings(const Run& run);
/// The first setting that another process has otherwise, a clause with both values; empty: they agree.
std::string other_setting(const std::vector<std::uint8_t>& packed, const Run& run);

} // namespace keepset
