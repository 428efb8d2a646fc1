#pragma once

#include "ui/token_document.h"

#include <QFont>
#include <QGlyphRun>
#include <QRectF>
#include <QTextLayout>

#include <memory>
#include <vector>

namespace keepset::ui {

/// What is drawn of one token on one line.
struct LaidPiece {
    std::int64_t token = 0;
    double left = 0; ///< px from the text's left edge
    double right = 0;
    double inkLeft = 0; ///< left without leading spaces
    QList<QGlyphRun> glyphs; ///< positions from the paragraph's origin
};

/// A document broken into lines of a width. Lines are shaped by Qt once; pieces of a line are made when first looked
/// at.
class TokenLayout {
public:
    TokenLayout(std::shared_ptr<const TokenDocument> document, const QFont& font, double width);
    ~TokenLayout();

    static constexpr double lineHeight = 24; ///< 14 px at 1.7
    static constexpr double margin = 3; ///< px left and right of the text, so that outlines are not cut
    int lines() const { return static_cast<int>(lines_.size()); }
    double height() const { return lines() * lineHeight; }
    double width() const { return width_; }
    /// Line at a height from the top, clamped.
    int lineAt(double y) const;
    /// First line of a token.
    int lineOf(std::int64_t token) const;
    const std::vector<LaidPiece>& pieces(int line) const;
    /// Origin of a line's glyphs.
    QPointF glyphOrigin(int line) const;
    double baseline(int line) const;
    /// Token at a point of the text; -1: none.
    std::int64_t tokenAt(const QPointF& point) const;
    /// Boxes of a token, one a line that it lies on.
    std::vector<QRectF> boxes(std::int64_t token) const;

private:
    struct Line {
        int paragraph = 0;
        int index = 0; ///< within the paragraph
        std::size_t firstPiece = 0; ///< of the document, that may lie on it
        mutable bool made = false;
        mutable std::vector<LaidPiece> pieces;
    };
    void layParagraph(int paragraph, const QFont& font);
    LaidPiece lay(const TokenPiece& piece, const QTextLine& textLine, const QString& text, bool lastLine) const;

    std::shared_ptr<const TokenDocument> document_;
    double width_;
    double ascent_ = 0;
    double padding_ = 0; ///< above a line's ascent
    std::vector<std::unique_ptr<QTextLayout>> layouts_; ///< by paragraph
    std::vector<int> firstLine_; ///< by paragraph
    std::vector<Line> lines_;
};

} // namespace keepset::ui
