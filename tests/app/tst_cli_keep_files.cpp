#include "tests/app/cli_process.h"
#include "tests/support/keep_files.h"
#include "tests/support/test_main.h"

#include <QTemporaryDir>
#include <nlohmann/json.hpp>

using nlohmann::json;

/// keepset-cli and the files of policies: what show says of them, and what a trace says of what was read.
class TestCliKeepFiles : public QObject {
    Q_OBJECT

private:
    QTemporaryDir folder_;
    QString in(const QString& name) const { return folder_.filePath(name); }
    QString write(const QString& name, const std::vector<keep_files::Array>& arrays) const
    {
        keep_files::write_bytes(in(name).toStdString(), keep_files::npz(arrays));
        return in(name);
    }

private Q_SLOTS:
    void show_says_what_a_file_holds()
    {
        const QString file = write("mine.npz",
            { keep_files::keep({ 2, 1, 3 }, { 1, 0, 0, 1, 1, 1 }), keep_files::tokens({ 3 }, { 7, 8, 9 }) });
        const cli::Result shown = cli::run({ "show", file });
        QVERIFY2(shown.status == 0 && shown.err.isEmpty(), shown.text());
        for (const char* const words : { "npz, SHA-256 ", "keep    boolean  2 x 1 x 3",
                 "keep sets for 1 window of 3 tokens, "
                 "2 layers, 1 kv head; the tokens stand beside them",
                 "nothing is wrong with it" })
            QVERIFY2(QString::fromUtf8(shown.out).contains(words), shown.text() + shown.out);
        const json said = json::parse(cli::run({ "show", file, "--json" }).out.toStdString());
        QCOMPARE(said.at("kind"), "keep");
        QCOMPARE(said.at("holds"), "keep");
        QCOMPARE(said.at("tokens"), true);
        QCOMPARE(said.at("context"), 3);
        QCOMPARE(said.at("by_layer").at(1), (json { { "least", 3.0 }, { "mean", 3.0 }, { "most", 3.0 } }));
        QCOMPARE(said.at("problem"), "");
        const cli::Result reference = cli::run({ "show", file, "--reference", "h2o" });
        QVERIFY2(reference.status == 2 && reference.is_one_sentence(), reference.text());
    }

    void show_says_what_is_wrong_with_one()
    {
        const QString file = write("wrong.npz", { keep_files::keep({ 1, 1, 3 }, { 0, 0, 0 }) });
        const cli::Result shown = cli::run({ "show", file });
        QVERIFY2(shown.status == 1 && shown.err.isEmpty(), shown.text());
        QVERIFY2(QString::fromUtf8(shown.out).contains("keep has nothing that is kept in window 0."), shown.text());
        QCOMPARE(cli::run({ "show", file, "--json" }).status, 1);
        const cli::Result text = cli::run({ "show", cli::demo_text() });
        QVERIFY2(text.status == 3 && text.is_one_sentence(), text.text());
    }

    void show_says_what_a_trace_and_a_run_were_made_from()
    {
        const json info = json::parse(cli::run({ "info", cli::tiny_model(), "--json" }).out.toStdString());
        const auto layers = info.at("layers").get<std::int64_t>();
        const auto kv_heads = info.at("kv_heads").get<std::int64_t>();
        std::vector<float> scores;
        for (std::int64_t i = 0; i < layers * kv_heads * 24; ++i)
            scores.push_back(static_cast<float>(i)); // the last rows keep all
        const QString file = write("scores.npz", { keep_files::scores({ layers, kv_heads, 24 }, scores) });
        const QString policies = "h2o,file(path=" + file + ",uniform=false)";
        const QStringList common { cli::tiny_model(), "--text", cli::source("tests/reference/golden/gqa7/text.txt"),
            "--policies", policies, "--sparsity", "0.5", "--context", "24", "--quiet" };
        const std::string hash
            = json::parse(cli::run({ "show", file, "--json" }).out.toStdString()).at("sha256").get<std::string>();
        const cli::Result analysed = cli::run(QStringList { "analyze" } + common + QStringList { "--out", in("t.h5") });
        QVERIFY2(analysed.status == 0, analysed.text());
        const json trace = json::parse(cli::run({ "show", in("t.h5"), "--json" }).out.toStdString());
        QVERIFY(!trace.at("keep").at(0).contains("file_sha256"));
        QCOMPARE(trace.at("keep").at(1).at("file_sha256"), hash);
        QCOMPARE(trace.at("notes"), json::array());
        std::int64_t kept = 0;
        for (const json& layer : trace.at("keep").at(1).at("budgets")) {
            for (const json& row : layer)
                kept += row.get<std::int64_t>();
        }
        QCOMPARE(kept, 12 * layers * kv_heads);
        QVERIFY(QString::fromUtf8(cli::run({ "show", in("t.h5") }).out).contains("read from '" + file + "' (SHA-256 "));

        const cli::Result swept = cli::run(
            QStringList { "sweep" } + common + QStringList { "--target", "6", "--windows", "1", "--out", in("r.h5") });
        QVERIFY2(swept.status == 0, swept.text());
        const json run = json::parse(cli::run({ "show", in("r.h5"), "--json" }).out.toStdString());
        QCOMPARE(run.at("files"), (json::array({ { { "path", file.toStdString() }, { "sha256", hash } } })));
    }
};

KEEPSET_TEST(TestCliKeepFiles)
#include "tst_cli_keep_files.moc"
