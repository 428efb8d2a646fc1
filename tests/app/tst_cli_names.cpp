#include "core/engine.h"
#include "tests/app/cli_process.h"
#include "tests/support/test_main.h"

#include <QStandardPaths>
#include <QTemporaryDir>

#include <nlohmann/json.hpp>

using nlohmann::json;

namespace {

json parsed(const QByteArray& text) { return json::parse(text.begin(), text.end(), nullptr, false); }

/// A name that shells, HTML, menus and line-based readers stumble over.
const QString awkward = QStringLiteral("it's \"a\" & <b>ü<b> $(x)\n%1 &lt; [*]");

} // namespace

/// Names and numbers come out as they are: whatever a file is called, whatever it ends in, whatever the user's
/// language.
class TestCliNames : public QObject {
    Q_OBJECT

private:
    QTemporaryDir folder_;
    QString in(const QString& name) const { return folder_.filePath(name); }
    QStringList sweep(const QString& text, const QString& out, const QString& sparsity = "0.25,0.5") const
    {
        return { "sweep", cli::tiny_model(), "--text", text, "--context", "64", "--target", "16", "--windows", "5",
            "--policies", "h2o,cab(local=0.25)", "--sparsity", sparsity, "--threads", "1", "--quiet", "--out", out };
    }
    /// The demo's text in a file of that name, in a folder of that name.
    QString awkward_text() const
    {
        QDir().mkpath(in(awkward));
        const QString text = in(awkward + "/" + awkward + ".txt");
        return cli::write(text, cli::read(cli::demo_text())) ? text : QString();
    }
    /// Runs a line of bash with KEEPSET_CLI in front of the path.
    static cli::Result shell(const QByteArray& line)
    {
        QProcess process;
        QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
        environment.insert("PATH", QFileInfo(KEEPSET_CLI).path() + ":" + environment.value("PATH"));
        process.setProcessEnvironment(environment);
        process.start("bash", { "-c", QString::fromUtf8(line) });
        return cli::ended(process);
    }

private Q_SLOTS:
    void initTestCase()
    {
        const cli::Result result = cli::run(sweep(cli::demo_text(), in("run.h5")));
        QVERIFY2(result.status == 0, result.text());
    }

    void a_result_is_known_by_its_first_bytes_and_not_by_its_name_data()
    {
        QTest::addColumn<QString>("name");
        for (const char* name : { "run.hdf5", "run.H5", "run.dat", "run", "run.csv" })
            QTest::newRow(name) << QString(name);
        QTest::newRow("awkward") << awkward;
    }
    void a_result_is_known_by_its_first_bytes_and_not_by_its_name()
    {
        QFETCH(const QString, name);
        const QTemporaryDir place;
        QVERIFY(QFile::copy(in("run.h5"), place.filePath(name)));
        const cli::Result audit = cli::run({ "audit", place.filePath(name), "--json" });
        QVERIFY2(audit.status == 0 && parsed(audit.out).is_array(), audit.text());
        const cli::Result shown = cli::run({ "show", place.filePath(name) });
        QVERIFY2(shown.status == 0 && shown.out.contains("5 of 5 windows"), shown.text());
    }

    void what_is_no_result_is_told_in_a_sentence_whatever_its_name()
    {
        const QByteArray run = cli::read(in("run.h5"));
        for (const QByteArray& bytes :
            { QByteArray(), QByteArray("\n"), QByteArray("\0", 1), run.left(3000), run.left(7) }) {
            for (const char* name : { "x.h5", "x.hdf5", "x.dat", "x", "x.csv", "a & <b>ü.h5" }) {
                QVERIFY(cli::write(in(name), bytes));
                for (const char* command : { "show", "audit" }) {
                    const cli::Result result = cli::run({ command, in(name) });
                    QVERIFY2(result.status == 3 && result.is_one_sentence() && result.said(name), result.text());
                }
            }
        }
    }

    void show_summarises_a_file_of_logits()
    {
        const QStringList logits { "logits", cli::tiny_model(), "--text", cli::demo_text(), "--last", "3", "--quiet" };
        const cli::Result saved = cli::run(logits + QStringList { "--out", in("logits.dat") });
        QVERIFY2(saved.status == 0, saved.text());
        const cli::Result people = cli::run({ "show", in("logits.dat") });
        QVERIFY2(people.status == 0 && people.out.contains("3 positions"), people.text());
        QVERIFY2(people.out.contains(cli::run(logits).out), people.text()); // the same five
        const json all = parsed(cli::run({ "show", in("logits.dat"), "--json" }).out);
        QCOMPARE(all.at("kind"), json("logits"));
        QCOMPARE(all.at("positions"), json(3));
        QCOMPARE(all.at("vocabulary"), json(257));
        QCOMPARE(all.at("logits").size(), std::size_t(3));
        const cli::Result audit = cli::run({ "audit", in("logits.dat") });
        QVERIFY2(audit.status == 3 && audit.is_one_sentence() && audit.said("holds logits"), audit.text());
        const cli::Result run = cli::run({ "show", in("logits.dat"), "--reference", "h2o" });
        QVERIFY2(run.status == 2 && run.is_one_sentence(), run.text());
    }

