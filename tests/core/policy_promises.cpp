#include "policy_promises.h"
#include "core/error.h"

#include "core/policy/choosing.h"

#include <ATen/ops/from_blob.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <set>

namespace keepset::test {

namespace {

    /// Policies whose keep set at a larger budget need not hold the one at a smaller budget: bridges move, and chunks
    /// of which more is protected rank higher.
    const std::set<std::string> not_nested { "cab", "chunkkv" };

    /// Policies that go by two scores, or by those of chunks: what they keep is compared with kvpress, in tst_kvpress.
    const std::set<std::string> not_ranked { "criticalkv", "chunkkv" };

    /// Policies that refuse budgets below what they always keep.
    const std::set<std::string> not_small { "lagkv" };

    bool refuses(const policy::Policy& policy, const PolicySpec& spec, std::int64_t budget, std::size_t context)
    {
        if (!not_small.contains(policy.info.name))
            return false;
        SelectRequest request;
        request.policy = spec;
        request.budget = budget;
        try {
            const policy::Prepared point(policy, request, static_cast<std::int64_t>(context));
            return false;
        } catch (const Error& error) {
            return error.kind() == ErrorKind::usage;
        }
    }

    /// Attention for criteria that need it: numbers made from the position alone.
    class MadeUpAttention : public policy::BridgeSource {
    public:
        explicit MadeUpAttention(std::size_t context)
            : context_(context)
        {
        }
        Scores flow(const Scope&, std::span<const std::int32_t> important, const std::stop_token&) override
        {
            return made(important.size());
        }
        Scores curvature(const Scope&, const std::stop_token&) override { return made(7); }

    private:
        Scores made(std::size_t salt) const
        {
            auto scores = std::make_shared<std::vector<double>>();
            for (std::size_t j = 0; j < context_; ++j)
                scores->push_back(static_cast<double>((j + salt) * 2654435761U % 97U));
            return scores;
        }
        std::size_t context_;
    };

    /// The policy with its defaults, and with each parameter at its ends or at each choice, as far as it accepts them.
    std::vector<PolicySpec> variants_of(const policy::Policy& policy)
    {
        std::vector<PolicySpec> specs { { policy.info.name, {} } };
        for (const PolicyParameter& parameter : policy.info.parameters) {
            std::vector<std::string> values = parameter.choices;
            const auto spelled = [&](double value) {
                const bool whole = parameter.kind == ParameterKind::whole
                    || (parameter.kind == ParameterKind::share_or_count && value >= 1);
                return whole ? std::to_string(static_cast<std::int64_t>(value)) : std::to_string(value);
            };
            if (parameter.kind == ParameterKind::policy)
                values = { "h2o", "snapkv(window=1)" };
            else if (parameter.kind == ParameterKind::share_or_count)
                values = { spelled(0.25), spelled(3), spelled(parameter.maximum) };
            else if (values.empty())
                values = { spelled(parameter.minimum), spelled(parameter.maximum),
                    spelled((parameter.minimum + parameter.maximum) / 2) };
            for (const std::string& value : values) {
                PolicySpec spec { policy.info.name, { { parameter.name, value } } };
                try {
                    if (policy.check)
                        policy.check(policy::Settings(policy, spec));
                } catch (const Error&) {
                    continue; // refused together with the other defaults
                }
                specs.push_back(std::move(spec));
            }
        }
        return specs;
    }

    /// "cab(bridge=flow)", without asking the table.
    std::string spelling_of(const PolicySpec& spec)
    {
        std::string text = spec.name;
        for (const auto& [name, value] : spec.parameters)
            text += "(" + name + "=" + value + ")";
        return text;
    }

    /// Scores of a policy's own are the row's too.
    std::map<std::string, std::vector<float>> own_of(const PolicySpec& spec, const std::vector<float>& scores)
    {
        std::map<std::string, std::vector<float>> own;
        for (const std::string& name : scores_of(spec))
            own.emplace(name, scores);
        return own;
    }

    /// What a policy of the table, or a broken one, makes of a row, without the checks of policy::select.
    std::vector<Label> labels_of(
        const policy::Policy& policy, const PolicySpec& spec, const std::vector<float>& scores, std::int64_t budget)
    {
        SelectRequest request;
        request.policy = spec;
        request.budget = budget;
        request.seed = 3;
        request.window = 1;
        std::vector<Label> labels(scores.size(), Label::evicted);
        const policy::Prepared point(policy, request, static_cast<std::int64_t>(scores.size()));
        const auto borrowed = [&] {
            return at::from_blob(
                const_cast<float*>(scores.data()), { 1, static_cast<std::int64_t>(scores.size()) }, at::kFloat);
        };
        policy::ScoreTable table { {}, 1, static_cast<std::int64_t>(scores.size()), { { "", borrowed() } } };
        const bool is_known = std::ranges::find(policies(), spec.name, &PolicyInfo::name) != policies().end();
        if (is_known && (policy.has_own_score() || policy.choose != nullptr)) {
            for (const std::string& name : scores_of(spec))
                table.scores.emplace(name, borrowed());
        }
        MadeUpAttention attention(scores.size());
        policy::Labelling how { policy::carry_out_on_host(
            [](const kernels::SelectInputs& inputs) { return kernels::select_cpu(inputs, 1); }) };
        how.bridges = &attention;
        how.scope = Scope { 2, 1 };
        const policy::Labelled made = policy::label_points(table, std::span(&point, 1), how);
        std::memcpy(labels.data(), made.labels.const_data_ptr<std::uint8_t>(), labels.size());
        return labels;
    }

