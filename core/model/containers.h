#pragma once

#include "core/model/config_reader.h"

#include <nlohmann/json.hpp>

#include <optional>
#include <string>

/// Folders whose config.json describes a language model beside parts for pictures or sound. Given text alone, such a
/// model is its language model, and that is what is opened.
namespace keepset {

struct LanguagePart {
    nlohmann::json fields; ///< as if the language model had a config.json of its own
    std::string prefix; ///< of the fields' names in the file: "text_config.", or empty where they stand at its top
    std::string note; ///< what is left out, a sentence
    bool tied_embeddings = true; ///< the file's word, or what transformers takes where it is silent
};

/// The language model of such a file; nothing where the file is no such file. Throws Error{input} where its language
/// model is not a decoder of text alone.
std::optional<LanguagePart> language_part(const ConfigReader& whole);

} // namespace keepset
