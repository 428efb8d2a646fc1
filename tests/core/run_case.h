#pragma once

#include "core/sweep/statistics.h"
#include "core/trace/run_arrays.h"

#include <functional>

/// A run made of window losses, for tests of what is computed from them.
namespace keepset {

struct PointCase {
    std::string policy;
    double sparsity = 0;
    std::function<double(std::int64_t window)> nll; ///< per token
};

/// Context 100, target 11 (10 losses a window), 2 layers of 3 kv heads; all else as a right sweep leaves it.
inline Run make_run(const std::vector<PointCase>& cases, std::int64_t windows)
{
    Run run;
    run.context = 100;
    run.target = 11;
    run.layers = 2;
    run.kv_heads = 3;
    run.vocabulary = 1000;
    run.unigram_perplexity = 500;
    run.windows = windows;
    run.done.assign(static_cast<std::size_t>(windows), 1);
    run.mass_error.assign(static_cast<std::size_t>(windows), 1e-7);
    run.last_key_importance.assign(static_cast<std::size_t>(windows), 0.4);
    run.least_importance.assign(static_cast<std::size_t>(windows), 0.001);
    run.most_of_visible.assign(static_cast<std::size_t>(windows), 0.9);
    run.first_token_mass.assign(static_cast<std::size_t>(windows), 0.3);
    run.largest_hidden.assign(static_cast<std::size_t>(windows), 20);
    run.context_change = run.target_change = { 0, 0.5 };
    for (std::int64_t w = 0; w < windows; ++w) {
        run.read_hash.push_back(100 + static_cast<std::uint64_t>(w));
        run.text_target_hash.push_back(static_cast<std::uint64_t>(w) + 1);
        run.window_begin.push_back(111 * w);
    }
    run.text_read_hash = run.read_hash;
    for (const PointCase& c : cases) {
        SweepPoint point;
        point.policy = c.policy;
        point.sparsity = c.sparsity;
        point.budget = static_cast<std::int64_t>(100 * (1 - c.sparsity) + 1e-9);
        point.kl = point.top1_agreement = point.kept_mass = 0.5;
        const auto id = run.points.size();
        run.points.push_back(point);
        for (std::int64_t w = 0; w < windows; ++w) {
            run.window_nll.push_back(10 * c.nll(w));
            run.keep_hash.push_back(1000 * (id + 1) + static_cast<std::uint64_t>(w));
            run.kept_entries.push_back(point.budget * 6);
            run.budget_entries.push_back(point.budget * 6);
            run.target_hash.push_back(static_cast<std::uint64_t>(w) + 1);
            run.first_kept.push_back(6);
            run.tied_rows.push_back(0);
            run.flat_rows.push_back(0);
        }
    }
    run.selected_hash = run.keep_hash;
    refresh_points(run);
    return run;
}

/// As read from a file of the first version.
inline void forget_what_came_later(Run& run)
{
    trace::for_run_arrays([&](const auto& array) {
        if (!array.always)
            (run.*array.member).clear();
    });
    run.context_change = run.target_change = {};
}

} // namespace keepset
