// The vectorised column sums of one key tile, for the instruction set that the including file is compiled for. That
// file defines KEEPSET_VARIANT (the namespace), KEEPSET_LANES (floats a vector), KEEPSET_PANEL_VECTORS and
// KEEPSET_QUERY_ROWS (the register block). No function of another header is used here: one emitted by this file with
// wide instructions could be the copy that the linker keeps for everyone.
#include "kernels/importance_variant.h"

namespace keepset::kernels::KEEPSET_VARIANT {
namespace {

    constexpr int lanes = KEEPSET_LANES;
    constexpr int vectors = KEEPSET_PANEL_VECTORS; ///< key vectors of a panel
    constexpr int rows = KEEPSET_QUERY_ROWS; ///< queries of a block
    constexpr int panel_keys = lanes * vectors;
    constexpr int flush_blocks
        = 16; ///< query blocks summed in float before they go to double: below 22 roundings in a row

    using Floats = float __attribute__((vector_size(lanes * 4), may_alias));
    using Ints = std::int32_t __attribute__((vector_size(lanes * 4), may_alias));

    /// Queries of one step: tail rows repeat the last query with lse = +inf, which adds exp(-inf) = 0.
    struct QueryBlock {
        const float* q[rows]; // (rows, head_dim)
        float lse[rows];
        std::int64_t first = 0;
    };

    /// e^x to 1.2e-7 relative, 0 below -87.7, +inf above 88.7, NaN for NaN. x = n·ln 2 + r; ln 2 in two parts, the
    /// first of 9 bits so that n times it is exact; the polynomial is a minimax fit of e^r on |r| ≤ ln(2)/2, relative
    /// error 2e-9.
    inline Floats exponential(Floats x)
    {
        constexpr float round_magic = 12582912.0F; // 1.5·2^23: adding it rounds to an integer, kept in the low bits
        const Floats low = Floats {} - 88.1F;
        const Floats high = Floats {} + 88.8F;
        x = x < low ? low : x;
        x = x > high ? high : x;
        const Floats shifted = x * 1.44269504F + round_magic;
        const Floats n = shifted - round_magic;
        const Floats r = (x - n * 0.693359375F) - n * -2.12194440e-4F;
        Floats p = r * 1.3836793368682265e-3F + 8.374856784939766e-3F;
        p = p * r + 4.1668228805065155e-2F;
        p = p * r + 1.6666419804096222e-1F;
        p = p * r + 4.9999991059303284e-1F;
        p = p * r + 1.0F;
        p = p * r + 1.0F;
        // 2^n by its bits: n = -127 gives 0 and n = 128 gives +inf. The magic number's own bits are shifted out.
        const Ints exponent = ((Ints)shifted + 127) << 23;
        return p * (Floats)exponent;
    }

    /// Whether no value has an exponent of all ones. Integers, so that it vectorises.
    bool finite_row(const float* values, std::int64_t count)
    {
        constexpr std::uint32_t exponent = 0x7f800000U;
        std::uint32_t bad = 0;
        for (std::int64_t at = 0; at < count; ++at)
            bad |= static_cast<std::uint32_t>((__builtin_bit_cast(std::uint32_t, values[at]) & exponent) == exponent);
        return bad == 0;
    }

    /// Packs the tile as (panels, head_dim, panel_keys), scaled, so that a step loads consecutive keys of one dim; the
    /// last panel is filled up with its last key. Marks keys with a value that is not finite.
    void pack(const KeyTile& tile, float* packed, bool* poisoned)
    {
        for (std::int64_t begin = 0; begin < tile.keys; begin += panel_keys) {
            const float* k[panel_keys]; // (panel_keys, head_dim)
            for (std::int64_t lane = 0; lane < panel_keys; ++lane) {
                const std::int64_t key = begin + lane < tile.keys ? begin + lane : tile.keys - 1;
                k[lane] = tile.k + key * tile.k_stride;
                poisoned[begin + lane] = !finite_row(k[lane], tile.head_dim);
            }
            for (std::int64_t dim = 0; dim < tile.head_dim; ++dim) {
                for (const float* key : k)
                    *packed++ = key[dim] * tile.scale;
            }
        }
    }

    QueryBlock query_block(const KeyTile& tile, std::int64_t first)
    {
        QueryBlock block;
        block.first = first;
        for (int row = 0; row < rows; ++row) {
            const bool real = first + row < tile.queries;
            const std::int64_t query = real ? first + row : tile.queries - 1;
            block.q[row] = tile.q + query * tile.q_stride;
            block.lse[row] = real ? tile.lse[query] : __builtin_inff();
        }
        return block;
    }

