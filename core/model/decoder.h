#pragma once

#include "core/model/config.h"
#include "core/model/rotary.h"
#include "core/model/safetensors.h"
#include "core/model/score_rule.h"
#include "core/task.h"

#include <ATen/core/Tensor.h>

#include <stop_token>
#include <string>
#include <vector>

namespace keepset {

/// Queries, keys and values of one layer, rotated: q (batch, heads, rows, head_dim), k and v (batch, kv_heads, rows,
/// head_dim).
struct Projected {
    at::Tensor q;
    at::Tensor k;
    at::Tensor v;
};

/// On which device each part of a decoder lies.
struct Placement {
    at::Device device = at::kCPU; ///< embedding, final norm and head
    std::vector<at::Device> layers;
};

/// Rotations of the same positions by every rope of a config.
using Rotations = std::vector<Rotation>;

/// How rows go through what comes behind attention.
struct FinishOptions {
    std::stop_token stop;
    /// In a mixture of experts every row goes through all of them, and those that it did not choose count nothing. Then
    /// another token changes nothing of the other rows but by attention; it changes else how many rows an expert gets,
    /// and with that the rounding of their products. Slow: for short texts.
    bool every_expert = false;
};

/// The decoder in pieces around its attention, so that a caller decides what each query attends to.
/// A layer is: project → attention of the caller's → finish.
class Decoder {
public:
    /// Reads the weights onto their devices in a dtype. Throws Error{input} naming the tensor (missing, wrong shape or
    /// dtype, one in a layer that nothing here uses), Error{memory}, Cancelled. `weights` stays mapped as long as a
    /// tensor uses it.
    Decoder(const DecoderConfig& config, const WeightFiles& weights, Placement placement, at::ScalarType dtype,
        const Task& task);

    const DecoderConfig& config() const { return config_; }
    at::Device device() const { return placement_.device; }
    std::vector<at::Device> devices() const; ///< all that have a part of it, device() first
    /// Hidden states (rows, hidden) where a layer's weights are; layer = layers: where the head is.
    at::Tensor moved(const at::Tensor& x, std::int64_t layer) const;
    at::ScalarType dtype() const { return dtype_; }
    ScoreRule rule(std::int64_t layer) const; ///< how the layer's queries attend to its keys
    std::int64_t parameters() const { return parameters_; }
    /// What was noticed about the weight files, a sentence each: tensors that are not used, tied ones that differ.
    const std::vector<std::string>& notes() const { return notes_; }
    /// Throws Error{input} where a weight file that is used in place was cut: what was computed is then worth nothing.
    /// logits() asks too.
    void refuse_cut_weights() const;