    std::int64_t kept_in(const std::vector<Label>& labels)
    {
        return static_cast<std::int64_t>(labels.size()) - std::count(labels.begin(), labels.end(), Label::evicted);
    }

    std::int64_t wanted_budget(const policy::Policy& policy, std::int64_t budget, std::size_t context)
    {
        return policy.evicts ? budget : static_cast<std::int64_t>(context);
    }

    /// Every budget of a short row, a few of a long one.
    std::vector<std::int64_t> budgets_of(std::size_t context)
    {
        std::vector<std::int64_t> budgets;
        const std::size_t step = context > 40 ? 13 : 1;
        for (std::size_t k = 1; k <= context; k += step)
            budgets.push_back(static_cast<std::int64_t>(k));
        if (budgets.back() != static_cast<std::int64_t>(context))
            budgets.push_back(static_cast<std::int64_t>(context));
        return budgets;
    }

    /// Where a policy ranks by the scores: no position that is left out beats one taken as important, nor ties with a
    /// later one.
    bool is_ranked(const std::vector<float>& scores, const std::vector<Label>& labels)
    {
        float lowest = std::numeric_limits<float>::infinity();
        std::size_t last = 0; // of the lowest important ones
        for (std::size_t j = 0; j < scores.size(); ++j) {
            if (labels[j] == Label::important && scores[j] <= lowest) {
                last = j;
                lowest = scores[j];
            }
        }
        for (std::size_t j = 0; j < scores.size(); ++j) {
            const bool left = labels[j] == Label::evicted || labels[j] == Label::bridge;
            if (left && (scores[j] > lowest || (scores[j] == lowest && j < last)))
                return false;
        }
        return true;
    }

    std::string wrong_labels(const policy::Policy& policy, const AwkwardRow& row, std::int64_t budget,
        const std::vector<Label>& labels, const PolicySpec& spec)
    {
        const std::int64_t wanted = wanted_budget(policy, budget, row.scores.size());
        const bool is_protected = spec.parameters.contains("sink") || spec.parameters.contains("recent");
        const bool is_even
            = policy.info.shares == Sharing::none && !policy::ranks_together(policy::Settings(policy, spec));
        if (kept_in(labels) != wanted && is_even)
            return "keeps " + std::to_string(kept_in(labels)) + " of " + std::to_string(row.scores.size())
                + " positions where its budget is " + std::to_string(wanted);
        const auto& own = policy.info.labels;
        for (const Label label : labels) {
            const bool at_an_end = label == Label::sink || label == Label::local; // may be protected
            if (label != Label::evicted && !(at_an_end && is_protected)
                && std::find(own.begin(), own.end(), label) == own.end())
                return "gives the label '" + name_of(label) + "', which it does not declare";
        }
        if (policy.info.ranks_by != ScoreOf::nothing && !not_ranked.contains(policy.info.name)
            && !is_ranked(row.scores, labels))
            return "leaves out a position that ranks before one it takes as important";
        return {};
    }

    /// Other rows that share a budget with one of the second kv head of the third of three layers, all as it is.
    void share_with_like(RowScores& row, Sharing sharing)
    {
        if (sharing == Sharing::none)
            return;
        std::map<std::string, std::vector<float>> own = row.own;
        own.emplace("", row.scores);
        for (auto& [name, scores] : own) {
            const std::vector<float> one = scores;
            for (int more = sharing == Sharing::layer ? 1 : 5; more > 0; --more)
                scores.insert(scores.end(), one.begin(), one.end());
        }
        row.shared.emplace(sharing, std::move(own));
    }

