#include "core/error.h"
#include "core/pass/dense_pass.h"
#include "core/policies.h"
#include "core/policy/own_scores.h"
#include "core/sweep/protocol.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>

#include <chrono>

namespace keepset {

WindowResult run_token_drop(const SweepStep& step, const Window& window)
{
    const at::Tensor context = to_tensor(step.decoder, window.context);
    const auto length = static_cast<std::int64_t>(window.context.size() + window.target.size());
    policy::OwnScores own(policies_of(step));
    const DensePass pass = run_dense(step, context,
        { .importance = true,
            .last_queries = step.request.importance.last_queries(),
            .cache = own.needs_replay(),
            .attention = needs_attention(step),
            .length = length,
            .look = own.look() });
    run_replay(step, pass, context, own);
    const Selection selection(step, window, pass, own.take(pass.importance.device()));
    WindowResult result;
    const std::vector<bool> has_set = selection.tell(result);
    const at::Tensor target = to_tensor(step.decoder, window.target);
    const at::Tensor inputs = target.slice(0, 0, -1); // the last target is only predicted
    const at::Tensor wanted = step.faults.scored ? step.faults.scored(target.slice(0, 1)) : target.slice(0, 1);
    result.read_hash = hash_of_ids(inputs, hash_of_ids(context));
    TargetScorer scorer(step.decoder, step.backend, wanted);
    for (std::size_t index = 0; index < result.points.size(); ++index) {
        if (!has_set[index]) {
            result.points[index].score = unscored(inputs.size(0), result.points.front().score.target_hash);
            continue;
        }
        const auto start = std::chrono::steady_clock::now();
        if (!selection.kept().alike(index))
            throw Error(ErrorKind::usage,
                "The protocol token-drop reads one shorter text, and " + title_of(canonical(step.plan[index].policy))
                    + " keeps another number of tokens in other rows.",
                "Measure it with prefill-evict.");
        const at::Tensor kept = selection.kept().of(index, 0, 1)[0]; // one keep set for all rows: the first row says it
        const at::Tensor ids = at::cat({ context.index_select(0, kept), inputs });
        at::Tensor hidden = run_dense(step, ids, { .length = ids.size(0) + 1 })
                                .hidden.slice(0, -wanted.size(0))
                                .unsqueeze(0); // (1, rows, hidden)
        if (step.faults.hidden)
            hidden = step.faults.hidden(hidden);
        result.largest_hidden = maximum(result.largest_hidden, largest_magnitude(hidden));
        WindowPoint& point = result.points[index];
        point.score = scorer.tell(scorer.score(hidden, step.stop)).front(); // the dense point comes first
        point.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        step.point_done(static_cast<std::int64_t>(index + 1));
    }
    return result;
}

} // namespace keepset
