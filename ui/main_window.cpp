#include "ui/main_window.h"

#include "core/command.h"
#include "ui/demo.h"
#include "ui/format.h"
#include "ui/importance_choice.h"
#include "ui/keep_set_state.h"
#include "ui/pages/attention_page.h"
#include "ui/pages/audit_page.h"
#include "ui/pages/heads_page.h"
#include "ui/pages/heatmap_page.h"
#include "ui/pages/sweep_page.h"
#include "ui/pages/tokens_page.h"
#include "ui/panels/setup_panel.h"
#include "ui/panels/token_inspector.h"
#include "ui/row_state.h"
#include "ui/selection_state.h"
#include "ui/session.h"
#include "ui/settings.h"
#include "ui/shown_state.h"
#include "ui/sweep_controller.h"
#include "ui/theme.h"
#include "ui/widgets/drop_overlay.h"
#include "ui/widgets/error_bar.h"
#include "ui/widgets/notice_bar.h"
#include "ui/widgets/shown_line.h"
#include "ui/widgets/status_bar.h"

#include <QAction>
#include <QApplication>
#include <QDir>
#include <QDockWidget>
#include <QLineEdit>
#include <QResizeEvent>
#include <QScreen>
#include <QScrollArea>
#include <QSettings>
#include <QTabWidget>
#include <QToolBar>
#include <QToolButton>
#include <QVBoxLayout>

#include <algorithm>
#include <array>

namespace keepset::ui {

namespace {

    constexpr std::array widePanels { 284, 272 };
    constexpr std::array leastPanels { 246, 240 };

