#include "core/attention/attend.h"

#include "core/attention/attend_rule.h"
#include "core/attention/attend_rule_cuda.h"
#include "core/error.h"

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/_scaled_dot_product_cudnn_attention.h>
#include <ATen/ops/_scaled_dot_product_efficient_attention.h>
#include <ATen/ops/_scaled_dot_product_flash_attention.h>
#include <ATen/ops/_scaled_dot_product_flash_attention_for_cpu.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/logaddexp.h>

#include <algorithm>
#include <optional>
#include <tuple>
#include <vector>

namespace keepset {

namespace {

    /// Queries a CPU call takes at once: about a tenth of a second on these cores, so that a stop is answered.
    std::int64_t cpu_block(const at::Tensor& q, std::int64_t keys)
    {
        const std::int64_t products = std::int64_t { 1'000'000'000 } * std::max(1, at::get_num_threads());
        const std::int64_t of_a_query = std::max<std::int64_t>(1, 2 * q.size(0) * q.size(1) * keys * q.size(3));
        return std::clamp<std::int64_t>(products / of_a_query / 64 * 64, 64, 2048);
    }

    /// From here on cuDNN's kernel, twice as quick as flash on an H100, is worth the second that its first call takes.
    constexpr std::int64_t cudnn_queries = 2048;

    at::Tensor repeat_heads(const at::Tensor& kv, std::int64_t heads)
    {
        const std::int64_t group = heads / kv.size(1);
        if (group == 1)
            return kv;
        return kv.unsqueeze(2)
            .expand({ kv.size(0), kv.size(1), group, kv.size(2), kv.size(3) })
            .reshape({ kv.size(0), heads, kv.size(2), kv.size(3) });
    }

    /// The GPU kernels want head_dim in multiples of 8; zeros change neither scores nor the rest of the output.
    at::Tensor pad_head_dim(const at::Tensor& tensor)
    {
        const std::int64_t missing = (8 - tensor.size(-1) % 8) % 8;
        return missing == 0 ? tensor : at::constant_pad_nd(tensor, { 0, missing });
    }

    /// Long causal inputs in half precision; nothing where cuDNN is not there or has no kernel for them.
    std::optional<Attended> attend_cudnn(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, double scale)
    {
        if (q.scalar_type() == at::kFloat || q.size(2) < cudnn_queries || q.size(3) > 128)
            return std::nullopt;
        try {
            auto parts = at::_scaled_dot_product_cudnn_attention(q, k, v, {}, true, 0.0, true, false, scale);
            return Attended { std::get<0>(parts), std::get<1>(parts).view({ q.size(0), q.size(1), q.size(2) }) };
        } catch (const c10::OutOfMemoryError&) {
            throw;
        } catch (const c10::Error&) {
            return std::nullopt;
        }
    }

    Attended attend_cuda(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, double scale, bool causal)
    {
        const std::int64_t head_dim = q.size(-1);
        const at::Tensor padded_q = pad_head_dim(q);
        Attended result;
        // Measured: flash refuses float32 and cuDNN answers it with NaN; the efficient kernel is right but takes no kv
        // heads.
        if (q.scalar_type() == at::kFloat) {
            const at::Tensor all_k = repeat_heads(pad_head_dim(k), q.size(1));
            const at::Tensor all_v = repeat_heads(pad_head_dim(v), q.size(1));
            auto parts
                = at::_scaled_dot_product_efficient_attention(padded_q, all_k, all_v, {}, true, 0.0, causal, scale);
            // Its log-sum-exp is padded to a multiple of 32 rows.
            result = { std::get<0>(parts), std::get<1>(parts).slice(2, 0, q.size(2)).contiguous() };
        } else {
            const at::Tensor padded_k = pad_head_dim(k);
            const at::Tensor padded_v = pad_head_dim(v);
            const auto quick = causal ? attend_cudnn(padded_q, padded_k, padded_v, scale) : std::nullopt;
            if (quick) {
                result = *quick;
            } else {
                auto parts
                    = at::_scaled_dot_product_flash_attention(padded_q, padded_k, padded_v, 0.0, causal, false, scale);
                result = { std::get<0>(parts), std::get<1>(parts) };
            }
        }
        result.output = result.output.slice(3, 0, head_dim);
        return result;
    }

    Attended attend_cpu(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, double scale, bool causal)
    {
        auto [output, lse] = at::_scaled_dot_product_flash_attention_for_cpu(q, k, v, 0.0, causal, {}, scale);
        return { output, lse };
    }

} // namespace

Attended attend_every(
    const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, double scale, const std::stop_token& stop)
{
    if (q.is_cuda())
        return attend_cuda(q, k, v, scale, false);
    const std::int64_t rows = cpu_block(q, k.size(2));
    if (q.size(2) <= rows)
        return attend_cpu(q, k, v, scale, false);
    std::vector<at::Tensor> outputs;
    std::vector<at::Tensor> lses;
    for (std::int64_t begin = 0; begin < q.size(2); begin += rows) {
        if (stop.stop_requested())
            throw Cancelled {};
        const Attended part = attend_cpu(q.slice(2, begin, begin + rows), k, v, scale, false);
        outputs.push_back(part.output);
        lses.push_back(part.row_lse);
    }
    return { at::cat(outputs, 2), at::cat(lses, 2) };
}

Attended attend(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const ScoreRule& rule,
    const std::stop_token& stop, const ShareFn& share)
{
    const std::int64_t queries = q.size(2);
    const ScoreRule needed = rule.within(queries);
    if (!needed.plain())
        return rule_kernel_takes(q) ? attend_rule_cuda(q, k, v, needed) : attend_by_rule(q, k, v, needed, stop, share);
    const double scale = rule.scale;
    if (q.is_cuda())
        return attend_cuda(q, k, v, scale, true);
    const std::int64_t rows = cpu_block(q, queries);
    if (queries <= rows)
        return attend_cpu(q, k, v, scale, true);
    // The CPU call aligns fewer queries than keys at the top left, so a block takes its own keys causally, the earlier
    // ones without a mask, and the two are merged.
    std::vector<at::Tensor> outputs;
    std::vector<at::Tensor> lses;
    for (std::int64_t begin = 0; begin < queries; begin += rows) {
        if (stop.stop_requested())
            throw Cancelled {};
        const std::int64_t end = std::min(begin + rows, queries);
        const at::Tensor block = q.slice(2, begin, end);
        Attended part = attend_cpu(block, k.slice(2, begin, end), v.slice(2, begin, end), scale, true);
        if (begin > 0)
            part = merge(part, attend_cpu(block, k.slice(2, 0, begin), v.slice(2, 0, begin), scale, false));
        outputs.push_back(part.output);
        lses.push_back(part.row_lse);
        if (share)
            share(share_of_cells(end, queries, queries, rule));
    }
    return { at::cat(outputs, 2), at::cat(lses, 2) };
}

double share_of_cells(std::int64_t done, std::int64_t queries, std::int64_t keys, const ScoreRule& rule)
{
    const auto seen_by = [&](std::int64_t count) { // twice the cells of the first `count`
        const auto before = static_cast<double>(keys - queries);
        return static_cast<double>(count) * (2 * before + static_cast<double>(count));
    };
    return rule.within(keys).window > 0 ? static_cast<double>(done) / static_cast<double>(queries)
                                        : seen_by(done) / seen_by(queries);
}

Attended merge(const Attended& first, const Attended& second)
{
    const at::Tensor lse = at::logaddexp(first.row_lse, second.row_lse); // (batch, heads, queries)
    const at::Tensor first_share = (first.row_lse - lse).exp_().unsqueeze(-1);
    const at::Tensor second_share = (second.row_lse - lse).exp_().unsqueeze(-1);
    at::Tensor output = first.output.to(at::kFloat).mul(first_share);
    output.addcmul_(second.output.to(at::kFloat), second_share);
    return { output.to(first.output.scalar_type()), lse };
}

} // namespace keepset
