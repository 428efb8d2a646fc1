#include "core/sweep/protocol.h"

#include "core/attention/bridge_scores.h"
#include "core/device/device.h"
#include "core/device/tensors.h"
#include "core/error.h"
#include "core/flat_rows.h"
#include "core/policy/definition.h"
#include "core/policy/flat_scores.h"
#include "core/policy/given_scores.h"
#include "core/selection.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace keepset {

namespace {

    constexpr std::array protocols = {
        ProtocolEntry { Protocol::prefill_evict, run_prefill_evict },
        ProtocolEntry { Protocol::token_drop, run_token_drop },
    };

    /// Scores that were made here, and those that are read from files.
    std::map<std::string, at::Tensor> with_given(
        std::map<std::string, at::Tensor> own, const SweepStep& step, const Window& window, at::Device device)
    {
        const DecoderConfig& config = step.decoder.config();
        own.merge(policy::given_scores(
            policies_of(step), { config.layers, config.kv_heads, window.index, window.context }, device));
        return own;
    }

    std::vector<SelectRequest> requests_of(const SweepStep& step, const Window& window)
    {
        std::vector<SelectRequest> requests = step.plan;
        for (SelectRequest& request : requests) {
            request.window = window.index;
            request.pins = window.pins;
        }
        return requests;
    }

    /// Rows of scores that are flat, by score, where some request ranks by one that may be: () int64 each.
    std::map<std::string, at::Tensor> count_flat_rows(
        const policy::WindowScores& scores, const std::vector<SelectRequest>& requests, double least_spread)
    {
        std::map<std::string, at::Tensor> counts;
        for (const SelectRequest& request : requests) {
            const std::string name = policy::flat_score_of(request.policy);
            if (!name.empty() && !counts.contains(name))
                counts.emplace(name, policy::count_flat(scores.table.of(name), least_spread));
        }
        return counts;
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
    return to_device(ids, decoder.device());
}

bool needs_attention(const SweepStep& step)
{
    return std::ranges::any_of(step.plan, [](const SelectRequest& point) { return needs_attention(point.policy); });
}

DensePass run_dense(const SweepStep& step, const at::Tensor& ids, DensePassOptions options)
{
    options.every_expert = step.every_expert;
    if (step.faults.dense)
        return step.faults.dense(ids, options);
    return dense_pass(step.decoder, ids, options, step.backend, { step.stop, {} });
}

void run_replay(const SweepStep& step, const DensePass& pass, const at::Tensor& ids, policy::OwnScores& own)
{
    own.replay({ step.decoder, step.backend, pass, ids, step.encode, step.stop });
}

std::vector<PolicySpec> policies_of(const SweepStep& step)
{
    std::vector<PolicySpec> policies;
    policies.reserve(step.plan.size());
    for (const SelectRequest& point : step.plan)
        policies.push_back(point.policy);
    return policies;
}

Selection::Selection(
    const SweepStep& step, const Window& window, const DensePass& pass, std::map<std::string, at::Tensor> own)
    : step_(step)
    , requests_(requests_of(step, window))
    , bridges_(bridge_source(pass.attention))
    , scores_(policy::window_scores(
          { pass.importance, with_given(std::move(own), step, window, pass.importance.device()),
              step.decoder.config().kv_heads, windows_of(step.decoder.config()), pass.last_importance },
          { step.request.granularity, step.request.importance, step.request.gqa, step.request.sliding_of_protocol() },
          step.backend))
    , selected_(policy::select_points(scores_,
          { .requests = requests_, .bridges = bridges_, .stop = step.stop, .fault = step.faults.selected },
          step.backend))
    , kept_(step.faults.gathered ? step.faults.gathered(selected_.kept) : selected_.kept)
    , gathered_(policy::facts_of(kept_, scores_, step.backend))
    , health_(measure_keep_health(kept_, scores_.table.evicting))
    , measured_(measure_importance(pass, step.decoder, step.request.importance))
    , largest_(largest_magnitude_of(pass.hidden))
    , flat_(count_flat_rows(scores_, requests_, least_spread(dtype_name(step.decoder.dtype()))))
{
}

std::vector<std::uint64_t> Selection::kept_hashes() const
{
    std::vector<std::uint64_t> hashes;
    if (gathered_.is_cuda())
        return hashes;
    for (const policy::PointFacts& facts : policy::sum_facts(gathered_, scores_))
        hashes.push_back(facts.hash);
    return hashes;
}

std::int64_t Selection::evicting_rows() const
{
    const std::vector<std::int64_t>& layers = scores_.table.evicting;
    return (layers.empty() ? scores_.layers : std::ssize(layers)) * scores_.table.kv_heads;
}

std::vector<bool> Selection::tell(WindowResult& result) const
{
    const at::Tensor facts = selected_.facts.cpu();
    const std::vector<bool> has_set = policy::chosen_points(scores_, selected_, facts);
    const bool ranked = std::ranges::find(has_set, false) == has_set.end();
    const std::vector<policy::PointFacts> chosen = policy::sum_facts(facts, scores_);
    const std::vector<policy::PointFacts> cached = policy::sum_facts(gathered_.cpu(), scores_);
    const std::vector<KeepHealth> health = keep_health(health_);
    std::vector<std::uint64_t> hashes; // (points)
    hashes.reserve(chosen.size());
    for (std::size_t index = 0; index < chosen.size(); ++index)
        hashes.push_back(has_set[index] ? chosen[index].hash : 0);
    const auto rows_on_host = [&] {
        policy::ScoreRows rows = scores_.on_host();
        rows.bridges = bridges_;
        rows.stop = step_.stop;
        return rows;
    };
    const std::vector<std::uint64_t> definitions
        = ranked ? policy::definition_hashes(rows_on_host, requests_, hashes, scores_.context()) : hashes;
    result.facts = importance_facts(measured_);
    result.largest_hidden = maximum(result.largest_hidden, largest_.item<double>());
    result.points.resize(chosen.size());
    for (std::size_t index = 0; index < chosen.size(); ++index) {
        WindowPoint& point = result.points[index];
        point.kept_mass = has_set[index] ? chosen[index].kept_mass : not_a_number;
        point.selected_hash = hashes[index];
        point.definition_hash = definitions[index];
        if (!has_set[index])
            continue;
        point.health = health[index];
        point.tied_rows = chosen[index].tied_rows;
        if (const auto flat = flat_.find(policy::flat_score_of(requests_[index].policy));
            flat != flat_.end() && !selected_.kept.is_whole(index))
            point.flat_rows = flat->second.item<std::int64_t>() * evicting_rows() / scores_.table.rows();
        point.keep_hash = cached[index].hash;
        point.kept_entries = cached[index].entries;
        point.budget_entries = selected_.kept.entries(index);
        point.first_kept = cached[index].first_kept;
    }
    return has_set;
}

TargetScore unscored(std::int64_t rows, std::uint64_t hash)
{
    const std::vector<float> nothing(static_cast<std::size_t>(rows), std::nanf(""));
    return { nothing, nothing, nothing, not_a_number, not_a_number, not_a_number, hash };
}

} // namespace keepset
