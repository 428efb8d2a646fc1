#pragma once

#include "core/head_summary.h"
#include "ui/charts/chart_view.h"

#include <array>
#include <memory>

/// Query heads as points, placed by two of their numbers. The numbers are core's.
namespace keepset::ui::charts {

/// What a head can be placed by.
enum class HeadAxis { sinkMass, entropy, distance, keptA, keptB };
struct HeadAxisInfo {
    HeadAxis axis;
    const char* key; ///< in settings
    const char* name; ///< to choose by, untranslated; of a kept share it goes on with the policy
};
const std::vector<HeadAxisInfo>& headAxisTable();

/// All that is known of the heads of an analysis.
struct HeadFacts {
    std::shared_ptr<const HeadSummaries> heads; ///< null: not made yet
    std::array<std::vector<double>, 2> kept; ///< (layers, heads): kept share under each policy; empty: none
    std::array<QString, 2> policies; ///< titles
    std::int64_t group = 1; ///< query heads of a kv head
};
/// "Kept share, H2O".
QString nameOf(HeadAxis axis, const HeadFacts& facts);
/// NaN where it is not known.
double valueOf(HeadAxis axis, const HeadFacts& facts, std::int64_t layer, std::int64_t head);
/// Everything about one head, the first line its name; behind a tab stands a value.
QStringList wordsOf(const HeadFacts& facts, std::int64_t layer, std::int64_t head);

/// Every head a point: series are layers, points their heads. `chosen`: of the layer, query heads [first, last).
struct ChosenHeads {
    std::int64_t layer = -1;
    std::int64_t first = 0;
    std::int64_t last = 0;
    bool operator==(const ChosenHeads&) const = default;
};
ChartData headChart(const HeadFacts& facts, HeadAxis x, HeadAxis y, const ChosenHeads& chosen);
/// All numbers of all heads, RFC 4180.
QString headsCsv(const HeadFacts& facts);

/// The chart, which exports all that is known of the heads and not only what they are placed by.
class HeadScatter : public ChartView {
public:
    using ChartView::ChartView;
    void setFacts(HeadFacts facts) { facts_ = std::move(facts); }
    const HeadFacts& facts() const { return facts_; }
    QString exportCsv() const override { return headsCsv(facts_); }

private:
    HeadFacts facts_;
};

} // namespace keepset::ui::charts
