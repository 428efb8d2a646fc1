// Triangles of one token by bit sets, for the instruction set that the including file is compiled for. That file
// defines KEEPSET_VARIANT (the namespace). No function of another header is used here: one emitted by this file with
// wide instructions could be the copy that the linker keeps for everyone.
#include "kernels/bridges/triangles_variant.h"

namespace keepset::kernels::KEEPSET_VARIANT {
namespace {

    inline std::int64_t count_bits(std::uint64_t word)
    {
#ifdef __POPCNT__
        return __builtin_popcountll(word);
#else
        // Sums of 2, 4 and 8 bits side by side, then of all bytes: vectorises with the plainest instructions.
        word = word - (word >> 1 & 0x5555555555555555U);
        word = (word & 0x3333333333333333U) + (word >> 2 & 0x3333333333333333U);
        word = (word + (word >> 4)) & 0x0f0f0f0f0f0f0f0fU;
        word = word + (word >> 8);
        word = word + (word >> 16);
        return static_cast<std::int64_t>((word + (word >> 32)) & 0xffU);
#endif
    }

    std::int64_t degree(const AttentionGraph& graph, std::int64_t node)
    {
        const std::uint64_t* row = graph.bits + node * graph.words;
        std::int64_t count = 0;
        for (std::int64_t word = 0; word < graph.words; ++word)
            count += count_bits(row[word]);
        return count;
    }

    /// Neighbours of the token that come before `end` and are joined to `other`.
    std::int64_t common_before(const std::uint64_t* node, const std::uint64_t* other, std::int64_t end)
    {
        const std::int64_t whole = end / 64;
        std::int64_t count = 0;
        for (std::int64_t word = 0; word < whole; ++word)
            count += count_bits(node[word] & other[word]);
        const std::uint64_t rest = (std::uint64_t { 1 } << (end % 64)) - 1;
        return count + count_bits(node[whole] & other[whole] & rest);
    }

    /// A triangle has two neighbours of the token: it is counted at the later one.
    std::int64_t triangles(const AttentionGraph& graph, std::int64_t node)
    {
        const std::uint64_t* row = graph.bits + node * graph.words;
        std::int64_t count = 0;
        for (std::int64_t word = 0; word < graph.words; ++word) {
            for (std::uint64_t left = row[word]; left != 0; left &= left - 1) {
                const std::int64_t neighbour = word * 64 + __builtin_ctzll(left);
                count += common_before(row, graph.bits + neighbour * graph.words, neighbour);
            }
        }
        return count;
    }

} // namespace

extern const TrianglesVariant triangles_variant;
const TrianglesVariant triangles_variant = { KEEPSET_VARIANT_NAME, degree, triangles };

} // namespace keepset::kernels::KEEPSET_VARIANT
