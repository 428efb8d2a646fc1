#pragma once

#include "core/model/decoder.h"
#include "core/pass/dense_pass.h"
#include "core/pass/kept_positions.h"

#include <cstddef>
#include <stop_token>
#include <vector>

namespace keepset {

/// What a layer's attention of the target pass is over.
struct PaddedLayer {
    const Decoder& decoder;
    std::int64_t layer = 0;
    const DensePass& context; ///< with keys and values
    const ScoreRule& rule;
    std::int64_t length = 0; ///< tokens of context and target
};

/// Points of the target pass whose attention goes by positions (a window, a bias), in any dtype and on any device: what
/// a (point, kv head) kept and its own keys make one row, and shorter rows begin with keys that no query sees.
class PaddedPoints {
public:
    /// `own`: target rows of a point. `repacked`: kept keys stand at KeptPositions::places, own ones from most() on.
    /// The kept positions must outlive this.
    PaddedPoints(const KeptPositions& kept, std::vector<std::size_t> points, std::int64_t own, bool repacked);

    /// parts of (points, …, own, head_dim) → (points, heads, own, head_dim). As many points at once as take some 300 MB
    /// on a GPU, one at a time on a CPU. Throws Cancelled.
    at::Tensor attend(const PaddedLayer& layer, const Projected& parts, const std::stop_token& stop) const;

private:
    struct Some {
        std::int64_t begin = 0;
        std::int64_t end = 0;
    };
    /// Kept keys of (point, kv head), those of a row at its end: all (rows, longest), on the layer's device.
    struct Rows {
        at::Tensor is_kept; // bool; false before them
        at::Tensor positions; // int64; 0 before them
        at::Tensor places; // int64: where they stand; where no query sees them before them
        at::Tensor first_query; // (rows, 1) int64: position of the first own key
    };
    Rows rows_of(std::int64_t layer, const Some& some, at::Device device) const;
    std::int64_t longest(std::int64_t layer, const Some& some) const;
    at::Tensor attend_some(
        const PaddedLayer& layer, const Projected& parts, const Some& some, const std::stop_token& stop) const;

    const KeptPositions& kept_;
    std::vector<std::size_t> points_;
    std::int64_t own_;
    bool repacked_;
    at::Tensor starts_; // (points, layers * kv_heads) int64
    at::Tensor counts_; // (points, layers * kv_heads) int64
    at::Tensor first_query_; // (points) int64: position of a point's first own key
};

} // namespace keepset
