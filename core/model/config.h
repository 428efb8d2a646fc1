#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace keepset {

/// Which positions a model knows, and how.
enum class PositionKind : std::uint8_t { rotary, learned, alibi };
/// `rms`: rounded to the model's dtype, then times the weight. `rms_float32`: times the weight, then rounded.
/// `rms_plus_one`: the same with weight + 1. `layer`: LayerNorm.
enum class NormKind : std::uint8_t { rms, rms_float32, rms_plus_one, layer };
/// A norm of queries and keys before they are rotated: over each head with one weight for all heads or one for each,
/// or over the whole projection.
enum class QkNorm : std::uint8_t { none, per_head, each_head, whole };
/// How attention and MLP are added to the stream. `sequential`: one after the other, each reading its normed input.
/// `parallel`: both to the same input. `post_norm`: one after the other, the layer's norms applied to the sums.
/// `normed`: one after the other, each added to its normed input.
enum class Residual : std::uint8_t { sequential, parallel, post_norm, normed };
enum class Activation : std::uint8_t { silu, gelu, gelu_tanh, relu };
/// Rows of a fused projection: all queries, all keys, all values; or for every kv head its queries, its key, its value.
enum class QkvRows : std::uint8_t { blocks, by_kv_head };

/// How rotary frequencies are made (Hugging Face: modeling_rope_utils.py). `linear` divides them by `factor`; `dynamic`
/// raises theta for texts longer than the model's context; `llama3` and `yarn` divide long wavelengths only;
/// `longrope` has a divisor for every frequency, others for long texts.
struct RopeConfig {
    enum class Kind : std::uint8_t { plain, linear, dynamic, llama3, yarn, longrope };
    Kind kind = Kind::plain;
    double theta = 10000;
    std::int64_t dims = 0; ///< the first dims of head_dim are rotated
    double factor = 1;
    double original_context = 0; ///< that the model was trained with before scaling; dynamic: max_position_embeddings
    double attention_factor = 1; ///< of cos and sin
    double low_freq_factor = 1; ///< llama3
    double high_freq_factor = 4; ///< llama3
    double beta_fast = 32; ///< yarn
    double beta_slow = 1; ///< yarn
    bool truncate = true; ///< yarn
    std::vector<double> short_factor; ///< longrope: (dims / 2)
    std::vector<double> long_factor; ///< longrope: (dims / 2)
};

/// What differs from layer to layer.
struct LayerConfig {
    double scale = 1; ///< of q·k
    std::int64_t window = 0; ///< query i sees key j where i - j < window; 0: every earlier key
    int rope = 0; ///< index into DecoderConfig::ropes; -1: not rotated
    bool experts = false; ///< a mixture of experts instead of one MLP
};

/// Names of a family's tensors without `prefix`: {} stands for the layer's number (in an expert's names first for the
/// layer's, then for the expert's); a | b: either. Empty: there is no such tensor. Weights are NAME.weight, biases
/// NAME.bias. Where both a fused tensor and separate ones have a name, either may be stored.
struct WeightNames {
    std::string prefix = "model."; ///< that most folders put in front of all but the head
    std::string embedding = "embed_tokens";
    std::string positions; ///< learned
    std::string embedding_norm;
    std::string project_in;
    std::string project_out;
    std::string final_norm = "norm";
    std::string head = "lm_head";
    std::string input_norm = "layers.{}.input_layernorm";
    std::string attention_norm; ///< of the attention's output, before it is added
    std::string mlp_norm = "layers.{}.post_attention_layernorm";
    std::string mlp_output_norm; ///< of the MLP's output, before it is added
    std::string q = "layers.{}.self_attn.q_proj";
    std::string k = "layers.{}.self_attn.k_proj";
    std::string v = "layers.{}.self_attn.v_proj";
    std::string qkv; ///< fused
    QkvRows qkv_rows = QkvRows::blocks;
    std::string output = "layers.{}.self_attn.o_proj";
    std::string q_norm;
    std::string k_norm;
    std::string gate = "layers.{}.mlp.gate_proj";
    std::string up = "layers.{}.mlp.up_proj";
    std::string gate_up; ///< fused: rows of the gate, then those of up
    std::string down = "layers.{}.mlp.down_proj";
    std::string router;
    std::string expert_gate; ///< one by one
    std::string expert_up;
    std::string expert_down;
    std::string experts_gate_up; ///< stacked (experts, 2 · expert_size, hidden); the tensor's whole name
    std::string experts_down; ///< stacked (experts, hidden, expert_size); the tensor's whole name
    bool transposed = false; ///< projections of the layers are stored (in, out)
};

/// The one decoder, described: what to compute and where the weights are. A family is a function that fills this from
/// its config.json.
struct DecoderConfig {
    std::string architecture;
    std::string model_type;
    std::int64_t layers = 0;
    std::int64_t heads = 0;
    std::int64_t kv_heads = 0;
    std::int64_t head_dim = 0;
    std::int64_t hidden_size = 0;
    std::int64_t embedding_size = 0; ///< of the embedding and the head; another than hidden_size is projected
    std::int64_t intermediate_size = 0;
    std::int64_t vocabulary = 0;
    std::int64_t max_context = 0;
    bool endless = false; ///< positions adapt to texts longer than max_context (dynamic rotary scaling)
    bool tied_embeddings = false;

    NormKind norm = NormKind::rms;
    double norm_eps = 1e-6;
    bool norm_weights = true; ///< false: norms of the stream have neither weight nor bias
    bool final_norm = true;
    bool qkv_bias = false;
    bool output_bias = false; ///< of the attention's output projection
    bool mlp_bias = false;
    bool head_bias = false;

    PositionKind positions = PositionKind::rotary;
    std::int64_t learned_offset = 0; ///< row of position 0
    std::vector<RopeConfig> ropes;
    bool rotate_in_float32 = false;
    bool alibi_bfloat16 = false; ///< the bias of a key is rounded to bfloat16
    double alibi_scale = 1;

    QkNorm qk_norm = QkNorm::none;
    bool qk_norm_bias = false; ///< LayerNorm only
    Residual residual = Residual::sequential;
    bool gated_mlp = true;
    Activation activation = Activation::silu;
    double attention_softcap = 0; ///< 0: none
    double final_softcap = 0;
    double embedding_scale = 1;
    bool round_embedding_scale = false; ///< to the model's dtype, before it is used
    double residual_scale = 1; ///< of what attention and MLP add
    double logits_divisor = 1;

    std::int64_t experts = 0;
    std::int64_t experts_per_token = 0;
    std::int64_t expert_size = 0; ///< intermediate size of an expert
    bool norm_topk = false; ///< the weights of a token's experts are made to sum to 1
    bool round_routing = false; ///< those weights are rounded to the model's dtype

    std::vector<LayerConfig> per_layer; ///< (layers)
    WeightNames names;
    bool is_part = false; ///< of a model with other parts, for pictures or sound, whose weights stand beside these
    std::vector<std::string> notes; ///< what of the file is left out, a sentence each
};

/// Windows of the layers, (layers), 0: none; empty where no layer slides.
std::vector<std::int64_t> windows_of(const DecoderConfig& config);

/// Reads and checks config.json of a folder. Throws Error{input}: missing, not JSON, unknown family (with the known
/// ones), a field that asks for something we do not compute or that is unknown (named), sizes that contradict one
/// another. Of a model with other parts (text_config) it is the language model that is read.
DecoderConfig read_config(const std::filesystem::path& folder);

} // namespace keepset
