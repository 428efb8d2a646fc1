#pragma once

#include <cstddef>
#include <span>
#include <stop_token>
#include <string>

namespace keepset {

/// SHA-256 in lower-case hex. Throws Cancelled.
std::string sha256(std::span<const std::byte> bytes, const std::stop_token& stop = {});
std::string sha256(const std::string& bytes, const std::stop_token& stop = {});

} // namespace keepset
