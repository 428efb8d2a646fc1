#pragma once

#include <cstdint>

namespace keepset::kernels {

enum class ElementType : std::uint8_t { float32, bfloat16, float16 };

/// Queries of one layer against its keys, in causal order. Strides are in elements; head_dim is contiguous.
struct AttentionShape {
    std::int64_t heads = 0; ///< query heads; a multiple of kv_heads
    std::int64_t kv_heads = 0; ///< query head h reads kv head h / (heads / kv_heads)
    std::int64_t head_dim = 0;
    std::int64_t queries = 0;
    std::int64_t keys = 0;
    std::int64_t query_begin = 0; ///< position of the first query: query i sees keys 0 … query_begin + i; may be < 0
    float scale = 0; ///< of q·k, as the model's config says
    float softcap = 0; ///< scores become softcap · tanh(scale · q·k / softcap); 0: left as they are
    std::int64_t window = 0; ///< of the keys up to its own position a query sees only the last `window`; 0: all
    std::int64_t q_head_stride = 0;
    std::int64_t q_token_stride = 0;
    std::int64_t k_head_stride = 0;
    std::int64_t k_token_stride = 0;
    std::int64_t lse_head_stride = 0; ///< of row_lse (heads, queries); 0: queries
    std::int64_t sum_head_stride = 0; ///< of the sums and of key_bias (heads, keys); 0: keys
};

constexpr std::int64_t lse_stride(const AttentionShape& shape)
{
    return shape.lse_head_stride == 0 ? shape.queries : shape.lse_head_stride;
}

constexpr std::int64_t sum_stride(const AttentionShape& shape)
{
    return shape.sum_head_stride == 0 ? shape.keys : shape.sum_head_stride;
}

/// The mask, shared by the reference and every kernel.
constexpr bool sees(const AttentionShape& shape, std::int64_t query, std::int64_t key)
{
    const std::int64_t before = shape.query_begin + query - key;
    return before >= 0 && (shape.window == 0 || before < shape.window);
}

/// The first key that a query's window reaches; below 0 never.
constexpr std::int64_t first_key_of(const AttentionShape& shape, std::int64_t query)
{
    const std::int64_t first = shape.window == 0 ? 0 : shape.query_begin + query - shape.window + 1;
    return first > 0 ? first : 0;
}

/// One past the last query whose window reaches a key that some query sees.
constexpr std::int64_t end_query_of(const AttentionShape& shape, std::int64_t key)
{
    const std::int64_t end = shape.window == 0 ? shape.queries : key + shape.window - shape.query_begin;
    return end < shape.queries ? end : shape.queries;
}

} // namespace keepset::kernels
