#include "tests/app/cli_process.h"
#include "tests/support/test_main.h"

#include <QTemporaryDir>

#include <nlohmann/json.hpp>

#include <cmath>

using nlohmann::json;

namespace {

const QByteArray csv_head = "policy,sparsity,budget,windows,scored_tokens,nll_sum,perplexity,ci_low,ci_high,kl,"
                            "top1_agreement,kept_mass,seconds";

json parsed(const QByteArray& text) { return json::parse(text.begin(), text.end(), nullptr, false); }

} // namespace

/// Every subcommand gives what it promises; a wrong command is refused with status 2 before any work.
class TestCli : public QObject {
    Q_OBJECT

private:
    QTemporaryDir folder_;
    QString in(const QString& name) const { return folder_.filePath(name); }
    QStringList small_sweep(const QString& out) const
    {
        return { "sweep", cli::demo_model(), "--text", cli::demo_text(), "--context", "64", "--target", "16",
            "--windows", "2", "--policies", "h2o,cab", "--sparsity", "0,0.5,0.9", "--threads", "1", "--quiet", "--out",
            out };
    }

private Q_SLOTS:
    void initTestCase()
    {
        const cli::Result sweep = cli::run(small_sweep(in("run.h5")));
        QVERIFY2(sweep.status == 0, sweep.text());
        const cli::Result analysis = cli::run({ "analyze", cli::demo_model(), "--text", cli::demo_text(), "--context",
            "64", "--threads", "1", "--quiet", "--out", in("trace.h5") });
        QVERIFY2(analysis.status == 0, analysis.text());
        QVERIFY(analysis.out.contains("h2o") && analysis.out.contains("32 of 64"));
        QVERIFY(analysis.err.isEmpty() && sweep.err.isEmpty()); // --quiet
    }

    void version_and_help_are_there_for_each_data()
    {
        QTest::addColumn<QStringList>("arguments");
        QTest::addColumn<QByteArray>("words");
        QTest::newRow("version") << QStringList { "--version" } << QByteArray("keepset-cli 0.");
        QTest::newRow("help") << QStringList { "--help" } << QByteArray("Exit status: 0 done");
        for (const char* name : { "info", "tokenize", "logits", "analyze", "sweep", "show", "audit", "bench" })
            QTest::newRow(name) << QStringList { name, "--help" } << QByteArray("Usage: keepset-cli ") + name;
    }
    void version_and_help_are_there_for_each()
    {
        QFETCH(const QStringList, arguments);
        QFETCH(const QByteArray, words);
        const cli::Result result = cli::run(arguments);
        QVERIFY2(result.status == 0 && result.err.isEmpty() && result.out.contains(words), result.text());
    }

    void info_describes_the_model()
    {
        const cli::Result people = cli::run({ "info", cli::tiny_model() });
        QVERIFY2(people.status == 0 && people.out.contains("LlamaForCausalLM"), people.text());
        const json info = parsed(cli::run({ "info", cli::tiny_model(), "--json" }).out);
        QCOMPARE(info.at("heads"), json(7));
        QCOMPARE(info.at("kv_heads"), json(1));
        QCOMPARE(info.at("head_dim"), json(16));
        QCOMPARE(info.at("context"), json(512));
        QCOMPARE(info.at("vocabulary"), json(257));
    }

    void tokens_tile_the_text_and_the_offset_skips_them()
    {
        const QByteArray text = "Zw\xC3\xB6lf Boxk\xC3\xA4mpfer";
        const cli::Result result = cli::run({ "tokenize", cli::demo_model(), "--text", "-", "--json" }, 0, text);
        QVERIFY2(result.status == 0, result.text());
        QList<QByteArray> lines = result.out.split('\n');
        QVERIFY(lines.takeLast().isEmpty());
        int end = 0;
        for (qsizetype index = 0; index < lines.size(); ++index) {
            const json token = parsed(lines[index]);
            QCOMPARE(token.at("index").get<qsizetype>(), index);
            QCOMPARE(token.at("byte_begin").get<int>(), end);
            end = token.at("byte_end").get<int>();
        }
        QCOMPARE(end, static_cast<int>(text.size()));
        const cli::Result rest
            = cli::run({ "tokenize", cli::demo_model(), "--text", "-", "--json", "--offset", "2" }, 0, text);
        QCOMPARE(rest.out, lines.mid(2).join('\n') + '\n');
    }

