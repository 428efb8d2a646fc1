#include "core/tokenizer/token_rows.h"

#include "core/error.h"
#include "core/model_info.h"
#include "core/tokens.h"

#include <algorithm>

namespace keepset {

namespace {

    /// Empty: the model has a row for every token.
    std::string note_on_rows(const ModelInfo& info, const Tokenizer& tokenizer)
    {
        const std::int64_t beyond = info.tokens_known - info.vocabulary;
        if (beyond <= 0)
            return {};
        const std::string which = beyond == 1
            ? "1 token for which the model has no row: '"
                + tokenizer.token_text(static_cast<std::int32_t>(info.vocabulary)) + "', id "
                + std::to_string(info.vocabulary) + ". A text that yields it is refused."
            : std::to_string(beyond) + " tokens for which the model has no row: ids " + std::to_string(info.vocabulary)
                + " to " + std::to_string(info.tokens_known - 1) + ". A text that yields one of them is refused.";
        return "tokenizer.json knows " + which
            + (beyond > info.vocabulary / 10 ? " Does the tokenizer belong to this model?" : "");
    }

} // namespace

std::vector<std::int64_t> ids_of(const std::vector<Token>& tokens)
{
    std::vector<std::int64_t> ids;
    ids.reserve(tokens.size());
    for (const Token& token : tokens)
        ids.push_back(token.id);
    return ids;
}

void add_tokenizer_notes(ModelInfo& info, const Tokenizer& tokenizer)
{
    info.notes.insert(info.notes.end(), tokenizer.notes().begin(), tokenizer.notes().end());
    if (const std::string note = note_on_rows(info, tokenizer); !note.empty())
        info.notes.push_back(note);
}

void refuse_tokens_without_row(const std::vector<Token>& tokens, std::int64_t rows, const std::string& text)
{
    const auto found = std::ranges::find_if(tokens, [&](const Token& token) { return token.id >= rows; });
    if (found != tokens.end())
        throw Error(ErrorKind::input,
            "'" + text + "' holds the token '" + found->text + "' (id " + std::to_string(found->id) + ", at byte "
                + std::to_string(found->byte_begin) + "), for which the model has no row: its embedding has "
                + std::to_string(rows) + ".",
            "Take that token out of the text.");
}

} // namespace keepset