    std::string at(const PolicySpec& spec, const AwkwardRow& row, std::int64_t budget)
    {
        return spelling_of(spec) + ", row '" + row.name + "', budget " + std::to_string(budget) + ": ";
    }

} // namespace

std::vector<AwkwardRow> awkward_rows()
{
    std::vector<AwkwardRow> rows { { "one token", { 0.5F } }, { "two tokens", { 0.25F, 0.75F } },
        { "all equal", std::vector<float>(33, 0.25F) }, { "all zero", std::vector<float>(9, 0.0F) },
        { "zeros of both signs", { 0.0F, -0.0F, 0.0F, -0.0F, 0.0F, -0.0F, 0.0F } },
        { "denormals", { 1e-45F, 1e-40F, 0.0F, 1e-45F, 2e-45F, 1e-38F } },
        { "huge", { 3e38F, -3e38F, 3e38F, 1.0F, -1.0F, 3.4e38F } } };
    AwkwardRow up { "ascending", {} };
    AwkwardRow two { "two values", {} };
    AwkwardRow drawn { "drawn", {} };
    AwkwardRow outlier { "an outlier", std::vector<float>(24, 1e-3F) };
    outlier.scores[11] = 1e9F;
    std::mt19937 generator(11);
    std::exponential_distribution<float> draw(1.0F);
    for (int j = 0; j < 37; ++j) {
        up.scores.push_back(static_cast<float>(j));
        two.scores.push_back(j % 3 == 0 ? 1.0F : 0.0F);
    }
    for (int j = 0; j < 130; ++j)
        drawn.scores.push_back(draw(generator));
    AwkwardRow down { "descending", { up.scores.rbegin(), up.scores.rend() } };
    for (AwkwardRow* row : { &up, &down, &two, &drawn, &outlier })
        rows.push_back(std::move(*row));
    return rows;
}

std::string broken_words(const policy::Policy& policy, const std::string& page)
{
    const PolicyInfo& info = policy.info;
    const bool plain = !info.name.empty() && std::all_of(info.name.begin(), info.name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    });
    if (!plain)
        return "the name '" + info.name + "' is not of small letters, digits and hyphens";
    if (info.title.empty())
        return "it has no title";
    if (info.description.size() < 20 || info.description.back() != '.')
        return "its description is no sentence: '" + info.description + "'";
    if (info.labels.empty())
        return "it declares no label";
    if (!policy.plan && !policy.fill && policy.choose == nullptr)
        return "it has neither a plan nor a fill, and does not choose";
    const auto line = page.find("| `" + info.name + "` |");
    if (line == std::string::npos)
        return "the manual's table of policies lacks it";
    const std::string in_manual = page.substr(line, page.find('\n', line) - line);
    for (const PolicyParameter& parameter : info.parameters) {
        if (parameter.description.size() < 10)
            return "its parameter '" + parameter.name + "' is not described";
        const bool of_all = parameter.name == "sink" || parameter.name == "recent"
            || parameter.name == "uniform"; // described once, for all
        if ((of_all ? page : in_manual).find("`" + parameter.name + "`") == std::string::npos)
            return "the manual does not name its parameter '" + parameter.name + "'";
    }
    for (const Label label : info.labels) {
        if (in_manual.find(name_of(label)) == std::string::npos)
            return "the manual does not name its label '" + name_of(label) + "'";
    }
    return {};
}

std::string broken_spelling(const policy::Policy& policy)
{
    for (const PolicyParameter& parameter : policy.info.parameters) {
        const auto& choices = parameter.choices;
        const bool known
            = choices.empty() || std::find(choices.begin(), choices.end(), parameter.default_value) != choices.end();
        if (!known)
            return "the default of '" + parameter.name + "' is none of its choices";
        if (parameter.kind != ParameterKind::choice && !(parameter.minimum < parameter.maximum))
            return "the range of '" + parameter.name + "' is empty";
    }
    for (const PolicySpec& spec : variants_of(policy)) {
        const PolicySpec once = parse_policy(spelling_of(spec));
        const PolicySpec twice = parse_policy(canonical(once));
        if (!(once == twice) || canonical(once) != canonical(twice))
            return spelling_of(spec) + " becomes " + canonical(once) + ", which becomes " + canonical(twice);
        if (title(once).empty())
            return spelling_of(spec) + " has no title";
    }
    return {};
}

std::string broken_budgets(const policy::Policy& policy)
{
    const std::vector<AwkwardRow> rows = awkward_rows();
    for (const PolicySpec& spec : variants_of(policy)) {
        std::vector<std::vector<Label>> first;
        for (const AwkwardRow& row : rows) {
            for (const std::int64_t budget : budgets_of(row.scores.size())) {
                const std::int64_t k = wanted_budget(policy, budget, row.scores.size());
                if (refuses(policy, spec, k, row.scores.size()))
                    continue;
                first.push_back(labels_of(policy, spec, row.scores, k));
                const std::string wrong = wrong_labels(policy, row, budget, first.back(), spec);
                if (!wrong.empty())
                    return at(spec, row, budget) + "it " + wrong;
            }
        }
        // In the reverse order: what a policy remembers of other rows, or reads from memory it did not set, shows.
        for (auto row = rows.rbegin(); row != rows.rend(); ++row) {
            const auto budgets = budgets_of(row->scores.size());
            for (auto budget = budgets.rbegin(); budget != budgets.rend(); ++budget) {
                const std::int64_t k = wanted_budget(policy, *budget, row->scores.size());
                if (refuses(policy, spec, k, row->scores.size()))
                    continue;
                if (labels_of(policy, spec, row->scores, k) != first.back())
                    return at(spec, *row, *budget) + "it does not repeat itself";
                first.pop_back();
            }
        }
    }
    return {};
}

