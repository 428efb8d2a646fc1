#pragma once

#include "core/model_info.h"
#include "core/tokenizer/tokenizer.h"
#include "core/tokens.h"

#include <cstdint>
#include <string>
#include <vector>

/// A tokenizer may know tokens for which the model's embedding has no row: Gemma 3's is published so, and fine-tunes
/// add a padding token. The model opens; a text that yields such a token is refused.
namespace keepset {

/// Puts what is to be said about the tokenizer behind the model's other notes, such tokens among it.
void add_tokenizer_notes(ModelInfo& info, const Tokenizer& tokenizer);

/// Throws Error{input} naming the first of the tokens whose id is not below `rows`; `text` is the text's name.
void refuse_tokens_without_row(const std::vector<Token>& tokens, std::int64_t rows, const std::string& text);

} // namespace keepset
