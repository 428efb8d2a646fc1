#pragma once

#include <cstdint>
#include <optional>

class QKeyEvent;

namespace keepset::ui {

/// The token that an arrow to the side (with Ctrl: 64 at once), Home or End leads to from `current` (-1: none chosen);
/// nothing for other keys and where there are no tokens.
std::optional<std::int64_t> tokenByKey(const QKeyEvent& event, std::int64_t current, std::int64_t tokens);

} // namespace keepset::ui
