#include "core/policy/policy.h"
#include "core/words.h"

#include <algorithm>

namespace keepset::policy {

Policy dense()
{
    return {
        .info = { .name = "dense",
            .title = "Dense",
            .description = "Keeps every token: what all others are measured against.",
            .parameters = {},
            .labels = { Label::kept },
            .uses_importance = false },
        .fill = [](const Row&, const Settings&,
                    std::span<Label> labels) { std::fill(labels.begin(), labels.end(), Label::kept); },
        .explain = [](const Case& of) { return "Dense keeps every token: " + counted(of.context, "token") + "."; },
        .evicts = false,
    };
}

} // namespace keepset::policy
