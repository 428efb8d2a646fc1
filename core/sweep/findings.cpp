#include "core/engine.h"
#include "core/policy/words.h"
#include "core/sweep/statistics.h"

#include <algorithm>
#include <cmath>

namespace keepset {

namespace {

    /// Two methods at every sparsity they share, as differences a - b.
    struct Comparison {
        struct Point {
            double sparsity = 0;
            Interval difference;
        };
        std::vector<Point> points;
        std::vector<double> wins_of(bool of_a) const
        {
            std::vector<double> where;
            for (const Point& p : points) {
                if (of_a ? p.difference.high < 0 : p.difference.low > 0)
                    where.push_back(p.sparsity);
            }
            return where;
        }
    };

    Comparison compare(const Run& run, const std::string& a, const std::string& b)
    {
        Comparison result;
        for (std::size_t i = 0; i < run.points.size(); ++i) {
            const double sparsity = run.points[i].sparsity;
            const auto other = b == "dense" ? dense_point(run) : find_point(run, b, sparsity);
            if (run.points[i].policy == a && sparsity > 0 && other)
                result.points.push_back({ sparsity, paired_interval(run, i, *other) });
        }
        std::sort(result.points.begin(), result.points.end(),
            [](const auto& left, const auto& right) { return left.sparsity < right.sparsity; });
        return result;
    }

    std::string at_sparsities(const std::vector<double>& sparsities)
    {
        std::vector<std::string> shares;
        shares.reserve(sparsities.size());
        for (const double sparsity : sparsities)
            shares.push_back(percent(sparsity));
        return listed(shares);
    }

    bool contains(const std::vector<double>& list, double value)
    {
        return std::find(list.begin(), list.end(), value) != list.end();
    }

    /// "−0.031 [−0.05, −0.012] at 90%": the widest gap among `where`.
    std::string clearest(const Comparison& comparison, const std::vector<double>& where)
    {
        const Comparison::Point* best = nullptr;
        for (const auto& p : comparison.points) {
            if (contains(where, p.sparsity)
                && (best == nullptr || std::abs(p.difference.mean) > std::abs(best->difference.mean)))
                best = &p;
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

    /// H2O with CAB's local share: what CAB is without its bridges. None where the other is it, or is no H2O.
    std::optional<std::string> control_of(const std::string& cab, const std::string& other)
    {
        try {
            const PolicySpec a = parse_policy(cab);
            const PolicySpec b = parse_policy(other);
            if (a.name != "cab" || b.name != "h2o")
                return std::nullopt;
            const auto local = a.parameters.find("local");
            const std::string control
                = canonical({ "h2o", { { "local", local == a.parameters.end() ? "0.3" : local->second } } });
            return control == other ? std::nullopt : std::optional(control);
        } catch (const Error&) {
            return std::nullopt; // a policy of another version: nothing is known of its control
        }
    }

    /// Whose the gain is where CAB beats H2O at `gains` (SEMANTICS 4).
    std::string say_control(
        const Run& run, const std::string& cab, const std::string& h2o, const std::vector<double>& gains)
    {
        const auto control = control_of(cab, h2o);
        if (!control)
            return {};
        const std::string name = title_of(*control);
        const std::vector<std::string> known = methods(run);
        if (std::find(known.begin(), known.end(), *control) == known.end())
            return " The control " + name + " is missing, so bridges and the larger local share cannot be told apart.";
        const std::vector<double> ahead = compare(run, cab, *control).wins_of(true);
        const std::vector<double> same_gain = compare(run, *control, h2o).wins_of(true);
        std::vector<double> bridges;
        std::vector<double> local;
        std::vector<double> open;
        for (const double sparsity : gains)
            (contains(ahead, sparsity) ? bridges : contains(same_gain, sparsity) ? local : open).push_back(sparsity);
        std::string text;
        if (!bridges.empty())
            text += " At " + at_sparsities(bridges) + " it beats the control " + name
                + " too: that gain is the bridges'.";
        if (!local.empty())
            text += " At " + at_sparsities(local) + " the control " + name
                + " has the gain too: it is not the bridges'.";
        if (!open.empty())
            text += " At " + at_sparsities(open) + " neither " + title_of(cab) + " against the control " + name
                + " nor the control against " + title_of(h2o) + " is decided: whose the gain is stays open.";
        return text;
    }

    std::string say_wins(const Comparison& comparison, const std::string& winner, const std::string& loser,
        const std::vector<double>& where)
    {
        return capitalised(title_of(winner)) + " beats " + title_of(loser) + " at " + at_sparsities(where)
            + ": the paired 95% interval of \u0394NLL excludes 0 (" + clearest(comparison, where) + ").";
    }

    Finding find_between(const Run& run, const std::string& reference, const std::string& other)
    {
        const bool to_dense = reference == "dense";
        const Comparison comparison = compare(run, other, reference);
        const std::vector<double> lost = comparison.wins_of(false); // the reference is ahead
        const std::vector<double> won = comparison.wins_of(true);
        std::vector<double> open;
        for (const auto& p : comparison.points) {
            if (!contains(lost, p.sparsity) && !contains(won, p.sparsity))
                open.push_back(p.sparsity);
        }
        const std::string both = title_of(reference) + " and " + title_of(other);
        if (comparison.points.empty())
            return { both + " share no sparsity above 0: nothing to compare.", false };
        std::string text;
        if (!lost.empty())
            text += say_wins(comparison, reference, other, lost) + say_control(run, reference, other, lost);
        if (!won.empty())
            text += (text.empty() ? "" : " ") + say_wins(comparison, other, reference, won)
                + say_control(run, other, reference, won);
        if (lost.empty() && won.empty())
            return { both + ": neither is ahead at " + at_sparsities(open)
                    + ", the paired 95% interval of \u0394NLL includes 0.",
                false };
        if (!open.empty())
            text
                += " At " + at_sparsities(open) + (to_dense ? " the difference is not decided." : " neither is ahead.");
        return { text, true };
    }

} // namespace

std::vector<Finding> findings(const Run& run, const std::string& reference)
{
    const std::vector<std::string> known = methods(run);
    if (std::find(known.begin(), known.end(), reference) == known.end())
        throw Error(ErrorKind::usage, "The run has no method '" + reference + "'.", "It has: " + joined(known) + ".");
    if (run.windows_done() < least_windows)
        return { { "No interval with fewer than 5 windows (" + grouped(run.windows_done())
                + (run.windows_done() == 1 ? " is" : " are") + " done), so no method is said to be ahead.",
            false } };
    std::vector<Finding> result;
    for (const std::string& other : known) {
        if (other != reference && other != "dense")
            result.push_back(find_between(run, reference, other));
    }
    return result;
}

} // namespace keepset
