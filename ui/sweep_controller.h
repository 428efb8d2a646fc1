#pragma once

#include "core/command.h"
#include "core/preflight.h"
#include "core/run.h"
#include "ui/run_follower.h"
#include "ui/run_summary.h"
#include "ui/sweep_estimate.h"

#include <QElapsedTimer>
#include <QObject>
#include <QProcess>
#include <QStringList>
#include <QTimer>

#include <functional>
#include <memory>
#include <optional>

class QWidget;

namespace keepset::ui {

class SelectionState;
class Session;
class SweepForm;
class SweepPage;

/// The life of sweeps: each has a file of its own, none is overwritten, and whatever is shown can go on. It owns what
/// the Sweep page asks for: start, pause, stop, go on, the list of runs, runs that other processes write, and what a
/// sweep would take.
class SweepController : public QObject {
    Q_OBJECT

public:
    /// `offset`: tokens of the text that the user skips.
    SweepController(Session* session, SweepPage* page, SelectionState* selection, std::function<std::int64_t()> offset,
        QWidget* window);
    ~SweepController() override;

    void setModel(const ModelInfo& model, const OpenOptions& options);
    /// `path`: its file; empty: it has none (pasted, dropped).
    void setText(const Text& text, const QString& path, const QString& sha256);
    /// Of the text by the model's tokenizer; not `all`: there are at least so many.
    void setTokens(qint64 tokens, bool all);
    /// Starts what the form says, in a new file. False: it cannot, and the page says why.
    bool start();
    /// Goes on with the run shown: its own settings, its own file. Asks for its model and text where others are open.
    void goOn();
    /// The command that does what the form says, with a new file.
    QString command() const;
    /// The model and the text that are open, and where they are; nothing else than both may be asked for.
    SweepPlace place() const;
    bool running() const;
    /// Asks the user where a sweep is under way, and stops it where the answer is yes. `by`: "Opening another model".
    /// False: what would end it must not be done.
    bool mayEnd(const QString& by);
    void setGpus(int gpus);
    /// Reads anew what runs there are.
    void list();

Q_SIGNALS:
    void runningChanged();
    /// A run is on the page: the newest window of a sweep, or one that was opened or is followed. `file`: its name;
    /// empty: it was made here.
    void shown(std::shared_ptr<const keepset::Run> run, const QString& file);
    void failed(const QString& sentence, const QString& hint);
    void told(const QString& words);
    void offered(const QString& words); ///< that sweeps of before can go on; empty: none can any more
    void modelWanted(const QString& folder);
    void textWanted(const QString& path);
    void pageWanted();

private:
    struct GoingOn {
        std::shared_ptr<const Run> run;
        QString path;
    };

    void connectPage();
    void connectList();
    void connectSession();
    void propose();
    void estimate();
    SweepRequest complete(SweepRequest request) const;
    void begin(const SweepRequest& request);
    void tryToGoOn();
    bool isOpen(const Run& run) const;
    void wantWhatIsMissing();
    void takeWindow(const std::shared_ptr<const Run>& run, bool finished);
    void measure(const Run& run);
    void show(const std::shared_ptr<const Run>& run, const QString& path, bool alive);
    void takeFollowed(const std::shared_ptr<const Run>& run, const QString& path, bool alive);
    void end();
    void layOver(const std::shared_ptr<const Run>& run, const QString& path);
    void rename(const QString& path, const QString& name);
    void throwRunAway(const QString& path);
    void bringRunBack();
    void copyCommandOf(const QString& path);
    void takeList(const std::vector<RunSummary>& runs);
    void startOnGpus();
    void endOfGpus();

    Session* session_;
    SweepPage* page_;
    SweepForm* form_;
    SelectionState* selection_;
    std::function<std::int64_t()> offset_;
    QWidget* window_;
    RunFollower follower_;
    QProcess gpuGroup_; ///< torchrun
    int gpus_ = 0;

    std::optional<ModelInfo> model_;
    OpenOptions options_;
    std::optional<Text> text_;
    QString textPath_;
    QString textHash_; ///< SHA-256, hexadecimal
    std::optional<qint64> tokens_;
    bool allCounted_ = false;
    SweepCost cost_;
    std::int64_t memoryFor_ = 0; ///< tokens that cost_.memory is of

    SweepRequest sweep_; ///< under way, without its text
    bool underWay_ = false;
    bool stopping_ = false;
    QTimer listing_; ///< the list tells of the sweep under way, too
    QElapsedTimer since_; ///< the first window of the sweep under way
    std::int64_t doneAtFirst_ = -1; ///< windows then; -1: there is none yet
    std::optional<GoingOn> goingOn_; ///< waits for its model and text

    std::shared_ptr<const Run> run_; ///< on the page
    QString path_; ///< its file
    QString goOnOpened_; ///< goes on once it is on the page
    QStringList opened_; ///< files beside those of the folder
    std::vector<RunSummary> runs_;
    bool offered_ = false; ///< unfinished sweeps, once
    QString deleted_;
    QString basket_; ///< where the deleted run lies
};

} // namespace keepset::ui
