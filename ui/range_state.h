#pragma once

#include "ui/color_map.h"

#include <QObject>

#include <optional>

namespace keepset::ui {

/// The range that importance is shown in: fitted to what is shown, or locked to two numbers, and then the same on every
/// page, for every layer, mode, text and file, until it is unlocked.
class RangeState : public QObject {
    Q_OBJECT

public:
    using QObject::QObject;

    const std::optional<ValueRange>& locked() const { return locked_; }
    /// The same, where a scale of this kind can be locked: percentiles are of what is shown.
    std::optional<ValueRange> lockedFor(ValueScaleKind kind) const
    {
        return kind == ValueScaleKind::percentile ? std::nullopt : locked_;
    }
    /// Nothing happens where the range is none: ends that are no finite numbers, below 0, or not ascending.
    void lock(const ValueRange& range);
    void unlock();

Q_SIGNALS:
    void changed();

private:
    std::optional<ValueRange> locked_;
};

/// "log scale", or "log scale, locked to 0.01 … 120; 12 above, 3 below".
QString scaleWords(const QString& scale, const std::optional<ValueRange>& locked, const Beyond& beyond);
/// Behind the name of what a scale shows, where it is locked.
QString titleOfScale(const QString& what, const std::optional<ValueRange>& locked);

} // namespace keepset::ui
