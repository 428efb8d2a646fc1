#include "ui/session.h"

#include "core/engine.h"
#include "core/files.h"
#include "moc_session.cpp"

#include <QElapsedTimer>
#include <QMetaObject>

#include <algorithm>

namespace keepset::ui {

namespace {

    /// A result must not replace what the open model is read from.
    void refuseFileOfModel(const QString& path, const std::optional<ModelInfo>& model)
    {
        check_files({ { "the file", path.toStdString() } }, {}, model ? model->path : std::string());
    }

} // namespace

struct Session::Job {
    Kind kind;
    QString what; ///< phrase in the gerund
    std::stop_source stop;
};

Session::Session(QObject* parent)
    : QObject(parent)
    , worker_(new QObject)
    , selector_(new QObject)
    , drawer_(new QObject)
{
    const auto start = [this](QThread& thread, QObject* runner, const char* name, QThread::Priority priority) {
        runner->moveToThread(&thread);
        connect(&thread, &QThread::finished, runner, &QObject::deleteLater);
        thread.setObjectName(QLatin1String(name));
        thread.start(priority);
    };
    start(thread_, worker_, "engine", QThread::InheritPriority);
    start(selectThread_, selector_, "select", QThread::LowPriority);
    start(drawThread_, drawer_, "draw", QThread::LowPriority);
}

Session::~Session()
{
    for (const auto& job : jobs_)
        job->stop.request_stop();
    QMetaObject::invokeMethod(
        worker_, [this] { engine_.reset(); }, Qt::QueuedConnection);
    for (QThread* thread : { &thread_, &selectThread_, &drawThread_ })
        thread->quit();
    for (QThread* thread : { &thread_, &selectThread_, &drawThread_ })
        thread->wait();
}

// ---- requests --------------------------------------------------------------------------------------------------

void Session::openModel(const QString& folder, const OpenOptions& options, std::int64_t context)
{
    const std::filesystem::path path(folder.toStdString());
    enqueue(Kind::model, tr("opening the model"), [=, this](const Task& task, const auto& job) {
        const MemoryNeed need = memory_need(path, options, context);
        announce(job, [this, need] { Q_EMIT memoryEstimated(need); });
        const ModelInfo info = engine().open_model(path, options, task);
        announce(job, [this, info] { Q_EMIT modelOpened(info); });
    });
}

void Session::estimateMemory(const ModelInfo& model, const OpenOptions& options, std::int64_t context)
{
    enqueue(Kind::memory, tr("estimating memory"), [=, this](const Task&, const auto& job) {
        MemoryNeed need = memory_need(model, options, context);
        need.loaded = true;
        announce(job, [this, need] { Q_EMIT memoryEstimated(need); });
    });
}

void Session::openText(const QString& path)
{
    enqueue(Kind::text, tr("reading the text"), [=, this](const Task&, const auto& job) {
        const Text text = read_text(path.toStdString());
        announce(job, [this, text] { Q_EMIT textOpened(text); });
    });
}

void Session::countTokens(const Text& text)
{
    enqueue(Kind::count, tr("counting tokens"), [=, this](const Task& task, const auto& job) {
        const auto tokens = static_cast<qint64>(engine().tokenize(text, task).size());
        QStringList notes;
        for (const std::string& note : engine().text_notes(text))
            notes << QString::fromStdString(note);
        announce(job, [this, tokens, notes] {
            Q_EMIT tokensCounted(tokens);
            Q_EMIT textNoted(notes);
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
            announce(job, [this, run] {
                run_ = run;
                runFile_.clear();
                Q_EMIT runChanged(run, false);
            });
        };
        const auto result = engine().sweep(request, task, onWindow);
        announce(job, [this, result] { announceRun(result); });
    });
}

void Session::openFile(const QString& path)
{
    const std::filesystem::path file(path.toStdString());
    enqueue(Kind::file, tr("opening %1").arg(QString::fromStdString(file.filename().string())),
        [=, this](const Task&, const auto& job) {
            // What it is says its first bytes; only an empty or damaged file is known by its name.
            const std::string ending = file.extension().string();
            if (is_hdf5(file) || ending == ".h5" || ending == ".hdf5")
                openResult(file, job);
            else
                openTable(file, job);
        });
}

void Session::openForComparison(const QString& path)
{
    const std::filesystem::path file(path.toStdString());
    enqueue(Kind::file, tr("opening %1").arg(QString::fromStdString(file.filename().string())),
        [=, this](const Task&, const auto& job) {
            const auto result = load_run(file);
            const QString name = QString::fromStdString(file.stem().string());
            announce(job, [=, this] { Q_EMIT comparisonReady(result, name); });
        });
}

void Session::saveAnalysis(const QString& path, const std::vector<SelectRequest>& keepSets)
{
    if (!analysis_) {
        Q_EMIT errorOccurred(tr("There is no analysis to save yet."), tr("Press Analyse first."));
        return;
    }
    enqueue(Kind::save, tr("saving"), [=, this, source = analysis_](const Task& task, const auto& job) {
        Analysis copy = *source;
        std::vector<KeepSet> sets = select(*source, keepSets, 0, task);
        add_keep_sets(copy, std::move(sets));
        refuseFileOfModel(path, engine_ ? engine_->model() : std::nullopt);
        save(copy, path.toStdString(), true, task);
        announce(job, [this, path] { Q_EMIT saved(path); });
    });
}

void Session::saveRun(const QString& path)
{
    if (!run_) {
        Q_EMIT errorOccurred(tr("There is no sweep to save yet."), tr("Press Sweep first."));
        return;
    }
    enqueue(Kind::save, tr("saving"), [=, this, source = run_](const Task& task, const auto& job) {
        refuseFileOfModel(path, engine_ ? engine_->model() : std::nullopt);
        Run run = *source;
        know_weights(run.provenance, task);
        save(run, path.toStdString(), true);
        announce(job, [this, path] { Q_EMIT saved(path); });
    });
}

void Session::selectAll(const std::shared_ptr<const Analysis>& analysis, const SelectRequest& request, int side)
{
    enqueue(side == 0 ? Kind::keepSetA : Kind::keepSetB, tr("selecting"), [=, this](const Task& task, const auto& job) {
        const auto result = std::make_shared<const KeepSet>(select(*analysis, request, 0, task));
        announce(job, [=, this] { Q_EMIT keepSetReady(result, side); });
    });
}

void Session::drawAttention(const std::shared_ptr<const Analysis>& analysis, const AttentionMapRequest& request)
{
    enqueue(Kind::attention, tr("drawing attention"), [=, this](const Task& task, const auto& job) {
        Task own = task; // the window's progress is that of what it waits for
        own.progress = [this, job](const Progress& progress) {
            const double share = static_cast<double>(progress.done) / static_cast<double>(progress.total);
            announce(job, [this, share] { Q_EMIT attentionProgressed(share); });
        };
        const auto result = std::make_shared<const AttentionMap>(attention_map(*analysis, request, own));
        announce(job, [=, this] { Q_EMIT attentionDrawn(analysis, result); });
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

void Session::listDevices()
{
    enqueue(Kind::devices, tr("looking for devices"), [=, this](const Task&, const auto& job) {
        QStringList names;
        QStringList titles;
        for (const auto& [name, title] : devices()) {
            names << QString::fromStdString(name);
            titles << QString::fromStdString(title);
        }
        announce(job, [=, this] { Q_EMIT devicesListed(names, titles); });
    });
}

void Session::cancel()
{
    for (const auto& job : jobs_) {
        if (job->kind != Kind::attention)
            job->stop.request_stop();
    }
}

// ---- on the worker ---------------------------------------------------------------------------------------------

void Session::openTable(const std::filesystem::path& file, const std::shared_ptr<Job>& job)
{
    const AuditReport report = audit(import_table(file));
    const QString title = QString::fromStdString(file.filename().string());
    announce(job, [=, this] { Q_EMIT tableAudited(report, title); });
}

void Session::openResult(const std::filesystem::path& file, const std::shared_ptr<Job>& job)
{
    const QString name = QString::fromStdString(file.filename().string());
    if (summary(file).kind == "run") {
        const auto result = load_run(file);
        announce(job, [=, this] { announceRun(result, name); });
    } else {
        const auto result = load_analysis(file);
        announce(job, [=, this] { announceAnalysis(result, name); });
    }
}

/// Made when first needed, so that a file opens without Torch being touched. Only on thread_.
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
        announce(job, [this, progress] { Q_EMIT progressChanged(progress); });
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
    announce(job, [=, this] { Q_EMIT errorOccurred(sentence, hint); });
}

void Session::announceAnalysis(const std::shared_ptr<const Analysis>& analysis, const QString& file)
{
    analysis_ = analysis;
    analysisFile_ = file;
    Q_EMIT analysisReady(analysis);
    Q_EMIT auditReady(analysis->audit, QString::fromStdString(analysis->provenance.text_name));
}

void Session::announceRun(const std::shared_ptr<const Run>& run, const QString& file)
{
    run_ = run;
    runFile_ = file;
    Q_EMIT runChanged(run, true);
    Q_EMIT auditReady(run->audit, tr("sweep of %1").arg(QString::fromStdString(run->provenance.text_name)));
}

// ---- the queue -------------------------------------------------------------------------------------------------

void Session::enqueue(Kind kind, const QString& what, Work work)
{
    supersede(kind);
    auto job = std::make_shared<Job>(Job { kind, what, {} });
    jobs_.push_back(job);
    updateBusy();
    QMetaObject::invokeMethod(
        runnerOf(kind), [this, job, work = std::move(work)] { execute(job, work); }, Qt::QueuedConnection);
}

/// What waits for no model has threads of its own, so that it answers while a sweep runs.
QObject* Session::runnerOf(Kind kind) const
{
    if (kind == Kind::attention)
        return drawer_;
    const bool selects = kind == Kind::keepSetA || kind == Kind::keepSetB || kind == Kind::text || kind == Kind::rowA
        || kind == Kind::rowB;
    return selects ? selector_ : worker_;
}

void Session::supersede(Kind kind)
{
    for (const auto& job : jobs_) {
        const bool dependsOnModel = job->kind == Kind::count || job->kind == Kind::analysis || job->kind == Kind::sweep;
        if (job->kind == kind ? kind != Kind::save && kind != Kind::file : kind == Kind::model && dependsOnModel)
            job->stop.request_stop();
    }
}

void Session::finish(const std::shared_ptr<Job>& job)
{
    std::erase(jobs_, job);
    const bool newerOfKind
        = std::any_of(jobs_.begin(), jobs_.end(), [&](const auto& other) { return other->kind == job->kind; });
    if (job->stop.stop_requested() && !newerOfKind)
        Q_EMIT cancelled(job->what);
    if (job->kind == Kind::sweep && !newerOfKind)
        Q_EMIT sweepEnded();
    if (job->kind == Kind::attention && !newerOfKind)
        Q_EMIT attentionEnded();
    updateBusy();
}

void Session::updateBusy()
{
    const auto shown = std::find_if(jobs_.begin(), jobs_.end(), [](const auto& job) {
        return job->kind != Kind::keepSetA && job->kind != Kind::keepSetB && job->kind != Kind::devices
            && job->kind != Kind::memory && job->kind != Kind::attention;
    });
    const QString what = shown != jobs_.end() ? (*shown)->what : QString();
    if (!what.isEmpty() && what == shown_)
        return; // what goes on beside it must not start its progress anew
    shown_ = what;
    Q_EMIT busyChanged(shown != jobs_.end(), what);
}

} // namespace keepset::ui
