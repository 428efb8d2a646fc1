#pragma once

#include "core/policies.h"

#include <QWidget>

class QBoxLayout;

namespace keepset::ui {

/// A policy's line of the table; null where this version has none of the name.
const PolicyInfo* policyInfo(const std::string& name);
/// Canonical spelling; where parameters are wrong, as they were given.
QString spellingOf(const PolicySpec& spec);
/// What is wrong with a policy's parameters, in a sentence; empty: nothing.
QString problemOf(const PolicySpec& spec);
/// "H2O (local 0.5)"; of wrong parameters the spelling.
QString policyTitle(const PolicySpec& spec);

/// Fields for the parameters of one policy, made from its line of the table: numbers, whole numbers, choices, text,
/// files, and policies, whose own fields stand inside.
class ParameterForm : public QWidget {
    Q_OBJECT

public:
    enum class Layout { column, row };
    ParameterForm(const PolicyInfo& info, PolicySpec spec, Layout layout, QWidget* parent = nullptr);

    const PolicySpec& spec() const { return spec_; }

Q_SIGNALS:
    void changed(const keepset::PolicySpec& spec);

private:
    void addField(const PolicyParameter& parameter, QWidget* editor);
    QWidget* makeEditor(const PolicyParameter& parameter);
    QWidget* makeNumber(const PolicyParameter& parameter);
    QWidget* makeChoice(const PolicyParameter& parameter);
    QWidget* makeText(const PolicyParameter& parameter);
    QWidget* makeFile(const PolicyParameter& parameter);
    QWidget* makePolicy(const PolicyParameter& parameter);
    void showNested(const PolicyParameter& parameter, const PolicySpec& nested, QWidget* box);
    QString valueOf(const PolicyParameter& parameter) const;
    void set(const PolicyParameter& parameter, const QString& value);

    PolicySpec spec_;
    Layout layout_;
};

} // namespace keepset::ui