    void logits_are_log_probabilities()
    {
        const cli::Result result = cli::run(
            { "logits", cli::tiny_model(), "--text", "-", "--last", "3", "--json", "--quiet" }, 0, "A text.");
        QVERIFY2(result.status == 0 && result.err.isEmpty(), result.text());
        QCOMPARE(result.out.count('\n'), 3);
        const json last = parsed(result.out.split('\n')[2]);
        QCOMPARE(last.at("token").at("text"), json("."));
        double before = 0;
        for (const json& entry : last.at("top")) {
            QVERIFY(entry.at("log_prob").get<double>() <= before);
            before = entry.at("log_prob").get<double>();
        }
        const cli::Result saved
            = cli::run({ "logits", cli::tiny_model(), "--text", "-", "--out", in("l.h5"), "--quiet" }, 0, "A text.");
        QVERIFY2(saved.status == 0 && QFile::exists(in("l.h5")), saved.text());
    }

    void csv_has_the_columns_of_the_points()
    {
        QStringList arguments = small_sweep(in("csv.h5"));
        const cli::Result result = cli::run(arguments << "--csv"
                                                      << "-"
                                                      << "--short"
                                                      << "8");
        QVERIFY2(result.status == 0, result.text());
        const QList<QByteArray> lines = result.out.split('\n');
        QCOMPARE(lines.size(), 1 + 7 + 1); // head; dense, two policies at three sparsities; the end
        QVERIFY2(lines[0].startsWith(csv_head + ",key_count,"), lines[0].constData());
        const QList<QByteArray> head = lines[0].split(',');
        for (const char* name : { "delta_p99", "kl_p99", "over_one_nat", "key_nll", "near_nll", "evicted_everywhere" })
            QVERIFY2(head.contains(name) && head.contains(QByteArray(name) + "_low"), name);
        QVERIFY(lines[1].split(',')[head.indexOf("key_count")].toDouble() >= 0); // no "nan": they were looked for
        QCOMPARE(lines[1].split(',')[head.indexOf("delta_p99")], QByteArray("0")); // dense to dense
        QCOMPARE(lines[1].split(',').size(), head.size());
        const double dense = lines[1].split(',')[6].toDouble();
        QVERIFY(dense > 1);
        QCOMPARE(lines[2].split(',')[6].toDouble(), dense); // nothing evicted
        QCOMPARE(lines[3].split(',')[2], QByteArray("32"));
    }

    void show_gives_run_and_trace()
    {
        const cli::Result people = cli::run({ "show", in("run.h5") });
        QVERIFY2(people.status == 0 && people.out.contains("2 of 2 windows"), people.text());
        const json run = parsed(cli::run({ "show", in("run.h5"), "--json" }).out);
        QCOMPARE(run.at("kind"), json("run"));
        QCOMPARE(run.at("windows_done"), json(2));
        QCOMPARE(run.at("points").size(), std::size_t(7));
        QVERIFY2(people.out.contains("Beyond the mean.") && people.out.contains("Which tokens need the context cannot"),
            people.text()); // its context is no longer than the short one
        QVERIFY(run.at("key_tokens").at("count").is_null() && run.at("key_tokens").at("short") == 64);
        QVERIFY(run.at("points")[3].at("delta_p99").get<double>() > 0);
        QVERIFY(run.at("points")[3].at("delta_p99_low").is_null()); // of two windows
        QVERIFY(run.at("provenance").at("command").get<std::string>().starts_with("keepset-cli sweep"));
        const json trace = parsed(cli::run({ "show", in("trace.h5"), "--json" }).out);
        QCOMPARE(trace.at("kind"), json("trace"));
        QCOMPARE(trace.at("keep").size(), std::size_t(6));
        const cli::Result known = cli::run({ "show", in("run.h5"), "--reference", "CAB(local=0.3)" }); // its default
        QVERIFY2(known.status == 0, known.text());
        const cli::Result unknown = cli::run({ "show", in("run.h5"), "--reference", "recent" });
        QVERIFY2(unknown.status == 2 && unknown.is_one_sentence() && unknown.out.isEmpty(), unknown.text());
    }

    void audit_passes_ours_and_fails_the_published_table()
    {
        const cli::Result ours = cli::run({ "audit", in("run.h5") });
        QVERIFY2(ours.status == 0, ours.text());
        const cli::Result trace = cli::run({ "audit", in("trace.h5"), "--json" });
        QVERIFY2(trace.status == 0 && parsed(trace.out).is_array(), trace.text());
        const cli::Result published
            = cli::run({ "audit", cli::source("resources/examples/published-faulty.csv"), "--json" });
        QCOMPARE(published.status, 1);
        std::map<std::string, std::string> status;
        for (const json& check : parsed(published.out))
            status[check.at("check")] = check.at("status");
        QCOMPARE(status["baseline"], std::string("fail"));
        QCOMPARE(status["distinct"], std::string("fail"));
    }

