#include "core/error.h"
#include "core/policy/policy.h"
#include "core/words.h"

#include <algorithm>
#include <cmath>

namespace keepset {

namespace {
    constexpr double floor_epsilon = 1e-9; // SEMANTICS 3: 0.1 · 1000 is 100, not 99
}

std::int64_t budget_of(double sparsity, std::int64_t context, Rounding rounding)
{
    if (!(sparsity >= 0 && sparsity < 1))
        throw Error(ErrorKind::usage, "Sparsity " + shortest(sparsity) + " is not in [0, 1).",
            "Give the share of the context to evict, such as 0.9.");
    if (context < 1)
        throw Error(ErrorKind::usage, "A context of " + grouped(context) + " tokens leaves nothing to keep.");
    if (rounding == Rounding::kvpress)
        return std::max<std::int64_t>(1, static_cast<std::int64_t>(static_cast<double>(context) * (1 - sparsity)));
    const double kept = std::floor(static_cast<double>(context) * (1 - sparsity) + floor_epsilon);
    return std::max<std::int64_t>(1, static_cast<std::int64_t>(kept));
}

namespace policy {

    std::int64_t share_of(double ratio, std::int64_t k)
    {
        return static_cast<std::int64_t>(std::floor(ratio * static_cast<double>(k) + floor_epsilon));
    }

    std::int64_t local_share(double ratio, std::int64_t k)
    {
        return ratio > 0 ? std::min(k, std::max<std::int64_t>(1, share_of(ratio, k))) : 0;
    }

    std::int64_t budget_for(const Policy& policy, const SelectRequest& request, std::int64_t context)
    {
        if (request.budget < 0 || request.budget > context)
            throw Error(ErrorKind::usage,
                "A budget of " + grouped(request.budget) + " does not fit a context of " + counted(context, "token")
                    + ".",
                "Choose a budget from 1 to the context.");
        const std::int64_t asked
            = request.budget > 0 ? request.budget : budget_of(request.sparsity, context, request.rounding);
        return policy.evicts ? asked : context;
    }

} // namespace policy

} // namespace keepset
