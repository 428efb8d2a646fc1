#include "core/policy_files.h"

#include "core/policy/policy.h"

#include <algorithm>
#include <iterator>

namespace keepset {

PolicySpec with_files(const PolicySpec& policy, const std::function<std::string(const std::string& file)>& rename)
{
    PolicySpec renamed = policy;
    for (const PolicyParameter& parameter : policy::find(policy.name).info.parameters) {
        const auto set = renamed.parameters.find(parameter.name);
        if (set == renamed.parameters.end())
            continue;
        if (is_path(parameter))
            set->second = rename(set->second);
        else if (parameter.kind == ParameterKind::policy)
            set->second = canonical(with_files(parse_policy(set->second), rename));
    }
    return renamed;
}

std::vector<std::string> files_of(const PolicySpec& policy)
{
    std::vector<std::string> files;
    (void)with_files(policy, [&](const std::string& file) {
        files.push_back(file);
        return file;
    });
    return files;
}

std::vector<NamedFile> inputs_of(const std::string& text, const std::vector<PolicySpec>& policies)
{
    std::vector<NamedFile> files { { "--text", text } };
    for (const PolicySpec& policy : policies) {
        for (const std::string& file : files_of(policy))
            files.push_back({ "--policies", file });
    }
    return files;
}

} // namespace keepset
