#include "core/audit/distinct.h"
#include "core/engine.h"
#include "core/policy/words.h"
#include "core/sweep/statistics.h"

#include <algorithm>
#include <cmath>

namespace keepset {

namespace {

    using namespace audit_checks;

    std::vector<std::size_t> windows_of(const Run& run)
    {
        std::vector<std::size_t> done;
        for (std::int64_t window = 0; window < run.windows; ++window) {
            if (window_done(run, window))
                done.push_back(static_cast<std::size_t>(window));
        }
        return done;
    }

    std::string point_name(const SweepPoint& point)
    {
        return title_of(point.policy) + " at " + percent(point.sparsity);
    }

    Outcome check_baseline(const Run& run, const std::vector<std::size_t>& done)
    {
        const auto dense = dense_point(run);
        if (!dense)
            return not_applicable("The run has no dense point to compare with.");
        std::int64_t compared = 0;
        double largest = 0;
        std::string worst;
        for (std::size_t i = 0; i < run.points.size(); ++i) {
            if (i == *dense || run.points[i].sparsity != 0)
                continue;
            ++compared;
            for (const std::size_t w : done) {
                const double expected = window_loss(run, *dense, static_cast<std::int64_t>(w));
                const double found = window_loss(run, i, static_cast<std::int64_t>(w));
                const double difference = std::abs(found - expected) / std::max(std::abs(expected), 1e-300);
                if (difference > largest) {
                    largest = difference;
                    worst = title_of(run.points[i].policy) + " in window " + grouped(static_cast<std::int64_t>(w));
                }
            }
        }
        if (compared == 0 || done.empty())
            return not_applicable("No policy was run at sparsity 0, where it must equal dense.");
        if (largest > baseline_tolerance)
            return failed("With nothing evicted " + worst + " differs from dense by " + significant(largest * 100)
                + "% of its NLL: the attention differs, not only what is kept, so no point of the curve can be "
                  "compared with dense.");
        return passed(
            "At sparsity 0 every policy equals dense (largest difference " + significant(largest) + " of the NLL).");
    }

    Outcome check_budget(const Run& run, const std::vector<std::size_t>& done)
    {
        if (run.kept_entries.empty() || done.empty())
            return not_applicable("The run does not say how many entries were kept.");
        const std::int64_t rows = run.layers * run.kv_heads;
        for (std::size_t i = 0; i < run.points.size(); ++i) {
            const std::int64_t k = run.points[i].budget;
            if (k < 0 || k > run.context)
                return failed(point_name(run.points[i]) + " has a budget of " + grouped(k) + " in a context of "
                    + counted(run.context, "token") + ".");
            for (const std::size_t w : done) {
                const std::int64_t kept = run.kept_entries[i * static_cast<std::size_t>(run.windows) + w];
                if (kept != k * rows)
                    return failed(point_name(run.points[i]) + " kept " + grouped(kept) + " entries in window "
                        + grouped(static_cast<std::int64_t>(w)) + " where its budget is " + grouped(k * rows) + " ("
                        + grouped(k) + " in each of " + counted(rows, "row")
                        + "): methods were compared at different sizes of the cache.");
            }
        }
        return passed("Every keep set has exactly its budget of distinct positions.");
    }

    /// A measure that must stay at or below `limit` in every window that is done.
    Outcome check_limit(const std::vector<double>& values, const std::vector<std::size_t>& done, double limit,
        const std::string& good, const std::string& bad)
    {
        if (values.empty() || done.empty())
            return not_applicable("The run does not hold what this check needs.");
        for (const std::size_t w : done) {
            if (!(values[w] <= limit))
                return failed(bad + " (" + significant(values[w], 6) + " in window "
                    + grouped(static_cast<std::int64_t>(w)) + ").");
        }
        return passed(good);
    }

    Outcome check_targets(const Run& run, const std::vector<std::size_t>& done)
    {
        if (run.target_hash.empty() || done.empty() || run.points.size() < 2)
            return not_applicable("There are no two points whose targets could be compared.");
        const auto windows = static_cast<std::size_t>(run.windows);
        for (const std::size_t w : done) {
            for (std::size_t i = 1; i < run.points.size(); ++i) {
                if (run.target_hash[i * windows + w] != run.target_hash[w])
                    return failed(point_name(run.points[i]) + " was scored on other tokens than "
                        + point_name(run.points[0]) + " in window " + grouped(static_cast<std::int64_t>(w))
                        + ": their perplexities cannot be compared.");
            }
        }
        return passed("All methods were scored on the same tokens.");
    }

