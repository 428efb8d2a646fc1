#pragma once

#include "ui/charts/chart_data.h"

#include <QCategoryAxis>
#include <QChart>

#include <optional>
#include <set>

class QAreaSeries;
class QLineSeries;
class QScatterSeries;

namespace keepset::ui::charts {

/// Gives an axis ticks of our own: labels at their places, or, for groups, between the last one's and its own.
void setTicks(QCategoryAxis& axis, double start, const std::vector<double>& places, const std::vector<QString>& labels);

/// A QChart of ChartData: a line series and marks a method, its interval as an area; in groups marks with bars beside
/// one another. New data of the same methods replace points and nothing else. What Qt Charts lacks (names at the ends
/// of lines, bars, the warning, the read-out) is painted by its overlay.
class PlotChart : public QChart {
    Q_OBJECT

public:
    explicit PlotChart(plot::Style look);

    /// `range`: to look at from now on; none: the one that is looked at.
    void setData(ChartData data, const std::optional<ChartRange>& range = {});
    const ChartData& data() const { return data_; }
    void setLook(const plot::Style& look);
    const plot::Style& look() const { return look_; }
    void setRange(const ChartRange& range);
    ChartRange range() const;
    /// Series with these keys are not drawn.
    void setHidden(const std::set<std::string>& keys);
    const std::set<std::string>& hidden() const { return hidden_; }
    /// Whether every method's band is drawn: many of them are mud. Else only that of the method that is pointed at, or
    /// of the only one that is shown.
    void setAllBands(bool all);
    bool allBands() const { return allBands_; }
    /// The method that is pointed at: its band is shown, and where there are many others they step back.
    void setHighlighted(const std::string& key);
    /// The point that is told of.
    void setReadout(std::optional<PointRef> at);
    std::optional<PointRef> readout() const { return readout_; }

    /// Paints a chart that has a scene of its own. Not every format cuts off what leaves the plot (SVG knows no clip
    /// here), so what is around it is painted over that.
    void paintOnPaper(QPainter& painter, QRectF canvas);

    bool isShown(std::size_t series) const { return !hidden_.contains(data_.series[series].key); }
    bool isDrawn(PointRef at) const;
    bool isBandShown(std::size_t series) const;
    /// Whether it steps back behind the one that is pointed at.
    bool isFaded(std::size_t series) const;
    QPointF toPixel(double x, double y) const;
    QPointF toCoordinates(QPointF pixel) const;
    QPointF positionOf(PointRef at) const;
    /// The bar of a point in groups, serifs and all; empty where it has no interval.
    QRectF barOf(PointRef at) const;
    /// The nearest point in sight within `reach` pixels.
    std::optional<PointRef> nearestPoint(QPointF pixel, double reach) const;
    /// A name at the end of a line. Where not all have room, that of the method pointed at goes first.
    struct Name {
        std::size_t series;
        QPointF end; ///< of the line
        QRectF box;
    };
    std::vector<Name> names() const;
    /// The strip of the warning.
    QRectF warningBox() const;

private:
    struct Drawn {
        QLineSeries* line = nullptr; ///< none in groups
        QScatterSeries* marks = nullptr; ///< none where the look has no marker
        QAreaSeries* band = nullptr; ///< none in groups and of earlier runs
        QList<QPointF> upper = {}; ///< of the band; it has them while it is shown
        QList<QPointF> lower = {};
    };
    void rebuild();
    void refill(bool quietly);
    void layOutSeries();
    void showBand(std::size_t series);
    void restyle();
    void restyle(std::size_t series);
    void showState();
    void fit();
    void updateTicks();
    void updateReferences();
    void sizeMarks();
    std::vector<Name> namesThatFit(std::size_t most) const;
    void add(QAbstractSeries* series);

    ChartData data_;
    plot::Style look_;
    std::set<std::string> hidden_;
    std::string highlighted_;
    bool allBands_ = false;
    std::optional<PointRef> readout_;
    QCategoryAxis* x_;
    QCategoryAxis* y_;
    std::vector<Drawn> drawn_; ///< one a series
    std::vector<QLineSeries*> references_; ///< one a reference line
    QGraphicsItem* overlay_;
};

} // namespace keepset::ui::charts
