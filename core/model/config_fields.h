#pragma once

#include "core/model/config.h"
#include "core/model/config_reader.h"

#include <span>

/// Fields of config.json that a family does not honour. Each has values that change nothing; any other value is refused
/// by name, because the numbers might be wrong.
namespace keepset {

/// Refuses fields that are neither in `honoured` nor bookkeeping and whose value changes what is computed or may do so:
/// `config` is what was read, so that a field that says the same again (use_qk_norm: true where there is such a norm)
/// changes nothing. Throws Error{input} naming the field, and whether it asks for something known or is unknown.
void refuse_other_fields(
    const ConfigReader& reader, const DecoderConfig& config, std::span<const char* const> honoured);

/// Refuses, of the fields beside a language model that is a part of the file, those that concern it all the same:
/// attention in both directions.
void refuse_fields_beside(const ConfigReader& whole);

} // namespace keepset
