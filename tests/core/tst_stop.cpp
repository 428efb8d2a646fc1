#include "core/engine.h"
#include "tests/core/stop_after.h"
#include "tests/support/made_model.h"
#include "tests/support/test_main.h"

#include <QTemporaryDir>
#include <QtTest>

#include <cmath>

using namespace keepset;
using namespace keepset::stopping;

/// A stop is answered within a fifth of a second wherever it meets the work, on a model of which a layer takes longer
/// than that, on one thread.
class TestStop : public QObject {
    Q_OBJECT

private:
    QTemporaryDir folder_;
    Text text_;

    std::filesystem::path model() const { return (folder_.path() + "/model").toStdString(); }
    static OpenOptions one_thread()
    {
        OpenOptions options;
        options.device = "cpu";
        options.threads = 1;
        return options;
    }

private Q_SLOTS:
    void initTestCase()
    {
        made::random_model(model());
        text_ = read_text(KEEPSET_SOURCE_DIR "/resources/demo/heldout-books-test.txt");
    }

    void a_stop_is_answered_within_a_fifth_of_a_second_data()
    {
        QTest::addColumn<QString>("work");
        QTest::addColumn<double>("after_s");
        for (const double after_s : { 0.02, 0.25, 0.8, 1.7 }) {
            for (const char* work : { "analyse", "logits", "sweep", "bridges" })
                QTest::addRow("%s after %.2f s", work, after_s) << work << after_s;
        }
        for (const double after_s : { 0.01, 0.05, 0.2 })
            QTest::addRow("tokenise after %.2f s", after_s) << "tokenise" << after_s;
    }
    void a_stop_is_answered_within_a_fifth_of_a_second()
    {
        QFETCH(const QString, work);
        QFETCH(const double, after_s);
        Engine engine;
        engine.open_model(model(), one_thread());
        AnalysisRequest analysis;
        analysis.text = text_;
        analysis.context = 6144;
        SweepRequest sweep;
        sweep.text = text_;
        sweep.context = work == "bridges" ? 1024 : 4096;
        sweep.target = work == "bridges" ? 64 : 1024;
        sweep.policies = parse_policies(work == "bridges" ? "cab(bridge=flow)" : "h2o,cab,recent");
        sweep.sparsities = { 0.5, 0.9 };
        Text large = text_;
        while (work == "tokenise" && large.bytes.size() < 20'000'000)
            large.bytes += large.bytes;
        const Answer answer = stop_after(after_s, [&](const Task& task) {
            if (work == "tokenise")
                engine.tokenize(large, task);
            else if (work == "analyse")
                engine.analyse(analysis, task);
            else if (work == "logits")
                engine.logits(text_, 4096, 0, task);
            else
                engine.sweep(sweep, task);
        });
        QVERIFY2(answer.cancelled, "The work was done before it could be stopped: take a larger model.");
        qInfo("%s", answer.text().c_str());
        QVERIFY2(answer.in_time(), answer.text().c_str());
    }

    void an_analysis_tells_how_far_it_is_within_a_layer()
    {
        Engine engine;
        engine.open_model(model(), one_thread());
        AnalysisRequest request;
        request.text = text_;
        request.context = 6144;
        std::stop_source stop;
        std::vector<Progress> told;
        const Task task { stop.get_token(), [&](const Progress& progress) {
                             told.push_back(progress);
                             if (progress.done > 0)
                                 stop.request_stop();
                         } };
        QVERIFY_EXCEPTION_THROWN(engine.analyse(request, task), Cancelled);
        QVERIFY(told.size() > 4);
        for (std::size_t at = 0; at < told.size(); ++at) {
            const Progress& progress = told[at];
            QCOMPARE(QString::fromStdString(progress.unit), QStringLiteral("layers"));
            QCOMPARE(progress.done, at + 1 == told.size() ? 1 : 0);
            QVERIFY(progress.part >= 0 && progress.part < 1);
            QCOMPARE(std::isfinite(progress.left_s), progress.done > 0 || progress.part > 0.05);
            QVERIFY2(!(progress.left_s > 300), QByteArray::number(progress.left_s)); // it takes seconds
            QVERIFY(at == 0 || progress.share() >= told[at - 1].share());
        }
    }

    void opening_a_model_can_be_stopped_while_weights_are_read()
    {
        OpenOptions options = one_thread();
        options.dtype = Dtype::bfloat16; // every weight is converted
        int after = 1;
        Answer answer;
        for (; after < 64; after *= 2) {
            Engine engine;
            answer = stop_after(after * 1e-3, [&](const Task& task) { engine.open_model(model(), options, task); });
            if (!answer.cancelled)
                break; // it was open by then
            QVERIFY2(answer.cpu_s <= promise_s, QByteArray::number(answer.cpu_s));
        }
        QVERIFY(after > 1);
    }
};

KEEPSET_TEST(TestStop)
#include "tst_stop.moc"
