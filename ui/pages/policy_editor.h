#pragma once

#include "core/policies.h"

#include <QFrame>

namespace keepset::ui {

/// What one policy of a list does, and its parameters.
class PolicyEditor : public QFrame {
    Q_OBJECT

public:
    explicit PolicyEditor(QWidget* parent = nullptr);

    /// Null: it hides.
    void setPolicy(const PolicySpec* spec);

Q_SIGNALS:
    void changed(const keepset::PolicySpec& spec);
    void variantRequested(); ///< the same once more
    void closed();
};

} // namespace keepset::ui
