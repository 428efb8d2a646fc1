#include "core/sweep/protected_control.h"

#include "core/error.h"
#include "core/policy/policy.h"

namespace keepset {

const char* const protected_random = "random(sink=4,recent=0.1)";

bool is_protected_random(const PolicySpec& policy)
{
    return policy.name == "random" && policy.parameters.contains("sink") && policy.parameters.contains("recent");
}

bool ranks_by_score(const PolicySpec& policy) { return policy::find(policy.name).info.ranks_by != ScoreOf::nothing; }

std::string protected_control_of(const Run& run)
{
    for (const SweepPoint& point : run.points) {
        try {
            if (is_protected_random(parse_policy(point.policy)))
                return point.policy;
        } catch (const Error&) { // of another version of Keepset
            continue;
        }
    }
    return {};
}

} // namespace keepset
