#include "core/error.h"
#include "core/pass/target_pass.h"
#include "core/sweep/protocol.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/max.h>
#include <ATen/ops/stack.h>

#include <algorithm>
#include <chrono>
#include <numeric>

namespace keepset {

namespace {

    /// Rows of the target pass that go through a layer together: on a GPU the more the better, on a CPU more only
    /// delays a stop.
    std::int64_t group_size(const SweepStep& step, std::int64_t rows)
    {
        const std::int64_t wanted = step.decoder.device().is_cuda() ? 16384 : 1024;
        return std::max<std::int64_t>(1, wanted / std::max<std::int64_t>(1, rows));
    }

    /// Points in the order of the target pass, and how many of them evict nothing: these stand first, dense at the
    /// front, because they must equal dense.
    struct Order {
        std::vector<std::size_t> points;
        std::size_t whole = 0;

        explicit Order(const KeptPositions& kept)
            : points(kept.budgets.size())
        {
            std::iota(points.begin(), points.end(), std::size_t { 0 });
            // Not of std::ranges: clang-tidy 14 cannot read what that returns.
            const auto first_evicting = std::stable_partition(
                points.begin(), points.end(), [&](std::size_t index) { return kept.budgets[index] == kept.context; });
            whole = static_cast<std::size_t>(first_evicting - points.begin());
        }
    };

    /// Points of the target pass that go together. Where those that evict nothing fill more than one group, the last
    /// of their groups is filled up with dense: to equal dense to the last bit they need products of the same height,
    /// and in a mixture of experts the same rows beside them.
    struct Group {
        std::vector<std::size_t> points;
        std::size_t count = 0; ///< of them that are points of the plan

        Group(const Order& order, std::size_t begin, std::size_t size)
        {
            const bool filled_up = begin > 0 && begin < order.whole;
            count = std::min(size, (filled_up ? order.whole : order.points.size()) - begin);
            const auto first = order.points.begin() + static_cast<std::ptrdiff_t>(begin);
            points.assign(first, first + static_cast<std::ptrdiff_t>(count));
            if (filled_up)
                points.resize(size, order.points.front());
        }
    };

} // namespace

WindowResult run_prefill_evict(const SweepStep& step, const Window& window)
{
    const at::Tensor context = to_tensor(step.decoder, window.context);
    const auto length = static_cast<std::int64_t>(window.context.size() + window.target.size());
    const DensePass pass = run_dense(
        step, context, { .importance = true, .cache = true, .attention = needs_attention(step), .length = length });
    const Selection selection(step, window, pass);
    const at::Tensor target = to_tensor(step.decoder, window.target);
    const at::Tensor inputs = target.slice(0, 0, -1);
    const at::Tensor wanted = step.faults.scored ? step.faults.scored(target.slice(0, 1)) : target.slice(0, 1);
    TargetScorer scorer(step.decoder, step.backend, wanted);
    const Order order(selection.kept());
    const auto group = static_cast<std::size_t>(group_size(step, inputs.size(0)));
    const auto start = std::chrono::steady_clock::now();
    std::vector<at::Tensor> largest; // magnitudes of hidden states, a group each
    std::vector<at::Tensor> scores; // a group each
    for (std::size_t begin = 0, next = 0; begin < order.points.size(); begin = next) {
        const Group points(order, begin, group);
        next = begin + points.count;
        at::Tensor hidden = target_pass({ step.decoder, step.backend, pass, inputs, selection.kept(), points.points,
            step.request.positions == Positions::repacked, step.row_by_row, step.stop });
        if (step.faults.hidden)
            hidden = step.faults.hidden(hidden);
        if (!largest.empty())
            largest.back().cpu(); // one group is queued beside the one that is under way
        largest.push_back(largest_magnitude_of(hidden));
        // The dense point is the first of the first group.
        scores.push_back(scorer.score(hidden.slice(0, 0, static_cast<std::int64_t>(points.count)), step.stop));
        step.point_done(static_cast<std::int64_t>(next));
    }
    // Up to here a GPU was only told what to do; the rest waits for it.
    WindowResult result;
    result.read_hash = hash_of_ids(inputs, hash_of_ids(context));
    const std::vector<bool> has_set = selection.tell(result);
    const std::vector<TargetScore> found = scorer.tell(at::cat(scores));
    result.largest_hidden = maximum(result.largest_hidden, at::stack(largest).max().item<double>());
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    for (std::size_t index = 0; index < found.size(); ++index) {
        WindowPoint& point = result.points[order.points[index]];
        point.score = has_set[order.points[index]] ? found[index] : unscored(inputs.size(0), found.front().target_hash);
        point.seconds = seconds / static_cast<double>(found.size());
    }
    return result;
}

} // namespace keepset
