#include "core/sweep/sweep.h"

#include "core/audit.h"
#include "core/error.h"
#include "core/keep_file.h"
#include "core/model/weights_hash.h"
#include "core/policy/policy.h"
#include "core/sweep/causality.h"
#include "core/sweep/given_files.h"
#include "core/sweep/group_sweep.h"
#include "core/sweep/plan.h"
#include "core/sweep/window_work.h"
#include "core/sweep/windows_in_flight.h"
#include "core/trace/run_file.h"
#include "core/words.h"

#include <chrono>
#include <filesystem>
#include <optional>
#include <span>
#include <thread>
#include <utility>

namespace keepset {

namespace {

    void refuse_empty_shard(const Run& run)
    {
        if (run.windows_of_shard() == 0)
            throw Error(ErrorKind::usage,
                "Shard " + std::to_string(run.shard.number) + "/" + std::to_string(run.shard.count)
                    + " has no window: there " + (run.windows == 1 ? "is " : "are ") + counted(run.windows, "window")
                    + " in all.",
                "Split the sweep into no more shards than it has windows.");
    }

    bool is_open(const Run& run, std::int64_t window) { return run.shard.holds(window) && !window_done(run, window); }

    std::vector<std::int64_t> open_windows(const Run& run)
    {
        std::vector<std::int64_t> open;
        for (std::int64_t window = 0; window < run.windows; ++window) {
            if (is_open(run, window))
                open.push_back(window);
        }
        return open;
    }

    /// The file of the request, if it names one; `run` becomes what is in it where the sweep goes on.
    std::optional<trace::RunFile> open_file(const SweepRequest& request, bool resume, Run& run, const Task& task)
    {
        if (request.out.empty())
            return std::nullopt;
        if (!resume)
            return trace::RunFile::create(request.out, run, request.per_token, request.force);
        Run stored;
        trace::RunFile file = trace::RunFile::resume(request.out, stored);
        if (!stored.provenance.model_sha256.empty())
            know_weights(run.provenance, task); // it decides whether these are the same weights
        stored.provenance.weights_hash = run.provenance.weights_hash;
        if (const auto different = trace::difference(stored, run))
            throw Error(ErrorKind::usage, "'" + request.out + "' holds another sweep: " + *different + ".",
                "It goes on with the model, text and settings that it was begun with; choose another file for these.");
        file.note_generator(run.provenance.generator, stored);
        run = std::move(stored);
        return file;
    }

    /// Whether a sweep goes on with its file: as asked, and where torchrun started the group again with what the group
    /// had before.
    bool goes_on(const SweepRequest& request, std::optional<WindowStore>& store)
    {
        if (request.resume || !store || request.group->restart == 0)
            return request.resume;
        std::error_code ignored;
        return store->file_is_ours() || (!request.force && std::filesystem::exists(request.out, ignored));
    }

    /// A sweep under way: what is done goes into the file, to the progress and to whoever looks on.
    class Keeping {
    public:
        Keeping(std::optional<trace::RunFile>& file, Run& run, const Task& task, const SweepFn& on_window)
            : file_(file)
            , run_(run)
            , progress_(task, run)
            , on_window_(on_window)
        {
        }
        const SweepProgress& progress() const { return progress_; }
        void keep(std::span<const std::int64_t> windows) const
        {
            take_weights_hash(run_.provenance);
            if (file_)
                file_->write_windows(run_, windows);
            if (on_window_)
                on_window_(std::make_shared<const Run>(run_));
        }

    private:
        std::optional<trace::RunFile>& file_;
        Run& run_;
        SweepProgress progress_;
        const SweepFn& on_window_;
    };

    /// All windows that are open, by this process alone.
    void run_alone(
        const WindowWork& work, const std::vector<Window>& windows, Run& run, const Keeping& keeping, const Task& task)
    {
        const std::vector<std::int64_t> open = open_windows(run);
        WindowFlow flow;
        flow.next
            = [&, next = open.begin()]() mutable { return next == open.end() ? std::nullopt : std::optional(*next++); };
        flow.done = [&](const std::vector<MeasuredWindow>& through) {
            std::vector<std::int64_t> written;
            for (const MeasuredWindow& one : through) {
                work.add(windows[static_cast<std::size_t>(one.window)], one.result, run);
                written.push_back(one.window);
            }
            keeping.keep(written);
        };
        flow.under_way = [&](std::int64_t points) { keeping.progress().tell(run.windows_done(), points); };
        run_windows(work, windows, windows_at_once(work), flow, task.stop);
    }

    /// The others need rank 0's store until they know that all is done; one that never came is not waited for long.
    void wait_for_others(WindowStore& store, const GroupPlace& place, const std::stop_token& stop)
    {
        store.finish();
        const auto until = std::chrono::steady_clock::now() + std::chrono::duration<double>(place.patience_s);
        while (!store.all_left() && !stop.stop_requested() && std::chrono::steady_clock::now() < until)
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }

} // namespace

std::shared_ptr<const Run> run_sweep(
    const SweepModel& model, const SweepRequest& request, const Task& task, const SweepFn& on_window)
{
    (void)plan_points(request); // refuses what cannot be, before the text and files are looked at
    refuse_beyond_positions(request.context, request.target, model.max_context);
    for (const PolicySpec& policy : request.policies)
        policy::refuse_long_context(policy, request.context);
    const std::vector<Window> windows = cut_windows(request, model.tokens, model.bos);
    const std::vector<SelectRequest> plan
        = plan_points(request, check_given_files(request, windows, model.decoder.config(), task.stop));
    Run run = empty_run(model, request, plan, windows.size());
    run.files = hashes_of(request.policies, task.stop);
    refuse_empty_shard(run);
    const WindowWork work { model, request, plan };
    std::optional<WindowStore> store;
    if (request.group)
        store.emplace(*request.group, task.stop);
    if (store && request.group->rank > 0) {
        help_sweep(*store, { work, windows, task }, run);
        return nullptr;
    }
    const SweepStep once { model.decoder, model.backend, request, plan, task.stop, [](std::int64_t) {}, model.faults,
        false, model.encode };
    run.context_change = try_context(once, windows.front());
    run.target_change = try_targets(once, windows.front());
    std::optional<trace::RunFile> file = open_file(request, goes_on(request, store), run, task);
    const Keeping keeping(file, run, task, on_window);
    if (store) {
        lead_sweep(*store, { work, windows, task }, open_windows(run), run, [&](std::span<const std::int64_t> written) {
            keeping.keep(written);
            store->file_becomes_ours();
            keeping.progress().tell(run.windows_done(), 0);
        });
        wait_for_others(*store, *request.group, task.stop);
    } else {
        run_alone(work, windows, run, keeping, task);
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
