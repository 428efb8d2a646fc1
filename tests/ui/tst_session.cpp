#include "core/engine.h"
#include "core/sha256.h"
#include "tests/support/test_main.h"
#include "ui/session.h"

#include <QDir>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>

#include <ctime>
#include <fstream>
#include <sstream>

using namespace keepset;
using keepset::ui::Session;

namespace {

const QString demo = QStringLiteral(KEEPSET_SOURCE_DIR "/resources/demo");
constexpr int patience = 60000;
/// Within which a stop is answered, in processor time of this program; sanitizers make it about three times slower.
#ifdef __SANITIZE_ADDRESS__
constexpr double stopSeconds = 3 * 0.25;
#else
constexpr double stopSeconds = 0.25;
#endif

Text demoText()
{
    std::ifstream file(KEEPSET_SOURCE_DIR "/resources/demo/demo.txt", std::ios::binary);
    std::stringstream bytes;
    bytes << file.rdbuf();
    return { "demo.txt", bytes.str() };
}

AnalysisRequest request(std::int64_t context)
{
    AnalysisRequest result;
    result.text = demoText();
    result.context = context;
    return result;
}

SweepRequest sweepRequest(std::int64_t windows)
{
    SweepRequest result;
    result.text = demoText();
    result.policies = { { "h2o", {} }, { "recent", {} } };
    result.sparsities = { 0.5, 0.9 };
    result.context = 64;
    result.target = 16;
    result.windows = windows;
    return result;
}

/// An analysis to save, and a sweep of all windows that goes on until it is stopped.
void startEndlessSweep(Session& session, QSignalSpy& analysed, QSignalSpy& changed)
{
    session.openModel(demo + QStringLiteral("/model"), {});
    session.analyse(request(64));
    QTRY_COMPARE_WITH_TIMEOUT(analysed.size(), 1, patience);
    SweepRequest sweep = sweepRequest(0);
    while (sweep.text.bytes.size() < 200'000)
        sweep.text.bytes += demoText().bytes;
    session.sweep(sweep);
    QTRY_VERIFY_WITH_TIMEOUT(!changed.isEmpty(), patience);
}

} // namespace

class TestSession : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void what_should_be_known_about_a_text_is_announced_with_its_tokens()
    {
        Session session;
        QSignalSpy noted(&session, &Session::textNoted);
        session.countTokens(demo + QStringLiteral("/model"), { "windows.txt", "one\r\ntwo\r\n" });
        QTRY_COMPARE_WITH_TIMEOUT(noted.size(), 1, patience);
        const QStringList notes = noted.first().first().toStringList();
        QCOMPARE(notes.size(), 1);
        QVERIFY(notes.first().contains(QStringLiteral("2 line ends of Windows")));
    }

    void a_model_opens_and_a_text_is_analysed()
    {
        Session session;
        QSignalSpy opened(&session, &Session::modelOpened);
        QSignalSpy estimated(&session, &Session::memoryEstimated);
        connect(&session, &Session::memoryEstimated, &session,
            [&] { QCOMPARE(opened.size(), 0); }); // before a weight is read
        QSignalSpy counted(&session, &Session::tokensCounted);
        QSignalSpy analysed(&session, &Session::analysisReady);
        QSignalSpy failed(&session, &Session::errorOccurred);
        session.openModel(demo + QStringLiteral("/model"), {});
        session.countTokens(demo + QStringLiteral("/model"), demoText());
        session.analyse(request(200));
        QVERIFY(session.busy());
        QTRY_COMPARE_WITH_TIMEOUT(analysed.size(), 1, patience);
        QCOMPARE(opened.size(), 1);
        QCOMPARE(estimated.size(), 1);
        QVERIFY(counted.value(0).value(0).toLongLong() > 1000);
        QCOMPARE(session.analysis()->context, std::int64_t { 200 });
        QVERIFY(!session.analysis()->audit.checks.empty());
        QCOMPARE(failed.size(), 0);
        QTRY_VERIFY(!session.busy());
    }

