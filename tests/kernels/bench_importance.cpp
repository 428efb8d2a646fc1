// Times the CPU column sums alone, for every instruction set this processor has:
// bench_importance [TOKENS HEADS KV_HEADS HEAD_DIM THREADS WINDOW SOFTCAP]. Best of 15, because other work only ever
// adds time.
#include "kernels/importance/importance_variant.h"
#include "tests/kernels/importance_case.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>

using namespace keepset::kernels;

namespace {

double best_ms(const ImportanceVariant& variant, const ImportanceInputs& inputs, std::vector<float>& sums, int threads)
{
    double best = 1e300;
    for (int round = 0; round < 15; ++round) {
        const auto begin = std::chrono::steady_clock::now();
        importance_cpu_with(variant, inputs, sums.data(), threads);
        const std::chrono::duration<double, std::milli> elapsed = std::chrono::steady_clock::now() - begin;
        best = std::min(best, elapsed.count());
    }
    return best;
}

} // namespace

int main(int count, char** arguments)
{
    const auto argument
        = [&](int at, std::int64_t otherwise) { return count > at ? std::atoll(arguments[at]) : otherwise; };
    const std::int64_t tokens = argument(1, 1024);
    test::ImportanceCase values
        = test::make_case({ argument(2, 9), argument(3, 3), argument(4, 64), tokens, tokens }, true, 0);
    values.shape.window = argument(6, 0);
    values.shape.softcap = static_cast<float>(argument(7, 0));
    std::mt19937 random(1);
    std::normal_distribution<float> normal;
    std::generate(values.q.begin(), values.q.end(), [&] { return normal(random); });
    std::generate(values.k.begin(), values.k.end(), [&] { return normal(random); });
    std::fill(values.lse.begin(), values.lse.end(), 7.0F);
    std::vector<float> sums(static_cast<std::size_t>(values.shape.heads * tokens));
    const int threads = static_cast<int>(argument(5, 2));
    // The products that are needed, two operations each: half of tokens × tokens, or the window's.
    const auto all = static_cast<double>(tokens);
    const double window = values.shape.window == 0 ? all : std::min(all, static_cast<double>(values.shape.window));
    const double operations
        = window * (2 * all - window) * static_cast<double>(values.shape.head_dim * values.shape.heads);
    std::printf("%s, %d threads\n", values.describe().c_str(), threads);
    for (const ImportanceVariant& variant : importance_variants()) {
        const double elapsed_ms = best_ms(variant, values.inputs(), sums, threads);
        std::printf("%-10s %9.2f ms  %7.1f GFLOP/s\n", variant.name, elapsed_ms, operations / elapsed_ms / 1e6);
    }
    return 0;
}
