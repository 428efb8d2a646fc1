#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace keepset {

/// How many positions the rows of a point keep: as many in every one, or a count of its own for each.
struct PointCounts {
    std::int64_t budget = 0; ///< of every row, where `rows` is empty
    std::vector<std::int64_t> rows = {}; ///< (layers · kv_heads), each 0 … context
};

/// What each of several points keeps of one context. A row is that of a layer and kv head; how many positions it keeps
/// is known on the host.
struct KeptPositions {
    std::int64_t layers = 0;
    std::int64_t kv_heads = 0;
    std::int64_t context = 0;
    std::vector<PointCounts> counts; ///< (points); `rows` is empty where all rows are alike
    std::vector<std::int64_t> begins; ///< (points): where those of a point begin
    at::Tensor positions; ///< (all) int32 on the decoder's device: row by row of each point, ascending in a row

    /// Room for points that keep so many; the positions are set to 0. Throws Error{internal} where a point has not a
    /// count for every row, or one that is out of range.
    KeptPositions(std::int64_t layers, std::int64_t kv_heads, std::int64_t context, std::vector<PointCounts> counts,
        at::Device device);

    std::int64_t rows() const { return layers * kv_heads; }
    /// Whether all rows of a point keep as many; those of one layer.
    bool alike(std::size_t point) const { return counts[point].rows.empty(); }
    bool alike(std::size_t point, std::int64_t layer) const;
    /// Positions that a row of a point keeps.
    std::int64_t count(std::size_t point, std::int64_t row) const;
    /// The most that a row of a point keeps; that one of a layer does.
    std::int64_t most(std::size_t point) const;
    std::int64_t most(std::size_t point, std::int64_t layer) const;
    /// Positions of all rows of a point.
    std::int64_t entries(std::size_t point) const;
    /// Whether a point evicts nothing.
    bool is_whole(std::size_t point) const { return entries(point) == rows() * context; }

    /// Positions of one point, a view: (entries) int32.
    at::Tensor of(std::size_t point) const;
    /// Of so many rows that keep as many, from one on, a view: (rows, count) int32.
    at::Tensor of(std::size_t point, std::int64_t row, std::int64_t rows) const;
    /// The same of some of the layers.
    KeptPositions of_layers(const std::vector<std::int64_t>& some) const;
    /// Where the rows of some points begin, and how many positions they keep: (points, layers · kv_heads) int64, on the
    /// positions' device.
    at::Tensor starts(const std::vector<std::size_t>& points) const;
    at::Tensor row_counts(const std::vector<std::size_t>& points) const;
    /// Where kept keys stand when they are numbered anew (SEMANTICS 5, positions=repacked): without gaps up to most()
    /// of their point, from where its targets go on. So the keys of a row are as far from a target as in a cache of
    /// their own, and a target has one position in all rows. As `positions`; undefined for other points.
    at::Tensor places(const std::vector<std::size_t>& points) const;

private:
    std::int64_t begin_of(std::size_t point, std::int64_t row) const;
};

} // namespace keepset
