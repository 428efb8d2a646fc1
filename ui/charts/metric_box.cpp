#include "ui/charts/metric_box.h"

#include "ui/charts/metric_words.h"

#include <QAbstractItemView>
#include <QSignalBlocker>

#include <algorithm>

namespace keepset::ui::charts {

MetricBox::MetricBox(QWidget* parent)
    : QComboBox(parent)
{
    setAccessibleName(tr("Quantity"));
    // The longest name is seldom the one shown; the list is as wide as it needs.
    setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    setMinimumContentsLength(12);
    setRun(nullptr);
    connect(this, &QComboBox::currentIndexChanged, this, [this] {
        wanted_ = currentData().toString();
        setToolTip(descriptionOf(metric()));
        Q_EMIT metricChanged();
    });
}

void MetricBox::setRun(const Run* run)
{
    std::vector<const Metric*> held = run ? metrics_of(*run) : std::vector<const Metric*>();
    if (held.empty())
        std::ranges::transform(metrics(), std::back_inserter(held), [](const Metric& metric) { return &metric; });
    QStringList names;
    for (const Metric* metric : held)
        names << QString::fromStdString(metric->name);
    const QSignalBlocker quiet(this);
    if (names != offered_) {
        offered_ = names;
        clear();
        for (const Metric* metric : held) {
            addItem(titleOf(*metric), QString::fromStdString(metric->name));
            setItemData(count() - 1, descriptionOf(*metric), Qt::ToolTipRole);
        }
        view()->setMinimumWidth(view()->sizeHintForColumn(0) + 24);
    }
    setCurrentIndex(std::max(0, findData(wanted_)));
    setToolTip(descriptionOf(metric()));
}

const Metric& MetricBox::metric() const { return find_metric(currentData().toString().toStdString()); }

} // namespace keepset::ui::charts
