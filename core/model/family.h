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
    DecoderConfig (*read)(const ConfigReader& reader); ///< the fields are known ones by then
};

/// All families, in the order of the manual.
std::span<const Family* const> families();

/// What a family takes where config.json is silent.
struct SizeDefaults {
    std::int64_t kv_heads = 0; ///< 0: as many as heads; a null in the file always means that
    std::int64_t head_dim = 0; ///< 0: hidden_size / heads
    std::int64_t max_context = 2048;
    double norm_eps = 1e-6;
    bool tied_embeddings = false;
    const char* activation = "silu";
};
/// Sizes, RMS norm epsilon, activation and tied embeddings as Llama spells them; layers as set_layers makes them.
DecoderConfig read_llama_sizes(const ConfigReader& reader, const SizeDefaults& defaults = {});
/// Layers, heads, hidden size (under these names), vocabulary; head_dim = hidden_size / heads, which must divide it.
DecoderConfig read_plain_sizes(
    const ConfigReader& reader, const std::string& layers, const std::string& heads, const std::string& hidden);
/// Every layer alike: scaled by 1 / sqrt(head_dim), no window, the first rope.
void set_layers(DecoderConfig& config);
/// num_key_value_heads.
std::int64_t read_kv_heads(const ConfigReader& reader, std::int64_t heads, std::int64_t otherwise);

/// The window of every layer: sliding_window where layer_types says so or, without layer_types, where `sliding`
/// (layers) does. A sliding layer needs sliding_window.
void read_windows(const ConfigReader& reader, DecoderConfig& config, const std::vector<bool>& sliding);
/// sliding_window on all layers, where it is not null.
void read_one_window(const ConfigReader& reader, DecoderConfig& config);

/// How a family spells its rotary positions.
struct RopeDefaults {
    double theta = 10000;
    const char* theta_field = "rope_theta";
    double partial = 1; ///< share of head_dim that is rotated
    const char* partial_field = nullptr; ///< nullptr: all of it always is
};
/// rope_scaling, or else rope_parameters, or else the fields beside them. `config` has head_dim and max_context.
RopeConfig read_rope(const ConfigReader& reader, const DecoderConfig& config, const RopeDefaults& defaults = {});
/// The object that those fields hold; `plain` is what it adds to.
RopeConfig read_rope_object(const ConfigReader& rope, const DecoderConfig& config, RopeConfig plain,
    const RopeDefaults& defaults, double original_context);

} // namespace keepset
