#pragma once

#include <cstdint>
#include <filesystem>

/// Model folders that tests make on the spot, because a repository cannot hold them.
namespace made {

/// Sizes of a llama whose weights are drawn at random, one token a byte.
struct Sizes {
    std::int64_t layers = 2;
    std::int64_t hidden = 768;
    std::int64_t heads = 12;
    std::int64_t kv_heads = 4;
    std::int64_t intermediate = 3072;
    std::int64_t max_context = 16384;
};

/// Weights of 4 bytes each: about 70 MB by default.
void random_model(const std::filesystem::path& folder, const Sizes& sizes = {});

/// The tiny model whose weight file ends in a tensor of `bytes` zeros (a multiple of 8) that nothing uses: nothing to
/// compute with, and much to hash. The zeros take no room on the disk, and as float64 they count for little where
/// memory for the parameters is asked for.
void padded_model(const std::filesystem::path& folder, std::uint64_t bytes);

} // namespace made
