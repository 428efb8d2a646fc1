#include "tests/app/cli_process.h"
#include "tests/support/test_main.h"

#include <QTemporaryDir>

/// Values that ask for nothing, for too much or for something else than they look like are refused, never read as
/// another value. The model folder is not there, or its weights are not: nothing is looked for before.
class TestCliValues : public QObject {
    Q_OBJECT

private:
    QTemporaryDir folder_;
    QString in(const QString& name) const { return folder_.filePath(name); }

private Q_SLOTS:
    void a_value_is_refused_data()
    {
        QTest::addColumn<QStringList>("arguments");
        QTest::addColumn<QString>("words");
        const QStringList sweep { "sweep", "no-model", "--text", cli::demo_text(), "--out", in("x.h5") };
        const QStringList analyze { "analyze", "no-model", "--text", cli::demo_text(), "--out", in("x.h5") };
        const QStringList logits { "logits", "no-model", "--text", cli::demo_text() };
        const auto row = [](const char* name, const QStringList& arguments, const QString& words) {
            QTest::newRow(name) << arguments << words;
        };
        for (const char* option : { "--sparsity", "--budget", "--policies", "--protocol", "--windows", "--granularity",
                 "--importance", "--gqa", "--positions", "--rounding", "--csv", "--device", "--dtype", "--context",
                 "--target", "--offset", "--seed", "--threads" })
            row((QByteArray("empty ") + option).constData(), sweep + QStringList { option, "" }, option);
        row("empty --out", { "sweep", "no-model", "--text", "t", "--out", "" }, "--out");
        row("empty text", { "sweep", "no-model", "--text", "" }, "--text");
        row("empty model", { "info", "" }, "MODEL_DIR");
        for (const char* list : { "64,", ",64", "64,,32", ",", "64;32", "64 32", "6.4", "0", "-1", "0x10" })
            row((QByteArray("budget ") + list).constData(), sweep + QStringList { "--budget", list }, "--budget");
        for (const char* list :
            { "0.5,", ",0.5", "0.5,,0.9", ",", "0.5;0.9", "0:0.9", "0:0.9:", ":0.9:0.1", "nan", "inf" })
            row((QByteArray("sparsity ") + list).constData(), sweep + QStringList { "--sparsity", list }, "parsit");
        row("decimal comma", sweep + QStringList { "--sparsity", "0,5" }, "[0, 1)");
        row("decimal comma in a policy", sweep + QStringList { "--policies", "h2o(local=0,5)" }, "name=value");
        for (const char* list : { "h2o,", ",h2o", "h2o,,cab", "," })
            row((QByteArray("policies ") + list).constData(), sweep + QStringList { "--policies", list },
                "without a name");
        const QString most = "at most 10000000000";
        for (const char* size : { "10000000001", "9223372036854775800", "9223372036854775807", "18446744073709551616",
                 "99999999999999999999999" }) {
            for (const char* option : { "--context", "--target", "--offset" })
                row((QByteArray(option) + size).constData(), sweep + QStringList { option, size }, most);
            row((QByteArray("analyze --context") + size).constData(), analyze + QStringList { "--context", size },
                most);
            row((QByteArray("analyze --offset") + size).constData(), analyze + QStringList { "--offset", size }, most);
            row((QByteArray("logits --last") + size).constData(), logits + QStringList { "--last", size }, most);
            row((QByteArray("info --context") + size).constData(), { "info", "no-model", "--context", size }, most);
            row((QByteArray("threads") + size).constData(), sweep + QStringList { "--threads", size }, "at most 4096");
            row((QByteArray("windows") + size).constData(), sweep + QStringList { "--windows", size }, "windows");
            row((QByteArray("budget") + size).constData(), sweep + QStringList { "--budget", size }, "udget");
            row((QByteArray("turns") + size).constData(), { "bench", "map", "--turns", size }, most);
        }
        row("threads 4097", sweep + QStringList { "--threads", "4097" }, "at most 4096");
        row("threads -1", sweep + QStringList { "--threads", "-1" }, "at least 0");
        row("seed too large", sweep + QStringList { "--seed", "18446744073709551616" }, "18446744073709551615");
        row("seed -1", sweep + QStringList { "--seed", "-1" }, "18446744073709551615");
        row("octal", sweep + QStringList { "--context", "0100" }, "whole number");
        row("hexadecimal", sweep + QStringList { "--context", "0x40" }, "whole number");
        row("exponent", sweep + QStringList { "--context", "1e3" }, "whole number");
        row("context 0", sweep + QStringList { "--context", "0" }, "at least 1");
        row("csv and json", sweep + QStringList { "--csv", "-", "--json" }, "standard output");
        row("resume without out", { "sweep", "no-model", "--text", "t", "--resume" }, "--out");
        row("per-token without out", { "sweep", "no-model", "--text", "t", "--per-token" }, "--out");
    }
    void a_value_is_refused()
    {
        QFETCH(const QStringList, arguments);
        QFETCH(const QString, words);
        const cli::Result result = cli::run(arguments);
        QVERIFY2(result.status == 2 && (result.is_one_sentence() || result.is_usage()), result.text());
        QVERIFY2(result.said(words), result.text());
        QVERIFY(QDir(folder_.path()).isEmpty());
    }

    void the_largest_seed_and_sizes_are_accepted()
    {
        const cli::Result result
            = cli::run({ "analyze", cli::tiny_model(), "--text", cli::demo_text(), "--context", "16", "--policies",
                "random", "--seed", "18446744073709551615", "--threads", "1", "--quiet", "--out", in("s.h5") });
        QVERIFY2(result.status == 0, result.text());
        const cli::Result far = cli::run({ "sweep", cli::tiny_model(), "--text", cli::demo_text(), "--context", "16",
            "--target", "8", "--offset", "10000000000", "--quiet" });
        QVERIFY2(far.status == 3 && far.said("room for 0 windows"), far.text());
        QVERIFY(QFile::remove(in("s.h5")));
    }

    void a_window_beyond_the_model_is_refused_before_the_weights_are_looked_for()
    {
        const QTemporaryDir place;
        const QString model = place.filePath("model");
        QVERIFY(cli::copy_tiny_model(model) && QFile::remove(model + "/model.safetensors")
            && QFile::remove(model + "/tokenizer.json"));
        const cli::Result sweep = cli::run({ "sweep", model, "--text", cli::demo_text(), "--quiet" }); // 1024 + 256
        QVERIFY2(sweep.status == 2 && sweep.is_one_sentence(), sweep.text());
        QVERIFY2(
            sweep.said("1024") && sweep.said("the 512 positions") && sweep.said("a context of 256 fits"), sweep.text());
        const cli::Result target
            = cli::run({ "sweep", model, "--text", cli::demo_text(), "--context", "8", "--target", "512", "--quiet" });
        QVERIFY2(target.status == 2 && target.said("smaller context and target"), target.text());
        const cli::Result analyze = cli::run(
            { "analyze", model, "--text", cli::demo_text(), "--context", "513", "--out", place.filePath("x.h5") });
        QVERIFY2(analyze.status == 2 && analyze.is_one_sentence() && analyze.said("512"), analyze.text());
    }
};

KEEPSET_TEST(TestCliValues)
#include "tst_cli_values.moc"
