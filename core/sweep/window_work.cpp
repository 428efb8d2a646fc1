#include "core/sweep/window_work.h"

#include "core/policy/select.h"
#include "core/sweep/plan.h"
#include "core/sweep/short_pass.h"
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

    /// Dense is the first point.
    void look_beyond_mean(const KeyTokenRule& rule, WindowResult& result)
    {
        const std::vector<float>& dense = result.points.front().score.token_nll;
        std::vector<std::uint8_t> key;
        if (!result.short_nll.empty())
            key = key_tokens(result.short_nll, dense, rule);
        for (WindowPoint& point : result.points)
            point.beyond = beyond_mean({ point.score.token_nll, dense, point.score.token_kl }, key);
    }

    /// A window's cells of a point.
    void add_beyond_mean(const BeyondMean& from, std::size_t cell, Run& run)
    {
        run.window_delta_p50[cell] = from.delta.p50;
        run.window_delta_p95[cell] = from.delta.p95;
        run.window_delta_p99[cell] = from.delta.p99;
        run.window_kl_p50[cell] = from.kl.p50;
        run.window_kl_p95[cell] = from.kl.p95;
        run.window_kl_p99[cell] = from.kl.p99;
        run.window_over_one_nat[cell] = from.over_one_nat;
        run.window_key_nll[cell] = from.key_nll;
        run.window_key_count[cell] = from.key_count;
        run.window_near_nll[cell] = from.near_nll;
        run.window_middle_nll[cell] = from.middle_nll;
        run.window_far_nll[cell] = from.far_nll;
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
    run.sliding = request.sliding_of_protocol();
    run.pins = spelled(request.pins);
    run.context = request.context;
    run.target = request.target;
    run.offset = request.offset;
    run.key_tokens = request.key_tokens;
    run.layers = model.decoder.config().layers;
    run.kv_heads = model.decoder.config().kv_heads;
    const auto evicting = policy::evicting_layers(windows_of(model.decoder.config()), request.context, run.sliding);
    run.evicting_layers = evicting.empty() ? run.layers : static_cast<std::int64_t>(evicting.size());
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
    const SweepStep step { model.decoder, model.backend, request, plan, stop, point_done, model.faults, false,
        model.encode };
    Window read = window;
    if (model.faults.window)
        model.faults.window(read);
    const at::Tensor losses = short_pass(step, read, model.bos); // queued in front, so that a GPU never waits for it
    WindowResult result = protocol_entry(request.protocol).run(step, read);
    if (losses.defined()) {
        const at::Tensor host = losses.cpu().contiguous();
        result.short_nll.assign(host.const_data_ptr<float>(), host.const_data_ptr<float>() + host.numel());
    }
    look_beyond_mean(request.key_tokens, result);
    return result;
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
        run.budget_entries[cell] = from.budget_entries;
        run.target_hash[cell] = from.score.target_hash;
        run.first_kept[cell] = from.first_kept;
        run.last_kept[cell] = from.health.last_kept;
        run.evicted_everywhere[cell] = from.health.evicted_everywhere;
        run.tied_rows[cell] = from.tied_rows;
        run.flat_rows[cell] = from.flat_rows;
        add_beyond_mean(from.beyond, cell, run);
        if (!run.token_nll.empty())
            std::ranges::copy(from.score.token_nll, run.token_nll.begin() + static_cast<std::ptrdiff_t>(cell * scored));
    }
    if (!run.short_nll.empty())
        std::ranges::copy(result.short_nll, run.short_nll.begin() + static_cast<std::ptrdiff_t>(column * scored));
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
    const auto layers = policy::evicting_layers(windows_of(config), request.context, request.sliding_of_protocol());
    const std::int64_t evicting = layers.empty() ? config.layers : static_cast<std::int64_t>(layers.size());
    std::int64_t packed = 0;
    for (const SelectRequest& point : plan)
        packed += (budget_in(request, point) * evicting + request.context * (config.layers - evicting)) / config.layers
            + scored;
    const auto points = static_cast<std::int64_t>(plan.size());
    const auto element = static_cast<std::int64_t>(c10::elementSize(model.decoder.dtype()));
    return keepset::bytes_of_window(
        sizes, element, request.context, std::min(points, points_together(model.decoder, scored)) * scored, packed);
}

} // namespace keepset
