#pragma once

#include "core/model/config.h"
#include "core/model/config_reader.h"

#include <cstdint>
#include <span>
#include <vector>

/// What a family is, and what most of them share. A new family is a file in families/, its two lines in families.cpp
/// and a row in the tests.
namespace keepset {

/// One line of the family table.
struct Family {
    const char* model_type; ///< config.json's
    const char* architecture; ///< assumed where config.json names none
    const char* sentence; ///< for the manual: what is computed, beginning with a capital
    std::span<const char* const> fields; ///< of config.json that are honoured
    DecoderConfig (*read)(const ConfigReader& reader); ///< fields that are not honoured are looked at afterwards
};

/// All families, in the order of the manual.
std::span<const Family* const> families();

/// What a family takes where config.json is silent, as its configuration class in transformers does.
struct SizeDefaults {
    std::int64_t vocabulary = 32000;
    std::int64_t hidden = 4096;
    std::int64_t intermediate = 11008;
    std::int64_t layers = 32;
    std::int64_t heads = 32;
    std::int64_t kv_heads = 0; ///< 0: as many as heads; a null in the file always means that
    std::int64_t head_dim = 0; ///< 0: hidden_size / heads
    std::int64_t max_context = 2048;
    double norm_eps = 1e-6;
    bool tied_embeddings = false;
    const char* activation = "silu";
};
/// Sizes, RMS norm epsilon, activation and tied embeddings as Llama spells them; layers as set_layers makes them.
DecoderConfig read_llama_sizes(const ConfigReader& reader, const SizeDefaults& defaults = {});
/// How a family names its plainest sizes.
struct SizeNames {
    std::string layers = "num_hidden_layers";
    std::string heads = "num_attention_heads";
    std::string hidden = "hidden_size";
};
/// Layers, heads, hidden size, vocabulary; head_dim = hidden_size / heads, which must divide it. Of `defaults` only
/// these count.
DecoderConfig read_plain_sizes(const ConfigReader& reader, const SizeDefaults& defaults, const SizeNames& names = {});
/// Every layer alike: scaled by 1 / sqrt(head_dim), no window, the first rope.
void set_layers(DecoderConfig& config);
/// num_key_value_heads.
std::int64_t read_kv_heads(const ConfigReader& reader, std::int64_t heads, std::int64_t otherwise);

/// The window of every layer: sliding_window where layer_types says so or, without layer_types, where `sliding`
/// (layers) does. A sliding layer needs sliding_window, which is `otherwise` where the file does not have it (0: none).
void read_windows(
    const ConfigReader& reader, DecoderConfig& config, const std::vector<bool>& sliding, std::int64_t otherwise = 0);
/// sliding_window on all layers, where it is not null.
void read_one_window(const ConfigReader& reader, DecoderConfig& config, std::int64_t otherwise = 0);
/// Refuses sliding layers of layer_types that use_sliding_window switches off.
void refuse_unused_windows(const ConfigReader& reader, const DecoderConfig& config);

/// Qwen's windows: on the layers from max_window_layers on, where use_sliding_window switches them on.
void read_upper_windows(const ConfigReader& reader, DecoderConfig& config);
/// What Gemma 2 and 3 share: sizes, activation, scaled embeddings, norms and their names, the scale of scores.
DecoderConfig read_later_gemma(const ConfigReader& reader, std::int64_t vocabulary, std::int64_t max_context);
/// A soft cap: `otherwise` where the field is missing, none (0) where it is null.
double read_softcap(const ConfigReader& reader, const std::string& name, double otherwise);

/// How a family spells its rotary positions.
struct RopeDefaults {
    double theta = 10000;
    std::string theta_field = "rope_theta";
    double partial = 1; ///< share of head_dim that is rotated
    std::string partial_field = {}; ///< empty: all of it always is
    double original_context = 0; ///< where original_max_position_embeddings is missing; 0: max_position_embeddings
};
/// rope_scaling, or else rope_parameters, or else the fields beside them. `config` has head_dim and max_context.
RopeConfig read_rope(const ConfigReader& reader, const DecoderConfig& config, const RopeDefaults& defaults = {});
/// The object that those fields hold; `plain` is what it adds to.
RopeConfig read_rope_object(const ConfigReader& rope, const DecoderConfig& config, RopeConfig plain,
    const RopeDefaults& defaults, double original_context);

} // namespace keepset
