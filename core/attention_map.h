#pragma once

#include "core/analysis.h"

#include <cstdint>
#include <optional>
#include <vector>

/// P itself, of an analysis that keeps what it is made from (AnalysisRequest::keep_attention).
namespace keepset {

/// What a cell of an attention map shows of its positions: the largest probability or their mean.
enum class CellReduction : std::uint8_t { max, mean };

/// Which part of P to look at, and at how many cells most.
struct AttentionMapRequest {
    std::int64_t layer = 0;
    std::int64_t head = 0; ///< query head
    std::int64_t query_begin = 0; ///< positions [query_begin, query_end) of the context
    std::int64_t query_end = 0;
    std::int64_t key_begin = 0;
    std::int64_t key_end = 0;
    std::int64_t most_rows = 1024; ///< of cells; fewer where there are fewer queries
    std::int64_t most_columns = 1024;
    CellReduction reduction = CellReduction::max;
    bool operator==(const AttentionMapRequest&) const = default;
};

/// P of one layer and query head, query × key, reduced over cells. Cell row r holds the queries from query_begin +
/// r·queries/rows (whole numbers) up to where the next row begins; columns and keys alike.
struct AttentionMap {
    AttentionMapRequest request;
    std::int64_t rows = 0;
    std::int64_t columns = 0;
    std::vector<float> cells; ///< (rows, columns); a mean counts hidden positions as 0; -1: all positions are hidden
};

/// A cell of a map, the positions it covers and what it shows of them.
struct AttentionCell {
    std::int64_t row = 0;
    std::int64_t column = 0;
    std::int64_t query_begin = 0; ///< queries [query_begin, query_end)
    std::int64_t query_end = 0;
    std::int64_t key_begin = 0; ///< keys [key_begin, key_end)
    std::int64_t key_end = 0;
    float value = 0; ///< -1: hidden
};

/// P of one layer and query head over a range of queries × keys, recomputed from what the analysis keeps of its pass.
/// Throws Error{usage} where it keeps nothing or the request is outside of it, Cancelled.
AttentionMap attention_map(const Analysis& analysis, const AttentionMapRequest& request, const Task& task = {});
/// The cell of a map that a query and a key lie in; nothing outside of what was asked for.
std::optional<AttentionCell> cell_at(const AttentionMap& map, std::int64_t query, std::int64_t key);

} // namespace keepset
