#pragma once

#include "core/analysis.h"
#include "core/model_info.h"
#include "core/run.h"

#include <QMainWindow>

#include <memory>
#include <optional>

class QAction;
class QActionGroup;
class QDockWidget;
class QLineEdit;
class QMenu;
class QTabWidget;
class QToolBar;

namespace keepset {
struct ImportedTable;
}

namespace keepset::ui {

class AttentionPage;
class AuditPage;
class DropOverlay;
class ErrorBar;
class Exporter;
class HeadsPage;
class HeatmapPage;
class HelpWindow;
class ImportanceChoice;
class KeepSetState;
class LogPanel;
class NoticeBar;
class RowState;
class SelectionState;
class Session;
class SetupPanel;
class ShownLine;
class ShownState;
class StatusBar;
class SweepController;
class SweepPage;
class TokenInspector;
class TokensPage;

/// What to open at the start; nothing at all: the bundled demo.
struct StartRequest {
    QString model; ///< folder
    QString text; ///< file
    QStringList files; ///< traces, runs, tables
};

/// The window: tool bar, set-up, pages, inspector, status. It composes and passes on; results come from the Session.
class MainWindow : public QMainWindow {
    Q_OBJECT

public:
    explicit MainWindow(QWidget* parent = nullptr);
    ~MainWindow() override;

    /// Opens what was asked for. Call it once the window is painted: the engine's libraries wake up here.
    void start(const StartRequest& request);
    void openModel(const QString& folder);
    void openText(const QString& path);
    void openDemo();
    /// A model folder, a text, a trace, a run or a table: whatever it is.
    void openAny(const QString& path);
    /// A trace, a run or a table.
    void openFile(const QString& path);
    void analyse();
    void makeScores();
    /// Sweeps what the form of the Sweep page says. False: it cannot, and the page says why.
    bool startSweep();
    void showPage(int index);
    /// The three cards of the first start, unless they were dismissed.
    void startTour();

    Session* session() const { return session_; }
    Exporter* exporter() const { return exporter_; }
    SelectionState* selection() const { return selection_; }
    QTabWidget* tabs() const { return tabs_; }
    ErrorBar* errorBar() const { return errorBar_; }

Q_SIGNALS:
    /// Nothing is under way and nothing waits for something else.
    void idle();

protected:
    void closeEvent(QCloseEvent* event) override;
    void dragEnterEvent(QDragEnterEvent* event) override;
    void dragLeaveEvent(QDragLeaveEvent* event) override;
    void dropEvent(QDropEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;

private:
    void buildPages();
    void connectPages();
    void connectExports();
    void connectSweeps();
    void buildDocks();
    void fitPanels();
    void buildCentre();
    void buildStatusBar();
    void buildLog();
    void buildActions();
    void buildToolBar();
    void buildShownBar();
    void buildMenus();
    void buildFileMenu();
    void buildViewMenu();
    template <typename Slot> void add(QMenu* menu, QAction* action, Slot slot);
    QAction* makeAction(const char* name, const QString& text, const QString& tip, const QKeySequence& shortcut);
    void fillModelMenu();
    void fillTextMenu(QMenu* menu);
    void fillRecentFiles(QMenu* menu);
    void fillExportMenu(QMenu* menu);
    void fillAppearanceMenu(QMenu* menu);
    void fillDeviceMenu(const QStringList& names, const QStringList& titles);
    void connectSession();
    void openLast();
    void openLastModel();
    void readSettings();
    void writeSettings() const;
    void chooseModel();
    void chooseText();
    void chooseFile();
    void pasteText();
    void saveAs(bool run);
    /// `hash`: SHA-256; empty: made here, of a text that did not come from a file.
    void useText(const Text& text, const QString& path = {}, const QString& hash = {});
    void openFoundModel(const QString& folder);
    void showModel(const ModelInfo& model);
    void countTokens();
    void showTokens(qint64 tokens, bool all);
    void showAnalysis(const std::shared_ptr<const Analysis>& analysis);
    void showRun(const std::shared_ptr<const Run>& run, const QString& file);
    void showTable(const AuditReport& report, const QString& file, const std::shared_ptr<const ImportedTable>& table);
    /// Says in the status bar, and keeps in the log, what was done.
    void report(const QString& words);
    /// Into the log alone: it stands elsewhere, too.
    void warn(const QString& words);
    void warnOf(const AuditReport& audit);
    void showBusy(bool busy, const QString& what);
    void showHover(qint64 token);
    /// Says of what the page shown is, over it and to what it exports.
    void tellShown();
    void findNext(bool again);
    void showHelp();
    void showAbout();
    void updateActions();

    Session* session_;
    SelectionState* selection_;
    ImportanceChoice* importance_;
    RowState* rows_;
    KeepSetState* keepSets_;
    ShownState* shown_;
    SweepController* sweeps_ = nullptr;
    QDockWidget* setupDock_ = nullptr;
    QDockWidget* tokenDock_ = nullptr;
    QDockWidget* logDock_ = nullptr;
    LogPanel* log_ = nullptr;
    DropOverlay* dropOverlay_ = nullptr;
    SetupPanel* setup_ = nullptr;
    TokenInspector* inspector_ = nullptr;
    TokensPage* tokensPage_ = nullptr;
    HeatmapPage* heatmapPage_ = nullptr;
    HeadsPage* headsPage_ = nullptr;
    AttentionPage* attentionPage_ = nullptr;
    SweepPage* sweepPage_ = nullptr;
    AuditPage* auditPage_ = nullptr;
    QTabWidget* tabs_ = nullptr;
    ErrorBar* errorBar_ = nullptr;
    NoticeBar* noticeBar_ = nullptr;
    Exporter* exporter_ = nullptr;
    ShownLine* shownLine_ = nullptr;
    HelpWindow* help_ = nullptr;
    QToolBar* toolBar_ = nullptr;
    QMenu* modelMenu_ = nullptr;
    QMenu* deviceMenu_ = nullptr;
    QMenu* recentFiles_ = nullptr;
    QActionGroup* deviceGroup_ = nullptr;
    QLineEdit* find_ = nullptr;
    StatusBar* status_ = nullptr;
    QAction* analyseAction_ = nullptr;
    QAction* sweepAction_ = nullptr;
    QAction* cancelAction_ = nullptr;
    QAction* saveAnalysisAction_ = nullptr;
    QAction* saveRunAction_ = nullptr;

    static constexpr int narrowWindow = 1200; ///< px: panels have their least width below it
    OpenOptions options_;
    std::optional<ModelInfo> model_;
    std::optional<Text> text_;
    std::optional<qint64> tokens_; ///< in text_ by model_'s tokenizer, as far as they are counted
    bool allCounted_ = false;
    QString textPath_; ///< of the text that is open or being read
    bool analyseWhenReady_ = false;
    bool narrow_ = false; ///< panels have their least width
    bool busy_ = false; ///< something that Cancel stops is under way
};

} // namespace keepset::ui
