#pragma once

#include "core/pins.h"
#include "core/tokens.h"

#include <span>
#include <vector>

/// What a user marks in a text by hand: how pins lie over one another, and how they are kept with the text.
namespace keepset {

/// Pins that are apart and ascending, and one more over them: it rules where they meet, and is one with its neighbours
/// of the same kind.
std::vector<Pin> with_pin(std::vector<Pin> pins, const Pin& added);

/// What is kept with a text when the pins of a part of it, which has these tokens, are these (apart and ascending):
/// `before` is what was, of which stays what lies outside that part. Ascending. A token without bytes, as a BOS, cannot
/// be kept.
std::vector<PinnedSpan> spans_of(
    std::span<const Token> tokens, std::span<const Pin> pins, std::span<const PinnedSpan> before = {});

} // namespace keepset
