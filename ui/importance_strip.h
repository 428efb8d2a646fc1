#pragma once

#include "core/choices.h"
#include "ui/chart_export.h"

#include <QWidget>

#include <array>
#include <vector>

namespace keepset::ui {

/// Importance over position on a log scale, and under it one row of marks a policy for what it keeps. Wheel zooms about
/// the cursor, a drag moves, a double click or 0 shows everything; a click or the arrows choose a token.
class ImportanceStrip : public QWidget, public Exportable {
    Q_OBJECT

public:
    explicit ImportanceStrip(QWidget* parent = nullptr);

    /// Scores by position (context).
    void setScores(std::vector<float> scores);
    /// Keep set of side 0 or 1, with the name before its row; no labels: no row.
    void setLabels(int side, const QString& title, std::vector<Label> labels);
    void setCurrent(std::int64_t token);
    void setHovered(std::int64_t token);
    /// Position at a pixel; -1: beside the data.
    std::int64_t positionAt(double x) const;
    double xOf(double position) const;
    /// The stretch of positions in sight.
    std::pair<double, double> range() const { return { low_, high_ }; }

    bool hasContent() const override { return !scores_.empty(); }
    QString exportTitle() const override { return tr("Importance over position"); }
    QString exportSubtitle() const override { return tr("log scale"); }
    QSize exportSize() const override { return { 900, 190 }; }
    void paintExport(QPainter& painter, QRectF canvas) const override;
    QString exportCsv() const override;

    QSize sizeHint() const override { return { 600, 118 }; }
    QSize minimumSizeHint() const override { return { 200, 100 }; }

Q_SIGNALS:
    void tokenClicked(qint64 token);
    void tokenHovered(qint64 token);
    void clickTakenBack(); ///< what was clicked last was the beginning of a double click

protected:
    void paintEvent(QPaintEvent* event) override;
    void wheelEvent(QWheelEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void mouseDoubleClickEvent(QMouseEvent* event) override;
    void leaveEvent(QEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;

private:
    struct Row {
        QString title;
        std::vector<Label> labels; ///< (context)
    };
    QRectF plotRect() const;
    QRectF rowRect(int row) const;
    double yOf(double score) const;
    void setRange(double low, double high);
    void paintGrid(QPainter& painter) const;
    void paintCurve(QPainter& painter) const;
    void paintLines(QPainter& painter) const;
    void paintColumns(QPainter& painter, int columns) const;
    void paintRow(QPainter& painter, const Row& row, const QRectF& rect) const;
    void paintMarker(QPainter& painter, std::int64_t token, const QColor& color) const;

    std::vector<float> scores_; ///< (context)
    std::array<Row, 2> rows_;
    double logLow_ = -1; ///< decades
    double logHigh_ = 1;
    double low_ = 0; ///< positions in sight
    double high_ = 1;
    std::int64_t current_ = -1;
    std::int64_t hovered_ = -1;
    double pressX_ = -1;
    double dragX_ = -1;
    bool dragged_ = false;
    bool clicked_ = false; ///< the last press ended in a click on a token
};

} // namespace keepset::ui
