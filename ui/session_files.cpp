#include "core/engine.h"
#include "core/files.h"
#include "core/keep_summary.h"
#include "ui/session.h"
#include "ui/session_job.h"

#include <QCryptographicHash>
#include <QDir>

/// Session's requests that need files and no engine: they never wait behind a sweep.
namespace keepset::ui {

namespace {

    /// A result must not replace what the open model is read from.
    void refuseFileOfModel(const QString& path, const QString& model)
    {
        check_files({ { "the file", path.toStdString() } }, {}, model.toStdString());
    }

    QString openingOf(const std::filesystem::path& file)
    {
        return Session::tr("opening %1").arg(QString::fromStdString(file.filename().string()));
    }

    /// What changes when a file does.
    QString stateOf(const std::filesystem::path& file)
    {
        const QFileInfo info(QString::fromStdString(file.string()));
        return QStringLiteral("%1 %2").arg(info.size()).arg(info.lastModified().toMSecsSinceEpoch());
    }

} // namespace

void Session::estimateMemory(const ModelInfo& model, const OpenOptions& options, std::int64_t context)
{
    enqueue(Kind::memory, tr("estimating memory"), [=, this](const Task&, const auto& job) {
        MemoryNeed need = memory_need(model, options, context);
        need.loaded = true;
        announce(job, [this, need] { Q_EMIT memoryEstimated(need); });
    });
}

void Session::estimateSweepMemory(const ModelInfo& model, const OpenOptions& options, std::int64_t context)
{
    enqueue(Kind::sweepMemory, tr("estimating memory"), [=, this](const Task&, const auto& job) {
        MemoryNeed need = memory_need(model, options, context);
        need.loaded = true;
        announce(job, [this, need] { Q_EMIT sweepMemoryEstimated(need); });
    });
}

void Session::lookAtMemory(const std::optional<ModelInfo>& model)
{
    enqueue(Kind::memoryLeft, tr("looking at the memory"), [=, this](const Task&, const auto& job) {
        OpenOptions options;
        options.device = model ? model->device : "cpu";
        const MemoryNeed need = memory_need(model.value_or(ModelInfo {}), options, 1);
        announce(job, [=, this] { Q_EMIT memorySeen(QString::fromStdString(need.device), need.free, need.total); });
    });
}

QString Session::hashOf(const Text& text)
{
    const QByteArrayView bytes(text.bytes.data(), static_cast<qsizetype>(text.bytes.size()));
    return QString::fromLatin1(QCryptographicHash::hash(bytes, QCryptographicHash::Sha256).toHex());
}

void Session::openText(const QString& path)
{
    enqueue(Kind::text, tr("reading the text"), [=, this](const Task& task, const auto& job) {
        const Text text = read_text(path.toStdString(), task.stop);
        const QString hash = hashOf(text);
        announce(job, [=, this] { Q_EMIT textOpened(text, path, hash); });
    });
}

void Session::countTokens(const QString& model, const Text& text, std::int64_t enough)
{
    enqueue(Kind::count, tr("counting tokens"), [=, this](const Task& task, const auto& job) {
        constexpr std::size_t quick = std::size_t { 1 } << 20U; // bytes counted in no time
        const std::filesystem::path folder(model.toStdString());
        const auto tell = [&](const TokenCount& count) {
            QStringList notes;
            for (const std::string& note : count.notes)
                notes << QString::fromStdString(note);
            announce(job, [this, count, notes] {
                Q_EMIT tokensCounted(count.tokens, count.all);
                Q_EMIT textNoted(notes);
            });
            return count.all;
        };
        if (text.bytes.size() > quick && tell(count_tokens(folder, text, static_cast<std::size_t>(enough), task)))
            return;
        tell(count_tokens(folder, text, std::numeric_limits<std::size_t>::max(), task));
    });
}

void Session::openFile(const QString& path)
{
    const std::filesystem::path file(path.toStdString());
    enqueue(Kind::file, openingOf(file), [=, this](const Task&, const auto& job) {
        // What it is says its first bytes; only an empty or damaged file is known by its name.
        const std::string ending = file.extension().string();
        refuse_keep_file(file);
        if (is_hdf5(file) || ending == ".h5" || ending == ".hdf5")
            openResult(file, job);
        else
            openTable(file, job);
    });
}

void Session::openForComparison(const QString& path)
{
    const std::filesystem::path file(path.toStdString());
    enqueue(Kind::comparison, openingOf(file), [=, this](const Task&, const auto& job) {
        const auto result = load_run(file);
        announce(job, [=, this] { Q_EMIT comparisonReady(result, path); });
    });
}

void Session::followRun(const QString& path)
{
    enqueue(Kind::follow, tr("following a run"), [=, this](const Task&, const auto& job) {
        const bool alive = is_being_written(path.toStdString()); // first: what is read behind it is the last then
        const auto result = load_run(path.toStdString());
        announce(job, [=, this] {
            run_ = result;
            runFile_ = QFileInfo(path).fileName();
            Q_EMIT runFollowed(result, path, alive);
        });
    });
}

void Session::listRuns(const QString& folder, const QStringList& files)
{
    enqueue(Kind::list, tr("looking for runs"), [=, this](const Task& task, const auto& job) {
        QStringList paths;
        for (const QFileInfo& file : QDir(folder).entryInfoList({ QStringLiteral("*.h5") }, QDir::Files))
            paths << file.absoluteFilePath();
        for (const QString& file : files) {
            const QFileInfo info(file);
            if (info.exists() && !paths.contains(info.absoluteFilePath()))
                paths << info.absoluteFilePath();
        }
        std::vector<RunSummary> runs;
        for (const QString& path : paths) {
            if (task.stop.stop_requested())
                return;
            RunSummary run = summaryOf(path.toStdString());
            if (!run.path.isEmpty())
                runs.push_back(std::move(run));
        }
        announce(job, [this, runs = std::move(runs)] { Q_EMIT runsListed(runs); });
    });
}

void Session::saveAnalysis(const QString& path, const std::vector<SelectRequest>& keepSets)
{
    if (!analysis_) {
        Q_EMIT errorOccurred(tr("There is no analysis to save yet."), tr("Press Analyse first."), Kind::save);
        return;
    }
    std::vector<std::shared_ptr<const std::vector<float>>> held; // what they rank by, until it is written
    held.reserve(keepSets.size());
    for (const SelectRequest& request : keepSets)
        held.push_back(find_importance(*analysis_, request.importance));
    enqueue(Kind::save, tr("saving"),
        [=, this, source = analysis_, model = modelFolder_](const Task& task, const auto& job) {
            Analysis copy = *source;
            static_cast<void>(held);
            std::vector<KeepSet> sets = select(*source, keepSets, 0, task);
            add_keep_sets(copy, std::move(sets));
            refuseFileOfModel(path, model);
            save(copy, path.toStdString(), true, task);
            announce(job, [this, path] { Q_EMIT saved(path); });
        });
}

void Session::saveRun(const QString& path, std::shared_ptr<const Run> run)
{
    if (!run)
        run = run_;
    if (!run) {
        Q_EMIT errorOccurred(tr("There is no sweep to save yet."), tr("Press Sweep first."), Kind::save);
        return;
    }
    enqueue(Kind::save, tr("saving"), [=, this, model = modelFolder_](const Task& task, const auto& job) {
        refuseFileOfModel(path, model);
        Run copy = *run;
        know_weights(copy.provenance, task);
        save(copy, path.toStdString(), true);
        announce(job, [this, path] { Q_EMIT saved(path); });
    });
}

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

// ---- on the thread of files ------------------------------------------------------------------------------------

void Session::openTable(const std::filesystem::path& file, const std::shared_ptr<Job>& job)
{
    const auto table = std::make_shared<const ImportedTable>(import_table(file));
    const AuditReport report = audit(*table);
    const QString title = QString::fromStdString(file.filename().string());
    announce(job, [=, this] { Q_EMIT tableAudited(report, title, table); });
}

void Session::openResult(const std::filesystem::path& file, const std::shared_ptr<Job>& job)
{
    const QString path = QString::fromStdString(file.string());
    const QString name = QString::fromStdString(file.filename().string());
    if (summary(file).kind == "run") {
        const auto result = load_run(file);
        announce(job, [=, this] {
            run_ = result;
            runFile_ = name;
            Q_EMIT runOpened(result, path);
        });
    } else {
        const auto result = load_analysis(file);
        announce(job, [=, this] {
            announceAnalysis(result, name);
            Q_EMIT traceOpened(path);
        });
    }
}

/// Read again only where the file has changed. Without a path where it is no run.
RunSummary Session::summaryOf(const std::filesystem::path& file)
{
    const bool alive = is_being_written(file);
    const QString state = stateOf(file);
    const auto known = listed_.find(file);
    if (known != listed_.end() && known->second.state == state) {
        known->second.run.alive = alive;
        return known->second.run;
    }
    RunSummary run;
    try {
        if (summary(file).kind == "run")
            run = summarise(*load_run(file), file);
    } catch (const Error& error) {
        run.path = QString::fromStdString(file.string());
        run.name = QString::fromStdString(file.stem().string());
        run.problem = QString::fromStdString(error.sentence());
    }
    run.alive = alive;
    listed_[file] = { state, run };
    return run;
}

} // namespace keepset::ui
