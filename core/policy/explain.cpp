#include "core/error.h"
#include "core/policy/policy.h"
#include "core/words.h"

#include <algorithm>
#include <cmath>

namespace keepset {

namespace {

    using policy::Case;

    std::int64_t count_of(const Case& of, Label label) { return of.counts[static_cast<std::size_t>(label)]; }

    /// "the 61 most recent tokens".
    std::string recent_tokens(std::int64_t count)
    {
        return count == 1 ? "the most recent token" : "the " + grouped(count) + " most recent tokens";
    }

    std::string first_tokens(std::int64_t count)
    {
        return count == 1 ? "the first token" : "the first " + grouped(count) + " tokens";
    }

    /// What a policy that does not rank keeps: "the first 4 tokens and the 98 most recent tokens".
    std::string kept_by_place(const Case& of)
    {
        std::vector<std::string> parts;
        if (count_of(of, Label::sink) > 0)
            parts.push_back(first_tokens(count_of(of, Label::sink)));
        if (count_of(of, Label::local) > 0)
            parts.push_back(recent_tokens(count_of(of, Label::local)));
        return parts.empty() ? "nothing" : "only " + listed(parts);
    }

    std::string why_important(const Case& of)
    {
        const std::int64_t important = count_of(of, Label::important);
        const std::int64_t local = count_of(of, Label::local);
        const bool plain = of.score_word == "importance" && of.score_of.empty();
        const std::string outside = local > 0 ? " outside its " + counted(local, "local token") : "";
        return "Rank " + grouped(of.rank) + " of " + grouped(of.context)
            + (plain ? "; " : " by " + of.score_word + of.score_of + "; ") + of.title + " takes the "
            + (important == 1 ? "highest" : grouped(important) + " highest") + outside + ": this is "
            + (important == 1 ? "it." : "one of them.");
    }

    /// Says where a token stands among those that may be bridges, which are neither local nor important.
    void rank_bridge(const RowSelection& selection, const std::string& criterion, std::size_t position, Case& of)
    {
        const std::vector<double>& scores = selection.bridge_scores;
        const auto may_be = [&](std::size_t at) {
            return selection.labels[at] == Label::bridge || selection.labels[at] == Label::evicted;
        };
        of.criterion = criterion;
        of.bridge_score = scores[position];
        if (!may_be(position))
            return;
        of.bridge_rank = 1;
        for (std::size_t at = 0; at < scores.size(); ++at) {
            const bool before = policy::better_bridge(criterion, scores[at], scores[position])
                || (at < position && scores[at] == scores[position]);
            of.bridge_rank += may_be(at) && before ? 1 : 0;
        }
    }

    /// Where a pin decided; else empty.
    std::string why_pinned(const SelectRequest& request, const Case& of, std::int64_t position)
    {
        if (of.label == Label::pinned)
            return "Pinned: it was marked to stay, whatever " + of.title + " says.";
        bool goes = false;
        bool stays = false;
        for (const Pin& pin : request.pins) { // a later one rules
            if (pin.begin <= position && position < pin.end) {
                stays = pin.stays;
                goes = !pin.stays;
            }
        }
        if (stays)
            return "Evicted: it was marked to stay, but the earlier tokens marked so fill the budget of "
                + grouped(of.budget) + ".";
        if (goes)
            return of.label == Label::evicted
                ? "Evicted: it was marked to go, whatever " + of.title + " says."
                : std::string("Kept: it was marked to go, but nothing else is left to fill the budget.");
        return {};
    }

    std::string general_sentence(const Case& of)
    {
        const std::int64_t sinks = count_of(of, Label::sink);
        const std::int64_t local = count_of(of, Label::local);
        switch (of.label) {
        case Label::important:
            return why_important(of);
        case Label::local:
            return (local == 1 ? "It is " : "It is one of ") + recent_tokens(local) + ", which " + of.title + " keeps.";
        case Label::sink:
            return (sinks == 1 ? "It is " : "It is one of ") + first_tokens(sinks) + ", the attention sink"
                + (sinks == 1 ? "" : "s") + " that " + of.title + " keeps.";
        case Label::evicted:
            if (count_of(of, Label::important) > 0 && std::isfinite(of.cut_off))
                return "Evicted: " + policy::below_cut_off(of) + ".";
            return "Evicted: " + of.title + " with a budget of " + counted(of.budget, "token") + " keeps "
                + kept_by_place(of) + ", whatever their importance.";
        default:
            return "Kept: one of the " + counted(of.budget, "token") + " that " + of.title + " keeps.";
        }
    }

} // namespace

namespace policy {

    std::string below_cut_off(const Case& of)
    {
        const std::int64_t important = count_of(of, Label::important);
        const std::string of_these
            = important == 1 ? "the only one taken as important" : "the " + grouped(important) + " highest";
        if (of.score >= of.cut_off)
            return "its " + of.score_word + " " + significant(of.score) + of.score_of + " equals the cut-off of "
                + of_these + ", and among equals the earlier one is taken";
        int digits = 3;
        while (digits < 9 && significant(of.score, digits) == significant(of.cut_off, digits))
            ++digits;
        return "its " + of.score_word + " " + significant(of.score, digits) + of.score_of + " is below the cut-off "
            + significant(of.cut_off, digits) + " of " + of_these;
    }

    std::string explain_uneven(const Case& of, const std::string& among)
    {
        if (of.label == Label::important)
            return "Kept: its score is among the highest " + among + " that " + of.title + " takes.";
        if (of.label == Label::evicted)
            return "Evicted: its score is not among the highest " + among + " that " + of.title + " takes.";
        return {};
    }

} // namespace policy

Explanation explain(
    const RowScores& row, const RowSelection& selection, const SelectRequest& request, std::int64_t position)
{
    const auto context = static_cast<std::int64_t>(row.scores.size());
    if (position < 0 || position >= context || selection.labels.size() != row.scores.size())
        throw Error(ErrorKind::usage,
            "Position " + grouped(position) + " is outside a context of " + counted(context, "token") + ".");
    const auto at = static_cast<std::size_t>(position);
    const std::vector<float>& scores = selection.scores.empty() ? row.scores : selection.scores;
    const float score = scores[at];
    // Earlier ones rank before it where they are equal.
    const auto before = std::count_if(scores.begin(), scores.end(), [&](float s) { return s > score; })
        + std::count(scores.begin(), scores.begin() + position, score);

    const policy::Policy& policy = policy::find(request.policy.name);
    Case of { selection.title, context, selection.budget, selection.counts, selection.labels[at], score,
        policy.info.ranks_by == ScoreOf::own ? "score" : "importance", {}, before + 1, selection.cut_off, {},
        not_a_number, 0 };
    if (policy.info.ranks_by == ScoreOf::importance && row.importance.last_queries() > 0)
        of.score_of = " from " + queries_of(row.importance);
    if (!selection.bridge_scores.empty())
        rank_bridge(selection, policy::Settings(policy, request.policy).text("bridge"), at, of);
    std::string sentence = row.slides()
        ? std::string("Kept: this layer has a sliding window of its own, and nothing is evicted from it.")
        : why_pinned(request, of, position);
    const policy::Settings settings(policy, request.policy);
    if (sentence.empty() && policy::ranks_together(settings))
        sentence = policy::explain_uneven(of, "of all layers and heads together");
    if (sentence.empty() && policy.explain)
        sentence = policy.explain(of);
    if (sentence.empty())
        sentence = general_sentence(of);
    return { of.label, of.score, of.rank, of.cut_off, std::move(sentence) };
}

} // namespace keepset
