#include "ui/chart_export.h"

#include "ui/theme.h"

#include <QBuffer>
#include <QCoreApplication>
#include <QFileDialog>
#include <QFileInfo>
#include <QFontMetricsF>
#include <QImage>
#include <QPageSize>
#include <QPainter>
#include <QPdfWriter>
#include <QSaveFile>
#include <QSvgGenerator>

namespace keepset::ui {

namespace {

    constexpr double pixelsPerInch = 96;
    constexpr double pointsPerInch = 72;

    QString tr(const char* text) { return QCoreApplication::translate("ChartExport", text); }

    constexpr int footMargin = 12; ///< px left and right of the line under a picture

    /// The line under a picture, and the height that it needs there.
    QString footOf(const Exportable& chart)
    {
        const QString stale = staleWords(chart.shown());
        const QString line = lineOf(chart.shown());
        return stale.isEmpty() ? line : QStringLiteral("%1 (%2)").arg(line, stale);
    }

    int footHeight(const Exportable& chart)
    {
        const QString foot = footOf(chart);
        if (foot.isEmpty())
            return 0;
        const QRect room(0, 0, chart.exportSize().width() - 2 * footMargin, 1000);
        return QFontMetrics(interfaceFont(11)).boundingRect(room, Qt::TextWordWrap, foot).height() + 10;
    }

    QSize wholeSize(const Exportable& chart) { return chart.exportSize() + QSize(0, footHeight(chart)); }

    void paintWhole(const Exportable& chart, QPainter& painter)
    {
        const QSize size = chart.exportSize();
        chart.paintExport(painter, QRectF(QPointF(0, 0), size));
        painter.setFont(interfaceFont(11));
        painter.setPen(theme(false).muted);
        painter.drawText(QRect(footMargin, size.height(), size.width() - 2 * footMargin, footHeight(chart)),
            Qt::AlignLeft | Qt::AlignTop | Qt::TextWordWrap, footOf(chart));
    }

    QByteArray asPng(const Exportable& chart)
    {
        const QSize size = wholeSize(chart);
        QImage image(size * 2, QImage::Format_RGB32);
        image.setDevicePixelRatio(2);
        image.fill(Qt::white);
        image.setText(QStringLiteral("Title"), chart.exportName());
        image.setText(QStringLiteral("Description"), footOf(chart));
        QPainter painter(&image);
        paintWhole(chart, painter);
        painter.end();
        QBuffer buffer;
        buffer.open(QIODevice::WriteOnly);
        image.save(&buffer, "PNG");
        return buffer.data();
    }

    QByteArray asSvg(const Exportable& chart)
    {
        const QSize size = wholeSize(chart);
        QBuffer buffer;
        buffer.open(QIODevice::WriteOnly);
        QSvgGenerator svg;
        svg.setOutputDevice(&buffer);
        svg.setResolution(static_cast<int>(pixelsPerInch));
        svg.setSize(size);
        svg.setViewBox(QRect(QPoint(0, 0), size));
        svg.setTitle(chart.exportName());
        svg.setDescription(footOf(chart));
        QPainter painter(&svg);
        painter.fillRect(QRect(QPoint(0, 0), size), Qt::white);
        paintWhole(chart, painter);
        painter.end();
        return buffer.data();
    }

    QByteArray asPdf(const Exportable& chart)
    {
        const QSize size = wholeSize(chart);
        QBuffer buffer;
        buffer.open(QIODevice::WriteOnly);
        QPdfWriter pdf(&buffer);
        const QString foot = footOf(chart);
        pdf.setTitle(foot.isEmpty() ? chart.exportName() : QStringLiteral("%1: %2").arg(chart.exportName(), foot));
        pdf.setCreator(QStringLiteral("Keepset"));
        pdf.setResolution(static_cast<int>(pixelsPerInch * 10));
        const QSizeF points = QSizeF(size) * (pointsPerInch / pixelsPerInch);
        pdf.setPageSize(QPageSize(points, QPageSize::Point, QString(), QPageSize::ExactMatch));
        pdf.setPageMargins(QMarginsF());
        QPainter painter(&pdf);
        painter.setRenderHint(QPainter::LosslessImageRendering); // a heatmap's pixels are numbers
        painter.scale(10, 10);
        paintWhole(chart, painter);
        painter.end();
        return buffer.data();
    }

    std::optional<QString> write(const QByteArray& bytes, const QString& path)
    {
        QSaveFile file(path);
        const bool done = file.open(QIODevice::WriteOnly) && file.write(bytes) == bytes.size() && file.commit();
        if (done)
            return std::nullopt;
        return tr("Cannot write %1: %2. Choose another place.").arg(path, file.errorString());
    }

} // namespace

QRectF paintHeading(QPainter& painter, QRectF canvas, const QString& title, const QString& subtitle)
{
    const Theme& paper = theme(false);
    const auto write = [&](const QFont& font, const QColor& color, const QString& words) {
        const double height = words.isEmpty() ? 0 : QFontMetricsF(font).height();
        painter.setFont(font);
        painter.setPen(color);
        painter.drawText(QRectF(canvas.topLeft(), QSizeF(canvas.width(), height)), Qt::AlignLeft | Qt::AlignVCenter,
            QFontMetricsF(font).elidedText(words, Qt::ElideRight, canvas.width()));
        canvas.setTop(canvas.top() + height);
    };
    write(interfaceFont(15, true), paper.ink, title);
    write(interfaceFont(12), paper.muted, subtitle);
    return canvas.adjusted(0, 6, 0, 0);
}

std::optional<QString> exportChart(const Exportable& chart, const QString& path)
{
    const QString suffix = QFileInfo(path).suffix().toLower();
    if (suffix == QLatin1String("png"))
        return write(asPng(chart), path);
    if (suffix == QLatin1String("svg"))
        return write(asSvg(chart), path);
    if (suffix == QLatin1String("pdf"))
        return write(asPdf(chart), path);
    if (suffix == QLatin1String("csv"))
        return write(chart.exportCsv().toUtf8(), path);
    return tr("Cannot tell the format of %1. End the name in .png, .svg, .pdf or .csv.").arg(path);
}

ExportOutcome exportWithDialog(const Exportable& chart, QWidget* parent)
{
    QString filter;
    const QString filters = tr("Picture (*.png);;Vector graphics (*.svg);;PDF (*.pdf);;Table of the data (*.csv)");
    ExportOutcome outcome;
    outcome.path = QFileDialog::getSaveFileName(
        parent, tr("Export chart"), chart.exportName() + QStringLiteral(".png"), filters, &filter);
    if (outcome.path.isEmpty())
        return outcome;
    if (QFileInfo(outcome.path).suffix().isEmpty())
        outcome.path += filter.section(QStringLiteral("*"), 1).chopped(1);
    outcome.error = exportChart(chart, outcome.path);
    return outcome;
}

} // namespace keepset::ui
