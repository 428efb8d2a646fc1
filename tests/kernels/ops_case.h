#pragma once

#include "kernels/ops/kept_rows.h"
#include "kernels/ops/pack_kept.h"
#include "kernels/ops/score_logits.h"
#include "kernels/ops/score_rows.h"

#include <cstdint>
#include <random>
#include <vector>

/// Random inputs of the small operations, the same for the CPU and a device.
namespace keepset::kernels::test {

struct ScoreRowsCase {
    ScoreRowsInputs inputs; ///< without pointers
    std::vector<float> importance; ///< (layers, heads, context)
    std::vector<float> ranked; ///< the same, or empty
    std::vector<std::int64_t> windows; ///< (layers), or empty
};
/// Any shape, reduction and sharing; now and then values that are not finite.
ScoreRowsCase random_score_rows(std::mt19937& random);

struct KeptRowsCase {
    KeptRowsInputs inputs; ///< without pointers
    std::vector<std::uint8_t> labels; ///< (plans, score_rows, context)
    std::vector<float> scores; ///< (score_rows, context), of few values, so that some tie
    std::vector<double> mass; ///< (score_rows · sharing, context)
    std::vector<std::int64_t> starts; ///< (plans, score_rows · sharing): each row has room for its positions
};
KeptRowsCase random_kept_rows(std::mt19937& random);

struct PackCase {
    PackInputs inputs; ///< without pointers and strides
    std::int64_t context = 0;
    std::vector<float> keys, values; ///< (kv_heads, context, head_dim)
    std::vector<float> own_keys, own_values; ///< (points, kv_heads, own, head_dim)
    std::vector<std::int32_t> positions;
    std::vector<std::int64_t> starts; ///< (points, kv_heads)
    std::vector<std::int32_t> ends; ///< (points · kv_heads + 1)
};
/// Rows of a point may keep different numbers of positions, none too.
PackCase random_pack(std::mt19937& random);

struct LogitCase {
    LogitInputs inputs; ///< without pointers
    std::vector<float> logits; ///< (points · targets, vocabulary)
    std::vector<std::int64_t> wanted; ///< (targets)
    std::vector<float> dense; ///< (targets, vocabulary): probabilities of the first point's logits
};
/// `vocabulary` logits of ordinary size.
LogitCase random_logits(std::int64_t points, std::int64_t targets, std::int64_t vocabulary, std::mt19937& random);

} // namespace keepset::kernels::test
