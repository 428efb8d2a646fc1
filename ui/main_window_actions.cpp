#include "core/engine.h"
#include "ui/demo.h"
#include "ui/exporter.h"
#include "ui/main_window.h"
#include "ui/panels/setup_panel.h"
#include "ui/plain_text.h"
#include "ui/selection_state.h"
#include "ui/session.h"
#include "ui/settings.h"
#include "ui/style.h"
#include "ui/sweep_controller.h"
#include "ui/theme.h"
#include "ui/widgets/help_window.h"
#include "ui/widgets/shown_line.h"

#include <QAction>
#include <QActionGroup>
#include <QApplication>
#include <QDir>
#include <QDockWidget>
#include <QLineEdit>
#include <QMenu>
#include <QMenuBar>
#include <QSettings>
#include <QTabWidget>
#include <QToolBar>
#include <QToolButton>

namespace keepset::ui {

namespace {

    QToolButton* addMenuButton(QToolBar* bar, const char* name, const QString& text, QMenu* menu)
    {
        auto* button = new QToolButton(bar);
        button->setObjectName(QLatin1String(name));
        button->setText(text + QStringLiteral(" ▾"));
        button->setMenu(menu);
        button->setPopupMode(QToolButton::InstantPopup);
        button->setFocusPolicy(Qt::StrongFocus);
        button->setAccessibleName(text);
        bar->addWidget(button);
        return button;
    }

    /// A folder or file as people know it. The last part says little of a snapshot of the cache (…/models--owner--name/
    /// snapshots/hash) and of a folder that is just called "model".
    QString titleOf(const QString& path)
    {
        if (const auto demo = demoFolder(); demo && QDir(*demo + QStringLiteral("/model")) == QDir(path))
            return MainWindow::tr("demo model");
        const QStringList parts = QDir::cleanPath(path).split(QLatin1Char('/'));
        const QString snapshotOf = parts.value(parts.size() - 3);
        if (snapshotOf.startsWith(QStringLiteral("models--")))
            return snapshotOf.mid(8).replace(QStringLiteral("--"), QStringLiteral("/"));
        return parts.last() == QStringLiteral("model") && parts.size() > 1 ? parts.mid(parts.size() - 2).join(u'/')
                                                                           : parts.last();
    }

    /// A heading and below it an entry a path; nothing where there is none.
    void addPaths(QMenu* menu, const QString& heading, const QStringList& paths, auto open)
    {
        if (paths.isEmpty())
            return;
        if (!heading.isEmpty()) {
            menu->addSeparator();
            menu->addAction(heading)->setEnabled(false); // a section's own heading is not drawn under a style sheet
        }
        for (const QString& path : paths) {
            QString literal = titleOf(path);
            literal.replace(QLatin1Char('&'), QStringLiteral("&&")); // one alone marks a key
            menu->addAction(literal, menu, [open, path] { open(path); })->setToolTip(literalToolTip(path));
        }
        menu->setToolTipsVisible(true);
    }

    QToolButton* addActionButton(QToolBar* bar, QAction* action, bool primary)
    {
        bar->addAction(action);
        auto* button = qobject_cast<QToolButton*>(bar->widgetForAction(action));
        button->setProperty("primary", primary);
        button->setFocusPolicy(Qt::StrongFocus);
        button->setObjectName(action->objectName() + QStringLiteral("Button"));
        return button;
    }

} // namespace

QAction* MainWindow::makeAction(const char* name, const QString& text, const QString& tip, const QKeySequence& shortcut)
{
    auto* action = new QAction(text, this);
    action->setObjectName(QLatin1String(name));
    action->setShortcut(shortcut);
    const QString keys = shortcut.toString(QKeySequence::NativeText);
    action->setToolTip(keys.isEmpty() ? tip : QStringLiteral("%1 (%2)").arg(tip, keys));
    action->setStatusTip({});
    addAction(action);
    return action;
}

void MainWindow::buildActions()
{
    analyseAction_ = makeAction("analyse", tr("Analyse"), tr("Computes the importance of every token"), Qt::Key_F5);
    sweepAction_ = makeAction("sweep", tr("Sweep"), tr("Measures perplexity over sparsity"), Qt::Key_F6);
    connect(sweepAction_, &QAction::triggered, this, [this] { startSweep(); });
    cancelAction_
        = makeAction("cancel", tr("Cancel"), tr("Stops what is under way"), QKeySequence(Qt::CTRL | Qt::Key_Period));
    saveAnalysisAction_ = makeAction("saveAnalysis", tr("Analysis as HDF5 …"),
        tr("Saves importance and keep sets as a trace file"), QKeySequence::Save);
    saveRunAction_ = makeAction("saveRun", tr("Sweep as HDF5 …"), tr("Saves the sweep as a run file"),
        QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_S));
    connect(analyseAction_, &QAction::triggered, this, &MainWindow::analyse);
    connect(cancelAction_, &QAction::triggered, session_, [this] { session_->cancel(); });
    connect(saveAnalysisAction_, &QAction::triggered, this, [this] { saveAs(false); });
    connect(saveRunAction_, &QAction::triggered, this, [this] { saveAs(true); });
    modelMenu_ = new QMenu(tr("&Models"), this);
    connect(modelMenu_, &QMenu::aboutToShow, this, &MainWindow::fillModelMenu);
    deviceMenu_ = new QMenu(tr("&Device"), this);
    deviceGroup_ = new QActionGroup(this);
    fillDeviceMenu({}, {});
    connect(deviceMenu_, &QMenu::aboutToShow, this, [this] {
        if (deviceGroup_->actions().size() <= 1)
            session_->listDevices();
    });
    buildMenus();
    buildToolBar();
    buildShownBar();
}