    /// Points of a method by ascending sparsity, with dense in front of those that lack sparsity 0.
    std::vector<std::size_t> curve_of(const Run& run, const std::string& method)
    {
        std::vector<std::size_t> curve;
        for (std::size_t i = 0; i < run.points.size(); ++i) {
            if (run.points[i].policy == method)
                curve.push_back(i);
        }
        std::sort(curve.begin(), curve.end(),
            [&](std::size_t a, std::size_t b) { return run.points[a].sparsity < run.points[b].sparsity; });
        const auto dense = dense_point(run);
        if (dense && !curve.empty() && run.points[curve.front()].sparsity > 0)
            curve.insert(curve.begin(), *dense);
        return curve;
    }

    Outcome check_monotone(const Run& run, const std::vector<std::size_t>& done)
    {
        if (static_cast<std::int64_t>(done.size()) < least_windows)
            return not_applicable("No interval with fewer than 5 windows, so no fall can be told from chance.");
        std::int64_t compared = 0;
        std::vector<std::string> falls;
        for (const std::string& method : methods(run)) {
            const std::vector<std::size_t> curve = curve_of(run, method);
            for (std::size_t i = 1; i < curve.size(); ++i) {
                ++compared;
                if (paired_interval(run, curve[i], curve[i - 1]).high < 0)
                    falls.push_back(title_of(method) + " from " + percent(run.points[curve[i - 1]].sparsity) + " to "
                        + percent(run.points[curve[i]].sparsity));
            }
        }
        if (compared == 0)
            return not_applicable("No method has two sparsities to compare.");
        if (!falls.empty())
            return warned("Perplexity falls by more than its uncertainty though more is evicted: " + listed(falls)
                + ". That can be true of a model whose context is of little use, or a sign of a mistake.");
        return passed("Perplexity nowhere falls by more than its uncertainty as sparsity grows.");
    }

    Outcome check_plausible(const Run& run)
    {
        const auto dense = dense_point(run);
        if (!dense || run.points[*dense].windows == 0)
            return not_applicable("The run has no dense perplexity.");
        const double perplexity = run.points[*dense].perplexity;
        const std::string found = "The dense perplexity is " + significant(perplexity, 4);
        const std::string meaning = ": check the model, its tokenizer and the text before comparing policies.";
        if (run.vocabulary > 0 && perplexity > static_cast<double>(run.vocabulary))
            return warned(found + ", worse than guessing evenly among " + counted(run.vocabulary, "token") + meaning);
        if (perplexity > 10 * run.unigram_perplexity)
            return warned(found + ", more than ten times the " + significant(run.unigram_perplexity, 4)
                + " of the text's bare token frequencies" + meaning);
        return passed(found + ", within what the vocabulary and the text's token frequencies allow.");
    }

    Outcome check_finite(const Run& run, const std::vector<std::size_t>& done)
    {
        if (done.empty())
            return not_applicable("No window is done.");
        const auto windows = static_cast<std::size_t>(run.windows);
        const auto scored = run.points.empty() ? 0 : run.token_nll.size() / (run.points.size() * windows);
        const bool has_interval = static_cast<std::int64_t>(done.size()) >= least_windows;
        for (std::size_t i = 0; i < run.points.size(); ++i) {
            const SweepPoint& p = run.points[i];
            std::vector<double> values { p.nll_sum, p.perplexity, p.kl, p.top1_agreement, p.kept_mass, p.seconds };
            if (has_interval)
                values.insert(values.end(), { p.ci_low, p.ci_high });
            for (const std::size_t w : done) {
                values.push_back(run.window_nll[i * windows + w]);
                const auto first = run.token_nll.begin() + static_cast<std::ptrdiff_t>((i * windows + w) * scored);
                values.insert(values.end(), first, first + static_cast<std::ptrdiff_t>(scored));
            }
            if (!std::all_of(values.begin(), values.end(), [](double value) { return std::isfinite(value); }))
                return failed(point_name(p)
                    + " has a value that is no finite number: the model or its dtype overflowed, "
                      "and every mean over it is void.");
        }
        return passed("Every value is a finite number.");
    }

} // namespace

AuditReport audit(const Run& run)
{
    const std::vector<std::size_t> done = windows_of(run);
    return report_of({
        check_baseline(run, done),
        check_distinct(run),
        check_budget(run, done),
        check_limit(run.mass_error, done, mass_tolerance, "The attention that all keys received sums to the context.",
            "The attention that all keys received does not sum to the context: it was not normalised by its final "
            "softmax, or rows are missing"),
        check_limit(run.last_key_importance, done, 1 + mass_tolerance,
            "The last key received attention from its own query alone, as causal attention must.",
            "The last key received more attention than its own query can give: earlier queries look ahead, the mask is "
            "not causal"),
        check_targets(run, done),
        check_monotone(run, done),
        check_plausible(run),
        check_finite(run, done),
    });
}

} // namespace keepset
