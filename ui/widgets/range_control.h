#pragma once

#include "ui/range_state.h"

#include <QWidget>

class QCheckBox;
class QLineEdit;

namespace keepset::ui {

/// Locks the range that importance is shown in, and unlocks it with one click: a box to tick, and, while it is ticked,
/// fields for both ends.
class RangeControl : public QWidget {
    Q_OBJECT
    Q_PROPERTY(QStringList range READ range WRITE setRange USER true) // what is remembered

public:
    explicit RangeControl(RangeState* state, QWidget* parent = nullptr);
    /// What is shown while nothing is locked: the tick takes it over.
    void setFitted(const ValueRange& range) { fitted_ = range; }

    /// Both ends, or nothing.
    QStringList range() const;
    void setRange(const QStringList& range);

private:
    QLineEdit* makeField(const char* name, const QString& what);
    void showState();
    void take();

    RangeState* state_;
    QCheckBox* lock_;
    QLineEdit* low_;
    QLineEdit* high_;
    ValueRange fitted_;
};

} // namespace keepset::ui
