#include "core/model/layer_ops.h"

#include "core/device/backend.h"
#include "core/device/streams.h"
#include "core/device/tensors.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/rsqrt.h>
#include <ATen/ops/silu.h>
#include <c10/core/DeviceGuard.h>

#include <optional>
#include <string_view>

namespace keepset {

namespace {

    kernels::Gate gate_of(Activation activation)
    {
        switch (activation) {
        case Activation::silu:
            return kernels::Gate::silu;
        case Activation::gelu:
            return kernels::Gate::gelu;
        case Activation::gelu_tanh:
            return kernels::Gate::gelu_tanh;
        case Activation::relu:
            return kernels::Gate::relu;
        }
        return kernels::Gate::silu;
    }

    /// Whether our kernels take it: on a GPU, of a dtype they know.
    bool on_kernels(const at::Tensor& x)
    {
        const at::ScalarType type = x.scalar_type();
        return x.is_cuda() && load_cuda().module != nullptr
            && (type == at::kFloat || type == at::kBFloat16 || type == at::kHalf);
    }

    at::Tensor rms_norm_cuda(const at::Tensor& x, const at::Tensor& weight, double eps)
    {
        const c10::DeviceGuard guard(x.device());
        const at::Tensor rows = x.reshape({ -1, x.size(-1) }); // (rows, size)
        const at::Tensor from = rows.stride(1) == 1 ? rows : rows.contiguous();
        at::Tensor out = at::empty(rows.sizes(), x.options());
        kernels::NormInputs inputs;
        inputs.type = element_type(x.scalar_type());
        inputs.x = from.const_data_ptr();
        inputs.rows = from.size(0);
        inputs.size = from.size(1);
        inputs.row_stride = from.stride(0);
        inputs.weight = weight.const_data_ptr();
        inputs.wide_weight = weight.scalar_type() == at::kFloat && x.scalar_type() != at::kFloat;
        inputs.eps = static_cast<float>(eps);
        inputs.out = out.mutable_data_ptr();
        load_cuda().module->norm(inputs, current_stream(x.device()));
        return out.view(x.sizes());
    }

    void rotate_in_place(const at::Tensor& x, const Rotation& rotation)
    {
        const c10::DeviceGuard guard(x.device());
        const at::Tensor cos = rotation.cos.contiguous(); // (rows, dims) or (batch, 1, rows, dims)
        const at::Tensor sin = rotation.sin.contiguous();
        kernels::RotateInputs inputs;
        inputs.type = element_type(x.scalar_type());
        inputs.wide_tables = cos.scalar_type() == at::kFloat && x.scalar_type() != at::kFloat;
        inputs.x = x.mutable_data_ptr();
        inputs.batch = x.size(0);
        inputs.heads = x.size(1);
        inputs.rows = x.size(2);
        inputs.dims = cos.size(-1);
        inputs.batch_stride = x.stride(0);
        inputs.head_stride = x.stride(1);
        inputs.row_stride = x.stride(2);
        inputs.cos = cos.const_data_ptr();
        inputs.sin = sin.const_data_ptr();
        inputs.table_batch_stride = cos.dim() > 2 && cos.size(0) > 1 ? cos.stride(0) : 0;
        load_cuda().module->rotate(inputs, current_stream(x.device()));
    }

    using ProductFn
        = c10::TypedOperatorHandle<at::Tensor(const at::Tensor&, const at::Tensor&, const std::optional<at::Tensor>&,
            std::string_view, c10::List<std::optional<at::Scalar>>, std::optional<std::string_view>)>;

    /// The tensor library's product by oneDNN, which it uses for float32 in graphs alone. On a processor with AVX-512
    /// it is 1.1 to 1.4 times as quick as the one it uses else, with AVX2 1.05 times. Nothing where it was built
    /// without.
    std::optional<ProductFn> find_product()
    {
        const auto found = c10::Dispatcher::singleton().findSchema({ "mkldnn::_linear_pointwise", "" });
        if (!found || !at::globalContext().userEnabledMkldnn())
            return std::nullopt;
        return found->typed<at::Tensor(const at::Tensor&, const at::Tensor&, const std::optional<at::Tensor>&,
            std::string_view, c10::List<std::optional<at::Scalar>>, std::optional<std::string_view>)>();
    }

