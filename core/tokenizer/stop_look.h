#pragma once

#include "core/error.h"

#include <cstddef>
#include <cstdint>
#include <stop_token>
#include <utility>

namespace keepset {

/// Looks at a stop token now and then, for work that goes through a text character by character: a text may have
/// gigabytes, and a stop is answered within a fifth of a second.
class StopLook {
public:
    explicit StopLook(std::stop_token stop = {})
        : stop_(std::move(stop))
    {
    }

    /// One small piece of work, of a microsecond at most, is done. Throws Cancelled.
    void step()
    {
        constexpr std::uint32_t between_looks = 1U << 13U;
        if (++steps_ % between_looks == 0)
            look();
    }

    /// Throws Cancelled.
    void look() const
    {
        if (stop_.stop_requested())
            throw Cancelled {};
    }

private:
    std::stop_token stop_;
    std::uint32_t steps_ = 0;
};

/// Bytes that can be copied or looked through between two looks.
constexpr std::size_t bytes_between_looks = std::size_t { 1 } << 20U;

} // namespace keepset