    void a_newer_analysis_supersedes_the_older()
    {
        Session session;
        QSignalSpy analysed(&session, &Session::analysisReady);
        QSignalSpy stopped(&session, &Session::cancelled);
        session.openModel(demo + QStringLiteral("/model"), {});
        session.analyse(request(512));
        session.analyse(request(128));
        QTRY_VERIFY_WITH_TIMEOUT(!session.busy(), patience);
        QCOMPARE(analysed.size(), 1);
        QCOMPARE(session.analysis()->context, std::int64_t { 128 });
        QCOMPARE(stopped.size(), 0); // the user asked for something else, not for a stop
    }

    void cancel_ends_a_sweep_and_is_no_error()
    {
        Session session;
        QSignalSpy changed(&session, &Session::runChanged);
        QSignalSpy stopped(&session, &Session::cancelled);
        QSignalSpy ended(&session, &Session::sweepEnded);
        QSignalSpy failed(&session, &Session::errorOccurred);
        session.openModel(demo + QStringLiteral("/model"), {});
        session.sweep(sweepRequest(0));
        QTRY_VERIFY_WITH_TIMEOUT(changed.size() >= 1, patience);
        session.cancel();
        QTRY_VERIFY_WITH_TIMEOUT(!session.busy(), patience);
        QCOMPARE(stopped.size(), 1);
        QCOMPARE(ended.size(), 1);
        QCOMPARE(failed.size(), 0);
        QVERIFY(!changed.last().value(1).toBool());
        QVERIFY(session.run() && session.run()->windows_done() >= 1);
    }

    void a_sweep_grows_window_by_window()
    {
        Session session;
        QSignalSpy changed(&session, &Session::runChanged);
        session.openModel(demo + QStringLiteral("/model"), {});
        session.sweep(sweepRequest(3));
        QTRY_VERIFY_WITH_TIMEOUT(!changed.isEmpty() && changed.last().value(1).toBool(), patience);
        QVERIFY(changed.size() >= 3);
        QVERIFY(session.run()->finished());
    }

    void an_error_is_one_sentence_and_the_session_goes_on()
    {
        Session session;
        QSignalSpy failed(&session, &Session::errorOccurred);
        QSignalSpy opened(&session, &Session::modelOpened);
        session.openModel(QStringLiteral("no/such/folder"), {});
        QTRY_COMPARE_WITH_TIMEOUT(failed.size(), 1, patience);
        QVERIFY(failed[0][0].toString().contains(QStringLiteral("no/such/folder")));
        session.analyse(request(64)); // no model is open
        QTRY_COMPARE_WITH_TIMEOUT(failed.size(), 2, patience);
        session.openModel(demo + QStringLiteral("/model"), {});
        QTRY_COMPARE_WITH_TIMEOUT(opened.size(), 1, patience);
        session.openText(QStringLiteral("no-such-text.txt"));
        QTRY_COMPARE_WITH_TIMEOUT(failed.size(), 3, patience);
        session.saveRun(QStringLiteral("run.h5"));
        QCOMPARE(failed.size(), 4);
    }

    void an_analysis_is_saved_and_opens_again_without_a_model()
    {
        const QTemporaryDir folder;
        const QString path = folder.filePath(QStringLiteral("trace.h5"));
        {
            Session session;
            QSignalSpy written(&session, &Session::saved);
            QSignalSpy analysed(&session, &Session::analysisReady);
            session.openModel(demo + QStringLiteral("/model"), {});
            session.analyse(request(100));
            QTRY_COMPARE_WITH_TIMEOUT(analysed.size(), 1, patience);
            SelectRequest keep;
            keep.policy.name = "cab";
            keep.sparsity = 0.5;
            session.saveAnalysis(path, { keep });
            QTRY_COMPARE_WITH_TIMEOUT(written.size(), 1, patience);
        }
        Session session;
        QSignalSpy analysed(&session, &Session::analysisReady);
        session.openFile(path);
        QTRY_COMPARE_WITH_TIMEOUT(analysed.size(), 1, patience);
        QCOMPARE(session.analysis()->context, std::int64_t { 100 });
        QCOMPARE(session.analysis()->keep_sets.size(), std::size_t { 1 });
    }

