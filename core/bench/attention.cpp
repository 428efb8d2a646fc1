#include "core/bench.h"

#include "core/attention/attend.h"
#include "core/attention/column_sums.h"
#include "core/device/memory.h"
#include "core/device/streams.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/_scaled_dot_product_cudnn_attention.h>
#include <ATen/ops/_scaled_dot_product_flash_attention.h>
#include <ATen/ops/_softmax.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <c10/core/DeviceGuard.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <span>

namespace keepset {

namespace {

    struct Size {
        std::int64_t heads;
        std::int64_t kv_heads;
        std::int64_t head_dim;
        std::int64_t context;
    };
    constexpr Size gpu_sizes[] = { { 32, 8, 128, 2048 }, { 32, 8, 128, 4096 }, { 32, 8, 128, 8192 },
        { 32, 8, 128, 16384 }, { 32, 8, 128, 65536 }, { 32, 8, 64, 2048 }, { 32, 8, 64, 16384 } };
    constexpr Size cpu_sizes[] = { { 9, 3, 64, 1024 }, { 9, 3, 64, 2048 } };
    constexpr std::int64_t chunk = 1024; // queries of the plain ways

    /// Waits for the device.
    void wait_for(const at::Tensor& result)
    {
        at::Tensor one = result;
        while (one.dim() > 0)
            one = one[0];
        one.item();
    }

    /// (1, heads, context, head_dim), the heads of a token side by side, as a projection leaves them.
    at::Tensor normal(std::int64_t heads, const Size& size, at::ScalarType type, at::Device device)
    {
        return at::randn({ 1, size.context, heads, size.head_dim }, at::device(device).dtype(type)).transpose(1, 2);
    }

    struct Inputs {
        Size size;
        at::Tensor q; ///< (1, heads, context, head_dim)
        at::Tensor k; ///< (1, kv_heads, context, head_dim)
        at::Tensor v;
        ScoreRule rule;
        Backend backend;
    };

    /// scores (1, heads, queries, keys) of the queries from `begin`, minus infinity where causality hides.
    at::Tensor masked_scores(const Inputs& in, const at::Tensor& k, std::int64_t begin, std::int64_t end)
    {
        const at::Tensor keys = k.slice(2, 0, end);
        at::Tensor scores = at::matmul(in.q.slice(2, begin, end), keys.transpose(2, 3)).mul_(in.rule.scale);
        const at::TensorOptions places = at::device(in.q.device()).dtype(at::kLong);
        const at::Tensor hidden = at::arange(begin, end, places).unsqueeze(1) < at::arange(0, end, places);
        return scores.masked_fill_(hidden, -std::numeric_limits<double>::infinity());
    }

    at::Tensor all_heads(const at::Tensor& kv, std::int64_t heads)
    {
        return kv.repeat_interleave(heads / kv.size(1), 1);
    }

    /// A forward, then the scores again, query chunk by query chunk, their exponentials and sums.
    at::Tensor two_passes(const Inputs& in)
    {
        const Attended attended = attend(in.q, in.k, in.v, in.rule);
        const at::Tensor k = all_heads(in.k, in.size.heads);
        at::Tensor sums = at::zeros({ 1, in.size.heads, in.size.context }, attended.row_lse.options());
        for (std::int64_t begin = 0; begin < in.size.context; begin += chunk) {
            const std::int64_t end = std::min(begin + chunk, in.size.context);
            const at::Tensor lse = attended.row_lse.slice(2, begin, end).unsqueeze(-1);
            const at::Tensor shares = masked_scores(in, k, begin, end).to(at::kFloat).sub_(lse).exp_();
            sums.slice(2, 0, end).add_(shares.sum(2));
        }
        return sums;
    }

    /// All of P at once, in float32 as the common libraries do, then its product and its column sums.
    at::Tensor all_of_p(const Inputs& in)
    {
        const at::Tensor scores = masked_scores(in, all_heads(in.k, in.size.heads), 0, in.size.context);
        const at::Tensor p = at::_softmax(scores.to(at::kFloat), 3, false).to(in.q.scalar_type());
        const at::Tensor output = at::matmul(p, all_heads(in.v, in.size.heads));
        return p.sum(2, false, at::kFloat);
    }

    /// What all_of_p holds at its fullest: scores, mask, and the float32 and the rounded P.
    bool p_fits(const Inputs& in, std::int64_t free_bytes)
    {
        const double cells = static_cast<double>(in.size.heads) * static_cast<double>(in.size.context)
            * static_cast<double>(in.size.context);
        const double bytes = static_cast<double>(in.q.element_size() * 2 + 8);
        return cells * bytes < static_cast<double>(free_bytes);
    }

    struct Maker {
        std::shared_ptr<const Inputs> in;
        int repeats;

        /// `once` in a way: repeated, on the device, with errors as the project's.
        std::function<void()> repeated(const std::function<at::Tensor()>& once) const
        {
            return [inputs = in, times = repeats, once] {
                guarded(inputs->backend.threads, [&] {
                    const c10::DeviceGuard guard(inputs->q.device());
                    at::Tensor last;
                    for (int repeat = 0; repeat < times; ++repeat)
                        last = once();
                    wait_for(last);
                });
            };
        }
    };

