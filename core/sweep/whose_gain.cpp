#include "core/sweep/whose_gain.h"

#include "core/policies.h"
#include "core/words.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace keepset {

namespace {

    using policy::Control;

    /// A gain at one sparsity and its two parts, in nats per token, above 0 for what makes the winner better.
    struct Split {
        double sparsity = 0;
        Interval gain;
        Interval shared; ///< what the control has too
        Interval own;
        std::string undecided; ///< why the parts cannot be told; empty: they can
    };

    /// What the parts say about whose the gain is.
    enum class Owner : std::uint8_t { both, own, shared, partly, open, untold };

    bool is_gain(const Interval& part) { return part.low > 0; }

    Owner owner_of(const Split& split)
    {
        if (std::isnan(split.shared.mean) || std::isnan(split.own.mean))
            return Owner::untold;
        if (is_gain(split.shared) && is_gain(split.own))
            return Owner::both;
        if (!is_gain(split.shared) && !is_gain(split.own))
            return Owner::open;
        const Interval& decided = is_gain(split.own) ? split.own : split.shared;
        if (decided.mean < split.gain.mean / 2)
            return Owner::partly;
        return is_gain(split.own) ? Owner::own : Owner::shared;
    }

    std::string possessive(const std::string& thing) { return thing + (thing.ends_with('s') ? "'" : "'s"); }

    /// Decimals that show `digits` significant digits of a value.
    int places(double value, int digits)
    {
        const double size = std::abs(value);
        return size > 0 && std::isfinite(size)
            ? std::clamp(digits - 1 - static_cast<int>(std::floor(std::log10(size))), 0, 9)
            : 0;
    }

    /// With a fixed number of decimals and a true minus sign; zero has none.
    std::string fixed(double value, int decimals)
    {
        std::array<char, 400> buffer {};
        const auto end = std::to_chars(
            buffer.data(), buffer.data() + buffer.size(), std::abs(value), std::chars_format::fixed, decimals)
                             .ptr;
        const std::string digits(buffer.data(), end);
        const bool is_zero = digits.find_first_not_of("0.") == std::string::npos;
        return (value < 0 && !is_zero ? "\u2212" : "") + digits;
    }

    std::string bracketed(const Interval& interval)
    {
        return "[" + significant(interval.low) + ", " + significant(interval.high) + "]";
    }

    /// "of 0.20 nats, 0.18 are the larger local share's (the control has them too) and 0.02 the bridges'
    /// (paired 95% intervals [0.178, 0.182] and [0.016, 0.024])".
    std::string say_split(const Split& split, const Control& control)
    {
        int decimals = places(split.gain.mean, 2);
        for (const Interval& part : { split.shared, split.own }) {
            if (is_gain(part) || part.high < 0)
                decimals = std::max(decimals, places(part.mean, 1)); // what is decided is not shown as 0
        }
        return "of " + fixed(split.gain.mean, decimals) + " nats, " + fixed(split.shared.mean, decimals) + " are "
            + possessive(control.shared) + " (the control has them too) and " + fixed(split.own.mean, decimals) + " "
            + possessive(control.own) + " (paired 95% intervals " + bracketed(split.shared) + " and "
            + bracketed(split.own) + ")";
    }

    std::vector<Split> splits_of(const Comparisons& made,
        const std::array<std::string, 3>& methods, // winner, control, loser
        const std::vector<double>& gains)
    {
        const auto& [winner, control, loser] = methods;
        const auto at = [](const std::vector<Comparison>& list, double sparsity) {
            const auto found = std::find_if(list.begin(), list.end(),
                [&](const Comparison& c) { return std::abs(c.sparsity - sparsity) < same_sparsity; });
            return found == list.end() ? Comparison { sparsity, {}, false, "it was not run there" } : *found;
        };
        // Loser minus winner: a gain is above 0.
        const std::vector<Comparison> gain = made.between(loser, winner);
        const std::vector<Comparison> shared = made.between(loser, control);
        const std::vector<Comparison> own = made.between(control, winner);
        std::vector<Split> splits;
        for (const double sparsity : gains) {
            const Comparison s = at(shared, sparsity);
            const Comparison o = at(own, sparsity);
            splits.push_back({ sparsity, at(gain, sparsity).difference, s.difference, o.difference,
                s.undecided.empty() ? o.undecided : s.undecided });
        }
        return splits;
    }

    /// What is said of all sparsities with one owner, in front of their numbers.
    std::string say_owner(
        Owner owner, const std::string& where, const Control& control, const std::array<std::string, 3>& methods)
    {
        const auto& [winner, name, loser] = methods; // titles
        const std::string at = " At " + where + " ";
        switch (owner) {
        case Owner::both:
            return at + "the gain has two parts, told apart by the control " + name + ": ";
        case Owner::own:
            return at + "it beats the control " + name + " too: that gain is " + possessive(control.own)
                + ", and none of " + possessive(control.shared) + " is decided: ";
        case Owner::shared:
            return at + "the control " + name + " has the gain too: it is not " + possessive(control.own)
                + ", of which none is decided: ";
        case Owner::partly:
            return at + "a part of the gain is decided by the control " + name + ", whose the rest is stays open: ";
        default:
            return at + "neither " + winner + " against the control " + name + " nor the control against " + loser
                + " is decided: whose the gain is stays open: ";
        }
    }

} // namespace

std::string at_sparsities(const std::vector<double>& sparsities)
{
    std::vector<std::string> shares;
    shares.reserve(sparsities.size());
    for (const double sparsity : sparsities)
        shares.push_back(percent(sparsity));
    return listed(shares);
}

std::string say_whose_gain(const Comparisons& made, const std::string& winner, const std::string& loser,
    const policy::Control& control, const std::vector<double>& gains)
{
    const std::string control_name = canonical(control.policy);
    const std::vector<Split> splits = splits_of(made, { winner, control_name, loser }, gains);
    std::string text;
    for (const Owner owner : { Owner::both, Owner::own, Owner::shared, Owner::partly, Owner::open }) {
        std::vector<double> where;
        std::string numbers;
        const auto is_theirs = [owner](const Split& split) { return owner_of(split) == owner; };
        const bool several = std::count_if(splits.begin(), splits.end(), is_theirs) > 1;
        for (const Split& split : splits) {
            if (!is_theirs(split))
                continue;
            where.push_back(split.sparsity);
            numbers += (numbers.empty() ? "" : "; ")
                + (several ? "at " + percent(split.sparsity) + ", " : std::string()) + say_split(split, control);
        }
        if (!where.empty())
            text += say_owner(owner, at_sparsities(where), control,
                        { title_of(winner), title(control.policy), title_of(loser) })
                + numbers + ".";
    }
    for (const Split& split : splits) {
        if (owner_of(split) == Owner::untold)
            text += " At " + percent(split.sparsity) + " the control " + title(control.policy)
                + " cannot tell whose the gain is: " + split.undecided + ".";
    }
    return text;
}

std::string say_missing(const policy::Control& control)
{
    return " The control " + title(control.policy) + " is missing, so " + control.own + " and " + control.shared
        + " cannot be told apart.";
}

} // namespace keepset
