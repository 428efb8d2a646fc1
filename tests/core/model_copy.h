#pragma once

#include "core/engine.h"
#include "tests/support/golden.h"

#include <nlohmann/json.hpp>

#include <QTemporaryDir>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>

/// Copies of golden model folders that a test damages or rewrites.
namespace keepset::copies {

using nlohmann::json;
namespace fs = std::filesystem;

inline const fs::path golden_root = fs::path(KEEPSET_SOURCE_DIR) / "tests/reference/golden";

inline void write_file(const fs::path& file, const std::string& bytes)
{
    std::ofstream(file, std::ios::binary) << bytes;
}

/// A safetensors file: its header, and behind it the data.
inline std::string packed(const std::string& header, const std::string& data)
{
    const std::uint64_t size = header.size();
    return std::string(reinterpret_cast<const char*>(&size), sizeof size) + header + data;
}

inline std::string packed(const std::map<std::string, golden::Tensor>& tensors)
{
    json header = json::object();
    std::string data;
    for (const auto& [name, tensor] : tensors) {
        header[name] = { { "dtype", tensor.dtype }, { "shape", tensor.shape },
            { "data_offsets", { data.size(), data.size() + tensor.bytes.size() } } };
        data += tensor.bytes;
    }
    std::string text = header.dump();
    text.resize((text.size() + 7) / 8 * 8, ' ');
    return packed(text, data);
}

/// A copy of a golden folder with one weight file: change config and tensors, then write().
class ModelCopy {
public:
    explicit ModelCopy(const char* name)
        : from_(golden_root / name)
        , config(json::parse(golden::read_bytes(from_ / "config.json")))
        , tensors(golden::read_tensors(from_ / "model.safetensors"))
        , folder(fs::path(place_.path().toStdString()) / "model")
    {
        fs::create_directory(folder);
        fs::copy_file(from_ / "tokenizer.json", folder / "tokenizer.json");
    }
    const fs::path& write()
    {
        write_file(folder / "config.json", config.dump());
        write_file(folder / "model.safetensors", packed(tensors));
        return folder;
    }
    Text text() const { return { "text", golden::read_bytes(from_ / "text.txt") }; }

private:
    QTemporaryDir place_;
    fs::path from_;

public:
    json config;
    std::map<std::string, golden::Tensor> tensors;
    fs::path folder;
};

inline ModelInfo open(Engine& engine, const fs::path& folder, const Task& task = {})
{
    return engine.open_model(folder, { .device = "cpu", .dtype = Dtype::float32, .threads = 1 }, task);
}

/// The sentence with which something is refused as bad input; what else happened, otherwise.
inline std::string refusal(const std::function<void()>& action)
{
    try {
        action();
    } catch (const Error& error) {
        return (error.kind() == ErrorKind::input ? "" : "not as bad input: ") + error.sentence();
    }
    return "(nothing is refused)";
}

inline std::string refusal_of(const fs::path& folder)
{
    return refusal([&] {
        Engine engine;
        open(engine, folder);
    });
}

inline bool has_note(const std::vector<std::string>& notes, const std::string& words)
{
    return std::ranges::any_of(notes, [&](const std::string& note) { return note.find(words) != std::string::npos; });
}

} // namespace keepset::copies

/// Fails the test unless a sentence has the words.
#define VERIFY_SAYS(sentence, words)                                                                                   \
    do {                                                                                                               \
        const std::string sentence_of_test = (sentence);                                                               \
        QVERIFY2(sentence_of_test.find(words) != std::string::npos, sentence_of_test.c_str());                         \
    } while (false)