void MainWindow::buildToolBar()
{
    toolBar_ = addToolBar(tr("Tools"));
    nameForStyle(toolBar_, QStringLiteral("mainToolBar"));
    toolBar_->setMovable(false);
    toolBar_->toggleViewAction()->setEnabled(false); // the way back would be hidden with it
    addMenuButton(toolBar_, "openModelButton", tr("Open model"), modelMenu_);
    auto* textMenu = new QMenu(this);
    connect(textMenu, &QMenu::aboutToShow, this, [this, textMenu] { fillTextMenu(textMenu); });
    addMenuButton(toolBar_, "openTextButton", tr("Open text"), textMenu);
    addActionButton(toolBar_, analyseAction_, true);
    addActionButton(toolBar_, sweepAction_, false);
    addActionButton(toolBar_, cancelAction_, false);
    auto* exportMenu = new QMenu(this);
    fillExportMenu(exportMenu);
    addMenuButton(toolBar_, "exportButton", tr("Export"), exportMenu);
    addMenuButton(toolBar_, "deviceButton", tr("Device"), deviceMenu_);
    auto* space = new QWidget(toolBar_);
    space->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Preferred);
    toolBar_->addWidget(space);
    find_ = new QLineEdit(toolBar_);
    find_->setObjectName(QStringLiteral("findToken"));
    find_->setPlaceholderText(tr("Find token … Ctrl+F"));
    find_->setAccessibleName(tr("Find token"));
    find_->setClearButtonEnabled(true);
    find_->setMinimumWidth(110);
    find_->setMaximumWidth(220);
    toolBar_->addWidget(find_);
    connect(find_, &QLineEdit::textEdited, this, [this] { findNext(false); });
    connect(find_, &QLineEdit::returnPressed, this, [this] { findNext(true); });
}

void MainWindow::buildShownBar()
{
    addToolBarBreak();
    QToolBar* bar = addToolBar(tr("What is shown"));
    nameForStyle(bar, QStringLiteral("shownToolBar"));
    bar->setMovable(false);
    bar->toggleViewAction()->setEnabled(false);
    shownLine_ = new ShownLine(bar);
    shownLine_->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Preferred);
    bar->addWidget(shownLine_);
}

void MainWindow::fillTextMenu(QMenu* menu)
{
    menu->clear();
    for (const char* name : { "openText", "pasteText", "openDemo" })
        menu->addAction(findChild<QAction*>(QLatin1String(name)));
    addPaths(menu, tr("Recent"), recent(QStringLiteral("texts")), [this](const QString& path) { openText(path); });
}

void MainWindow::fillRecentFiles(QMenu* menu)
{
    menu->clear();
    addPaths(menu, {}, recent(QStringLiteral("files")), [this](const QString& path) { openFile(path); });
    if (menu->isEmpty())
        menu->addAction(tr("none yet"))->setEnabled(false);
}

void MainWindow::fillExportMenu(QMenu* menu)
{
    menu->addAction(saveAnalysisAction_);
    menu->addAction(saveRunAction_);
    menu->addSeparator();
    exporter_->fillMenu(menu);
    menu->addSeparator();
    exporter_->fillCopyMenu(menu->addMenu(tr("&Copy picture")));
}