    void keep_sets_answer_while_the_engine_is_busy()
    {
        Session session;
        QSignalSpy analysed(&session, &Session::analysisReady);
        QSignalSpy chosen(&session, &Session::keepSetReady);
        session.openModel(demo + QStringLiteral("/model"), {});
        session.analyse(request(100));
        QTRY_COMPARE_WITH_TIMEOUT(analysed.size(), 1, patience);
        session.sweep(sweepRequest(0));
        SelectRequest keep;
        keep.policy.name = "h2o";
        keep.sparsity = 0.5;
        session.selectAll(session.analysis(), keep, 1);
        QTRY_COMPARE_WITH_TIMEOUT(chosen.size(), 1, patience);
        QCOMPARE(chosen[0][1].toInt(), 1);
        session.cancel();
    }

    void attention_is_drawn_beside_a_sweep_and_only_the_newest_is_announced()
    {
        Session session;
        QSignalSpy analysed(&session, &Session::analysisReady);
        QSignalSpy changed(&session, &Session::runChanged);
        QSignalSpy busy(&session, &Session::busyChanged);
        AnalysisRequest keeping = request(500);
        keeping.keep_attention = true;
        session.openModel(demo + QStringLiteral("/model"), {});
        session.analyse(keeping);
        QTRY_COMPARE_WITH_TIMEOUT(analysed.size(), 1, patience);
        session.sweep(sweepRequest(0));
        QTRY_VERIFY_WITH_TIMEOUT(!changed.isEmpty(), patience);
        busy.clear();
        std::vector<std::shared_ptr<const AttentionMap>> maps;
        connect(&session, &Session::attentionDrawn, &session,
            [&](const std::shared_ptr<const Analysis>& of, const std::shared_ptr<const AttentionMap>& map) {
                QCOMPARE(of, session.analysis());
                maps.push_back(map);
            });
        QSignalSpy ended(&session, &Session::attentionEnded);
        QSignalSpy progressed(&session, &Session::attentionProgressed);
        AttentionMapRequest map { 0, 0, 0, 500, 0, 500 };
        for (map.head = 0; map.head < 4; ++map.head)
            session.drawAttention(session.analysis(), map);
        QTRY_COMPARE_WITH_TIMEOUT(ended.size(), 1, patience);
        map.head = 3;
        QCOMPARE(maps.size(), std::size_t { 1 });
        QCOMPARE(maps[0]->request, map);
        QCOMPARE(maps[0]->cells, attention_map(*session.analysis(), map).cells);
        QCOMPARE(progressed.last()[0].toDouble(), 1.0);
        QCOMPARE(busy.size(), 0); // the sweep's progress went on undisturbed
        session.drawAttention(session.analysis(), { 99, 0, 0, 500, 0, 500 });
        QSignalSpy failed(&session, &Session::errorOccurred);
        QTRY_COMPARE_WITH_TIMEOUT(ended.size(), 2, patience);
        QCOMPARE(failed.size(), 1);
        QCOMPARE(maps.size(), std::size_t { 1 });
        session.cancel();
    }

    void a_published_table_is_audited()
    {
        const QTemporaryDir folder;
        const QString path = folder.filePath(QStringLiteral("table.csv"));
        std::ofstream(path.toStdString()) << "method,sparsity,perplexity\ndense,0,8.77\nh2o,0,79.29\ncab,0,79.29\n"
                                             "h2o,0.5,82.66\ncab,0.5,82.66\nh2o,0.9,212.67\ncab,0.9,212.67\n";
        Session session;
        QSignalSpy audited(&session, &Session::tableAudited);
        session.openFile(path);
        QTRY_COMPARE_WITH_TIMEOUT(audited.size(), 1, patience);
        QVERIFY(audited[0][0].value<AuditReport>().failed());
        QCOMPARE(audited[0][1].toString(), QStringLiteral("table.csv"));
    }

