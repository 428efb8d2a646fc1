#include "ui/range_state.h"

#include "ui/format.h"

#include <cmath>

namespace keepset::ui {

void RangeState::lock(const ValueRange& range)
{
    const bool usable
        = std::isfinite(range.low) && std::isfinite(range.high) && range.low >= 0 && range.low < range.high;
    if (!usable || range == locked_)
        return;
    locked_ = range;
    Q_EMIT changed();
}

void RangeState::unlock()
{
    if (!locked_)
        return;
    locked_.reset();
    Q_EMIT changed();
}

QString scaleWords(const QString& scale, const std::optional<ValueRange>& locked, const Beyond& beyond)
{
    if (!locked)
        return RangeState::tr("%1 scale").arg(scale);
    QString words = RangeState::tr("%1 scale, locked to %2 … %3")
                        .arg(scale, formatSignificant(locked->low), formatSignificant(locked->high));
    if (beyond.above > 0)
        words += RangeState::tr(", %1 above it").arg(formatCount(beyond.above));
    if (beyond.below > 0)
        words += RangeState::tr(", %1 below it").arg(formatCount(beyond.below));
    return words;
}

QString titleOfScale(const QString& what, const std::optional<ValueRange>& locked)
{
    return locked ? RangeState::tr("%1, locked").arg(what) : what;
}

} // namespace keepset::ui

#include "moc_range_state.cpp"
