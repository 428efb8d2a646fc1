#include "core/model/family.h"

#include <array>

namespace keepset::family {

namespace {

    constexpr std::array fields = { "attention_bias", "hidden_act", "hidden_size", "intermediate_size",
        "layer_norm_eps", "max_position_embeddings", "num_attention_heads", "num_hidden_layers",
        "partial_rotary_factor", "rope_parameters", "rope_scaling", "rope_theta", "rotary_emb_base", "rotary_pct",
        "tie_word_embeddings", "use_parallel_residual", "vocab_size" };

    void name_weights(WeightNames& names)
    {
        names.prefix = "gpt_neox.";
        names.embedding = "embed_in";
        names.final_norm = "final_layer_norm";
        names.head = "lm_head|embed_out";
        names.q = names.k = names.v = {};
        names.qkv = "layers.{}.attention.query_key_value";
        names.qkv_rows = QkvRows::by_kv_head;
        names.output = "layers.{}.attention.dense";
        names.up = "layers.{}.mlp.dense_h_to_4h";
        names.down = "layers.{}.mlp.dense_4h_to_h";
    }

    DecoderConfig read(const ConfigReader& reader)
    {
        DecoderConfig config
            = read_plain_sizes(reader, { .vocabulary = 50432, .hidden = 6144, .layers = 44, .heads = 64 });
        config.intermediate_size = reader.size("intermediate_size", 24576);
        config.max_context = reader.size("max_position_embeddings", 2048);
        config.activation = reader.activation("hidden_act", "gelu");
        config.norm = NormKind::layer;
        config.norm_eps = reader.number("layer_norm_eps", 1e-5);
        config.residual = reader.flag("use_parallel_residual", true) ? Residual::parallel : Residual::sequential;
        config.gated_mlp = false;
        config.qkv_bias = config.output_bias = reader.flag("attention_bias", true);
        config.mlp_bias = true;
        config.tied_embeddings = reader.flag("tie_word_embeddings");
        config.ropes = { read_rope(reader, config,
            { .theta_field = reader.spelling({ "rotary_emb_base", "rope_theta" }),
                .partial = 0.25,
                .partial_field = reader.spelling({ "rotary_pct", "partial_rotary_factor" }) }) };
        name_weights(config.names);
        return config;
    }

} // namespace

extern const Family gpt_neox;
const Family gpt_neox { "gpt_neox", "GPTNeoXForCausalLM",
    "Pythia and GPT-NeoX: a share of every head is rotated, attention and MLP are added to the same input, LayerNorm.",
    fields, read };

} // namespace keepset::family