    void bench_prints_ratios()
    {
        const cli::Result result = cli::run({ "bench", "--model", cli::tiny_model(), "--text", cli::demo_text(),
            "--context", "64", "--target", "16", "--turns", "1", "--threads", "1", "--json", "--quiet" });
        QVERIFY2(result.status == 0, result.text());
        const json rows = parsed(result.out).at("rows");
        QCOMPARE(rows.size(), std::size_t(3));
        for (const json& row : rows)
            QVERIFY(row.at("ratio").get<double>() > 0);
    }

    void bench_of_scores_leaves_out_what_a_context_is_too_short_for()
    {
        const cli::Result result = cli::run({ "bench", "scores", "--model", cli::tiny_model(), "--text",
            cli::demo_text(), "--context", "48", "--turns", "1", "--threads", "1", "--json", "--quiet" });
        QVERIFY2(result.status == 0, result.text());
        const json all = parsed(result.out);
        std::string policies;
        for (const json& row : all.at("rows")) {
            QVERIFY(row.at("ratio").get<double>() > 0);
            policies += row.at("meaning").get<std::string>() + "\n";
        }
        for (const char* policy : { "tova", "keydiff", "knorm", "expected-attention", "dropkv", "kvzip" })
            QVERIFY2(
                policies.find(std::string("the scores of ") + policy + " ") != std::string::npos, policies.c_str());
        QVERIFY(policies.find("snapkv") == std::string::npos);
        QVERIFY(all.at("notes").dump().find("Without snapkv: ") != std::string::npos);
    }

    void bench_of_kernels_needs_no_model_data()
    {
        QTest::addColumn<int>("rows");
        QTest::newRow("select") << 1;
        QTest::newRow("map") << 1;
        QTest::newRow("bridges") << 2;
    }
    void bench_of_kernels_needs_no_model()
    {
        QFETCH(int, rows);
        const char* const what = QTest::currentDataTag();
        const cli::Result result
            = cli::run({ "bench", what, "--device", "cpu", "--threads", "2", "--turns", "1", "--json", "--quiet" });
        QVERIFY2(result.status == 0, result.text());
        const json all = parsed(result.out);
        QVERIFY(!all.contains("model"));
        QCOMPARE(all.at("rows").size(), static_cast<std::size_t>(rows));
        for (const json& row : all.at("rows")) {
            QCOMPARE(row.at("what").get<std::string>(), std::string(what));
            QVERIFY(row.at("seconds").get<double>() > 0);
            QVERIFY(row.at("ratio").get<double>() > 0);
        }
    }

    void bench_kernels_relates_every_way_to_the_forward_pass()
    {
        const cli::Result result = cli::run(
            { "bench", "kernels", "--device", "cpu", "--threads", "2", "--turns", "1", "--json", "--quiet" });
        QVERIFY2(result.status == 0, result.text());
        const json all = parsed(result.out);
        QCOMPARE(all.at("notes").size(), std::size_t(1));
        const json rows = all.at("rows");
        QCOMPARE(rows.size(), std::size_t(10));
        QCOMPARE(rows.at(0).at("ratio").get<double>(), 1.0);
        for (const json& row : rows) {
            const double share = row.at("share_of_ceiling").get<double>();
            QVERIFY2(share > 0 && std::isfinite(share), row.dump().c_str()); // what it is, the machine decides
            QVERIFY(row.at("ratio").get<double>() > 0);
        }
    }

