#include "core/error.h"
#include "core/policy/select.h"
#include "core/words.h"

#include <algorithm>

namespace keepset::policy {

namespace {

    kernels::GroupReduction reduction_of(GqaReduction gqa)
    {
        return gqa == GqaReduction::mean ? kernels::GroupReduction::mean
            : gqa == GqaReduction::max   ? kernels::GroupReduction::max
                                         : kernels::GroupReduction::sum;
    }

} // namespace

kernels::ScoreRowsInputs score_rows_inputs(const ImportanceView& a, const Reduction& reduction)
{
    const std::int64_t together = reduction.granularity == Granularity::head ? 1
        : reduction.granularity == Granularity::layer                        ? a.kv_heads
                                                                             : a.layers * a.kv_heads;
    const float* const ranked = a.ranked.empty() ? nullptr : a.ranked.data();
    return { a.values.data(), ranked, a.layers, a.heads, a.kv_heads, a.context, together, reduction_of(reduction.gqa),
        reduction.importance == Importance::mean_received, a.windows.empty() ? nullptr : a.windows.data() };
}

std::vector<std::int64_t> evicting_layers(std::span<const std::int64_t> windows, std::int64_t context, Sliding sliding)
{
    const auto slides = [&](std::int64_t window) { return window > 0 && window < context; };
    if (sliding == Sliding::evict || std::ranges::none_of(windows, slides))
        return {};
    std::vector<std::int64_t> layers;
    for (std::size_t layer = 0; layer < windows.size(); ++layer) {
        if (!slides(windows[layer]))
            layers.push_back(static_cast<std::int64_t>(layer));
    }
    if (layers.empty())
        throw Error(ErrorKind::usage,
            "All " + counted(static_cast<std::int64_t>(windows.size()), "layer")
                + " have sliding windows shorter than the context of " + counted(context, "token")
                + ", so that with sliding=keep nothing would be evicted.",
            "Choose sliding=evict, which evicts in sliding layers, too.");
    return layers;
}

namespace {

    /// Importance of some layers.
    struct SomeLayers {
        std::vector<float> values;
        std::vector<float> ranked;
        std::vector<std::int64_t> windows;
        ImportanceView view;

        SomeLayers(const ImportanceView& of, const std::vector<std::int64_t>& layers)
            : view(of)
        {
            values = some(of, of.values, layers);
            if (!of.ranked.empty())
                ranked = some(of, of.ranked, layers);
            for (const std::int64_t layer : layers)
                windows.push_back(of.windows[static_cast<std::size_t>(layer)]);
            view.values = values;
            view.ranked = ranked;
            view.windows = windows;
            view.layers = static_cast<std::int64_t>(layers.size());
        }

    private:
        static std::vector<float> some(
            const ImportanceView& of, std::span<const float> all, const std::vector<std::int64_t>& layers)
        {
            const auto size = static_cast<std::size_t>(of.heads * of.context);
            std::vector<float> part;
            part.reserve(layers.size() * size);
            for (const std::int64_t layer : layers) {
                const auto one = all.subspan(static_cast<std::size_t>(layer) * size, size);
                part.insert(part.end(), one.begin(), one.end());
            }
            return part;
        }
    };

    void check_sizes(const ImportanceView& a, const Importance& mode)
    {
        const std::size_t by_last_queries = mode.last_queries() > 0 ? a.values.size() : 0;
        if (a.ranked.size() != by_last_queries)
            throw Error(ErrorKind::internal,
                "Importance '" + name_of(mode) + "' was to be ranked by " + std::to_string(a.ranked.size())
                    + " values of its own.");
        const bool right = a.layers > 0 && a.kv_heads > 0 && a.context > 0 && a.heads > 0 && a.heads % a.kv_heads == 0
            && static_cast<std::int64_t>(a.values.size()) == a.layers * a.heads * a.context
            && (a.windows.empty() || static_cast<std::int64_t>(a.windows.size()) == a.layers);
        if (!right)
            throw Error(ErrorKind::internal,
                "Importance of " + std::to_string(a.values.size()) + " values is not (" + std::to_string(a.layers)
                    + " layers, " + std::to_string(a.heads) + " heads, " + std::to_string(a.context) + " tokens) for "
                    + std::to_string(a.kv_heads) + " kv heads and " + std::to_string(a.windows.size())
                    + " windows of layers.");
    }

    [[noreturn]] void refuse_scope(const ImportanceView& a, const Scope& scope)
    {
        throw Error(ErrorKind::usage,
            "Layer " + std::to_string(scope.layer) + ", kv head " + std::to_string(scope.kv_head)
                + " is outside a model of " + counted(a.layers, "layer") + " and " + counted(a.kv_heads, "kv head")
                + ".",
            "Layers and kv heads count from 0; -1 stands for all, and a kv head needs a layer.");
    }

    void check_scope(const ImportanceView& a, const Scope& scope)
    {
        if (scope.layer < -1 || scope.layer >= a.layers || scope.kv_head < -1 || scope.kv_head >= a.kv_heads
            || (scope.layer < 0 && scope.kv_head >= 0))
            refuse_scope(a, scope);
    }

