#pragma once

#include "core/device/backend.h"
#include "core/model/decoder.h"
#include "core/pass/kept_positions.h"

#include <cstddef>
#include <vector>

namespace keepset {

/// Keys and values of one layer packed for one attention call: of every (point, kv head) what the point kept of the
/// context, then its own. In 16 bits the kv heads of a point lie side by side, as flash attention wants them, where
/// they keep as many in each; else one lies after the other.
struct PackedKeys {
    at::Tensor keys; ///< (all, packed_dim)
    at::Tensor values; ///< (all, packed_dim)
};

/// Points of the target pass that go through a layer together on a GPU, where every query sees all that its point kept
/// and its own keys up to itself.
class PackedPoints {
public:
    /// `own`: target rows of a point. `repacked`: kept keys stand at KeptPositions::places, own ones from most() on.
    /// The kept positions must outlive this.
    PackedPoints(const KeptPositions& kept, std::vector<std::size_t> points, std::int64_t own, at::ScalarType dtype,
        bool repacked);

    /// context_keys and context_values (kv_heads, context, head_dim), parts of (points, …, own, head_dim).
    PackedKeys pack(std::int64_t layer, const at::Tensor& context_keys, const at::Tensor& context_values,
        const Projected& parts, const Backend& backend) const;
    /// How far each packed key of a layer moves where kept keys are numbered anew: (all) int64.
    at::Tensor shifts(std::int64_t layer) const;
    /// q (points, heads, own, head_dim) → (points, heads, own, head_dim).
    at::Tensor attend(const at::Tensor& q, const PackedKeys& packed, double scale, std::int64_t layer) const;
    /// The same by a rule that goes by positions, where rule_kernel_takes q.
    at::Tensor attend_by_rule(
        const at::Tensor& q, const PackedKeys& packed, const ScoreRule& rule, std::int64_t layer) const;

private:
    /// How the keys of a layer lie.
    struct Layout {
        std::int64_t all = 0; ///< keys
        std::int64_t longest = 0; ///< of a (point, kv head)
        bool side_by_side = false;
        at::Tensor ends; // (points * kv_heads + 1) int32
        at::Tensor key_ends; // (sequences + 1) int32, of what the attention call takes as one: a point, or its kv head
    };
    /// All layers have the first layout where the rows of all points are alike.
    const Layout& layout_of(std::int64_t layer) const
    {
        return layouts_[layouts_.size() == 1 ? 0 : static_cast<std::size_t>(layer)];
    }
    Layout lay_out(std::int64_t layer, bool in_16_bits, std::vector<std::int32_t>& ends) const;
    at::Tensor starts_of(std::int64_t layer) const;
    at::Tensor by_sequence(const at::Tensor& packed, const Layout& layout) const;

    const KeptPositions& kept_;
    std::vector<std::size_t> points_;
    std::int64_t own_;
    std::vector<Layout> layouts_; // one, or one a layer
    at::Tensor starts_; // (points, layers * kv_heads) int64
    at::Tensor query_ends_; // (points * kv_heads + 1) int32: as many target rows each
    at::Tensor first_query_; // (points) int32: position of a point's first own key
    at::Tensor places_; // (all) int32, as KeptPositions::positions: where kept keys stand
    at::Tensor moved_; // (all + 1) int32: how far each has moved there, then 0; undefined where none has
};

} // namespace keepset
