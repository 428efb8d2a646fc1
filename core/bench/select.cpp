#include "core/bench.h"

#include "core/device/device.h"
#include "core/device/streams.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/kthvalue.h>
#include <ATen/ops/topk.h>
#include <ATen/ops/zeros.h>
#include <c10/core/DeviceGuard.h>

#include <cmath>
#include <limits>
#include <random>
#include <tuple>

namespace keepset {

namespace {

    constexpr std::int64_t rows = 256; // 32 layers of 8 kv heads
    constexpr std::int64_t context = 32768;
    constexpr std::int64_t budget = context / 5;
    constexpr std::int64_t local = budget * 3 / 10;
    constexpr std::int64_t bridges = budget / 5;
    constexpr std::int64_t important = budget - local - bridges;
    constexpr int gpu_repeats = 50;
    constexpr const char* name
        = "CAB with median bridges at 80%, 256 rows of 32768 tokens, over topk and kthvalue of the tensor library";

    /// Scores as importance falls: larger for early positions, exponential around that. (rows, context)
    at::Tensor make_scores()
    {
        at::Tensor scores = at::empty({ rows, context }, at::kFloat);
        std::mt19937 random(20240229);
        std::exponential_distribution<float> draw(1);
        auto* out = scores.mutable_data_ptr<float>();
        for (std::int64_t index = 0; index < rows * context; ++index)
            out[index]
                = draw(random) * (1 + std::log(static_cast<float>(context) / static_cast<float>(index % context + 1)));
        return scores;
    }

    kernels::SelectPlan plan_into(const at::Tensor& labels)
    {
        return {
            .local = local, .highest = important, .median = bridges, .labels = labels.mutable_data_ptr<std::uint8_t>()
        };
    }

    /// What a short script would do. scores (rows, context) → labels (rows, context) uint8.
    at::Tensor plain_labels(const at::Tensor& scores)
    {
        const auto label = [](kernels::RowLabel value) { return static_cast<int>(value); };
        constexpr std::int64_t rest = context - local - important;
        at::Tensor labels = at::zeros({ rows, context }, scores.options().dtype(at::kByte));
        labels.slice(1, context - local).fill_(label(kernels::RowLabel::local));
        at::Tensor left = scores.slice(1, 0, context - local).clone(); // (rows, context - local)
        const at::Tensor highest = std::get<1>(at::topk(left, important, 1, true, false));
        labels.scatter_(1, highest, label(kernels::RowLabel::important));
        left.scatter_(1, highest, std::numeric_limits<double>::infinity()); // behind all others from here on
        const at::Tensor median = std::get<0>(at::kthvalue(left, (rest - 1) / 2 + 1, 1, true)); // (rows, 1)
        left.sub_(median).abs_();
        return labels.scatter_(
            1, std::get<1>(at::topk(left, bridges, 1, false, false)), label(kernels::RowLabel::bridge));
    }

    Contest cpu_contest(const at::Tensor& scores, int threads)
    {
        const at::Tensor labels = at::empty({ rows, context }, at::kByte);
        Contest contest;
        contest.device = "CPU, " + std::to_string(threads) + (threads == 1 ? " thread" : " threads");
        contest.name = name;
        contest.ours = [=] {
            const kernels::SelectPlan plan = plan_into(labels);
            kernels::select_cpu({ scores.const_data_ptr<float>(), rows, context, &plan, 1 }, threads);
        };
        contest.peer = [=] { guarded(threads, [&] { plain_labels(scores); }); };
        return contest;
    }

    Contest cuda_contest(const at::Tensor& host, const ChosenDevice& chosen)
    {
        const kernels::CudaModule& cuda = *chosen.backend.cuda;
        const at::Device device = chosen.device;
        const at::Tensor scores = host.to(device);
        const at::Tensor labels = at::empty({ rows, context }, scores.options().dtype(at::kByte));
        const at::Tensor first_bad = at::empty({}, scores.options().dtype(at::kLong));
        Contest contest;
        contest.device = chosen.name;
        contest.name = name;
        contest.repeats = gpu_repeats;
        contest.ours = [=, &cuda] {
            const c10::DeviceGuard guard(device);
            const kernels::SelectPlan plan = plan_into(labels);
            for (int repeat = 0; repeat < gpu_repeats; ++repeat)
                cuda.select({ scores.const_data_ptr<float>(), rows, context, &plan, 1 },
                    first_bad.mutable_data_ptr<std::int64_t>(), current_stream(first_bad.device()));
            first_bad.item<std::int64_t>(); // waits for all of it
        };
        contest.peer = [=, threads = chosen.backend.threads] {
            guarded(threads, [&] {
                at::Tensor last;
                for (int repeat = 0; repeat < gpu_repeats; ++repeat)
                    last = plain_labels(scores);
                last.view({ -1 })[0].item<std::uint8_t>();
            });
        };
        return contest;
    }

} // namespace

std::vector<Contest> select_contests(const OpenOptions& options)
{
    const ChosenDevice chosen = choose_device(options);
    std::vector<Contest> contests;
    guarded(chosen.backend.threads, [&] {
        const at::Tensor scores = make_scores();
        contests.push_back(cpu_contest(scores, chosen.backend.threads));
        if (chosen.device.is_cuda())
            contests.push_back(cuda_contest(scores, chosen));
    });
    return contests;
}

} // namespace keepset
