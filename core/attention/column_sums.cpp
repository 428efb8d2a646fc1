#include "core/attention/column_sums.h"

#include "core/error.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <c10/core/DeviceGuard.h>

#include <algorithm>
#include <cassert>
#include <cmath>

namespace keepset {

namespace {

    kernels::ElementType element_type(at::ScalarType type)
    {
        switch (type) {
        case at::kFloat:
            return kernels::ElementType::float32;
        case at::kBFloat16:
            return kernels::ElementType::bfloat16;
        case at::kHalf:
            return kernels::ElementType::float16;
        default:
            throw Error(ErrorKind::internal, std::string("column sums of dtype ") + at::toString(type));
        }
    }

    /// bias (heads, context) float32, or undefined.
    kernels::ImportanceInputs inputs_of(const at::Tensor& q, const at::Tensor& k, const at::Tensor& row_lse,
        const ScoreRule& rule, const at::Tensor& bias)
    {
        kernels::ImportanceInputs inputs;
        inputs.shape.heads = q.size(0);
        inputs.shape.kv_heads = k.size(0);
        inputs.shape.head_dim = q.size(2);
        inputs.shape.queries = q.size(1);
        inputs.shape.keys = k.size(1);
        inputs.shape.scale = static_cast<float>(rule.scale);
        inputs.shape.softcap = static_cast<float>(rule.softcap);
        inputs.shape.window = rule.window;
        inputs.shape.q_head_stride = q.stride(0);
        inputs.shape.q_token_stride = q.stride(1);
        inputs.shape.k_head_stride = k.stride(0);
        inputs.shape.k_token_stride = k.stride(1);
        inputs.shape.lse_head_stride = row_lse.stride(0);
        inputs.type = element_type(q.scalar_type());
        inputs.q = q.const_data_ptr();
        inputs.k = k.const_data_ptr();
        inputs.row_lse = row_lse.const_data_ptr<float>();
        if (bias.defined())
            inputs.key_bias = bias.const_data_ptr<float>();
        return inputs;
    }

#ifndef NDEBUG
    /// What SEMANTICS 2 says of all sums (heads, context): each row of P adds one, no key has less than 0 or more than
    /// one of each query that sees it. Not of rows whose row_lse (heads, context) is not finite. Tolerance as in
    /// SEMANTICS 8, and the rounding of row_lse itself, which biases make large.
    bool invariants_hold(const at::Tensor& sums, const at::Tensor& row_lse, const ScoreRule& rule)
    {
        const auto context = static_cast<double>(sums.size(1));
        const double largest_lse = sums.numel() == 0 ? 0 : row_lse.abs().max().item<double>();
        if (sums.numel() == 0 || !std::isfinite(largest_lse))
            return true;
        const double tolerance = 1e-4 + 0x1p-22 * largest_lse;
        const at::Tensor exact = sums.to(at::kDouble);
        at::Tensor readers = at::arange(sums.size(1), 0, -1, exact.options()); // (context)
        if (rule.window > 0)
            readers = readers.clamp_max(rule.window);
        const double off = exact.sum(1).sub(context).abs().max().item<double>();
        return off <= tolerance * context && exact.min().item<double>() >= 0
            && exact.div(readers).max().item<double>() <= 1 + tolerance;
    }
#endif

} // namespace

at::Tensor column_sums(const at::Tensor& q, const at::Tensor& k, const at::Tensor& row_lse, const ScoreRule& rule,
    const Backend& backend, const std::stop_token& stop)
{
    at::Tensor sums = at::zeros({ q.size(0), k.size(1) }, row_lse.options()); // (heads, context)
    at::Tensor bias; // (heads, context)
    if (rule.alibi_slopes.defined())
        bias = rule.key_bias(at::arange(k.size(1), q.options().dtype(at::kLong))).contiguous();
    const at::Tensor lse = row_lse.contiguous(); // (heads, context)
    if (q.is_cuda()) {
        const c10::DeviceGuard guard(q.device());
        // ATen's current stream is the device's default stream everywhere in Keepset.
        kernels::ImportanceInputs inputs = inputs_of(q, k, lse, rule, bias);
        const at::Tensor workspace
            = at::empty({ backend.cuda->importance_workspace(inputs) }, q.options().dtype(at::kByte));
        inputs.workspace = workspace.mutable_data_ptr();
        backend.cuda->importance(inputs, sums.mutable_data_ptr<float>(), nullptr);
        assert(invariants_hold(sums, lse, rule));
        return sums;
    }
    const at::Tensor q32 = q.to(at::kFloat);
    const at::Tensor k32 = k.to(at::kFloat);
    // Blocks so that a stop is answered at long contexts; 2^27 score cells take about a tenth of a second on two cores.
    const std::int64_t block
        = std::max<std::int64_t>(256, (1LL << 27) / std::max<std::int64_t>(1, q.size(0) * k.size(1)));
    for (std::int64_t begin = 0; begin < q.size(1); begin += block) {
        if (stop.stop_requested())
            throw Cancelled {};
        const std::int64_t end = std::min(begin + block, q.size(1));
        kernels::ImportanceInputs inputs
            = inputs_of(q32.slice(1, begin, end), k32, lse.slice(1, begin, end), rule, bias);
        inputs.shape.query_begin = begin;
        kernels::importance_cpu(inputs, sums.mutable_data_ptr<float>(), backend.threads);
    }
    assert(invariants_hold(sums, lse, rule));
    return sums;
}

} // namespace keepset
