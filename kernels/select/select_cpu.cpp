#include "kernels/select/select_variant.h"

#include <algorithm>
#include <limits>

#include <omp.h>

namespace keepset::kernels {

namespace {

    /// Starting a thread costs more than a millisecond on a busy machine: too much for little work.
    int useful_threads(const SelectInputs& inputs, int threads)
    {
        const double labels
            = static_cast<double>(inputs.rows * inputs.context) * static_cast<double>(inputs.plan_count);
        return labels < 2.5e5 ? 1 : static_cast<int>(std::clamp<std::int64_t>(threads, 1, inputs.rows));
    }

} // namespace

std::vector<SelectVariant> select_variants()
{
    std::vector<SelectVariant> variants = { baseline::select_variant };
#ifdef KEEPSET_X86_VARIANTS
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        variants.push_back(avx2::select_variant);
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq")
        && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512cd"))
        variants.push_back(avx512::select_variant);
#endif
    return variants;
}

std::int64_t select_cpu_with(const SelectVariant& variant, const SelectInputs& inputs, int threads)
{
    threads = useful_threads(inputs, threads);
    const auto context = static_cast<std::size_t>(inputs.context);
    const auto teams = static_cast<std::size_t>(threads);
    // An exception must not leave an OpenMP region, so all memory is taken here.
    std::vector<std::uint64_t> exact(context * teams);
    std::vector<std::uint32_t> words((3 * context + 3 * max_bins) * teams);
    constexpr std::int64_t none = std::numeric_limits<std::int64_t>::max();
    std::int64_t first_bad = none;
#pragma omp parallel num_threads(threads) reduction(min : first_bad)
    {
        const auto thread = static_cast<std::size_t>(omp_get_thread_num());
        std::uint32_t* own = words.data() + (3 * context + 3 * max_bins) * thread;
        const SelectScratch scratch = { own, own + context, own + 2 * context, exact.data() + context * thread,
            own + 3 * context, own + 3 * context + max_bins };
#pragma omp for schedule(dynamic)
        for (std::int64_t row = 0; row < inputs.rows; ++row) {
            const std::int64_t bad = variant.row(inputs, row, scratch);
            if (bad >= 0)
                first_bad = std::min(first_bad, row * inputs.context + bad);
        }
    }
    return first_bad == none ? -1 : first_bad;
}

std::int64_t select_cpu(const SelectInputs& inputs, int threads)
{
    return select_cpu_with(select_variants().back(), inputs, threads);
}

} // namespace keepset::kernels
