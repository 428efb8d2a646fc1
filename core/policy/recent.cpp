#include "core/policy/fill.h"

namespace keepset::policy {

Policy recent()
{
    return {
        .info = { .name = "recent",
            .title = "Recent",
            .description = "Keeps the most recent tokens and nothing else.",
            .parameters = {},
            .labels = { Label::local },
            .uses_importance = false },
        .fill = [](const Row& row, const Settings&,
                    std::span<Label> labels) { take_recent(labels, row.budget, Label::local); },
    };
}

} // namespace keepset::policy
