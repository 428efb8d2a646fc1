#include "core/error.h"
#include "core/policy/fill.h"
#include "core/words.h"

namespace keepset::policy {

namespace {

    bool goes_by_importance(const Settings& settings) { return settings.text("bridge") == "median"; }

    std::int64_t bridge_share(std::int64_t budget, std::int64_t local, const Settings& settings)
    {
        return std::min(share_of(settings.number("bridge_ratio"), budget), budget - local);
    }

    /// A criterion that does not go by the scores leaves its bridges to fill_bridges.
    kernels::SelectPlan plan_cab(const Share& share, const Settings& settings)
    {
        const std::int64_t budget = share.budget;
        const std::int64_t local = local_share(settings.number("local"), budget);
        const std::int64_t bridges = bridge_share(budget, local, settings);
        return {
            .local = local, .highest = budget - local - bridges, .median = goes_by_importance(settings) ? bridges : 0
        };
    }

    std::vector<std::int32_t> important_of(const Row& row, std::span<const Label> labels)
    {
        std::vector<std::int32_t> positions;
        for (std::size_t at = 0; at < labels.size(); ++at) {
            if (labels[at] == Label::important)
                positions.push_back(place_of(row, at));
        }
        return positions;
    }

    void fill_bridges(const Row& row, const Settings& settings, std::span<Label> labels)
    {
        if (row.left == 0) // by importance the plan takes them
            return;
        const std::string& criterion = settings.text("bridge");
        if (row.bridges == nullptr)
            throw Error(ErrorKind::usage,
                "cab(bridge=" + criterion + ") needs the attention itself, which this result does not hold.",
                "Open the model and analyse again.");
        const bool by_flow = criterion == "flow";
        const Scope scope { row.layer, row.kv_head };
        const BridgeSource::Scores made = by_flow ? row.bridges->flow(scope, important_of(row, labels), row.stop)
                                                  : row.bridges->curvature(scope, row.stop);
        const std::vector<double>& scores = *made; // (all of the text)
        take_lowest(labels, row.left, Label::bridge, [&](std::size_t at) {
            const double score = scores[static_cast<std::size_t>(place_of(row, at))];
            return by_flow ? -score : score;
        });
        if (row.bridge_scores != nullptr)
            *row.bridge_scores = scores;
    }

    /// Where bridges go by flow or curvature, of a token that was or might have been one; else empty.
    std::string explain_criterion(const Case& of)
    {
        const std::int64_t bridges = of.counts[static_cast<std::size_t>(Label::bridge)];
        if (of.criterion.empty() || of.bridge_rank == 0 || bridges == 0)
            return {};
        const std::string which = (of.criterion == "flow" ? "highest" : "lowest");
        const std::string found = "its " + of.criterion + " " + significant(of.bridge_score) + " is rank "
            + grouped(of.bridge_rank) + " among the tokens that are neither local nor important, of which " + of.title
            + " takes the " + (bridges == 1 ? which : grouped(bridges) + " " + which) + " as "
            + (bridges == 1 ? "a bridge" : "bridges");
        return of.label == Label::bridge ? "A bridge: " + found + "."
                                         : "Evicted: " + below_cut_off(of) + ", and " + found + ".";
    }

    std::string explain_cab(const Case& of)
    {
        if (!of.criterion.empty())
            return explain_criterion(of);
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

    /// CAB differs from H2O in bridges and in its local share: H2O with CAB's local share has the one without the
    /// other.
    std::optional<Control> control_of_cab(const Settings& settings, const PolicySpec& other)
    {
        if (other.name != "h2o" || settings.number("bridge_ratio") == 0)
            return std::nullopt;
        const double local = settings.number("local");
        const double of_other = Settings(find(other.name), other).number("local");
        if (local == of_other)
            return std::nullopt; // the other is the control
        return Control { { other.name, { { "local", settings.text("local") } } },
            local > of_other ? "the larger local share" : "the smaller local share", "the bridges" };
    }

} // namespace

bool better_bridge(const std::string& criterion, double score, double than)
{
    return criterion == "flow" ? score > than : score < than;
}

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
                                .default_value = "0.3" },
                { .name = "bridge_ratio", .description = "Share of the budget for bridges", .default_value = "0.2" },
                { .name = "bridge",
                    .description = "What makes a token a bridge: importance closest to the median of the rest, most "
                                   "attention passed on between important tokens (flow), or the lowest curvature of "
                                   "the attention graph",
                    .default_value = "median",
                    .kind = ParameterKind::choice,
                    .choices = { "median", "flow", "curvature" } } },
            .labels = { Label::local, Label::important, Label::bridge } },
        .plan = plan_cab,
        .fill = fill_bridges,
        .explain = explain_cab,
        .check = check_cab,
        .needs_attention = [](const Settings& settings) { return !goes_by_importance(settings); },
        .control = control_of_cab,
    };
}

} // namespace keepset::policy
