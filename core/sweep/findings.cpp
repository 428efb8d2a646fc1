#include "core/findings.h"

#include "core/error.h"
#include "core/flat_rows.h"
#include "core/sweep/comparisons.h"
#include "core/sweep/protected_control.h"
#include "core/sweep/whose_gain.h"
#include "core/words.h"

#include <algorithm>
#include <cmath>
#include <iterator>
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

    /// "the 214 tokens that need the context".
    std::string key_words(const Run& run)
    {
        return "the " + counted(static_cast<std::int64_t>(key_tokens_of(run)), "token") + " that need the context";
    }

    std::vector<double> in_both(const std::vector<double>& a, const std::vector<double>& b)
    {
        std::vector<double> found;
        std::ranges::copy_if(a, std::back_inserter(found), [&](double value) { return contains(b, value); });
        return found;
    }

    /// Whether the winner beats the control on key tokens too, where it beats the loser there.
    std::string say_key_control(const Run& run, const Comparisons& comparisons, const Side& side)
    {
        const auto control = policy::control_of(side.winner, side.loser);
        if (!control || !has(run, *control))
            return {};
        const Outcome own(comparisons.between(side.winner, canonical(control->policy), Compared::key_tokens));
        const std::vector<double> beaten = in_both(side.where, own.won);
        const std::string name = title(control->policy);
        if (beaten.empty())
            return " It is not ahead of the control " + name + " there: whose that gain is stays open.";
        return " It is ahead of the control " + name + " there, too, at " + at_sparsities(beaten) + ".";
    }

    /// A winner on the tokens that need the context, as say_win; `open`: where the mean over all tokens decides
    /// nothing.
    std::string say_key_win(
        const Run& run, const Comparisons& comparisons, const Side& side, const std::vector<double>& open)
    {
        const std::vector<Comparison> made = comparisons.between(side.winner, side.loser, Compared::key_tokens);
        const Comparison* best = nullptr; // the widest gap
        for (const Comparison& c : made) {
            if (contains(side.where, c.sparsity) && (best == nullptr || c.difference.mean < best->difference.mean))
                best = &c;
        }
        const std::vector<double> hidden = in_both(side.where, open);
        const Interval& d = best->difference;
        const std::string at = hidden == side.where ? std::string() : " at " + at_sparsities(side.where);
        const std::string widest = side.where.size() == 1 ? std::string() : " at " + percent(best->sparsity);
        return (hidden.empty() ? std::string(" On ")
                               : " At " + at_sparsities(hidden)
                           + " they cannot be told apart on the mean over all tokens, and yet on ")
            + key_words(run) + " " + title_of(side.winner) + " loses less than " + title_of(side.loser) + at + ": "
            + significant(-d.mean, 2) + " nats a token less" + widest + " (paired 95% interval [" + significant(-d.high)
            + ", " + significant(-d.low) + "])." + say_correction(made, side.where, comparisons.count())
            + say_key_control(run, comparisons, side);
    }

    /// What the tokens that need the context say of two methods; empty where no claim is allowed.
    Finding find_key_tokens(const Run& run, const Comparisons& comparisons, const std::string& reference,
        const std::string& other, const std::vector<double>& open)
    {
        const Outcome outcome(comparisons.between(other, reference, Compared::key_tokens));
        std::string text;
        for (const Side& side : { Side { reference, other, outcome.lost }, Side { other, reference, outcome.won } }) {
            if (!side.where.empty())
                text += say_key_win(run, comparisons, side, open);
        }
        const bool decided = !text.empty();
        if (!decided && !outcome.open.empty())
            text = " On " + key_words(run) + " neither is ahead.";
        return { text, decided };
    }

    /// Whether the winner beats chance that keeps both ends, too, where the run has that.
    std::string say_protected_control(const Run& run, const Comparisons& comparisons, const Side& side)
    {
        const std::string control = protected_control_of(run);
        if (control.empty() || side.winner == control || side.loser == control || side.loser == "dense"
            || side.winner == "dense")
            return {};
        const Outcome own(comparisons.between(side.winner, control));
        const std::vector<double> beaten = in_both(side.where, own.won);
        if (beaten.empty())
            return " It does not beat " + title_of(control)
                + ", chance that keeps both ends: the score may add nothing to that.";
        return " It beats " + title_of(control) + ", chance that keeps both ends, "
            + (beaten == side.where ? std::string("there, too.") : "at " + at_sparsities(beaten) + ".");
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
            text += say_protected_control(run, comparisons, side);
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
        const Finding of_key = find_key_tokens(run, comparisons, reference, other, outcome.open);
        text += say_undecided(outcome.made) + of_key.sentence;
        return { text + (decided ? "" : missing), decided || of_key.decided };
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

std::string about_key_tokens(const Run& run)
{
    const KeyTokenRule& rule = run.key_tokens;
    const double count = key_tokens_of(run);
    if (std::isnan(count) && rule.short_context == 0)
        return "Which tokens need the context was not asked.";
    if (std::isnan(count))
        return "Which tokens need the context cannot be told: it has " + counted(run.context, "token") + ", and "
            + grouped(rule.short_context) + " are the short context of comparison.";
    const std::string few = may_tell_of_key_tokens(run)
        ? ""
        : " They are in " + counted(windows_with_key_tokens(run), "window")
            + ", and a claim about them takes 30 of them, in 5 windows.";
    return grouped(static_cast<std::int64_t>(count)) + " of "
        + counted(run.windows_done() * scored_in_window(run), "scored token")
        + " need the context: dense loses less than " + shortest(rule.loss) + " nats on them, and over "
        + shortest(rule.gain) + " more with the last " + counted(rule.short_context, "context token") + " alone." + few;
}

std::vector<Finding> findings(const Run& run, const std::string& reference)
{
    const std::vector<std::string> known = methods(run);
    if (std::find(known.begin(), known.end(), reference) == known.end())
        throw Error(ErrorKind::usage, "The run has no method '" + reference + "'.", "It has: " + joined(known) + ".");
    std::vector<Finding> result;
    if (run.windows_done() < least_windows) {
        result.push_back(too_few_windows(run, reference, known));
    } else {
        const Comparisons comparisons(run, reference);
        for (const std::string& other : known) {
            if (other != reference && other != "dense")
                result.push_back(find_between(run, comparisons, reference, other));
        }
        if (!std::isnan(key_tokens_of(run)))
            result.push_back({ about_key_tokens(run), false });
    }
    for (std::string& note : notes_about(run))
        result.push_back({ std::move(note), false });
    return result;
}

} // namespace keepset
