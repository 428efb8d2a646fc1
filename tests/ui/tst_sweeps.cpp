#include "core/command.h"
#include "core/engine.h"
#include "core/files.h"
#include "tests/support/test_main.h"
#include "tests/ui/sweep_fixture.h"
#include "ui/pages/run_list.h"
#include "ui/pages/sweep_form.h"
#include "ui/pages/sweep_page.h"
#include "ui/panels/setup_panel.h"
#include "ui/sweep_controller.h"
#include "ui/sweep_files.h"
#include "ui/widgets/error_bar.h"

#include <QAction>
#include <QApplication>
#include <QClipboard>
#include <QDir>
#include <QFile>
#include <QLabel>
#include <QPushButton>
#include <QScopeGuard>
#include <QSignalSpy>
#include <QTabWidget>
#include <QTableWidget>
#include <QTemporaryDir>
#include <QTest>
#include <QToolButton>
#include <QTreeWidget>

#include <csignal>

using namespace keepset;
using namespace keepset::ui;
using namespace fixture;

/// Sweeps of the window that cannot be lost: on the real window, with real files and a real keepset-cli beside it.
class TestSweeps : public WindowTest {
    Q_OBJECT

private:
    std::unique_ptr<QTemporaryDir> folder_; ///< of the runs

    QStringList files() const { return QDir(folder_->path()).entryList({ QStringLiteral("*.h5") }, QDir::Files); }
    /// Of a label that may be cut short.
    static QString wordsOf(const QLabel& label) { return label.text() + label.toolTip(); }

    std::shared_ptr<const Run> stored(const QString& name) const
    {
        return load_run(folder_->filePath(name).toStdString());
    }

private Q_SLOTS:
    void init()
    {
        WindowTest::init();
        folder_ = std::make_unique<QTemporaryDir>();
        setRunsFolder(folder_->path());
    }

    void an_error_about_a_text_is_not_the_end_of_the_sweep()
    {
        MainWindow window;
        startSweep(window);
        auto* page = window.findChild<SweepPage*>();
        const auto* state = window.findChild<QLabel*>(QStringLiteral("sweepState"));
        drop(window, demo(QStringLiteral("model/model.safetensors.copy")), QByteArray("\xFF\xFE\x00\x01", 4));
        QTRY_VERIFY_WITH_TIMEOUT(window.errorBar()->isVisible(), patience);
        QVERIFY2(window.errorBar()->text().contains(QStringLiteral("UTF-8")), qPrintable(window.errorBar()->text()));
        QVERIFY2(state->text().startsWith(QStringLiteral("● running")), qPrintable(state->text()));
        QVERIFY(!window.findChild<QPushButton*>(QStringLiteral("sweepStart"))->isVisibleTo(page));
        const auto before = page->run()->windows_done();
        QTRY_VERIFY_WITH_TIMEOUT(page->run()->windows_done() > before, patience);
        stop(window);
    }

    void what_is_saved_during_a_sweep_is_there_at_once()
    {
        MainWindow window;
        startSweep(window);
        QSignalSpy saved(window.session(), &Session::saved);
        const QTemporaryDir elsewhere;
        window.session()->saveAnalysis(elsewhere.filePath(QStringLiteral("trace.h5")));
        window.session()->saveRun(elsewhere.filePath(QStringLiteral("run.h5")));
        QTRY_COMPARE_WITH_TIMEOUT(saved.size(), 2, patience);
        QVERIFY(window.session()->busyWith(Session::Kind::sweep));
        stop(window);
        QVERIFY(load_run(elsewhere.filePath(QStringLiteral("run.h5")).toStdString())->windows_done() > 0);
    }

    void a_folder_ends_a_sweep_only_where_it_holds_a_model_and_the_user_agrees()
    {
        MainWindow window;
        startSweep(window);
        const QTemporaryDir empty;
        int asked = 0;
        const auto answers = answer(asked, QStringLiteral("keepSweeping"));
        drop(window, empty.path());
        QTRY_VERIFY_WITH_TIMEOUT(window.errorBar()->isVisible(), patience);
        QCOMPARE(asked, 0);
        QVERIFY(window.session()->busyWith(Session::Kind::sweep));
        QSignalSpy found(window.session(), &Session::modelFound);
        drop(window, demo(QStringLiteral("model")));
        QTRY_COMPARE_WITH_TIMEOUT(found.size(), 1, patience);
        QTRY_COMPARE_WITH_TIMEOUT(asked, 1, patience);
        QVERIFY(window.session()->busyWith(Session::Kind::sweep));
        QVERIFY(!window.session()->busyWith(Session::Kind::model));
        answers->setProperty("button", QStringLiteral("endSweep"));
        QSignalSpy opened(window.session(), &Session::modelOpened);
        drop(window, demo(QStringLiteral("model")));
        QTRY_COMPARE_WITH_TIMEOUT(asked, 2, patience);
        QTRY_COMPARE_WITH_TIMEOUT(opened.size(), 1, patience);
        QVERIFY(!window.session()->busyWith(Session::Kind::sweep));
        QCOMPARE(files().size(), 1);
        QVERIFY(stored(files()[0])->windows_done() > 0);
    }

