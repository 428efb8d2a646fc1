#include "core/attention/attention_source.h"

#include "core/device/tensors.h"
#include "core/error.h"
#include "core/model_info.h"

#include <ATen/ops/arange.h>

#include <string>
#include <utility>

namespace keepset {

namespace {

    kernels::AttentionShape shape_of(
        const at::Tensor& q, const at::Tensor& k, const at::Tensor& row_lse, const ScoreRule& rule)
    {
        kernels::AttentionShape shape;
        shape.heads = q.size(0);
        shape.kv_heads = k.size(0);
        shape.head_dim = q.size(2);
        shape.queries = q.size(1);
        shape.keys = k.size(1);
        shape.scale = static_cast<float>(rule.scale);
        shape.softcap = static_cast<float>(rule.softcap);
        shape.window = rule.window;
        shape.q_head_stride = q.stride(0);
        shape.q_token_stride = q.stride(1);
        shape.k_head_stride = k.stride(0);
        shape.k_token_stride = k.stride(1);
        shape.lse_head_stride = row_lse.stride(0);
        return shape;
    }

    /// Kernels read head_dim as contiguous.
    at::Tensor readable(const at::Tensor& tensor)
    {
        const at::Tensor typed = tensor.is_cuda() ? tensor : tensor.to(at::kFloat);
        return typed.stride(-1) == 1 ? typed : typed.contiguous();
    }

} // namespace

KernelInputs kernel_inputs(const at::Tensor& q, const at::Tensor& k, const at::Tensor& row_lse, const ScoreRule& rule)
{
    const at::Tensor queries = readable(q);
    const at::Tensor keys = readable(k);
    const at::Tensor lse = row_lse.contiguous();
    KernelInputs made;
    made.inputs.shape = shape_of(queries, keys, lse, rule);
    made.inputs.type = element_type(queries.scalar_type());
    made.inputs.q = queries.const_data_ptr();
    made.inputs.k = keys.const_data_ptr();
    made.inputs.row_lse = lse.const_data_ptr<float>();
    made.held = { queries, keys, lse };
    if (rule.alibi_slopes.defined()) {
        const at::Tensor bias // (heads, keys)
            = rule.key_bias(at::arange(keys.size(1), keys.options().dtype(at::kLong))).contiguous();
        made.inputs.key_bias = bias.const_data_ptr<float>();
        made.held.push_back(bias);
    }
    return made;
}

KernelInputs kernel_inputs(const AttentionSource& source, std::int64_t layer)
{
    const AttentionSource::Layer& from = source.layers[static_cast<std::size_t>(layer)];
    return kernel_inputs(from.q, from.k, from.row_lse, from.rule);
}

KernelInputs kernel_inputs(const AttentionSource::Layer& layer, std::int64_t begin, std::int64_t end)
{
    const std::int64_t group = layer.q.size(0) / layer.k.size(0);
    ScoreRule rule = layer.rule;
    if (rule.alibi_slopes.defined())
        rule.alibi_slopes = rule.alibi_slopes.slice(0, begin, end);
    return kernel_inputs(layer.q.slice(0, begin, end), layer.k.slice(0, begin / group, (end - 1) / group + 1),
        layer.row_lse.slice(0, begin, end), rule);
}

std::int64_t attention_source_bytes(const ModelInfo& info, std::int64_t context, std::int64_t element_bytes)
{
    return info.layers * (info.heads + info.kv_heads) * info.head_dim * context * element_bytes;
}

} // namespace keepset
