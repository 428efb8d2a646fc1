#include "tests/app/cli_process.h"
#include "tests/support/keep_files.h"
#include "tests/support/test_main.h"

#include <QTemporaryDir>
#include <nlohmann/json.hpp>

#include <cmath>

namespace {

/// A command of keepset-cli or a Python program, as it stands in the manual.
struct Snippet {
    bool python = false;
    QString text;
};

/// What a section of resources/help/own-method.md shows, in order; "": what stands in front of the first one.
QList<Snippet> snippets_of(const QString& heading)
{
    const QString page = QString::fromUtf8(cli::read(cli::source("resources/help/own-method.md")));
    const qsizetype begin = heading.isEmpty() ? 0 : page.indexOf("\n## " + heading + "\n");
    const QStringList lines = page.mid(begin, page.indexOf("\n## ", begin + 1) - begin).split('\n');
    QList<Snippet> found;
    bool inside = false;
    for (const QString& line : lines) {
        if (line.startsWith("```")) {
            inside = line == "```python";
            if (inside)
                found.push_back({ true, {} });
        } else if (inside) {
            found.back().text += line + "\n";
        } else if (line.startsWith("    keepset-cli ")) {
            found.push_back({ false, line.trimmed() });
        }
    }
    return found;
}

} // namespace

/// The page of the manual about methods of one's own: what it shows is run, exactly as it stands there.
class TestOwnMethod : public QObject {
    Q_OBJECT

private:
    QTemporaryDir folder_;
    QString in(const QString& name) const { return folder_.filePath(name); }

    /// Python with transformers, and kvpress; see tests/reference/policies_kvpress.py for the versions.
    static QString python(bool transformers)
    {
        const QString other = qEnvironmentVariable("KEEPSET_TRANSFORMERS_PYTHON");
        return transformers && !other.isEmpty() ? other : QString(KEEPSET_PYTHON);
    }
    static bool has(const QString& python, const QString& modules)
    {
        return !python.isEmpty() && QProcess::execute(python, { "-c", "import " + modules }) == 0;
    }

    cli::Result run(const Snippet& snippet, const QString& python) const
    {
        QProcess process;
        process.setWorkingDirectory(folder_.path());
        QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
        environment.insert("PATH", folder_.path() + "/bin:" + environment.value("PATH"));
        environment.insert("HF_HUB_OFFLINE", "1");
        process.setProcessEnvironment(environment);
        if (snippet.python)
            process.start(python, { "-c", snippet.text });
        else
            process.start("bash", { "-c", snippet.text + " --json --quiet" });
        return cli::ended(process);
    }

    /// Runs all of a section; the points of its last sweep.
    nlohmann::json points_of(const QList<Snippet>& snippets, const QString& python) const
    {
        cli::Result result;
        for (const Snippet& snippet : snippets) {
            result = run(snippet, python);
            if (result.status != 0) {
                QTest::qFail((snippet.text.toUtf8() + "\n" + result.text()).constData(), __FILE__, __LINE__);
                return {};
            }
        }
        const auto json = nlohmann::json::parse(result.out.toStdString(), nullptr, false);
        return json.is_object() ? json.value("points", nlohmann::json()) : nlohmann::json();
    }

    static double perplexity(const nlohmann::json& points, const std::string& policy, double sparsity)
    {
        for (const auto& point : points) {
            if (point.at("policy") == policy && std::abs(point.at("sparsity").get<double>() - sparsity) < 1e-3)
                return point.at("perplexity").get<double>();
        }
        return NAN;
    }

    /// That a file which repeats what a policy of ours ranks by does as that one does.
    static void compare(const nlohmann::json& points, const std::string& ours, const std::string& file)
    {
        const double dense = perplexity(points, "dense", 0);
        for (const double sparsity : { 0.5, 0.75 }) {
            const double found = perplexity(points, file, sparsity);
            const double wanted = perplexity(points, ours, sparsity);
            // Scores of two programs differ by rounding, and so may what is kept at a cut that is nearly a tie.
            QVERIFY2(std::abs(std::log(found / wanted)) < 0.02 * std::log(wanted / dense),
                qPrintable(QString("%1 and %2 of dense %3").arg(found).arg(wanted).arg(dense)));
        }
    }

private Q_SLOTS:
    void initTestCase()
    {
        QVERIFY(QFile::link(cli::demo_model(), in("model")));
        QVERIFY(QFile::link(cli::source("resources/demo/heldout-books-test.txt"), in("text.txt")));
        QVERIFY(QDir(folder_.path()).mkdir("bin") && QFile::link(KEEPSET_CLI, in("bin/keepset-cli")));
    }