    void an_awkward_name_comes_out_literally()
    {
        const QString text = awkward_text();
        const QString out = in(awkward + "/" + awkward + ".h5");
        const cli::Result made = cli::run(sweep(text, out) << "--json");
        QVERIFY2(made.status == 0, made.text());
        const json run = parsed(made.out);
        QCOMPARE(run.at("provenance").at("text_name").get<std::string>(), (awkward + ".txt").toStdString());
        const cli::Result again = cli::run(sweep(text, out));
        QVERIFY2(again.status == 2 && again.said("'" + out + "' exists already"), again.text());
        const cli::Result missing = cli::run({ "show", out + "x" });
        QVERIFY2(missing.status == 3 && missing.said("'" + out + "x'"), missing.text());
        QVERIFY(cli::write(in(awkward + ".csv"), "method,sparsity,perplexity\ndense,0,8.8\nh2o,half,9\n"));
        const cli::Result table = cli::run({ "audit", in(awkward + ".csv") });
        QVERIFY2(table.status == 3 && table.said(in(awkward + ".csv") + ", line 3"), table.text());
    }

    void the_stored_command_repeats_itself_in_a_shell()
    {
        const QString text = awkward_text();
        const QString out = in(awkward + "/again.h5");
        QCOMPARE(cli::run(sweep(text, out)).status, 0);
        const std::string command = keepset::load_run(out.toStdString())->provenance.command;
        QVERIFY2(command.find('\n') == std::string::npos, command.c_str());
        QVERIFY(QFile::remove(out));
        const cli::Result repeated = shell(QByteArray::fromStdString(command));
        QVERIFY2(repeated.status == 0, repeated.text());
        QCOMPARE(keepset::load_run(out.toStdString())->provenance.command, command);
    }

    void a_name_that_is_not_utf_8_works_and_what_is_stored_is_utf_8()
    {
        const QByteArray folder = folder_.path().toUtf8();
        const QByteArray line = "cd '" + folder + "' && t=$'caf\\xe9 \\xff.txt' && cp '" + cli::demo_text().toUtf8()
            + "' \"$t\" && keepset-cli sweep '" + cli::tiny_model().toUtf8()
            + "' --text \"$t\" --context 64 --target 16 --windows 1 --policies h2o --sparsity 0.5 --quiet --json --out "
              "$'r\\xff.h5' && mv $'r\\xff.h5' plain.h5";
        const cli::Result made = shell(line);
        QVERIFY2(made.status == 0, made.text());
        QVERIFY(parsed(made.out).is_object());
        const auto run = keepset::load_run(in("plain.h5").toStdString());
        QCOMPARE(run->provenance.text_name, std::string("caf\xEF\xBF\xBD \xEF\xBF\xBD.txt"));
        QVERIFY(QString::fromStdString(run->provenance.command).contains("--text $'caf\\xe9 \\xff.txt'"));
        const cli::Result refused = shell("keepset-cli show $'/no\\xffwhere.h5'");
        QVERIFY2(refused.status == 3 && refused.err.contains("/no\xFFwhere.h5"), refused.text());
        QVERIFY(QFile::remove(in("plain.h5")));
        const cli::Result repeated
            = shell("cd '" + folder + "' && " + QByteArray::fromStdString(run->provenance.command));
        QVERIFY2(repeated.status == 0, repeated.text());
    }

    void a_language_with_decimal_commas_changes_nothing()
    {
        const QTemporaryDir locales;
        QProcess maker;
        maker.start("localedef", { "-i", "de_DE", "-f", "UTF-8", locales.filePath("de_DE.UTF-8") });
        if (!maker.waitForFinished() || maker.exitCode() > 1
            || !QFile::exists(locales.filePath("de_DE.UTF-8/LC_NUMERIC")))
            QSKIP("no German locale can be made here (Debian's package 'locales' has its source)");
        const QList<QStringList> commands { { "info", cli::tiny_model() }, { "info", cli::tiny_model(), "--json" },
            { "show", in("run.h5") }, { "show", in("run.h5"), "--json" }, { "audit", in("run.h5") },
            { "logits", cli::tiny_model(), "--text", cli::demo_text(), "--json", "--quiet" },
            { "audit", cli::source("resources/examples/published-faulty.csv") },
            sweep(cli::demo_text(), in("x.h5"), "0,5"), { "audit", in("numbers.csv") } };
        QVERIFY(
            cli::write(in("numbers.csv"), "method,sparsity,perplexity\ndense,0,8.25\nh2o,0.5,9.125\nh2o,0.9,10.5\n"));
        for (const QStringList& command : commands) {
            QList<cli::Result> results;
            for (const char* language : { "C", "de_DE.UTF-8" }) {
                QProcess process;
                QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
                environment.insert("LOCPATH", locales.path());
                environment.insert("LC_ALL", language);
                process.setProcessEnvironment(environment);
                process.start(KEEPSET_CLI, command);
                results << cli::ended(process);
            }
            if (command.first() == "info") { // what is free changes from moment to moment
                static const QRegularExpression free("\"free\": \\d+|[0-9.]+ GB of [0-9.]+ GB are free");
                for (cli::Result& result : results)
                    result.out = QString::fromUtf8(result.out).replace(free, "").toUtf8();
            }
            QVERIFY2(results[0].status == results[1].status && results[0].out == results[1].out
                    && results[0].err == results[1].err,
                results[0].text() + "\n---\n" + results[1].text());
        }
        const cli::Result typed = cli::run(sweep(cli::demo_text(), in("x.h5"), "0,5"));
        QVERIFY2(typed.status == 2 && typed.is_one_sentence() && typed.said("[0, 1)"), typed.text());
    }
};

KEEPSET_TEST(TestCliNames)
#include "tst_cli_names.moc"
