#include "app/bench.h"

#include "core/bench.h"

namespace keepset::cli {

namespace {

    std::vector<BenchRow> rows_of(const BenchRun& run, const char* what, const std::vector<Contest>& contests)
    {
        std::vector<BenchRow> rows;
        for (const Contest& contest : contests) {
            BenchRow row = in_turns(run, contest.ours, contest.peer);
            row.first_s /= contest.repeats;
            row.second_s /= contest.repeats;
            row.what = what;
            row.meaning = contest.device + ": " + contest.name;
            rows.push_back(row);
        }
        return rows;
    }

} // namespace

std::vector<BenchRow> bench_select(const BenchRun& run)
{
    return rows_of(run, "select", select_contests(run.common.open_options()));
}

std::vector<BenchRow> bench_map(const BenchRun& run)
{
    return rows_of(run, "map", map_contests(run.common.open_options()));
}

std::vector<BenchRow> bench_bridges(const BenchRun& run)
{
    return rows_of(run, "bridges", bridge_contests(run.common.open_options()));
}

} // namespace keepset::cli
