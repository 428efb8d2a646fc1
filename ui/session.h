#pragma once

#include "core/attention_map.h"
#include "core/head_summary.h"
#include "core/model_info.h"
#include "core/preflight.h"
#include "core/run.h"
#include "core/token_readers.h"
#include "ui/run_summary.h"

#include <QObject>
#include <QString>
#include <QThread>

#include <array>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

namespace keepset {
class Engine;
struct AttentionMap;
struct AttentionMapRequest;
}

namespace keepset {
struct ImportedTable;
}

namespace keepset::ui {

/// Two keep sets head by head.
struct HeadComparison {
    std::array<std::shared_ptr<const KeepSet>, 2> keepSets; ///< what is compared
    std::array<std::vector<double>, 2> kept; ///< (layers, heads): share of attention mass; empty: no keep set
    std::vector<double> alike; ///< (layers, kv_heads): Jaccard; empty where a keep set is missing
};

/// The engine's Qt face. One worker thread owns the Engine; what needs no engine (files, saves, counting, small maps)
/// has threads of its own and never waits behind a sweep. Requests go in by value, finished snapshots come out as
/// signals on the thread of the Session. A newer request of a kind supersedes the older: nothing of the older is
/// announced any more. Errors are one signal that says of what kind the failed request was; a cancelled request is not
/// an error.
class Session : public QObject {
    Q_OBJECT

public:
    enum class Kind {
        look,
        model,
        memory,
        sweepMemory,
        memoryLeft,
        text,
        count,
        analysis,
        sweep,
        file,
        comparison,
        follow,
        list,
        save,
        devices,
        keepSetA,
        keepSetB,
        heads,
        headComparison,
        rowA,
        rowB,
        importance,
        attention,
        readers
    };
    Q_ENUM(Kind)

    explicit Session(QObject* parent = nullptr);
    /// Stops what is under way, but lets every save that was asked for come to its end.
    ~Session() override;

    /// Looks whether a folder holds a model, by its headers alone; nothing else is touched by that.
    void lookAtModel(const QString& folder);
    /// Opens a model folder; supersedes what works with the model before. Before a weight is read it announces what the
    /// model needs for `context` tokens.
    void openModel(const QString& folder, const OpenOptions& options, std::int64_t context = 0);
    /// Announces what the open model needs for another context.
    void estimateMemory(const ModelInfo& model, const OpenOptions& options, std::int64_t context);
    /// The same of a sweep's windows, announced apart.
    void estimateSweepMemory(const ModelInfo& model, const OpenOptions& options, std::int64_t context);
    /// Looks how much memory is free where the model is, or, without one, for the CPU. Nobody is told that it is busy.
    void lookAtMemory(const std::optional<ModelInfo>& model);
    /// SHA-256 of a text, hexadecimal, as results have it.
    static QString hashOf(const Text& text);
    /// Reads a text file.
    void openText(const QString& path);
    /// Tokenises a text by a model's tokenizer and announces how many tokens it has; of a long text first, after
    /// `enough`, that there are at least so many.
    void countTokens(const QString& model, const Text& text, std::int64_t enough = 1024);
    void analyse(const AnalysisRequest& request);
    void sweep(const SweepRequest& request);
    /// Stops the sweep behind the window under way, so that nothing that was begun is lost.
    void pauseSweep();
    /// Opens a trace or run (.h5), or audits a table (.csv).
    void openFile(const QString& path);
    /// Reads a run to be laid over another; the newest run stays what it is.
    void openForComparison(const QString& path);
    /// Reads a run that may be written by another process just now.
    void followRun(const QString& path);
    /// Reads what runs there are: all of a folder, and the files named.
    void listRuns(const QString& folder, const QStringList& files);
    /// Writes the newest analysis, with the keep sets given, or run; an existing file is replaced.
    void saveAnalysis(const QString& path, const std::vector<SelectRequest>& keepSets = {});
    /// The run given, or the newest.
    void saveRun(const QString& path, std::shared_ptr<const Run> run = {});
    /// Labels of every layer and kv head under policy A (0) or B (1), for small maps.
    void selectAll(const std::shared_ptr<const Analysis>& analysis, const SelectRequest& request, int side);
    /// What tells the heads of an analysis apart; its bins are of `importance`. On a thread of its own; announces what
    /// is there some times a second, and at last all of it.
    void summariseHeads(const std::shared_ptr<const Analysis>& analysis, const Importance& importance);
    /// Makes the importance of a mode that an analysis does not hold yet, on the thread of drawAttention.
    void makeImportance(const std::shared_ptr<const Analysis>& analysis, const Importance& importance);
    /// What the keep sets of the two sides leave every head, and how alike they are in it; null: there is none.
    void compareHeads(
        const std::shared_ptr<const Analysis>& analysis, const std::array<std::shared_ptr<const KeepSet>, 2>& keepSets);
    /// P of one head over a part of an analysis; cancel() leaves it alone.
    void drawAttention(const std::shared_ptr<const Analysis>& analysis, const AttentionMapRequest& request);
    /// The queries that attend to a token the most, on the thread of drawAttention.
    void findReaders(const std::shared_ptr<const Analysis>& analysis, const Scope& scope, qint64 token);
    /// One policy on one row, on the thread of selectAll: for policies that take long, until dropRow.
    void selectRow(const std::shared_ptr<const RowScores>& row, const SelectRequest& request, int side, qint64 ticket);
    void dropRow(int side);
    /// Looks for devices; loads the CUDA module, so not before the first picture.
    void listDevices();
    /// Stops what busyChanged names and, where that is the engine's work, all that waits for the engine. Saves and what
    /// goes on beside it stay.
    void cancel();
    /// Stops what is under way of one kind.
    void cancel(Kind kind);

