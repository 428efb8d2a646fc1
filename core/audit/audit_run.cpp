#include "core/audit.h"
#include "core/audit/audit_evidence.h"
#include "core/audit/distinct.h"
#include "core/findings.h"
#include "core/sweep/statistics.h"
#include "core/words.h"

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

    /// Whether every loss of every window that is done is a finite number.
    bool finite_losses(const Run& run, const std::vector<std::size_t>& done)
    {
        for (std::size_t i = 0; i < run.points.size(); ++i) {
            for (const std::size_t w : done) {
                if (!std::isfinite(window_loss(run, i, static_cast<std::int64_t>(w))))
                    return false;
            }
        }
        return true;
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
                if (std::isnan(difference) || difference > largest) {
                    largest = difference;
                    worst = title_of(run.points[i].policy) + " in window " + grouped(static_cast<std::int64_t>(w));
                }
            }
        }
        if (compared == 0 || done.empty())
            return not_applicable("No policy was run at sparsity 0, where it must equal dense.");
        if (!(largest <= baseline_tolerance))
            return failed("With nothing evicted " + worst + " differs from dense by " + significant(largest * 100)
                + "% of its NLL: the attention differs, not only what is kept, so no point of the curve can be "
                  "compared with dense.");
        return passed(
            "At sparsity 0 every policy equals dense (largest difference " + significant(largest) + " of the NLL).");
    }

    /// Points of a method by ascending sparsity, with dense in front of those that lack sparsity 0.
    std::vector<std::size_t> curve_of(const Run& run, const PointIndex& index, const std::string& method)
    {
        std::vector<std::size_t> curve = index.of(method);
        std::sort(curve.begin(), curve.end(),
            [&](std::size_t a, std::size_t b) { return run.points[a].sparsity < run.points[b].sparsity; });
        const auto dense = index.find("dense", 0);
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
        const PointIndex index(run);
        for (const std::string& method : methods(run)) {
            const std::vector<std::size_t> curve = curve_of(run, index, method);
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
        if (!std::isfinite(perplexity))
            return undecided("The dense perplexity is not finite (see finite).");
        if (run.vocabulary > 0 && perplexity > static_cast<double>(run.vocabulary))
            return warned(found + ", worse than guessing evenly among " + counted(run.vocabulary, "token") + meaning);
        if (!std::isfinite(run.unigram_perplexity))
            return undecided(found + ", but the run does not say what the text's bare token frequencies give.");
        if (perplexity > 10 * run.unigram_perplexity)
            return warned(found + ", more than ten times the " + significant(run.unigram_perplexity, 4)
                + " of the text's bare token frequencies" + meaning);
        return passed(found + ", within what the vocabulary and the text's token frequencies allow.");
    }

    /// Values of a point that must be finite.
    std::vector<double> values_of(const Run& run, std::size_t index, const std::vector<std::size_t>& done)
    {
        const auto windows = static_cast<std::size_t>(run.windows);
        const auto scored = run.token_nll.size() / (run.points.size() * windows);
        const SweepPoint& p = run.points[index];
        std::vector<double> values { p.nll_sum, p.perplexity, p.kl, p.top1_agreement, p.kept_mass, p.seconds };
        if (static_cast<std::int64_t>(done.size()) >= least_windows)
            values.insert(values.end(), { p.ci_low, p.ci_high });
        for (const std::size_t w : done) {
            values.push_back(run.window_nll[index * windows + w]);
            const auto first = run.token_nll.begin() + static_cast<std::ptrdiff_t>((index * windows + w) * scored);
            values.insert(values.end(), first, first + static_cast<std::ptrdiff_t>(scored));
        }
        return values;
    }

    /// Where the model itself overflowed, in words; empty: nowhere.
    std::string overflow_of(const Run& run, const std::vector<std::size_t>& done)
    {
        for (const std::size_t w : done) {
            const std::string words = run.largest_hidden.empty() ? "" : overflow_words(run.largest_hidden[w]);
            if (!words.empty())
                return "In window " + grouped(static_cast<std::int64_t>(w)) + " " + words;
        }
        return {};
    }

    Outcome check_finite(const Run& run, const std::vector<std::size_t>& done)
    {
        if (done.empty())
            return not_applicable("No window is done.");
        if (const std::string overflow = overflow_of(run, done); !overflow.empty())
            return failed(overflow + (run.provenance.dtype.empty() ? "" : " (computed in " + run.provenance.dtype + ")")
                + ". No number of this run means anything; try float32, or other weights.");
        const auto is_finite = [](double value) { return std::isfinite(value); };
        for (std::size_t i = 0; i < run.points.size(); ++i) {
            if (!std::ranges::all_of(values_of(run, i, done), is_finite))
                return failed(point_name(run.points[i])
                    + " has a value that is no finite number: the model or its dtype overflowed, "
                      "and every mean over it is void.");
        }
        for (const std::vector<double>* measured : { &run.mass_error, &run.last_key_importance, &run.least_importance,
                 &run.most_of_visible, &run.first_token_mass }) {
            for (const std::size_t w : done) {
                if (!measured->empty() && !is_finite((*measured)[w]))
                    return failed("The importance of window " + grouped(static_cast<std::int64_t>(w))
                        + " has a value that is no finite number: the model or its dtype overflowed.");
            }
        }
        return passed("Every value is a finite number.");
    }

    /// Whether every point has a keep set in every window: where importance is not finite nothing can be chosen by it.
    bool chose(const Run& run, const std::vector<std::size_t>& done)
    {
        for (std::size_t i = 0; i < run.points.size() && !run.keep_hash.empty(); ++i) {
            for (const std::size_t w : done) {
                const std::size_t cell = i * static_cast<std::size_t>(run.windows) + w;
                if (run.keep_hash[cell] == 0 && !std::isfinite(run.window_nll[cell]))
                    return false;
            }
        }
        return true;
    }

    /// An outcome that means something only where the numbers it looks at do.
    Outcome only_if(bool finite, const Outcome& outcome, const std::string& numbers)
    {
        if (finite || outcome.status == CheckStatus::not_applicable || outcome.status == CheckStatus::undecided)
            return outcome;
        return undecided("This cannot be told, because " + numbers + " (see finite).");
    }

} // namespace

AuditReport audit(const Run& run)
{
    const std::vector<std::size_t> done = windows_of(run);
    const bool sound = overflow_of(run, done).empty();
    const bool finite = sound && finite_losses(run, done);
    const std::string overflow = "the model overflowed";
    const bool chosen = chose(run, done);
    const std::string choice = "no keep set can be chosen by importance that is not finite";
    const std::string losses = sound ? "losses are not finite" : overflow;
    // Where the logits themselves are NaN, what a change did to them is NaN too, as if it had not been tried.
    const bool tried = finite || !std::isnan(run.context_change.before);
    return report_of(
        {
            { "finite", check_finite(run, done) },
            { "baseline", only_if(finite, check_baseline(run, done), losses) },
            { "distinct", only_if(finite, check_distinct(run), losses) },
            { "budget", only_if(chosen, check_budget(run, done), choice) },
            { "mass", only_if(sound, check_mass(run, done), overflow) },
            { "causality", only_if(sound && tried, check_causality(run, done), losses) },
            { "same targets", only_if(chosen, check_targets(run, done), choice) },
            { "monotone", only_if(finite, check_monotone(run, done), losses) },
            { "plausible", only_if(sound, check_plausible(run), overflow) },
            { "sink", only_if(sound, check_sink(run, done), overflow) },
            { "ties", only_if(sound, check_ties(run, done), overflow) },
        },
        "This is not checked on a sweep.");
}

} // namespace keepset
