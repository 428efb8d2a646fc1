#include "core/error.h"
#include "core/policy/given_scores.h"
#include "core/policy/policy.h"
#include "core/words.h"

#include <algorithm>
#include <array>

namespace keepset::policy {

#define KEEPSET_POLICY(name) Policy name();
#include "core/policy/policies.inc"
#undef KEEPSET_POLICY

namespace {

    bool has_parameter(const Policy& line, const std::string& name)
    {
        return std::ranges::find(line.info.parameters, name, &PolicyParameter::name) != line.info.parameters.end();
    }

    /// Every policy that evicts takes what to protect at both ends (SEMANTICS 4b), and one that ranks by a score how
    /// budgets are shared (4c).
    template <std::size_t count> std::array<Policy, count> with_common(std::array<Policy, count> lines)
    {
        for (Policy& line : lines) {
            if (!line.evicts)
                continue;
            line.info.parameters.push_back({ .name = "sink",
                .description = "First tokens that are kept whatever the policy says; they count in the budget",
                .default_value = "0",
                .kind = ParameterKind::whole,
                .maximum = 1e6 });
            line.info.parameters.push_back({ .name = "recent",
                .description = "Most recent tokens that are kept whatever the policy says: a share of the budget below "
                               "1, or how many; they count in the budget",
                .default_value = "0",
                .kind = ParameterKind::share_or_count,
                .maximum = 1e6 });
            if (has_parameter(line, "uniform"))
                continue;
            if (line.info.ranks_by != ScoreOf::nothing && line.plan && !line.fill
                && (line.choose == nullptr || reads_file(line)))
                line.info.parameters.push_back({ .name = "uniform",
                    .description = "false: the lowest scores of all layers and kv heads together go, so that rows keep "
                                   "as many as they need; true: every row keeps its budget",
                    .default_value = "true",
                    .kind = ParameterKind::choice,
                    .choices = { "true", "false" } });
        }
        return lines;
    }

} // namespace

std::span<const Policy> table()
{
    static const std::array lines = with_common(std::array {
#define KEEPSET_POLICY(name) name(),
#include "core/policy/policies.inc"
#undef KEEPSET_POLICY
    });
    return lines;
}

const Policy& find(const std::string& name)
{
    std::vector<std::string> known;
    for (const Policy& policy : table()) {
        if (policy.info.name == name)
            return policy;
        known.push_back(policy.info.name);
    }
    throw Error(ErrorKind::usage, "Policy '" + name + "' is not known.", "Choose among: " + joined(known) + ".");
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
