#include "core/sweep/protocol.h"

#include "core/error.h"
#include "core/policy/select.h"

#include <ATen/ops/from_blob.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace keepset {

namespace {

    constexpr std::array protocols = {
        ProtocolEntry { Protocol::prefill_evict, run_prefill_evict },
        ProtocolEntry { Protocol::token_drop, run_token_drop },
    };

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

std::vector<KeepSet> select_points(
    const SweepStep& step, const Window& window, const at::Tensor& importance, WindowResult& result)
{
    const at::Tensor host = importance.cpu().contiguous(); // (layers, heads, context)
    const policy::ImportanceView view { { host.const_data_ptr<float>(), static_cast<std::size_t>(host.numel()) },
        host.size(0), host.size(1), step.decoder.config().kv_heads, host.size(2) };
    measure_invariants(view.values, window.context.size(), result);
    const policy::ScoreRows rows
        = policy::score_rows(view, { step.request.granularity, step.request.importance, step.request.gqa });
    std::vector<KeepSet> sets;
    result.points.resize(step.plan.size());
    for (std::size_t point = 0; point < step.plan.size(); ++point) {
        if (step.stop.stop_requested())
            throw Cancelled {};
        SelectRequest request = step.plan[point];
        request.window = window.index;
        sets.push_back(policy::select(rows, request));
        WindowPoint& entry = result.points[point];
        entry.kept_mass = sets.back().kept_mass;
        entry.keep_hash = policy::hash_of(sets.back());
        entry.kept_entries = policy::kept_entries(sets.back());
    }
    return sets;
}

} // namespace keepset
