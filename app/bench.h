#pragma once

#include "app/console.h"

#include <functional>
#include <string>
#include <vector>

/// What the groups of `bench` share: one a file or function, and one line in the table of cli_bench.cpp.
namespace keepset::cli {

struct BenchOptions {
    std::string what = "all";
    std::string folder;
    std::string shape;
    std::string text;
    std::int64_t context = 1024;
    std::int64_t target = 256;
    std::int64_t in_flight = 0; ///< windows of a sweep
    int turns = 5;
};

struct BenchRow {
    std::string what;
    double first_s = 0;
    double second_s = 0;
    double ratio = 0; ///< median of the turns' ratios
    std::string meaning;
    double operations_s = 0; ///< of the first, where they are known
    double ceiling_share = 0; ///< of what binds it
    double windows_s = 0; ///< windows of a sweep a second
    std::size_t points = 0; ///< of such a window
    double attention_pass_s = 0; ///< of an analysis: the pass that gives importance, with its copy to the host
    std::int64_t peak_bytes = 0; ///< of a GPU's memory while it was measured, weights included; 0: not on one
};

/// What a group works with. `engine` has the model open where the group needs one.
struct BenchRun {
    const BenchOptions& options;
    const Common& common;
    Engine& engine;
    const Task& task;
    std::vector<std::string>& notes; ///< printed below the rows
};

double median(std::vector<double> values);
/// Wall time.
double seconds_of(const std::function<void()>& work);

/// All in turns in one process, after one call of each that does not count, so that whatever else the machine does
/// meets all alike. Returns seconds (works, turns). Throws Cancelled between two calls.
std::vector<std::vector<double>> times_in_turns(
    const BenchRun& run, const std::vector<std::function<void()>>& works, const std::function<void()>& before = [] {});

/// The row of one among them, relative to another.
BenchRow row_of(const std::vector<double>& times, const std::vector<double>& other);

/// times_in_turns of two.
BenchRow in_turns(
    const BenchRun& run, const std::function<void()>& first, const std::function<void()>& second,
    const std::function<void()>& before = [] {});

/// An analysis over a plain forward of the same tokens.
std::vector<BenchRow> bench_analysis(const BenchRun& run);

/// The attention pass of an analysis with the scores of one policy, over the pass without, for every policy that has
/// some.
std::vector<BenchRow> bench_scores(const BenchRun& run);

/// What a window of a sweep takes: the slope between two numbers of windows, so that nothing counts that a sweep does
/// once.
std::vector<BenchRow> bench_sweep(const BenchRun& run);

/// Importance by the kernels, by plain operations and by the whole matrix, over the forward pass alone.
std::vector<BenchRow> bench_kernels(const BenchRun& run);

/// All rows of a large model at once, on the CPU and on a GPU where there is one.
std::vector<BenchRow> bench_select(const BenchRun& run);

/// The attention map of one head, and what bridges are made of in one row, on the device.
std::vector<BenchRow> bench_map(const BenchRun& run);
std::vector<BenchRow> bench_bridges(const BenchRun& run);

} // namespace keepset::cli
