#include "core/engine.h"
#include "tests/support/test_main.h"
#include "ui/session.h"

#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>

#include <fstream>
#include <sstream>

using namespace keepset;
using keepset::ui::Session;

namespace {

const QString demo = QStringLiteral(KEEPSET_SOURCE_DIR "/resources/demo");
constexpr int patience = 60000;

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

} // namespace

class TestSession : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void what_should_be_known_about_a_text_is_announced_with_its_tokens()
    {
        Session session;
        QSignalSpy noted(&session, &Session::textNoted);
        session.openModel(demo + QStringLiteral("/model"), {});
        session.countTokens({ "windows.txt", "one\r\ntwo\r\n" });
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
        QSignalSpy audited(&session, &Session::auditReady);
        QSignalSpy failed(&session, &Session::errorOccurred);
        session.openModel(demo + QStringLiteral("/model"), {});
        session.countTokens(demoText());
        session.analyse(request(200));
        QVERIFY(session.busy());
        QTRY_COMPARE_WITH_TIMEOUT(analysed.size(), 1, patience);
        QCOMPARE(opened.size(), 1);
        QCOMPARE(estimated.size(), 1);
        QVERIFY(counted.value(0).value(0).toLongLong() > 1000);
        QCOMPARE(session.analysis()->context, std::int64_t { 200 });
        QCOMPARE(audited.size(), 1);
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
