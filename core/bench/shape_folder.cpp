#include "core/bench.h"
#include "core/error.h"
#include "core/words.h"

#include <nlohmann/json.hpp>

#include <array>
#include <bit>
#include <cmath>
#include <fstream>
#include <random>
#include <unistd.h>

namespace keepset {

namespace {

    namespace fs = std::filesystem;
    using nlohmann::json;

    struct Sizes {
        const char* name;
        const char* model_type;
        const char* architecture;
        std::int64_t layers;
        std::int64_t hidden;
        std::int64_t intermediate;
        std::int64_t heads;
        std::int64_t kv_heads;
        std::int64_t head_dim;
        std::int64_t vocabulary;
        std::int64_t experts; ///< 0: one MLP
    };

    constexpr std::array<Sizes, 6> all_sizes { {
        { "smollm2-135m", "llama", "LlamaForCausalLM", 30, 576, 1536, 9, 3, 64, 49152, 0 },
        { "qwen2-0.5b", "qwen2", "Qwen2ForCausalLM", 24, 896, 4864, 14, 2, 64, 151936, 0 },
        { "llama-3.2-1b", "llama", "LlamaForCausalLM", 16, 2048, 8192, 32, 8, 64, 128256, 0 },
        { "gemma2-2b", "gemma2", "Gemma2ForCausalLM", 26, 2304, 9216, 8, 4, 256, 256000, 0 },
        { "gemma2-2b-plain", "gemma2", "Gemma2ForCausalLM", 26, 2304, 9216, 8, 4, 256, 256000, 0 },
        { "mixtral-tiny", "mixtral", "MixtralForCausalLM", 12, 1024, 3584, 16, 4, 64, 32000, 8 },
    } };

    const Sizes& sizes_of(const std::string& shape)
    {
        std::vector<std::string> names;
        for (const Sizes& sizes : all_sizes) {
            if (shape == sizes.name)
                return sizes;
            names.emplace_back(sizes.name);
        }
        throw Error(ErrorKind::usage, "There is no shape '" + shape + "'.", "Known: " + joined(names) + ".");
    }

    json config_of(const Sizes& s)
    {
        json config { { "architectures", { s.architecture } }, { "model_type", s.model_type },
            { "hidden_size", s.hidden }, { "intermediate_size", s.intermediate }, { "num_hidden_layers", s.layers },
            { "num_attention_heads", s.heads }, { "num_key_value_heads", s.kv_heads }, { "vocab_size", s.vocabulary },
            { "max_position_embeddings", 32768 }, { "rms_norm_eps", 1e-6 }, { "hidden_act", "silu" },
            { "tie_word_embeddings", true }, { "torch_dtype", "bfloat16" }, { "rope_theta", 10000.0 } };
        if (s.model_type == std::string("gemma2"))
            config.update({ { "head_dim", s.head_dim }, { "sliding_window", 4096 }, { "attn_logit_softcapping", 50.0 },
                { "final_logit_softcapping", 30.0 }, { "query_pre_attn_scalar", s.head_dim },
                { "hidden_act", "gelu_pytorch_tanh" }, { "hidden_activation", "gelu_pytorch_tanh" },
                { "max_position_embeddings", 8192 } });
        if (s.name == std::string("gemma2-2b-plain"))
            config.update({ { "sliding_window", 32768 }, { "max_position_embeddings", 32768 },
                { "attn_logit_softcapping", nullptr }, { "final_logit_softcapping", nullptr } });
        if (s.experts > 0)
            config.update({ { "num_local_experts", s.experts }, { "num_experts_per_tok", 2 } });
        return config;
    }

    struct Tensor {
        std::string name;
        std::vector<std::int64_t> shape;
    };

    std::vector<Tensor> mlp_of(const Sizes& s, const std::string& layer)
    {
        const std::vector<std::int64_t> up { s.intermediate, s.hidden };
        const std::vector<std::int64_t> down { s.hidden, s.intermediate };
        if (s.experts == 0)
            return { { layer + "mlp.gate_proj.weight", up }, { layer + "mlp.up_proj.weight", up },
                { layer + "mlp.down_proj.weight", down } };
        std::vector<Tensor> tensors { { layer + "block_sparse_moe.gate.weight", { s.experts, s.hidden } } };
        for (std::int64_t expert = 0; expert < s.experts; ++expert) {
            const std::string name = layer + "block_sparse_moe.experts." + std::to_string(expert) + ".";
            tensors.insert(tensors.end(),
                { { name + "w1.weight", up }, { name + "w3.weight", up }, { name + "w2.weight", down } });
        }
        return tensors;
    }

    std::vector<Tensor> tensors_of(const Sizes& s)
    {
        std::vector<Tensor> tensors { { "model.embed_tokens.weight", { s.vocabulary, s.hidden } },
            { "model.norm.weight", { s.hidden } } };
        std::vector<std::string> norms { "input_layernorm", "post_attention_layernorm" };
        if (s.model_type == std::string("gemma2"))
            norms.insert(norms.end(), { "pre_feedforward_layernorm", "post_feedforward_layernorm" });
        const std::int64_t queries = s.heads * s.head_dim;
        const std::int64_t keys = s.kv_heads * s.head_dim;
        for (std::int64_t index = 0; index < s.layers; ++index) {
            const std::string layer = "model.layers." + std::to_string(index) + ".";
            for (const std::string& norm : norms)
                tensors.push_back({ layer + norm + ".weight", { s.hidden } });
            tensors.push_back({ layer + "self_attn.o_proj.weight", { s.hidden, queries } });
            for (const auto& [part, rows] : { std::pair("q", queries), std::pair("k", keys), std::pair("v", keys) }) {
                const std::string name = layer + "self_attn." + part + "_proj.";
                tensors.push_back({ name + "weight", { rows, s.hidden } });
                if (s.model_type == std::string("qwen2"))
                    tensors.push_back({ name + "bias", { rows } });
            }
            const std::vector<Tensor> mlp = mlp_of(s, layer);
            tensors.insert(tensors.end(), mlp.begin(), mlp.end());
        }
        return tensors;
    }

