#include "core/policy/definition.h"
#include "core/sweep/statistics.h"
#include "tests/core/golden_test.h"
#include "tests/core/run_case.h"
#include "tests/support/test_main.h"

#include <QFile>
#include <QTemporaryDir>

#include <cmath>

using namespace keepset;

namespace {

const Check& distinct_of(const AuditReport& report)
{
    for (const Check& check : report.checks) {
        if (check.name == "distinct")
            return check;
    }
    throw std::runtime_error("no check distinct");
}

/// The check on a table as it would come from a file.
Check distinct_in(const std::string& csv)
{
    QTemporaryDir folder;
    QFile file(folder.filePath("table.csv"));
    if (!file.open(QIODevice::WriteOnly) || file.write(QByteArray::fromStdString(csv)) < 0)
        throw std::runtime_error("no temporary file");
    file.close();
    return distinct_of(audit(import_table(file.fileName().toStdString())));
}

} // namespace

/// "distinct" accuses methods only where their definitions differ (SEMANTICS 8).
class TestDefinitions : public QObject {
    Q_OBJECT

private:
    Engine engine_;

    std::shared_ptr<const Run> sweep(const char* policies, const SweepRequest& of)
    {
        SweepRequest request = of;
        request.text = { "text.txt", golden::read_bytes(golden_root / "gqa7/text.txt") };
        request.policies = parse_policies(policies);
        return engine_.sweep(request);
    }

private Q_SLOTS:
    void initTestCase() { engine_.open_model(golden_root / "gqa7", { "cpu", Dtype::float32, 1 }); }

    void a_table_of_budgets_at_which_policies_coincide_accuses_nobody()
    {
        SweepRequest request;
        request.context = 30;
        request.target = 6;
        request.windows = 3;
        request.budgets = { 2, 4 };
        const auto run = sweep("h2o,cab,h2o(local=0.3)", request);
        const std::string csv = to_csv(*run);
        QCOMPARE(run->points[1].perplexity, run->points[3].perplexity); // so there is something to accuse
        const Check table = distinct_in(csv);
        QVERIFY2(table.status == CheckStatus::not_applicable, table.detail.c_str());
        const Check own = distinct_of(run->audit);
        QVERIFY2(own.status == CheckStatus::pass, own.detail.c_str());
        // One more budget, at which they differ and their losses too.
        request.budgets = { 2, 4, 20 };
        const Check more = distinct_in(to_csv(*sweep("h2o,cab", request)));
        QVERIFY2(more.status == CheckStatus::pass, more.detail.c_str());
    }

    void a_table_is_judged_by_its_budgets_data()
    {
        QTest::addColumn<QString>("rows");
        QTest::addColumn<int>("status");
        const auto fail = int(CheckStatus::fail);
        const auto none = int(CheckStatus::not_applicable);
        QTest::newRow("small budgets") << "h2o,0.98,2,9\ncab,0.98,2,9\nh2o,0.96,4,8\ncab,0.96,4,8\n" << none;
        QTest::newRow("large budgets") << "h2o,0.5,50,9\ncab,0.5,50,9\nh2o,0.9,10,12\ncab,0.9,10,12\n" << fail;
        QTest::newRow("capitals") << "H2O,0.98,2,9\nCAB,0.98,2,9\nH2O,0.96,4,8\nCAB,0.96,4,8\n" << none;
        QTest::newRow("with parameters") << "h2o(local=1),0.5,50,9\nrecent,0.5,50,9\nh2o(local=1),0.9,10,12\nrecent,"
                                            "0.9,10,12\n"
                                         << none;
        QTest::newRow("names of others") << "mine,0.98,2,9\ncab,0.98,2,9\nmine,0.96,4,8\ncab,0.96,4,8\n" << fail;
        QTest::newRow("other budgets") << "h2o,0.98,2,9\ncab,0.98,3,9\nh2o,0.96,4,8\ncab,0.96,5,8\n" << fail;
        QTest::newRow("no counts") << "h2o,0.98,2%,9\ncab,0.98,2%,9\nh2o,0.96,,8\ncab,0.96,,8\n" << fail;
        QTest::newRow("absurd counts") << "h2o,0.98,9000000000000000000,9\ncab,0.98,9000000000000000000,9\n"
                                          "h2o,0.96,99999999999999999999,8\ncab,0.96,99999999999999999999,8\n"
                                       << fail;
    }
    void a_table_is_judged_by_its_budgets()
    {
        QFETCH(QString, rows);
        QFETCH(int, status);
        const Check check = distinct_in("policy,sparsity,budget,perplexity\n" + rows.toStdString());
        QVERIFY2(int(check.status) == status, check.detail.c_str());
    }

    void one_keep_set_for_the_model_that_evicts_few_tokens_accuses_nobody()
    {
        SweepRequest request;
        request.context = 100;
        request.target = 6;
        request.windows = 2;
        request.granularity = Granularity::model;
        request.importance = Importance::mean_received;
        request.budgets = { 99, 98, 97, 95, 92 };
        const auto run = sweep("h2o,h2o(local=0.21),h2o(local=0.22),h2o(local=0.23)", request);
        int coincide = 0;
        for (std::size_t a = 1; a < run->points.size(); ++a) {
            for (std::size_t b = 1; b < a; ++b)
                coincide += run->keep_hash[2 * a] == run->keep_hash[2 * b]
                        && run->keep_hash[2 * a + 1] == run->keep_hash[2 * b + 1]
                    ? 1
                    : 0;
        }
        QVERIFY2(coincide > 0, "no two keep sets are equal, so nobody could be accused");
        QVERIFY2(distinct_of(audit(*run)).status == CheckStatus::pass, distinct_of(audit(*run)).detail.c_str());
    }

