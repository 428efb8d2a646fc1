#include "core/text_lines.h"

#include "core/error.h"

#include <unicode/brkiter.h>
#include <unicode/locid.h>
#include <unicode/utext.h>

#include <algorithm>
#include <cassert>
#include <memory>
#include <string_view>

namespace keepset {

namespace {

    bool is_space(char byte) { return byte == ' ' || (byte >= '\t' && byte <= '\r'); }

    /// The text that the tokens tile, and where in it each begins to say something.
    struct Places {
        std::string text;
        std::vector<std::size_t> at; ///< (tokens): ascending
    };

    Places places_of(const Analysis& analysis)
    {
        const std::vector<Token>& tokens = analysis.tokens;
        const std::int64_t base = tokens.empty() ? 0 : tokens.front().byte_begin;
        const bool whole
            = !tokens.empty() && static_cast<std::int64_t>(analysis.text.size()) == tokens.back().byte_end - base;
        Places places;
        if (whole)
            places.text = analysis.text;
        places.at.reserve(tokens.size());
        for (const Token& token : tokens) { // of a file without its text: one behind the other
            std::size_t at = whole ? static_cast<std::size_t>(token.byte_begin - base) : places.text.size();
            if (!whole)
                places.text += token.text;
            const std::size_t begin = at;
            const std::size_t end = whole ? static_cast<std::size_t>(token.byte_end - base) : places.text.size();
            while (at < end && is_space(places.text[at]))
                ++at;
            places.at.push_back(at < end ? at : begin);
        }
        return places;
    }

    /// Where the sentences of a text end: bytes, ascending, the last is the text's end.
    class Sentences {
    public:
        std::vector<std::size_t> ends(std::string_view text)
        {
            UErrorCode status = U_ZERO_ERROR;
            if (!iterator_)
                iterator_.reset(icu::BreakIterator::createSentenceInstance(icu::Locale::getRoot(), status));
            const std::unique_ptr<UText, UText* (*)(UText*)> bytes(
                utext_openUTF8(nullptr, text.data(), static_cast<std::int64_t>(text.size()), &status), utext_close);
            if (U_SUCCESS(status))
                iterator_->setText(bytes.get(), status);
            if (U_FAILURE(status))
                throw Error(ErrorKind::internal, std::string("ICU finds no sentences: ") + u_errorName(status));
            std::vector<std::size_t> found;
            iterator_->first();
            for (auto end = iterator_->next(); end != icu::BreakIterator::DONE; end = iterator_->next())
                found.push_back(static_cast<std::size_t>(end));
            return found;
        }

    private:
        std::unique_ptr<icu::BreakIterator> iterator_; ///< made where the first long line is met
    };

    bool blank(std::string_view text) { return std::ranges::all_of(text, is_space); }

} // namespace

std::vector<TextLine> text_lines(const Analysis& analysis, std::int64_t longest)
{
    assert(longest > 0);
    const Places places = places_of(analysis);
    const std::string_view text = places.text;
    const auto tokens = static_cast<std::int64_t>(places.at.size());
    std::vector<TextLine> lines;
    std::int64_t next = 0; // the first token that is in no line yet
    const auto before = [&](std::size_t byte) {
        return std::ranges::lower_bound(places.at.begin() + next, places.at.end(), byte) - places.at.begin();
    };
    const auto add = [&](std::int64_t end) {
        for (; next < end; next = std::min(end, next + longest))
            lines.push_back({ next, std::min(end, next + longest) });
    };
    Sentences sentences;
    for (std::size_t begin = 0; begin < text.size() && next < tokens;) {
        const std::size_t found = text.find('\n', begin);
        const std::size_t end = found == std::string_view::npos ? text.size() : found + 1;
        const std::string_view line = text.substr(begin, end - begin);
        const std::int64_t last = end == text.size() ? tokens : before(end);
        if (blank(line) && !lines.empty()) {
            lines.back().end = next = last;
        } else if (last - next <= longest) {
            add(last);
        } else {
            for (const std::size_t stop : sentences.ends(line))
                add(begin + stop == end ? last : before(begin + stop));
        }
        begin = end;
    }
    add(tokens); // tokens without any text
    return lines;
}

std::vector<double> line_means(std::span<const TextLine> lines, std::span<const float> scores)
{
    std::vector<double> means;
    means.reserve(lines.size());
    for (const TextLine& line : lines) {
        double sum = 0;
        for (std::int64_t i = line.begin; i < line.end; ++i)
            sum += static_cast<double>(scores[static_cast<std::size_t>(i)]);
        means.push_back(sum / static_cast<double>(line.end - line.begin));
    }
    return means;
}

std::vector<LabelShares> line_shares(std::span<const TextLine> lines, std::span<const Label> labels)
{
    std::vector<LabelShares> shares;
    shares.reserve(lines.size());
    for (const TextLine& line : lines) {
        LabelShares counts {};
        for (std::int64_t i = line.begin; i < line.end; ++i)
            ++counts[static_cast<std::size_t>(labels[static_cast<std::size_t>(i)])];
        for (double& count : counts)
            count /= static_cast<double>(line.end - line.begin);
        shares.push_back(counts);
    }
    return shares;
}

} // namespace keepset
