#include "core/audit/distinct.h"
#include "core/engine.h"
#include "tests/core/run_case.h"
#include "tests/support/test_main.h"

#include <QFile>
#include <QTemporaryDir>
#include <QTest>

#include <cmath>

using namespace keepset;

namespace {

const Check& check_of(const AuditReport& report, const std::string& name)
{
    for (const Check& check : report.checks) {
        if (check.name == name)
            return check;
    }
    throw std::runtime_error("no check " + name);
}

std::vector<PointCase> right_cases()
{
    const auto level = [](double base) { return [=](std::int64_t w) { return base + 0.1 * std::sin(double(w)); }; };
    return { { "dense", 0, level(3) }, { "h2o", 0, level(3) }, { "cab", 0, level(3) }, { "h2o", 0.5, level(3.2) },
        { "cab", 0.5, level(3.25) }, { "h2o", 0.97, level(4) }, { "cab", 0.97, level(4.1) } };
}

ImportedTable table_of(const QByteArray& text)
{
    QTemporaryDir folder;
    QFile file(folder.filePath("table.csv"));
    if (!file.open(QIODevice::WriteOnly))
        throw std::runtime_error("no temporary file");
    file.write(text);
    file.close();
    return import_table(file.fileName().toStdString());
}

} // namespace

class AuditTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void a_right_run_passes_every_check_in_order()
    {
        const AuditReport report = audit(make_run(right_cases(), 6));
        const std::vector<std::string> order { "finite", "baseline", "distinct", "budget", "mass", "causality",
            "same targets", "monotone", "plausible", "sink", "ties" };
        QCOMPARE(report.checks.size(), order.size());
        for (std::size_t i = 0; i < order.size(); ++i) {
            QCOMPARE(report.checks[i].name, order[i]);
            QVERIFY2(report.checks[i].status == CheckStatus::pass, report.checks[i].detail.c_str());
        }
        QVERIFY(!report.failed() && !report.warned());
    }

    void keep_sets_that_differ_where_no_target_sees_may_have_equal_losses()
    {
        Run run = make_run(right_cases(), 6);
        for (std::size_t w = 0; w < 6; ++w)
            run.window_nll[4 * 6 + w] = run.window_nll[3 * 6 + w];
        QVERIFY(check_of(audit(run), "distinct").status == CheckStatus::fail);
        run.reach = 40; // of 100
        const Check seen = check_of(audit(run), "distinct");
        QVERIFY2(seen.status == CheckStatus::pass, seen.detail.c_str());
        QVERIFY2(seen.detail.find("sees the last 40 of 100 context tokens") != std::string::npos, seen.detail.c_str());
        // The same keep sets are none.
        for (std::size_t w = 0; w < 6; ++w)
            run.keep_hash[4 * 6 + w] = run.keep_hash[3 * 6 + w];
        QVERIFY(check_of(audit(run), "distinct").status == CheckStatus::fail);
    }

    void each_defect_fails_its_own_check_only_data()
    {
        QTest::addColumn<QString>("check");
        QTest::addColumn<QString>("words");
        QTest::newRow("wrong baseline") << "baseline"
                                        << "the attention differs";
        QTest::newRow("same losses") << "distinct"
                                     << "the policy was never applied";
        QTest::newRow("same keep sets") << "distinct"
                                        << "Identical keep sets: H2O and CAB at 50%";
        QTest::newRow("as dense") << "distinct"
                                  << "Dense and H2O at 50%";
        QTest::newRow("one too few") << "budget"
                                     << "kept 299 entries in window 1";
        QTest::newRow("fewer than its rows' budgets")
            << "budget"
            << "kept 299 entries in window 1 where its budget is 310 in 6 rows together";
        QTest::newRow("other sizes")
            << "budget"
            << "H2O at 50% and CAB at 50% had caches of different sizes, 300 entries and 294 in "
               "window 2, though both are to keep 50 in a row";
        QTest::newRow("mass") << "mass"
                              << "does not sum to the context";
        QTest::newRow("negative") << "mass"
                                  << "less than nothing";
        QTest::newRow("more than can be given") << "mass"
                                                << "1.01 times what the queries";
        QTest::newRow("looks ahead") << "causality"
                                     << "not causal";
        QTest::newRow("logits look ahead") << "causality"
                                           << "context token changes a logit before it";
        QTest::newRow("targets look ahead") << "causality"
                                            << "target token changes a scored row before it";
        QTest::newRow("not read") << "causality"
                                  << "it is not read";
        QTest::newRow("other entries") << "budget"
                                       << "other entries than H2O at 50% chose";
        QTest::newRow("all shifted") << "same targets"
                                     << "Dense at 0% was not scored on the tokens that follow";
        QTest::newRow("read twice") << "same targets"
                                    << "window 3 are those of window 1";
        QTest::newRow("overlap") << "same targets"
                                 << "window 3 begins at token 300";
        QTest::newRow("no sink") << "sink"
                                 << "H2O at 50%, CAB at 97%: expect collapse";
        QTest::newRow("ties") << "ties"
                              << "up to 16.7%), so that position decided there: CAB at 50%";
        QTest::newRow("other tokens") << "same targets"
                                      << "other tokens than Dense";
        QTest::newRow("falls") << "monotone"
                               << "CAB from 50% to 97%";
        QTest::newRow("worse than even") << "plausible"
                                         << "1,000 tokens";
        QTest::newRow("worse than unigram") << "plausible"
                                            << "ten times";
        QTest::newRow("no number") << "finite"
                                   << "CAB at 97%";
    }
    void each_defect_fails_its_own_check_only()
    {
        QFETCH(QString, check);
        QFETCH(QString, words);
        Run run = make_run(right_cases(), 6);
        const QString defect = QTest::currentDataTag();
        const auto at = [](std::size_t point, std::size_t window) { return point * 6 + window; };
        for (std::size_t w = 0; w < 6; ++w) {
            if (defect == "same losses")
                run.window_nll[at(4, w)] = run.window_nll[at(3, w)];
            if (defect == "same keep sets")
                run.keep_hash[at(4, w)] = run.keep_hash[at(3, w)];
            if (defect == "as dense")
                run.window_nll[at(3, w)] = run.window_nll[at(0, w)];
            if (defect == "no sink") // all windows but one drop it in most rows
                run.first_kept[at(3, w)] = run.first_kept[at(6, w)] = w == 0 ? 6 : 2;
            if (defect == "ties")
                run.tied_rows[at(4, w)] = 1;
            if (defect == "falls")
                run.window_nll[at(6, w)] = run.window_nll[at(4, w)] - 1 - 0.01 * double(w);
            // k = 3 at 97%: there h2o and cab are the same by definition.
            run.window_nll[at(6, w)] = defect == "falls" ? run.window_nll[at(6, w)] : run.window_nll[at(5, w)];
            run.keep_hash[at(6, w)] = run.keep_hash[at(5, w)];
            run.selected_hash = run.keep_hash;
        }
        if (defect == "wrong baseline")
            run.window_nll[at(1, 3)] *= 1.00002;
        if (defect == "one too few")
            run.kept_entries[at(3, 1)] -= 1;
        if (defect == "fewer than its rows' budgets")
            run.kept_entries[at(3, 1)] = 299, run.budget_entries[at(3, 1)] = 310;
        if (defect == "other sizes")
            run.kept_entries[at(4, 2)] = run.budget_entries[at(4, 2)] = 294;
        if (defect == "mass")
            run.mass_error[2] = 2e-4;
        if (defect == "negative")
            run.least_importance[2] = -0.5;
        if (defect == "more than can be given")
            run.most_of_visible[2] = 1.01;
        if (defect == "logits look ahead")
            run.context_change.before = 0.01;
        if (defect == "targets look ahead")
            run.target_change.before = 0.01;
        if (defect == "not read")
            run.target_change.after = 0;
        if (defect == "other entries")
            run.selected_hash[at(3, 1)] += 1;
        if (defect == "all shifted")
            run.text_target_hash[4] += 7;
        if (defect == "read twice")
            run.read_hash[3] = run.read_hash[1];
        if (defect == "overlap")
            run.window_begin[3] = 300;
        if (defect == "looks ahead")
            run.last_key_importance[5] = 1.001;
        if (defect == "other tokens")
            run.target_hash[at(2, 4)] = 77;
        if (defect == "worse than even")
            run.vocabulary = 10, run.unigram_perplexity = not_a_number;
        if (defect == "worse than unigram")
            run.unigram_perplexity = 1.5;
        if (defect == "no number")
            run.points[6].kl = INFINITY;
        if (defect == "worse than even") // the sentence names the vocabulary
            words = "10 tokens";
        refresh_points(run);
        const AuditReport report = audit(run);
        for (const Check& found : report.checks) {
            const bool expected = found.name == check.toStdString();
            QVERIFY2((found.status != CheckStatus::pass) == expected, (found.name + ": " + found.detail).c_str());
            if (expected)
                QVERIFY2(QString::fromStdString(found.detail).contains(words), found.detail.c_str());
        }
        const QStringList warnings { "monotone", "plausible", "sink", "ties" };
        QCOMPARE(report.failed(), !warnings.contains(check) && defect != "other sizes");
    }

    void a_loss_that_is_no_number_fails_finite()
    {
        Run run = make_run(right_cases(), 6);
        run.window_nll[13] = not_a_number;
        refresh_points(run);
        QVERIFY(check_of(audit(run), "finite").status == CheckStatus::fail);
    }

    void what_depends_on_numbers_that_are_not_finite_is_undecided_data()
    {
        QTest::addColumn<QStringList>("undecided");
        QTest::newRow("overflow") << QStringList { "baseline", "distinct", "mass", "causality", "monotone", "plausible",
            "sink", "ties" };
        QTest::newRow("hidden NaN") << QStringList { "baseline", "distinct", "mass", "causality", "monotone",
            "plausible", "sink", "ties" };
        QTest::newRow("loss of dense") << QStringList { "baseline", "distinct", "monotone", "plausible" };
        QTest::newRow("infinite losses") << QStringList { "baseline", "distinct", "monotone" };
        QTest::newRow("mass NaN") << QStringList { "mass" };
        QTest::newRow("least NaN") << QStringList { "mass" };
        QTest::newRow("last key NaN") << QStringList { "causality" };
        QTest::newRow("first token NaN") << QStringList { "sink" };
    }
    void what_depends_on_numbers_that_are_not_finite_is_undecided()
    {
        QFETCH(QStringList, undecided);
        const QString defect = QTest::currentDataTag();
        Run run = make_run(right_cases(), 6);
        if (defect == "overflow")
            run.largest_hidden[2] = 1e29;
        if (defect == "hidden NaN")
            run.largest_hidden[2] = not_a_number;
        if (defect == "loss of dense")
            run.window_nll[3] = not_a_number;
        for (const std::size_t point : { 3, 4 }) { // h2o and cab at 50%
            if (defect == "infinite losses")
                std::fill_n(run.window_nll.begin() + static_cast<std::ptrdiff_t>(6 * point), 6, INFINITY);
        }
        if (defect == "mass NaN")
            run.mass_error[2] = not_a_number;
        if (defect == "least NaN")
            run.least_importance[2] = not_a_number;
        if (defect == "last key NaN")
            run.last_key_importance[2] = not_a_number;
        if (defect == "first token NaN")
            run.first_token_mass[2] = not_a_number;
        refresh_points(run);
        const AuditReport report = audit(run);
        QVERIFY(report.failed());
        for (const Check& found : report.checks) {
            const CheckStatus wanted = found.name == "finite"            ? CheckStatus::fail
                : undecided.contains(QString::fromStdString(found.name)) ? CheckStatus::undecided
                                                                         : CheckStatus::pass;
            QVERIFY2(found.status == wanted, (found.name + ": " + found.detail).c_str());
        }
    }

    void a_run_of_an_earlier_file_says_what_is_missing()
    {
        Run run = make_run(right_cases(), 6);
        forget_what_came_later(run);
        const AuditReport report = audit(run);
        QVERIFY(!report.failed());
        for (const char* name : { "budget", "mass", "same targets" })
            QVERIFY(check_of(report, name).detail.find("of an earlier version") != std::string::npos);
        QVERIFY(check_of(report, "causality").detail.find("was not tried") != std::string::npos);
        for (const char* name : { "sink", "ties" })
            QVERIFY(check_of(report, name).status == CheckStatus::not_applicable);
    }

    void a_run_without_windows_or_arrays_has_nothing_to_check()
    {
        Run run = make_run(right_cases(), 6);
        run.keep_hash.clear();
        run.kept_entries.clear();
        run.target_hash.clear();
        run.mass_error.clear();
        run.last_key_importance.clear();
        forget_what_came_later(run);
        QVERIFY(!audit(run).failed());
        QVERIFY(check_of(audit(run), "budget").status == CheckStatus::not_applicable);
        for (const Check& check : audit(Run {}).checks)
            QVERIFY2(check.status == CheckStatus::not_applicable, check.name.c_str());
    }

    void definitions_that_coincide_are_known_data()
    {
        QTest::addColumn<QString>("a");
        QTest::addColumn<QString>("b");
        QTest::addColumn<int>("budget");
        QTest::addColumn<bool>("same");
        QTest::newRow("all local") << "h2o(local=1)"
                                   << "recent" << 20 << true;
        QTest::newRow("no sinks") << "streaming-llm(sinks=0)"
                                  << "recent" << 20 << true;
        QTest::newRow("sinks") << "streaming-llm"
                               << "recent" << 20 << false;
        QTest::newRow("all sinks") << "streaming-llm(sinks=8)"
                                   << "streaming-llm(sinks=9)" << 5 << true;
        QTest::newRow("small") << "cab"
                               << "h2o" << 4 << true;
        QTest::newRow("five") << "cab"
                              << "h2o" << 5 << false;
        QTest::newRow("no bridges") << "cab(bridge_ratio=0)"
                                    << "h2o(local=0.3)" << 50 << true;
        QTest::newRow("near") << "h2o(local=0.2)"
                              << "h2o(local=0.22)" << 50 << false;
        QTest::newRow("own seed") << "random"
                                  << "random(seed=3)" << 20 << true;
        QTest::newRow("other seed") << "random"
                                    << "random(seed=4)" << 20 << false;
        QTest::newRow("unknown") << "later"
                                 << "h2o" << 20 << false;
    }
    void definitions_that_coincide_are_known()
    {
        QFETCH(QString, a);
        QFETCH(QString, b);
        QFETCH(int, budget);
        SelectRequest request;
        request.budget = budget;
        request.seed = 3;
        QTEST(audit_checks::same_by_definition(a.toStdString(), b.toStdString(), request, 100), "same");
    }

    void an_analysis_is_checked_for_mass_causality_and_budget()
    {
        Analysis a;
        a.layers = a.heads = a.kv_heads = 1;
        a.context = 3;
        a.importance = { 1.75F, 0.75F, 0.5F };
        a.row_lse = { 1, 2, 3 };
        QVERIFY(!audit(a).failed());
        QVERIFY(check_of(audit(a), "mass").status == CheckStatus::pass);
        QVERIFY(check_of(audit(a), "budget").status == CheckStatus::not_applicable);
        const auto failing = [&](std::vector<float> importance, const std::string& name) {
            Analysis wrong = a;
            wrong.importance = std::move(importance);
            return check_of(audit(wrong), name).status == CheckStatus::fail;
        };
        QVERIFY(failing({ 1.75F, 0.75F, 0.51F }, "mass"));
        QVERIFY(failing({ 2.5F, -0.1F, 0.6F }, "mass"));
        QVERIFY(failing({ 0.5F, 2.1F, 0.4F }, "mass")); // key 1 is seen by two queries
        QVERIFY(failing({ 1.0F, 0.9F, 1.1F }, "causality"));
        QVERIFY(failing({ NAN, 0.9F, 0.1F }, "finite"));
        SelectRequest request;
        request.policy = parse_policy("h2o");
        request.budget = 2;
        a.keep_sets.push_back(select(a, request));
        QVERIFY(check_of(audit(a), "budget").status == CheckStatus::pass);
        a.keep_sets[0].labels[0] = a.keep_sets[0].labels[1] = Label::kept;
        QVERIFY(check_of(audit(a), "budget").status == CheckStatus::fail);
    }

    void the_published_table_fails_baseline_and_distinct_in_words()
    {
        const AuditReport report = audit(import_table(KEEPSET_SOURCE_DIR "/resources/examples/published-faulty.csv"));
        const Check& baseline = check_of(report, "baseline");
        QVERIFY(baseline.status == CheckStatus::fail);
        QVERIFY2(baseline.detail.find("CAB (79.29) and H2O (79.29) differ from dense (8.77): the attention differs")
                != std::string::npos,
            baseline.detail.c_str());
        const Check& distinct = check_of(report, "distinct");
        QVERIFY(distinct.status == CheckStatus::fail);
        QVERIFY2(distinct.detail.find("CAB and H2O at 50% and 90%") != std::string::npos
                && distinct.detail.find("the policy was never applied") != std::string::npos,
            distinct.detail.c_str());
        QVERIFY(check_of(report, "monotone").status == CheckStatus::pass);
        QVERIFY(check_of(report, "mass").status == CheckStatus::not_applicable);
    }

    void tables_are_judged_within_their_rounding()
    {
        const auto status = [](const QByteArray& rows, const char* name) {
            return check_of(audit(table_of("method,sparsity,perplexity\n" + rows)), name).status;
        };
        QVERIFY(status("dense,0,8.77\nh2o,0,8.78\n", "baseline") == CheckStatus::pass);
        QVERIFY(status("dense,0,8.77\nh2o,0,8.79\n", "baseline") == CheckStatus::fail);
        QVERIFY(status("h2o,0,8.77\n", "baseline") == CheckStatus::not_applicable);
        QVERIFY(status("h2o,.5,9\ncab,.5,9\n", "distinct") == CheckStatus::warning); // one sparsity alone
        QVERIFY(status("h2o,.5,9\ncab,.5,9\nh2o,.9,12\ncab,.9,13\n", "distinct") == CheckStatus::warning);
        QVERIFY(status("h2o,.5,9\ncab,.5,9.1\n", "distinct") == CheckStatus::pass);
        QVERIFY(status("h2o,0,9.5\nh2o,.5,9.4\n", "monotone") == CheckStatus::pass);
        QVERIFY(status("h2o,0,9.5\nh2o,.5,9.3\n", "monotone") == CheckStatus::warning);
        QVERIFY(status("h2o,.5,inf\n", "finite") == CheckStatus::fail);
    }

    void no_comparison_of_a_table_swallows_a_value_that_is_no_number_data()
    {
        QTest::addColumn<QByteArray>("rows");
        QTest::newRow("dense") << QByteArray("dense,0,nan\nh2o,0,9\ncab,0,9\nh2o,.5,10\ncab,.5,11\n");
        QTest::newRow("infinite dense") << QByteArray("dense,0,inf\nh2o,0,inf\ncab,0,9\nh2o,.5,10\ncab,.5,11\n");
        QTest::newRow("at sparsity 0") << QByteArray("dense,0,9\nh2o,0,nan\ncab,0,9\nh2o,.5,10\ncab,.5,11\n");
        QTest::newRow("in a curve") << QByteArray("dense,0,9\nh2o,0,9\ncab,0,9\nh2o,.5,nan\ncab,.5,11\n");
        QTest::newRow("both") << QByteArray("dense,0,9\nh2o,0,9\ncab,0,9\nh2o,.5,nan\ncab,.5,nan\n");
        QTest::newRow("all") << QByteArray("dense,0,nan\nh2o,0,nan\ncab,0,nan\nh2o,.5,nan\ncab,.5,nan\n");
    }
    void no_comparison_of_a_table_swallows_a_value_that_is_no_number()
    {
        QFETCH(QByteArray, rows);
        const AuditReport report = audit(table_of("method,sparsity,perplexity\n" + rows));
        QVERIFY(report.failed() && check_of(report, "finite").status == CheckStatus::fail);
        for (const char* name : { "baseline", "distinct", "monotone" })
            QVERIFY2(check_of(report, name).status == CheckStatus::undecided, check_of(report, name).detail.c_str());
    }

    void tables_are_read_in_any_usual_shape()
    {
        const ImportedTable table
            = table_of("\xEF\xBB\xBF\"Perplexity\",note,SPARSITY,Policy\r\n"
                       "8.5,\"a, \"\"b\"\"\r\nc\",50 %,\"h2o(local=0.3,x=1)\"\r\n\r\n9e0,,90%,cab");
        QCOMPARE(table.rows.size(), std::size_t { 2 });
        QCOMPARE(table.rows[0].method, std::string("h2o(local=0.3,x=1)"));
        QCOMPARE(table.rows[0].sparsity, 0.5);
        QCOMPARE(table.rows[1].sparsity, 0.9);
        QCOMPARE(table.rows[1].perplexity, 9.0);
        QCOMPARE(table_of("method,sparsity,perplexity\na,5,1\nb,50,1\n").rows[1].sparsity, 0.5);
        const Run run = make_run(right_cases(), 6);
        QCOMPARE(table_of(QByteArray::fromStdString(to_csv(run))).rows.size(), run.points.size());
    }

    void wrong_tables_are_refused_with_the_line_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QString>("words");
        const QByteArray header = "method,sparsity,perplexity\n";
        QTest::newRow("empty") << QByteArray() << "is empty";
        QTest::newRow("blank") << QByteArray("\n\r\n") << "is empty";
        QTest::newRow("no rows") << header << "no rows";
        QTest::newRow("no column") << QByteArray("name;sparsity\nx,1\n")
                                   << "no column 'method'; found: 'name', 'sparsity'";
        QTest::newRow("not a number") << header + "a,0,1\nb,0,9.1x\n"
                                      << "line 3: the perplexity '9.1x' is not a number";
        QTest::newRow("no sparsity") << header + "a,,1\n"
                                     << "line 2: the sparsity '' is not a number";
        QTest::newRow("negative") << header + "a,-0.5,1\n"
                                  << "line 2: the sparsity -0.5 is out of range";
        QTest::newRow("all") << header + "a,100%,1\n"
                             << "below 100%";
        QTest::newRow("NaN sparsity") << header + "a,nan,1\n"
                                      << "out of range";
        QTest::newRow("ragged") << header + "a,0\n"
                                << "line 2: 2 fields where the header has 3";
        QTest::newRow("open quote") << header + "\"a,0,1\n"
                                    << "line 2: a quoted field is never closed";
        QTest::newRow("behind quote") << header + "\"a\"b,0,1\n"
                                      << "line 2: text stands behind";
        QTest::newRow("twice") << header + "a,0.5,1\nb,0.5,1\na,0.5,2\n"
                               << "line 4: 'a' at this sparsity was already given in line 2";
        QTest::newRow("no name") << header + ",0.5,1\n"
                                 << "no name";
        QTest::newRow("binary") << QByteArray("method\0sparsity", 15) << "not a text file";
        QTest::newRow("no UTF-8") << header + "\xff,0.5,1\n"
                                  << "not a text file";
    }
    void wrong_tables_are_refused_with_the_line()
    {
        QFETCH(QByteArray, text);
        QFETCH(QString, words);
        try {
            table_of(text);
            QFAIL("no error");
        } catch (const Error& error) {
            QVERIFY(error.kind() == ErrorKind::input);
            QVERIFY2(QString::fromStdString(error.what()).contains(words), error.what());
        }
        QVERIFY_EXCEPTION_THROWN(import_table("/nowhere/at.csv"), Error);
        QVERIFY_EXCEPTION_THROWN(import_table("/"), Error);
    }
};

KEEPSET_TEST(AuditTest)
#include "tst_audit.moc"
