#include "app/bench.h"

#include "core/bench.h"

namespace keepset::cli {

std::vector<BenchRow> bench_select(const BenchRun& run)
{
    std::vector<BenchRow> rows;
    for (const Contest& contest : select_contests(run.common.open_options())) {
        BenchRow row = in_turns(run, contest.ours, contest.peer);
        row.first_s /= contest.repeats;
        row.second_s /= contest.repeats;
        row.what = "select";
        row.meaning = contest.device
            + ": CAB with median bridges at 80%, 256 rows of 32768 tokens, over topk and kthvalue of the tensor "
              "library";
        rows.push_back(row);
    }
    return rows;
}

} // namespace keepset::cli
