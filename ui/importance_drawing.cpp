#include "core/analysis.h"
#include "ui/csv.h"
#include "ui/importance_strip.h"
#include "ui/plot/keep_marks.h"
#include "ui/range_state.h"
#include "ui/theme.h"

#include <QGraphicsLayout>
#include <QPainter>

// What a chart lacks, and exports.
namespace keepset::ui {

namespace {

    constexpr double nameGap = 6; ///< px between names and bars

} // namespace

void ImportanceStrip::drawForeground(QPainter* painter, const QRectF&)
{
    if (scores_.empty())
        return;
    const Theme& colors = themeOf(palette());
    painter->setFont(interfaceFont(11));
    for (int row = 0; row < 2; ++row) {
        const auto& selection = rows_[static_cast<std::size_t>(row)];
        if (!selection)
            continue;
        const QRectF rect = rowRect(row);
        plot::paintKeepMarks(*painter, rect, { selection->labels, pins_ }, range_, colors.dark);
        painter->setPen(colors.muted);
        painter->drawText(QRectF(0, rect.top() - 3, rect.left() - nameGap, rect.height() + 6),
            Qt::AlignRight | Qt::AlignVCenter,
            QFontMetricsF(painter->font())
                .elidedText(QString::fromStdString(selection->title), Qt::ElideRight, rect.left() - nameGap - 2));
    }
    paintBeyond(*painter);
    if (hovered_ != current_)
        paintMarker(*painter, hovered_, colors.muted);
    paintMarker(*painter, current_, colors.ink);
    if (hasFocus())
        paintFocusRing(*painter, viewport()->rect(), colors);
}

/// A tick at the edge that a score lies beyond.
void ImportanceStrip::paintBeyond(QPainter& painter) const
{
    constexpr double length = 5;
    const QRectF plot = chart()->plotArea();
    painter.setPen(QPen(themeOf(palette()).fail, 1.6));
    for (const bool above : { false, true }) {
        const double edge = above ? plot.top() : plot.bottom();
        for (const double position : beyond_[above ? 1 : 0])
            painter.drawLine(
                QPointF(xOf(position), edge), QPointF(xOf(position), above ? edge - length : edge + length));
    }
}

void ImportanceStrip::paintMarker(QPainter& painter, std::int64_t token, const QColor& color) const
{
    const double x = xOf(static_cast<double>(token) + 0.5);
    const QRectF plot = chart()->plotArea();
    if (token < 0 || token >= static_cast<std::int64_t>(scores_.size()) || x < plot.left() || x > plot.right())
        return;
    painter.setPen(QPen(color, 1));
    painter.drawLine(QPointF(x, plot.top()), QPointF(x, plot.bottom()));
    painter.drawLine(QPointF(x, rowRect(0).top()), QPointF(x, rowRect(1).bottom()));
    painter.setBrush(themeOf(palette()).panel);
    painter.setPen(QPen(color, 2));
    painter.drawEllipse(QPointF(x, yOf(scores_[static_cast<std::size_t>(token)])), 3.5, 3.5);
}

// ---- exports ---------------------------------------------------------------------------------------------------

QString ImportanceStrip::exportSubtitle() const
{
    const QString scale = scaleWords(tr("log"), locked_, beyond());
    return rows_[0] || rows_[1] ? tr("%1 · by token position · bars: share kept of the tokens under a pixel").arg(scale)
                                : tr("%1 · by token position").arg(scale);
}

void ImportanceStrip::paintExport(QPainter& painter, QRectF canvas) const
{
    ImportanceStrip paper; // the same chart on paper
    QPalette palette;
    palette.setColor(QPalette::Window, Qt::white);
    paper.setPalette(palette);
    paper.restyle();
    paper.resize(canvas.size().toSize());
    paper.locked_ = locked_;
    paper.setScores(scores_);
    paper.rows_ = rows_;
    paper.pins_ = pins_;
    paper.range_ = range_;
    paper.layOut(paper.size());
    paper.chart()->layout()->activate();
    paper.setSceneRect(QRectF(QPointF(0, 0), paper.size()));
    paper.render(&painter, canvas, QRect(QPoint(0, 0), paper.size()));
}

QString ImportanceStrip::exportCsv() const
{
    const bool named = analysis_ && analysis_->tokens.size() == scores_.size();
    QString text = named ? QStringLiteral("position,token,importance") : QStringLiteral("position,importance");
    for (const auto& row : rows_) {
        if (row)
            text += QLatin1Char(',') + csvField(QString::fromStdString(row->policy));
    }
    text += QStringLiteral("\r\n");
    for (std::size_t i = 0; i < scores_.size(); ++i) {
        text += QString::number(i) + QLatin1Char(',');
        if (named)
            text += csvField(QString::fromStdString(analysis_->tokens[i].text)) + QLatin1Char(',');
        text += csvNumber(scores_[i]);
        for (const auto& row : rows_) {
            if (row && i < row->labels.size())
                text += QLatin1Char(',') + QString::fromStdString(name_of(row->labels[i]));
        }
        text += QStringLiteral("\r\n");
    }
    return text;
}

} // namespace keepset::ui
