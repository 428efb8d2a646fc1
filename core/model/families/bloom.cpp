#include "core/model/family.h"

#include <array>

namespace keepset::family {

namespace {

    constexpr std::array fields = { "apply_residual_connection_post_layernorm", "hidden_size", "layer_norm_epsilon",
        "n_embed", "n_head", "n_layer", "num_attention_heads", "num_hidden_layers", "seq_length", "tie_word_embeddings",
        "vocab_size" };

    void name_weights(WeightNames& names)
    {
        names.prefix = "transformer.";
        names.embedding = "word_embeddings";
        names.embedding_norm = "word_embeddings_layernorm";
        names.final_norm = "ln_f";
        names.input_norm = "h.{}.input_layernorm";
        names.mlp_norm = "h.{}.post_attention_layernorm";
        names.q = names.k = names.v = {};
        names.qkv = "h.{}.self_attention.query_key_value";
        names.qkv_rows = QkvRows::by_kv_head;
        names.output = "h.{}.self_attention.dense";
        names.up = "h.{}.mlp.dense_h_to_4h";
        names.down = "h.{}.mlp.dense_4h_to_h";
    }

    DecoderConfig read(const ConfigReader& reader)
    {
        DecoderConfig config = read_plain_sizes(reader, { .vocabulary = 250880, .hidden = 64, .layers = 2, .heads = 8 },
            { reader.spelling({ "n_layer", "num_hidden_layers" }), reader.spelling({ "n_head", "num_attention_heads" }),
                reader.spelling({ "n_embed", "hidden_size" }) });
        config.intermediate_size = 4 * config.hidden_size;
        config.max_context = reader.size("seq_length", 2048); // trained with; alibi itself has no end
        config.activation = Activation::gelu_tanh;
        config.norm = NormKind::layer;
        config.norm_eps = reader.number("layer_norm_epsilon", 1e-5);
        if (reader.flag("apply_residual_connection_post_layernorm"))
            config.residual = Residual::normed;
        config.positions = PositionKind::alibi;
        config.gated_mlp = false;
        config.qkv_bias = config.output_bias = config.mlp_bias = true;
        config.tied_embeddings = reader.flag("tie_word_embeddings", true);
        name_weights(config.names);
        return config;
    }

} // namespace

extern const Family bloom;
const Family bloom { "bloom", "BloomForCausalLM",
    "Alibi, LayerNorm, also on the embeddings, an MLP with tanh GELU; queries, keys and values are stored head by "
    "head. The bias stays in float32, where transformers rounds it to the model's dtype.",
    fields, read };

} // namespace keepset::family
