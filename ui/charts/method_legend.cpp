#include "ui/charts/method_legend.h"

#include "ui/plain_text.h"
#include "ui/widgets/flow_layout.h"

#include <QEvent>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QToolButton>

#include <algorithm>
#include <utility>

namespace keepset::ui::charts {

MethodLegend::MethodLegend(QWidget* parent)
    : QWidget(parent)
{
    auto* layout = new FlowLayout(6, this);
    layout->setContentsMargins(0, 0, 0, 0);
}

void MethodLegend::setMethods(std::vector<Method> methods)
{
    if (methods == methods_)
        return;
    methods_ = std::move(methods);
    qDeleteAll(std::exchange(chips_, {})); // what they tell while they go concerns nobody
    for (const Method& method : methods_) {
        auto* chip = new QToolButton(this);
        chip->setObjectName(QStringLiteral("chip ") + QString::fromStdString(method.key));
        chip->setProperty("chip", true);
        chip->setCheckable(true);
        chip->setText(QString(method.name).replace(QLatin1Char('&'), QStringLiteral("&&")));
        chip->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
        chip->setFocusPolicy(Qt::TabFocus);
        chip->setAccessibleName(method.name);
        chip->setToolTip(literalToolTip(tr("%1: a click hides it, a double click shows it alone").arg(method.name)));
        chip->installEventFilter(this);
        layout()->addWidget(chip);
        connect(chip, &QToolButton::clicked, this, [this, key = method.key] { toggle(key); });
        chips_.push_back(chip);
    }
    const auto isHidden = [this](const Method& method) { return hidden_.contains(method.key); };
    if (std::ranges::all_of(methods_, isHidden) && !hidden_.empty()) { // of other methods than these
        hidden_.clear();
        Q_EMIT hiddenChanged(hidden_);
    }
    showState();
}

bool MethodLegend::has(const std::string& key) const
{
    return std::ranges::find(methods_, key, &Method::key) != methods_.end();
}

void MethodLegend::toggle(const std::string& key)
{
    if (!has(key))
        return;
    if (hidden_.erase(key) == 0)
        hidden_.insert(key);
    showState();
    Q_EMIT hiddenChanged(hidden_);
}

void MethodLegend::isolate(const std::string& key)
{
    if (!has(key))
        return;
    std::set<std::string> others;
    for (const Method& method : methods_) {
        if (method.key != key)
            others.insert(method.key);
    }
    hidden_ = hidden_ == others ? std::set<std::string>() : others;
    showState();
    Q_EMIT hiddenChanged(hidden_);
}

void MethodLegend::setHighlighted(const std::string& key)
{
    for (std::size_t i = 0; i < chips_.size(); ++i)
        chips_[i]->setDown(!key.empty() && methods_[i].key == key);
}

void MethodLegend::showState()
{
    const plot::Style style = plot::styleFor(palette());
    for (std::size_t i = 0; i < chips_.size(); ++i) {
        chips_[i]->setChecked(!hidden_.contains(methods_[i].key));
        chips_[i]->setIcon(plot::markerIcon(methods_[i].look, style, devicePixelRatioF()));
    }
}

bool MethodLegend::eventFilter(QObject* watched, QEvent* event)
{
    const auto chip = std::ranges::find(chips_, watched);
    if (chip == chips_.end())
        return false;
    const std::string key = methods_[static_cast<std::size_t>(chip - chips_.begin())].key;
    const auto withControl = [event] { return static_cast<QMouseEvent*>(event)->modifiers() & Qt::ControlModifier; };
    switch (event->type()) {
    case QEvent::Enter:
    case QEvent::FocusIn:
        Q_EMIT highlightChanged(key);
        return false;
    case QEvent::Leave:
    case QEvent::FocusOut:
        Q_EMIT highlightChanged({});
        return false;
    case QEvent::MouseButtonDblClick: // its first click has hidden the method
        hidden_.erase(key);
        isolate(key);
        return true;
    case QEvent::MouseButtonPress:
        if (withControl())
            isolate(key);
        return withControl();
    case QEvent::KeyPress:
        if (static_cast<QKeyEvent*>(event)->key() != Qt::Key_Return)
            return false;
        isolate(key);
        return true;
    default:
        return false;
    }
}

void MethodLegend::changeEvent(QEvent* event)
{
    QWidget::changeEvent(event);
    if (event->type() == QEvent::PaletteChange)
        showState();
}

} // namespace keepset::ui::charts
