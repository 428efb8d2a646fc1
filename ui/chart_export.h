#pragma once

#include "ui/shown.h"

#include <QImage>
#include <QRectF>
#include <QSize>
#include <QString>

#include <optional>

class QPainter;

/// Charts as files: PNG at twice the size, SVG and PDF as vectors with text as text, CSV of the data. Under every
/// picture and in the last columns of every table stands of what it is.
namespace keepset::ui {

/// What a chart offers for it. It paints itself as for white paper; title, muted words and of what it is stand around
/// it.
class Exportable {
public:
    virtual ~Exportable() = default;
    /// Whether there is anything on it.
    virtual bool hasContent() const = 0;
    virtual QString exportTitle() const = 0;
    virtual QString exportSubtitle() const = 0;
    /// Of the chart alone, in pixels of 1/96 inch.
    virtual QSize exportSize() const = 0;
    virtual void paintExport(QPainter& painter, QRectF canvas) const = 0;
    /// The data, RFC 4180.
    virtual QString exportCsv() const = 0;
    /// Whether every row of the data says of what it is, so that tables can be put below one another; of a map, which
    /// has a row a cell, only the first does.
    virtual bool everyRowSaysOf() const { return false; }

    /// File name without suffix.
    void setExportName(const QString& name) { name_ = name; }
    const QString& exportName() const { return name_; }
    /// What the chart shows, and of what: goes under every picture and into the file's own title.
    void setShown(const Shown& shown) { shown_ = shown; }
    const Shown& shown() const { return shown_; }

private:
    QString name_;
    Shown shown_;
};

/// The chart with its words, at twice the size.
QImage pictureOf(const Exportable& chart);

/// Writes a chart; the format follows the suffix (png, svg, pdf, csv). The file is there whole or not at all.
/// Returns a sentence about what went wrong, nothing when it is written.
std::optional<QString> exportChart(const Exportable& chart, const QString& path);

} // namespace keepset::ui