    /// Adds to `sum` (context) what the query heads of one kv head come to: kernels::group_score of every position,
    /// head after head, so that many positions are looked at in a step. `value` (context): to work in.
    void add_kv_head(const ImportanceView& a, const Scope& row, const Reduction& reduction, std::span<double> value,
        std::span<double> sum)
    {
        const kernels::ScoreRowsInputs inputs = score_rows_inputs(a, reduction);
        const std::int64_t group = a.heads / a.kv_heads;
        const float* head = kernels::ranked_of(inputs) + (row.layer * a.heads + row.kv_head * group) * a.context;
        std::copy_n(head, value.size(), value.begin());
        for (std::int64_t other = 1; other < group; ++other) {
            head += a.context;
            for (std::size_t j = 0; j < value.size(); ++j) {
                const auto more = static_cast<double>(head[j]);
                if (inputs.reduction == kernels::GroupReduction::max)
                    value[j] = value[j] != value[j] || value[j] > more ? value[j] : more;
                else
                    value[j] += more;
            }
        }
        const double share = inputs.reduction == kernels::GroupReduction::mean ? 1.0 / static_cast<double>(group) : 1.0;
        if (!inputs.per_query) {
            for (std::size_t j = 0; j < value.size(); ++j)
                sum[j] += value[j] * share;
            return;
        }
        for (std::size_t j = 0; j < value.size(); ++j) {
            const auto queries
                = static_cast<double>(kernels::queries_that_see(inputs, row.layer, static_cast<std::int64_t>(j)));
            sum[j] += value[j] * share / queries;
        }
    }

    /// Mean over the kv heads of a scope, (context). -1 in a scope stands for all.
    std::vector<double> mean_over(const ImportanceView& a, const Scope& scope, const Reduction& reduction)
    {
        std::vector<double> sum(static_cast<std::size_t>(a.context), 0.0);
        std::vector<double> one(sum.size());
        const auto range = [](std::int64_t chosen, std::int64_t all) {
            return std::pair(chosen < 0 ? 0 : chosen, chosen < 0 ? all : chosen + 1);
        };
        const auto [first_layer, last_layer] = range(scope.layer, a.layers);
        const auto [first_head, last_head] = range(scope.kv_head, a.kv_heads);
        for (std::int64_t layer = first_layer; layer < last_layer; ++layer) {
            for (std::int64_t kv_head = first_head; kv_head < last_head; ++kv_head)
                add_kv_head(a, { layer, kv_head }, reduction, one, sum);
        }
        const auto rows = static_cast<double>((last_layer - first_layer) * (last_head - first_head));
        for (double& value : sum)
            value /= rows;
        return sum;
    }

} // namespace

ScoreRows score_rows(const ImportanceView& importance, const Reduction& reduction)
{
    check_sizes(importance, reduction.importance);
    const auto context = static_cast<std::size_t>(importance.context);
    ScoreRows rows { reduction, importance.layers, importance.kv_heads, importance.context, {}, {} };
    rows.evicting = evicting_layers(importance.windows, importance.context, reduction.sliding);
    if (!rows.evicting.empty()) {
        const SomeLayers some(importance, rows.evicting);
        Reduction plain;
        plain.sliding = Sliding::evict;
        rows.mass = score_rows(importance.cumulative(), plain).mass;
        Reduction all = reduction;
        all.sliding = Sliding::evict;
        rows.scores = score_rows(some.view, all).scores;
        return rows;
    }
    const kernels::ScoreRowsInputs inputs = score_rows_inputs(importance, reduction);
    rows.scores.resize(static_cast<std::size_t>(importance.layers * importance.kv_heads / inputs.together) * context);
    rows.mass.resize(static_cast<std::size_t>(importance.layers * importance.kv_heads) * context);
    kernels::score_rows_cpu(inputs, rows.scores.data(), rows.mass.data(), 1);
    return rows;
}

std::vector<float> query_head_scores(const ImportanceView& importance, std::int64_t layer, const Importance& mode)
{
    check_sizes(importance, mode);
    if (layer < 0)
        refuse_scope(importance, { layer, -1 });
    check_scope(importance, { layer, -1 });
    const auto context = static_cast<std::size_t>(importance.context);
    const auto size = static_cast<std::size_t>(importance.heads) * context;
    const std::span<const float> all = importance.ranked.empty() ? importance.values : importance.ranked;
    const std::span<const float> values = all.subspan(static_cast<std::size_t>(layer) * size, size);
    std::vector<float> scores(values.begin(), values.end());
    if (mode != Importance::mean_received)
        return scores;
    const kernels::ScoreRowsInputs inputs = score_rows_inputs(importance, {});
    for (std::size_t index = 0; index < size; ++index) {
        const auto j = static_cast<std::int64_t>(index % context);
        const auto queries = static_cast<double>(kernels::queries_that_see(inputs, layer, j));
        scores[index] = static_cast<float>(static_cast<double>(scores[index]) / queries);
    }
    return scores;
}

RowScores score_scope(const ImportanceView& importance, const Scope& scope, const Reduction& reduction)
{
    check_sizes(importance, reduction.importance);
    check_scope(importance, scope);
    const std::vector<std::int64_t> evicting
        = evicting_layers(importance.windows, importance.context, reduction.sliding);
    if (scope.layer < 0 && !evicting.empty()) {
        const SomeLayers some(importance, evicting);
        Reduction all = reduction;
        all.sliding = Sliding::evict;
        return score_scope(some.view, scope, all);
    }
    const std::vector<double> scores = mean_over(importance, scope, reduction);
    const bool of_mass = reduction.importance == Importance::cumulative && reduction.gqa == GqaReduction::mean;
    return { scope, reduction.importance, reduction.gqa, { scores.begin(), scores.end() },
        of_mass ? scores : mean_over(importance.cumulative(), scope, {}) };
}

} // namespace keepset::policy
