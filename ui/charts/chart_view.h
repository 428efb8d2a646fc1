#pragma once

#include "ui/chart_export.h"
#include "ui/charts/plot_chart.h"
#include "ui/zoom_history.h"

#include <QChartView>

#include <optional>

class QRubberBand;
class QTimer;
class QToolButton;

namespace keepset::ui::charts {

/// Shows a chart: values on hover, zoom with history, all of it by keyboard too.
/// Drag: zoom to the band. Wheel: closer, farther (with Shift only across). Right click or Backspace: the view before.
/// Double click, Esc or 0: everything. + and -: closer, farther. Left and Right: from value to value; Up and Down: from
/// method to method; Enter chooses what is read out. A click on a name at the end of its line hides the method, with
/// Ctrl it hides all others.
class ChartView : public QChartView, public Exportable {
    Q_OBJECT

public:
    explicit ChartView(QWidget* parent = nullptr);

    /// New data; the zoom stays where the axes are still the same ones.
    void setData(ChartData data);
    const ChartData& data() const { return plot_->data(); }
    PlotChart* plot() const { return plot_; }
    /// Looks at a part; the view before goes to the history (`notch`: of the wheel).
    void setRange(const ChartRange& range, bool notch = false);
    /// Back to the view before, if any.
    void undoZoom();
    void resetZoom();
    /// Tells a point, as if it were pointed at; nothing: none.
    void readOut(std::optional<PointRef> at);
    bool isZoomed() const { return !history_.empty(); }

    QSize sizeHint() const override { return { 640, 320 }; }
    QSize minimumSizeHint() const override { return { 220, 120 }; }

    bool hasContent() const override { return !isEmpty(data()); }
    QString exportTitle() const override { return data().title; }
    QString exportSubtitle() const override { return data().subtitle; }
    QSize exportSize() const override;
    void paintExport(QPainter& painter, QRectF canvas) const override;
    QString exportCsv() const override { return chartCsv(data()); }
    bool everyRowSaysOf() const override { return true; }

Q_SIGNALS:
    void pointHovered(const QString& key); ///< of a series; empty: none
    void pointClicked(const QString& key, double x);
    void pointChosen(const keepset::ui::charts::PointRef& at); ///< clicked, or read out when Enter is pressed
    void nameClicked(const QString& key, bool alone);

protected:
    void changeEvent(QEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void drawForeground(QPainter* painter, const QRectF& rect) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void mouseDoubleClickEvent(QMouseEvent* event) override;
    void wheelEvent(QWheelEvent* event) override;
    void leaveEvent(QEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;

private:
    void settle();
    void changeRange(const ChartRange& range);
    void zoomAround(double factor, QPointF pixel, bool both, bool notch = false);
    void moveReadout(int points, int series);
    void click(QPointF pixel, bool alone);

    PlotChart* plot_;
    QRubberBand* band_;
    QToolButton* back_;
    QToolButton* whole_;
    QTimer* rest_; ///< since the data changed last
    ZoomHistory<ChartRange> history_;
    std::optional<QPointF> pressed_;
};

} // namespace keepset::ui::charts