    /// A panel that may be higher than the window.
    QScrollArea* scrolled(QWidget* panel)
    {
        auto* area = new QScrollArea;
        area->setProperty("panel", true);
        area->setFrameShape(QFrame::NoFrame);
        area->setWidgetResizable(true);
        area->setFocusPolicy(Qt::NoFocus); // what is in it has
        area->setWidget(panel);
        return area;
    }

} // namespace

MainWindow::MainWindow(QWidget* parent)
    : QMainWindow(parent)
    , session_(new Session(this))
    , selection_(new SelectionState(this))
    , importance_(new ImportanceChoice(selection_, session_, this))
    , rows_(new RowState(selection_, this))
    , keepSets_(new KeepSetState(selection_, rows_, session_, this))
    , shown_(new ShownState(selection_, rows_, this))
{
    setObjectName(QStringLiteral("mainWindow"));
    setWindowTitle(QStringLiteral("Keepset"));
    setAcceptDrops(true);
    setDockOptions(QMainWindow::AnimatedDocks | QMainWindow::AllowNestedDocks);
    resize(QSize(1440, 900).boundedTo(screen()->availableSize() * 9 / 10));
    buildCentre();
    buildDocks();
    buildStatusBar();
    buildLog();
    buildActions();
    connectSession();
    connectPages();
    // A file is the window's, wherever it falls: charts would refuse it, fields would take its name for text.
    for (QWidget* widget : findChildren<QWidget*>())
        widget->setAcceptDrops(false);
    dropOverlay_ = new DropOverlay(this);
    centralWidget()->setFocus(); // no control has a ring before somebody presses Tab
    readSettings();
    updateActions();
}

MainWindow::~MainWindow() = default;

void MainWindow::buildCentre()
{
    auto* centre = new QWidget(this);
    centre->setObjectName(QStringLiteral("centre"));
    auto* layout = new QVBoxLayout(centre);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    errorBar_ = new ErrorBar(centre);
    noticeBar_ = new NoticeBar(centre);
    tabs_ = new QTabWidget(centre);
    tabs_->setObjectName(QStringLiteral("pages"));
    tabs_->setDocumentMode(true);
    buildPages();
    layout->addWidget(errorBar_);
    layout->addWidget(noticeBar_);
    layout->addWidget(tabs_, 1);
    setCentralWidget(centre);
}

void MainWindow::buildDocks()
{
    const auto dock = [this](const QString& title, const char* name, QWidget* panel, Qt::DockWidgetArea area) {
        auto* widget = new QDockWidget(title, this);
        widget->setObjectName(QLatin1String(name));
        widget->setFeatures(QDockWidget::DockWidgetClosable);
        widget->setTitleBarWidget(new QWidget(widget)); // the panels have captions of their own
        widget->setWidget(scrolled(panel));
        addDockWidget(area, widget);
        return widget;
    };
    setup_ = new SetupPanel(selection_, importance_, this);
    setup_->setContext(1024);
    inspector_ = new TokenInspector(selection_, rows_, keepSets_, session_, this);
    setupDock_ = dock(tr("Setup"), "setupDock", setup_, Qt::LeftDockWidgetArea);
    tokenDock_ = dock(tr("Token"), "tokenDock", inspector_, Qt::RightDockWidgetArea);
    setupDock_->widget()->setMinimumWidth(leastPanels[0]);
    tokenDock_->widget()->setMinimumWidth(leastPanels[1]);
    fitPanels();
}

/// They give way first: in a narrow window they have their least width, until somebody draws them wider.
void MainWindow::fitPanels()
{
    const auto& widths = narrow_ ? leastPanels : widePanels;
    resizeDocks({ setupDock_, tokenDock_ }, { widths[0], widths[1] }, Qt::Horizontal);
}

void MainWindow::resizeEvent(QResizeEvent* event)
{
    QMainWindow::resizeEvent(event);
    const bool narrow = event->size().width() < narrowWindow;
    if (narrow == narrow_)
        return;
    narrow_ = narrow;
    QMetaObject::invokeMethod(this, &MainWindow::fitPanels, Qt::QueuedConnection); // behind the layout under way
}

void MainWindow::connectSession()
{
    connect(session_, &Session::modelFound, this, &MainWindow::openFoundModel);
    connect(session_, &Session::modelOpened, this, &MainWindow::showModel);
    connect(session_, &Session::memoryEstimated, setup_, &SetupPanel::setMemory);
    connect(setup_, &SetupPanel::contextChanged, this, [this](qint64 context) {
        if (model_)
            session_->estimateMemory(*model_, options_, context);
    });
    connect(session_, &Session::textOpened, this, [this](const Text& text, const QString& path, const QString& hash) {
        useText(text, path, hash);
        addRecent(QStringLiteral("texts"), textPath_);
        QSettings().setValue(QStringLiteral("lastText"), textPath_);
    });
    connect(session_, &Session::tokensCounted, this, &MainWindow::showTokens);
    connect(session_, &Session::textNoted, setup_, &SetupPanel::setTextNotes);
    connect(session_, &Session::analysisReady, this, &MainWindow::showAnalysis);
    connect(session_, &Session::traceOpened, this, [this] {
        if (tabs_->currentWidget() == sweepPage_ || tabs_->currentWidget() == auditPage_)
            tabs_->setCurrentWidget(tokensPage_);
    });
    connect(session_, &Session::tableAudited, this, &MainWindow::showTable);
    connect(session_, &Session::progressChanged, status_, &StatusBar::setProgress);
    connect(session_, &Session::busyChanged, this, &MainWindow::showBusy);
    connect(session_, &Session::devicesListed, this, &MainWindow::fillDeviceMenu);
    connect(session_, &Session::errorOccurred, errorBar_, &ErrorBar::show);
    connect(rows_, &RowState::selectionWanted, this, [this](int side, qint64 ticket) {
        session_->selectRow(std::make_shared<const RowScores>(*rows_->row()), selection_->request(side), side, ticket);
    });
    connect(session_, &Session::busyChanged, rows_, [this](bool busy) {
        if (!busy)
            rows_->endWaiting();
    });
    connect(rows_, &RowState::selectionDropped, session_, &Session::dropRow);
    connect(session_, &Session::rowSelected, rows_, &RowState::setSelection);
    connect(rows_, &RowState::errorOccurred, errorBar_, &ErrorBar::show);
    connect(importance_, &ImportanceChoice::replaced, errorBar_, &ErrorBar::show);
    connect(rows_, &RowState::scoresWanted, this, &MainWindow::makeScores);
    connect(session_, &Session::saved, this, [this](const QString& path) { report(tr("saved %1").arg(path)); });
    connect(session_, &Session::cancelled, this, [this](const QString& what) { report(tr("stopped %1").arg(what)); });
}

// ---- results ---------------------------------------------------------------------------------------------------

void MainWindow::showModel(const ModelInfo& model)
{
    model_ = model;
    if (const auto demo = demoFolder();
        demo && QDir(*demo + QStringLiteral("/model")) == QDir(QString::fromStdString(model.path)))
        model_->name = tr("demo model").toStdString();
    tokens_.reset();
    shown_->openModel(*model_);
    addRecent(QStringLiteral("models"), QString::fromStdString(model.path));
    setup_->setModel(model_);
    const bool onCpu = model.device == "cpu";
    status_->setDevice(onCpu ? QString::fromStdString(model.device_name)
                             : tr("%1 · %2").arg(QString::fromStdString(model.device).toUpper(),
                                 QString::fromStdString(model.device_name)));
    if (auto* button = findChild<QToolButton*>(QStringLiteral("deviceButton")))
        button->setText(QString::fromStdString(model.device).toUpper() + QStringLiteral(" ▾"));
    report(tr("opened %1").arg(QString::fromStdString(model_->name)));
    for (const std::string& note : model_->notes)
        warn(QString::fromStdString(note));
    session_->lookAtMemory(model_);
    if (!onCpu) // what can share a sweep
        session_->listDevices();
    countTokens();
    sweeps_->setModel(*model_, options_);
    QSettings().setValue(QStringLiteral("lastModel"), QString::fromStdString(model.path));
    updateActions();
}

void MainWindow::useText(const Text& text, const QString& path, const QString& hash)
{
    text_ = text;
    tokens_.reset();
    shown_->openText(hash.isEmpty() ? Session::hashOf(text) : hash);
    analyseWhenReady_ = true;
    setup_->setText(QString::fromStdString(text.name), std::nullopt);
    countTokens();
    sweeps_->setText(text, path, shown_->textHash());
    updateActions();
}

/// As far as an analysis needs at once; all of a long text behind that.
void MainWindow::countTokens()
{
    const std::int64_t enough = 1 + setup_->offset() + setup_->context();
    allCounted_ = false;
    if (model_ && text_)
        session_->countTokens(QString::fromStdString(model_->path), *text_, enough);
}

void MainWindow::showTokens(qint64 tokens, bool all)
{
    tokens_ = tokens;
    allCounted_ = all;
    if (all)
        setup_->setText(QString::fromStdString(text_->name), tokens);
    if (all && setup_->offset() >= tokens)
        setup_->setOffset(0); // a passage of another text
    sweeps_->setTokens(tokens, all);
    if (analyseWhenReady_ && !sweeps_->running()) // behind a sweep it would wait for hours
        analyse();
}

void MainWindow::analyse()
{
    if (!model_ || !text_) {
        errorBar_->show(tr("There is nothing to analyse yet."), tr("Open a model folder and a text first."));
        return;
    }
    analyseWhenReady_ = false;
    errorBar_->hide();
    AnalysisRequest request;
    request.text = *text_;
    request.offset = setup_->offset();
    request.context = setup_->context();
    // A shorter text is taken whole.
    if (tokens_ && allCounted_ && request.context > *tokens_ - request.offset)
        request.context = 0;
    request.keep_attention = true;
    request.importance = importance_->chosen();
    for (int side = 0; side < 2; ++side) { // for the scores of their own
        if (selection_->hasPolicy(side))
            request.policies.push_back(selection_->policy(side));
    }
    const SweepPlace place = sweeps_->place();
    request.command = "keepset-cli analyze " + quoted_for_shell(place.model) + " --text " + quoted_for_shell(place.text)
        + " --context " + std::to_string(request.context)
        + (request.offset > 0 ? " --offset " + std::to_string(request.offset) : "")
        + (request.importance != Importance() ? " --importance " + name_of(request.importance) : "")
        + " --out trace.h5";
    session_->analyse(request);
}

void MainWindow::showAnalysis(const std::shared_ptr<const Analysis>& analysis)
{
    const auto& before = rows_->analysis();
    if (before && before->provenance.text_sha256 != analysis->provenance.text_sha256)
        selection_->setToken(-1); // a position of another text means nothing here
    setup_->setAnalysis(*analysis);
    importance_->setAnalysis(analysis, [&] {
        heatmapPage_->setAnalysis(analysis);
        attentionPage_->setAnalysis(analysis);
        headsPage_->setAnalysis(analysis);
        rows_->setAnalysis(analysis); // whose keep sets the pages mark
    });
    shown_->takeAnalysis(session_->analysisFile());
    setup_->setAudit(analysis->audit);
    auditPage_->setReport(AuditPage::Of::analysis, analysis->audit, shown_->analysis());
    QString names = tr("%1 · %2").arg(shown_->analysis().text, shown_->analysis().model);
    names.replace(QStringLiteral("[*]"), QStringLiteral("[*][*]")); // one alone stands for "modified" in a title
    setWindowTitle(tr("%1 – Keepset").arg(names));
    report(session_->analysisFile().isEmpty()
            ? tr("analysed %1 tokens in %2").arg(formatCount(analysis->context), formatDuration(analysis->seconds))
            : tr("opened %1").arg(session_->analysisFile()));
    warnOf(analysis->audit);
    updateActions();
}

void MainWindow::showPage(int index) { tabs_->setCurrentIndex(index); }

} // namespace keepset::ui

#include "moc_main_window.cpp"
