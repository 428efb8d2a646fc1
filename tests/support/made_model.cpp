#include "tests/support/made_model.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

namespace made {

namespace {

    namespace fs = std::filesystem;
    using nlohmann::json;

    fs::path tiny() { return fs::path(KEEPSET_SOURCE_DIR) / "tests/reference/golden/gqa7"; }

    std::string read(const fs::path& file)
    {
        std::ifstream stream(file, std::ios::binary);
        return { std::istreambuf_iterator<char>(stream), {} };
    }

    void write_header(std::ofstream& stream, const json& header)
    {
        std::string text = header.dump();
        text.append((8 - text.size() % 8) % 8, ' ');
        const std::uint64_t bytes = text.size();
        stream.write(reinterpret_cast<const char*>(&bytes), sizeof bytes);
        stream << text;
    }

    using Tensors = std::vector<std::pair<std::string, std::vector<std::int64_t>>>;

    Tensors tensors_of(const Sizes& sizes)
    {
        const std::int64_t head_dim = sizes.hidden / sizes.heads;
        const std::int64_t keys = sizes.kv_heads * head_dim;
        Tensors tensors { { "model.embed_tokens.weight", { 257, sizes.hidden } },
            { "model.norm.weight", { sizes.hidden } } };
        for (std::int64_t layer = 0; layer < sizes.layers; ++layer) {
            const std::string name = "model.layers." + std::to_string(layer) + ".";
            tensors.insert(tensors.end(),
                { { name + "input_layernorm.weight", { sizes.hidden } },
                    { name + "post_attention_layernorm.weight", { sizes.hidden } },
                    { name + "self_attn.q_proj.weight", { sizes.hidden, sizes.hidden } },
                    { name + "self_attn.k_proj.weight", { keys, sizes.hidden } },
                    { name + "self_attn.v_proj.weight", { keys, sizes.hidden } },
                    { name + "self_attn.o_proj.weight", { sizes.hidden, sizes.hidden } },
                    { name + "mlp.gate_proj.weight", { sizes.intermediate, sizes.hidden } },
                    { name + "mlp.up_proj.weight", { sizes.intermediate, sizes.hidden } },
                    { name + "mlp.down_proj.weight", { sizes.hidden, sizes.intermediate } } });
        }
        return tensors;
    }

    void copy_tokenizer(const fs::path& folder)
    {
        fs::create_directories(folder);
        fs::copy_file(tiny() / "tokenizer.json", folder / "tokenizer.json");
    }

} // namespace

void random_model(const fs::path& folder, const Sizes& sizes)
{
    copy_tokenizer(folder);
    json config = json::parse(read(tiny() / "config.json"));
    config.update({ { "hidden_size", sizes.hidden }, { "intermediate_size", sizes.intermediate },
        { "num_hidden_layers", sizes.layers }, { "max_position_embeddings", sizes.max_context },
        { "num_attention_heads", sizes.heads }, { "num_key_value_heads", sizes.kv_heads },
        { "head_dim", sizes.hidden / sizes.heads } });
    std::ofstream(folder / "config.json") << config.dump(2);
    const Tensors tensors = tensors_of(sizes);
    json header;
    std::uint64_t end = 0;
    for (const auto& [name, shape] : tensors) {
        std::uint64_t bytes = sizeof(float);
        for (const std::int64_t size : shape)
            bytes *= static_cast<std::uint64_t>(size);
        header[name] = { { "dtype", "F32" }, { "shape", shape }, { "data_offsets", { end, end + bytes } } };
        end += bytes;
    }
    std::ofstream stream(folder / "model.safetensors", std::ios::binary);
    write_header(stream, header);
    std::uint32_t state = 1;
    std::vector<float> values(1 << 16);
    for (std::uint64_t left = end / sizeof(float); left > 0;) {
        for (float& value : values) {
            state = state * 1664525U + 1013904223U;
            value = (static_cast<float>(state >> 8U) / (1U << 24U) - 0.5F) * 0.1F;
        }
        const std::uint64_t count = std::min<std::uint64_t>(left, values.size());
        stream.write(reinterpret_cast<const char*>(values.data()), static_cast<std::streamsize>(count * sizeof(float)));
        left -= count;
    }
}

void padded_model(const fs::path& folder, std::uint64_t bytes)
{
    copy_tokenizer(folder);
    fs::copy_file(tiny() / "config.json", folder / "config.json");
    const std::string file = read(tiny() / "model.safetensors");
    std::uint64_t header_bytes = 0;
    std::memcpy(&header_bytes, file.data(), sizeof header_bytes);
    json header = json::parse(file.substr(sizeof header_bytes, header_bytes));
    const std::string data = file.substr(sizeof header_bytes + header_bytes);
    header["padding"]
        = { { "dtype", "F64" }, { "shape", { bytes / 8 } }, { "data_offsets", { data.size(), data.size() + bytes } } };
    std::ofstream stream(folder / "model.safetensors", std::ios::binary);
    write_header(stream, header);
    stream << data;
    const auto here = static_cast<std::uint64_t>(stream.tellp());
    stream.close();
    fs::resize_file(folder / "model.safetensors", here + bytes);
}

} // namespace made
