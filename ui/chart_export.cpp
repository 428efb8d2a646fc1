#include "ui/chart_export.h"

#include "ui/csv.h"
#include "ui/theme.h"
#include "ui/whole_file.h"

#include <QBuffer>
#include <QCoreApplication>
#include <QFileInfo>
#include <QFontMetricsF>
#include <QPageSize>
#include <QPainter>
#include <QPdfWriter>
#include <QSvgGenerator>

namespace keepset::ui {

namespace {

    constexpr double pixelsPerInch = 96;
    constexpr double pointsPerInch = 72;

    QString tr(const char* text) { return QCoreApplication::translate("keepset::ui", text); }

    constexpr double margin = 12; ///< px around a picture

    QString footOf(const Exportable& chart)
    {
        const QString stale = staleWords(chart.shown());
        const QString line = lineOf(chart.shown());
        return stale.isEmpty() ? line : QStringLiteral("%1 (%2)").arg(line, stale);
    }

    /// The parts between " · " on as many lines as they need.
    QStringList wrapped(const QString& line, const QFont& font, double width)
    {
        QStringList lines;
        for (const QString& part : line.split(QStringLiteral(" · "), Qt::SkipEmptyParts)) {
            const QString longer = lines.isEmpty() ? part : lines.last() + QStringLiteral(" · ") + part;
            if (!lines.isEmpty() && QFontMetricsF(font).horizontalAdvance(longer) <= width)
                lines.last() = longer;
            else
                lines << part;
        }
        return lines;
    }

    /// The chart with its title and muted words above and of what it is below. Returns the size of all; without a
    /// painter it only measures.
    QSize paintWhole(const Exportable& chart, QPainter* painter)
    {
        const QSizeF size = chart.exportSize();
        struct Words {
            QFont font;
            QColor color;
            QStringList lines;
        };
        const auto words = [&](const QFont& font, const QColor& color, const QString& text) {
            return Words { font, color, wrapped(text, font, size.width()) };
        };
        const auto height = [](const Words& each) {
            return static_cast<double>(each.lines.size()) * QFontMetricsF(each.font).height();
        };
        const auto write = [&](const Words& each, double y) {
            const QFontMetricsF metrics(each.font);
            painter->setFont(each.font);
            painter->setPen(each.color);
            for (qsizetype line = 0; line < each.lines.size(); ++line)
                painter->drawText(QPointF(margin, y + metrics.ascent() + static_cast<double>(line) * metrics.height()),
                    each.lines[line]);
        };
        const Words title = words(interfaceFont(15, true), theme(false).ink, chart.exportTitle());
        const Words subtitle = words(interfaceFont(12), theme(false).muted, chart.exportSubtitle());
        const Words foot = words(interfaceFont(11), theme(false).muted, footOf(chart));
        const double top = margin * 1.5 + height(title) + height(subtitle);
        const double bottom = top + size.height() + margin / 2;
        if (painter) { // words last: a chart may paint over its edges
            chart.paintExport(*painter, QRectF(QPointF(margin, top), size));
            write(title, margin);
            write(subtitle, margin + height(title));
            write(foot, bottom);
        }
        return { qRound(size.width() + 2 * margin), qRound(bottom + height(foot) + margin) };
    }

    QByteArray asPng(const Exportable& chart)
    {
        QBuffer buffer;
        buffer.open(QIODevice::WriteOnly);
        pictureOf(chart).save(&buffer, "PNG");
        return buffer.data();
    }

    QByteArray asSvg(const Exportable& chart)
    {
        const QSize size = paintWhole(chart, nullptr);
        QBuffer buffer;
        buffer.open(QIODevice::WriteOnly);
        QSvgGenerator svg;
        svg.setOutputDevice(&buffer);
        svg.setResolution(static_cast<int>(pixelsPerInch));
        svg.setSize(size);
        svg.setViewBox(QRect(QPoint(0, 0), size));
        svg.setTitle(chart.exportTitle());
        svg.setDescription(footOf(chart));
        QPainter painter(&svg);
        painter.fillRect(QRect(QPoint(0, 0), size), Qt::white);
        paintWhole(chart, &painter);
        painter.end();
        return buffer.data();
    }

    QByteArray asPdf(const Exportable& chart)
    {
        const QSize size = paintWhole(chart, nullptr);
        QBuffer buffer;
        buffer.open(QIODevice::WriteOnly);
        QPdfWriter pdf(&buffer);
        const QString foot = footOf(chart);
        pdf.setTitle(foot.isEmpty() ? chart.exportTitle() : QStringLiteral("%1: %2").arg(chart.exportTitle(), foot));
        pdf.setCreator(QStringLiteral("Keepset"));
        pdf.setResolution(static_cast<int>(pixelsPerInch * 10));
        const QSizeF points = QSizeF(size) * (pointsPerInch / pixelsPerInch);
        pdf.setPageSize(QPageSize(points, QPageSize::Point, QString(), QPageSize::ExactMatch));
        pdf.setPageMargins(QMarginsF());
        QPainter painter(&pdf);
        painter.setRenderHint(QPainter::LosslessImageRendering); // a heatmap's pixels are numbers
        painter.scale(10, 10);
        paintWhole(chart, &painter);
        painter.end();
        return buffer.data();
    }

    /// The data, and in its last columns of what it is. Column names are of files, in every language the same.
    QByteArray asCsv(const Exportable& chart)
    {
        if (chart.shown().source == Shown::Source::none)
            return chart.exportCsv().toUtf8();
        return csvWithColumns(chart.exportCsv(),
            { QStringLiteral("model"), QStringLiteral("text"), QStringLiteral("provenance") },
            { chart.shown().model, chart.shown().text, footOf(chart) }, chart.everyRowSaysOf())
            .toUtf8();
    }

} // namespace

QImage pictureOf(const Exportable& chart)
{
    const QSize size = paintWhole(chart, nullptr);
    QImage image(size * 2, QImage::Format_RGB32);
    image.setDevicePixelRatio(2);
    image.fill(Qt::white);
    image.setText(QStringLiteral("Title"), chart.exportTitle());
    image.setText(QStringLiteral("Description"), footOf(chart));
    QPainter painter(&image);
    paintWhole(chart, &painter);
    painter.end();
    return image;
}

std::optional<QString> exportChart(const Exportable& chart, const QString& path)
{
    const QString suffix = QFileInfo(path).suffix().toLower();
    if (suffix == QLatin1String("png"))
        return writeWhole(asPng(chart), path);
    if (suffix == QLatin1String("svg"))
        return writeWhole(asSvg(chart), path);
    if (suffix == QLatin1String("pdf"))
        return writeWhole(asPdf(chart), path);
    if (suffix == QLatin1String("csv"))
        return writeWhole(asCsv(chart), path);
    return tr("Cannot tell the format of %1. End the name in .png, .svg, .pdf or .csv.").arg(path);
}

} // namespace keepset::ui
