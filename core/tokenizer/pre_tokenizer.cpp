#include "core/tokenizer/pre_tokenizer.h"

#include "core/error.h"
#include "core/types.h"

#include <unicode/uchar.h>

#include <algorithm>
#include <string_view>

namespace keepset {

// Source: the GPT-2 release's encoder.py; the tokenizers library cuts by the same.
const char* const byte_level_pattern = R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

namespace {

    struct Span {
        std::int32_t begin = 0;
        std::int32_t end = 0;
        bool match = false;
    };

    [[noreturn]] void refuse_pattern(const std::string& pattern, const std::string& problem)
    {
        throw Error(ErrorKind::input, "the pattern '" + pattern + "' " + problem);
    }

    /// The library reads patterns as Ruby does, ICU as Java does. What the two read differently is refused, not
    /// guessed.
    void check_dialect(const std::string& pattern)
    {
        constexpr std::string_view different = "hHKyYONRXZG";
        for (std::size_t i = 0; i + 1 < pattern.size(); ++i) {
            if (pattern[i] == '\\') {
                ++i;
                if (different.find(pattern[i]) != std::string_view::npos)
                    refuse_pattern(pattern, std::string("uses \\") + pattern[i] + ", which Keepset does not read.");
            } else if (pattern[i] == '(' && pattern[i + 1] == '?') {
                for (std::size_t flag = i + 2; flag < pattern.size() && u_isalpha(pattern[flag]) != 0; ++flag) {
                    if (pattern[flag] != 'i')
                        refuse_pattern(
                            pattern, std::string("sets the flag ") + pattern[flag] + ", which Keepset does not read.");
                }
            }
        }
    }

    /// End of the character class or escape that begins at `begin`; `begin` where another thing does.
    std::size_t class_end(const std::string& pattern, std::size_t begin)
    {
        std::size_t at = begin;
        int depth = 0;
        do {
            if (pattern[at] == '[')
                ++depth;
            else if (pattern[at] == ']')
                --depth;
            else if (pattern[at] == '\\')
                ++at;
            else if (depth == 0)
                return begin;
            ++at;
        } while (depth > 0 && at < pattern.size());
        const bool property
            = at < pattern.size() && pattern[at] == '{' && (pattern[at - 1] == 'p' || pattern[at - 1] == 'P');
        if (depth == 0 && pattern[begin] == '\\' && property)
            at = pattern.find('}', at) + 1;
        return depth == 0 && at <= pattern.size() && at > begin ? at : begin;
    }

    /// x+ as xx* for classes, and \s as [\s]: the same, but ICU 72 runs only [x]* in constant space, the others with an
    /// entry on its stack a character, so that a megabyte of letters or spaces would overflow it.
    std::string without_plus(const std::string& pattern)
    {
        std::string rewritten;
        const auto is = [&](std::size_t at, char character) { return at < pattern.size() && pattern[at] == character; };
        for (std::size_t at = 0; at < pattern.size();) {
            const std::size_t end = pattern[at] == '[' || pattern[at] == '\\' ? class_end(pattern, at) : at;
            if (end == at) {
                rewritten += pattern[at++];
                continue;
            }
            std::string one = pattern.substr(at, end - at);
            at = end;
            const bool repeated = is(at, '+') || is(at, '*');
            if (repeated && one.size() == 2 && std::string_view("sSdDwW").find(one[1]) != std::string_view::npos)
                one = "[" + one + "]";
            if (!is(at, '+') || is(at + 1, '?')) {
                rewritten += one;
            } else if (is(at + 1, '+')) { // possessive
                rewritten += "(?>" + one + one + "*)";
                at += 2;
            } else {
                rewritten += one + one + "*";
                at += 1;
            }
        }
        return rewritten;
    }

    std::shared_ptr<const icu::RegexPattern> compile(const SplitStep& step)
    {
        const bool literal = step.kind == SplitStep::Kind::literal;
        if (!literal)
            check_dialect(step.pattern);
        // As in Ruby, ^ and $ are those of a line, and a line ends with \n only.
        const std::uint32_t flags = literal ? UREGEX_LITERAL : UREGEX_MULTILINE | UREGEX_UNIX_LINES;
        UErrorCode status = U_ZERO_ERROR;
        UParseError place {};
        const std::string text = literal ? step.pattern : without_plus(step.pattern);
        std::shared_ptr<const icu::RegexPattern> pattern(
            icu::RegexPattern::compile(icu::UnicodeString::fromUTF8(text), flags, place, status));
        if (U_FAILURE(status))
            refuse_pattern(
                step.pattern, std::string("cannot be read as a regular expression (") + u_errorName(status) + ").");
        return pattern;
    }

    void push_span(
        std::vector<Span>& spans, std::int32_t begin, std::int32_t end, bool match, const std::stop_token& stop)
    {
        constexpr std::size_t between_looks = 4096;
        if (spans.size() % between_looks == 0 && stop.stop_requested())
            throw Cancelled {};
        spans.push_back({ begin, end, match });
    }

    /// Matches and what lies between them, over [begin, end) of the matcher's text.
    void find_pattern(icu::RegexMatcher& matcher, std::int32_t begin, std::int32_t end, std::vector<Span>& spans,
        const std::stop_token& stop)
    {
        UErrorCode status = U_ZERO_ERROR;
        matcher.region(begin, end, status);
        std::int32_t done = begin;
        while (U_SUCCESS(status) && matcher.find(status)) {
            const std::int32_t from = matcher.start(status);
            const std::int32_t to = matcher.end(status);
            if (done < from)
                push_span(spans, done, from, false, stop);
            push_span(spans, from, to, true, stop);
            done = to;
        }
        if (U_FAILURE(status))
            throw Error(ErrorKind::input,
                std::string("the pre-tokenizer's pattern cannot be run on this text (") + u_errorName(status) + ").",
                "Take a shorter text.");
        if (done < end)
            push_span(spans, done, end, false, stop);
    }

