#include "core/attention/column_sums.h"

#include "core/attention/attend.h"
#include "core/attention/attention_source.h"
#include "core/device/streams.h"
#include "core/error.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <c10/core/DeviceGuard.h>

#include <algorithm>
#include <cassert>
#include <cmath>

namespace keepset {

#ifndef NDEBUG
namespace {

    /// What SEMANTICS 2 says of all sums (heads, context): each row of P adds one, no key has less than 0 or more than
    /// one of each query that sees it. Not of rows whose row_lse (heads, queries) is not finite. Tolerance as in
    /// SEMANTICS 8, and the rounding of row_lse itself, which biases make large.
    bool invariants_hold(const at::Tensor& sums, const at::Tensor& row_lse, const ScoreRule& rule)
    {
        const auto rows = static_cast<double>(row_lse.size(1));
        const double largest_lse = sums.numel() == 0 ? 0 : row_lse.abs().max().item<double>();
        if (sums.numel() == 0 || !std::isfinite(largest_lse))
            return true;
        const double tolerance = 1e-4 + 0x1p-22 * largest_lse;
        const at::Tensor exact = sums.to(at::kDouble);
        at::Tensor readers = at::arange(sums.size(1), 0, -1, exact.options()); // (context)
        readers = readers.clamp_max(row_lse.size(1));
        if (rule.window > 0)
            readers = readers.clamp_max(rule.window);
        const double off = exact.sum(1).sub(rows).abs().max().item<double>();
        return off <= tolerance * rows && exact.min().item<double>() >= 0
            && exact.div(readers).max().item<double>() <= 1 + tolerance;
    }

} // namespace
#endif

at::Tensor column_sums(const at::Tensor& q, const at::Tensor& k, const at::Tensor& row_lse, const ScoreRule& rule,
    const Backend& backend, const Blocks& blocks)
{
    at::Tensor sums = at::zeros({ q.size(0), k.size(1) }, row_lse.options()); // (heads, context)
    KernelInputs whole = kernel_inputs(q, k, row_lse, rule.within(k.size(1)));
    whole.inputs.shape.query_begin = k.size(1) - q.size(1);
    if (q.is_cuda()) {
        const c10::DeviceGuard guard(q.device());
        kernels::ImportanceInputs inputs = whole.inputs;
        const at::Tensor workspace
            = at::empty({ backend.cuda->importance_workspace(inputs) }, q.options().dtype(at::kByte));
        inputs.workspace = workspace.mutable_data_ptr();
        backend.cuda->importance(inputs, sums.mutable_data_ptr<float>(), current_stream(sums.device()));
        assert(invariants_hold(sums, row_lse, rule));
        return sums;
    }
    // Blocks so that a stop is answered at long contexts; 2^26 score cells take about a tenth of a second on one core.
    const std::int64_t cells = (std::int64_t { 1 } << 26U) * std::max(1, backend.threads);
    const std::int64_t block = std::max<std::int64_t>(16, cells / std::max<std::int64_t>(1, q.size(0) * k.size(1)));
    for (std::int64_t begin = 0; begin < q.size(1); begin += block) {
        if (blocks.stop.stop_requested())
            throw Cancelled {};
        const std::int64_t end = std::min(begin + block, q.size(1));
        kernels::ImportanceInputs inputs = whole.inputs;
        inputs.q = static_cast<const float*>(whole.inputs.q) + begin * inputs.shape.q_token_stride;
        inputs.row_lse += begin;
        inputs.shape.queries = end - begin;
        inputs.shape.query_begin = whole.inputs.shape.query_begin + begin;
        kernels::importance_cpu(inputs, sums.mutable_data_ptr<float>(), backend.threads);
        if (blocks.share)
            blocks.share(share_of_cells(end, q.size(1), k.size(1), rule));
    }
    assert(invariants_hold(sums, row_lse, rule));
    return sums;
}

} // namespace keepset