    std::uint16_t bfloat16(float value)
    {
        return static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(value) >> 16U);
    }

    /// Numbers of standard deviation 1 that begin anew after a prime number of them, so that no two rows are alike.
    std::vector<float> normal_numbers()
    {
        constexpr std::size_t count = 1000003;
        std::mt19937 random(1);
        std::normal_distribution<float> distribution;
        std::vector<float> numbers(count);
        for (float& number : numbers)
            number = distribution(random);
        return numbers;
    }

    /// Norms are 1 (Gemma's, which add 1, 0) and biases 0; a matrix keeps the size of what it multiplies.
    void write_tensor(std::ofstream& stream, const Tensor& tensor, bool norm_adds_one,
        const std::vector<float>& numbers, std::size_t& at)
    {
        const bool vector = tensor.shape.size() == 1;
        const bool ones = vector && tensor.name.ends_with("norm.weight") && !norm_adds_one;
        const float scale = vector ? 0 : 1 / std::sqrt(static_cast<float>(tensor.shape.back()));
        std::size_t left = 1;
        for (const std::int64_t size : tensor.shape)
            left *= static_cast<std::size_t>(size);
        std::vector<std::uint16_t> part;
        while (left > 0) {
            part.resize(std::min<std::size_t>(left, std::size_t { 1 } << 16U));
            for (std::uint16_t& value : part) {
                value = bfloat16(ones ? 1 : scale * numbers[at]);
                at = at + 1 == numbers.size() ? 0 : at + 1;
            }
            stream.write(reinterpret_cast<const char*>(part.data()),
                static_cast<std::streamsize>(part.size() * sizeof(std::uint16_t)));
            left -= part.size();
        }
    }

    void write_weights(const fs::path& file, const Sizes& sizes)
    {
        const std::vector<Tensor> tensors = tensors_of(sizes);
        json header;
        std::int64_t end = 0;
        for (const Tensor& tensor : tensors) {
            std::int64_t bytes = sizeof(std::uint16_t);
            for (const std::int64_t size : tensor.shape)
                bytes *= size;
            header[tensor.name]
                = { { "dtype", "BF16" }, { "shape", tensor.shape }, { "data_offsets", { end, end + bytes } } };
            end += bytes;
        }
        std::string text = header.dump();
        text.append((8 - text.size() % 8) % 8, ' ');
        const std::uint64_t header_bytes = text.size();
        std::ofstream stream(file, std::ios::binary);
        stream.write(reinterpret_cast<const char*>(&header_bytes), sizeof header_bytes);
        stream << text;
        const std::vector<float> numbers = normal_numbers();
        std::size_t at = 0;
        // In the order of the offsets above.
        for (const Tensor& tensor : tensors)
            write_tensor(stream, tensor, sizes.model_type == std::string("gemma2"), numbers, at);
        stream.flush();
        if (!stream)
            throw Error(ErrorKind::input,
                "'" + file.string() + "' could not be written: " + std::to_string(end / 1000000)
                    + " MB are needed there.",
                "Set TMPDIR to a folder with room.");
    }

    /// A byte-level tokenizer of one token a byte.
    json tokenizer()
    {
        json vocabulary;
        int next = 256;
        for (int byte = 0; byte < 256; ++byte) {
            const bool visible = (byte >= 33 && byte <= 126) || (byte >= 161 && byte != 173);
            const int point = visible ? byte : next++;
            std::string character;
            if (point < 128) {
                character += static_cast<char>(point);
            } else {
                character += static_cast<char>(0xC0 | point >> 6);
                character += static_cast<char>(0x80 | (point & 0x3F));
            }
            vocabulary[character] = byte;
        }
        const json bytes { { "type", "ByteLevel" }, { "add_prefix_space", false }, { "trim_offsets", true },
            { "use_regex", true } };
        return { { "version", "1.0" }, { "truncation", nullptr }, { "padding", nullptr },
            { "added_tokens", json::array() }, { "normalizer", nullptr }, { "pre_tokenizer", bytes },
            { "post_processor", nullptr }, { "decoder", bytes },
            { "model",
                { { "type", "BPE" }, { "dropout", nullptr }, { "unk_token", nullptr },
                    { "continuing_subword_prefix", nullptr }, { "end_of_word_suffix", nullptr }, { "fuse_unk", false },
                    { "byte_fallback", false }, { "vocab", vocabulary }, { "merges", json::array() } } } };
    }

} // namespace

ShapeFolder::ShapeFolder(const std::string& shape)
    : folder_(fs::temp_directory_path() / ("keepset-" + std::to_string(::getpid())) / sizes_of(shape).name)
{
}

void ShapeFolder::fill() const
{
    const Sizes& sizes = sizes_of(folder_.filename().string());
    fs::create_directories(folder_);
    std::ofstream(folder_ / "config.json") << config_of(sizes).dump(2);
    std::ofstream(folder_ / "tokenizer.json") << tokenizer().dump();
    write_weights(folder_ / "model.safetensors", sizes);
}

ShapeFolder::~ShapeFolder() { remove(); }

void ShapeFolder::remove() const
{
    std::error_code ignored;
    fs::remove_all(folder_.parent_path(), ignored);
}

} // namespace keepset
