#include "core/sweep/protocol.h"

#include "core/attention/bridge_scores.h"
#include "core/attention/label_rows.h"
#include "core/error.h"
#include "core/policy/select.h"

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

    /// The invariants of SEMANTICS 2 on the importance of one window, rows (layers * heads, context).
    void measure_invariants(std::span<const float> importance, std::size_t context, WindowResult& result)
    {
        for (std::size_t begin = 0; begin < importance.size(); begin += context) {
            double sum = 0;
            for (const float value : importance.subspan(begin, context))
                sum += static_cast<double>(value);
            const auto wanted = static_cast<double>(context);
            result.mass_error = std::max(result.mass_error, std::abs(sum - wanted) / wanted);
            result.last_key_importance
                = std::max(result.last_key_importance, static_cast<double>(importance[begin + context - 1]));
        }
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

std::vector<KeepSet> select_points(
    const SweepStep& step, const Window& window, const DensePass& pass, WindowResult& result)
{
    const at::Tensor host = pass.importance.cpu().contiguous(); // (layers, heads, context)
    const policy::ImportanceView view { { host.const_data_ptr<float>(), static_cast<std::size_t>(host.numel()) },
        host.size(0), host.size(1), step.decoder.config().kv_heads, host.size(2) };
    measure_invariants(view.values, window.context.size(), result);
    policy::ScoreRows rows
        = policy::score_rows(view, { step.request.granularity, step.request.importance, step.request.gqa });
    rows.bridges = bridge_source(pass.attention);
    rows.stop = step.stop;
    std::vector<SelectRequest> requests = step.plan;
    for (SelectRequest& request : requests)
        request.window = window.index;
    const auto label
        = [&](const kernels::SelectInputs& inputs) { return label_rows(inputs, step.backend, step.decoder.device()); };
    std::vector<KeepSet> sets;
    const std::size_t together = std::max<std::size_t>(1, labels_at_once / rows.mass.size());
    for (std::size_t begin = 0; begin < requests.size(); begin += together) {
        if (step.stop.stop_requested())
            throw Cancelled {};
        const std::size_t count = std::min(together, requests.size() - begin);
        std::ranges::move(
            policy::select(rows, std::span(requests).subspan(begin, count), label), std::back_inserter(sets));
    }
    for (const KeepSet& set : sets) {
        if (step.stop.stop_requested())
            throw Cancelled {};
        result.points.push_back({ .score = {},
            .kept_mass = set.kept_mass,
            .keep_hash = policy::hash_of(set),
            .kept_entries = policy::kept_entries(set) });
    }
    return sets;
}

} // namespace keepset
