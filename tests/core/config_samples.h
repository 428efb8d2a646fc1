#pragma once

#include "core/error.h"
#include "core/model/config.h"
#include "core/tokens.h"

#include <nlohmann/json.hpp>

#include <QTemporaryDir>

#include <fstream>
#include <string>

/// config.json files for tests: small ones of a family, and what reading them says.
namespace keepset::samples {

using nlohmann::json;

/// A small model of a family that spells its sizes as Llama does, with some fields changed.
inline json small(const char* model_type, const json& changes = json::object())
{
    json config = { { "model_type", model_type }, { "hidden_size", 32 }, { "intermediate_size", 48 },
        { "num_hidden_layers", 4 }, { "num_attention_heads", 4 }, { "num_key_value_heads", 2 }, { "vocab_size", 257 },
        { "max_position_embeddings", 512 } };
    config.update(changes);
    return config;
}

inline DecoderConfig read_text(const std::string& text)
{
    const QTemporaryDir folder;
    const std::filesystem::path path = folder.path().toStdString();
    std::ofstream(path / "config.json", std::ios::binary) << text;
    return read_config(path);
}

inline DecoderConfig read(const json& config) { return read_text(config.dump()); }

/// "opens", or the sentence it is refused with, without the file's name. Anything but an input error fails a test that
/// compares.
inline std::string said_of_text(const std::string& text)
{
    try {
        read_text(text);
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::input)
            return "of another kind: " + error.sentence();
        const std::string begin = "config.json'";
        const std::string sentence = error.sentence();
        const std::size_t file = sentence.find(begin);
        if (file == std::string::npos)
            return "without its file: " + sentence;
        const std::string rest = sentence.substr(file + begin.size());
        return rest.substr(rest.find_first_not_of(": "));
    }
    return "opens";
}

inline std::string said_of(const json& config) { return said_of_text(config.dump()); }

} // namespace keepset::samples
