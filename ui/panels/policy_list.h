#pragma once

#include "core/policies.h"

#include <QWidget>

#include <array>
#include <vector>

class QCheckBox;
class QPushButton;
class QVBoxLayout;

namespace keepset::ui {

class SelectionState;

/// Policies to compare, two at a time, with a form for the parameters of each made from the policy table. Variants of
/// one policy can be added beside it and removed again. Policies chosen elsewhere get a row, too.
class PolicyList : public QWidget {
    Q_OBJECT

public:
    explicit PolicyList(SelectionState* selection, QWidget* parent = nullptr);

private:
    struct Row {
        PolicySpec spec;
        QWidget* box = nullptr;
        QCheckBox* check = nullptr;
        QWidget* form = nullptr;
    };
    enum class Kind { standing, variant };
    Row* addRow(const PolicySpec& spec, Kind kind);
    void removeRow(QWidget* box);
    /// Checks the rows of what is compared.
    void follow();
    Row* rowOf(const QWidget* inside);
    void setSpec(const QWidget* inside, const PolicySpec& spec);
    void toggled(const QWidget* box, bool on);
    void showChecks();
    std::array<PolicySpec, 2> compared() const;
    void tell();

    SelectionState* selection_;
    QVBoxLayout* layout_ = nullptr;
    QPushButton* add_ = nullptr;
    std::vector<Row> rows_;
    std::vector<QWidget*> chosen_; ///< boxes of the rows compared, the older first
};

} // namespace keepset::ui
