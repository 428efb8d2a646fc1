#include "ui/charts/head_charts.h"

#include "ui/color_map.h"
#include "ui/csv.h"
#include "ui/format.h"

#include <QCoreApplication>

#include <algorithm>
#include <cmath>

namespace keepset::ui::charts {

namespace {

    QString tr(const char* text) { return QCoreApplication::translate("keepset::ui::charts", text); }

    const HeadAxisInfo& infoOf(HeadAxis axis) { return *std::ranges::find(headAxisTable(), axis, &HeadAxisInfo::axis); }

    bool isKept(HeadAxis axis) { return axis == HeadAxis::keptA || axis == HeadAxis::keptB; }

    std::size_t sideOf(HeadAxis axis) { return axis == HeadAxis::keptA ? 0 : 1; }

    Axis axisOf(HeadAxis axis, const HeadFacts& facts)
    {
        QString title = nameOf(axis, facts);
        if (axis == HeadAxis::entropy)
            title = tr("entropy (share of ln %1)").arg(formatCount(facts.heads->context));
        else if (axis == HeadAxis::distance)
            title = tr("mean distance (tokens)");
        else
            title += tr(" (share of attention)");
        const bool share = axis != HeadAxis::distance;
        return { title, QString(), AxisScale::linear, share ? NumberFormat::percent : NumberFormat::plain };
    }

    /// Layers from violet to green, as far as they are seen on white, or on dark ground.
    plot::MethodStyle lookOf(std::int64_t layer, std::int64_t layers)
    {
        const double depth = layers > 1 ? static_cast<double>(layer) / static_cast<double>(layers - 1) : 0;
        return { QColor(viridis(0.8 * depth)), QColor(viridis(0.3 + 0.7 * depth)), plot::Marker::circle, false };
    }

