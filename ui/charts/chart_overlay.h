#pragma once

#include "ui/charts/plot_chart.h"

namespace keepset::ui::charts {

inline constexpr float fadedOpacity = 0.35F; ///< of methods that step back

/// What Qt Charts lacks, on the scene of the chart: names at the ends of lines, bars side by side, the names of
/// reference lines, rings around faulty points, the warning, the words of an empty chart, and the read-out.
class ChartOverlay : public QGraphicsItem {
public:
    explicit ChartOverlay(PlotChart* chart);
    QRectF boundingRect() const override { return chart_->rect(); }
    void paint(QPainter* painter, const QStyleOptionGraphicsItem* option, QWidget* widget) override;

private:
    void paintWarning(QPainter& painter) const;
    void paintReferences(QPainter& painter) const;
    void paintBars(QPainter& painter) const;
    void paintFaults(QPainter& painter) const;
    void paintNames(QPainter& painter) const;
    void paintChosen(QPainter& painter) const;
    void paintReadout(QPainter& painter) const;

    PlotChart* chart_;
};

} // namespace keepset::ui::charts
