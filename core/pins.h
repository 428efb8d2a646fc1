#pragma once

#include "core/selection.h"
#include "core/tokens.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// Spans of a text that a user wants kept, or gone, under every policy (SEMANTICS 4b).
namespace keepset {

struct PinnedSpan {
    std::int64_t byte_begin = 0; ///< of the text
    std::int64_t byte_end = 0; ///< behind its last byte
    bool stays = true; ///< false: must go
    bool operator==(const PinnedSpan&) const = default;
};

/// "120-180,!300-320": bytes 120 to 179 stay, 300 to 319 go. Throws Error{usage}.
std::vector<PinnedSpan> parse_pins(std::string_view text);
/// The one spelling of spans, as parse_pins reads it; empty without any.
std::string spelled(std::span<const PinnedSpan> spans);
/// Positions, in `tokens`, of those that have a byte in a span, in the order of the spans. Tokens without bytes, such
/// as a BOS, are never pinned.
std::vector<Pin> pins_in(std::span<const Token> tokens, std::span<const PinnedSpan> spans);

} // namespace keepset
