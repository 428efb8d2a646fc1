#include "core/attention/dense_pass.h"
#include "core/sweep/protocol.h"

#include <chrono>
#include <optional>

namespace keepset {

namespace {

    /// Kept context ids and all target ids but the last, which is only predicted.
    std::vector<std::int64_t> shorter_text(const Window& window, const KeepSet& set)
    {
        std::vector<std::int64_t> ids;
        for (std::size_t position = 0; position < window.context.size(); ++position) {
            if (set.labels[position] != Label::evicted) // one keep set for all rows: the first row says it
                ids.push_back(window.context[position]);
        }
        ids.insert(ids.end(), window.target.begin(), window.target.end() - 1);
        return ids;
    }

} // namespace

WindowResult run_token_drop(const SweepStep& step, const Window& window)
{
    const Task quiet { step.stop, {} };
    const auto length = static_cast<std::int64_t>(window.context.size() + window.target.size());
    const DensePass context = dense_pass(step.decoder, to_tensor(step.decoder, window.context),
        { .importance = true, .attention = needs_attention(step), .length = length }, step.backend, quiet);
    WindowResult result;
    const std::vector<KeepSet> sets = select_points(step, window, context, result);
    const at::Tensor wanted = to_tensor(step.decoder, window.target).slice(0, 1);
    std::optional<TargetScorer> scorer;
    for (std::size_t point = 0; point < sets.size(); ++point) {
        const auto start = std::chrono::steady_clock::now();
        const at::Tensor ids = to_tensor(step.decoder, shorter_text(window, sets[point]));
        const at::Tensor hidden = dense_pass(step.decoder, ids, { .length = ids.size(0) + 1 }, step.backend, quiet)
                                      .hidden.slice(0, -wanted.size(0));
        if (!scorer) // the dense point comes first
            scorer.emplace(step.decoder, wanted, hidden, step.stop);
        result.points[point].score = scorer->score(hidden, step.stop);
        result.points[point].seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        step.point_done(static_cast<std::int64_t>(point + 1));
    }
    return result;
}

} // namespace keepset
