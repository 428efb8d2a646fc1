#include "core/model/family.h"

#include <array>

namespace keepset::family {

namespace {

    constexpr std::array fields = { "_remove_final_layer_norm", "activation_function", "do_layer_norm_before",
        "enable_bias", "ffn_dim", "hidden_size", "layer_norm_elementwise_affine", "max_position_embeddings",
        "num_attention_heads", "num_hidden_layers", "tie_word_embeddings", "vocab_size", "word_embed_proj_dim" };

    void name_weights(WeightNames& names)
    {
        names.prefix = "model.decoder.";
        names.positions = "embed_positions";
        names.project_in = "project_in";
        names.project_out = "project_out";
        names.final_norm = "final_layer_norm";
        names.input_norm = "layers.{}.self_attn_layer_norm";
        names.mlp_norm = "layers.{}.final_layer_norm";
        names.output = "layers.{}.self_attn.out_proj";
        names.up = "layers.{}.fc1";
        names.down = "layers.{}.fc2";
    }

    DecoderConfig read(const ConfigReader& reader)
    {
        DecoderConfig config
            = read_plain_sizes(reader, { .vocabulary = 50272, .hidden = 768, .layers = 12, .heads = 12 });
        config.embedding_size = reader.size("word_embed_proj_dim", config.hidden_size);
        config.intermediate_size = reader.size("ffn_dim", 3072);
        config.max_context = reader.size("max_position_embeddings", 2048);
        config.activation = reader.activation("activation_function", "relu");
        config.norm = NormKind::layer;
        config.norm_eps = 1e-5;
        config.norm_weights = reader.flag("layer_norm_elementwise_affine", true);
        const bool norm_before = reader.flag("do_layer_norm_before", true);
        config.residual = norm_before ? Residual::sequential : Residual::post_norm;
        config.final_norm = norm_before && !reader.flag("_remove_final_layer_norm");
        config.positions = PositionKind::learned;
        config.learned_offset = 2;
        config.gated_mlp = false;
        config.qkv_bias = config.output_bias = config.mlp_bias = reader.flag("enable_bias", true);
        config.tied_embeddings = reader.flag("tie_word_embeddings", true);
        name_weights(config.names);
        return config;
    }

} // namespace

extern const Family opt;
const Family opt { "opt", "OPTForCausalLM",
    "Learned positions that begin at row 2, LayerNorm before or behind attention and MLP, embeddings of another size "
    "projected.",
    fields, read };

} // namespace keepset::family
