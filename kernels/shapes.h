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
    std::int64_t query_begin = 0; ///< position of the first query: query i sees keys 0 … query_begin + i
    float scale = 0; ///< of q·k, as the model's config says
    std::int64_t q_head_stride = 0;
    std::int64_t q_token_stride = 0;
    std::int64_t k_head_stride = 0;
    std::int64_t k_token_stride = 0;
};

/// The mask, shared by the reference and every kernel.
constexpr bool sees(const AttentionShape& shape, std::int64_t query, std::int64_t key)
{
    return key <= shape.query_begin + query;
}

} // namespace keepset::kernels
