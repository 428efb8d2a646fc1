#pragma once

#include "core/policies.h"

#include <QWidget>

#include <vector>

class QCheckBox;
class QVBoxLayout;

namespace keepset::ui {

class SelectionState;

/// Policies to compare, two at a time, with a form for the parameters of each made from the policy table. Variants of
/// one policy can be added beside it.
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
    void addRow(const PolicySpec& spec);
    QWidget* makeForm(QWidget* parent, const PolicyInfo& info, const PolicySpec& spec);
    QWidget* makeEditor(QWidget* parent, const PolicyParameter& parameter, const PolicySpec& spec);
    Row* rowOf(const QWidget* inside);
    void setParameter(const QWidget* inside, const PolicyParameter& parameter, const QString& value);
    void toggled(const QWidget* box, bool on);
    void showChecks();
    void tell();

    SelectionState* selection_;
    QVBoxLayout* layout_ = nullptr;
    std::vector<Row> rows_;
    std::vector<QWidget*> chosen_; ///< boxes of the rows compared, the older first
};

} // namespace keepset::ui
