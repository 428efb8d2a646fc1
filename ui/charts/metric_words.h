#pragma once

#include "core/metrics.h"
#include "ui/charts/ticks.h"

#include <QString>

/// Core's metrics in the user's language; a metric that has no translation yet has its own words.
namespace keepset::ui::charts {

/// "KL to dense", to choose by.
QString titleOf(const Metric& metric);
/// "KL(dense ‖ method) (nats)", at an axis.
QString axisTitleOf(const Metric& metric);
/// One sentence, and which way is better.
QString descriptionOf(const Metric& metric);
NumberFormat formatOf(const Metric& metric);

} // namespace keepset::ui::charts