    bool turns_in_place(const at::Tensor& x, const Rotation& rotation)
    {
        const bool known = rotation.cos.scalar_type() == x.scalar_type() || rotation.cos.scalar_type() == at::kFloat;
        return on_kernels(x) && x.stride(-1) == 1 && known;
    }

} // namespace

at::Tensor rms_norm(const at::Tensor& x, const at::Tensor& weight, double eps)
{
    if (on_kernels(x) && weight.is_contiguous() && weight.dim() == 1)
        return rms_norm_cuda(x, weight, eps);
    const at::Tensor x32 = x.to(at::kFloat);
    const at::Tensor inverse = x32.square().mean(-1, true).add_(eps).rsqrt_();
    if (weight.scalar_type() == x.scalar_type())
        return (x32 * inverse).to(x.scalar_type()).mul_(weight);
    return (x32 * inverse).mul_(weight).to(x.scalar_type());
}

at::Tensor product(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias)
{
    constexpr std::int64_t least_rows = 64;
    static const std::optional<ProductFn> quick = find_product();
    const bool takes = x.is_cpu() && x.scalar_type() == at::kFloat && x.dim() == 2 && x.size(0) >= least_rows
        && weight.is_contiguous() && x.is_contiguous();
    if (!takes || !quick)
        return at::linear(x, weight, bias);
    return quick->call(x, weight, bias.defined() ? std::optional(bias) : std::nullopt, "none",
        c10::List<std::optional<at::Scalar>>(), "");
}

void activate(at::Tensor& x, Activation activation)
{
    switch (activation) {
    case Activation::silu:
        at::silu_(x);
        return;
    case Activation::gelu:
        at::gelu_(x);
        return;
    case Activation::gelu_tanh:
        at::gelu_(x, "tanh");
        return;
    case Activation::relu:
        at::relu_(x);
        return;
    }
}

at::Tensor gated(const at::Tensor& gate_up, Activation activation)
{
    const std::int64_t wide = gate_up.size(1) / 2;
    if (!on_kernels(gate_up)) {
        at::Tensor gate = gate_up.slice(1, 0, wide).contiguous();
        activate(gate, activation);
        return gate.mul_(gate_up.slice(1, wide));
    }
    const c10::DeviceGuard guard(gate_up.device());
    const at::Tensor from = gate_up.contiguous();
    at::Tensor out = at::empty({ from.size(0), wide }, from.options());
    load_cuda().module->gate({ element_type(from.scalar_type()), gate_of(activation), from.const_data_ptr(),
                                 from.size(0), wide, out.mutable_data_ptr() },
        current_stream(from.device()));
    return out;
}

void rotate_rows(const at::Tensor& x, const Rotation& rotation)
{
    if (turns_in_place(x, rotation))
        return rotate_in_place(x, rotation);
    // Some rows at a time, so that what is between two steps stays in the processor's cache.
    constexpr std::int64_t numbers = std::int64_t { 1 } << 17U;
    const std::int64_t block = std::max<std::int64_t>(1, numbers / (x.size(0) * x.size(1) * x.size(3)));
    for (std::int64_t begin = 0; begin < x.size(2); begin += block) {
        const auto rows = [&](const at::Tensor& from) { return from.slice(-2, begin, begin + block); };
        rows(x).copy_(rotate(rows(x), { rows(rotation.cos), rows(rotation.sin) }));
    }
}

void rotate_both(const at::Tensor& q, const at::Tensor& k, const Rotation& rotation)
{
    const auto* const behind
        = static_cast<const char*>(q.const_data_ptr()) + q.size(1) * q.stride(1) * q.element_size();
    if (turns_in_place(q, rotation) && k.const_data_ptr() == behind && k.strides() == q.strides()) {
        rotate_in_place(
            q.as_strided({ q.size(0), q.size(1) + k.size(1), q.size(2), q.size(3) }, q.strides()), rotation);
        return;
    }
    rotate_rows(q, rotation);
    rotate_rows(k, rotation);
}

} // namespace keepset
