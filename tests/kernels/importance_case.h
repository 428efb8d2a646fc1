#pragma once

#include "kernels/importance/importance.h"

#include <cstdint>
#include <random>
#include <string>
#include <utility>
#include <vector>

/// Inputs of the column sums with memory behind them, shared by the CPU and the CUDA test.
namespace keepset::kernels::test {

struct ImportanceCase {
    AttentionShape shape;
    std::vector<float> q; ///< by the shape's strides
    std::vector<float> k;
    std::vector<float> lse; ///< (heads, queries)
    std::vector<float> bias; ///< (heads, keys), or empty
    std::vector<std::int64_t> query_starts; ///< of packed sequences, or empty
    std::vector<std::int64_t> key_starts;

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
/// The rows of a case: any, or such as tensor cores take: strides that are multiples of 8, and a head_dim that is a
/// multiple of 16 and at most 256 where the case chooses it.
enum class Rows : std::uint8_t { any, aligned };
/// The same with unit normal q and k and exact lse.
ImportanceCase normal_case(const AttentionShape& shape, std::mt19937& random, Rows rows = Rows::any);
/// The same with a bias that falls by up to 0.5 a key, as alibi's do, and some noise.
ImportanceCase biased_case(const AttentionShape& shape, std::mt19937& random, Rows rows = Rows::any);
/// A shape of any kind, small enough for the reference: odd lengths, GQA, one token, query_begin > 0, any strides.
ImportanceCase random_case(std::mt19937& random, Rows rows = Rows::any);
/// The same with a window, a cap or a bias, or any of them together.
ImportanceCase random_rule_case(std::mt19937& random, Rows rows = Rows::any);
/// Up to five sequences packed, some without queries or without keys, under any rule.
ImportanceCase random_packed_case(std::mt19937& random, Rows rows = Rows::any);
/// A long causal context, its lse about that of unit normal keys, so that making it takes no quadratic time.
ImportanceCase long_case(const AttentionShape& shape, std::mt19937& random);

/// importance_reference into (heads, keys).
std::vector<double> reference_sums(const ImportanceCase& values);
/// The reference's sum of one key.
double reference_sum(const ImportanceCase& values, std::int64_t head, std::int64_t key);
struct Pair {
    std::int64_t head = 0;
    std::int64_t query = 0;
    std::int64_t key = 0;
};
/// Largest error a float32 kernel may make in one probability, by the bound below.
double probability_bound(const ImportanceCase& values, const Pair& pair, double exponential, double tangent);
/// Largest error a float32 kernel may make in each sum (heads, keys): every product, sum and exponential rounded once,
/// by the standard bound n·u·Σ|terms|, `exponential` relative error of exp and `tangent` of tanh.
std::vector<double> error_bound(const ImportanceCase& values, double exponential, double tangent);

/// Empty where every sum (heads, keys) is within error_bound of the reference, else a sentence.
std::string first_disagreement(
    const ImportanceCase& values, const std::vector<float>& sums, double exponential, double tangent);

/// Shapes that tiles of keys and blocks of queries do not divide: one token, GQA, odd head_dims, a decode step, late
/// blocks, keys that nobody sees, queries without a key of their own.
const std::vector<std::pair<const char*, AttentionShape>>& awkward_shapes();
/// Shapes and windows, each one narrower, as wide or wider than a tile.
std::vector<AttentionShape> awkward_windows();

} // namespace keepset::kernels::test