std::string broken_at_zero(const policy::Policy& policy)
{
    for (const PolicySpec& spec : variants_of(policy)) {
        for (const AwkwardRow& row : awkward_rows()) {
            const auto context = static_cast<std::int64_t>(row.scores.size());
            SelectRequest request;
            request.policy = spec;
            const std::int64_t budget = policy::budget_for(policy, request, context);
            if (kept_in(labels_of(policy, spec, row.scores, budget)) != context)
                return at(spec, row, budget) + "it evicts at s = 0";
        }
    }
    return {};
}

std::string broken_nesting(const policy::Policy& policy)
{
    if (not_nested.count(policy.info.name) > 0 || !policy.evicts)
        return {};
    for (const PolicySpec& spec : variants_of(policy)) {
        for (const AwkwardRow& row : awkward_rows()) {
            std::vector<Label> smaller(row.scores.size(), Label::evicted);
            for (const std::int64_t budget : budgets_of(row.scores.size())) {
                if (refuses(policy, spec, budget, row.scores.size()))
                    continue;
                const std::vector<Label> larger = labels_of(policy, spec, row.scores, budget);
                for (std::size_t j = 0; j < larger.size(); ++j) {
                    if (smaller[j] != Label::evicted && larger[j] == Label::evicted)
                        return at(spec, row, budget) + "it drops position " + std::to_string(j)
                            + ", which a smaller budget keeps";
                }
                smaller = larger;
            }
        }
    }
    return {};
}

std::string broken_refusal(const policy::Policy& policy)
{
    for (const float bad : { std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
             -std::numeric_limits<float>::infinity() }) {
        for (const std::size_t position : { std::size_t { 0 }, std::size_t { 17 } }) {
            RowScores row { .scope = {}, .scores = std::vector<float>(18, 0.5F), .mass = {} };
            row.scores[position] = bad;
            SelectRequest request;
            request.policy.name = policy.info.name;
            request.budget = 5;
            row.own = own_of(request.policy, row.scores);
            try {
                select_row(row, request);
                return "it selects from a score that is not finite";
            } catch (const Error& error) {
                const std::string words = error.what();
                if (error.kind() != ErrorKind::input
                    || words.find("position " + std::to_string(position) + " ") == std::string::npos)
                    return "it refuses a score that is not finite with: " + words;
            }
        }
    }
    return {};
}

std::string broken_explanation(const policy::Policy& policy)
{
    for (const PolicySpec& spec : variants_of(policy)) {
        for (const AwkwardRow& awkward : awkward_rows()) {
            const auto context = static_cast<std::int64_t>(awkward.scores.size());
            RowScores row { .scope = { 2, 1 }, .scores = awkward.scores, .mass = {}, .layers = 3 };
            row.bridges = std::make_shared<MadeUpAttention>(awkward.scores.size());
            SelectRequest request;
            request.policy = parse_policy(spelling_of(spec));
            row.own = own_of(request.policy, awkward.scores);
            share_with_like(row, sharing_of(request.policy));
            request.budget = std::max<std::int64_t>(1, context / 2);
            if (refuses(policy, spec, request.budget, awkward.scores.size()))
                continue;
            const RowSelection selection = select_row(row, request);
            for (std::int64_t j = 0; j < context; ++j) {
                const Explanation why = explain(row, selection, request, j);
                if (why.label != selection.labels[static_cast<std::size_t>(j)])
                    return at(spec, awkward, request.budget) + "it explains another label at " + std::to_string(j);
                if (why.sentence.size() < 10 || why.sentence.back() != '.'
                    || why.sentence.find("nan") != std::string::npos)
                    return at(spec, awkward, request.budget) + "no sentence at " + std::to_string(j) + ": '"
                        + why.sentence + "'";
            }
        }
    }
    return {};
}

std::string broken_promise(const policy::Policy& policy, const std::string& page)
{
    for (const std::string& broken : { broken_words(policy, page), broken_budgets(policy), broken_at_zero(policy),
             broken_nesting(policy), broken_spelling(policy), broken_refusal(policy), broken_explanation(policy) }) {
        if (!broken.empty())
            return broken;
    }
    return {};
}

} // namespace keepset::test
