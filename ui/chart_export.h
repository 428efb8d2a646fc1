#pragma once

#include "ui/shown.h"

#include <QRectF>
#include <QSize>
#include <QString>

#include <optional>

class QPainter;
class QWidget;

/// Charts as files: PNG at twice the size, SVG and PDF as vectors with text as text, CSV of the data. Under every
/// picture stands of what it is.
namespace keepset::ui {

/// What a chart offers for it. It paints itself as for white paper, title included.
class Exportable {
public:
    virtual ~Exportable() = default;
    /// In pixels of 1/96 inch.
    virtual QSize exportSize() const = 0;
    virtual void paintExport(QPainter& painter, QRectF canvas) const = 0;
    /// The data, RFC 4180.
    virtual QString exportCsv() const = 0;
    /// File name without suffix.
    virtual QString exportName() const = 0;

    /// What the chart shows, and of what: goes under every picture and into the file's own title.
    void setShown(const Shown& shown) { shown_ = shown; }
    const Shown& shown() const { return shown_; }

private:
    Shown shown_;
};

/// Title and muted words over a picture; returns what is left of the canvas below.
QRectF paintHeading(QPainter& painter, QRectF canvas, const QString& title, const QString& subtitle);

/// Writes a chart; the format follows the suffix (png, svg, pdf, csv). The file is there whole or not at all.
/// Returns a sentence about what went wrong, nothing when it is written.
std::optional<QString> exportChart(const Exportable& chart, const QString& path);

/// Asks where to and in which format, then exports. Empty path: the user changed their mind.
struct ExportOutcome {
    QString path;
    std::optional<QString> error;
};
ExportOutcome exportWithDialog(const Exportable& chart, QWidget* parent);

} // namespace keepset::ui
