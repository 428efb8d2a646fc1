#pragma once

#include "core/selection.h"
#include "ui/chart_export.h"
#include "ui/color_map.h"
#include "ui/zoom_history.h"

#include <QChartView>

#include <array>
#include <memory>
#include <optional>
#include <vector>

class QCategoryAxis;
class QLineSeries;
class QValueAxis;

namespace keepset {
struct Analysis;
}

namespace keepset::ui {

/// Importance over position as a chart with a log scale, reduced to the largest and the smallest of every pixel, and
/// under it one row of bars a policy for what it keeps. Wheel zooms about the cursor, a drag moves, right click or
/// Backspace goes back, a double click or 0 shows everything; a click, or the arrows, choose a token.
class ImportanceStrip : public QChartView, public Exportable {
    Q_OBJECT

public:
    explicit ImportanceStrip(QWidget* parent = nullptr);

    /// Scores by position (context), and the analysis that the tokens' texts come from; null: unknown.
    void setScores(std::vector<float> scores, std::shared_ptr<const Analysis> analysis = nullptr);
    /// Holds the heights between two values; none: fitted to the scores.
    void setLocked(const std::optional<ValueRange>& range);
    const std::optional<ValueRange>& locked() const { return locked_; }
    /// Lowest and highest value of the axis.
    ValueRange heights() const;
    /// Scores beyond a locked range.
    Beyond beyond() const { return locked_ ? beyondOf(scores_, *locked_) : Beyond {}; }
    /// Keep set of side 0 or 1; none: no row.
    void setSelection(int side, std::optional<RowSelection> selection);
    /// What the user marked: shown on the rows.
    void setPins(std::vector<Pin> pins);
    void setCurrent(std::int64_t token);
    void setHovered(std::int64_t token);
    /// Position at a pixel; -1: beside the data.
    std::int64_t positionAt(double x) const;
    double xOf(double position) const;
    /// The stretch of positions in sight.
    std::pair<double, double> range() const { return range_; }
    /// Where the bars of a side stand.
    QRectF rowRect(int row) const;

    bool hasContent() const override { return !scores_.empty(); }
    QString exportTitle() const override { return tr("Importance over position"); }
    QString exportSubtitle() const override;
    QSize exportSize() const override { return { 900, 200 }; }
    void paintExport(QPainter& painter, QRectF canvas) const override;
    QString exportCsv() const override;

    QSize sizeHint() const override { return { 600, 128 }; }
    QSize minimumSizeHint() const override { return { 200, 110 }; }

Q_SIGNALS:
    void tokenClicked(qint64 token);
    void tokenHovered(qint64 token);
    void clickTakenBack(); ///< what was clicked last was the beginning of a double click

protected:
    void changeEvent(QEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void drawForeground(QPainter* painter, const QRectF& rect) override;
    void wheelEvent(QWheelEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void mouseDoubleClickEvent(QMouseEvent* event) override;
    void leaveEvent(QEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;

private:
    using Range = std::pair<double, double>;
    void layOut(QSize size);
    void restyle();
    void fill();
    void zoomAround(double factor, double share, bool notch);
    void changeRange(Range range);
    Range clamped(Range range) const;
    Range whole() const { return { 0, static_cast<double>(std::max<std::size_t>(scores_.size(), 1)) }; }
    void fitHeights();
    void setDecades();
    double heightOf(double score) const; ///< on the axis
    double yOf(double score) const;
    void paintBeyond(QPainter& painter) const;
    void paintMarker(QPainter& painter, std::int64_t token, const QColor& color) const;

    QValueAxis* x_;
    QCategoryAxis* y_; ///< of decimal logarithms
    QLineSeries* curve_;
    std::vector<float> scores_; ///< (context)
    std::optional<ValueRange> locked_;
    std::array<std::vector<double>, 2> beyond_; ///< positions in sight whose score is below, above the locked range
    std::shared_ptr<const Analysis> analysis_;
    std::array<std::optional<RowSelection>, 2> rows_;
    std::vector<Pin> pins_;
    Range range_ { 0, 1 }; ///< positions in sight
    ZoomHistory<Range> history_;
    std::int64_t current_ = -1;
    std::int64_t hovered_ = -1;
    std::optional<Range> grabbed_; ///< what was in sight when the button went down
    double pressX_ = 0;
    bool dragged_ = false;
    bool clicked_ = false; ///< the last press ended in a click on a token
};

} // namespace keepset::ui