    void a_wrong_command_is_refused_data()
    {
        QTest::addColumn<QStringList>("arguments");
        QTest::addColumn<QString>("words");
        // The model folder is not there: these are refused before it is looked for.
        const QStringList sweep { "sweep", "no-model", "--text", cli::demo_text(), "--out", in("x.h5") };
        const QStringList analyze { "analyze", "no-model", "--text", cli::demo_text(), "--out", in("x.h5") };
        QTest::newRow("no subcommand") << QStringList {} << "subcommand";
        QTest::newRow("unknown subcommand") << QStringList { "fly" } << "'fly'";
        QTest::newRow("unknown option") << sweep + QStringList { "--fly" } << "--fly";
        QTest::newRow("no --out, analyze") << QStringList { "analyze", "no-model", "--text", "t" } << "--out";
        QTest::newRow("unknown policy") << sweep + QStringList { "--policies", "h3o" } << "'h3o'";
        QTest::newRow("unknown policy, analyze") << analyze + QStringList { "--policies", "h3o" } << "'h3o'";
        QTest::newRow("unknown parameter") << sweep + QStringList { "--policies", "h2o(sinks=1)" } << "'sinks'";
        QTest::newRow("streaming") << sweep + QStringList { "--protocol", "streaming" } << "not built yet";
        QTest::newRow("window") << sweep + QStringList { "--importance", "window" } << "such as window:32";
        QTest::newRow("window:0") << analyze + QStringList { "--importance", "window:0" } << "from 1 on";
        QTest::newRow("window of all and more")
            << sweep + QStringList { "--importance", "window:65", "--context", "64" } << "no more than 64";
        QTest::newRow("bridge=x") << sweep + QStringList { "--policies", "cab(bridge=x)" } << "flow, curvature";
        QTest::newRow("bench without a model") << QStringList { "bench", "load" } << "--model";
        QTest::newRow("bench without a text") << QStringList { "bench", "sweep", "--model", "m" } << "--text";
        QTest::newRow("no turns") << QStringList { "bench", "map", "--turns", "0" } << "at least 1, not '0'";
        QTest::newRow("offset below 0") << analyze + QStringList { "--offset", "-3" } << "at least 0, not '-3'";
        QTest::newRow("context of words") << analyze + QStringList { "--context", "all" } << "not 'all'";
        QTest::newRow("bench fly") << QStringList { "bench", "fly", "--model", "m", "--text", "t" } << "'fly'";
        QTest::newRow("resume and force") << sweep + QStringList { "--resume", "--force" } << "--force";
        QTest::newRow("sparsity 1") << sweep + QStringList { "--sparsity", "1.0" } << "[0, 1)";
        QTest::newRow("sparsity 1, analyze") << analyze + QStringList { "--sparsity", "0.5,1.0" } << "[0, 1)";
        QTest::newRow("sparsity of words") << sweep + QStringList { "--sparsity", "half" } << "'half'";
        QTest::newRow("sparsity and budget")
            << sweep + QStringList { "--sparsity", "0.5", "--budget", "8" } << "--budget";
        QTest::newRow("budget above context")
            << sweep + QStringList { "--budget", "65", "--context", "64" } << "budget of 65";
        QTest::newRow("token-drop by head")
            << sweep + QStringList { "--protocol", "token-drop", "--granularity", "head" } << "granularity head";
        QTest::newRow("no windows") << sweep + QStringList { "--windows", "0" } << "--windows";
        QTest::newRow("target of one") << sweep + QStringList { "--target", "1" } << "target";
        QTest::newRow("negative offset") << sweep + QStringList { "--offset", "-1" } << "--offset";
        QTest::newRow("sweep exists") << small_sweep(in("run.h5")) << "--resume";
        QTest::newRow("csv exists") << sweep + QStringList { "--csv", in("run.h5") } << "exists already";
        QTest::newRow("trace exists") << QStringList { "analyze", "no-model", "--text", cli::demo_text(), "--out",
            in("trace.h5") } << "exists already";
        QTest::newRow("unknown dtype") << QStringList { "logits", cli::tiny_model(), "--text", cli::demo_text(),
            "--dtype", "int8" } << "'int8'";
        QTest::newRow("unknown device") << QStringList { "logits", cli::tiny_model(), "--text", cli::demo_text(),
            "--device", "tpu" } << "'tpu'";
        QTest::newRow("context above the model's") << QStringList { "sweep", cli::tiny_model(), "--text",
            cli::demo_text(), "--context", "500", "--target", "16", "--quiet", "--out", in("x.h5") }
                                                   << "512";
    }
    void a_wrong_command_is_refused()
    {
        QFETCH(const QStringList, arguments);
        QFETCH(const QString, words);
        const QByteArray before = cli::read(in("run.h5"));
        const cli::Result result = cli::run(arguments);
        QVERIFY2(result.status == 2 && (result.is_one_sentence() || result.is_usage()), result.text());
        QVERIFY2(result.said(words), result.text());
        QVERIFY(!QFile::exists(in("x.h5")));
        QCOMPARE(cli::read(in("run.h5")), before);
    }

    void force_overwrites_and_resume_of_another_sweep_is_refused()
    {
        QStringList arguments = small_sweep(in("force.h5"));
        QVERIFY(cli::write(in("force.h5"), "anything"));
        const cli::Result forced = cli::run(arguments + QStringList { "--force" });
        QVERIFY2(forced.status == 0, forced.text());
        arguments.replaceInStrings("0,0.5,0.9", "0,0.5");
        const cli::Result other = cli::run(arguments + QStringList { "--resume" });
        QVERIFY2(other.status == 2 && other.is_one_sentence() && other.said("another sweep"), other.text());
    }

    void a_device_that_is_not_there_gives_status_4()
    {
        const cli::Result result = cli::run(
            { "logits", cli::tiny_model(), "--text", cli::demo_text(), "--last", "1", "--device", "cuda:63" });
        QVERIFY2(result.status == 4 && result.is_one_sentence() && result.said("cuda"), result.text());
    }
};

KEEPSET_TEST(TestCli)
#include "tst_cli.moc"