    /// ids and their positions in the text (rows) int64 → (rows, hidden). Positions matter where they are learned.
    at::Tensor embed(const at::Tensor& ids, const at::Tensor& positions) const;
    /// Rotations of positions (any shape) int64. `length`: tokens of the whole text the pass belongs to (context and
    /// target in a sweep), which dynamic and longrope scaling depend on.
    Rotations rotations(const at::Tensor& positions, std::int64_t length) const;
    /// x (batch * rows, hidden); rotations of (rows) or (batch, 1, rows) positions.
    /// In row blocks on a CPU; throws Cancelled between them.
    Projected project(std::int64_t layer, const at::Tensor& x, std::int64_t batch, const Rotations& rotations,
        const std::stop_token& stop = {}) const;
    /// Adds the attention's output (batch, heads, rows, head_dim) and the MLP to x (batch * rows, hidden), in place, in
    /// row blocks; throws Cancelled between them.
    void finish(std::int64_t layer, at::Tensor& x, const at::Tensor& attended, const FinishOptions& options) const;
    /// Final norm and language-model head: x (rows, hidden) → logits (rows, vocabulary) float32. In row blocks on a
    /// CPU; throws Cancelled between them.
    at::Tensor logits(const at::Tensor& x, const std::stop_token& stop = {}) const;
    /// The same in one piece, in the dtype of the model where nothing is done to its logits: x (rows, hidden).
    at::Tensor head(const at::Tensor& x) const;
    /// What a layer's output projection multiplies the heads' outputs with: (hidden, heads · head_dim).
    const at::Tensor& output_weight(std::int64_t layer) const;
    /// x (heads, tokens, head_dim) of a layer, rotated by `rotations` of its tokens, as it was before: float32. As it
    /// is where the layer rotates nothing.
    at::Tensor unrotated(std::int64_t layer, const at::Tensor& x, const Rotations& rotations) const;
    /// Rotated keys (kv_heads, keys, head_dim) of a layer as if they stood `shift` (kv_heads, keys) int64 positions
    /// later. Layers that rotate nothing return them as they are. `length` as in rotations.
    at::Tensor turn_keys(
        std::int64_t layer, const at::Tensor& keys, const at::Tensor& shift, std::int64_t length) const;

private:
    struct Linear {
        at::Tensor weight; // (out, in)
        at::Tensor bias; // (out) or undefined
    };
    struct Norm {
        at::Tensor weight; // (size); undefined: no norm here
        at::Tensor bias; // (size) or undefined
    };
    struct Mlp {
        Linear gate; // undefined where the MLP is not gated
        Linear up;
        Linear down;
        Linear gate_up = {}; // on a GPU gate and up in one piece, of which they are views
    };
    struct Layer {
        Norm input_norm, attention_norm, mlp_norm, mlp_output_norm, q_norm, k_norm; // (hidden), the last two by QkNorm
        Linear qkv; // on a GPU all three in one piece, of which the next are views
        Linear q, k, v, output;
        Mlp mlp;
        Linear router; // (experts, hidden)
        std::vector<Mlp> experts;
        at::Tensor experts_gate_up; // (experts, 2 * expert size, hidden), of which experts are views; else undefined
        at::Tensor experts_down; // (experts, hidden, expert size)
    };
    class Loader;
    struct Choice;
    struct Routing;

    at::Tensor norm(const at::Tensor& x, const Norm& norm) const;
    at::Tensor norm_heads(const at::Tensor& heads, const Norm& norm) const;
    at::Tensor mlp(const Layer& layer, const at::Tensor& x, bool every_expert) const;
    at::Tensor run(const Mlp& mlp, const at::Tensor& x) const;
    at::Tensor mixture(const Layer& layer, const at::Tensor& x, bool every_expert) const;
    at::Tensor from_every(const Layer& layer, const at::Tensor& x, const Choice& choice) const;
    at::Tensor one_by_one(const Layer& layer, const at::Tensor& x, const Routing& routing) const;
    at::Tensor grouped(const Layer& layer, const at::Tensor& x, const Routing& routing) const;
    void add(at::Tensor& x, const at::Tensor& branch) const;
    void finish_rows(const Layer& layer, at::Tensor& x, const at::Tensor& heads, bool every_expert) const;

    DecoderConfig config_;
    Placement placement_;
    at::ScalarType dtype_;
    std::int64_t parameters_ = 0;
    std::int64_t row_block_ = 1; ///< rows that go through a layer between two looks at the stop token
    std::int64_t head_block_ = 1; ///< rows that go through the head
    std::vector<std::string> notes_;
    std::vector<std::shared_ptr<MappedFile>> maps_; // those that tensors look into
    at::Tensor embedding_; // (vocabulary, embedding size)
    at::Tensor positions_; // (positions, hidden) or undefined
    at::Tensor alibi_slopes_; // (heads) float32 or undefined
    Norm embedding_norm_;
    Linear project_in_; // (hidden, embedding size) or undefined
    Linear project_out_; // (embedding size, hidden) or undefined
    Norm final_norm_;
    Linear head_; // (vocabulary, embedding size)
    std::vector<Layer> layers_;
};

} // namespace keepset