template <typename Slot> void MainWindow::add(QMenu* menu, QAction* action, Slot slot)
{
    connect(action, &QAction::triggered, this, slot);
    menu->addAction(action);
}

void MainWindow::buildFileMenu()
{
    auto* file = menuBar()->addMenu(tr("&File"));
    add(file,
        makeAction("openModel", tr("Open model &folder …"), tr("Opens a model folder (Hugging Face layout)"),
            QKeySequence::Open),
        &MainWindow::chooseModel);
    file->addMenu(modelMenu_);
    add(file,
        makeAction("openText", tr("Open &text …"), tr("Opens a UTF-8 text file"), QKeySequence(Qt::CTRL | Qt::Key_T)),
        &MainWindow::chooseText);
    add(file,
        makeAction("pasteText", tr("&Paste text"), tr("Takes the text of the clipboard"),
            QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_V)),
        &MainWindow::pasteText);
    add(file, makeAction("openDemo", tr("&Demo model and text"), tr("Opens what came with Keepset"), {}),
        &MainWindow::openDemo);
    file->addSeparator();
    add(file,
        makeAction("openFile", tr("Open trace, run or table …"), tr("Opens .h5 and .csv files, without a model"),
            QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_O)),
        &MainWindow::chooseFile);
    recentFiles_ = file->addMenu(tr("&Recent files"));
    connect(recentFiles_, &QMenu::aboutToShow, this, [this] { fillRecentFiles(recentFiles_); });
    fillExportMenu(file->addMenu(tr("&Export")));
    file->addSeparator();
    add(file, makeAction("quit", tr("&Quit"), tr("Closes Keepset"), QKeySequence::Quit), &QWidget::close);
}

void MainWindow::buildMenus()
{
    buildFileMenu();
    auto* run = menuBar()->addMenu(tr("&Run"));
    run->addActions({ analyseAction_, sweepAction_, cancelAction_ });
    run->addSeparator();
    run->addMenu(deviceMenu_);
    buildViewMenu();
    auto* help = menuBar()->addMenu(tr("&Help"));
    add(help, makeAction("manual", tr("&Manual"), tr("Opens the manual"), QKeySequence::HelpContents),
        &MainWindow::showHelp);
    add(help, makeAction("tour", tr("Show the &tour"), tr("Shows the three cards of the first start again"), {}),
        [this] {
            QSettings().remove(QStringLiteral("tourDone"));
            startTour();
        });
    add(help, makeAction("about", tr("&About Keepset"), tr("Version and licence"), {}), &MainWindow::showAbout);
}

void MainWindow::buildViewMenu()
{
    auto* view = menuBar()->addMenu(tr("&View"));
    add(view, makeAction("find", tr("&Find token"), tr("Finds a token by its text"), QKeySequence::Find), [this] {
        find_->setFocus();
        find_->selectAll();
    });
    add(view, makeAction("findNext", tr("Find &next"), tr("Goes to the next match"), QKeySequence::FindNext),
        [this] { findNext(true); });
    add(view,
        makeAction("nextPage", tr("Next &page"), tr("Shows the next page"), QKeySequence(Qt::CTRL | Qt::Key_PageDown)),
        [this] { showPage((tabs_->currentIndex() + 1) % tabs_->count()); });
    add(view,
        makeAction(
            "previousPage", tr("Pre&vious page"), tr("Shows the page before"), QKeySequence(Qt::CTRL | Qt::Key_PageUp)),
        [this] { showPage((tabs_->currentIndex() + tabs_->count() - 1) % tabs_->count()); });
    for (int page = 0; page < tabs_->count(); ++page) {
        const QByteArray name = QByteArrayLiteral("page") + QByteArray::number(page + 1);
        add(view,
            makeAction(name.constData(), tabs_->tabText(page), tr("Shows the page %1").arg(tabs_->tabText(page)),
                QKeySequence(QKeyCombination(Qt::CTRL, static_cast<Qt::Key>(Qt::Key_1 + page)))),
            [this, page] { showPage(page); });
    }
    view->addSeparator();
    const auto addPanel = [&](QDockWidget* dock, const char* name, const QString& tip, const QKeySequence& shortcut) {
        QAction* action = dock->toggleViewAction();
        action->setObjectName(QLatin1String(name));
        action->setShortcut(shortcut);
        action->setToolTip(tip);
        view->addAction(action);
    };
    addPanel(setupDock_, "showSetup", tr("Shows or hides the Setup panel"), Qt::Key_F9);
    addPanel(tokenDock_, "showToken", tr("Shows or hides the Token panel"), Qt::Key_F10);
    addPanel(logDock_, "showLog", tr("Shows or hides the log: what was done when, warnings and errors"), Qt::Key_F11);
    view->addSeparator();
    fillAppearanceMenu(view->addMenu(tr("&Appearance")));
}

