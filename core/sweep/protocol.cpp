#include "core/sweep/protocol.h"

#include "core/attention/bridge_scores.h"
#include "core/error.h"
#include "core/policy/definition.h"
#include "core/policy/label_rows.h"
#include "core/policy/policy.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>

namespace keepset {

namespace {

    constexpr std::array protocols = {
        ProtocolEntry { Protocol::prefill_evict, run_prefill_evict },
        ProtocolEntry { Protocol::token_drop, run_token_drop },
    };

    /// Points are selected for together, up to as many labels as still let a stop be answered soon.
    constexpr std::size_t labels_at_once = std::size_t { 1 } << 24U;

    std::vector<KeepSet> choose(
        const SweepStep& step, const policy::ScoreRows& rows, std::span<const SelectRequest> requests)
    {
        const auto label = [&](const kernels::SelectInputs& inputs) {
            return label_rows(inputs, step.backend, step.decoder.device());
        };
        std::vector<KeepSet> sets;
        const std::size_t together = std::max<std::size_t>(1, labels_at_once / rows.mass.size());
        for (std::size_t begin = 0; begin < requests.size(); begin += together) {
            if (step.stop.stop_requested())
                throw Cancelled {};
            const std::size_t count = std::min(together, requests.size() - begin);
            std::ranges::move(policy::select(rows, requests.subspan(begin, count), label), std::back_inserter(sets));
        }
        return sets;
    }

    /// Where nothing can be ranked: what keeps everything, and no labels for the others.
    std::vector<KeepSet> choose_whole(const policy::ScoreRows& rows, std::span<const SelectRequest> requests)
    {
        std::vector<KeepSet> sets;
        for (const SelectRequest& request : requests) {
            const std::int64_t budget = policy::budget_for(policy::find(request.policy.name), request, rows.context);
            sets.push_back({ request, canonical(request.policy), budget, rows.layers, rows.kv_heads, rows.context, {},
                not_a_number });
            if (budget == rows.context)
                sets.back().labels.assign(rows.mass.size(), Label::kept);
        }
        return sets;
    }

} // namespace

const ProtocolEntry& protocol_entry(Protocol protocol)
{
    for (const ProtocolEntry& entry : protocols) {
        if (entry.protocol == protocol)
            return entry;
    }
    throw Error(ErrorKind::internal, "no such protocol");
}

at::Tensor to_tensor(const Decoder& decoder, std::span<const std::int64_t> ids)
{
    auto* data = const_cast<std::int64_t*>(ids.data());
    return at::from_blob(data, { static_cast<std::int64_t>(ids.size()) }, at::kLong)
        .to(decoder.device(), at::kLong, false, true);
}

bool needs_attention(const SweepStep& step)
{
    return std::ranges::any_of(step.plan, [](const SelectRequest& point) { return needs_attention(point.policy); });
}

DensePass run_dense(const SweepStep& step, const at::Tensor& ids, DensePassOptions options)
{
    options.row_by_row = step.row_by_row;
    if (step.faults.dense)
        return step.faults.dense(ids, options);
    return dense_pass(step.decoder, ids, options, step.backend, { step.stop, {} });
}

at::Tensor kept_positions(const SweepStep& step, const KeepSet& set)
{
    at::Tensor kept = at::empty({ set.layers, set.kv_heads, set.budget }, at::kLong);
    auto* out = kept.mutable_data_ptr<std::int64_t>();
    for (std::size_t index = 0; index < set.labels.size(); ++index) {
        if (set.labels[index] != Label::evicted)
            *out++ = static_cast<std::int64_t>(index) % set.context;
    }
    kept = kept.to(step.decoder.device());
    return step.faults.gathered ? step.faults.gathered(kept) : kept;
}

void note_gathered(WindowPoint& point, const at::Tensor& positions, std::int64_t context)
{
    const Gathered found = gathered(positions, context);
    point.keep_hash = found.hash;
    point.kept_entries = found.entries;
    point.first_kept = found.first_kept;
}

void note_unscored(WindowResult& result, std::span<const std::size_t> points, std::int64_t rows)
{
    const std::vector<float> nothing(static_cast<std::size_t>(rows), std::nanf(""));
    const std::uint64_t hash = result.points.front().score.target_hash;
    for (const std::size_t point : points)
        result.points[point].score = { nothing, nothing, not_a_number, not_a_number, not_a_number, hash };
}

std::vector<KeepSet> select_points(
    const SweepStep& step, const Window& window, const DensePass& pass, WindowResult& result)
{
    const at::Tensor host = pass.importance.cpu().contiguous(); // (layers, heads, context)
    const policy::ImportanceView view { { host.const_data_ptr<float>(), static_cast<std::size_t>(host.numel()) },
        host.size(0), host.size(1), step.decoder.config().kv_heads, host.size(2) };
    result.facts = measure_importance(host, step.decoder);
    result.largest_hidden = maximum(result.largest_hidden, largest_magnitude(pass.hidden));
    policy::ScoreRows rows
        = policy::score_rows(view, { step.request.granularity, step.request.importance, step.request.gqa });
    rows.bridges = bridge_source(pass.attention);
    rows.stop = step.stop;
    std::vector<SelectRequest> requests = step.plan;
    for (SelectRequest& request : requests)
        request.window = window.index;
    const bool finite = std::ranges::all_of(rows.scores, [](float score) { return std::isfinite(score); });
    std::vector<KeepSet> sets = finite ? choose(step, rows, requests) : choose_whole(rows, requests);
    if (step.faults.selected)
        step.faults.selected(sets);
    std::vector<std::uint64_t> keep_hashes; // (points)
    for (const KeepSet& set : sets) {
        if (step.stop.stop_requested())
            throw Cancelled {};
        keep_hashes.push_back(is_chosen(set) ? policy::hash_of(set) : 0);
    }
    const std::vector<std::uint64_t> definitions
        = finite ? policy::definition_hashes(rows, requests, keep_hashes) : keep_hashes;
    for (std::size_t index = 0; index < sets.size(); ++index) {
        WindowPoint& point = result.points.emplace_back();
        point.kept_mass = sets[index].kept_mass;
        point.selected_hash = keep_hashes[index];
        point.definition_hash = definitions[index];
        point.tied_rows = finite ? tied_rows(rows.scores, sets[index]) : 0;
    }
    return sets;
}

} // namespace keepset
