#include "core/model/family.h"

#include <array>

namespace keepset::family {

namespace {

    constexpr std::array fields = { "activation_function", "hidden_size", "layer_norm_epsilon",
        "max_position_embeddings", "n_ctx", "n_embd", "n_head", "n_inner", "n_layer", "n_positions",
        "num_attention_heads", "num_hidden_layers", "reorder_and_upcast_attn", "scale_attn_by_inverse_layer_idx",
        "scale_attn_weights", "tie_word_embeddings", "vocab_size" };

    void name_weights(WeightNames& names)
    {
        names.prefix = "transformer.";
        names.embedding = "wte";
        names.positions = "wpe";
        names.final_norm = "ln_f";
        names.input_norm = "h.{}.ln_1";
        names.mlp_norm = "h.{}.ln_2";
        names.q = names.k = names.v = {};
        names.qkv = "h.{}.attn.c_attn";
        names.output = "h.{}.attn.c_proj";
        names.up = "h.{}.mlp.c_fc";
        names.down = "h.{}.mlp.c_proj";
        names.transposed = true;
    }

    DecoderConfig read(const ConfigReader& reader)
    {
        DecoderConfig config = read_plain_sizes(reader,
            { .vocabulary = 50257, .hidden = 768, .layers = 12, .heads = 12 },
            { reader.spelling({ "n_layer", "num_hidden_layers" }), reader.spelling({ "n_head", "num_attention_heads" }),
                reader.spelling({ "n_embd", "hidden_size" }) });
        config.max_context = reader.size(reader.spelling({ "n_positions", "max_position_embeddings" }), 1024);
        if (reader.size("n_ctx", config.max_context) != config.max_context)
            reader.refuse_request("n_ctx");
        config.intermediate_size = reader.size("n_inner", 4 * config.hidden_size);
        config.activation = reader.activation("activation_function", "gelu_new");
        config.norm = NormKind::layer;
        config.norm_eps = reader.number("layer_norm_epsilon", 1e-5);
        config.positions = PositionKind::learned;
        config.gated_mlp = false;
        config.qkv_bias = config.output_bias = config.mlp_bias = true;
        config.tied_embeddings = reader.flag("tie_word_embeddings", true);
        for (std::size_t layer = 0; layer < config.per_layer.size(); ++layer) {
            double& scale = config.per_layer[layer].scale;
            scale = reader.flag("scale_attn_weights", true) ? scale : 1;
            // With reorder_and_upcast_attn scores are made in float32, as they always are here.
            if (reader.flag("scale_attn_by_inverse_layer_idx"))
                scale /= static_cast<double>(layer + 1);
        }
        name_weights(config.names);
        return config;
    }

} // namespace

extern const Family gpt2;
const Family gpt2 { "gpt2", "GPT2LMHeadModel",
    "Learned positions, LayerNorm, an MLP with tanh GELU; projections are stored transposed.", fields, read };

} // namespace keepset::family