    void leaving_during_a_sweep_asks()
    {
        MainWindow window;
        startSweep(window);
        int asked = 0;
        const auto answers = answer(asked, QStringLiteral("keepSweeping"));
        QVERIFY(!window.close());
        QCOMPARE(asked, 1);
        QVERIFY(window.isVisible() && window.session()->busyWith(Session::Kind::sweep));
        answers->setProperty("button", QStringLiteral("endSweep"));
        QVERIFY(window.close());
        QCOMPARE(asked, 2);
    }

    void a_key_pressed_by_mistake_costs_no_window()
    {
        MainWindow window;
        startSweep(window);
        stop(window);
        QCOMPARE(files().size(), 1);
        const QString first = files()[0];
        const std::int64_t done = stored(first)->windows_done();
        QVERIFY(done > 0);
        const auto* table = window.findChild<QTableWidget*>(QStringLiteral("sweepTable"));
        QVERIFY(table->rowCount() > 0);
        window.findChild<QAction*>(QStringLiteral("sweep"))->trigger(); // F6
        QCOMPARE(table->rowCount(), 0); // nothing of the run before stands for the new one
        QTRY_VERIFY_WITH_TIMEOUT(window.session()->busyWith(Session::Kind::sweep), patience);
        window.findChild<QAction*>(QStringLiteral("cancel"))->trigger();
        QTRY_VERIFY_WITH_TIMEOUT(!window.session()->busyWith(Session::Kind::sweep), patience);
        QCOMPARE(stored(first)->windows_done(), done);
        QTRY_VERIFY_WITH_TIMEOUT(lineOf(window, folder_->filePath(first)) != nullptr, patience);
    }

    void two_windows_sweep_at_once()
    {
        MainWindow one;
        MainWindow two;
        startSweep(one);
        startSweep(two);
        QCOMPARE(files().size(), 2);
        stop(one);
        stop(two);
        QVERIFY(!one.errorBar()->isVisible() && !two.errorBar()->isVisible());
        for (const QString& file : files())
            QVERIFY(stored(file)->windows_done() > 0);
    }

    void a_paused_sweep_goes_on_in_its_file()
    {
        MainWindow window;
        startSweep(window);
        click(window, QStringLiteral("sweepPause"));
        QTRY_VERIFY_WITH_TIMEOUT(!window.session()->busyWith(Session::Kind::sweep), patience);
        QCOMPARE(files().size(), 1);
        const std::int64_t done = stored(files()[0])->windows_done();
        auto* page = window.findChild<SweepPage*>();
        click(window, QStringLiteral("sweepGoOn"));
        QTRY_VERIFY_WITH_TIMEOUT(page->run()->windows_done() > done, patience);
        stop(window);
        QCOMPARE(files().size(), 1);
        QVERIFY(stored(files()[0])->windows_done() > done);
        QVERIFY(!window.errorBar()->isVisible());
    }

