#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace keepset {

/// How one layer turns q·k into a score, and which keys a query sees besides causality: the border between the decoder,
/// whose families fill it, and attention.
///     score = capped(scale · q·k) + bias of (query head, key), for keys at positions with 0 ≤ i - j < window
struct ScoreRule {
    double scale = 1; ///< of q·k
    double softcap = 0; ///< scores become softcap · tanh(score / softcap) (Gemma 2); 0: left as they are
    std::int64_t window = 0; ///< positions that a query sees, its own among them (sliding_window); 0: every earlier one
    at::Tensor alibi_slopes; ///< (heads) float32: a key's bias is slope · position · alibi_scale; undefined: none
    bool alibi_bfloat16 = false; ///< slope, position and their product are rounded to bfloat16 (Falcon)
    double alibi_scale = 1; ///< 1 for BLOOM; Falcon adds the bias before it scales: its scale of q·k

    /// Whether nothing but the scale is to be done.
    bool plain() const { return softcap == 0 && window == 0 && !alibi_slopes.defined(); }

    /// The same rule for positions 0 … length - 1: without a window that hides none of them.
    ScoreRule within(std::int64_t length) const;

    /// Bias of keys at `positions`, (keys) or (kv_heads, keys) int64, for every query head: (heads, keys) float32 on
    /// the device of the positions. Undefined without alibi. Only for heads that are a multiple of kv_heads.
    at::Tensor key_bias(const at::Tensor& positions) const;
};

} // namespace keepset