    bool is_numeric(UChar32 character)
    {
        return (U_GET_GC_MASK(character) & (U_GC_ND_MASK | U_GC_NL_MASK | U_GC_NO_MASK)) != 0;
    }

    void find_digits(const icu::UnicodeString& text, std::int32_t begin, std::int32_t end, std::vector<Span>& spans,
        const std::stop_token& stop)
    {
        std::int32_t done = begin;
        for (std::int32_t at = begin; at < end;) {
            const std::int32_t next = text.moveIndex32(at, 1);
            if (is_numeric(text.char32At(at))) {
                if (done < at)
                    push_span(spans, done, at, false, stop);
                push_span(spans, at, next, true, stop);
                done = next;
            }
            at = next;
        }
        if (done < end)
            push_span(spans, done, end, false, stop);
    }

    /// Neighbours are joined as the behaviour says; removed ones go. In place.
    void behave(std::vector<Span>& spans, SplitBehavior behavior)
    {
        if (behavior == SplitBehavior::isolated)
            return;
        if (behavior == SplitBehavior::removed) {
            std::erase_if(spans, [](const Span& span) { return span.match; });
            return;
        }
        if (behavior == SplitBehavior::merged_with_next)
            std::reverse(spans.begin(), spans.end());
        std::vector<Span> joined;
        bool previous_match = false;
        for (const Span& span : spans) {
            const bool join
                = behavior == SplitBehavior::contiguous ? span.match == previous_match : span.match && !previous_match;
            if (join && !joined.empty()) {
                joined.back().begin = std::min(joined.back().begin, span.begin);
                joined.back().end = std::max(joined.back().end, span.end);
            } else {
                joined.push_back(span);
            }
            previous_match = span.match;
        }
        if (behavior == SplitBehavior::merged_with_next)
            std::reverse(joined.begin(), joined.end());
        spans = std::move(joined);
    }

    /// Runs one step over the pieces of a text.
    class StepRun {
    public:
        StepRun(const SplitStep& step, const icu::RegexPattern* pattern, const icu::UnicodeString& text,
            const std::stop_token& stop)
            : step_(step)
            , text_(text)
            , stop_(stop)
        {
            UErrorCode status = U_ZERO_ERROR;
            if (pattern != nullptr)
                matcher_.reset(pattern->matcher(text, status));
            if (U_FAILURE(status))
                throw Error(
                    ErrorKind::memory, std::string("no regular expression matcher: ") + u_errorName(status) + ".");
        }

        void run(const Piece& piece, std::vector<Piece>& out)
        {
            const bool add_space = step_.prefix_space && !piece.prefix_space && text_.charAt(piece.begin) != u' ';
            if (step_.kind == SplitStep::Kind::whole) {
                out.push_back({ piece.begin, piece.end, piece.prefix_space || add_space });
            } else if (add_space || piece.prefix_space) {
                run_with_space(piece, out);
            } else {
                find(text_, piece.begin, piece.end);
                for (const Span& span : spans_)
                    push(out, { span.begin, span.end, false });
            }
        }

    private:
        /// The pattern sees the space, so that it has to stand in a text: a copy of the piece.
        void run_with_space(const Piece& piece, std::vector<Piece>& out)
        {
            icu::UnicodeString spaced(u' ');
            spaced.append(text_, piece.begin, piece.end - piece.begin);
            if (matcher_)
                matcher_->reset(spaced);
            find(spaced, 0, spaced.length());
            const std::int32_t shift = piece.begin - 1;
            for (const Span& span : spans_)
                push(out,
                    { std::max(span.begin + shift, piece.begin), span.end + shift, span.begin == 0 && span.end > 0 });
            if (matcher_)
                matcher_->reset(text_);
        }

        void find(const icu::UnicodeString& text, std::int32_t begin, std::int32_t end)
        {
            spans_.clear();
            if (matcher_)
                find_pattern(*matcher_, begin, end, spans_, stop_);
            else
                find_digits(text, begin, end, spans_, stop_);
            if (step_.invert) {
                for (Span& span : spans_)
                    span.match = !span.match;
            }
            behave(spans_, step_.behavior);
        }

        static void push(std::vector<Piece>& out, const Piece& piece)
        {
            if (piece.begin < piece.end || piece.prefix_space)
                out.push_back(piece);
        }

        const SplitStep& step_;
        const icu::UnicodeString& text_;
        const std::stop_token& stop_;
        std::unique_ptr<icu::RegexMatcher> matcher_;
        std::vector<Span> spans_;
    };

} // namespace

PreTokenizer::PreTokenizer(const std::vector<SplitStep>& steps)
{
    for (const SplitStep& step : steps) {
        const bool has_pattern = step.kind == SplitStep::Kind::regex || step.kind == SplitStep::Kind::literal;
        steps_.push_back({ step, has_pattern ? compile(step) : nullptr });
    }
}

std::vector<Piece> PreTokenizer::split(const icu::UnicodeString& text, const std::stop_token& stop) const
{
    std::vector<Piece> pieces;
    if (!text.isEmpty())
        pieces.push_back({ 0, text.length(), false });
    for (const Step& step : steps_) {
        std::vector<Piece> next;
        StepRun run(step.step, step.pattern.get(), text, stop);
        for (const Piece& piece : pieces)
            run.run(piece, next);
        pieces = std::move(next);
    }
    return pieces;
}

} // namespace keepset