    void an_unfinished_sweep_is_offered_by_the_next_window()
    {
        {
            MainWindow window;
            startSweep(window);
            stop(window);
        }
        const QString path = folder_->filePath(files()[0]);
        MainWindow window;
        window.show();
        QTRY_VERIFY_WITH_TIMEOUT(lineOf(window, path) != nullptr, patience);
        QVERIFY(window.findChild<QLabel*>(QStringLiteral("runHint"))->text().startsWith(QStringLiteral("1 sweep")));
        const auto* notice = window.findChild<QLabel*>(QStringLiteral("noticeText"));
        QTRY_VERIFY_WITH_TIMEOUT(notice->isVisible(), patience);
        QCOMPARE(notice->text(), QStringLiteral("1 sweep is unfinished and can go on."));
        window.openDemo(); // what a start says has no part in it
        QTRY_VERIFY_WITH_TIMEOUT(window.session()->analysis() != nullptr && !window.session()->busy(), patience);
        QVERIFY(notice->isVisible());
        window.showPage(0);
        click(window, QStringLiteral("noticeAnswer"));
        QCOMPARE(window.tabs()->currentWidget(), window.findChild<SweepPage*>());
        QVERIFY(lineOf(window, path)->treeWidget()->isVisible() && !notice->isVisible());
        // Another text is open: its command says which model and text it is of.
        const std::int64_t done = load_run(path.toStdString())->windows_done();
        choose(window, path);
        window.findChild<QPushButton*>(QStringLiteral("runGoOn"))->click();
        auto* page = window.findChild<SweepPage*>();
        QTRY_VERIFY_WITH_TIMEOUT(page->run() && page->run()->windows_done() > done, patience);
        QCOMPARE(window.tabs()->currentWidget(), page);
        stop(window);
        QCOMPARE(files().size(), 1);
    }

    void a_run_of_the_command_line_is_followed_and_goes_on_with_its_own_settings()
    {
        const QString path = folder_->filePath(QStringLiteral("mine.h5"));
        MainWindow window;
        openDemo(window);
        QProcess process;
        startCli(process, path);
        QTRY_VERIFY_WITH_TIMEOUT(is_being_written(path.toStdString()) && QFile::exists(path), patience);
        window.showPage(0);
        drop(window, path);
        auto* page = window.findChild<SweepPage*>();
        const auto* state = window.findChild<QLabel*>(QStringLiteral("sweepState"));
        QTRY_COMPARE_WITH_TIMEOUT(window.tabs()->currentWidget(), page, patience);
        QTRY_VERIFY_WITH_TIMEOUT(state->text().startsWith(QStringLiteral("● following, window ")), patience);
        QTRY_VERIFY_WITH_TIMEOUT(page->run()->windows_done() >= 2, patience); // it grows before our eyes
        QVERIFY(!window.findChild<QPushButton*>(QStringLiteral("sweepGoOn"))->isVisibleTo(page));
        QCOMPARE(::kill(static_cast<pid_t>(process.processId()), SIGKILL), 0);
        QVERIFY(process.waitForFinished());
        QTRY_VERIFY_WITH_TIMEOUT(state->text().startsWith(QStringLiteral("stopped, ")), patience);
        const std::int64_t done = page->run()->windows_done();

        auto* goOn = window.findChild<QPushButton*>(QStringLiteral("sweepGoOn"));
        QVERIFY(goOn->isVisibleTo(page));
        goOn->click(); // the form and the window's text are others
        QTRY_VERIFY_WITH_TIMEOUT(page->run()->windows_done() > done, patience);
        QCOMPARE(page->run()->context, std::int64_t { 200 });
        stop(window);
        QCOMPARE(files(), QStringList { QStringLiteral("mine.h5") });
        QVERIFY(stored(QStringLiteral("mine.h5"))->windows_done() > done);
        QVERIFY(!window.errorBar()->isVisible());
    }

    void a_kill_while_a_run_is_saved_leaves_the_old_or_the_new_one()
    {
        MainWindow window;
        startSweep(window);
        stop(window);
        const QString source = folder_->filePath(files()[0]);
        const QString target = folder_->filePath(QStringLiteral("saved.h5"));
        QVERIFY(QFile::copy(source, target));
        for (int turn = 0; turn < 12; ++turn) {
            QProcess process; // it saves as the window does
            process.start(
                cli(), { QStringLiteral("merge"), source, QStringLiteral("--out"), target, QStringLiteral("--force") });
            QVERIFY(process.waitForStarted());
            QTest::qWait(10 + 12 * turn);
            if (process.state() != QProcess::NotRunning)
                ::kill(static_cast<pid_t>(process.processId()), SIGKILL);
            QVERIFY(process.waitForFinished());
            QCOMPARE(load_run(target.toStdString())->windows_done(), load_run(source.toStdString())->windows_done());
        }
    }

