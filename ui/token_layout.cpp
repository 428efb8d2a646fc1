#include "ui/token_layout.h"

#include <QFontMetricsF>

#include <algorithm>
#include <cmath>

namespace keepset::ui {

namespace {

    constexpr double breakWidth = 7; // px of the mark for a token that is a line break

    /// x of a place that may lie between two units, on one line.
    double xAt(const QTextLine& line, double at)
    {
        const double low = std::floor(at);
        const double x = line.cursorToX(static_cast<int>(low));
        return at == low ? x : x + (at - low) * (line.cursorToX(static_cast<int>(low) + 1) - x);
    }

} // namespace

TokenLayout::TokenLayout(std::shared_ptr<const TokenDocument> document, const QFont& font, double width)
    : document_(std::move(document))
    , width_(std::max(width, 40.0))
{
    const QFontMetricsF metrics(font);
    ascent_ = metrics.ascent();
    padding_ = (lineHeight - metrics.ascent() - metrics.descent()) / 2;
    const auto count = static_cast<int>(document_->paragraphs().size());
    for (int paragraph = 0; paragraph < count; ++paragraph)
        layParagraph(paragraph, font);
    // Both are in the order of the text, so one walk finds where each line's pieces begin.
    std::size_t piece = 0;
    const auto& pieces = document_->pieces();
    for (Line& line : lines_) {
        const QTextLine textLine = layouts_[static_cast<std::size_t>(line.paragraph)]->lineAt(line.index);
        while (piece < pieces.size()
            && (pieces[piece].paragraph < line.paragraph
                || (pieces[piece].paragraph == line.paragraph && !pieces[piece].lineBreak
                    && pieces[piece].end <= textLine.textStart() && pieces[piece].end > pieces[piece].begin)))
            ++piece;
        line.firstPiece = piece;
    }
}

TokenLayout::~TokenLayout() = default;

void TokenLayout::layParagraph(int paragraph, const QFont& font)
{
    auto layout = std::make_unique<QTextLayout>(document_->paragraphs()[static_cast<std::size_t>(paragraph)], font);
    QTextOption option;
    option.setWrapMode(QTextOption::WrapAtWordBoundaryOrAnywhere);
    layout->setTextOption(option);
    layout->setCacheEnabled(true);
    firstLine_.push_back(static_cast<int>(lines_.size()));
    layout->beginLayout();
    int index = 0;
    for (QTextLine line = layout->createLine(); line.isValid(); line = layout->createLine()) {
        line.setLineWidth(width_);
        line.setPosition({ 0, index * lineHeight + padding_ });
        lines_.push_back({ paragraph, index, 0, false, {} });
        ++index;
    }
    if (index == 0) // an empty paragraph is a line too
        lines_.push_back({ paragraph, -1, 0, false, {} });
    layout->endLayout();
    layouts_.push_back(std::move(layout));
}

int TokenLayout::lineAt(double y) const
{
    return std::clamp(static_cast<int>(std::floor(y / lineHeight)), 0, std::max(0, lines() - 1));
}

int TokenLayout::lineOf(std::int64_t token) const
{
    const TokenPiece& piece = document_->pieces()[document_->firstPiece(token)];
    const auto paragraph = static_cast<std::size_t>(piece.paragraph);
    const QTextLine line = layouts_[paragraph]->lineForTextPosition(static_cast<int>(piece.begin));
    return firstLine_[paragraph] + (line.isValid() ? line.lineNumber() : 0);
}

LaidPiece TokenLayout::lay(const TokenPiece& piece, const QTextLine& textLine, const QString& text, bool lastLine) const
{
    LaidPiece laid;
    laid.token = piece.token;
    if (piece.lineBreak) {
        laid.left = laid.inkLeft = textLine.isValid() ? textLine.naturalTextWidth() + 2 : 0;
        laid.right = laid.left + breakWidth;
        return laid;
    }
    const double start = textLine.textStart();
    const double stop = start + textLine.textLength();
    const double begin = std::max(piece.begin, start);
    const double end = std::min(piece.end, stop);
    int ink = static_cast<int>(std::ceil(begin));
    while (ink < end && text[ink].isSpace())
        ++ink;
    const double a = xAt(textLine, begin);
    const double b = xAt(textLine, end);
    laid.left = std::min(a, b);
    laid.right = std::max(a, b);
    laid.inkLeft = a <= b && ink < end ? std::max(a, xAt(textLine, ink)) : laid.left;
    if (!lastLine && ink >= end && end == stop && piece.end > stop)
        laid.right = laid.left; // spaces that the break has swallowed
    const int from = static_cast<int>(std::ceil(begin));
    const int length = static_cast<int>(std::ceil(end)) - from;
    if (length > 0)
        laid.glyphs = textLine.glyphRuns(from, length);
    return laid;
}

const std::vector<LaidPiece>& TokenLayout::pieces(int index) const
{
    const Line& line = lines_[static_cast<std::size_t>(index)];
    if (line.made)
        return line.pieces;
    line.made = true;
    const auto paragraph = static_cast<std::size_t>(line.paragraph);
    const QTextLayout& layout = *layouts_[paragraph];
    const QTextLine textLine = line.index < 0 ? QTextLine() : layout.lineAt(line.index);
    const bool lastLine = line.index < 0 || line.index + 1 == layout.lineCount();
    const double start = textLine.isValid() ? textLine.textStart() : 0;
    const double stop = textLine.isValid() ? start + textLine.textLength() : 0;
    const auto& all = document_->pieces();
    for (std::size_t i = line.firstPiece; i < all.size() && all[i].paragraph == line.paragraph; ++i) {
        if (all[i].lineBreak ? !lastLine : all[i].begin >= stop && all[i].end > all[i].begin)
            break;
        const bool touches = all[i].lineBreak || (all[i].end > start && all[i].begin < stop);
        if (touches && (textLine.isValid() || all[i].lineBreak))
            line.pieces.push_back(lay(all[i], textLine, layout.text(), lastLine));
    }
    return line.pieces;
}

QPointF TokenLayout::glyphOrigin(int line) const
{
    return { 0, firstLine_[static_cast<std::size_t>(lines_[static_cast<std::size_t>(line)].paragraph)] * lineHeight };
}

double TokenLayout::baseline(int line) const { return line * lineHeight + padding_ + ascent_; }

std::int64_t TokenLayout::tokenAt(const QPointF& point) const
{
    if (lines() == 0 || point.y() < 0 || point.y() >= height())
        return -1;
    for (const LaidPiece& piece : pieces(lineAt(point.y()))) {
        if (point.x() >= piece.left && point.x() < piece.right)
            return piece.token;
    }
    return -1;
}

std::vector<QRectF> TokenLayout::boxes(std::int64_t token) const
{
    std::vector<QRectF> result;
    for (int line = lineOf(token); line < lines(); ++line) {
        bool found = false;
        for (const LaidPiece& piece : pieces(line)) {
            if (piece.token != token)
                continue;
            found = true;
            if (piece.right > piece.left)
                result.emplace_back(piece.inkLeft, line * lineHeight + 2, piece.right - piece.inkLeft, lineHeight - 3);
        }
        if (!found && !result.empty())
            break;
        if (!found && line > lineOf(token) + 1)
            break;
    }
    return result;
}

} // namespace keepset::ui
