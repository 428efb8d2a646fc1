#pragma once

#include "core/choices.h"

#include <QWidget>

class QComboBox;
class QSpinBox;

namespace keepset::ui {

class ImportanceChoice;

/// By which importance is shown and ranked: a mode, and for a window of the last queries how many there are.
class ImportanceBox : public QWidget {
    Q_OBJECT

public:
    explicit ImportanceBox(ImportanceChoice* choice, QWidget* parent = nullptr);

    QComboBox* mode() const { return mode_; }
    QSpinBox* queries() const { return queries_; }

private:
    void choose();
    void refresh();

    ImportanceChoice* choice_;
    QComboBox* mode_;
    QSpinBox* queries_;
};

} // namespace keepset::ui
