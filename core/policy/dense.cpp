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
            .ranks_by = ScoreOf::nothing },
        .fill = [](const Row&, const Settings&,
                    std::span<Label> labels) { std::fill(labels.begin(), labels.end(), Label::kept); },
        .explain = [](const Case& of) { return "Dense keeps every token: " + counted(of.context, "token") + "."; },
        .evicts = false,
    };
}

} // namespace keepset::policy
