#include "core/sweep/given_files.h"

#include "core/error.h"
#include "core/keep_file.h"
#include "core/policy/prepared.h"
#include "core/policy/select.h"
#include "core/policy_files.h"

#include <algorithm>

namespace keepset {

namespace {

    /// Puts into every row of values (layers, kv_heads, context) what pins leave of keep sets.
    void set_pinned(const Window& window, std::vector<float>& values)
    {
        const std::size_t context = window.context.size();
        const policy::Pinned pinned(window.pins, static_cast<std::int64_t>(context));
        for (std::size_t row = 0; row < values.size(); row += context) {
            for (const std::int32_t position : pinned.stay)
                values[row + static_cast<std::size_t>(position)] = 1;
            for (const std::int32_t position : pinned.go)
                values[row + static_cast<std::size_t>(position)] = 0;
        }
    }

} // namespace

OwnCounts check_given_files(const SweepRequest& request, std::span<const Window> windows, const DecoderConfig& config,
    const std::stop_token& stop)
{
    OwnCounts counts;
    const std::vector<std::int64_t> evicting
        = policy::evicting_layers(windows_of(config), request.context, request.sliding_of_protocol());
    const auto evicts
        = [&](std::int64_t layer) { return evicting.empty() || std::ranges::find(evicting, layer) != evicting.end(); };
    check_policy_files(request.policies);
    for (const PolicySpec& policy : request.policies) {
        for (const std::string& path : files_of(policy)) {
            const KeepFile file(path);
            std::int64_t kept = 0;
            for (const Window& window : windows) {
                if (stop.stop_requested())
                    throw Cancelled {};
                std::vector<float> values
                    = file.window({ config.layers, config.kv_heads, window.index, window.context });
                set_pinned(window, values);
                const std::int64_t size = config.kv_heads * request.context; // of a layer
                for (std::int64_t layer = 0; layer < config.layers; ++layer) {
                    const auto first = values.begin() + layer * size;
                    kept += evicts(layer) ? std::count(first, first + size, 1.0F) : 0;
                }
            }
            const std::int64_t layers = evicting.empty() ? config.layers : std::ssize(evicting);
            if (takes_keep_sets(policy))
                counts[canonical(policy)] = { kept, std::ssize(windows) * layers * config.kv_heads };
        }
    }
    return counts;
}

} // namespace keepset
