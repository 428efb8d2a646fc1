#include "core/policy/fill.h"
#include "core/words.h"

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

    void fill_random(const Row& row, const Settings& settings, std::span<Label> labels)
    {
        std::uint64_t of_row = mix(settings.given("seed") ? settings.whole("seed") : row.seed);
        for (const std::int64_t part : { row.window, row.layer, row.kv_head })
            of_row = mix(of_row ^ static_cast<std::uint64_t>(part));
        // The k highest; mix is a bijection, so no two positions of a row tie.
        take_lowest(labels, row.left, Label::kept,
            [&](std::size_t at) { return ~mix(of_row ^ static_cast<std::uint64_t>(place_of(row, at))); });
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
        .fill = fill_random,
        .explain = explain_random,
    };
}

} // namespace keepset::policy
