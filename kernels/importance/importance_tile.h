// The vectorised column sums of one key tile, for the instruction set that the including file is compiled for. That
// file defines KEEPSET_VARIANT (the namespace), KEEPSET_LANES (floats a vector), KEEPSET_PANEL_VECTORS and
// KEEPSET_QUERY_ROWS (the register block). No function of another header is used here: one emitted by this file with
// wide instructions could be the copy that the linker keeps for everyone.
#include "kernels/importance/importance_variant.h"
#include "kernels/score_rule.h"

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

    /// tanh x to 3e-7 relative, NaN for NaN: a minimax fit of x + x³·P(x²) near 0, relative error 1e-9, beyond it
    /// 1 - 2 / (e^2x + 1), which would cancel near 0.
    inline Floats hyperbolic_tangent(Floats x)
    {
        const Floats size = x < Floats {} ? -x : x;
        const Floats far = 1.0F - 2.0F / (exponential(size + size) + 1.0F);
        const Floats square = x * x;
        Floats p = square * -6.2742394e-3F + 2.1071679e-2F;
        p = p * square - 5.3852310e-2F;
        p = p * square + 1.3332586e-1F;
        p = p * square - 3.3333318e-1F;
        const Floats near = x + x * (square * p);
        const Floats signed_far = x < Floats {} ? -far : far;
        return size < Floats {} + 0.55F ? near : signed_far;
    }

    struct VectorMath {
        static Floats tanh(Floats x) { return hyperbolic_tangent(x); }
    };

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
    /// last panel is filled up with its last key. Marks keys with a value or a bias that is not finite. With a cap the
    /// scores come out divided by it.
    void pack(const KeyTile& tile, float* packed, bool* poisoned)
    {
        const float scale = score_factor(tile.scale, tile.softcap);
        for (std::int64_t begin = 0; begin < tile.keys; begin += panel_keys) {
            const float* k[panel_keys]; // (panel_keys, head_dim)
            for (std::int64_t lane = 0; lane < panel_keys; ++lane) {
                const std::int64_t key = begin + lane < tile.keys ? begin + lane : tile.keys - 1;
                k[lane] = tile.k + key * tile.k_stride;
                poisoned[begin + lane]
                    = !finite_row(k[lane], tile.head_dim) || (tile.bias != nullptr && !finite_row(tile.bias + key, 1));
            }
            for (std::int64_t dim = 0; dim < tile.head_dim; ++dim) {
                for (const float* key : k)
                    *packed++ = key[dim] * scale;
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

    /// What a panel's scores become: capped, then biased by (panel_keys), and which keys row r sees: those from
    /// `hidden` + r up to `visible` + r.
    struct PanelRule {
        float softcap = 0;
        const float* bias = nullptr;
        std::int32_t hidden = 0;
        std::int32_t visible = 0;
    };

    /// e^(score - lse) after the cap and the bias.
    template <bool plain> inline Floats weight_of(Floats score, [[maybe_unused]] float softcap, Floats bias, float lse)
    {
        if constexpr (plain)
            return exponential(score - lse);
        return exponential(exponent_of(capped<VectorMath>(score, softcap), bias, lse));
    }

    /// Adds e^(score - lse) to partial (panel_keys). `masked`: some row does not see some key; `plain`: no cap and no
    /// bias.
    template <bool masked, bool plain> [[gnu::noinline]] void add_probabilities(
        const float* scores, const float* lse, const PanelRule& rule, float* partial)
    {
        const auto* bias = reinterpret_cast<const Floats*>(rule.bias); // (vectors)
        const auto* in = reinterpret_cast<const Floats*>(scores); // (rows, vectors)
        auto* sums = reinterpret_cast<Floats*>(partial); // (vectors)
        Ints index;
        for (int lane = 0; lane < lanes; ++lane)
            index[lane] = lane;
        for (int vector = 0; vector < vectors; ++vector) {
            Floats total = {};
#pragma GCC unroll 16
            for (int row = 0; row < rows; ++row) {
                Floats weight = weight_of<plain>(in[row * vectors + vector], rule.softcap, bias[vector], lse[row]);
                if constexpr (masked) {
                    const std::int32_t row_begin = row - vector * lanes;
                    weight = index < Ints {} + (rule.visible + row_begin) ? weight : Floats {};
                    weight = index < Ints {} + (rule.hidden + row_begin) ? Floats {} : weight;
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

    /// One query block against all panels of the tile that it sees. bias (tile's keys) where not `plain`.
    template <bool plain> void add_to_panels(
        const KeyTile& tile, const QueryBlock& block, const float* packed, const float* bias, float* partial)
    {
        alignas(64) float scores[rows * panel_keys];
        PanelRule rule;
        rule.softcap = tile.softcap;
        for (std::int64_t begin = 0; begin < tile.keys; begin += panel_keys) {
            const std::int64_t visible = block.first + tile.diagonal + 1 - begin; // keys of the panel up to row 0's own
            if (visible + rows <= 1)
                break;
            const std::int64_t hidden = tile.window == 0 ? -rows : visible - tile.window; // before row 0's window
            if (hidden >= panel_keys)
                continue;
            // Held to the panel's size, so that they fit 32 bits.
            rule.visible = static_cast<std::int32_t>(visible < panel_keys ? visible : panel_keys);
            rule.hidden = static_cast<std::int32_t>(hidden > -rows ? hidden : -rows);
            rule.bias = bias + begin;
            multiply(block, packed + begin * tile.head_dim, tile.head_dim, scores);
            if (visible >= panel_keys && hidden + rows <= 1)
                add_probabilities<false, plain>(scores, block.lse, rule, partial + begin);
            else
                add_probabilities<true, plain>(scores, block.lse, rule, partial + begin);
        }
    }

    template <bool plain> void column_sums_of(const KeyTile& tile, float* packed, double* sums)
    {
        alignas(64) float partial[max_tile_keys] = {};
        alignas(64) float bias[max_tile_keys] = {};
        bool poisoned[max_tile_keys] = {};
        pack(tile, packed, poisoned);
        for (std::int64_t key = 0; tile.bias != nullptr && key < tile.keys; ++key)
            bias[key] = tile.bias[key];
        for (std::int64_t key = 0; key < tile.keys; ++key)
            sums[key] = 0;
        int blocks = 0;
        for (std::int64_t query = tile.first_query; query < tile.queries; query += rows) {
            add_to_panels<plain>(tile, query_block(tile, query), packed, bias, partial);
            if (++blocks % flush_blocks == 0)
                flush(partial, sums, tile.keys);
        }
        flush(partial, sums, tile.keys);
        for (std::int64_t key = 0; key < tile.keys; ++key) {
            if (poisoned[key])
                sums[key] = __builtin_nan("");
        }
    }

    void column_sums(const KeyTile& tile, float* packed, double* sums)
    {
        if (tile.softcap == 0 && tile.bias == nullptr)
            column_sums_of<true>(tile, packed, sums);
        else
            column_sums_of<false>(tile, packed, sums);
    }

    /// e^(score - lse) of a block's first `count` queries and a panel into out (count, stride).
    template <bool plain> void write_probabilities(const float* scores, const QueryBlock& block, std::int64_t count,
        const PanelRule& rule, float* out, std::int64_t stride)
    {
        const auto* bias = reinterpret_cast<const Floats*>(rule.bias); // (vectors)
        const auto* in = reinterpret_cast<const Floats*>(scores); // (rows, vectors)
        for (std::int64_t row = 0; row < count; ++row) {
            auto* weights = reinterpret_cast<Floats*>(out + row * stride); // (vectors)
            for (int vector = 0; vector < vectors; ++vector)
                weights[vector]
                    = weight_of<plain>(in[row * vectors + vector], rule.softcap, bias[vector], block.lse[row]);
        }
    }

    template <bool plain> void probabilities_of(const KeyTile& tile, float* packed, float* out, std::int64_t stride)
    {
        alignas(64) float scores[rows * panel_keys];
        alignas(64) float bias[max_tile_keys] = {};
        bool poisoned[max_tile_keys] = {};
        pack(tile, packed, poisoned);
        for (std::int64_t key = 0; tile.bias != nullptr && key < tile.keys; ++key)
            bias[key] = tile.bias[key];
        PanelRule rule;
        rule.softcap = tile.softcap;
        for (std::int64_t query = tile.first_query; query < tile.queries; query += rows) {
            const QueryBlock block = query_block(tile, query);
            const std::int64_t count = tile.queries - query < rows ? tile.queries - query : rows;
            float* out_rows = out + (query - tile.first_query) * stride;
            for (std::int64_t begin = 0; begin < tile.keys; begin += panel_keys) {
                rule.bias = bias + begin;
                multiply(block, packed + begin * tile.head_dim, tile.head_dim, scores);
                write_probabilities<plain>(scores, block, count, rule, out_rows + begin, stride);
            }
        }
        for (std::int64_t key = 0; key < tile.keys; ++key) {
            for (std::int64_t row = 0; poisoned[key] && row < tile.queries - tile.first_query; ++row)
                out[row * stride + key] = __builtin_nanf("");
        }
    }

    void probabilities(const KeyTile& tile, float* packed, float* out, std::int64_t stride)
    {
        if (tile.softcap == 0 && tile.bias == nullptr)
            probabilities_of<true>(tile, packed, out, stride);
        else
            probabilities_of<false>(tile, packed, out, stride);
    }

} // namespace

extern const ImportanceVariant variant;
const ImportanceVariant variant = { KEEPSET_VARIANT_NAME, panel_keys, column_sums, probabilities };

} // namespace keepset::kernels::KEEPSET_VARIANT
