#include "app/bench.h"

#include "core/bench.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <set>

namespace keepset::cli {

namespace {

    /// A text of many windows: the user's, over and over again, or one of words that mean nothing.
    Text long_text(const BenchRun& run, std::int64_t tokens)
    {
        Text text { "made up", {} };
        if (!run.options.text.empty())
            text = read_text(run.options.text, run.task.stop);
        std::mt19937 random(1);
        while (run.options.text.empty() && static_cast<std::int64_t>(text.bytes.size()) < tokens)
            text.bytes += random() % 6 == 0 ? ' ' : static_cast<char>('a' + random() % 26);
        const std::string once = text.bytes;
        const auto found = std::max<std::int64_t>(1, static_cast<std::int64_t>(run.engine.tokenize(text).size()));
        for (std::int64_t there = found; there < tokens; there += found)
            text.bytes += once;
        return text;
    }

    /// The first `count` tokens of a text.
    Text first_tokens(const BenchRun& run, Text text, std::int64_t count)
    {
        const std::vector<Token> tokens = run.engine.tokenize(text, run.task);
        if (static_cast<std::int64_t>(tokens.size()) > count)
            text.bytes.resize(static_cast<std::size_t>(tokens[static_cast<std::size_t>(count)].byte_begin));
        return text;
    }

    /// One policy for every set of scores that some policy ranks by when it is spelled without parameters.
    std::vector<PolicySpec> policies_of_scores()
    {
        std::vector<PolicySpec> found;
        std::set<std::vector<std::string>> known;
        for (const PolicyInfo& policy : policies()) {
            const bool complete = std::ranges::none_of(policy.parameters,
                [](const PolicyParameter& p) { return p.kind == ParameterKind::text && p.default_value.empty(); });
            if (policy.ranks_by == ScoreOf::own && complete && known.insert(scores_of({ policy.name, {} })).second)
                found.push_back({ policy.name, {} });
        }
        return found;
    }

} // namespace

std::vector<BenchRow> bench_analysis(const BenchRun& run)
{
    const BenchOptions& options = run.options;
    Engine& engine = run.engine;
    const Task& task = run.task;
    AnalysisRequest request;
    request.text = first_tokens(run, long_text(run, options.context), options.context);
    std::vector<double> attention_passes;
    BenchRow row = in_turns(
        run, [&] { attention_passes.push_back(engine.analyse(request, task)->seconds); },
        [&] { engine.logits(request.text, 1, 0, task); });
    row.what = "analysis";
    row.attention_pass_s = median({ attention_passes.begin() + 1, attention_passes.end() }); // the first does not count
    row.meaning = "analysis, causality check included, over a plain forward of the same "
        + std::to_string(options.context) + " tokens (attention pass alone " + seconds_text(row.attention_pass_s) + ")";
    return { row };
}

std::vector<BenchRow> bench_scores(const BenchRun& run)
{
    AnalysisRequest request;
    request.text = first_tokens(run, long_text(run, run.options.context), run.options.context);
    const std::vector<PolicySpec> policies = policies_of_scores();
    std::vector<std::vector<double>> passes(1 + policies.size()); // seconds, without scores first
    std::map<std::string, std::string> missing; // why, by score
    std::vector<std::function<void()>> works;
    for (std::size_t index = 0; index < passes.size(); ++index) {
        works.emplace_back([&, index] {
            request.policies.clear();
            if (index > 0)
                request.policies.push_back(policies[index - 1]);
            const auto analysis = run.engine.analyse(request, run.task);
            passes[index].push_back(analysis->seconds);
            for (const auto& [score, why] : analysis->no_scores)
                missing[score] = why.first;
        });
    }
    times_in_turns(run, works);
    std::vector<BenchRow> rows;
    for (std::vector<double>& times : passes)
        times.erase(times.begin()); // the first does not count
    for (std::size_t index = 1; index < passes.size(); ++index) {
        if (std::ranges::any_of(
                scores_of(policies[index - 1]), [&](const std::string& s) { return missing.contains(s); }))
            continue;
        BenchRow row = row_of(passes[index], passes[0]);
        row.what = "scores";
        row.meaning = "attention pass with the scores of " + canonical(policies[index - 1])
            + " over the pass with importance alone";
        rows.push_back(row);
    }
    for (const auto& [score, why] : missing)
        run.notes.push_back("Without " + score + ": " + why);
    return rows;
}

std::vector<BenchRow> bench_sweep(const BenchRun& run)
{
    const BenchOptions& options = run.options;
    constexpr std::int64_t most = 64; // windows
    const std::int64_t length = options.context + options.target;
    SweepRequest request;
    request.text = long_text(run, (1 + most) * length + 2);
    request.policies = parse_policies("h2o,cab,h2o(local=0.3),streaming-llm");
    request.sparsities = { 0, 0.5, 0.8, 0.9, 0.95 };
    request.context = options.context;
    request.target = options.target;
    request.in_flight = options.in_flight;
    std::size_t points = 0;
    const auto sweep = [&](std::int64_t windows) {
        request.windows = windows;
        return seconds_of([&] { points = run.engine.sweep(request, run.task)->points.size(); });
    };
    sweep(1);
    // As many more as take two seconds, by a sweep of one.
    const auto more = std::clamp<std::int64_t>(static_cast<std::int64_t>(std::ceil(2 / sweep(1))), 1, most);
    const Text window = first_tokens(run, request.text, length);
    std::int64_t peak_bytes = 0;
    const auto times = times_in_turns(run,
        { [&] { sweep(1); },
            [&] {
                forget_peak_bytes();
                sweep(1 + more);
                peak_bytes = keepset::peak_bytes();
            },
            [&] { run.engine.logits(window, options.target, 0, run.task); } });
    std::vector<double> slopes; // seconds of a window, by turn
    std::vector<double> forwards; // of one forward a point
    for (std::size_t turn = 0; turn < times[0].size(); ++turn) {
        slopes.push_back((times[1][turn] - times[0][turn]) / static_cast<double>(more));
        forwards.push_back(times[2][turn] * static_cast<double>(points));
    }
    BenchRow row = row_of(slopes, forwards);
    row.what = "sweep";
    row.points = points;
    row.peak_bytes = peak_bytes;
    row.windows_s = 1 / row.first_s;
    row.meaning = "a window of " + std::to_string(points) + " points (" + number(row.windows_s, 3)
        + " windows/s, the slope between 1 and " + std::to_string(1 + more) + ") over one full forward a point";
    if (peak_bytes > 0)
        row.meaning += "; the GPU's memory held " + number(static_cast<double>(peak_bytes) / 1e9, 3)
            + " GB at most, weights included";
    return { row };
}

} // namespace keepset::cli
