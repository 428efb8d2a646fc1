#include "app/bench.h"

#include "core/bench.h"

#include <algorithm>

namespace keepset::cli {

namespace {

    std::string rate_text(double operations_s)
    {
        return operations_s >= 1e12 ? number(operations_s / 1e12, 3) + " TFLOP/s"
                                    : number(operations_s / 1e9, 3) + " GFLOP/s";
    }

    /// Operations per second while the contest ran: a warm device is slower than a cold one.
    struct Rates {
        double products = 0;
        double exponentials = 0; ///< 0: not told
    };

    /// Operations per second, and the share of the ceiling that binds: the products, or at small head_dim the
    /// exponentials.
    void add_rates(BenchRow& row, const AttentionContest& contest, const AttentionWay& way, const Rates& ceilings)
    {
        row.operations_s = way.products * contest.product_operations / row.first_s;
        row.ceiling_share = row.operations_s / ceilings.products;
        std::string which = "products";
        if (way.exponentials_bind && ceilings.exponentials > 0) {
            const double share = contest.scores / row.first_s / ceilings.exponentials;
            if (share > row.ceiling_share) {
                row.ceiling_share = share;
                which = "exponentials";
            }
        }
        row.meaning += " (" + rate_text(row.operations_s) + ", " + number(100 * row.ceiling_share, 2)
            + "% of the ceiling of " + which + ")";
    }

    double median_rate(const Ceiling& ceiling, const std::vector<double>& times)
    {
        return ceiling.operations / row_of(times, times).first_s;
    }

    Rates add_rows(
        std::vector<BenchRow>& rows, const BenchRun& run, const AttentionBench& bench, const AttentionContest& contest)
    {
        std::vector<std::function<void()>> works;
        for (const AttentionWay& way : contest.ways)
            works.push_back(way.run);
        works.push_back(bench.products.run);
        if (bench.exponentials.run)
            works.push_back(bench.exponentials.run);
        const auto times = times_in_turns(run, works);
        Rates ceilings { median_rate(bench.products, times[contest.ways.size()]) };
        if (bench.exponentials.run)
            ceilings.exponentials = median_rate(bench.exponentials, times.back());
        for (std::size_t index = 0; index < contest.ways.size(); ++index) {
            const AttentionWay& way = contest.ways[index];
            BenchRow row = row_of(times[index], times[0]);
            row.first_s /= contest.repeats;
            row.second_s /= contest.repeats;
            row.what = "kernels";
            row.meaning = way.name + ": " + contest.shape;
            add_rates(row, contest, way, ceilings);
            rows.push_back(row);
        }
        return ceilings;
    }

} // namespace

std::vector<BenchRow> bench_kernels(const BenchRun& run)
{
    const AttentionBench bench = attention_bench(run.common.open_options());
    std::vector<BenchRow> rows;
    Rates lowest;
    Rates highest;
    for (std::size_t index = 0; index < bench.contests.size(); ++index) {
        if (run.task.progress)
            run.task.progress({ .stage = "attention",
                .unit = "shapes",
                .done = static_cast<std::int64_t>(index),
                .total = static_cast<std::int64_t>(bench.contests.size()) });
        const Rates rates = add_rows(rows, run, bench, bench.contests[index]());
        lowest.products = index == 0 ? rates.products : std::min(lowest.products, rates.products);
        highest.products = std::max(highest.products, rates.products);
        highest.exponentials = std::max(highest.exponentials, rates.exponentials);
    }
    std::string note = bench.device + ", " + bench.dtype
        + "; all are related to the forward pass alone. Ceilings, measured in the same turns: a large matrix product "
        + rate_text(lowest.products) + " to " + rate_text(highest.products);
    if (highest.exponentials > 0)
        note += ", exponentials " + number(highest.exponentials / 1e12, 3) + " T/s";
    run.notes.push_back(note + ".");
    return rows;
}

} // namespace keepset::cli