    void add_forwards(std::vector<AttentionWay>& ways, const Maker& make)
    {
        const auto in = make.in;
        const double scale = in->rule.scale;
        if (!in->q.is_cuda()) {
            ways.push_back(
                { "forward alone", 2, make.repeated([=] { return attend(in->q, in->k, in->v, in->rule).output; }) });
            return;
        }
        ways.push_back({ "forward alone, cuDNN", 2, make.repeated([=] {
                            return std::get<0>(at::_scaled_dot_product_cudnn_attention(
                                in->q, in->k, in->v, {}, true, 0.0, true, false, scale));
                        }) });
        ways.push_back({ "forward alone, flash", 2, make.repeated([=] {
                            return std::get<0>(
                                at::_scaled_dot_product_flash_attention(in->q, in->k, in->v, 0.0, true, false, scale));
                        }) });
    }

    at::Tensor importance(const Inputs& in, const at::Tensor& row_lse)
    {
        return column_sums(in.q[0], in.k[0], row_lse[0], in.rule, in.backend, {});
    }

    AttentionContest contest_of(const Size& size, at::ScalarType type, const ChosenDevice& chosen)
    {
        const auto in = std::make_shared<Inputs>();
        in->size = size;
        in->q = normal(size.heads, size, type, chosen.device);
        in->k = normal(size.kv_heads, size, type, chosen.device);
        in->v = normal(size.kv_heads, size, type, chosen.device);
        in->rule.scale = 1 / std::sqrt(static_cast<double>(size.head_dim));
        in->backend = chosen.backend;
        AttentionContest contest;
        contest.shape = std::to_string(size.context) + " tokens, " + std::to_string(size.heads) + " heads ("
            + std::to_string(size.kv_heads) + " kv) of " + std::to_string(size.head_dim);
        const auto context = static_cast<double>(size.context);
        contest.scores = static_cast<double>(size.heads) * context * context / 2;
        contest.product_operations = 2 * contest.scores * static_cast<double>(size.head_dim);
        // About ten milliseconds of the quickest way on a GPU.
        contest.repeats = in->q.is_cuda() ? std::max(1, static_cast<int>(4e12 / contest.product_operations)) : 1;
        const Maker make { in, contest.repeats };
        add_forwards(contest.ways, make);
        contest.ways.push_back({ "output and importance", 3, make.repeated([=] {
                                    const Attended attended = attend(in->q, in->k, in->v, in->rule);
                                    return importance(*in, attended.row_lse);
                                }) });
        const at::Tensor row_lse = attend(in->q, in->k, in->v, in->rule).row_lse;
        contest.ways.push_back({ "importance alone, the log-sum-exp given", 1,
            make.repeated([=] { return importance(*in, row_lse); }), true });
        contest.ways.push_back({ "two passes in plain operations", 3, make.repeated([=] { return two_passes(*in); }) });
        if (p_fits(*in, memory_of(chosen, chosen.device).free))
            contest.ways.push_back({ "all of P at once", 2, make.repeated([=] { return all_of_p(*in); }) });
        return contest;
    }

    Ceiling product_ceiling(at::ScalarType type, const ChosenDevice& chosen)
    {
        const std::int64_t side = chosen.device.is_cuda() ? 8192 : 1024;
        const int repeats = chosen.device.is_cuda() ? 5 : 2;
        const auto sides = static_cast<double>(side);
        at::Tensor a;
        guarded(chosen.backend.threads, [&] { a = at::randn({ side, side }, at::device(chosen.device).dtype(type)); });
        return { repeats * 2 * sides * sides * sides, [=] {
                    guarded(chosen.backend.threads, [&] {
                        at::Tensor last;
                        for (int repeat = 0; repeat < repeats; ++repeat)
                            last = at::matmul(a, a);
                        wait_for(last);
                    });
                } };
    }

    Ceiling exponential_ceiling(const ChosenDevice& chosen)
    {
        at::Tensor out;
        double done = 0;
        const auto call = [chosen](const at::Tensor& to) {
            const c10::DeviceGuard guard(chosen.device);
            const std::int64_t count
                = chosen.backend.cuda->exponentials(to.mutable_data_ptr<float>(), current_stream(to.device()));
            wait_for(to);
            return static_cast<double>(count);
        };
        guarded(chosen.backend.threads, [&] {
            out = at::zeros({ 1 }, at::device(chosen.device).dtype(at::kFloat));
            done = call(out);
        });
        return { done, [=] { guarded(chosen.backend.threads, [&] { call(out); }); } };
    }

} // namespace

AttentionBench attention_bench(const OpenOptions& options)
{
    const ChosenDevice chosen = choose_device(options);
    const bool gpu = chosen.device.is_cuda();
    const at::ScalarType type = !gpu ? at::kFloat : options.dtype == Dtype::float16 ? at::kHalf : at::kBFloat16;
    AttentionBench bench;
    bench.device = chosen.name;
    bench.dtype = dtype_name(type);
    bench.products = product_ceiling(type, chosen);
    if (gpu)
        bench.exponentials = exponential_ceiling(chosen);
    const auto add = [&](const Size& size) {
        bench.contests.emplace_back([=] {
            AttentionContest contest;
            guarded(chosen.backend.threads, [&] { contest = contest_of(size, type, chosen); });
            return contest;
        });
    };
    std::ranges::for_each(gpu ? std::span<const Size>(gpu_sizes) : std::span<const Size>(cpu_sizes), add);
    return bench;
}

} // namespace keepset
