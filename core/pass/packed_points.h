#pragma once

#include "core/device/backend.h"
#include "core/model/decoder.h"
#include "core/pass/kept_positions.h"

#include <cstddef>
#include <vector>

namespace keepset {

/// Keys and values of one layer packed for one attention call: of every (point, kv head) what the point kept of the
/// context, then its own. In 16 bits the kv heads of a point lie side by side, as flash attention wants them, in
/// float32 one after the other.
struct PackedKeys {
    at::Tensor keys; ///< (all, packed_dim)
    at::Tensor values; ///< (all, packed_dim)
};

/// Points of the target pass that go through a layer together on a GPU, where every query sees all that its point kept
/// and its own keys up to itself.
class PackedPoints {
public:
    /// `own`: target rows of a point. `repacked`: kept keys stand at 0 … k-1, own ones from k on. The kept positions
    /// must outlive this.
    PackedPoints(const KeptPositions& kept, std::vector<std::size_t> points, std::int64_t own, at::ScalarType dtype,
        bool repacked);

    /// context_keys and context_values (kv_heads, context, head_dim), parts of (points, …, own, head_dim).
    PackedKeys pack(std::int64_t layer, const at::Tensor& context_keys, const at::Tensor& context_values,
        const Projected& parts, const Backend& backend) const;
    /// How far each packed key of a layer moves where kept keys are numbered anew from 0: (all) int64.
    at::Tensor shifts(std::int64_t layer) const;
    /// q (points, heads, own, head_dim) → (points, heads, own, head_dim).
    at::Tensor attend(const at::Tensor& q, const PackedKeys& packed, double scale) const;
    /// The same by a rule that goes by positions, where rule_kernel_takes q.
    at::Tensor attend_by_rule(
        const at::Tensor& q, const PackedKeys& packed, const ScoreRule& rule, std::int64_t layer) const;

private:
    at::Tensor attend_float(const at::Tensor& q, const PackedKeys& packed, double scale) const;
    at::Tensor by_head(const at::Tensor& packed) const;

    const KeptPositions& kept_;
    std::vector<std::size_t> points_;
    std::int64_t own_;
    std::int64_t all_ = 0; ///< packed keys of a layer
    std::int64_t longest_ = 0; ///< of a (point, kv head)
    bool side_by_side_;
    bool repacked_;
    at::Tensor starts_; // (points, layers * kv_heads) int64
    at::Tensor ends_; // (points * kv_heads + 1) int32
    at::Tensor key_ends_; // (sequences + 1) int32, of what the attention call takes as one: a point, or its kv head
    at::Tensor query_ends_; // (sequences + 1) int32
    at::Tensor first_query_; // (points) int32: position of a point's first own key
};

} // namespace keepset