    void files_and_counts_do_not_wait_behind_a_sweep()
    {
        const QTemporaryDir folder;
        const QString trace = folder.filePath(QStringLiteral("trace.h5"));
        const QString run = folder.filePath(QStringLiteral("run.h5"));
        Session session;
        QSignalSpy analysed(&session, &Session::analysisReady);
        QSignalSpy changed(&session, &Session::runChanged);
        QSignalSpy written(&session, &Session::saved);
        QSignalSpy opened(&session, &Session::runOpened);
        QSignalSpy compared(&session, &Session::comparisonReady);
        QSignalSpy estimated(&session, &Session::memoryEstimated);
        QSignalSpy read(&session, &Session::textOpened);
        QSignalSpy counted(&session, &Session::tokensCounted);
        QSignalSpy ended(&session, &Session::sweepEnded);
        startEndlessSweep(session, analysed, changed);
        estimated.clear(); // of the model opened
        session.saveAnalysis(trace);
        session.saveRun(run);
        QTRY_COMPARE_WITH_TIMEOUT(written.size(), 2, patience);
        session.openFile(run);
        session.openForComparison(run);
        session.estimateMemory(ModelInfo(), {}, 10);
        session.openText(demo + QStringLiteral("/demo.txt"));
        session.countTokens(demo + QStringLiteral("/model"), demoText());
        for (QSignalSpy* spy : { &opened, &compared, &estimated, &read, &counted })
            QTRY_COMPARE_WITH_TIMEOUT(spy->size(), 1, patience);
        QCOMPARE(read[0][2].toString(), QString::fromStdString(sha256(demoText().bytes)));
        QCOMPARE(ended.size(), 0);
        session.cancel();
    }

    void stopping_a_sweep_throws_no_save_away()
    {
        const QTemporaryDir folder;
        Session session;
        QSignalSpy analysed(&session, &Session::analysisReady);
        QSignalSpy changed(&session, &Session::runChanged);
        QSignalSpy written(&session, &Session::saved);
        QSignalSpy ended(&session, &Session::sweepEnded);
        startEndlessSweep(session, analysed, changed);
        for (const char* name : { "a.h5", "b.h5", "c.h5" })
            session.saveAnalysis(folder.filePath(QLatin1String(name)));
        session.cancel(Session::Kind::sweep);
        QTRY_COMPARE_WITH_TIMEOUT(ended.size(), 1, patience);
        QTRY_COMPARE_WITH_TIMEOUT(written.size(), 3, patience);
    }

    void a_save_that_was_asked_for_is_whole_when_the_session_ends()
    {
        const QTemporaryDir folder;
        const QString path = folder.filePath(QStringLiteral("trace.h5"));
        {
            Session session;
            QSignalSpy analysed(&session, &Session::analysisReady);
            session.openModel(demo + QStringLiteral("/model"), {});
            session.analyse(request(100));
            QTRY_COMPARE_WITH_TIMEOUT(analysed.size(), 1, patience);
            session.saveAnalysis(path);
        }
        QCOMPARE(load_analysis(path.toStdString())->context, std::int64_t { 100 });
    }

    void an_error_says_of_what_kind_it_is_and_the_sweep_goes_on()
    {
        Session session;
        QSignalSpy analysed(&session, &Session::analysisReady);
        QSignalSpy changed(&session, &Session::runChanged);
        QSignalSpy ended(&session, &Session::sweepEnded);
        QSignalSpy found(&session, &Session::modelFound);
        std::vector<Session::Kind> kinds;
        connect(&session, &Session::errorOccurred, &session,
            [&](const QString&, const QString&, Session::Kind kind) { kinds.push_back(kind); });
        startEndlessSweep(session, analysed, changed);
        const auto before = changed.size();
        session.openText(demo + QStringLiteral("/model/model.safetensors"));
        QTRY_COMPARE_WITH_TIMEOUT(kinds.size(), std::size_t { 1 }, patience);
        session.lookAtModel(demo); // a folder without a model
        QTRY_COMPARE_WITH_TIMEOUT(kinds.size(), std::size_t { 2 }, patience);
        QCOMPARE(kinds, (std::vector { Session::Kind::text, Session::Kind::look }));
        session.lookAtModel(demo + QStringLiteral("/model"));
        QTRY_COMPARE_WITH_TIMEOUT(found.size(), 1, patience);
        QTRY_VERIFY_WITH_TIMEOUT(changed.size() > before, patience);
        QCOMPARE(ended.size(), 0);
        session.cancel();
    }

