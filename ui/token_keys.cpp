#include "ui/token_keys.h"

#include <QKeyEvent>

#include <algorithm>

namespace keepset::ui {

std::optional<std::int64_t> tokenByKey(const QKeyEvent& event, std::int64_t current, std::int64_t tokens)
{
    if (tokens <= 0)
        return std::nullopt;
    const std::int64_t step = event.modifiers() & Qt::ControlModifier ? 64 : 1;
    switch (event.key()) {
    case Qt::Key_Left:
        return std::max<std::int64_t>(current - step, 0);
    case Qt::Key_Right:
        return std::min(current + step, tokens - 1);
    case Qt::Key_Home:
        return 0;
    case Qt::Key_End:
        return tokens - 1;
    default:
        return std::nullopt;
    }
}

} // namespace keepset::ui