    void the_command_of_a_saved_run_repeats_it()
    {
        MainWindow window;
        openDemo(window);
        window.showPage(4);
        auto* form = window.findChild<SweepForm*>();
        SweepRequest small = form->request().value();
        small.windows = 2;
        small.policies = parse_policies("dense,h2o(local=0.5)");
        form->setRequest(small);
        click(window, QStringLiteral("sweepCopy"));
        const QString copied = QApplication::clipboard()->text();
        QVERIFY2(copied.startsWith(QStringLiteral("keepset-cli sweep ")), qPrintable(copied));
        QVERIFY(window.startSweep());
        QTRY_VERIFY_WITH_TIMEOUT(!window.session()->busyWith(Session::Kind::sweep), patience);
        QCOMPARE(files().size(), 1);
        const auto run = stored(files()[0]);
        QVERIFY(run->finished());
        auto words = words_of_shell(run->provenance.command).value();
        const QString again = folder_->filePath(QStringLiteral("again.h5"));
        *std::ranges::find(words, folder_->filePath(files()[0]).toStdString()) = again.toStdString();
        QStringList arguments;
        for (auto word = words.begin() + 1; word != words.end(); ++word)
            arguments << QString::fromStdString(*word);
        QProcess process;
        process.start(cli(), arguments);
        QVERIFY(process.waitForFinished(patience));
        QVERIFY2(process.exitCode() <= 1, process.readAllStandardError().constData());
        const auto repeated = load_run(again.toStdString());
        QCOMPARE(repeated->window_nll, run->window_nll);
        QCOMPARE(repeated->keep_hash, run->keep_hash);
    }

    void all_gpus_share_a_sweep_whose_file_is_followed()
    {
        // torchrun is not ours: one that starts a single process stands for it, on machines without GPUs, too.
        const QTemporaryDir programs;
        QFile torchrun(programs.filePath(QStringLiteral("torchrun")));
        QVERIFY(torchrun.open(QIODevice::WriteOnly));
        torchrun.write("#!/bin/sh\necho \"$@\" > \"$0.words\"\nshift 3\nexec \"$@\"\n");
        torchrun.close();
        QVERIFY(torchrun.setPermissions(torchrun.permissions() | QFileDevice::ExeOwner));
        const QByteArray before = qgetenv("PATH");
        const auto restore = qScopeGuard([&] { qputenv("PATH", before); });
        qputenv("PATH", programs.path().toLocal8Bit() + ':' + before);
        MainWindow window;
        openDemo(window);
        window.showPage(4);
        auto* sweeps = window.findChild<SweepController*>();
        auto* page = window.findChild<SweepPage*>();
        auto* gpus = window.findChild<QToolButton*>(QStringLiteral("sweepGpus"));
        QVERIFY(!gpus->isVisibleTo(page));
        sweeps->setGpus(2);
        QCOMPARE(gpus->text(), QStringLiteral("Run on 2 GPUs"));
        gpus->click();
        QVERIFY(sweeps->running());
        QTRY_VERIFY_WITH_TIMEOUT(page->run() && page->run()->finished(), patience);
        QTRY_VERIFY_WITH_TIMEOUT(!sweeps->running(), patience);
        QCOMPARE(files().size(), 1);
        QVERIFY(stored(files()[0])->finished());
        QFile words(torchrun.fileName() + QStringLiteral(".words"));
        QVERIFY(words.open(QIODevice::ReadOnly));
        QVERIFY(words.readAll().startsWith("--nproc-per-node 2 --no-python " + cli().toLocal8Bit() + " sweep "));
        QTRY_COMPARE_WITH_TIMEOUT(
            window.findChild<QLabel*>(QStringLiteral("sweepState"))->text(), QStringLiteral("✓ done"), patience);
    }

    void runs_are_renamed_deleted_brought_back_and_laid_over()
    {
        MainWindow window;
        startSweep(window);
        stop(window);
        QCOMPARE(files().size(), 1);
        QVERIFY(QFile::copy(folder_->filePath(files()[0]), folder_->filePath(QStringLiteral("other.h5"))));
        window.findChild<SweepPage*>()->showRuns();
        window.findChild<RunList*>()->renameRequested(
            folder_->filePath(QStringLiteral("other.h5")), QStringLiteral("mine"));
        const QString mine = folder_->filePath(QStringLiteral("mine.h5"));
        QTRY_VERIFY_WITH_TIMEOUT(lineOf(window, mine) != nullptr, patience);

        lineOf(window, mine)->setCheckState(0, Qt::Checked);
        const auto* notes = window.findChild<QLabel*>(QStringLiteral("sweepNotes"));
        QSignalSpy over(window.findChild<SweepPage*>(), &SweepPage::earlierRunsChanged);
        QTRY_VERIFY_WITH_TIMEOUT(over.contains({ QVariant(QStringList { QStringLiteral("mine") }) }), patience);
        QVERIFY2(!notes->text().contains(QStringLiteral("mine")), qPrintable(notes->text())); // the same settings
        lineOf(window, mine)->setCheckState(0, Qt::Unchecked);
        QTRY_VERIFY_WITH_TIMEOUT(over.last()[0].toStringList().isEmpty(), patience);

        choose(window, mine);
        window.findChild<QAction*>(QStringLiteral("runDelete"))->trigger();
        auto* undo = window.findChild<QToolButton*>(QStringLiteral("runUndo"));
        QVERIFY2(undo->isVisibleTo(window.findChild<RunList*>()), qPrintable(window.errorBar()->text()));
        QVERIFY(!QFile::exists(mine));
        QTRY_VERIFY_WITH_TIMEOUT(lineOf(window, mine) == nullptr, patience);
        undo->click();
        QVERIFY(QFile::exists(mine));
        QTRY_VERIFY_WITH_TIMEOUT(lineOf(window, mine) != nullptr, patience);
    }

