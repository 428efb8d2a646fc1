#include "app/commands.h"

#include "core/policy_files.h"

#include <nlohmann/json.hpp>

#include <iostream>
#include <memory>

/// policies: what the table of policies says.
namespace keepset::cli {

namespace {

    std::string range_of(const PolicyParameter& parameter)
    {
        switch (parameter.kind) {
        case ParameterKind::choice: {
            std::string all;
            for (const std::string& choice : parameter.choices)
                all += (all.empty() ? "" : ", ") + choice;
            return all;
        }
        case ParameterKind::text:
            return is_path(parameter) ? "a file" : "text";
        case ParameterKind::policy:
            return "a policy";
        case ParameterKind::share_or_count:
            return "a share below 1, or a number up to " + number(parameter.maximum, 16);
        case ParameterKind::number:
        case ParameterKind::whole:
            break;
        }
        return number(parameter.minimum, 16) + " to " + number(parameter.maximum, 16);
    }

    std::string default_of(const PolicyParameter& parameter)
    {
        if (is_path(parameter))
            return "must be given";
        return parameter.default_value.empty() ? "the run's" : parameter.default_value;
    }

    std::string score_of(const PolicyInfo& policy)
    {
        switch (policy.ranks_by) {
        case ScoreOf::nothing:
            return "nothing: by place or by chance";
        case ScoreOf::importance:
            return "the run's importance";
        case ScoreOf::own:
            break;
        }
        return policy.score;
    }

    nlohmann::json to_json(const PolicyInfo& policy)
    {
        nlohmann::json parameters = nlohmann::json::array();
        for (const PolicyParameter& parameter : policy.parameters)
            parameters.push_back({ { "name", parameter.name }, { "default", parameter.default_value },
                { "takes", range_of(parameter) }, { "description", parameter.description } });
        nlohmann::json labels = nlohmann::json::array();
        for (const Label label : policy.labels)
            labels.push_back(name_of(label));
        return { { "name", policy.name }, { "title", policy.title }, { "description", policy.description },
            { "score", score_of(policy) }, { "source", policy.source }, { "labels", labels },
            { "parameters", parameters } };
    }

    void print_one(const PolicyInfo& policy)
    {
        std::cout << policy.title << " (" << policy.name << ")\n" << policy.description << "\n\n";
        std::cout << "ranks by  " << score_of(policy) << '\n';
        if (!policy.source.empty())
            std::cout << "source    " << policy.source << '\n';
        if (policy.parameters.empty())
            return;
        std::vector<std::vector<std::string>> rows { { "parameter", "default", "takes", "what it does" } };
        for (const PolicyParameter& parameter : policy.parameters)
            rows.push_back({ parameter.name, default_of(parameter), range_of(parameter), parameter.description });
        std::cout << '\n';
        print_table(rows);
    }

    int run(const std::string& name, const Common& common)
    {
        std::vector<PolicyInfo> shown;
        for (const PolicyInfo& policy : policies()) {
            if (name.empty() || policy.name == name)
                shown.push_back(policy);
        }
        if (shown.empty())
            parse_policy(name); // says which there are
        if (common.json) {
            nlohmann::json all = nlohmann::json::array();
            for (const PolicyInfo& policy : shown)
                all.push_back(to_json(policy));
            print_json(name.empty() ? all : all.front());
        } else if (!name.empty()) {
            print_one(shown.front());
        } else {
            for (const PolicyInfo& policy : shown) {
                std::cout << policy.name << "\n    " << policy.description << "\n    ranks by " << score_of(policy)
                          << '\n';
                if (!policy.source.empty())
                    std::cout << "    source: " << policy.source << '\n';
            }
            std::cout << "\nParameters of one: keepset-cli policies NAME\n";
        }
        return 0;
    }

} // namespace

Runner add_policies(CLI::App& command, Common& common)
{
    const auto name = std::make_shared<std::string>();
    add_common(command, common, false);
    command.add_option("NAME", *name, "One policy, with its parameters");
    return [name](Common& shared, const StopOnSignal&) { return run(*name, shared); };
}

} // namespace keepset::cli
