#include "core/analysis.h"
#include "core/error.h"
#include "core/keep_counts.h"
#include "core/policy/given_scores.h"
#include "core/policy/own_scores.h"
#include "core/policy/select_parts.h"

#include <algorithm>
#include <limits>
#include <span>

namespace keepset::policy {

namespace {

    Row row_of(const Scope& scope)
    {
        Row row;
        row.layer = scope.layer;
        row.kv_head = scope.kv_head;
        return row;
    }

    /// Layers of the model that evict.
    std::int64_t layers_of(const RowScores& row)
    {
        return row.evicting.empty() ? row.layers : static_cast<std::int64_t>(row.evicting.size());
    }

    /// Where the layer of a row stands among them; -1: the row is of all.
    std::int64_t layer_place(const RowScores& row)
    {
        if (row.scope.layer < 0 || row.evicting.empty())
            return row.scope.layer;
        return std::ranges::find(row.evicting, row.scope.layer) - row.evicting.begin();
    }

    ScoreTable table_of(const RowScores& row)
    {
        const auto context = static_cast<std::int64_t>(row.scores.size());
        ScoreTable table { {}, 1, context, { { "", borrowed_rows(row.scores, context) } }, layers_of(row),
            layer_place(row) };
        for (const auto& [name, scores] : row.own)
            table.scores.emplace(name, borrowed_rows(scores, context));
        return table;
    }

    /// Of the rows that share a budget with one of a kv head.
    ScoreTable table_of(const RowScores& row, Sharing sharing)
    {
        const auto context = static_cast<std::int64_t>(row.scores.size());
        const auto shared = row.shared.find(sharing);
        if (shared == row.shared.end())
            throw Error(ErrorKind::internal, "A row was selected from without those that it shares a budget with.");
        const std::int64_t first = sharing == Sharing::model ? 0 : layer_place(row);
        ScoreTable table { {}, 0, context, {}, layers_of(row), first };
        for (const auto& [name, scores] : shared->second)
            table.scores.emplace(name, borrowed_rows(scores, context));
        table.kv_heads = table.rows() / (sharing == Sharing::model ? table.layers : 1);
        return table;
    }

} // namespace

} // namespace keepset::policy

namespace keepset {

RowScores row_scores(
    const Analysis& analysis, const Scope& scope, const Importance& importance, GqaReduction gqa, Sliding sliding)
{
    RowScores row = policy::score_scope(
        policy::view_of(analysis, importance), scope, { Granularity::head, importance, gqa, sliding });
    row.evicting = policy::evicting_layers(analysis.windows, analysis.context, sliding);
    row.bridges = analysis.bridges;
    for (const auto& [name, scores] : analysis.own_scores)
        row.own.emplace(name, policy::mean_of_scope(scores, policy::view_of(analysis), scope, row.evicting));
    row.no_scores = analysis.no_scores;
    row.layers = analysis.layers;
    return row;
}

std::int64_t layers_that_evict(const Analysis& analysis, Sliding sliding)
{
    const auto slides = [&](std::int64_t window) { return window > 0 && window < analysis.context; };
    return analysis.layers - (sliding == Sliding::evict ? 0 : std::ranges::count_if(analysis.windows, slides));
}

namespace {

    /// Layers whose rows share a budget with a row of one kv head.
    std::vector<std::int64_t> sharing_layers(const RowScores& row, Sharing sharing)
    {
        if (sharing == Sharing::layer)
            return { row.scope.layer };
        std::vector<std::int64_t> layers = row.evicting;
        for (std::int64_t layer = 0; row.evicting.empty() && layer < row.layers; ++layer)
            layers.push_back(layer);
        return layers;
    }

    /// Of scores (layers, kv_heads, context) those of some layers; `size`: of one layer.
    std::vector<float> of_layers(
        const std::vector<float>& scores, const std::vector<std::int64_t>& layers, std::int64_t size)
    {
        std::vector<float> some;
        some.reserve(layers.size() * static_cast<std::size_t>(size));
        for (const std::int64_t layer : layers) {
            const auto first = scores.begin() + layer * size;
            some.insert(some.end(), first, first + size);
        }
        return some;
    }