    void a_dropped_trace_or_run_is_on_its_page()
    {
        MainWindow window;
        openDemo(window);
        const QTemporaryDir elsewhere;
        const QString trace = elsewhere.filePath(QStringLiteral("trace.h5"));
        QSignalSpy saved(window.session(), &Session::saved);
        window.session()->saveAnalysis(trace);
        QTRY_COMPARE_WITH_TIMEOUT(saved.size(), 1, patience);
        window.showPage(4);
        drop(window, trace);
        QTRY_COMPARE_WITH_TIMEOUT(window.tabs()->currentIndex(), 0, patience);
        window.showPage(3); // shows traces, too
        QSignalSpy opened(window.session(), &Session::traceOpened);
        drop(window, trace);
        QTRY_COMPARE_WITH_TIMEOUT(opened.size(), 1, patience);
        QCOMPARE(window.tabs()->currentIndex(), 3);
    }

    void a_count_that_was_stopped_is_not_said_to_go_on()
    {
        MainWindow window;
        openDemo(window);
        QFile demoText(demo(QStringLiteral("heldout-books-test.txt")));
        QVERIFY(demoText.open(QIODevice::ReadOnly));
        const QByteArray piece = demoText.readAll();
        QSignalSpy counted(window.session(), &Session::tokensCounted);
        drop(window, QStringLiteral("large.txt"), piece.repeated(20));
        const auto* estimate = window.findChild<QLabel*>(QStringLiteral("sweepEstimate"));
        QTRY_VERIFY_WITH_TIMEOUT(wordsOf(*estimate).contains(QStringLiteral("counting")), patience);
        QTRY_VERIFY_WITH_TIMEOUT(!counted.isEmpty(), patience); // enough for the analysis, which goes on at once
        QCOMPARE(counted[0][1].toBool(), false);
        window.session()->cancel(Session::Kind::count);
        QTRY_VERIFY_WITH_TIMEOUT(wordsOf(*estimate).contains(QStringLiteral("not counted")), patience);
        QTRY_VERIFY_WITH_TIMEOUT(
            window.session()->analysis()->provenance.text_name == std::string("large.txt"), patience);
    }

    void the_form_says_what_a_sweep_takes_and_keeps_what_was_typed()
    {
        MainWindow window;
        openDemo(window);
        const auto* estimate = window.findChild<QLabel*>(QStringLiteral("sweepEstimate"));
        QTRY_VERIFY_WITH_TIMEOUT(wordsOf(*estimate).contains(QStringLiteral("windows of the text")), patience);
        auto* policies = window.findChild<QLineEdit*>(QStringLiteral("sweepPolicies"));
        policies->setText(QStringLiteral("dense, cab, h2o"));
        const auto* warnings = window.findChild<QLabel*>(QStringLiteral("sweepWarnings"));
        QVERIFY2(wordsOf(*warnings).contains(QStringLiteral("control")), qPrintable(wordsOf(*warnings)));
        QSignalSpy counted(window.session(), &Session::tokensCounted);
        window.openText(demo(QStringLiteral("heldout-books-test.txt")));
        QTRY_VERIFY_WITH_TIMEOUT(!counted.isEmpty() && counted.last()[1].toBool(), patience);
        QCOMPARE(policies->text(), QStringLiteral("dense, cab, h2o"));
        const std::int64_t windows = window.findChild<SweepForm*>()->request()->windows;
        QVERIFY(windows > 5 && windows <= 32); // not all of them
        window.session()->cancel();
    }
};

KEEPSET_TEST(TestSweeps)
#include "tst_sweeps.moc"
