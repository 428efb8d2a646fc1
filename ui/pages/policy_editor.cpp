#include "ui/pages/policy_editor.h"

#include "ui/widgets/labels.h"
#include "ui/widgets/parameter_form.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QToolButton>
#include <QVBoxLayout>

namespace keepset::ui {

PolicyEditor::PolicyEditor(QWidget* parent)
    : QFrame(parent)
{
    setObjectName(QStringLiteral("policyEditor"));
    setProperty("inset", true);
    new QVBoxLayout(this);
    hide();
}

void PolicyEditor::setPolicy(const PolicySpec* spec)
{
    for (QWidget* old : findChildren<QWidget*>(QString(), Qt::FindDirectChildrenOnly)) {
        old->hide();
        old->setParent(nullptr);
        old->deleteLater(); // its button may be being clicked
    }
    const PolicyInfo* info = spec ? policyInfo(spec->name) : nullptr;
    setVisible(info != nullptr);
    if (info == nullptr)
        return;
    auto* heading = new QWidget(this);
    auto* line = new QHBoxLayout(heading);
    line->setContentsMargins(0, 0, 0, 0);
    auto* words = roleLabel(QString::fromStdString(info->description), "muted", heading);
    words->setWordWrap(true);
    line->addWidget(words, 1);
    if (!info->parameters.empty()) {
        auto* more
            = flatButton(tr("One more"), tr("Adds the same policy again, to be given other parameters"), heading);
        more->setObjectName(QStringLiteral("policyVariant"));
        line->addWidget(more);
        connect(more, &QToolButton::clicked, this, &PolicyEditor::variantRequested);
    }
    auto* close = flatButton(tr("Close"), tr("Hides the parameters"), heading);
    close->setObjectName(QStringLiteral("policyClose"));
    line->addWidget(close);
    connect(close, &QToolButton::clicked, this, &PolicyEditor::closed);
    layout()->addWidget(heading);
    auto* form = new ParameterForm(*info, *spec, ParameterForm::Layout::row, this);
    layout()->addWidget(form);
    connect(form, &ParameterForm::changed, this, &PolicyEditor::changed);
    for (QWidget* part : std::initializer_list<QWidget*> { heading, form })
        part->show(); // now: Tab goes on to it
}

} // namespace keepset::ui
