#pragma once

#include "core/analysis.h"
#include "core/text_lines.h"

#include <QString>

#include <vector>

namespace keepset::ui {

/// A stretch of one token within one paragraph, in UTF-16 units of the paragraph's text. Tokens that are pieces of one
/// character share its width: begin and end may then lie between units.
struct TokenPiece {
    std::int64_t token = 0;
    int paragraph = 0;
    double begin = 0;
    double end = 0;
    bool lineBreak = false; ///< stands for the break behind the paragraph; has no width of its own
};

/// The text of an analysis as it flows: paragraphs at the original line breaks, and where in them each token lies.
/// Immutable once made; no fonts, no pixels.
class TokenDocument {
public:
    explicit TokenDocument(const Analysis& analysis);

    const std::vector<QString>& paragraphs() const { return paragraphs_; }
    /// By position in the text; every token has at least one.
    const std::vector<TokenPiece>& pieces() const { return pieces_; }
    /// Index of a token's first piece; (tokens + 1) entries.
    std::size_t firstPiece(std::int64_t token) const { return firstPiece_[static_cast<std::size_t>(token)]; }
    /// Everything, with line breaks.
    const QString& text() const { return text_; }
    /// Where a token begins in text(), and where the next one does.
    int begin(std::int64_t token) const;
    int end(std::int64_t token) const;
    /// The token at a place of text(); -1: beside it.
    std::int64_t tokenAt(int place) const;
    std::int64_t tokens() const { return static_cast<std::int64_t>(firstPiece_.size()) - 1; }
    /// Tokens whose text begins or holds the start of a match of `query`, capitals ignored; ascending, each once.
    std::vector<std::int64_t> matches(const QString& query) const;
    /// The tokens that hold each match of `query`; ascending, and those that share one or touch joined.
    std::vector<TextLine> matchSpans(const QString& query) const;

private:
    /// Places of text() where matches begin.
    std::vector<int> placesOf(const QString& query) const;
    void addToken(std::int64_t token, double begin, double end);

    QString text_; ///< everything, with line breaks
    std::vector<double> begins_; ///< (tokens): in units of text_
    std::vector<QString> paragraphs_;
    std::vector<int> paragraphStart_; ///< in units of text_
    std::vector<TokenPiece> pieces_;
    std::vector<std::size_t> firstPiece_;
    std::size_t atParagraph_ = 0;
};

} // namespace keepset::ui
