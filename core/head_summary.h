#pragma once

#include "core/analysis.h"
#include "core/selection.h"

#include <cstdint>
#include <functional>
#include <stop_token>
#include <vector>

/// What tells the heads of a model apart: a few numbers and a small picture of every query head, how much of its
/// attention a keep set leaves it, and how alike two keep sets are in every kv head.
namespace keepset {

/// Of one query head, by its distribution over the context: p_j = A_j / ΣA of the cumulative importance A, which is
/// A_j / C up to rounding (SEMANTICS 2). Where an A is no number all of these are none.
struct HeadNumbers {
    double sink_mass = not_a_number; ///< p_0, the share of all attention that the first token gets
    double entropy = not_a_number; ///< -Σ p ln p in nats: 0 where one token gets all, ln C where all get the same
    double entropy_share = not_a_number; ///< entropy / ln C; NaN for one token
    /// Tokens between a query and the key it reads, mean over queries and their attention: Σ_i Σ_j P[i,j]·(i - j) / C.
    /// Every row of P adds up to 1, so that is (C - 1) / 2 - Σ j·p_j.
    double mean_distance = not_a_number;
};

/// Numbers of every query head, and its importance over position in a few bins.
struct HeadSummaries {
    std::int64_t layers = 0;
    std::int64_t heads = 0;
    std::int64_t context = 0;
    Importance importance = Importance::cumulative; ///< of the bins
    std::vector<HeadNumbers> numbers; ///< (layers, heads)
    std::int64_t bins = 0; ///< of a head
    std::vector<float> largest; ///< (layers, heads, bins); NaN where a position of the bin is no number
    std::vector<float> means; ///< (layers, heads, bins)
    /// From the first layer on, those that numbers, largest and means have values of; all, once it is finished.
    std::int64_t layers_done = 0;

    bool is_finished() const { return layers_done == layers; }
    /// First position of a bin; the last position before the next bin's is its last.
    std::int64_t begin_of(std::int64_t bin) const { return bin * context / bins; }
    std::size_t index(std::int64_t layer, std::int64_t head) const
    {
        return static_cast<std::size_t>(layer * heads + head);
    }
};

/// How summarise_heads is stopped and followed.
struct HeadsTask {
    std::stop_token stop = {};
    /// Told some layers at a time what is there so far, on the caller's thread; who wants to keep it copies it.
    std::function<void(const HeadSummaries&)> partly = {};
};

/// Every head in one go, in at most `most_bins` bins, on `threads` CPU threads (0: all cores). Numbers are of
/// cumulative importance, bins of `importance`. Throws Error{internal} where sizes and values do not fit together,
/// Error{usage} where has_importance does not hold, Cancelled.
HeadSummaries summarise_heads(const Analysis& analysis, const Importance& importance, std::int64_t most_bins,
    int threads = 0, const HeadsTask& task = {});

/// Kept share of every query head's attention mass, Σ_{kept j} A_j / C with the keep set of its kv head: (layers,
/// heads). Their mean is the kept attention mass of SEMANTICS 2. Throws Error{usage} where the keep set is of another
/// shape, Cancelled.
std::vector<double> kept_shares(
    const Analysis& analysis, const KeepSet& keep_set, int threads = 0, const std::stop_token& stop = {});

/// Jaccard of two keep sets in every layer and kv head: (layers, kv_heads). Throws Error{usage} where their shapes
/// differ, Cancelled.
std::vector<double> jaccard_by_head(
    const KeepSet& a, const KeepSet& b, int threads = 0, const std::stop_token& stop = {});

} // namespace keepset
