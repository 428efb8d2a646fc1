#include "ui/session.h"

#include "core/engine.h"
#include "moc_session.cpp"
#include "ui/session_job.h"

#include <QElapsedTimer>
#include <QMetaObject>

#include <algorithm>

namespace keepset::ui {

namespace {

    /// A sweep that was stopped before its first window leaves no file that holds nothing.
    void removeIfEmpty(const SweepRequest& request)
    {
        std::error_code ignored;
        if (request.resume || request.out.empty() || !std::filesystem::exists(request.out, ignored))
            return;
        if (load_run(request.out)->windows_done() == 0)
            std::filesystem::remove(request.out, ignored);
    }

} // namespace

Session::Session(QObject* parent)
    : QObject(parent)
{
    constexpr std::array<const char*, lanes> names { "engine", "files", "saves", "counting", "selecting", "heads",
        "drawing" };
    for (std::size_t lane = 0; lane < lanes; ++lane) {
        QThread& thread = threads_[lane];
        runners_[lane] = new QObject;
        runners_[lane]->moveToThread(&thread);
        connect(&thread, &QThread::finished, runners_[lane], &QObject::deleteLater);
        thread.setObjectName(QLatin1String(names[lane]));
        const bool aside = lane >= static_cast<std::size_t>(Lane::counting);
        thread.start(aside ? QThread::LowPriority : QThread::InheritPriority);
    }
}

Session::~Session()
{
    for (const auto& job : jobs_) {
        if (job->kind != Kind::save)
            job->stop.request_stop();
    }
    QMetaObject::invokeMethod(
        runners_.front(), [this] { engine_.reset(); }, Qt::QueuedConnection);
    // Behind what is queued, so that every save comes to its end.
    for (std::size_t lane = 0; lane < lanes; ++lane)
        QMetaObject::invokeMethod(
            runners_[lane], [thread = &threads_[lane]] { thread->quit(); }, Qt::QueuedConnection);
    for (QThread& thread : threads_)
        thread.wait();
}

// ---- requests --------------------------------------------------------------------------------------------------

void Session::lookAtModel(const QString& folder)
{
    enqueue(Kind::look, tr("looking at the model"), [=, this](const Task&, const auto& job) {
        describe_model(folder.toStdString()); // throws where there is none
        announce(job, [this, folder] { Q_EMIT modelFound(folder); });
    });
}

void Session::openModel(const QString& folder, const OpenOptions& options, std::int64_t context)
{
    const std::filesystem::path path(folder.toStdString());
    enqueue(Kind::model, tr("opening the model"), [=, this](const Task& task, const auto& job) {
        const MemoryNeed need = memory_need(path, options, context);
        announce(job, [this, need] { Q_EMIT memoryEstimated(need); });
        const ModelInfo info = engine().open_model(path, options, task);
        announce(job, [this, info] {
            modelFolder_ = QString::fromStdString(info.path);
            Q_EMIT modelOpened(info);
        });
    });
}

void Session::analyse(const AnalysisRequest& request)
{
    enqueue(Kind::analysis, tr("analysing"), [=, this](const Task& task, const auto& job) {
        const auto result = engine().analyse(request, task);
        announce(job, [this, result] { announceAnalysis(result); });
    });
}

void Session::sweep(const SweepRequest& request)
{
    enqueue(Kind::sweep, tr("sweeping"), [=, this](const Task& task, const auto& job) {
        const auto onWindow = [&](const std::shared_ptr<const Run>& run) {
            announce(job, [this, run, job] {
                run_ = run;
                runFile_.clear();
                Q_EMIT runChanged(run, false);
                if (job->pausing)
                    job->stop.request_stop();
            });
        };
        try {
            const auto result = engine().sweep(request, task, onWindow);
            announce(job, [this, result] { announceRun(result); });
        } catch (...) {
            removeIfEmpty(request);
            throw;
        }
    });
}

void Session::pauseSweep()
{
    for (const auto& job : jobs_) {
        if (job->kind == Kind::sweep)
            job->pausing = true;
    }
}

void Session::selectAll(const std::shared_ptr<const Analysis>& analysis, const SelectRequest& request, int side)
{
    const auto held = find_importance(*analysis, request.importance); // as long as it is ranked by
    enqueue(side == 0 ? Kind::keepSetA : Kind::keepSetB, tr("selecting"), [=, this](const Task& task, const auto& job) {
        static_cast<void>(held);
        const auto result = std::make_shared<const KeepSet>(select(*analysis, request, 0, task));
        announce(job, [=, this] { Q_EMIT keepSetReady(result, side); });
    });
}

void Session::drawAttention(const std::shared_ptr<const Analysis>& analysis, const AttentionMapRequest& request)
{
    enqueue(Kind::attention, tr("drawing attention"), [=, this](const Task& task, const auto& job) {
        Task own = task; // the window's progress is that of what it waits for
        own.progress = [this, job](const Progress& progress) {
            announce(job, [this, share = progress.share()] { Q_EMIT attentionProgressed(share); });
        };
        const auto result = std::make_shared<const AttentionMap>(attention_map(*analysis, request, own));
        announce(job, [=, this] { Q_EMIT attentionDrawn(analysis, result); });
    });
}

void Session::findReaders(const std::shared_ptr<const Analysis>& analysis, const Scope& scope, qint64 token)
{
    constexpr std::size_t most = 6;
    enqueue(Kind::readers, tr("looking for who reads a token"), [=, this](const Task& task, const auto& job) {
        const TokenReaders result = token_readers(*analysis, scope, token, most, { task.stop, {} });
        announce(job, [=, this] { Q_EMIT readersFound(analysis, result); });
    });
}

void Session::selectRow(
    const std::shared_ptr<const RowScores>& row, const SelectRequest& request, int side, qint64 ticket)
{
    enqueue(side == 0 ? Kind::rowA : Kind::rowB, tr("finding bridges"), [=, this](const Task& task, const auto& job) {
        const RowSelection result = select_row(*row, request, task.stop);
        announce(job, [=, this] { Q_EMIT rowSelected(result, side, ticket); });
    });
}

void Session::dropRow(int side) { supersede(side == 0 ? Kind::rowA : Kind::rowB); }

void Session::cancel()
{
    const auto shown = shownJob();
    if (!shown)
        return;
    for (const auto& job : jobs_) {
        const bool waitsForIt = laneOf(shown->kind) == Lane::engine
            && (laneOf(job->kind) == Lane::engine || job->kind == Kind::look || job->kind == Kind::count);
        if (job->kind == shown->kind || waitsForIt)
            job->stop.request_stop();
    }
}

void Session::cancel(Kind kind)
{
    for (const auto& job : jobs_) {
        if (job->kind == kind)
            job->stop.request_stop();
    }
}

bool Session::busyWith(Kind kind) const
{
    return std::any_of(jobs_.begin(), jobs_.end(), [kind](const auto& job) { return job->kind == kind; });
}

// ---- on the workers --------------------------------------------------------------------------------------------

/// Made when first needed, so that a file opens without Torch being touched. Only on the engine's thread.
Engine& Session::engine()
{
    if (!engine_)
        engine_ = std::make_unique<Engine>();
    return *engine_;
}

Task Session::taskOf(const std::shared_ptr<Job>& job)
{
    Task task;
    task.stop = job->stop.get_token();
    // The window cannot show more than some thirty states a second; the last of a stage is always shown.
    auto last = std::make_shared<QElapsedTimer>();
    task.progress = [this, job, last](const Progress& progress) {
        const bool ends = progress.total > 0 && progress.done >= progress.total;
        if (last->isValid() && last->elapsed() < 30 && !ends)
            return;
        last->start();
        announce(job, [this, job, progress] {
            if (job == shownJob())
                Q_EMIT progressChanged(progress);
        });
    };
    return task;
}

void Session::execute(const std::shared_ptr<Job>& job, const Work& work)
{
    try {
        if (job->stop.stop_requested())
            throw Cancelled {};
        work(taskOf(job), job);
    } catch (const Cancelled&) {
        // nothing is wrong: finish() says that it stopped
    } catch (const Error& error) {
        fail(job, QString::fromUtf8(error.what()), QString::fromStdString(error.hint()));
    } catch (const std::bad_alloc&) {
        fail(job, tr("There is not enough memory for this."), tr("Take a shorter context or fewer points."));
    } catch (const std::exception& error) {
        fail(job, tr("Something unexpected went wrong while %1: %2").arg(job->what, QString::fromUtf8(error.what())),
            tr("Please report it with what you did."));
    }
    QMetaObject::invokeMethod(
        this, [this, job] { finish(job); }, Qt::QueuedConnection);
}

// ---- announcements: posted from any thread, delivered on ours -----------------------------------------------------

void Session::announce(const std::shared_ptr<Job>& job, std::function<void()> result)
{
    QMetaObject::invokeMethod(
        this,
        [job, result = std::move(result)] {
            if (!job->stop.stop_requested())
                result();
        },
        Qt::QueuedConnection);
}

void Session::fail(const std::shared_ptr<Job>& job, const QString& sentence, const QString& hint)
{
    announce(job, [=, this] { Q_EMIT errorOccurred(sentence, hint, job->kind); });
}

void Session::announceAnalysis(const std::shared_ptr<const Analysis>& analysis, const QString& file)
{
    analysis_ = analysis;
    analysisFile_ = file;
    Q_EMIT analysisReady(analysis);
}

void Session::announceRun(const std::shared_ptr<const Run>& run)
{
    run_ = run;
    runFile_.clear();
    Q_EMIT runChanged(run, true);
}

// ---- the queue -------------------------------------------------------------------------------------------------

void Session::enqueue(Kind kind, const QString& what, Work work)
{
    supersede(kind);
    auto job = std::make_shared<Job>(Job { kind, what, {} });
    jobs_.push_back(job);
    if (kind != Kind::memoryLeft) // it comes every few seconds
        updateBusy();
    QMetaObject::invokeMethod(
        runners_[static_cast<std::size_t>(laneOf(kind))], [this, job, work = std::move(work)] { execute(job, work); },
        Qt::QueuedConnection);
}

/// Only what needs the model waits for the engine.
Session::Lane Session::laneOf(Kind kind)
{
    switch (kind) {
    case Kind::model:
    case Kind::analysis:
    case Kind::sweep:
        return Lane::engine;
    case Kind::save:
        return Lane::saves;
    case Kind::count:
        return Lane::counting;
    case Kind::keepSetA:
    case Kind::keepSetB:
    case Kind::headComparison:
    case Kind::rowA:
    case Kind::rowB:
        return Lane::selecting;
    case Kind::heads:
        return Lane::heads;
    case Kind::importance:
    case Kind::attention:
    case Kind::readers:
        return Lane::drawing;
    default:
        return Lane::files;
    }
}

void Session::supersede(Kind kind)
{
    const bool allCount = kind == Kind::save || kind == Kind::file || kind == Kind::comparison;
    for (const auto& job : jobs_) {
        const bool dependsOnModel = job->kind == Kind::count || job->kind == Kind::analysis || job->kind == Kind::sweep;
        if (job->kind == kind ? !allCount : kind == Kind::model && dependsOnModel)
            job->stop.request_stop();
    }
}

void Session::finish(const std::shared_ptr<Job>& job)
{
    std::erase(jobs_, job);
    const bool newerOfKind = busyWith(job->kind);
    if (job->stop.stop_requested() && !newerOfKind)
        Q_EMIT cancelled(job->what);
    if (job->kind == Kind::sweep && !newerOfKind)
        Q_EMIT sweepEnded();
    if (job->kind == Kind::importance && !newerOfKind)
        Q_EMIT importanceEnded();
    if (job->kind == Kind::attention && !newerOfKind)
        Q_EMIT attentionEnded();
    if (job->kind != Kind::memoryLeft)
        updateBusy();
}

/// Whether the user waits for work of this kind.
bool Session::shows(Kind kind)
{
    switch (kind) {
    case Kind::keepSetA:
    case Kind::keepSetB:
    case Kind::heads:
    case Kind::headComparison:
    case Kind::devices:
    case Kind::memory:
    case Kind::sweepMemory:
    case Kind::memoryLeft:
    case Kind::follow:
    case Kind::list:
    case Kind::attention:
    case Kind::readers:
        return false;
    default:
        return true;
    }
}

/// What the window names as under way: the oldest, but counting, which goes on beside all else, only where it is alone.
std::shared_ptr<Session::Job> Session::shownJob() const
{
    std::shared_ptr<Job> found;
    for (const auto& job : jobs_) {
        if (shows(job->kind) && (!found || (found->kind == Kind::count && job->kind != Kind::count)))
            found = job;
    }
    return found;
}

void Session::updateBusy()
{
    const auto shown = shownJob();
    const QString what = shown ? shown->what : QString();
    if (!what.isEmpty() && what == shown_)
        return; // what goes on beside it must not start its progress anew
    shown_ = what;
    Q_EMIT busyChanged(shown != nullptr, what);
}

} // namespace keepset::ui
