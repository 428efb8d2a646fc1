#include "core/sweep/short_pass.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>

namespace keepset {

at::Tensor short_pass(const SweepStep& step, const Window& window, bool bos)
{
    const std::int64_t length = step.request.key_tokens.short_context;
    const at::Tensor context = to_tensor(step.decoder, window.context);
    if (length < 1 || length >= context.size(0))
        return {};
    const std::int64_t front = bos ? 1 : 0;
    const at::Tensor target = to_tensor(step.decoder, window.target);
    const at::Tensor ids = at::cat(
        { context.slice(0, 0, front), context.slice(0, context.size(0) - length + front), target.slice(0, 0, -1) });
    const at::Tensor wanted = target.slice(0, 1);
    const DensePass pass = run_dense(step, ids, { .length = ids.size(0) + 1 });
    TargetScorer scorer(step.decoder, step.backend, wanted);
    return losses_of(scorer.score(pass.hidden.slice(0, -wanted.size(0)).unsqueeze(0), step.stop))[0].to(at::kFloat);
}

} // namespace keepset
