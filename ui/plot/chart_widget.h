#pragma once

#include "ui/chart_export.h"
#include "ui/plot/chart.h"

#include <QWidget>

#include <optional>
#include <vector>

namespace keepset::ui::plot {

/// Shows a chart: values on hover, rubber-band zoom with history, all of it by keyboard too.
/// Drag: zoom to the band. Right click or Backspace: the view before. Double click, Esc or 0: everything. + and -:
/// closer, farther. Left and Right: from value to value; Up and Down: from series to series.
class ChartWidget : public QWidget, public Exportable {
    Q_OBJECT

public:
    explicit ChartWidget(QWidget* parent = nullptr);

    /// New data; the zoom stays where the axes are still the same ones.
    void setChart(Chart chart);
    const Chart& chart() const { return chart_; }
    ChartView view() const { return view_; }
    /// Zooms; the view before goes to the history.
    void setView(const ChartView& view);
    /// Back to the view before, if any.
    void undoZoom();
    void resetZoom();
    /// The point the read-out is on, if any.
    std::optional<PointRef> readout() const { return readout_; }

    QSize sizeHint() const override { return { 640, 320 }; }
    QSize minimumSizeHint() const override { return { 260, 170 }; }

    QSize exportSize() const override;
    void paintExport(QPainter& painter, QRectF canvas) const override;
    QString exportCsv() const override { return chartCsv(chart_); }
    QString exportName() const override;

Q_SIGNALS:
    void viewChanged();

protected:
    void paintEvent(QPaintEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void mouseDoubleClickEvent(QMouseEvent* event) override;
    void leaveEvent(QEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;

private:
    ChartLayout currentLayout() const;
    void moveReadout(int points, int series);
    void zoomAround(double factor);
    void changeView(const ChartView& view);

    Chart chart_;
    ChartView view_;
    std::vector<ChartView> history_;
    std::optional<PointRef> readout_;
    std::optional<QRectF> band_; ///< while it is drawn
};

} // namespace keepset::ui::plot
