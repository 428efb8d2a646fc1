#include "core/tokenizer/word_level.h"

#include "core/error.h"

namespace keepset {

void WordLevel::encode(std::string_view word, std::vector<WordToken>& out, const std::stop_token& /*stop*/) const
{
    constexpr std::size_t longest_shown = 40;
    const auto found = vocabulary.find(word);
    if (found == vocabulary.end() && !unknown)
        throw Error(ErrorKind::input,
            "the tokenizer has no token for '" + std::string(word.substr(0, longest_shown))
                + "', and none that stands for unknown words.",
            "Take a text in words that the model knows.");
    out.push_back({ found == vocabulary.end() ? *unknown : found->second, 0, static_cast<std::int32_t>(word.size()) });
}

} // namespace keepset
