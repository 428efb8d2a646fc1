#include "core/sweep/sweep.h"

#include "core/audit.h"
#include "core/error.h"
#include "core/model/weights_hash.h"
#include "core/policy/policy.h"
#include "core/sweep/causality.h"
#include "core/sweep/plan.h"
#include "core/sweep/statistics.h"
#include "core/trace/run_arrays.h"
#include "core/trace/run_file.h"
#include "core/words.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

namespace keepset {

namespace {

    Run empty_run(const SweepModel& model, const SweepRequest& request, const std::vector<SelectRequest>& plan,
        std::size_t windows)
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
        run.bos = model.bos;
        run.unigram_perplexity = unigram_perplexity(model.tokens);
        run.windows = static_cast<std::int64_t>(windows);
        run.shard = request.shard;
        for (const SelectRequest& point : plan) {
            SweepPoint row;
            row.policy = canonical(point.policy);
            row.sparsity = point.sparsity;
            row.budget = point.budget > 0 ? point.budget : budget_of(point.sparsity, request.context, request.rounding);
            run.points.push_back(row);
        }
        trace::empty_arrays(run, request.per_token);
        return run;
    }

    /// What came out of a window and what was really done in it.
    void add_window(Run& run, const Window& window, const WindowResult& result, const TextHashes& text)
    {
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
                std::ranges::copy(
                    from.score.token_nll, run.token_nll.begin() + static_cast<std::ptrdiff_t>(cell * scored));
        }
        run.done[column] = 1;
        refresh_points(run);
    }

    /// Work left in points, told after every one of them.
    class SweepProgress {
    public:
        SweepProgress(const Task& task, const Run& run)
            : task_(task)
            , windows_(run.windows_of_shard())
            , points_(static_cast<std::int64_t>(run.points.size()))
            , first_(run.windows_done())
            , begin_(std::chrono::steady_clock::now())
        {
        }
        void tell(std::int64_t windows_done, std::int64_t points_done) const
        {
            if (!task_.progress)
                return;
            const double elapsed = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
            const std::int64_t done = windows_done * points_ + points_done;
            const std::int64_t total = windows_ * points_;
            const auto fresh = static_cast<double>(done - first_ * points_);
            const double left = fresh > 0 ? elapsed * static_cast<double>(total - done) / fresh : not_a_number;
            const std::int64_t shown = std::min(windows_done + 1, windows_);
            task_.progress({ "window " + std::to_string(shown) + " of " + std::to_string(windows_), "points", done,
                total, elapsed, left });
        }

    private:
        const Task& task_;
        std::int64_t windows_;
        std::int64_t points_;
        std::int64_t first_;
        std::chrono::steady_clock::time_point begin_;
    };

    void refuse_empty_shard(const Run& run)
    {
        if (run.windows_of_shard() == 0)
            throw Error(ErrorKind::usage,
                "Shard " + std::to_string(run.shard.number) + "/" + std::to_string(run.shard.count)
                    + " has no window: there " + (run.windows == 1 ? "is " : "are ") + counted(run.windows, "window")
                    + " in all.",
                "Split the sweep into no more shards than it has windows.");
    }

    void refuse_beyond_model(const SweepModel& model, const SweepRequest& request)
    {
        refuse_beyond_positions(request.context, request.target, model.max_context);
    }

    std::optional<trace::RunFile> open_file(const SweepRequest& request, Run& run, const Task& task)
    {
        if (request.out.empty())
            return std::nullopt;
        if (!request.resume)
            return trace::RunFile::create(request.out, run, request.per_token, request.force);
        Run stored;
        trace::RunFile file = trace::RunFile::resume(request.out, stored);
        if (!stored.provenance.model_sha256.empty())
            know_weights(run.provenance, task); // it decides whether these are the same weights
        stored.provenance.weights_hash = run.provenance.weights_hash;
        if (const auto different = trace::difference(stored, run))
            throw Error(ErrorKind::usage, "'" + request.out + "' holds another sweep: " + *different + ".",
                "Repeat its command with --resume, or choose another file.");
        file.note_generator(run.provenance.generator, stored);
        run = std::move(stored);
        return file;
    }

} // namespace

std::shared_ptr<const Run> run_sweep(
    const SweepModel& model, const SweepRequest& request, const Task& task, const SweepFn& on_window)
{
    const std::vector<SelectRequest> plan = plan_points(request);
    refuse_beyond_model(model, request);
    for (const SelectRequest& point : plan)
        policy::refuse_long_context(point.policy, request.context);
    const std::vector<Window> windows = cut_windows(request, model.tokens, model.bos);
    Run run = empty_run(model, request, plan, windows.size());
    refuse_empty_shard(run);
    const SweepStep once { model.decoder, model.backend, request, plan, task.stop, [](std::int64_t) {}, model.faults };
    run.context_change = try_context(once, windows.front());
    run.target_change = try_targets(once, windows.front());
    std::optional<trace::RunFile> file = open_file(request, run, task);
    const SweepProgress progress(task, run);
    for (const Window& window : windows) {
        if (!request.shard.holds(window.index) || window_done(run, window.index)) // the latter by an earlier run
            continue;
        const std::int64_t before = run.windows_done();
        progress.tell(before, 0);
        const SweepStep step { model.decoder, model.backend, request, plan, task.stop,
            [&](std::int64_t points) { progress.tell(before, points); }, model.faults };
        Window read = window;
        if (model.faults.window)
            model.faults.window(read);
        add_window(run, window, protocol_entry(request.protocol).run(step, read),
            text_hashes(request, model.tokens, model.bos, window.begin));
        take_weights_hash(run.provenance);
        if (file)
            file->write_window(run, window.index);
        if (on_window)
            on_window(std::make_shared<const Run>(run));
    }
    run.audit = audit(run);
    if (file)
        file->write_audit(run);
    know_weights(run.provenance, task);
    if (file)
        file->write_weights_hash(run);
    return std::make_shared<const Run>(std::move(run));
}

} // namespace keepset