    bool has_shared_rows(const RowScores& row, Sharing sharing)
    {
        return sharing != Sharing::none && row.scope.kv_head >= 0 && !row.slides();
    }

} // namespace

void add_shared_rows(const Analysis& analysis, const PolicySpec& policy, RowScores& row)
{
    const Sharing sharing = sharing_of(policy);
    if (!has_shared_rows(row, sharing))
        return;
    const std::vector<std::int64_t> layers = sharing_layers(row, sharing);
    auto& rows = row.shared[sharing];
    const std::vector<std::string> names = scores_of(policy);
    const std::int64_t size = analysis.kv_heads * analysis.context;
    for (const std::string& name : names) {
        const auto own = analysis.own_scores.find(name);
        if (own != analysis.own_scores.end() && !rows.contains(name))
            rows[name] = of_layers(own->second, layers, size);
    }
    if (!names.empty() || rows.contains(""))
        return;
    std::vector<float>& importance = rows[""];
    importance.reserve(layers.size() * static_cast<std::size_t>(size));
    for (const std::int64_t layer : layers) {
        for (std::int64_t kv_head = 0; kv_head < analysis.kv_heads; ++kv_head) {
            const RowScores other = policy::score_scope(policy::view_of(analysis, row.importance), { layer, kv_head },
                { Granularity::head, row.importance, row.gqa, Sliding::evict });
            importance.insert(importance.end(), other.scores.begin(), other.scores.end());
        }
    }
}

void read_given(const Analysis& analysis, const PolicySpec& policy, RowScores& row)
{
    const std::string name = policy::file_score_of(policy);
    const Sharing sharing = sharing_of(policy);
    if (name.empty())
        return;
    const bool shared = has_shared_rows(row, sharing) && !row.shared[sharing].contains(name);
    if (row.own.contains(name) && !shared)
        return;
    const std::int64_t size = analysis.kv_heads * analysis.context;
    for (const auto& [score, values] : policy::given_of(analysis, policy)) {
        row.own[score] = policy::mean_of_scope(values, policy::view_of(analysis), row.scope, row.evicting);
        if (shared)
            row.shared[sharing][score] = of_layers(values, sharing_layers(row, sharing), size);
    }
}

bool RowScores::slides() const
{
    return scope.layer >= 0 && !evicting.empty() && std::ranges::find(evicting, scope.layer) == evicting.end();
}

namespace {

    /// Of a layer that slides and keeps everything.
    RowSelection kept_whole(const RowScores& row, const SelectRequest& request)
    {
        RowSelection result { canonical(request.policy), title(request.policy),
            static_cast<std::int64_t>(row.scores.size()), std::vector<Label>(row.scores.size(), Label::kept), {}, 1.0,
            not_a_number, {}, {} };
        result.counts[static_cast<std::size_t>(Label::kept)] = result.budget;
        return result;
    }

    /// Of finite scores, those of what is important; without a branch a token, which nobody could foresee.
    float lowest_important(std::span<const Label> labels, std::span<const float> scores)
    {
        constexpr float none = std::numeric_limits<float>::infinity();
        float lowest = none;
        for (std::size_t j = 0; j < labels.size(); ++j) {
            const float score = scores[j];
            lowest = std::min(lowest, labels[j] == Label::important ? score : none);
        }
        return lowest;
    }

} // namespace

RowSelection select_row(const RowScores& row, const SelectRequest& request, const std::stop_token& stop)
{
    const auto context = static_cast<std::int64_t>(row.scores.size());
    policy::refuse_missing(request.policy, row.no_scores);
    const policy::Prepared point(request, context);
    if (row.slides())
        return kept_whole(row, request);
    RowSelection result { canonical(request.policy), title(request.policy), point.budget, {}, {}, 0.0, not_a_number, {},
        {} };
    // One row, whatever it stands for: what tells it from others is given to the fill by the scope.
    const bool shared = point.shares != Sharing::none && row.scope.kv_head >= 0;
    const policy::ScoreTable table = shared ? policy::table_of(row, point.shares) : policy::table_of(row);
    policy::Labelling how { policy::carry_out_on_host(
        [](const kernels::SelectInputs& inputs) { return kernels::select_cpu(inputs, 1); }) };
    how.bridges = row.bridges.get();
    how.bridge_scores = &result.bridge_scores;
    how.stop = stop;
    how.scope = row.scope;
    const policy::Labelled made = policy::label_points(table, std::span(&point, 1), how);
    const auto bad = made.first_bad.item<std::int64_t>();
    if (bad >= 0)
        policy::refuse_score(policy::row_of(row.scope), bad, policy::word_of(std::span(&point, 1)));
    const auto* const labels = reinterpret_cast<const Label*>(made.labels.const_data_ptr<std::uint8_t>())
        + (shared ? ((policy::layer_place(row) - table.first_layer) * table.kv_heads + row.scope.kv_head) * context
                  : 0);
    result.labels.assign(labels, labels + context);
    policy::check_kept(point, policy::row_of(row.scope), result.labels);
    if (point.shares != Sharing::none)
        result.budget = policy::count_kept(result.labels);
    if (!point.score.empty())
        result.scores = row.own.at(point.score);
    result.counts = label_counts(result.labels);
    if (policy::ranks_each_row(point) && result.counts[static_cast<std::size_t>(Label::important)] > 0)
        result.cut_off = lowest_important(result.labels, point.score.empty() ? row.scores : result.scores);
    if (!row.mass.empty())
        result.kept_mass = policy::mass_of(result.labels, row.mass) / static_cast<double>(context);
    return result;
}

} // namespace keepset
