#include "ui/widgets/labels.h"

#include <QLabel>
#include <QToolButton>

namespace keepset::ui {

QLabel* roleLabel(const QString& text, const char* role, QWidget* parent)
{
    auto* label = new QLabel(text, parent);
    label->setProperty("role", QLatin1String(role));
    label->setTextFormat(Qt::PlainText); // names and tokens may look like tags
    return label;
}

void nameFor(QWidget* control, const QString& name)
{
    control->setAccessibleName(name);
    QLabel* label = roleLabel(name, "caption", control->parentWidget());
    label->setBuddy(control);
    label->hide();
}

void tabAfter(QWidget* before, const QWidget& inside)
{
    for (QWidget* widget : inside.findChildren<QWidget*>()) {
        if (widget->focusPolicy() == Qt::NoFocus || widget->focusProxy() != nullptr)
            continue;
        if (widget->window() != before->window())
            continue; // the list of a box, or a form that does not stand in its window yet
        QWidget::setTabOrder(before, widget);
        before = widget;
    }
}

QToolButton* flatButton(const QString& text, const QString& what, QWidget* parent)
{
    auto* button = new QToolButton(parent);
    button->setText(text);
    button->setToolTip(what);
    button->setAccessibleName(what);
    button->setProperty("flat", true);
    button->setFocusPolicy(Qt::TabFocus);
    return button;
}

} // namespace keepset::ui
