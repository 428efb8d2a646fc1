#pragma once

#include "core/tokenizer/added_tokens.h"
#include "core/tokenizer/bpe.h"
#include "core/tokenizer/normalizer.h"
#include "core/tokenizer/pre_tokenizer.h"

#include <filesystem>
#include <optional>
#include <vector>

namespace keepset {

/// What a tokenizer.json says, as far as it bears on ids.
struct TokenizerFile {
    std::vector<NormalForm> normal_forms; ///< applied in this order
    std::vector<SplitStep> steps; ///< of pre-tokenisation
    BpeFile model;
    std::vector<AddedToken> added_tokens; ///< special ones first, then in the order of the file
    std::optional<std::int32_t> bos; ///< the post-processor puts it in front
};

/// Reads a byte-level BPE tokenizer.json. Throws Error{input} with file, field and value for everything that Keepset
/// does not do as the tokenizers library does (nothing is ignored, except truncation, padding and decoder: they bear on
/// no id).
TokenizerFile read_tokenizer_file(const std::filesystem::path& path);

} // namespace keepset
