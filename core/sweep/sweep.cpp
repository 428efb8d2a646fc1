#include "core/sweep/sweep.h"

#include "core/audit.h"
#include "core/error.h"
#include "core/model/weights_hash.h"
#include "core/policy/policy.h"
#include "core/sweep/causality.h"
#include "core/sweep/plan.h"
#include "core/sweep/statistics.h"
#include "core/trace/run_file.h"
#include "core/trace/run_schema.h"

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
        for (const SelectRequest& point : plan) {
            SweepPoint row;
            row.policy = canonical(point.policy);
            row.sparsity = point.sparsity;
            row.budget = point.budget > 0 ? point.budget : budget_of(point.sparsity, request.context, request.rounding);
            run.points.push_back(row);
        }
        const std::size_t cells = plan.size() * windows;
        run.window_nll.assign(cells, not_a_number);
        run.done.assign(windows, 0);
        run.keep_hash.assign(cells, 0);
        run.definition_hash.assign(cells, 0);
        run.kept_entries.assign(cells, 0);
        run.target_hash.assign(cells, 0);
        run.mass_error.assign(windows, not_a_number);
        run.last_key_importance.assign(windows, not_a_number);
        trace::empty_evidence(run);
        if (request.per_token)
            run.token_nll.assign(cells * static_cast<std::size_t>(request.target - 1), std::nanf(""));
        return run;
    }

    /// Mean over n windows, taken on by one more.
    void extend_mean(double& mean, std::int64_t windows, double value)
    {
        mean = windows == 0 ? value : mean + (value - mean) / static_cast<double>(windows + 1);
    }

    template <typename T> void put(std::vector<T>& values, std::size_t index, T value)
    {
        if (!values.empty()) // a file of an earlier version that is resumed lacks what it has no room for
            values[index] = value;
    }

    /// What was really done in a window, beside its results.
    void add_evidence(RunEvidence& evidence, const Window& window, const WindowResult& result, const TextHashes& text)
    {
        const auto column = static_cast<std::size_t>(window.index);
        put(evidence.read_hash, column, result.read_hash);
        put(evidence.text_read_hash, column, text.read);
        put(evidence.text_target_hash, column, text.target);
        put(evidence.window_begin, column, window.begin);
        put(evidence.least_importance, column, result.facts.least);
        put(evidence.most_of_visible, column, result.facts.most_of_visible);
        put(evidence.first_token_mass, column, result.facts.first_token_mass);
        put(evidence.largest_hidden, column, result.largest_hidden);
    }

    void add_window(Run& run, const Window& window, const WindowResult& result, const TextHashes& text)
    {
        const auto column = static_cast<std::size_t>(window.index);
        const auto windows = static_cast<std::size_t>(run.windows);
        const auto scored = static_cast<std::size_t>(run.target - 1);
        run.mass_error[column] = result.facts.mass_error;
        run.last_key_importance[column] = result.facts.last_key;
        add_evidence(run.evidence, window, result, text);
        for (std::size_t point = 0; point < run.points.size(); ++point) {
            const WindowPoint& from = result.points[point];
            const std::size_t cell = point * windows + column;
            SweepPoint& row = run.points[point];
            extend_mean(row.kl, row.windows, from.score.kl_sum / static_cast<double>(scored));
            extend_mean(row.top1_agreement, row.windows, from.score.top1_agreements / static_cast<double>(scored));
            extend_mean(row.kept_mass, row.windows, from.kept_mass);
            row.seconds += from.seconds;
            run.window_nll[cell] = from.score.nll_sum;
            run.keep_hash[cell] = from.keep_hash;
            if (!run.definition_hash.empty()) // a file of an earlier version has no room for it
                run.definition_hash[cell] = from.definition_hash;
            run.kept_entries[cell] = from.kept_entries;
            run.target_hash[cell] = from.score.target_hash;
            put(run.evidence.selected_hash, cell, from.selected_hash);
            put(run.evidence.first_kept, cell, from.first_kept);
            put(run.evidence.tied_rows, cell, from.tied_rows);
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
            , windows_(run.windows)
            , points_(static_cast<std::int64_t>(run.points.size()))
            , first_(run.windows_done())
            , begin_(std::chrono::steady_clock::now())
        {
        }
        void tell(std::int64_t window, std::int64_t points_done) const
        {
            if (!task_.progress)
                return;
            const double elapsed = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
            const std::int64_t done = window * points_ + points_done;
            const std::int64_t total = windows_ * points_;
            const auto fresh = static_cast<double>(done - first_ * points_);
            const double left = fresh > 0 ? elapsed * static_cast<double>(total - done) / fresh : not_a_number;
            const std::int64_t shown = std::min(window + 1, windows_);
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
    const SweepStep once { model.decoder, model.backend, request, plan, task.stop, [](std::int64_t) {}, model.faults };
    run.evidence.context_change = try_context(once, windows.front());
    run.evidence.target_change = try_targets(once, windows.front());
    std::optional<trace::RunFile> file = open_file(request, run, task);
    const SweepProgress progress(task, run);
    for (const Window& window : windows) {
        if (window_done(run, window.index)) // by an earlier run
            continue;
        progress.tell(window.index, 0);
        const SweepStep step { model.decoder, model.backend, request, plan, task.stop,
            [&](std::int64_t points) { progress.tell(window.index, points); }, model.faults };
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
