#include "core/model/family.h"

#include <array>

namespace keepset::family {

namespace {

    constexpr std::array fields = { "activation", "alibi", "bias", "ffn_hidden_size", "hidden_size",
        "layer_norm_epsilon", "max_position_embeddings", "multi_query", "n_embed", "n_head", "n_head_kv", "n_layer",
        "new_decoder_architecture", "num_attention_heads", "num_hidden_layers", "num_kv_heads",
        "num_ln_in_parallel_attn", "parallel_attn", "rope_parameters", "rope_scaling", "rope_theta",
        "tie_word_embeddings", "vocab_size" };

    void name_weights(WeightNames& names)
    {
        names.prefix = "transformer.";
        names.embedding = "word_embeddings";
        names.final_norm = "ln_f";
        names.input_norm = "h.{}.input_layernorm";
        names.q = names.k = names.v = {};
        names.qkv = "h.{}.self_attention.query_key_value";
        names.qkv_rows = QkvRows::by_kv_head;
        names.output = "h.{}.self_attention.dense";
        names.up = "h.{}.mlp.dense_h_to_4h";
        names.down = "h.{}.mlp.dense_4h_to_h";
    }

    /// Which norms there are, and in which order attention and MLP are added.
    void read_block(const ConfigReader& reader, DecoderConfig& config, bool new_architecture)
    {
        const bool parallel = reader.flag("parallel_attn", true);
        const std::int64_t norms = reader.size("num_ln_in_parallel_attn", new_architecture ? 2 : 1);
        if (new_architecture && !parallel)
            reader.refuse_request("parallel_attn");
        if (norms > (new_architecture ? 2 : 1))
            reader.refuse_request("num_ln_in_parallel_attn");
        config.residual = parallel ? Residual::parallel : Residual::sequential;
        config.names.mlp_norm = parallel ? "" : "h.{}.post_attention_layernorm";
        if (norms == 2) {
            config.names.input_norm = "h.{}.ln_attn";
            config.names.mlp_norm = "h.{}.ln_mlp";
        }
    }

    DecoderConfig read(const ConfigReader& reader)
    {
        DecoderConfig config = read_plain_sizes(reader,
            { .vocabulary = 65024, .hidden = 4544, .layers = 32, .heads = 71 },
            { reader.spelling({ "num_hidden_layers", "n_layer" }), reader.spelling({ "num_attention_heads", "n_head" }),
                reader.spelling({ "n_embed", "hidden_size" }) });
        name_weights(config.names);
        const bool new_architecture = reader.flag("new_decoder_architecture");
        if (new_architecture) {
            config.kv_heads = reader.size(reader.spelling({ "num_kv_heads", "n_head_kv" }), config.heads);
        } else if (reader.flag("multi_query", true)) {
            config.kv_heads = 1;
            config.names.qkv_rows = QkvRows::blocks;
        }
        read_block(reader, config, new_architecture);
        config.intermediate_size = reader.size("ffn_hidden_size", 4 * config.hidden_size);
        config.max_context = reader.size("max_position_embeddings", 2048);
        config.activation = reader.activation("activation", "gelu");
        config.norm = NormKind::layer;
        config.norm_eps = reader.number("layer_norm_epsilon", 1e-5);
        config.gated_mlp = false;
        config.qkv_bias = config.output_bias = config.mlp_bias = reader.flag("bias");
        config.tied_embeddings = reader.flag("tie_word_embeddings", true);
        if (reader.flag("alibi")) {
            config.positions = PositionKind::alibi;
            config.alibi_bfloat16 = true;
            config.alibi_scale = config.per_layer.front().scale;
        } else {
            config.ropes = { read_rope(reader, config) };
        }
        return config;
    }

} // namespace

extern const Family falcon;
const Family falcon { "falcon", "FalconForCausalLM",
    "One kv head, a few, or as many as query heads; rotary positions or alibi rounded to bfloat16; attention and MLP "
    "added to the same input or one after the other.",
    fields, read };

} // namespace keepset::family
