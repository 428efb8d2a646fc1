#pragma once

#include "core/sweep/statistics.h"

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
    RunEvidence& evidence = run.evidence;
    evidence.least_importance.assign(static_cast<std::size_t>(windows), 0.001);
    evidence.most_of_visible.assign(static_cast<std::size_t>(windows), 0.9);
    evidence.first_token_mass.assign(static_cast<std::size_t>(windows), 0.3);
    evidence.largest_hidden.assign(static_cast<std::size_t>(windows), 20);
    evidence.context_change = evidence.target_change = { 0, 0.5 };
    for (std::int64_t w = 0; w < windows; ++w) {
        evidence.read_hash.push_back(100 + static_cast<std::uint64_t>(w));
        evidence.text_target_hash.push_back(static_cast<std::uint64_t>(w) + 1);
        evidence.window_begin.push_back(111 * w);
    }
    evidence.text_read_hash = evidence.read_hash;
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
            run.target_hash.push_back(static_cast<std::uint64_t>(w) + 1);
            evidence.first_kept.push_back(6);
            evidence.tied_rows.push_back(0);
        }
    }
    evidence.selected_hash = run.keep_hash;
    refresh_points(run);
    return run;
}

} // namespace keepset
