#include "ui/token_document.h"

#include <QStringList>

#include <algorithm>
#include <cmath>

namespace keepset::ui {

namespace {

    int sequenceLength(unsigned char lead)
    {
        return lead < 0x80 ? 1 : lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
    }

    /// Appends UTF-8 to `text` and where each byte begins, in UTF-16 units, to `at` (bytes + 1 entries in the end).
    void decode(const std::string& bytes, QString& text, std::vector<double>& at)
    {
        for (std::size_t i = 0; i < bytes.size();) {
            const auto length = std::min<std::size_t>(
                static_cast<std::size_t>(sequenceLength(static_cast<unsigned char>(bytes[i]))), bytes.size() - i);
            const QString piece = QString::fromUtf8(bytes.data() + i, static_cast<qsizetype>(length));
            for (std::size_t k = 0; k < length; ++k) {
                const double share = static_cast<double>(k) / static_cast<double>(length);
                at.push_back(static_cast<double>(text.size()) + share * static_cast<double>(piece.size()));
            }
            text += piece;
            i += length;
        }
        at.push_back(static_cast<double>(text.size()));
    }

    /// True where the bytes of the analysis are those that its tokens' ranges speak of.
    bool rangesFit(const Analysis& analysis)
    {
        const Token& first = analysis.tokens.front();
        const Token& last = analysis.tokens.back();
        return static_cast<std::int64_t>(analysis.text.size()) == last.byte_end - first.byte_begin;
    }

    /// Signs that have no place on a line of text.
    QString drawable(QString text)
    {
        for (QChar& c : text) {
            if (c == QLatin1Char('\r') || c == QChar::LineSeparator || c == QChar::ParagraphSeparator)
                c = QLatin1Char(' ');
        }
        return text;
    }

} // namespace

TokenDocument::TokenDocument(const Analysis& analysis)
{
    std::vector<std::pair<double, double>> ranges; // (tokens)
    if (!analysis.tokens.empty() && rangesFit(analysis)) {
        const std::int64_t base = analysis.tokens.front().byte_begin;
        if (analysis.bos)
            text_ = QString::fromStdString(analysis.tokens.front().text);
        const auto prefix = static_cast<double>(text_.size());
        std::vector<double> at; // (bytes + 1)
        decode(analysis.text, text_, at);
        for (const Token& token : analysis.tokens)
            ranges.emplace_back(at[static_cast<std::size_t>(token.byte_begin - base)],
                at[static_cast<std::size_t>(token.byte_end - base)]);
        if (analysis.bos)
            ranges.front() = { 0, prefix };
    } else { // a file without the text: the tokens one behind the other
        for (const Token& token : analysis.tokens) {
            const auto begin = static_cast<double>(text_.size());
            text_ += QString::fromStdString(token.text);
            ranges.emplace_back(begin, static_cast<double>(text_.size()));
        }
    }
    paragraphStart_.push_back(0);
    for (int i = 0; i < text_.size(); ++i) {
        if (text_[i] == QLatin1Char('\n'))
            paragraphStart_.push_back(i + 1);
    }
    for (const QString& paragraph : text_.split(QLatin1Char('\n')))
        paragraphs_.push_back(drawable(paragraph));
    for (std::size_t i = 0; i < ranges.size(); ++i)
        addToken(static_cast<std::int64_t>(i), ranges[i].first, ranges[i].second);
    firstPiece_.push_back(pieces_.size());
}

void TokenDocument::addToken(std::int64_t token, double begin, double end)
{
    firstPiece_.push_back(pieces_.size());
    begins_.push_back(begin);
    while (atParagraph_ + 1 < paragraphStart_.size() && paragraphStart_[atParagraph_ + 1] <= begin)
        ++atParagraph_;
    for (std::size_t p = atParagraph_;; ++p) {
        const double start = paragraphStart_[p];
        const double stop = start + static_cast<double>(paragraphs_[p].size());
        const bool breaks = end > stop && p + 1 < paragraphs_.size();
        const bool hasText = std::min(end, stop) > std::max(begin, start);
        if (hasText || (!breaks && pieces_.size() == firstPiece_.back()))
            pieces_.push_back({ token, static_cast<int>(p), std::max(begin, start) - start,
                std::max(std::min(end, stop), begin) - start, false });
        if (!breaks)
            return;
        pieces_.push_back({ token, static_cast<int>(p), stop - start, stop - start, true });
        if (end <= paragraphStart_[p + 1])
            return;
    }
}

int TokenDocument::begin(std::int64_t token) const
{
    return static_cast<int>(std::floor(begins_[static_cast<std::size_t>(token)]));
}

int TokenDocument::end(std::int64_t token) const
{
    return token + 1 < tokens() ? begin(token + 1) : static_cast<int>(text_.size());
}

std::int64_t TokenDocument::tokenAt(int place) const
{
    if (place < 0 || place >= text_.size())
        return -1;
    const auto after = std::upper_bound(begins_.begin(), begins_.end(), static_cast<double>(place));
    return std::max<std::int64_t>(after - begins_.begin() - 1, 0);
}

std::vector<int> TokenDocument::placesOf(const QString& query) const
{
    std::vector<int> places;
    if (query.isEmpty() || begins_.empty())
        return places;
    const bool word = query.size() > 1 && query.front().isSpace();
    for (auto at = text_.indexOf(query, 0, Qt::CaseInsensitive); at >= 0;
         at = text_.indexOf(query, at + query.size(), Qt::CaseInsensitive)) {
        auto place = at;
        while (word && place + 1 < text_.size() && text_[place].isSpace())
            ++place; // the word's token, not the one that ends before the space
        places.push_back(static_cast<int>(place));
    }
    return places;
}

std::vector<std::int64_t> TokenDocument::matches(const QString& query) const
{
    std::vector<std::int64_t> found;
    for (const int place : placesOf(query)) {
        const std::int64_t token = tokenAt(place);
        if (found.empty() || found.back() != token)
            found.push_back(token);
    }
    return found;
}

std::vector<TextLine> TokenDocument::matchSpans(const QString& query) const
{
    std::vector<TextLine> spans;
    const auto behind = static_cast<int>(query.trimmed().isEmpty() ? query.size() : query.trimmed().size());
    for (const int place : placesOf(query)) {
        const std::int64_t begin = tokenAt(place);
        const std::int64_t end = tokenAt(std::min(place + behind, static_cast<int>(text_.size())) - 1) + 1;
        if (!spans.empty() && spans.back().end >= begin)
            spans.back().end = std::max(end, spans.back().end);
        else
            spans.push_back({ begin, end });
    }
    return spans;
}

} // namespace keepset::ui
