#include "core/sweep/given_files.h"

#include "core/error.h"
#include "core/keep_file.h"
#include "core/policy/given_scores.h"
#include "core/policy/own_scores.h"
#include "core/policy/select.h"
#include "core/words.h"

#include <ATen/TensorOperators.h>

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

namespace {

    /// Hash of what a point keeps of a window by what the files say now.
    std::uint64_t hash_now(const Run& run, SelectRequest request, const Window& window)
    {
        request.window = window.index;
        request.pins = window.pins;
        policy::ScoreRows rows { { run.granularity, run.importance, run.gqa, run.sliding }, run.layers, run.kv_heads,
            run.context, {}, {} };
        const KeepFilePlace place { run.layers, run.kv_heads, window.index, window.context };
        for (const auto& [name, values] : policy::given_scores(std::span(&request.policy, 1), place, at::kCPU)) {
            const at::Tensor shared = policy::shared_rows(values, run.granularity, {}).contiguous();
            rows.own[name].assign(shared.const_data_ptr<float>(), shared.const_data_ptr<float>() + shared.numel());
            rows.scores.assign(rows.own[name].size(), 0.0F); // nothing here ranks by importance
        }
        rows.mass.assign(static_cast<std::size_t>(run.layers * run.kv_heads * run.context), 0.0);
        return policy::hash_of(policy::select(rows, request));
    }

} // namespace

void refuse_other_files(const Run& run, std::span<const SelectRequest> plan, std::span<const Window> windows)
{
    const bool all_evict = run.layers_that_evict() == run.layers;
    for (std::size_t point = 0; point < plan.size() && all_evict && !run.selected_hash.empty(); ++point) {
        const std::string name = policy::file_score_of(plan[point].policy);
        if (name.empty() || scores_of(plan[point].policy).size() > 1)
            continue;
        for (const std::int64_t window : done_windows(run)) {
            const auto column = static_cast<std::size_t>(window);
            const std::uint64_t then = run.selected_hash[point * static_cast<std::size_t>(run.windows) + column];
            if (then != 0 && then != hash_now(run, plan[point], windows[column]))
                throw Error(ErrorKind::usage,
                    "The windows that are done were measured with another '" + files_of(plan[point].policy).front()
                        + "': it keeps other positions of window " + grouped(window) + " now.",
                    "Go on with the file as it was, or begin a sweep of its own with this one.");
        }
    }
}

} // namespace keepset
