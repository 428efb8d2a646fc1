#include "core/policy/policy.h"
#include "core/policy/words.h"

namespace keepset::policy {

namespace {

    /// A criterion that does not go by the scores would leave its bridges to a `fill`.
    kernels::SelectPlan plan_cab(std::int64_t budget, const Settings& settings)
    {
        const std::int64_t local = local_share(settings.number("local"), budget);
        const std::int64_t bridges = std::min(share_of(settings.number("bridge_ratio"), budget), budget - local);
        return { .local = local, .highest = budget - local - bridges, .median = bridges };
    }

    std::string explain_cab(const Case& of)
    {
        const std::int64_t bridges = of.counts[static_cast<std::size_t>(Label::bridge)];
        const std::int64_t important = of.counts[static_cast<std::size_t>(Label::important)];
        const std::int64_t local = of.counts[static_cast<std::size_t>(Label::local)];
        const std::string closest = bridges == 1 ? "the one closest to the median of what remains"
                                                 : "the " + grouped(bridges) + " closest to the median of what remains";
        if (of.label == Label::bridge)
            return "Rank " + grouped(of.rank) + " of " + grouped(of.context) + "; " + of.title + " takes the "
                + grouped(important) + " highest outside its " + counted(local, "local token") + ", then, as "
                + (bridges == 1 ? "a bridge, " : "bridges, ") + closest + ": this is "
                + (bridges == 1 ? "it." : "one of them.");
        if (of.label == Label::evicted && bridges > 0 && important > 0)
            return "Evicted: " + below_cut_off(of) + ", and it is not "
                + (bridges == 1 ? closest + ", the bridge." : "one of the bridges, " + closest + ".");
        return {};
    }

    void check_cab(const Settings& settings)
    {
        const double sum = settings.number("local") + settings.number("bridge_ratio");
        if (sum > 1 + 1e-9)
            throw Error(ErrorKind::usage,
                "cab: local and bridge_ratio add up to " + significant(sum, 6) + " of the budget.",
                "Choose shares that add up to 1 or less.");
    }

} // namespace

/// H2O's two components with a larger local share, and bridges: tokens of middling importance.
Policy cab()
{
    return {
        .info = { .name = "cab",
            .title = "CAB",
            .description
            = "Keeps the most recent tokens, those that received most attention, and bridges between them.",
            .parameters = { { .name = "local",
                                .description = "Share of the budget for the most recent tokens",
                                .default_value = "0.3",
                                .choices = {} },
                { .name = "bridge_ratio",
                    .description = "Share of the budget for bridges",
                    .default_value = "0.2",
                    .choices = {} },
                { .name = "bridge",
                    .description = "What makes a token a bridge: importance closest to the median of the rest",
                    .default_value = "median",
                    .choices = { "median" } } },
            .labels = { Label::local, Label::important, Label::bridge } },
        .plan = plan_cab,
        .explain = explain_cab,
        .check = check_cab,
        .planned_choices = { "flow", "curvature" },
    };
}

} // namespace keepset::policy
