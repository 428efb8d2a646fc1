#include "core/device/tensors.h"
#include "core/policy/choosing.h"
#include "core/words.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/scatter.h>
#include <ATen/ops/topk.h>

#include <limits>

namespace keepset::policy {

namespace {

    /// Finaliser of SplitMix64 (Steele, Lea, Flood 2014) after its increment: a bijection of 64-bit numbers.
    std::uint64_t mix(std::uint64_t value)
    {
        value += 0x9e3779b97f4a7c15U;
        value = (value ^ (value >> 30U)) * 0xbf58476d1ce4e5b9U;
        value = (value ^ (value >> 27U)) * 0x94d049bb133111ebU;
        return value ^ (value >> 31U);
    }

    /// A number as the tensors of ATen hold it: two's complement, in which sums and products wrap alike.
    std::int64_t same_bits(std::uint64_t value) { return static_cast<std::int64_t>(value); }

    at::Tensor shifted(const at::Tensor& value, int bits) // as unsigned numbers are
    {
        return value.bitwise_right_shift(at::Scalar(bits))
            .bitwise_and_(at::Scalar(same_bits(~std::uint64_t { 0 } >> static_cast<unsigned>(bits))));
    }

    /// mix of every number, int64.
    at::Tensor mix(const at::Tensor& numbers)
    {
        at::Tensor value = numbers + same_bits(0x9e3779b97f4a7c15U);
        value = value.bitwise_xor(shifted(value, 30)).mul_(same_bits(0xbf58476d1ce4e5b9U));
        value = value.bitwise_xor(shifted(value, 27)).mul_(same_bits(0x94d049bb133111ebU));
        return value.bitwise_xor(shifted(value, 31));
    }

    /// What every row is drawn by: (score rows) int64.
    at::Tensor row_seeds(const Choosing& from, const Settings& settings)
    {
        const ScoreTable& table = from.table;
        const SelectRequest& request = from.point.request;
        std::vector<std::int64_t> seeds;
        seeds.reserve(static_cast<std::size_t>(table.rows()));
        for (std::int64_t index = 0; index < table.rows(); ++index) {
            const Row row = row_at(table.reduction, table.kv_heads, index, table.evicting);
            const Scope of = from.scope ? *from.scope : Scope { row.layer, row.kv_head };
            std::uint64_t seed = mix(settings.given("seed") ? settings.whole("seed") : request.seed);
            for (const std::int64_t part : { request.window, of.layer, of.kv_head })
                seed = mix(seed ^ static_cast<std::uint64_t>(part));
            seeds.push_back(same_bits(seed));
        }
        return to_device(seeds, table.device());
    }

    at::Tensor choose(const Choosing& from, const Settings& settings)
    {
        const at::Tensor labels = from.labels(from.table.of(""), from.point.plan); // what is protected
        const std::int64_t left = from.point.share.budget - from.point.plan.sinks - from.point.plan.local;
        if (left <= 0)
            return labels;
        const Pinned& pinned = from.point.pinned;
        const auto options = at::TensorOptions(at::kLong).device(from.table.device());
        at::Tensor positions = at::arange(from.table.context, options);
        if (!pinned.none()) // they stand elsewhere in the text
            positions = to_device(std::span<const std::int32_t>(pinned.free), from.table.device()).to(at::kLong);
        // The highest as unsigned numbers. mix is a bijection, so no two positions of a row tie.
        constexpr std::int64_t lowest = std::numeric_limits<std::int64_t>::min();
        const at::Tensor drawn = mix(row_seeds(from, settings).unsqueeze(1).bitwise_xor(positions))
                                     .bitwise_xor_(at::Scalar(lowest))
                                     .masked_fill_(labels.ne(0), lowest);
        return labels.scatter(1, std::get<1>(drawn.topk(left, 1, true, false)), static_cast<std::int64_t>(Label::kept));
    }

    std::string explain_random(const Case& of)
    {
        const std::string how = " by chance: " + of.title + " draws " + grouped(of.budget) + " of "
            + counted(of.context, "token") + " without looking at importance.";
        return (of.label == Label::evicted ? "Evicted" : "Kept") + how;
    }

} // namespace

Policy random()
{
    return {
        .info = { .name = "random",
            .title = "Random",
            .description = "Keeps tokens drawn by chance, another draw for every window, layer and kv head.",
            .parameters = { { .name = "seed",
                .description = "Seed of the draw; the seed of the run where it is not set",
                .default_value = "",
                .kind = ParameterKind::whole,
                .maximum = 9007199254740991.0 } },
            .labels = { Label::kept },
            .ranks_by = ScoreOf::nothing },
        .choose = choose,
        .explain = explain_random,
    };
}

} // namespace keepset::policy
