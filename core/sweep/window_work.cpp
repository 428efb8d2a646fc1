#include "core/sweep/window_work.h"

#include "core/sweep/plan.h"
#include "core/trace/run_arrays.h"

#include <algorithm>

namespace keepset {

namespace {

    std::int64_t budget_in(const SweepRequest& request, const SelectRequest& point)
    {
        return point.budget > 0 ? point.budget : budget_of(point.sparsity, request.context, request.rounding);
    }

    /// Run::reach. Kept keys that are numbered anew, or are read as a shorter text, come nearer.
    std::int64_t reach_of(const DecoderConfig& config, const SweepRequest& request)
    {
        if (request.positions == Positions::repacked || request.protocol == Protocol::token_drop)
            return 0;
        std::int64_t reach = 0;
        for (const LayerConfig& layer : config.per_layer) {
            if (layer.window == 0 || layer.window > request.context)
                return 0;
            reach = std::max(reach, layer.window - 1); // the first target sees itself too
        }
        return reach;
    }

} // namespace

Run empty_run(
    const SweepModel& model, const SweepRequest& request, const std::vector<SelectRequest>& plan, std::size_t windows)
{
    Run run;
    run.provenance = model.provenance;
    run.protocol = request.protocol;
    run.granularity = request.granularity;
    run.importance = request.importance;
    run.gqa = request.gqa;
    run.positions = request.positions;
    run.rounding = request.rounding;
    run.context = request.context;
    run.target = request.target;
    run.offset = request.offset;
    run.layers = model.decoder.config().layers;
    run.kv_heads = model.decoder.config().kv_heads;
    run.vocabulary = model.decoder.config().vocabulary;
    run.reach = reach_of(model.decoder.config(), request);
    run.bos = model.bos;
    run.unigram_perplexity = unigram_perplexity(model.tokens);
    run.windows = static_cast<std::int64_t>(windows);
    run.shard = request.shard;
    for (const SelectRequest& point : plan) {
        SweepPoint row;
        row.policy = canonical(point.policy);
        row.sparsity = point.sparsity;
        row.budget = budget_in(request, point);
        run.points.push_back(row);
    }
    trace::empty_arrays(run, request.per_token);
    return run;
}

WindowResult WindowWork::measure(
    const Window& window, const std::stop_token& stop, const std::function<void(std::int64_t points)>& point_done) const
{
    const SweepStep step { model.decoder, model.backend, request, plan, stop, point_done, model.faults };
    Window read = window;
    if (model.faults.window)
        model.faults.window(read);
    return protocol_entry(request.protocol).run(step, read);
}

void WindowWork::add(const Window& window, const WindowResult& result, Run& run) const
{
    const TextHashes text = text_hashes(request, model.tokens, model.bos, window.begin);
    const auto column = static_cast<std::size_t>(window.index);
    const auto windows = static_cast<std::size_t>(run.windows);
    const auto scored = static_cast<std::size_t>(run.target - 1);
    run.mass_error[column] = result.facts.mass_error;
    run.last_key_importance[column] = result.facts.last_key;
    run.read_hash[column] = result.read_hash;
    run.text_read_hash[column] = text.read;
    run.text_target_hash[column] = text.target;
    run.window_begin[column] = window.begin;
    run.least_importance[column] = result.facts.least;
    run.most_of_visible[column] = result.facts.most_of_visible;
    run.first_token_mass[column] = result.facts.first_token_mass;
    run.largest_hidden[column] = result.largest_hidden;
    for (std::size_t point = 0; point < run.points.size(); ++point) {
        const WindowPoint& from = result.points[point];
        const std::size_t cell = point * windows + column;
        run.window_nll[cell] = from.score.nll_sum;
        run.window_kl[cell] = from.score.kl_sum / static_cast<double>(scored);
        run.window_top1[cell] = from.score.top1_agreements / static_cast<double>(scored);
        run.window_kept_mass[cell] = from.kept_mass;
        run.window_seconds[cell] = from.seconds;
        run.keep_hash[cell] = from.keep_hash;
        run.definition_hash[cell] = from.definition_hash;
        run.selected_hash[cell] = from.selected_hash;
        run.kept_entries[cell] = from.kept_entries;
        run.target_hash[cell] = from.score.target_hash;
        run.first_kept[cell] = from.first_kept;
        run.tied_rows[cell] = from.tied_rows;
        if (!run.token_nll.empty())
            std::ranges::copy(from.score.token_nll, run.token_nll.begin() + static_cast<std::ptrdiff_t>(cell * scored));
    }
    run.done[column] = 1;
    refresh_points(run);
}

std::int64_t WindowWork::bytes_of_window() const
{
    const DecoderConfig& config = model.decoder.config();
    PassSizes sizes { config.layers, config.heads, config.kv_heads, config.head_dim, config.hidden_size,
        config.intermediate_size, config.vocabulary };
    if (config.experts > 0)
        sizes.intermediate_size = std::max(sizes.intermediate_size, config.experts_per_token * config.expert_size);
    const std::int64_t scored = request.target - 1;
    std::int64_t packed = 0;
    for (const SelectRequest& point : plan)
        packed += budget_in(request, point) + scored;
    const auto points = static_cast<std::int64_t>(plan.size());
    const auto element = static_cast<std::int64_t>(c10::elementSize(model.decoder.dtype()));
    return keepset::bytes_of_window(
        sizes, element, request.context, std::min(points, points_together(model.decoder, scored)) * scored, packed);
}

} // namespace keepset
