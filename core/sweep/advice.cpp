#include "core/policy/policy.h"
#include "core/preflight.h"
#include "core/sweep/protected_control.h"
#include "core/sweep/whose_gain.h"
#include "core/sweep_cost.h"
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
    if (std::ranges::any_of(request.policies, ranks_by_score)
        && std::ranges::none_of(request.policies, is_protected_random))
        sentences.push_back(std::string("Without ") + protected_random
            + " it stays open what a score adds to keeping the first and the most recent tokens.");
    return sentences;
}

double work_of_window(const SweepRequest& request)
{
    std::set<std::string> evicting; // dense is one point, however many sparsities there are
    for (const PolicySpec& policy : request.policies) {
        if (policy::find(policy.name).evicts)
            evicting.insert(canonical(policy));
    }
    const std::size_t shares = request.budgets.empty() ? request.sparsities.size() : request.budgets.size();
    const double points = 1 + static_cast<double>(evicting.size() * shares);
    return static_cast<double>(request.context) + static_cast<double>(request.target) * points;
}

double seconds_per_work(const SweepRequest& request, std::int64_t windows, double seconds)
{
    return seconds / (static_cast<double>(windows) * work_of_window(request));
}

double expected_seconds(const SweepRequest& request, std::int64_t windows, double seconds_per_work)
{
    return seconds_per_work * static_cast<double>(windows) * work_of_window(request);
}

} // namespace keepset
