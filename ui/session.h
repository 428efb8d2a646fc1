#pragma once

#include "core/attention_map.h"
#include "core/model_info.h"
#include "core/preflight.h"
#include "core/run.h"

#include <QObject>
#include <QString>
#include <QThread>

#include <filesystem>
#include <functional>
#include <memory>
#include <vector>

namespace keepset {
class Engine;
struct AttentionMap;
struct AttentionMapRequest;
}

namespace keepset::ui {

/// The engine's Qt face. One worker thread owns the Engine; requests go in by value, finished snapshots come out as
/// signals on the thread of the Session. A newer request of a kind supersedes the older: nothing of the older is
/// announced any more. Errors are one signal; a cancelled request is not an error.
class Session : public QObject {
    Q_OBJECT

public:
    explicit Session(QObject* parent = nullptr);
    ~Session() override;

    /// Opens a model folder; supersedes everything under way. Before a weight is read it announces what the model needs
    /// for `context` tokens.
    void openModel(const QString& folder, const OpenOptions& options, std::int64_t context = 0);
    /// Announces what the open model needs for another context.
    void estimateMemory(const ModelInfo& model, const OpenOptions& options, std::int64_t context);
    /// Reads a text file.
    void openText(const QString& path);
    /// Tokenises a text with the open model and announces how many tokens it has.
    void countTokens(const Text& text);
    void analyse(const AnalysisRequest& request);
    void sweep(const SweepRequest& request);
    /// Opens a trace or run (.h5), or audits a table (.csv).
    void openFile(const QString& path);
    /// Reads a run to be laid over another; the newest run stays what it is.
    void openForComparison(const QString& path);
    /// Writes the newest analysis, with the keep sets given, or run; an existing file is replaced.
    void saveAnalysis(const QString& path, const std::vector<SelectRequest>& keepSets = {});
    void saveRun(const QString& path);
    /// Labels of every layer and kv head under policy A (0) or B (1), for small maps. On a thread of its own, so that
    /// it answers while a sweep runs.
    void selectAll(const std::shared_ptr<const Analysis>& analysis, const SelectRequest& request, int side);
    /// P of one head over a part of an analysis. On a thread of its own too, so that zooming never waits; cancel()
    /// leaves it alone.
    void drawAttention(const std::shared_ptr<const Analysis>& analysis, const AttentionMapRequest& request);
    /// One policy on one row, on the thread of selectAll: for policies that take long, until dropRow.
    void selectRow(const std::shared_ptr<const RowScores>& row, const SelectRequest& request, int side, qint64 ticket);
    void dropRow(int side);
    /// Looks for devices; loads the CUDA module, so not before the first picture.
    void listDevices();
    /// Stops everything under way, the queue included.
    void cancel();

    bool busy() const { return !jobs_.empty(); }
    std::shared_ptr<const Analysis> analysis() const { return analysis_; }
    /// Name of the file that the newest analysis or run was read from; empty: it was made here.
    QString analysisFile() const { return analysisFile_; }
    QString runFile() const { return runFile_; }
    std::shared_ptr<const Run> run() const { return run_; }

Q_SIGNALS:
    void modelOpened(const keepset::ModelInfo& model);
    void memoryEstimated(const keepset::MemoryNeed& need);
    void textOpened(const keepset::Text& text);
    void tokensCounted(qint64 tokens);
    void textNoted(const QStringList& notes); ///< about the text just counted: sentences, often none
    void analysisReady(std::shared_ptr<const keepset::Analysis> analysis);
    void runChanged(std::shared_ptr<const keepset::Run> run, bool finished);
    void comparisonReady(std::shared_ptr<const keepset::Run> run, const QString& name);
    void auditReady(const keepset::AuditReport& report, const QString& title); ///< of a result; it has it, too
    void tableAudited(const keepset::AuditReport& report, const QString& file);
    void keepSetReady(std::shared_ptr<const keepset::KeepSet> keepSet, int side);
    void attentionDrawn(
        std::shared_ptr<const keepset::Analysis> analysis, std::shared_ptr<const keepset::AttentionMap> map);
    void attentionProgressed(double share); ///< of the rows of the map under way
    void attentionEnded(); ///< drawn or failed, and no newer one is under way
    void rowSelected(const keepset::RowSelection& selection, int side, qint64 ticket);
    void devicesListed(const QStringList& names, const QStringList& titles);
    void saved(const QString& path);
    void progressChanged(const keepset::Progress& progress);
    void busyChanged(bool busy, const QString& what);
    void errorOccurred(const QString& sentence, const QString& hint);
    void cancelled(const QString& what);
    void sweepEnded(); ///< finished, stopped or failed

private:
    enum class Kind {
        model,
        memory,
        text,
        count,
        analysis,
        sweep,
        file,
        save,
        devices,
        keepSetA,
        keepSetB,
        rowA,
        rowB,
        attention
    };
    struct Job;
    using Work = std::function<void(const Task&, const std::shared_ptr<Job>&)>;

    void enqueue(Kind kind, const QString& what, Work work);
    void supersede(Kind kind);
    void execute(const std::shared_ptr<Job>& job, const Work& work);
    QObject* runnerOf(Kind kind) const;
    Engine& engine();
    Task taskOf(const std::shared_ptr<Job>& job);
    void openTable(const std::filesystem::path& file, const std::shared_ptr<Job>& job);
    void openResult(const std::filesystem::path& file, const std::shared_ptr<Job>& job);
    void announce(const std::shared_ptr<Job>& job, std::function<void()> result);
    void announceAnalysis(const std::shared_ptr<const Analysis>& analysis, const QString& file = {});
    void announceRun(const std::shared_ptr<const Run>& run, const QString& file = {});
    void finish(const std::shared_ptr<Job>& job);
    void fail(const std::shared_ptr<Job>& job, const QString& sentence, const QString& hint);
    void updateBusy();

    QThread thread_; ///< owns the engine
    QThread selectThread_; ///< keep sets for small maps; knows no engine
    QThread drawThread_; ///< attention maps; knows no engine
    QObject* worker_ = nullptr; ///< lives on thread_
    QObject* selector_ = nullptr; ///< lives on selectThread_
    QObject* drawer_ = nullptr; ///< lives on drawThread_
    std::unique_ptr<Engine> engine_; ///< made, used and destroyed on thread_ only
    std::vector<std::shared_ptr<Job>> jobs_; ///< queued and running, in order
    QString shown_; ///< what busyChanged said last
    std::shared_ptr<const Analysis> analysis_;
    QString analysisFile_;
    QString runFile_;
    std::shared_ptr<const Run> run_;
};

} // namespace keepset::ui
