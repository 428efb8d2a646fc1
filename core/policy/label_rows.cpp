#include "core/policy/label_rows.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <c10/core/DeviceGuard.h>

namespace keepset {

namespace {

    /// Whether a GPU answers sooner: a label takes a CPU thread about 3.5 ns; copying it takes 0.3 ns, and asking a GPU
    /// at all 0.1 ms.
    bool pays(const kernels::SelectInputs& inputs, int threads)
    {
        const double labels
            = static_cast<double>(inputs.rows * inputs.context) * static_cast<double>(inputs.plan_count);
        return labels * 3.5 / threads > 1e5 + labels * 0.3;
    }

    std::int64_t label_rows_cuda(const kernels::SelectInputs& host, const kernels::CudaModule& cuda, at::Device device)
    {
        const c10::DeviceGuard guard(device);
        const std::int64_t size = host.rows * host.context;
        // ATen takes memory that can be written to, but only reads these.
        const at::Tensor scores
            = at::from_blob(const_cast<float*>(host.scores), { size }, at::kFloat).to(device); // (rows · context)
        const at::Tensor labels
            = at::empty({ host.plan_count, size }, scores.options().dtype(at::kByte)); // (plans, rows · context)
        const at::Tensor first_bad = at::empty({}, scores.options().dtype(at::kLong));
        std::vector<kernels::SelectPlan> plans(host.plans, host.plans + host.plan_count);
        for (std::size_t plan = 0; plan < plans.size(); ++plan)
            plans[plan].labels = labels.mutable_data_ptr<std::uint8_t>() + static_cast<std::int64_t>(plan) * size;
        // ATen's current stream is the device's default stream everywhere in Keepset.
        cuda.select({ scores.const_data_ptr<float>(), host.rows, host.context, plans.data(), host.plan_count },
            first_bad.mutable_data_ptr<std::int64_t>(), nullptr);
        for (std::int64_t plan = 0; plan < host.plan_count; ++plan)
            at::from_blob(host.plans[plan].labels, { size }, at::kByte).copy_(labels[plan]);
        return first_bad.item<std::int64_t>();
    }

} // namespace

std::int64_t label_rows(const kernels::SelectInputs& inputs, const Backend& backend, at::Device device)
{
    if (device.is_cuda() && backend.cuda != nullptr && pays(inputs, backend.threads))
        return label_rows_cuda(inputs, *backend.cuda, device);
    return kernels::select_cpu(inputs, backend.threads);
}

} // namespace keepset