void MainWindow::fillAppearanceMenu(QMenu* menu)
{
    auto* group = new QActionGroup(this);
    const auto add = [&](const char* name, const QString& text, Appearance appearance) {
        auto* action = new QAction(text, group);
        action->setObjectName(QLatin1String(name));
        action->setCheckable(true);
        const int value = static_cast<int>(appearance);
        action->setChecked(QSettings().value(QStringLiteral("appearance"), 0).toInt() == value);
        menu->addAction(action);
        connect(action, &QAction::triggered, this, [appearance, value] {
            QSettings().setValue(QStringLiteral("appearance"), value);
            setAppearance(*qApp, appearance);
        });
    };
    add("appearanceAutomatic", tr("As the &desktop"), Appearance::automatic);
    add("appearanceLight", tr("&Light"), Appearance::light);
    add("appearanceDark", tr("D&ark"), Appearance::dark);
}

void MainWindow::fillDeviceMenu(const QStringList& names, const QStringList& titles)
{
    for (QAction* action : deviceGroup_->actions())
        delete action;
    const auto add = [this](const QString& name, const QString& text) {
        auto* action = new QAction(text, deviceGroup_);
        action->setCheckable(true);
        action->setData(name);
        action->setChecked(options_.device == name.toStdString());
        deviceMenu_->addAction(action);
        connect(action, &QAction::triggered, this, [this, name] {
            if (model_ && !sweeps_->mayEnd(tr("Another device"))) {
                for (QAction* other : deviceGroup_->actions())
                    other->setChecked(other->data().toString().toStdString() == options_.device);
                return;
            }
            options_.device = name.toStdString();
            if (model_)
                openModel(QString::fromStdString(model_->path));
        });
    };
    add(QStringLiteral("auto"), tr("Automatic"));
    for (qsizetype i = 0; i < names.size(); ++i)
        add(names[i], QStringLiteral("%1 · %2").arg(names[i], titles[i]));
}

void MainWindow::fillModelMenu()
{
    modelMenu_->clear();
    modelMenu_->addAction(findChild<QAction*>(QStringLiteral("openModel")));
    const auto open = [this](const QString& folder) { openModel(folder); };
    addPaths(modelMenu_, tr("Recent"), recent(QStringLiteral("models")), open);
    QStringList cached;
    for (const auto& folder : cached_models())
        cached << QString::fromStdString(folder.string());
    addPaths(modelMenu_, tr("Hugging Face cache"), cached, open);
}

void MainWindow::showHelp()
{
    if (!help_)
        help_ = new HelpWindow(this);
    help_->open(QStringLiteral("index.md"));
    help_->show();
    help_->raise();
}

void MainWindow::showAbout()
{
    if (!help_)
        help_ = new HelpWindow(this);
    help_->show();
    help_->raise();
    help_->showText(
        tr("# Keepset %1\n\nCommit %2. What KV-cache eviction keeps, why, and at what cost.\n\n"
           "Licence: Apache-2.0. Fonts: Noto Sans and Noto Serif, SIL Open Font License 1.1. Built with Qt %3 and Qt "
           "Charts, which "
           "is under GPL-3.0.")
            .arg(QString::fromStdString(version()), QString::fromStdString(commit()), QLatin1String(qVersion())));
}

void MainWindow::updateActions()
{
    analyseAction_->setEnabled(model_ && text_ && !sweeps_->running());
    sweepAction_->setEnabled(model_ && text_ && !sweeps_->running());
    const auto* cancel = findChild<QToolButton*>(QStringLiteral("cancelButton"));
    if (!busy_ && cancel && cancel->hasFocus())
        tabs_->currentWidget()->setFocus(); // the next button would get it
    cancelAction_->setVisible(busy_);
    cancelAction_->setEnabled(busy_);
    saveAnalysisAction_->setEnabled(session_->analysis() != nullptr);
    saveRunAction_->setEnabled(session_->run() != nullptr);
}

} // namespace keepset::ui
