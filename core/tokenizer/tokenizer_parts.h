#pragma once

#include "core/tokenizer/json_place.h"
#include "core/tokenizer/tokenizer_file.h"

#include <vector>

namespace keepset {

/// How deep a Sequence may stand in Sequences.
constexpr int deepest_sequence = 16;

/// Parts of tokenizer.json. Each throws Error{input} with file, field and value for what Keepset does not read.
std::vector<NormalizerStep> read_normalizer(const JsonPlace& place);
std::vector<PreTokenizerStep> read_pre_tokenizer(const JsonPlace& place);
ModelFile read_model(const JsonPlace& place);
/// {"String": …} or {"Regex": …}, not empty.
SplitPattern read_pattern(const JsonPlace& place);
/// What the post-processor puts before a text and behind it.
Specials read_specials(const JsonPlace& place);

} // namespace keepset
