#include "core/error.h"
#include "core/policy/given_scores.h"
#include "core/policy/policy.h"
#include "core/policy_files.h"
#include "core/quotes.h"
#include "core/words.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <iterator>
#include <set>

namespace keepset {

namespace {

    std::string lowered(std::string text)
    {
        std::transform(text.begin(), text.end(), text.begin(),
            [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
        return text;
    }

    /// Policies in policies: more than any has a use for, and few enough for the stack.
    constexpr int deepest = 8;

    /// The whole text as a number, or nothing.
    template <typename Number> std::optional<Number> number_in(const std::string& text)
    {
        Number value {};
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        if (error != std::errc() || end != text.data() + text.size())
            return std::nullopt;
        return value;
    }

    [[noreturn]] void refuse(
        const std::string& policy, const PolicyParameter& parameter, const std::string& value, const std::string& hint)
    {
        throw Error(ErrorKind::usage, policy + ": '" + value + "' is not a value of " + parameter.name + ".", hint);
    }

    /// The one spelling of a parameter's value.
    std::string checked_value(const policy::Policy& policy, const PolicyParameter& parameter, const std::string& value)
    {
        if (parameter.kind == ParameterKind::policy)
            return canonical(parse_policy(value));
        if (parameter.kind == ParameterKind::text)
            return value;
        if (parameter.kind == ParameterKind::choice) {
            const std::string choice = lowered(value);
            if (std::find(parameter.choices.begin(), parameter.choices.end(), choice) == parameter.choices.end())
                refuse(policy.info.name, parameter, value, "Choose one of: " + joined(parameter.choices) + ".");
            return choice;
        }
        const bool either = parameter.kind == ParameterKind::share_or_count;
        const auto whole = number_in<std::uint64_t>(value);
        auto number = parameter.kind == ParameterKind::whole && !whole ? std::nullopt : number_in<double>(value);
        if (either && number && *number >= 1 && std::floor(*number) != *number)
            number.reset();
        if (!number || !(*number >= parameter.minimum && *number <= parameter.maximum))
            refuse(policy.info.name, parameter, value,
                (either ? "Give a share below 1 or a whole number up to "
                        : parameter.kind == ParameterKind::whole
                        ? "Give a whole number from " + shortest(parameter.minimum) + " to "
                        : "Give a number from " + shortest(parameter.minimum) + " to ")
                    + shortest(parameter.maximum) + ".");
        return whole && parameter.kind != ParameterKind::number ? std::to_string(*whole)
                                                                : shortest(*number + 0.0); // + 0.0: -0 is 0
    }

    const PolicyParameter& find_parameter(const policy::Policy& policy, const std::string& name)
    {
        std::vector<std::string> known;
        for (const PolicyParameter& parameter : policy.info.parameters) {
            if (parameter.name == name)
                return parameter;
            known.push_back(parameter.name);
        }
        throw Error(ErrorKind::usage, policy.info.name + " has no parameter '" + name + "'.",
            known.empty() ? "It has none." : "It has: " + joined(known) + ".");
    }

    /// Checked values of the parameters that differ from their defaults.
    std::map<std::string, std::string> checked_parameters(
        const policy::Policy& policy, const std::map<std::string, std::string>& parameters)
    {
        std::map<std::string, std::string> checked;
        for (const auto& [name, value] : parameters) {
            const PolicyParameter& parameter = find_parameter(policy, name);
            const std::string spelled = checked_value(policy, parameter, value);
            if (spelled != parameter.default_value)
                checked[name] = spelled;
        }
        if (policy.check)
            policy.check(policy::Settings(policy, { policy.info.name, checked }));
        return checked;
    }

    /// Whether the first parenthesis is closed by the last character, and all within are in pairs, not too deep.
    bool well_closed(std::string_view text)
    {
        int depth = 0;
        Quotes quotes;
        for (std::size_t i = 0; i < text.size(); ++i) {
            if (quotes.holds(text[i]))
                continue;
            depth += text[i] == '(' ? 1 : text[i] == ')' ? -1 : 0;
            const bool is_last = i + 1 == text.size();
            if (depth > deepest || (depth <= 0 && text[i] == ')' && !is_last))
                return false;
        }
        return depth == 0 && text.back() == ')' && !quotes.open();
    }

    std::map<std::string, std::string> parse_parameters(const std::string& policy, std::string_view text)
    {
        std::map<std::string, std::string> parameters;
        for (const std::string& part : split_outside_parentheses(text, ',')) {
            const auto equals = part.find('=');
            if (equals == std::string::npos)
                throw Error(ErrorKind::usage, "'" + part + "' in the parameters of " + policy + " is not name=value.",
                    "A value with commas or parentheses, such as the path of a file, stands in double quotes.");
            const std::string name = lowered(trimmed(std::string_view(part).substr(0, equals)));
            const std::string value = unquoted_value(trimmed(std::string_view(part).substr(equals + 1)));
            if (!parameters.emplace(name, value).second)
                throw Error(ErrorKind::usage, policy + ": parameter '" + name + "' is given twice.");
        }
        return parameters;
    }

} // namespace

namespace policy {

    Settings::Settings(const Policy& policy, const PolicySpec& spec)
        : given_(spec.parameters)
    {
        for (const PolicyParameter& parameter : policy.info.parameters) {
            const auto set = spec.parameters.find(parameter.name);
            values_[parameter.name] = set == spec.parameters.end() ? parameter.default_value : set->second;
        }
    }

    bool Settings::has(const std::string& name) const { return values_.contains(name); }
    bool Settings::is(const std::string& name, const std::string& value) const
    {
        const auto found = values_.find(name);
        return found != values_.end() && found->second == value;
    }

    bool ranks_together(const Settings& settings) { return settings.is("uniform", "false"); }

    bool Settings::given(const std::string& name) const { return given_.count(name) > 0; }
    double Settings::number(const std::string& name) const { return number_in<double>(values_.at(name)).value(); }
    std::uint64_t Settings::whole(const std::string& name) const
    {
        return number_in<std::uint64_t>(values_.at(name)).value();
    }

    std::int64_t Settings::share_or_count(const std::string& name, std::int64_t k) const
    {
        const double value = number(name);
        return value < 1 ? local_share(value, k) : static_cast<std::int64_t>(value);
    }

    PolicySpec wrapped(const Settings& settings) { return parse_policy(settings.text("of")); }

    std::string score_name(const PolicySpec& spec)
    {
        PolicySpec score { spec.name, {} };
        for (const PolicyParameter& parameter : find(spec.name).info.parameters) {
            const auto set = spec.parameters.find(parameter.name);
            if (parameter.of_score && set != spec.parameters.end())
                score.parameters.insert(*set);
        }
        return canonical(score);
    }

} // namespace policy

PolicySpec parse_policy(std::string_view text)
{
    const std::string whole = trimmed(text);
    const auto open = whole.find('(');
    const std::string name = lowered(trimmed(std::string_view(whole).substr(0, open)));
    if (name.empty())
        throw Error(ErrorKind::usage, "A policy without a name: '" + whole + "'.");
    if (open != std::string::npos && !well_closed(whole))
        throw Error(ErrorKind::usage, "The parentheses or quotes of '" + whole + "' do not match.",
            "Write parameters as name(parameter=value,parameter=value).");
    const policy::Policy& policy = policy::find(name);
    if (open == std::string::npos)
        return { name, {} };
    const std::string inside = trimmed(std::string_view(whole).substr(open + 1, whole.size() - open - 2));
    if (inside.empty())
        return { name, {} };
    return { name, checked_parameters(policy, parse_parameters(name, inside)) };
}

std::vector<PolicySpec> parse_policies(std::string_view text)
{
    std::vector<PolicySpec> specs;
    std::set<std::string> seen;
    for (const std::string& part : split_outside_parentheses(text, ',')) {
        PolicySpec spec = parse_policy(part);
        if (!seen.insert(canonical(spec)).second)
            throw Error(ErrorKind::usage, "Policy " + canonical(spec) + " is asked for twice.");
        specs.push_back(std::move(spec));
    }
    return specs;
}

bool needs_attention(const PolicySpec& spec)
{
    const policy::Policy& policy = policy::find(spec.name);
    return policy.needs_attention && policy.needs_attention(policy::Settings(policy, spec));
}

Sharing sharing_of(const PolicySpec& spec)
{
    const policy::Policy& policy = policy::find(spec.name);
    return policy::ranks_together(policy::Settings(policy, spec)) ? Sharing::model : policy.info.shares;
}

std::vector<std::string> scores_of(const PolicySpec& spec)
{
    const policy::Policy& policy = policy::find(spec.name);
    std::vector<std::string> scores;
    if (policy.has_own_score() || policy::reads_file(policy))
        scores.push_back(policy::score_name(spec));
    const policy::Settings settings(policy, spec);
    if (settings.has("of")) {
        for (std::string& of : scores_of(policy::wrapped(settings)))
            scores.push_back(std::move(of));
    }
    return scores;
}

void policy::refuse_long_context(const PolicySpec& spec, std::int64_t context)
{
    if (needs_attention(spec))
        refuse_long_context(Settings(find(spec.name), spec).text("bridge"), context);
}

std::string canonical(const PolicySpec& spec)
{
    const policy::Policy& policy = policy::find(spec.name);
    const auto checked = checked_parameters(policy, spec.parameters);
    std::vector<std::string> parts;
    for (const PolicyParameter& parameter : policy.info.parameters) {
        const auto set = checked.find(parameter.name);
        if (set == checked.end())
            continue;
        const bool text = parameter.kind == ParameterKind::text;
        parts.push_back(parameter.name + "=" + (text ? quoted_value(set->second) : set->second));
    }
    std::string list;
    for (const std::string& part : parts)
        list += (list.empty() ? "" : ",") + part;
    return list.empty() ? spec.name : spec.name + "(" + list + ")";
}

std::string title(const PolicySpec& spec)
{
    const policy::Policy& policy = policy::find(spec.name);
    const auto checked = checked_parameters(policy, spec.parameters);
    std::vector<std::string> parts;
    for (const PolicyParameter& parameter : policy.info.parameters) {
        const auto set = checked.find(parameter.name);
        if (set == checked.end())
            continue;
        std::string name = parameter.name;
        std::replace(name.begin(), name.end(), '_', ' ');
        if (is_path(parameter))
            parts.push_back(std::filesystem::path(set->second).filename().string());
        else
            parts.push_back(name + " " + set->second);
    }
    return parts.empty() ? policy.info.title : policy.info.title + " (" + joined(parts) + ")";
}

std::vector<double> parse_sparsities(std::string_view text)
{
    constexpr double step_limit = 10000; // points: a mistyped step must not fill the memory
    std::vector<double> values;
    for (const std::string& part : split_outside_parentheses(text, ',')) {
        std::vector<double> range;
        for (const std::string& piece : split_outside_parentheses(part, ':')) {
            const auto number = number_in<double>(piece);
            if (!number || !std::isfinite(*number))
                throw Error(ErrorKind::usage, "Sparsity '" + piece + "' is not a number.",
                    "Write shares such as 0,0.5,0.9 or a range such as 0:0.9:0.1.");
            range.push_back(*number);
        }
        if (range.size() == 1) {
            values.push_back(range[0]);
            continue;
        }
        if (range.size() != 3 || !(range[2] > 0) || !(range[1] >= range[0])
            || (range[1] - range[0]) / range[2] > step_limit)
            throw Error(ErrorKind::usage, "'" + part + "' is not a range of sparsities.",
                "Write first:last:step with a step above 0, such as 0:0.9:0.1.");
        const auto steps = static_cast<int>(std::floor((range[1] - range[0]) / range[2] + 1e-9));
        for (int i = 0; i <= steps; ++i)
            values.push_back(std::round((range[0] + i * range[2]) * 1e12) / 1e12); // 3 · 0.1 is 0.3
        values.push_back(range[1]);
    }
    for (double& value : values) {
        value += 0.0; // -0 is 0
        budget_of(value, 1); // refuses what is not in [0, 1)
    }
    std::sort(values.begin(), values.end());
    const auto same = [](double a, double b) { return b - a < 1e-12; };
    values.erase(std::unique(values.begin(), values.end(), same), values.end());
    return values;
}

std::string title_of(const std::string& spelling)
{
    try {
        return title(parse_policy(spelling));
    } catch (const Error&) {
        return spelling;
    }
}

} // namespace keepset
