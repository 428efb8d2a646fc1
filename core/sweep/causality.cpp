#include "core/sweep/causality.h"

#include "core/maximum.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/max.h>

#include <algorithm>
#include <cmath>
#include <functional>

namespace keepset {

namespace {

    constexpr std::size_t most_context = 64;
    constexpr std::size_t most_target = 16;

    std::int64_t other(std::int64_t id, const Decoder& decoder) { return (id + 1) % decoder.config().vocabulary; }

    /// `hidden_of` gives the hidden states (ids, hidden) of a pass.
    Perturbation try_ids(const Decoder& decoder, std::vector<std::int64_t> ids,
        const std::function<at::Tensor(const at::Tensor& ids)>& hidden_of)
    {
        ids.resize(std::min(ids.size(), most_context));
        const auto changed = static_cast<std::int64_t>(ids.size() / 2);
        if (changed == 0)
            return {};
        const at::Tensor before = decoder.logits(hidden_of(to_tensor(decoder, ids)));
        ids[static_cast<std::size_t>(changed)] = other(ids[static_cast<std::size_t>(changed)], decoder);
        const at::Tensor difference = (before - decoder.logits(hidden_of(to_tensor(decoder, ids)))).abs();
        const double size = before.abs().max().item<double>();
        return { difference.slice(0, 0, changed).max().item<double>() / size,
            difference.slice(0, changed).max().item<double>() / size };
    }

    /// Dense and the first point that evicts, by their sparsities: budgets are made for a longer context.
    std::vector<SelectRequest> short_plan(const SweepStep& step)
    {
        std::vector<SelectRequest> plan { step.plan.front() };
        const auto evicts = std::ranges::find_if(step.plan, [](const SelectRequest& at) { return at.sparsity > 0; });
        if (evicts != step.plan.end()) {
            plan.push_back(*evicts);
            plan.back().budget = 0;
            if (!scores_of(evicts->policy).empty()) // it may need a longer context; how targets are read is the same
                plan.back().policy = parse_policy("recent");
        }
        return plan;
    }

    /// Relative differences of the points' rows, told apart at `row`.
    Perturbation compare_rows(const WindowResult& a, const WindowResult& b, std::size_t row)
    {
        double size = 0;
        Perturbation found { 0, 0 };
        for (std::size_t point = 0; point < a.points.size(); ++point) {
            const std::vector<float>& first = a.points[point].score.row_lse;
            const std::vector<float>& second = b.points[point].score.row_lse;
            for (std::size_t r = 0; r < first.size(); ++r) {
                double& change = r < row ? found.before : found.after;
                change = maximum(change, std::abs(static_cast<double>(first[r]) - static_cast<double>(second[r])));
                size = maximum(size, std::abs(static_cast<double>(first[r])));
            }
        }
        return { found.before / size, found.after / size };
    }

} // namespace

Perturbation try_context(const SweepStep& step, const Window& window)
{
    SweepStep own = step;
    own.every_expert = true;
    return try_ids(step.decoder, window.context, [&](const at::Tensor& ids) { return run_dense(own, ids, {}).hidden; });
}

Perturbation try_context(
    const Decoder& decoder, const Backend& backend, const std::vector<std::int64_t>& ids, const std::stop_token& stop)
{
    const DensePassOptions options { .every_expert = true };
    return try_ids(decoder, ids, [&](const at::Tensor& text) {
        return dense_pass(decoder, text, options, backend, { stop, {} }).hidden;
    });
}

Perturbation try_targets(const SweepStep& step, const Window& window)
{
    Window text = window;
    text.context.resize(std::min(text.context.size(), most_context));
    text.target.resize(std::min(text.target.size(), most_target));
    const std::size_t changed = (text.target.size() - 1) / 2; // of the rows, one a target token but the last
    if (changed == 0)
        return {};
    const std::vector<SelectRequest> plan = short_plan(step);
    const SweepStep own { step.decoder, step.backend, step.request, plan, step.stop, [](std::int64_t) {}, step.faults,
        true, step.encode };
    const auto run = protocol_entry(step.request.protocol).run;
    const WindowResult before = run(own, text);
    text.target[changed] = other(text.target[changed], step.decoder);
    return compare_rows(before, run(own, text), changed);
}

} // namespace keepset