    void a_rule_in_numpy_is_measured()
    {
        if (!has(python(false), "h5py, numpy")) {
            QVERIFY2(!qEnvironmentVariableIsSet("CI"), "no Python with h5py, and CI insists on these checks");
            QSKIP("There is no Python with h5py and numpy.");
        }
        QList<Snippet> shown = snippets_of("In numpy, from what Keepset measured");
        QCOMPARE(shown.size(), 4);
        const QList<Snippet> first = snippets_of({});
        QCOMPARE(first.size(), 1);
        const nlohmann::json mine = points_of(shown.mid(0, 2) + first, python(false));
        QCOMPARE(mine.size(), std::size_t { 5 });
        const double dense = perplexity(mine, "dense", 0);
        for (const double sparsity : { 0.5, 0.75 }) {
            const double found = perplexity(mine, "file(path=mine.h5)", sparsity);
            QVERIFY2(
                found > dense && found < 10 * dense && found != perplexity(mine, "h2o", sparsity), mine.dump().c_str());
        }
        const nlohmann::json kept = points_of(shown.mid(2), python(false));
        QCOMPARE(kept.size(), std::size_t { 4 }); // dense, h2o twice, and one keep set
        const double found = perplexity(kept, "file(path=keep.npz)", 0.75);
        QVERIFY2(found > dense && found < 10 * dense, kept.dump().c_str());
    }

    void scores_from_transformers_are_those_of_the_policy_they_repeat()
    {
        if (!has(python(true), "transformers, torch, safetensors, tokenizers"))
            QSKIP("There is no Python with transformers (set KEEPSET_TRANSFORMERS_PYTHON).");
        const QList<Snippet> shown = snippets_of("With transformers, for several windows");
        QCOMPARE(shown.size(), 2);
        compare(points_of(shown, python(true)), "knorm", "file(path=mine.safetensors)");
    }

    void scores_from_kvpress_are_those_of_the_policy_they_repeat()
    {
        if (!has(python(true), "kvpress, transformers, torch, tokenizers"))
            QSKIP("There is no Python with kvpress (set KEEPSET_TRANSFORMERS_PYTHON).");
        const QList<Snippet> shown = snippets_of("With kvpress");
        QCOMPARE(shown.size(), 2);
        compare(points_of(shown, python(true)), "snapkv", "file(path=mine.npz)");
    }

    void what_is_wrong_with_a_file_is_one_sentence_before_the_model_is_read()
    {
        const QStringList sweep { "sweep", "model", "--text", cli::demo_text(), "--context", "16", "--target", "8",
            "--quiet", "--policies" };
        const QString none = in("none.h5");
        const cli::Result missing = cli::run(sweep + QStringList { "file(path=" + none + ")" });
        QVERIFY2(missing.status == 3 && missing.is_one_sentence() && missing.said(none), missing.text());
        const cli::Result nothing = cli::run(sweep + QStringList { "file" });
        QVERIFY2(
            nothing.status == 2 && nothing.is_one_sentence() && nothing.said("file(path=mine.h5)"), nothing.text());
        const cli::Result open = cli::run(sweep + QStringList { "file(path=a,b.h5)" });
        QVERIFY2(open.status == 2 && open.is_one_sentence() && open.said("double quotes"), open.text());
    }

    void a_file_that_is_read_is_never_written()
    {
        const QString file = in("odd (2), é.safetensors");
        keep_files::write_bytes(file.toStdString(),
            keep_files::safetensors({ keep_files::scores({ 2, 2, 16 }, std::vector<float>(64, 1)) }));
        const QByteArray before = cli::read(file);
        const QString policy = "file(path=\"" + file + "\")";
        for (const QStringList& command : { QStringList { "sweep" }, QStringList { "analyze" } }) {
            const cli::Result result = cli::run(command
                + QStringList { cli::tiny_model(), "--text", cli::demo_text(), "--context", "16", "--policies", policy,
                    "--out", file, "--force", "--quiet" });
            QVERIFY2(result.status == 2 && result.is_one_sentence() && result.said("--policies"), result.text());
        }
        QCOMPARE(cli::read(file), before);
    }

    void a_file_for_another_model_is_refused_with_the_sizes()
    {
        const QString file = in("odd (2), é.safetensors");
        const cli::Result result = cli::run({ "analyze", cli::tiny_model(), "--text", cli::demo_text(), "--context",
            "16", "--policies", "h2o,file(path=\"" + file + "\")", "--out", in("t.h5"), "--quiet" });
        QVERIFY2(result.status == 3 && result.is_one_sentence() && result.said("(layers, kv_heads, context)"),
            result.text());
        QVERIFY(!QFile::exists(in("t.h5")));
    }
};

KEEPSET_TEST(TestOwnMethod)
#include "tst_own_method.moc"
