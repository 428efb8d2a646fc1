#include "core/attention/attend_rule_cuda.h"

#include "core/device/backend.h"
#include "core/device/streams.h"
#include "core/device/tensors.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/empty.h>
#include <c10/core/DeviceGuard.h>

#include <cstdint>

namespace keepset {

namespace {

    constexpr std::int64_t largest_dim = 256;

    /// Rows of `dim` elements that begin at multiples of 16 bytes. Zeros change neither scores nor the rest of the
    /// output.
    at::Tensor aligned_rows(const at::Tensor& x, std::int64_t dim)
    {
        if (x.size(-1) < dim)
            return at::constant_pad_nd(x, { 0, dim - x.size(-1) });
        bool aligned = x.stride(-1) == 1 && reinterpret_cast<std::uintptr_t>(x.const_data_ptr()) % 16 == 0;
        for (std::int64_t axis = 0; axis + 1 < x.dim(); ++axis)
            aligned = aligned && x.stride(axis) % 8 == 0;
        return aligned ? x : x.contiguous();
    }

    kernels::KeyRows rows_of(const at::Tensor& x)
    {
        if (x.dim() == 2)
            return { x.const_data_ptr(), 0, 0, x.stride(0) };
        if (x.dim() == 3)
            return { x.const_data_ptr(), 0, x.stride(1), x.stride(0) };
        return { x.const_data_ptr(), x.stride(0), x.stride(1), x.stride(2) };
    }

    /// `inputs` has what only packed keys have; bias (heads, positions).
    Attended run(kernels::AttendInputs inputs, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
        const ScoreRule& rule, const at::Tensor& bias)
    {
        const c10::DeviceGuard guard(q.device());
        const std::int64_t dim = padded_head_dim(q.size(3));
        const at::Tensor queries = aligned_rows(q, dim);
        const at::Tensor keys = aligned_rows(k, dim);
        const at::Tensor values = aligned_rows(v, dim);
        inputs.type = element_type(q.scalar_type());
        inputs.samples = q.size(0);
        inputs.heads = q.size(1);
        inputs.head_dim = dim;
        inputs.queries = q.size(2);
        inputs.scale = static_cast<float>(rule.scale);
        inputs.softcap = static_cast<float>(rule.softcap);
        inputs.window = rule.window;
        inputs.q = rows_of(queries);
        inputs.k = rows_of(keys);
        inputs.v = rows_of(values);
        if (bias.defined()) {
            inputs.key_bias = bias.const_data_ptr<float>();
            inputs.bias_stride = bias.stride(0);
        }
        // Queries before heads, as what comes next reads it.
        const at::Tensor output = at::empty({ q.size(0), q.size(2), q.size(1), dim }, q.options());
        const at::Tensor row_lse = at::empty({ q.size(0), q.size(1), q.size(2) }, q.options().dtype(at::kFloat));
        load_cuda().module->attend(
            inputs, output.mutable_data_ptr(), row_lse.mutable_data_ptr<float>(), current_stream(q.device()));
        return { output.transpose(1, 2).slice(3, 0, q.size(3)), row_lse };
    }

    at::Tensor bias_of(const ScoreRule& rule, std::int64_t length, at::Device device)
    {
        if (!rule.alibi_slopes.defined())
            return {};
        return rule.key_bias(at::arange(length, at::TensorOptions(device).dtype(at::kLong))).contiguous();
    }

} // namespace

bool rule_kernel_takes(const at::Tensor& q)
{
    return q.is_cuda() && load_cuda().module != nullptr && q.size(-1) <= largest_dim
        && (q.scalar_type() == at::kBFloat16 || q.scalar_type() == at::kHalf);
}

Attended attend_rule_cuda(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const ScoreRule& rule)
{
    kernels::AttendInputs inputs;
    inputs.kv_heads = k.size(1);
    inputs.keys = k.size(2);
    return run(inputs, q, k, v, rule, bias_of(rule, k.size(2), q.device()));
}

Attended attend_rule_cuda(
    const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const ScoreRule& rule, const PackedRows& rows)
{
    kernels::AttendInputs inputs;
    inputs.kv_heads = rows.starts.size(1);
    inputs.ends = rows.ends.const_data_ptr<std::int32_t>();
    inputs.side_by_side = k.dim() == 3;
    if (rows.positions.defined()) {
        inputs.positions = rows.positions.const_data_ptr<std::int32_t>();
        inputs.starts = rows.starts.const_data_ptr<std::int64_t>();
        inputs.starts_stride = rows.starts.stride(0);
    }
    inputs.first_query = rows.first_query.const_data_ptr<std::int32_t>();
    return run(inputs, q, k, v, rule, bias_of(rule, rows.length, q.device()));
}

} // namespace keepset
