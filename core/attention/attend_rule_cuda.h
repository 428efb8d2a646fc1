#pragma once

#include "core/attention/attend.h"

namespace keepset {

/// The size of a head's rows that our CUDA kernel takes, and flash attention too: head_dim, filled up with zeros.
constexpr std::int64_t padded_head_dim(std::int64_t head_dim) { return (head_dim + 15) / 16 * 16; }

/// Whether our CUDA kernel takes attention by a rule for these queries (…, head_dim): 16 bits, head_dim up to 256.
bool rule_kernel_takes(const at::Tensor& q);

/// Keys and values of several samples in one piece: of every (sample, kv head) those that were kept of a context, then
/// as many of its own as it has queries; (all, dim) where they go head by head, (all, kv_heads, dim) where the heads of
/// a sample lie side by side. int32 but `starts`, on the keys' device.
struct PackedRows {
    at::Tensor ends; ///< (samples · kv_heads + 1): keys before each row, and all
    at::Tensor positions; ///< of kept keys; undefined: the keys of a row stand at 0, 1, …
    at::Tensor starts; ///< (samples, kv_heads) int64, any strides but the last: where those of a row begin
    at::Tensor first_query; ///< (samples): position of the first query
    std::int64_t length = 0; ///< positions that there are
};

/// attend() by a rule: q (batch, heads, tokens, head_dim); k, v (batch, kv_heads, tokens, head_dim).
Attended attend_rule_cuda(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const ScoreRule& rule);
/// The same over packed keys and values, whose dim may be larger than head_dim.
Attended attend_rule_cuda(
    const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const ScoreRule& rule, const PackedRows& rows);

} // namespace keepset
