#include "core/tokenizer/pre_tokenizer.h"

#include "core/error.h"
#include "core/tokenizer/unicode_classes.h"
#include "core/tokenizer/utf8.h"

namespace keepset {

namespace {

    std::size_t index_of(std::int64_t offset) { return static_cast<std::size_t>(offset); }

    /// What the steps work on.
    struct Work {
        AlignedText& text;
        std::int64_t source_begin;
        std::vector<Piece>& pieces;
        const std::stop_token& stop;
        StopLook look;
    };

    /// Cuts every piece into the spans that `find(piece, spans)` gives.
    template <typename Find> void cut(Work& work, SplitBehavior behavior, Find find)
    {
        std::vector<Piece> cut_pieces;
        Spans spans;
        for (const Piece& piece : work.pieces) {
            work.look.step();
            if (piece.id >= 0) {
                cut_pieces.push_back(piece);
                continue;
            }
            spans.clear();
            find(piece, spans);
            behave(spans, behavior, work.look);
            for (const Span& span : spans) {
                work.look.step();
                if (span.begin < span.end)
                    cut_pieces.push_back({ span.begin, span.end });
            }
        }
        work.pieces = std::move(cut_pieces);
    }

    /// Every match is a word and nothing lies between.
    void cut_by_known(Work& work, KnownPattern pattern)
    {
        std::vector<Piece> words;
        for (const Piece& piece : work.pieces) {
            work.look.step();
            if (piece.id >= 0) {
                words.push_back(piece);
                continue;
            }
            const std::string_view text
                = work.text.utf8().substr(index_of(piece.begin), index_of(piece.end - piece.begin));
            constexpr std::size_t bytes_of_a_word = 4; // of English, about
            words.reserve(words.size() + text.size() / bytes_of_a_word);
            for (std::size_t at = 0; at < text.size();) {
                const std::size_t end = known_match_end(pattern, text, at, work.look);
                words.push_back(
                    { piece.begin + static_cast<std::int64_t>(at), piece.begin + static_cast<std::int64_t>(end) });
                at = end;
            }
        }
        work.pieces = std::move(words);
    }

    void take(Work& work, const SplitStep& step)
    {
        if (step.known && step.behavior == SplitBehavior::isolated)
            return cut_by_known(work, *step.known);
        PatternSearch search(step.pattern, work.text.utf8(), work.stop);
        cut(work, step.behavior, [&](const Piece& piece, Spans& spans) {
            search.find(piece.begin, piece.end, spans);
            for (Span& span : spans) {
                work.look.step();
                span.match = span.match != step.invert;
            }
        });
    }

    bool is_match(ClassStep::Kind kind, char32_t character)
    {
        switch (kind) {
        case ClassStep::Kind::digits:
            return is_numeric(character);
        case ClassStep::Kind::punctuation:
            return is_punctuation(character);
        case ClassStep::Kind::white_space:
        case ClassStep::Kind::words:
            break;
        }
        return is_white_space(character);
    }

    /// Matches are single characters; between them lie runs, which for words end where word characters begin or end.
    void take(Work& work, const ClassStep& step)
    {
        const std::string_view text = work.text.utf8();
        const bool words = step.kind == ClassStep::Kind::words;
        cut(work, step.behavior, [&](const Piece& piece, Spans& spans) {
            std::int64_t done = piece.begin;
            bool word = false;
            const auto push = [&](std::int64_t end, bool match) {
                if (done < end)
                    spans.push_back({ done, end, match });
                done = end;
            };
            for (std::size_t at = index_of(piece.begin); at < index_of(piece.end);) {
                work.look.step();
                const auto begin = static_cast<std::int64_t>(at);
                const char32_t character = next_character(text, at);
                if (is_match(step.kind, character)) {
                    push(begin, false);
                    push(static_cast<std::int64_t>(at), true);
                } else if (words && word != is_word(character)) {
                    push(begin, false);
                    word = !word;
                }
            }
            push(piece.end, false);
        });
    }

    /// Rewrites every piece that is no added token by `rewrite(edit, piece)`, and moves all of them to the new offsets.
    template <typename Rewrite> void rewrite_pieces(Work& work, Rewrite rewrite)
    {
        TextEdit edit(work.text.utf8(), work.stop);
        for (Piece& piece : work.pieces) {
            edit.step();
            edit.copy_to(piece.begin);
            const std::int64_t begin = edit.size();
            if (piece.id < 0)
                rewrite(edit, piece);
            edit.copy_to(piece.end);
            piece = { begin, edit.size(), piece.id };
        }
        work.text.apply(std::move(edit));
    }

    void take(Work& work, const MetaspaceStep& step)
    {
        const std::string_view text = work.text.utf8();
        const auto prepends = [&](const Piece& piece) {
            const std::string_view rest = text.substr(index_of(piece.begin));
            if (rest.starts_with(' ') || rest.starts_with(step.replacement))
                return false;
            if (step.prepend == MetaspaceStep::Prepend::first)
                return work.source_begin + work.text.source_begin(piece.begin) == 0;
            return step.prepend == MetaspaceStep::Prepend::always;
        };
        rewrite_pieces(work, [&](TextEdit& edit, const Piece& piece) {
            if (prepends(piece))
                edit.replace(piece.begin, piece.begin, step.replacement);
            const std::string_view piece_text = text.substr(0, index_of(piece.end));
            for (std::size_t at = piece_text.find(' ', index_of(piece.begin)); at != std::string_view::npos;
                 at = piece_text.find(' ', at + 1)) {
                const auto begin = static_cast<std::int64_t>(at);
                edit.replace(begin, begin + 1, step.replacement);
            }
        });
        if (!step.split)
            return;
        const SplitPattern pattern = SplitPattern::literal(step.replacement);
        PatternSearch search(pattern, work.text.utf8(), work.stop);
        cut(work, SplitBehavior::merged_with_next,
            [&](const Piece& piece, Spans& spans) { search.find(piece.begin, piece.end, spans); });
    }

    void take(Work& work, const PrefixSpaceStep& /*step*/)
    {
        const std::string_view text = work.text.utf8();
        rewrite_pieces(work, [&](TextEdit& edit, const Piece& piece) {
            if (text[index_of(piece.begin)] != ' ')
                edit.replace(piece.begin, piece.begin, " ");
        });
    }

    void take(Work& work, const ByteLettersStep& /*step*/)
    {
        const std::string_view text = work.text.utf8();
        rewrite_pieces(work, [&](TextEdit& edit, const Piece& piece) {
            for (std::int64_t at = piece.begin; at < piece.end; ++at) {
                edit.step();
                const std::string_view letter = letter_of_byte(text[index_of(at)]);
                if (letter.size() > 1)
                    edit.replace(at, at + 1, letter);
            }
        });
    }

} // namespace

void PreTokenizer::run(
    AlignedText& text, std::int64_t source_begin, std::vector<Piece>& pieces, const std::stop_token& stop) const
{
    Work work { text, source_begin, pieces, stop, StopLook(stop) };
    for (const PreTokenizerStep& step : steps_) {
        work.look.look();
        std::visit([&](const auto& known) { take(work, known); }, step);
    }
}

} // namespace keepset