    /// q·k of a block with one panel into scores (rows, panel_keys). A function of its own, so that every register is a
    /// sum.
    [[gnu::noinline]] void multiply(const QueryBlock& block, const float* panel, std::int64_t head_dim, float* scores)
    {
        const float* q[rows]; // (rows, head_dim)
        for (int row = 0; row < rows; ++row)
            q[row] = block.q[row];
        Floats sums[rows][vectors] = {};
        for (std::int64_t dim = 0; dim < head_dim; ++dim) {
            const auto* keys = reinterpret_cast<const Floats*>(panel + dim * panel_keys); // (vectors)
#pragma GCC unroll 16
            for (int row = 0; row < rows; ++row) {
                const float query = q[row][dim];
#pragma GCC unroll 4
                for (int vector = 0; vector < vectors; ++vector)
                    sums[row][vector] += query * keys[vector];
            }
        }
        auto* out = reinterpret_cast<Floats*>(scores); // (rows, vectors)
#pragma GCC unroll 16
        for (int row = 0; row < rows; ++row) {
#pragma GCC unroll 4
            for (int vector = 0; vector < vectors; ++vector)
                out[row * vectors + vector] = sums[row][vector];
        }
    }

    /// Adds e^(score - lse) to partial (panel_keys). `masked`: some scores are above the diagonal; row r then sees the
    /// first `visible + r` keys of the panel.
    template <bool masked> [[gnu::noinline]] void add_probabilities(
        const float* scores, const float* lse, std::int64_t visible, float* partial)
    {
        const auto* in = reinterpret_cast<const Floats*>(scores); // (rows, vectors)
        auto* sums = reinterpret_cast<Floats*>(partial); // (vectors)
        Ints index;
        for (int lane = 0; lane < lanes; ++lane)
            index[lane] = lane;
        for (int vector = 0; vector < vectors; ++vector) {
            Floats total = {};
#pragma GCC unroll 16
            for (int row = 0; row < rows; ++row) {
                Floats weight = exponential(in[row * vectors + vector] - lse[row]);
                if constexpr (masked) {
                    const Ints limit = Ints {} + static_cast<std::int32_t>(visible + row - vector * lanes);
                    weight = index < limit ? weight : Floats {};
                }
                total += weight;
            }
            sums[vector] += total;
        }
    }

    void flush(float* partial, double* sums, std::int64_t keys)
    {
        for (std::int64_t key = 0; key < keys; ++key) {
            sums[key] += static_cast<double>(partial[key]);
            partial[key] = 0;
        }
    }

    /// One query block against all panels of the tile that it sees.
    void add_to_panels(const KeyTile& tile, const QueryBlock& block, const float* packed, float* partial)
    {
        alignas(64) float scores[rows * panel_keys];
        for (std::int64_t begin = 0; begin < tile.keys; begin += panel_keys) {
            const std::int64_t visible = block.first + tile.diagonal + 1 - begin; // keys of the panel that row 0 sees
            if (visible + rows <= 1)
                break;
            multiply(block, packed + begin * tile.head_dim, tile.head_dim, scores);
            if (visible >= panel_keys)
                add_probabilities<false>(scores, block.lse, visible, partial + begin);
            else
                add_probabilities<true>(scores, block.lse, visible, partial + begin);
        }
    }

    void column_sums(const KeyTile& tile, float* packed, double* sums)
    {
        alignas(64) float partial[max_tile_keys] = {};
        bool poisoned[max_tile_keys] = {};
        pack(tile, packed, poisoned);
        for (std::int64_t key = 0; key < tile.keys; ++key)
            sums[key] = 0;
        int blocks = 0;
        for (std::int64_t query = tile.first_query; query < tile.queries; query += rows) {
            add_to_panels(tile, query_block(tile, query), packed, partial);
            if (++blocks % flush_blocks == 0)
                flush(partial, sums, tile.keys);
        }
        flush(partial, sums, tile.keys);
        for (std::int64_t key = 0; key < tile.keys; ++key) {
            if (poisoned[key])
                sums[key] = __builtin_nan("");
        }
    }

} // namespace

extern const ImportanceVariant variant;
const ImportanceVariant variant = { KEEPSET_VARIANT_NAME, panel_keys, column_sums };

} // namespace keepset::kernels::KEEPSET_VARIANT