    bool busy() const { return !jobs_.empty(); }
    /// Something of this kind is queued or under way.
    bool busyWith(Kind kind) const;
    std::shared_ptr<const Analysis> analysis() const { return analysis_; }
    /// Name of the file that the newest analysis or run was read from; empty: it was made here.
    QString analysisFile() const { return analysisFile_; }
    QString runFile() const { return runFile_; }
    std::shared_ptr<const Run> run() const { return run_; }

Q_SIGNALS:
    void modelFound(const QString& folder);
    void modelOpened(const keepset::ModelInfo& model);
    void memoryEstimated(const keepset::MemoryNeed& need);
    void sweepMemoryEstimated(const keepset::MemoryNeed& need);
    /// In bytes; -1: it cannot be told. `device`: "cpu", "cuda:0".
    void memorySeen(const QString& device, qint64 free, qint64 total);
    void textOpened(const keepset::Text& text, const QString& path, const QString& hash); ///< SHA-256
    void tokensCounted(qint64 tokens, bool all); ///< not all: there are at least so many, and counting goes on
    void textNoted(const QStringList& notes); ///< about the text just counted: sentences, often none
    void analysisReady(std::shared_ptr<const keepset::Analysis> analysis);
    void runChanged(std::shared_ptr<const keepset::Run> run, bool finished); ///< of the sweep under way
    void runOpened(std::shared_ptr<const keepset::Run> run, const QString& path);
    void traceOpened(const QString& path); ///< behind its analysisReady
    void comparisonReady(std::shared_ptr<const keepset::Run> run, const QString& path);
    /// `alive`: a process writes the file.
    void runFollowed(std::shared_ptr<const keepset::Run> run, const QString& path, bool alive);
    void runsListed(const std::vector<keepset::ui::RunSummary>& runs);
    void tableAudited(const keepset::AuditReport& report, const QString& file,
        const std::shared_ptr<const keepset::ImportedTable>& table);
    void keepSetReady(std::shared_ptr<const keepset::KeepSet> keepSet, int side);
    /// Of all layers, or, while the rest is on its way, of the first ones.
    void headsSummarised(
        std::shared_ptr<const keepset::Analysis> analysis, std::shared_ptr<const keepset::HeadSummaries> heads);
    void headsCompared(
        std::shared_ptr<const keepset::Analysis> analysis, const keepset::ui::HeadComparison& comparison);
    void importanceMade(std::shared_ptr<const keepset::Analysis> analysis, const keepset::Importance& importance);
    void importanceEnded(); ///< made, failed or stopped, and no newer one is under way
    void attentionDrawn(
        std::shared_ptr<const keepset::Analysis> analysis, std::shared_ptr<const keepset::AttentionMap> map);
    void attentionProgressed(double share); ///< of the rows of the map under way
    void attentionEnded(); ///< drawn or failed, and no newer one is under way
    void readersFound(std::shared_ptr<const keepset::Analysis> analysis, const keepset::TokenReaders& readers);
    void rowSelected(const keepset::RowSelection& selection, int side, qint64 ticket);
    void devicesListed(const QStringList& names, const QStringList& titles);
    void saved(const QString& path);
    void progressChanged(const keepset::Progress& progress);
    void busyChanged(bool busy, const QString& what);
    void errorOccurred(const QString& sentence, const QString& hint, keepset::ui::Session::Kind kind);
    void cancelled(const QString& what);
    void sweepEnded(); ///< finished, stopped or failed

private:
    enum class Lane { engine, files, saves, counting, selecting, heads, drawing };
    static constexpr std::size_t lanes = 7;
    struct Job;
    struct ListedRun {
        QString state; ///< of the file when it was read
        RunSummary run;
    };
    using Work = std::function<void(const Task&, const std::shared_ptr<Job>&)>;

    static Lane laneOf(Kind kind);
    static bool shows(Kind kind);
    void enqueue(Kind kind, const QString& what, Work work);
    void supersede(Kind kind);
    void execute(const std::shared_ptr<Job>& job, const Work& work);
    std::shared_ptr<Job> shownJob() const;
    Engine& engine();
    Task taskOf(const std::shared_ptr<Job>& job);
    void openTable(const std::filesystem::path& file, const std::shared_ptr<Job>& job);
    void openResult(const std::filesystem::path& file, const std::shared_ptr<Job>& job);
    RunSummary summaryOf(const std::filesystem::path& file);
    void announce(const std::shared_ptr<Job>& job, std::function<void()> result);
    void announceAnalysis(const std::shared_ptr<const Analysis>& analysis, const QString& file = {});
    void announceRun(const std::shared_ptr<const Run>& run);
    void finish(const std::shared_ptr<Job>& job);
    void fail(const std::shared_ptr<Job>& job, const QString& sentence, const QString& hint);
    void updateBusy();

    std::array<QThread, lanes> threads_; ///< the first owns the engine
    std::array<QObject*, lanes> runners_ {}; ///< each lives on its thread
    std::unique_ptr<Engine> engine_; ///< made, used and destroyed on the first thread only
    std::vector<std::shared_ptr<Job>> jobs_; ///< queued and running, in order
    std::map<std::filesystem::path, ListedRun> listed_; ///< what listRuns read; on the thread of files only
    QString modelFolder_; ///< of the open model
    QString shown_; ///< what busyChanged said last
    std::shared_ptr<const Analysis> analysis_;
    QString analysisFile_;
    QString runFile_;
    std::shared_ptr<const Run> run_;
};

} // namespace keepset::ui
