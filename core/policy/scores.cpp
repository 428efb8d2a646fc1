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
    return { a.values.data(), a.layers, a.heads, a.kv_heads, a.context, together, reduction_of(reduction.gqa),
        reduction.importance == Importance::mean_received };
}

namespace {

    void check_sizes(const ImportanceView& a)
    {
        const bool right = a.layers > 0 && a.kv_heads > 0 && a.context > 0 && a.heads > 0 && a.heads % a.kv_heads == 0
            && static_cast<std::int64_t>(a.values.size()) == a.layers * a.heads * a.context;
        if (!right)
            throw Error(ErrorKind::internal,
                "Importance of " + std::to_string(a.values.size()) + " values is not (" + std::to_string(a.layers)
                    + " layers, " + std::to_string(a.heads) + " heads, " + std::to_string(a.context) + " tokens) for "
                    + std::to_string(a.kv_heads) + " kv heads.");
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

    /// Adds to `sum` (context) what the query heads of one kv head come to.
    void add_kv_head(const ImportanceView& a, const Scope& row, GqaReduction gqa, std::span<double> sum)
    {
        const kernels::ScoreRowsInputs inputs = score_rows_inputs(a, {});
        for (std::size_t j = 0; j < sum.size(); ++j)
            sum[j] += kernels::group_score(
                inputs, row.layer * a.kv_heads + row.kv_head, static_cast<std::int64_t>(j), reduction_of(gqa));
    }

    /// Mean over the kv heads of a scope, (context). -1 in a scope stands for all.
    std::vector<double> mean_over(const ImportanceView& a, const Scope& scope, GqaReduction gqa)
    {
        std::vector<double> sum(static_cast<std::size_t>(a.context), 0.0);
        const auto range = [](std::int64_t chosen, std::int64_t all) {
            return std::pair(chosen < 0 ? 0 : chosen, chosen < 0 ? all : chosen + 1);
        };
        const auto [first_layer, last_layer] = range(scope.layer, a.layers);
        const auto [first_head, last_head] = range(scope.kv_head, a.kv_heads);
        for (std::int64_t layer = first_layer; layer < last_layer; ++layer) {
            for (std::int64_t kv_head = first_head; kv_head < last_head; ++kv_head)
                add_kv_head(a, { layer, kv_head }, gqa, sum);
        }
        const auto rows = static_cast<double>((last_layer - first_layer) * (last_head - first_head));
        for (double& value : sum)
            value /= rows;
        return sum;
    }

    /// Scores as policies see them, into `out` (context).
    void finish_scores(std::span<const double> mean, Importance importance, std::span<float> out)
    {
        for (std::size_t j = 0; j < mean.size(); ++j) {
            const auto queries = static_cast<double>(mean.size() - j); // that see key j
            out[j] = static_cast<float>(importance == Importance::mean_received ? mean[j] / queries : mean[j]);
        }
    }

} // namespace

ScoreRows score_rows(const ImportanceView& importance, const Reduction& reduction)
{
    check_sizes(importance);
    const auto context = static_cast<std::size_t>(importance.context);
    ScoreRows rows { reduction, importance.layers, importance.kv_heads, importance.context, {}, {} };
    const kernels::ScoreRowsInputs inputs = score_rows_inputs(importance, reduction);
    rows.scores.resize(static_cast<std::size_t>(importance.layers * importance.kv_heads / inputs.together) * context);
    rows.mass.resize(static_cast<std::size_t>(importance.layers * importance.kv_heads) * context);
    kernels::score_rows_cpu(inputs, rows.scores.data(), rows.mass.data(), 1);
    return rows;
}

std::vector<float> query_head_scores(const ImportanceView& importance, std::int64_t layer, Importance mode)
{
    check_sizes(importance);
    if (layer < 0)
        refuse_scope(importance, { layer, -1 });
    check_scope(importance, { layer, -1 });
    const auto context = static_cast<std::size_t>(importance.context);
    const auto size = static_cast<std::size_t>(importance.heads) * context;
    const std::span<const float> values = importance.values.subspan(static_cast<std::size_t>(layer) * size, size);
    std::vector<float> scores(size);
    for (std::size_t begin = 0; begin < size; begin += context) {
        const std::vector<double> row(values.begin() + static_cast<std::ptrdiff_t>(begin),
            values.begin() + static_cast<std::ptrdiff_t>(begin + context));
        finish_scores(row, mode, std::span(scores).subspan(begin, context));
    }
    return scores;
}

RowScores score_scope(const ImportanceView& importance, const Scope& scope, const Reduction& reduction)
{
    check_sizes(importance);
    check_scope(importance, scope);
    RowScores row { scope, reduction.importance, reduction.gqa, {}, mean_over(importance, scope, GqaReduction::mean) };
    row.scores.resize(row.mass.size());
    finish_scores(mean_over(importance, scope, reduction.gqa), reduction.importance, row.scores);
    return row;
}

} // namespace keepset::policy
