#pragma once

#include "core/attention/score_rule.h"
#include "core/model/config.h"
#include "core/model/rotary.h"
#include "core/model/safetensors.h"
#include "core/types.h"

#include <ATen/core/Tensor.h>

#include <stop_token>
#include <vector>

namespace keepset {

/// Queries, keys and values of one layer, rotated: q (batch, heads, rows, head_dim), k and v (batch, kv_heads, rows,
/// head_dim).
struct Projected {
    at::Tensor q;
    at::Tensor k;
    at::Tensor v;
};

/// The decoder in pieces around its attention, so that a caller decides what each query attends to.
/// A layer is: project → attention of the caller's → finish.
class Decoder {
public:
    /// Reads the weights onto a device in a dtype. Throws Error{input} naming the tensor (missing, wrong shape or
    /// dtype), Error{memory}, Cancelled. `weights` stays mapped as long as a tensor uses it.
    Decoder(const DecoderConfig& config, const WeightFiles& weights, at::Device device, at::ScalarType dtype,
        const Task& task);

    const DecoderConfig& config() const { return config_; }
    at::Device device() const { return device_; }
    at::ScalarType dtype() const { return dtype_; }
    ScoreRule rule(std::int64_t layer) const; ///< how the layer's queries attend to its keys
    std::int64_t parameters() const { return parameters_; }

    /// ids (rows) int64 → (rows, hidden).
    at::Tensor embed(const at::Tensor& ids) const;
    /// Rotation of positions (any shape) int64 in the decoder's dtype.
    Rotation rotation(const at::Tensor& positions) const;
    /// x (batch * rows, hidden); rotation of (rows) or (batch, 1, rows) positions.
    Projected project(std::int64_t layer, const at::Tensor& x, std::int64_t batch, const Rotation& rotation) const;
    /// Adds the attention's output (batch, heads, rows, head_dim) and the MLP to x (batch * rows, hidden), in place, in
    /// row blocks; throws Cancelled between them.
    void finish(std::int64_t layer, at::Tensor& x, const at::Tensor& attended, const std::stop_token& stop) const;
    /// Final norm and language-model head: x (rows, hidden) → logits (rows, vocabulary) float32.
    at::Tensor logits(const at::Tensor& x) const;

private:
    struct Linear {
        at::Tensor weight; // (out, in)
        at::Tensor bias; // (out) or undefined
    };
    struct Layer {
        at::Tensor input_norm; // (hidden)
        at::Tensor mlp_norm; // (hidden)
        Linear q, k, v, output;
        Linear gate, up, down;
    };
    class Loader;

    at::Tensor norm(const at::Tensor& x, const at::Tensor& weight) const;

    DecoderConfig config_;
    at::Device device_;
    at::ScalarType dtype_;
    std::int64_t parameters_ = 0;
    std::int64_t row_block_ = 1;
    at::Tensor embedding_; // (vocabulary, hidden)
    at::Tensor head_; // (vocabulary, hidden)
    at::Tensor final_norm_; // (hidden)
    at::Tensor inverse_frequencies_; // (head_dim / 2)
    std::vector<Layer> layers_;
};

} // namespace keepset
