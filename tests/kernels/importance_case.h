#pragma once

#include "kernels/importance.h"

#include <cstdint>
#include <random>
#include <string>
#include <vector>

/// Inputs of the column sums with memory behind them, shared by the CPU and the CUDA test.
namespace keepset::kernels::test {

struct ImportanceCase {
    AttentionShape shape;
    std::vector<float> q; ///< by the shape's strides
    std::vector<float> k;
    std::vector<float> lse; ///< (heads, queries)

    ImportanceInputs inputs() const;
    float& q_at(std::int64_t head, std::int64_t query, std::int64_t dim);
    float& k_at(std::int64_t kv_head, std::int64_t key, std::int64_t dim);
    /// Sets lse to the exact log-sum-exp of every row, by double arithmetic, so that the rows sum to 1.
    void normalise();
    std::string describe() const;
};

/// heads, kv_heads, head_dim, queries, keys, query_begin are the shape's; strides and scale are set here. `token_first`
/// puts the heads of one token side by side, as a projection does; `padding` elements lie between rows.
ImportanceCase make_case(AttentionShape shape, bool token_first, std::int64_t padding);
/// The same with unit normal q and k and exact lse.
ImportanceCase normal_case(const AttentionShape& shape, std::mt19937& random);
/// A shape of any kind, small enough for the reference: odd lengths, GQA, one token, query_begin > 0, any strides.
ImportanceCase random_case(std::mt19937& random);

/// importance_reference into (heads, keys).
std::vector<double> reference_sums(const ImportanceCase& values);
/// Largest error a float32 kernel may make in each sum (heads, keys): every product, sum and exponential rounded once,
/// by the standard bound n·u·Σ|terms|, and `exponential` relative error of exp.
std::vector<double> error_bound(const ImportanceCase& values, double exponential);

} // namespace keepset::kernels::test