    void a_run_in_which_one_method_did_the_selection_of_another_is_accused()
    {
        SweepRequest request;
        request.context = 30;
        request.target = 6;
        request.windows = 3;
        request.sparsities = { 0.5 };
        Run run = *sweep("h2o,recent", request);
        QVERIFY(distinct_of(audit(run)).status == CheckStatus::pass);
        for (std::size_t w = 0; w < 3; ++w)
            run.keep_hash[3 + w] = run.keep_hash[6 + w];
        QVERIFY2(distinct_of(audit(run)).status == CheckStatus::fail, distinct_of(audit(run)).detail.c_str());
    }

    void equal_losses_of_different_keep_sets_accuse_only_where_they_cannot_be_chance_data()
    {
        QTest::addColumn<int>("target");
        QTest::addColumn<int>("windows");
        QTest::addColumn<int>("policies");
        QTest::addColumn<bool>("same_sets");
        QTest::addColumn<int>("status");
        const auto fail = int(CheckStatus::fail);
        const auto warning = int(CheckStatus::warning);
        QTest::newRow("one token") << 2 << 1 << 2 << false << warning;
        QTest::newRow("one token in some windows") << 2 << 8 << 2 << false << warning;
        QTest::newRow("one token, many policies") << 2 << 1 << 300 << false << warning;
        QTest::newRow("one token, one keep set") << 2 << 1 << 2 << true << fail;
        QTest::newRow("31 tokens") << 32 << 1 << 2 << false << warning;
        QTest::newRow("32 tokens") << 33 << 1 << 2 << false << fail;
        QTest::newRow("32 windows of one") << 2 << 32 << 2 << false << fail;
        QTest::newRow("one window, many policies") << 257 << 1 << 300 << false << warning;
        QTest::newRow("two windows, many policies") << 257 << 2 << 300 << false << fail;
        QTest::newRow("many policies, one keep set") << 257 << 1 << 300 << true << fail;
    }
    void equal_losses_of_different_keep_sets_accuse_only_where_they_cannot_be_chance()
    {
        QFETCH(const int, target);
        QFETCH(const int, windows);
        QFETCH(const int, policies);
        QFETCH(const bool, same_sets);
        QFETCH(const int, status);
        std::vector<PointCase> cases { { "dense", 0, [](std::int64_t w) { return 3.0 + 0.1 * double(w); } } };
        for (int n = 0; n < policies; ++n) {
            const std::string policy = "h2o(local=" + std::to_string(0.001 * (n + 1)).substr(0, 5) + ")";
            cases.push_back({ policy, 0.5, [n](std::int64_t w) { return 4.0 + 0.01 * n + 0.1 * double(w); } });
        }
        cases.push_back({ "recent", 0.5, cases[1].nll });
        Run run = make_run(cases, windows);
        run.target = target;
        if (same_sets) {
            for (std::int64_t w = 0; w < windows; ++w)
                run.keep_hash[run.keep_hash.size() - 1 - static_cast<std::size_t>(w)]
                    = run.keep_hash[static_cast<std::size_t>(2 * windows - 1 - w)];
        }
        const Check check = distinct_of(audit(run));
        QVERIFY2(int(check.status) == status, check.detail.c_str());
        QVERIFY2(QString::fromStdString(check.detail).contains("Recent"), check.detail.c_str());
    }

    void two_overflows_are_no_proof_of_one_policy()
    {
        SweepRequest request;
        request.context = 30;
        request.target = 6;
        request.windows = 3;
        request.sparsities = { 0.5 };
        Run run = *sweep("h2o,recent", request);
        for (std::size_t w = 0; w < 6; ++w)
            run.window_nll[3 + w] = INFINITY;
        QVERIFY(distinct_of(audit(run)).status != CheckStatus::fail);
    }

    void only_a_name_of_its_own_kind_is_not_built_yet_data()
    {
        QTest::addColumn<QString>("name");
        QTest::addColumn<QString>("planned_for"); // empty: for nothing
        QTest::newRow("streaming") << "streaming"
                                   << "protocol";
        QTest::newRow("misspelt") << "windows"
                                  << "";
        QTest::newRow("empty") << ""
                               << "";
    }
    void only_a_name_of_its_own_kind_is_not_built_yet()
    {
        QFETCH(QString, name);
        QFETCH(QString, planned_for);
        const auto words = [&](auto value) {
            try {
                from_name(name.toStdString(), value);
            } catch (const Error& error) {
                return QString::fromUtf8(error.what());
            }
            return QString();
        };
        const std::vector<std::pair<const char*, QString>> all { { "dtype", words(Dtype {}) },
            { "importance", words(Importance {}) }, { "granularity", words(Granularity {}) },
            { "gqa", words(GqaReduction {}) }, { "protocol", words(Protocol {}) }, { "positions", words(Positions {}) },
            { "rounding", words(Rounding {}) } };
        for (const auto& [kind, found] : all) {
            const bool planned = planned_for == kind;
            QVERIFY2(found.contains(planned ? "is not built yet." : "is not known."), qPrintable(found));
        }
    }
};

KEEPSET_TEST(TestDefinitions)
#include "tst_definitions.moc"
