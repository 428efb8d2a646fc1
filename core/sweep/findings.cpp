#include "core/findings.h"

#include "core/error.h"
#include "core/sweep/comparisons.h"
#include "core/sweep/whose_gain.h"
#include "core/words.h"

#include <algorithm>
#include <cmath>
#include <set>

namespace keepset {

namespace {

    /// Who is ahead of two methods, by sparsity.
    struct Outcome {
        std::vector<Comparison> made; ///< the first method minus the second
        std::vector<double> lost; ///< the second is ahead
        std::vector<double> won;
        std::vector<double> open;

        explicit Outcome(std::vector<Comparison> comparisons)
            : made(std::move(comparisons))
        {
            for (const Comparison& c : made) {
                if (c.undecided.empty())
                    (c.difference.low > 0 ? lost : c.difference.high < 0 ? won : open).push_back(c.sparsity);
            }
        }
    };

    bool contains(const std::vector<double>& list, double value)
    {
        return std::find(list.begin(), list.end(), value) != list.end();
    }

    /// "−0.031 [−0.05, −0.012] at 90%": the widest gap among `where`.
    std::string clearest(const std::vector<Comparison>& made, const std::vector<double>& where)
    {
        const Comparison* best = nullptr;
        for (const Comparison& c : made) {
            if (contains(where, c.sparsity)
                && (best == nullptr || std::abs(c.difference.mean) > std::abs(best->difference.mean)))
                best = &c;
        }
        return significant(best->difference.mean) + " [" + significant(best->difference.low) + ", "
            + significant(best->difference.high) + "] at " + percent(best->sparsity);
    }

    std::string capitalised(std::string text)
    {
        if (!text.empty() && text[0] >= 'a' && text[0] <= 'z')
            text[0] = static_cast<char>(text[0] - 'a' + 'A');
        return text;
    }

    /// How many comparisons were made at 95% each, and where among `where` the difference stands when all count.
    std::string say_correction(
        const std::vector<Comparison>& made, const std::vector<double>& where, std::int64_t comparisons)
    {
        if (comparisons == 1)
            return " It is the only comparison made.";
        std::vector<double> stands;
        std::vector<double> falls;
        for (const Comparison& c : made) {
            if (contains(where, c.sparsity))
                (c.stands ? stands : falls).push_back(c.sparsity);
        }
        const std::string all = " By Holm's correction over the " + grouped(comparisons) + " comparisons made ";
        if (stands.empty())
            return all + "it does not stand: it may be chance.";
        return all + "it stands at " + at_sparsities(stands)
            + (falls.empty() ? "." : ", not at " + at_sparsities(falls) + ".");
    }

    /// A method against another, as far as a finding tells of it.
    struct Side {
        const std::string& winner;
        const std::string& loser;
        const std::vector<double>& where; ///< the winner is ahead
    };

    std::string say_win(const Comparisons& comparisons, const Outcome& outcome, const Side& side)
    {
        return capitalised(title_of(side.winner)) + " beats " + title_of(side.loser) + " at "
            + at_sparsities(side.where) + ": the paired 95% interval of \u0394NLL excludes 0 ("
            + clearest(outcome.made, side.where) + ")." + say_correction(outcome.made, side.where, comparisons.count());
    }

    bool has(const Run& run, const policy::Control& control)
    {
        const std::string name = canonical(control.policy);
        return std::any_of(
            run.points.begin(), run.points.end(), [&](const SweepPoint& point) { return point.policy == name; });
    }

    /// Which control of the two methods the run lacks.
    std::string say_missing_control(const Run& run, const std::string& a, const std::string& b)
    {
        for (const auto& [winner, loser] : { std::pair(a, b), std::pair(b, a) }) {
            const auto control = policy::control_of(winner, loser);
            if (control && !has(run, *control))
                return say_missing(*control);
        }
        return {};
    }

    /// Sparsities at which a loss is not finite, by the reason.
    std::string say_undecided(const std::vector<Comparison>& made)
    {
        std::vector<std::pair<std::string, std::vector<double>>> reasons;
        for (const Comparison& c : made) {
            if (c.undecided.empty())
                continue;
            if (reasons.empty() || reasons.back().first != c.undecided)
                reasons.push_back({ c.undecided, {} });
            reasons.back().second.push_back(c.sparsity);
        }
        std::string text;
        for (const auto& [reason, where] : reasons)
            text += " At " + at_sparsities(where) + " nothing is decided: " + reason + ".";
        return text;
    }

    Finding find_between(
        const Run& run, const Comparisons& comparisons, const std::string& reference, const std::string& other)
    {
        const Outcome outcome(comparisons.between(other, reference));
        const std::string both = title_of(reference) + " and " + title_of(other);
        if (outcome.made.empty())
            return { both + " share no sparsity above 0: nothing to compare.", false };
        const std::string missing = say_missing_control(run, reference, other);
        std::string text;
        for (const Side& side : { Side { reference, other, outcome.lost }, Side { other, reference, outcome.won } }) {
            if (side.where.empty())
                continue;
            text += (text.empty() ? "" : " ") + say_win(comparisons, outcome, side);
            const auto control = policy::control_of(side.winner, side.loser);
            if (control && has(run, *control))
                text += say_whose_gain(comparisons, side.winner, side.loser, *control, side.where);
        }
        const bool decided = !text.empty();
        if (decided)
            text += missing;
        if (decided && !outcome.open.empty())
            text += " At " + at_sparsities(outcome.open)
                + (reference == "dense" ? " the difference is not decided." : " neither is ahead.");
        if (!decided && !outcome.open.empty())
            text = both + ": neither is ahead at " + at_sparsities(outcome.open)
                + ", the paired 95% interval of \u0394NLL includes 0.";
        if (!decided && outcome.open.empty())
            text = both + ":";
        return { text + say_undecided(outcome.made) + (decided ? "" : missing), decided };
    }

    /// What is said before there are intervals.
    Finding too_few_windows(const Run& run, const std::string& reference, const std::vector<std::string>& known)
    {
        std::string text = "No interval with fewer than 5 windows (" + grouped(run.windows_done())
            + (run.windows_done() == 1 ? " is" : " are") + " done), so no method is said to be ahead.";
        std::set<std::string> told;
        for (const std::string& other : known) {
            const std::string missing = say_missing_control(run, reference, other);
            if (told.insert(missing).second)
                text += missing;
        }
        return { text, false };
    }

} // namespace

std::vector<Finding> findings(const Run& run, const std::string& reference)
{
    const std::vector<std::string> known = methods(run);
    if (std::find(known.begin(), known.end(), reference) == known.end())
        throw Error(ErrorKind::usage, "The run has no method '" + reference + "'.", "It has: " + joined(known) + ".");
    if (run.windows_done() < least_windows)
        return { too_few_windows(run, reference, known) };
    const Comparisons comparisons(run, reference);
    std::vector<Finding> result;
    for (const std::string& other : known) {
        if (other != reference && other != "dense")
            result.push_back(find_between(run, comparisons, reference, other));
    }
    return result;
}

} // namespace keepset
