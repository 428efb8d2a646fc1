#pragma once

#include "ui/shown.h"

#include <QFrame>

class QLabel;

namespace keepset::ui {

class ElidedLabel;

/// The line over the pages that says what is shown, and of what.
class ShownLine : public QFrame {
    Q_OBJECT

public:
    explicit ShownLine(QWidget* parent = nullptr);
    void setShown(const Shown& shown);
    QString text() const;

private:
    QLabel* stale_;
    ElidedLabel* line_;
};

} // namespace keepset::ui
