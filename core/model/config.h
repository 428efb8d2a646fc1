#pragma once

#include "core/types.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace keepset {

/// How rotary frequencies are made. `linear` divides them by `factor`; `llama3` does so smoothly, for long wavelengths
/// only.
struct RopeConfig {
    enum class Kind : std::uint8_t { plain, linear, llama3 };
    Kind kind = Kind::plain;
    double theta = 10000;
    double factor = 1;
    double low_freq_factor = 1;
    double high_freq_factor = 4;
    double original_context = 0;
};

/// The one decoder, described: pre-norm blocks of grouped-query attention with rotary positions and a gated MLP.
/// A family is a function that fills this from its config.json.
struct DecoderConfig {
    std::string architecture;
    std::string model_type;
    std::int64_t layers = 0;
    std::int64_t heads = 0;
    std::int64_t kv_heads = 0;
    std::int64_t head_dim = 0;
    std::int64_t hidden_size = 0;
    std::int64_t intermediate_size = 0;
    std::int64_t vocabulary = 0;
    std::int64_t max_context = 0;
    double rms_norm_eps = 1e-6;
    bool qkv_bias = false;
    bool output_bias = false; ///< of the attention's output projection
    bool mlp_bias = false;
    bool tied_embeddings = false;
    RopeConfig rope;
};

/// Reads and checks config.json of a folder. Throws Error{input}: missing, not JSON, unknown family (with the known
/// ones), a field that asks for something we do not compute (named), sizes that contradict one another.
DecoderConfig read_config(const std::filesystem::path& folder);

} // namespace keepset
