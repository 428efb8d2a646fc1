#include "core/engine.h"
#include "tests/app/cli_process.h"
#include "tests/support/test_main.h"

#include <QTemporaryDir>

#include <nlohmann/json.hpp>

using namespace keepset;
using nlohmann::json;

/// --importance window:N and last-query, from the command to the file and back.
class TestCliImportance : public QObject {
    Q_OBJECT

private:
    QTemporaryDir folder_;
    QString in(const QString& name) const { return folder_.filePath(name); }

    static cli::Result sweep(const QString& importance, const QStringList& more)
    {
        return cli::run(QStringList { "sweep", cli::tiny_model(), "--text", cli::demo_text(), "--context", "64",
                            "--target", "16", "--windows", "5", "--policies", "h2o,cab,snapkv(window=8)", "--sparsity",
                            "0.5,0.75", "--threads", "1", "--quiet", "--importance", importance }
            + more);
    }
    static cli::Result analyze(const QString& importance, const QStringList& more)
    {
        return cli::run(QStringList { "analyze", cli::tiny_model(), "--text", cli::demo_text(), "--sparsity", "0.5",
                            "--threads", "1", "--quiet", "--importance", importance }
            + more);
    }
    static const SweepPoint& point(const Run& run, const std::string& policy)
    {
        return *std::ranges::find(run.points, policy, &SweepPoint::policy);
    }

private Q_SLOTS:
    void initTestCase()
    {
        for (const char* importance : { "cumulative", "window:8", "window:64", "last-query", "window:1" }) {
            const cli::Result made = sweep(importance, { "--out", in(QString(importance) + ".h5") });
            QVERIFY2(made.status == 0, made.text());
        }
    }

    void help_names_them()
    {
        for (const char* command : { "sweep", "analyze" }) {
            const cli::Result help = cli::run({ command, "--help" });
            QVERIFY2(help.out.contains("window:N") && help.out.contains("last-query"), help.text());
        }
    }

    void a_sweep_ranks_by_it_and_says_so()
    {
        const auto of = [&](const char* name) { return load_run(in(QString(name) + ".h5").toStdString()); };
        const auto all = of("cumulative");
        const auto last8 = of("window:8");
        QVERIFY(last8->importance == Importance::window(8));
        QVERIFY2(last8->provenance.command.find("--importance window:8") != std::string::npos,
            last8->provenance.command.c_str());
        for (const char* policy : { "h2o", "cab" })
            QVERIFY(point(*last8, policy).nll_sum != point(*all, policy).nll_sum);
        const std::string snapkv = "snapkv(window=8)"; // has a score of its own
        QCOMPARE(point(*last8, snapkv).nll_sum, point(*all, snapkv).nll_sum);
        QCOMPARE(point(*of("window:64"), "h2o").nll_sum, point(*all, "h2o").nll_sum); // all of the context
        QCOMPARE(point(*of("last-query"), "cab").nll_sum, point(*of("window:1"), "cab").nll_sum);
        const cli::Result shown = cli::run({ "show", in("window:8.h5"), "--json" });
        QCOMPARE(json::parse(shown.out.toStdString()).at("importance"), json("window:8"));
        const cli::Result told = cli::run({ "show", in("window:8.h5") });
        QVERIFY2(told.out.contains("windows · importance window:8\n"), told.text());
        const cli::Result audited = cli::run({ "audit", in("window:8.h5") });
        QVERIFY2(audited.status == 0 && audited.out.contains("from the last 8 queries to 8"), audited.text());
    }

    void another_importance_is_another_sweep()
    {
        const cli::Result other = sweep("window:9", { "--out", in("window:8.h5"), "--resume" });
        QVERIFY2(other.status == 2 && other.is_one_sentence(), other.text());
        QVERIFY2(other.said("importance is window:8 in the file and window:9 here"), other.text());
        const cli::Result same = sweep("window:8", { "--out", in("window:8.h5"), "--resume" });
        QVERIFY2(same.status == 0, same.text());
        const cli::Result merged
            = cli::run({ "merge", in("window:8.h5"), in("last-query.h5"), "--out", in("merged.h5") });
        QVERIFY2(merged.status == 2 && merged.said("importance"), merged.text());
        QVERIFY(!QFile::exists(in("merged.h5")));
    }

    void a_trace_holds_it_beside_the_cumulative_data()
    {
        QTest::addColumn<QString>("importance");
        QTest::newRow("window") << "window:12";
        QTest::newRow("last query") << "last-query";
    }
    void a_trace_holds_it_beside_the_cumulative()
    {
        QFETCH(const QString, importance);
        const QString out = in("trace " + importance + ".h5");
        const cli::Result made = analyze(importance, { "--context", "90", "--out", out, "--json" });
        QVERIFY2(made.status == 0, made.text());
        const auto trace = load_analysis(out.toStdString());
        Importance mode;
        from_name(importance.toStdString(), mode);
        QCOMPARE(trace->by_last_queries.size(), std::size_t { 1 });
        QCOMPARE(trace->by_last_queries.at(mode)->size(), trace->importance.size());
        for (const KeepSet& set : trace->keep_sets) {
            QVERIFY(set.request.importance == mode);
            QVERIFY(select(*trace, set.request).labels == set.labels);
        }
        const cli::Result shown = cli::run({ "show", out });
        QVERIFY2(shown.status == 0 && shown.out.contains(importance.toUtf8()), shown.text());
    }

    void a_text_too_short_for_it_is_refused_data()
    {
        QTest::addColumn<QStringList>("more");
        QTest::newRow("known before the model is read") << QStringList { "--context", "64" };
        QTest::newRow("known when it is tokenised") << QStringList {};
    }
    void a_text_too_short_for_it_is_refused()
    {
        QFETCH(const QStringList, more);
        const QString out = in(QString("short %1.h5").arg(more.size()));
        QVERIFY(cli::write(in("short.txt"), cli::read(cli::demo_text()).left(64)));
        QStringList arguments = QStringList { "analyze", cli::tiny_model(), "--text", in("short.txt"), "--threads", "1",
            "--quiet", "--importance", "window:65", "--out", out }
            + more;
        const cli::Result refused = cli::run(arguments);
        QVERIFY2(refused.status == 2 && refused.is_one_sentence(), refused.text());
        QVERIFY2(refused.said("sums over the last 65 queries, and a context of 64 tokens has no more"), refused.text());
        QVERIFY(!QFile::exists(out));
        arguments.replaceInStrings("window:65", "window:64");
        QVERIFY2(cli::run(arguments).status == 0, "as many as there are");
    }
};

KEEPSET_TEST(TestCliImportance)
#include "tst_cli_importance.moc"