    QString percent(double share) { return formatPercent(share); }

} // namespace

const std::vector<HeadAxisInfo>& headAxisTable()
{
    static const std::vector<HeadAxisInfo> table {
        { HeadAxis::sinkMass, "sink", QT_TRANSLATE_NOOP("keepset::ui::charts", "sink mass") },
        { HeadAxis::entropy, "entropy", QT_TRANSLATE_NOOP("keepset::ui::charts", "entropy") },
        { HeadAxis::distance, "distance", QT_TRANSLATE_NOOP("keepset::ui::charts", "mean distance") },
        { HeadAxis::keptA, "keptA", QT_TRANSLATE_NOOP("keepset::ui::charts", "kept share, %1") },
        { HeadAxis::keptB, "keptB", QT_TRANSLATE_NOOP("keepset::ui::charts", "kept share, %1") },
    };
    return table;
}

QString nameOf(HeadAxis axis, const HeadFacts& facts)
{
    const QString name = tr(infoOf(axis).name);
    if (!isKept(axis))
        return name;
    const QString& policy = facts.policies[sideOf(axis)];
    return name.arg(policy.isEmpty() ? tr("no policy") : policy);
}

double valueOf(HeadAxis axis, const HeadFacts& facts, std::int64_t layer, std::int64_t head)
{
    const std::size_t index = facts.heads->index(layer, head);
    const HeadNumbers& numbers = facts.heads->numbers[index];
    switch (axis) {
    case HeadAxis::sinkMass:
        return numbers.sink_mass;
    case HeadAxis::entropy:
        return numbers.entropy_share;
    case HeadAxis::distance:
        return numbers.mean_distance;
    case HeadAxis::keptA:
    case HeadAxis::keptB:
        break;
    }
    const std::vector<double>& kept = facts.kept[sideOf(axis)];
    return index < kept.size() ? kept[index] : not_a_number;
}

QStringList wordsOf(const HeadFacts& facts, std::int64_t layer, std::int64_t head)
{
    const HeadNumbers& numbers = facts.heads->numbers[facts.heads->index(layer, head)];
    QStringList lines { tr("layer %1, head %2").arg(layer).arg(head) + QLatin1Char('\t')
            + tr("kv head %1").arg(head / facts.group),
        tr("sink mass") + QLatin1Char('\t') + percent(numbers.sink_mass),
        tr("entropy") + QLatin1Char('\t')
            + tr("%1 nats, %2").arg(formatSignificant(numbers.entropy), percent(numbers.entropy_share)),
        tr("mean distance") + QLatin1Char('\t') + tr("%1 tokens").arg(formatSignificant(numbers.mean_distance)) };
    for (const HeadAxis axis : { HeadAxis::keptA, HeadAxis::keptB }) {
        if (!facts.kept[sideOf(axis)].empty())
            lines << nameOf(axis, facts) + QLatin1Char('\t') + percent(valueOf(axis, facts, layer, head));
    }
    return lines;
}

ChartData headChart(const HeadFacts& facts, HeadAxis x, HeadAxis y, const ChosenHeads& chosen)
{
    ChartData data;
    data.scattered = true;
    data.title = tr("Heads");
    if (!facts.heads)
        return data;
    const HeadSummaries& heads = *facts.heads;
    data.title = tr("Heads, %1 against %2").arg(nameOf(y, facts), nameOf(x, facts));
    data.x = axisOf(x, facts);
    data.y = axisOf(y, facts);
    std::int64_t drawn = 0;
    for (std::int64_t layer = 0; layer < heads.layers; ++layer) {
        Series series { std::to_string(layer), tr("layer %1").arg(layer), {}, lookOf(layer, heads.layers), {} };
        for (std::int64_t head = 0; head < heads.heads; ++head) {
            const double across = valueOf(x, facts, layer, head);
            const double up = valueOf(y, facts, layer, head);
            const bool known = std::isfinite(across) && std::isfinite(up);
            series.points.push_back(known ? ChartPoint { across, up } : ChartPoint {});
            drawn += known ? 1 : 0;
            if (layer == chosen.layer && head >= chosen.first && head < chosen.last)
                data.chosen.push_back({ static_cast<std::size_t>(layer), static_cast<std::size_t>(head) });
        }
        data.series.push_back(std::move(series));
    }
    const std::int64_t all = heads.layers * heads.heads;
    data.subtitle = heads.layers > 1 ? tr("%1 query heads · colour: from layer 0 (dark) to layer %2 (bright)")
                                           .arg(formatCount(all))
                                           .arg(heads.layers - 1)
                                     : tr("%1 query heads").arg(formatCount(all));
    if (!heads.is_finished())
        data.subtitle += tr(" · %1 of %2 layers so far").arg(formatCount(heads.layers_done), formatCount(heads.layers));
    else if (drawn < all)
        data.subtitle += tr(" · %1 without such a number").arg(formatCount(all - drawn));
    data.emptyText = tr("No head has both numbers yet.");
    data.tell = [facts](PointRef at) {
        return wordsOf(facts, static_cast<std::int64_t>(at.series), static_cast<std::int64_t>(at.point));
    };
    return data;
}

QString headsCsv(const HeadFacts& facts)
{
    QString csv = QStringLiteral("layer,head,kv_head,sink_mass,entropy,entropy_share,mean_distance");
    for (std::size_t side = 0; side < 2; ++side) {
        if (!facts.kept[side].empty())
            csv += QLatin1Char(',') + csvField(QStringLiteral("kept_share ") + facts.policies[side]);
    }
    csv += QStringLiteral("\r\n");
    for (std::int64_t layer = 0; facts.heads && layer < facts.heads->layers; ++layer) {
        for (std::int64_t head = 0; head < facts.heads->heads; ++head) {
            const HeadNumbers& numbers = facts.heads->numbers[facts.heads->index(layer, head)];
            QStringList fields { QString::number(layer), QString::number(head), QString::number(head / facts.group) };
            for (const double number :
                { numbers.sink_mass, numbers.entropy, numbers.entropy_share, numbers.mean_distance })
                fields << csvNumber(number);
            for (const HeadAxis axis : { HeadAxis::keptA, HeadAxis::keptB }) {
                if (!facts.kept[sideOf(axis)].empty())
                    fields << csvNumber(valueOf(axis, facts, layer, head));
            }
            csv += fields.join(QLatin1Char(',')) + QStringLiteral("\r\n");
        }
    }
    return csv;
}

} // namespace keepset::ui::charts
