#include "core/policy/policy.h"
#include "core/preflight.h"
#include "core/sweep/whose_gain.h"
#include "core/words.h"

#include <algorithm>
#include <set>

namespace keepset {

std::vector<std::string> advice(const SweepRequest& request, std::int64_t windows)
{
    std::vector<std::string> sentences;
    constexpr std::int64_t enough = 5;
    if (windows > 0 && windows < enough)
        sentences.push_back(counted(windows, "window") + " give" + (windows == 1 ? "s" : "")
            + " no interval: five or more are needed to tell policies apart.");
    std::set<std::string> names;
    for (const PolicySpec& policy : request.policies)
        names.insert(canonical(policy));
    std::set<std::string> missing;
    for (const std::string& a : names) {
        for (const std::string& b : names) {
            const auto control = policy::control_of(a, b);
            if (control && !names.contains(canonical(control->policy)))
                missing.insert(say_missing(*control).substr(1));
        }
    }
    sentences.insert(sentences.end(), missing.begin(), missing.end());
    return sentences;
}

} // namespace keepset
