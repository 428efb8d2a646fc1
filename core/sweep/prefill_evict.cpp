#include "core/error.h"
#include "core/pass/target_pass.h"
#include "core/policy/own_scores.h"
#include "core/sweep/protocol.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/max.h>
#include <ATen/ops/stack.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <numeric>
#include <utility>

namespace keepset {

namespace {

    /// What the target pass computes: each keep set once. Dense comes first, then a point that evicts nothing, which
    /// must equal dense and is computed on its own for that, then the others: those whose rows keep as many before
    /// those whose rows do not, with which a group goes slower.
    struct Order {
        std::vector<std::size_t> points; ///< of the plan
        std::vector<std::size_t> result; ///< (points of the plan): where among `points` its result is

        explicit Order(const Selection& selection)
        {
            const KeptPositions& kept = selection.kept();
            const std::vector<std::uint64_t> hashes = selection.kept_hashes(); // empty where a GPU would be waited for
            std::vector<std::size_t> plan(kept.counts.size());
            std::iota(plan.begin(), plan.end(), std::size_t { 0 });
            const auto whole_end = std::stable_partition(
                plan.begin(), plan.end(), [&](std::size_t index) { return kept.is_whole(index); });
            std::stable_partition(whole_end, plan.end(), [&](std::size_t index) { return kept.alike(index); });
            std::map<std::pair<std::int64_t, std::uint64_t>, std::size_t> known; // by entries and hash
            result.resize(plan.size());
            for (const std::size_t index : plan) {
                const bool whole = kept.is_whole(index);
                std::size_t place = points.size();
                if (!points.empty() && (whole || !hashes.empty())) { // dense stands for itself alone
                    const auto key = std::pair(kept.entries(index), whole ? 0 : hashes[index]);
                    place = known.try_emplace(key, place).first->second;
                }
                result[index] = place;
                if (place == points.size())
                    points.push_back(index);
            }
        }
        /// Points of the plan whose results are among the first `count`.
        std::int64_t covered(std::size_t count) const
        {
            return std::count_if(result.begin(), result.end(), [&](std::size_t place) { return place < count; });
        }
    };

} // namespace

std::int64_t points_together(const Decoder& decoder, std::int64_t rows)
{
    const std::int64_t wanted = decoder.device().is_cuda() ? 16384 : 1024;
    return std::max<std::int64_t>(1, wanted / std::max<std::int64_t>(1, rows));
}

WindowResult run_prefill_evict(const SweepStep& step, const Window& window)
{
    const at::Tensor context = to_tensor(step.decoder, window.context);
    const auto length = static_cast<std::int64_t>(window.context.size() + window.target.size());
    policy::OwnScores own(policies_of(step));
    const DensePass pass = run_dense(step, context,
        { .importance = true,
            .last_queries = step.request.importance.last_queries(),
            .cache = true,
            .attention = needs_attention(step),
            .length = length,
            .look = own.look() });
    run_replay(step, pass, context, own);
    const Selection selection(step, window, pass, own.take(pass.importance.device()));
    const at::Tensor target = to_tensor(step.decoder, window.target);
    const at::Tensor inputs = target.slice(0, 0, -1);
    const at::Tensor wanted = step.faults.scored ? step.faults.scored(target.slice(0, 1)) : target.slice(0, 1);
    TargetScorer scorer(step.decoder, step.backend, wanted);
    const Order order(selection);
    const auto group = static_cast<std::size_t>(points_together(step.decoder, inputs.size(0)));
    const auto start = std::chrono::steady_clock::now();
    std::vector<at::Tensor> largest; // magnitudes of hidden states, a group each
    std::vector<at::Tensor> scores; // a group each
    for (std::size_t begin = 0, next = 0; begin < order.points.size(); begin = next) {
        next = std::min(begin + group, order.points.size());
        const std::vector<std::size_t> points(order.points.begin() + static_cast<std::ptrdiff_t>(begin),
            order.points.begin() + static_cast<std::ptrdiff_t>(next));
        at::Tensor hidden = target_pass({ step.decoder, step.backend, pass, inputs, selection.kept(), points,
            step.request.positions == Positions::repacked, step.every_expert, step.stop });
        if (step.faults.hidden)
            hidden = step.faults.hidden(hidden);
        if (!largest.empty())
            largest.back().cpu(); // one group is queued beside the one that is under way
        largest.push_back(largest_magnitude_of(hidden));
        // The dense point is the first of the first group.
        scores.push_back(scorer.score(hidden, step.stop));
        step.point_done(order.covered(next));
    }
    // Up to here a GPU was only told what to do; the rest waits for it.
    WindowResult result;
    result.read_hash = hash_of_ids(inputs, hash_of_ids(context));
    const std::vector<bool> has_set = selection.tell(result);
    const std::vector<TargetScore> found = scorer.tell(at::cat(scores));
    result.largest_hidden = maximum(result.largest_hidden, at::stack(largest).max().item<double>());
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    for (std::size_t index = 0; index < result.points.size(); ++index) {
        WindowPoint& point = result.points[index];
        point.score = has_set[index] ? found[order.result[index]] : unscored(inputs.size(0), found.front().target_hash);
        point.seconds = seconds / static_cast<double>(result.points.size());
    }
    return result;
}

} // namespace keepset