    void a_paused_sweep_ends_behind_a_window_and_goes_on_with_its_file()
    {
        const QTemporaryDir folder;
        Session session;
        QSignalSpy changed(&session, &Session::runChanged);
        QSignalSpy ended(&session, &Session::sweepEnded);
        SweepRequest request = sweepRequest(6);
        request.out = folder.filePath(QStringLiteral("run.h5")).toStdString();
        session.openModel(demo + QStringLiteral("/model"), {});
        session.sweep(request);
        session.pauseSweep();
        QTRY_COMPARE_WITH_TIMEOUT(ended.size(), 1, patience);
        QVERIFY(session.run()->windows_done() >= 1 && !session.run()->finished());
        request.resume = true;
        session.sweep(request);
        QTRY_COMPARE_WITH_TIMEOUT(ended.size(), 2, patience);
        QVERIFY(session.run()->finished());
    }

    void a_sweep_that_never_had_a_window_leaves_no_file()
    {
        const QTemporaryDir folder;
        Session session;
        QSignalSpy opened(&session, &Session::modelOpened);
        QSignalSpy progressed(&session, &Session::progressChanged);
        QSignalSpy ended(&session, &Session::sweepEnded);
        SweepRequest request = sweepRequest(0);
        request.context = 512;
        request.out = folder.filePath(QStringLiteral("run.h5")).toStdString();
        session.openModel(demo + QStringLiteral("/model"), {});
        QTRY_COMPARE_WITH_TIMEOUT(opened.size(), 1, patience);
        progressed.clear();
        session.sweep(request);
        QTRY_VERIFY_WITH_TIMEOUT(QDir(folder.path()).exists(QStringLiteral("run.h5")), patience);
        session.cancel(Session::Kind::sweep);
        QTRY_COMPARE_WITH_TIMEOUT(ended.size(), 1, patience);
        const bool there = QDir(folder.path()).exists(QStringLiteral("run.h5"));
        QCOMPARE(there, there && load_run(request.out)->windows_done() > 0);
    }

    void cancel_answers_while_a_large_text_is_tokenised()
    {
        std::string bytes;
        const std::string piece = demoText().bytes;
        while (bytes.size() < 50'000'000)
            bytes += piece;
        Session session;
        QSignalSpy counted(&session, &Session::tokensCounted);
        QSignalSpy stopped(&session, &Session::cancelled);
        session.countTokens(demo + QStringLiteral("/model"), { "large.txt", std::move(bytes) }, 2000);
        QTRY_COMPARE_WITH_TIMEOUT(counted.size(), 1, patience); // enough to begin with
        QCOMPARE(counted[0][0].toLongLong(), 2000);
        QCOMPARE(counted[0][1].toBool(), false);
        QTest::qWait(300); // in the middle of all of it
        const std::clock_t before = std::clock(); // a shared core decides nothing
        session.cancel();
        QTRY_COMPARE_WITH_TIMEOUT(stopped.size(), 1, patience);
        const double seconds = static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC;
        QVERIFY2(seconds < stopSeconds, qPrintable(QString::number(seconds)));
        QCOMPARE(counted.size(), 1);
    }

    void closing_in_the_middle_of_work_does_not_hang()
    {
        auto session = std::make_unique<Session>();
        session->openModel(demo + QStringLiteral("/model"), {});
        session->sweep(sweepRequest(0));
        QTest::qWait(1);
        session.reset(); // the test's own time limit is the check
        QVERIFY(!session);
    }
};

KEEPSET_TEST(TestSession)
#include "tst_session.moc"
