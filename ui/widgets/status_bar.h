#pragma once

#include "core/task.h"

#include <QStatusBar>

class QProgressBar;

namespace keepset::ui {

class ElidedLabel;

/// What the window says at its foot: where it computes, what is under way and how far it is, what was done last, and
/// how much memory is free.
class StatusBar : public QStatusBar {
    Q_OBJECT

public:
    explicit StatusBar(QWidget* parent = nullptr);

    void setDevice(const QString& words);
    /// Bytes of `device`, "cpu" or a GPU; free below 0: not known.
    void setMemory(const QString& device, qint64 free, qint64 total);
    void setProgress(const Progress& progress);
    /// Work begins of which no progress is known yet; empty: nothing is under way.
    void setBusy(const QString& what);
    void setMessage(const QString& words);

private:
    ElidedLabel* device_;
    QProgressBar* progress_;
    ElidedLabel* progressWords_;
    ElidedLabel* message_;
    ElidedLabel* memory_;
};

} // namespace keepset::ui
