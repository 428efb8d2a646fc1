#include "core/error.h"
#include "core/policy/policy.h"
#include "core/words.h"

#include <algorithm>
#include <array>

namespace keepset::policy {

std::span<const Policy> table()
{
    static const std::array lines {
        dense(),
        h2o(),
        cab(),
        streaming_llm(),
        recent(),
        random(),
    };
    return lines;
}

const Policy& find(const std::string& name)
{
    constexpr std::array planned { "h2o-observed", "snapkv", "tova", "knorm", "pyramid" };
    std::vector<std::string> known;
    for (const Policy& policy : table()) {
        if (policy.info.name == name)
            return policy;
        known.push_back(policy.info.name);
    }
    const bool is_planned = std::find(planned.begin(), planned.end(), name) != planned.end();
    throw Error(ErrorKind::usage, "Policy '" + name + (is_planned ? "' is not built yet." : "' is not known."),
        "Choose among: " + joined(known) + ".");
}

std::optional<Control> control_of(const std::string& policy, const std::string& other)
{
    try {
        const PolicySpec spec = parse_policy(policy);
        const Policy& line = find(spec.name);
        return line.control ? line.control(Settings(line, spec), parse_policy(other)) : std::nullopt;
    } catch (const Error&) {
        return std::nullopt;
    }
}

} // namespace keepset::policy

namespace keepset {

std::span<const PolicyInfo> policies()
{
    static const std::vector<PolicyInfo> infos = [] {
        std::vector<PolicyInfo> list;
        for (const policy::Policy& line : policy::table())
            list.push_back(line.info);
        return list;
    }();
    return infos;
}

} // namespace keepset
