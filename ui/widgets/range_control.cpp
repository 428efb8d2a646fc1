#include "ui/widgets/range_control.h"

#include <QCheckBox>
#include <QDoubleValidator>
#include <QHBoxLayout>
#include <QLineEdit>
#include <QLocale>
#include <QSignalBlocker>

namespace keepset::ui {

namespace {

    QString textOf(double value) { return QLocale::c().toString(value, 'g', 4); }

} // namespace

RangeControl::RangeControl(RangeState* state, QWidget* parent)
    : QWidget(parent)
    , state_(state)
    , lock_(new QCheckBox(tr("lock range"), this))
    , low_(makeField("rangeLow", tr("Lowest value of the locked range")))
    , high_(makeField("rangeHigh", tr("Highest value of the locked range")))
{
    lock_->setObjectName(QStringLiteral("rangeLock"));
    lock_->setToolTip(
        tr("Holds colours and heights of importance between two values, on every page and for every layer, "
           "mode, text and file. Otherwise they are fitted to what is shown."));
    auto* layout = new QHBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(6);
    for (QWidget* widget : std::initializer_list<QWidget*> { lock_, low_, high_ })
        layout->addWidget(widget);
    connect(lock_, &QCheckBox::toggled, this, [this](bool locked) {
        locked ? state_->lock(fitted_) : state_->unlock();
        showState(); // it may be no range
    });
    connect(state_, &RangeState::changed, this, &RangeControl::showState);
    showState();
}

QLineEdit* RangeControl::makeField(const char* name, const QString& what)
{
    auto* field = new QLineEdit(this);
    auto* validator = new QDoubleValidator(0, 1e12, 6, field);
    validator->setLocale(QLocale::c());
    field->setValidator(validator);
    field->setObjectName(QLatin1String(name));
    field->setAccessibleName(what);
    field->setToolTip(what);
    field->setFixedWidth(62);
    connect(field, &QLineEdit::editingFinished, this, &RangeControl::take);
    return field;
}

void RangeControl::showState()
{
    const auto& range = state_->locked();
    const QSignalBlocker quiet(lock_);
    lock_->setChecked(range.has_value());
    low_->setVisible(range.has_value());
    high_->setVisible(range.has_value());
    if (range) {
        low_->setText(textOf(range->low));
        high_->setText(textOf(range->high));
    }
    updateGeometry();
}

QStringList RangeControl::range() const
{
    const auto& locked = state_->locked();
    if (!locked)
        return {};
    const auto exact = [](double value) { return QLocale::c().toString(value, 'g', QLocale::FloatingPointShortest); };
    return { exact(locked->low), exact(locked->high) };
}

void RangeControl::setRange(const QStringList& range)
{
    if (range.size() == 2)
        state_->lock({ QLocale::c().toDouble(range[0]), QLocale::c().toDouble(range[1]) });
    else
        state_->unlock();
}

/// What is no range goes back to what it was.
void RangeControl::take()
{
    const QLocale c = QLocale::c();
    bool known[2] = { false, false };
    const ValueRange range { c.toDouble(low_->text(), &known[0]), c.toDouble(high_->text(), &known[1]) };
    if (known[0] && known[1] && state_->locked()) {
        // An end that was not touched keeps the digits that its field does not show.
        const ValueRange before = *state_->locked();
        state_->lock({ low_->text() == textOf(before.low) ? before.low : range.low,
            high_->text() == textOf(before.high) ? before.high : range.high });
    }
    showState();
}

} // namespace keepset::ui

#include "moc_range_control.cpp"
