#include "core/engine.h"
#include "tests/app/cli_process.h"
#include "tests/support/test_main.h"

#include <QTemporaryDir>

#include <filesystem>
#include <functional>
#include <map>

namespace {

/// Names and bytes of all files in a folder, links followed.
std::map<QString, QByteArray> contents(const QString& folder)
{
    std::map<QString, QByteArray> all;
    for (const QString& name : QDir(folder).entryList(QDir::Files | QDir::System | QDir::Hidden))
        all[name] = cli::read(folder + "/" + name);
    return all;
}

using Link = std::function<bool(const QString& folder)>;

Link symbolic(const QString& name, const QString& target)
{
    return [=](const QString& folder) {
        std::error_code error;
        std::filesystem::create_symlink(target.toStdString(), (folder + "/" + name).toStdString(), error);
        return !error;
    };
}

Link hard(const QString& name, const QString& target)
{
    return [=](const QString& folder) {
        std::error_code error;
        std::filesystem::create_hard_link(
            (folder + "/" + target).toStdString(), (folder + "/" + name).toStdString(), error);
        return !error;
    };
}

} // namespace

Q_DECLARE_METATYPE(Link)

/// No output of a command destroys another file of it, and none is ever half written.
class TestCliOutputs : public QObject {
    Q_OBJECT

private:
    QTemporaryDir folder_;
    QByteArray run_; ///< a finished run file

    QString in(const QString& name) const { return folder_.filePath(name); }
    QStringList sweep(const QString& folder) const
    {
        return { "sweep", folder + "/model", "--text", folder + "/text.txt", "--context", "64", "--target", "16",
            "--windows", "2", "--policies", "h2o", "--sparsity", "0.5", "--threads", "1", "--quiet" };
    }
    /// A folder with a model, a text and a finished run to be lost.
    bool fill(const QString& folder) const
    {
        return cli::copy_tiny_model(folder + "/model") && cli::write(folder + "/text.txt", cli::read(cli::demo_text()))
            && cli::write(folder + "/run.h5", run_) && cli::write(folder + "/old.csv", "old");
    }

private Q_SLOTS:
    void initTestCase()
    {
        QVERIFY(cli::copy_tiny_model(in("model")) && cli::write(in("text.txt"), cli::read(cli::demo_text())));
        const cli::Result made = cli::run(sweep(folder_.path()) << "--out" << in("made.h5"));
        QVERIFY2(made.status == 0, made.text());
        run_ = cli::read(in("made.h5"));
    }

    void a_file_of_the_command_is_never_destroyed_by_its_output_data()
    {
        QTest::addColumn<QStringList>("options"); // {} is the folder
        QTest::addColumn<Link>("link");
        QTest::addColumn<QString>("words");
        const Link none = [](const QString&) { return true; };
        const auto row = [](const char* name, const QStringList& options, const Link& link, const QString& words) {
            QTest::newRow(name) << options << link << words;
        };
        row("one name", { "sweep", "--out", "{}/new.h5", "--csv", "{}/new.h5" }, none, "--out and --csv");
        row("one name, force", { "sweep", "--force", "--out", "{}/run.h5", "--csv", "{}/run.h5" }, none, "--csv");
        row("one name, resume", { "sweep", "--resume", "--out", "{}/run.h5", "--csv", "{}/run.h5" }, none, "--csv");
        row("./", { "sweep", "--out", "{}/new.h5", "--csv", "{}/./model/../new.h5" }, none, "one file");
        row("symbolic link", { "sweep", "--resume", "--out", "{}/run.h5", "--csv", "{}/link.csv" },
            symbolic("link.csv", "run.h5"), "one file");
        row("link to what is not there yet", { "sweep", "--out", "{}/new.h5", "--csv", "{}/link.csv" },
            symbolic("link.csv", "new.h5"), "one file");
        row("link to the folder", { "sweep", "--out", "{}/new.h5", "--csv", "{}/here/new.h5" }, symbolic("here", "."),
            "one file");
        row("hard link", { "sweep", "--force", "--out", "{}/run.h5", "--csv", "{}/hard.csv" },
            hard("hard.csv", "run.h5"), "one file");
        row("lock file", { "sweep", "--out", "{}/new.h5", "--csv", "{}/new.h5.lock" }, none, "in use while");
        row("part file", { "sweep", "--out", "{}/new.h5", "--csv", "{}/new.h5.part" }, none, "in use while");
        row("text as run", { "sweep", "--force", "--out", "{}/text.txt" }, none, "--text");
        row("text as table", { "sweep", "--force", "--out", "{}/new.h5", "--csv", "{}/text.txt" }, none, "--text");
        row("text behind a hard link", { "sweep", "--force", "--csv", "{}/t.csv" }, hard("t.csv", "text.txt"),
            "--text");
        row("text as trace", { "analyze", "--force", "--out", "{}/text.txt" }, none, "--text");
        row("text as logits", { "logits", "--force", "--out", "{}/text.txt" }, none, "--text");
        row("text by its lock", { "analyze", "--out", "{}/text" }, hard("text.lock", "text.txt"), "in use while");
        for (const char* command : { "sweep", "analyze", "logits" }) {
            const auto name = [&](const char* what) { return QByteArray(command) + ": " + what; };
            row(name("config"), { command, "--force", "--out", "{}/model/config.json" }, none, "a file of the model");
            row(name("new config"), { command, "--out", "{}/model/generation_config.json" }, none,
                "a file of the model");
            row(name("weights"), { command, "--force", "--out", "{}/w.h5" },
                symbolic("w.h5", "model/model.safetensors"), "a file of the model");
            row(name("weights, hard link"), { command, "--force", "--out", "{}/h.h5" },
                hard("h.h5", "model/model.safetensors"), "a file of the model");
        }
        row("tokenizer as table", { "sweep", "--force", "--csv", "{}/model/tokenizer.json" }, none,
            "a file of the model");
    }
    void a_file_of_the_command_is_never_destroyed_by_its_output()
    {
        QFETCH(QStringList, options);
        QFETCH(const Link, link);
        QFETCH(const QString, words);
        const QTemporaryDir place;
        QVERIFY(fill(place.path()) && link(place.path()));
        const auto files = contents(place.path());
        const auto model = contents(place.path() + "/model");
        options.replaceInStrings("{}", place.path());
        const QString command = options.takeFirst();
        const QStringList base = command == "sweep"
            ? sweep(place.path())
            : QStringList { command, place.path() + "/model", "--text", place.path() + "/text.txt" };
        const cli::Result result = cli::run(base + options);
        QVERIFY2(result.status == 2 && result.is_one_sentence() && result.said(words), result.text());
        QVERIFY(contents(place.path()) == files);
        QVERIFY(contents(place.path() + "/model") == model);
    }

    void results_may_lie_beside_a_model_and_be_overwritten()
    {
        QVERIFY(cli::write(in("model/run.h5"), run_) && cli::write(in("model/table.csv"), "old"));
        const cli::Result result
            = cli::run(sweep(folder_.path()) << "--force"
                                             << "--out" << in("model/run.h5") << "--csv" << in("model/table.csv"));
        QVERIFY2(result.status == 0, result.text());
        QVERIFY(QFile::remove(in("model/run.h5")) && QFile::remove(in("model/table.csv")));
    }

    void a_link_as_output_stays_a_link()
    {
        QVERIFY(symbolic("link.h5", "behind.h5")(folder_.path()) && symbolic("link.csv", "behind.csv")(folder_.path()));
        const cli::Result result
            = cli::run(sweep(folder_.path()) << "--out" << in("link.h5") << "--csv" << in("link.csv"));
        QVERIFY2(result.status == 0, result.text());
        QVERIFY(QFileInfo(in("link.h5")).isSymLink() && QFileInfo(in("link.csv")).isSymLink());
        QVERIFY(keepset::load_run(in("behind.h5").toStdString())->finished());
        QVERIFY(cli::read(in("behind.csv")).startsWith("policy,"));
    }

    void standard_output_that_goes_into_a_file_of_the_command_is_refused()
    {
        for (const char* name : { "run.h5", "text.txt" }) {
            const QTemporaryDir place;
            QVERIFY(fill(place.path()));
            const auto files = contents(place.path());
            QProcess process;
            process.setStandardOutputFile(place.filePath(name), QIODevice::Append);
            process.start(KEEPSET_CLI,
                sweep(place.path()) << "--resume"
                                    << "--out" << place.filePath("run.h5"));
            const cli::Result result = cli::ended(process);
            QVERIFY2(result.status == 2 && result.said("standard output"), result.text());
            QVERIFY(contents(place.path()) == files);
        }
    }

    void a_table_that_cannot_be_written_leaves_the_old_one()
    {
        const QTemporaryDir place;
        QVERIFY(fill(place.path()));
        const auto files = contents(place.path());
        const cli::Result result = cli::run(sweep(place.path()) << "--force"
                                                                << "--csv" << place.filePath("old.csv"),
            100);
        QVERIFY2(result.status == 3 && result.is_one_sentence() && result.said("as it was"), result.text());
        QVERIFY(contents(place.path()) == files);
    }

    void a_lock_file_with_something_in_it_is_somebodys_and_stays()
    {
        const QTemporaryDir place;
        QVERIFY(fill(place.path()) && cli::write(place.filePath("new.h5.lock"), "mine"));
        const auto files = contents(place.path());
        const cli::Result result = cli::run(sweep(place.path()) << "--out" << place.filePath("new.h5"));
        QVERIFY2(result.status == 3 && result.is_one_sentence() && result.said("in the way"), result.text());
        QVERIFY(contents(place.path()) == files);
    }

    void without_an_output_the_table_is_printed_and_that_nothing_is_kept_is_said()
    {
        const QTemporaryDir place;
        QVERIFY(fill(place.path()));
        const auto files = contents(place.path());
        const cli::Result result = cli::run(sweep(place.path()));
        QVERIFY2(result.status == 0 && result.out.contains("h2o") && result.out.contains("perplexity"), result.text());
        QVERIFY2(result.said("nothing is kept") && result.err.count('\n') == 1, result.text());
        QVERIFY(contents(place.path()) == files);
        const cli::Result table = cli::run(sweep(place.path()) << "--csv"
                                                               << "-");
        QVERIFY2(table.status == 0 && table.err.isEmpty() && table.out.startsWith("policy,"), table.text());
    }

    void token_losses_that_the_file_lacks_are_not_gone_on_with()
    {
        const QTemporaryDir place;
        QVERIFY(fill(place.path()));
        const auto files = contents(place.path());
        const QStringList resume = sweep(place.path()) << "--resume"
                                                       << "--out" << place.filePath("run.h5");
        const cli::Result refused = cli::run(resume + QStringList { "--per-token" });
        QVERIFY2(refused.status == 2 && refused.is_one_sentence() && refused.said("--per-token"), refused.text());
        QVERIFY(contents(place.path()) == files);
        const cli::Result made = cli::run(sweep(place.path()) << "--per-token"
                                                              << "--out" << place.filePath("tokens.h5"));
        QVERIFY2(made.status == 0, made.text());
        const cli::Result kept = cli::run(sweep(place.path()) << "--resume"
                                                              << "--out" << place.filePath("tokens.h5"));
        QVERIFY2(kept.status == 0, kept.text());
        QVERIFY(!keepset::load_run(place.filePath("tokens.h5").toStdString())->token_nll.empty());
    }

    void windows_of_another_build_are_noted_in_the_file_and_said()
    {
        const std::string file = in("built.h5").toStdString();
        keepset::Run run = *keepset::load_run(in("made.h5").toStdString());
        const std::string here = run.provenance.generator;
        run.provenance.generator = "keepset 0.0.1 (older)";
        save(run, file, true);
        const QStringList resume = sweep(folder_.path()) << "--resume"
                                                         << "--out" << in("built.h5");
        const cli::Result result = cli::run(resume);
        QVERIFY2(result.status == 0 && result.said("several builds"), result.text());
        const std::string noted = "keepset 0.0.1 (older), from window 3 on " + here;
        QCOMPARE(keepset::load_run(file)->provenance.generator, noted);
        QCOMPARE(cli::run(resume).status, 0); // the same build again: nothing to add
        QCOMPARE(keepset::load_run(file)->provenance.generator, noted);
    }

    void a_budget_asked_for_twice_is_one_point()
    {
        QStringList arguments = sweep(folder_.path()) << "--csv"
                                                      << "-";
        arguments.replaceInStrings(QRegularExpression("^--sparsity$"), "--budget");
        arguments.replaceInStrings(QRegularExpression("^0\\.5$"), "32,8,32");
        const cli::Result result = cli::run(arguments);
        QVERIFY2(result.status == 0, result.text());
        const QList<QByteArray> lines = result.out.trimmed().split('\n');
        QCOMPARE(lines.size(), 1 + 1 + 2);
        QVERIFY(lines[2].contains(",32,") && lines[3].contains(",8,"));
    }
};

KEEPSET_TEST(TestCliOutputs)
#include "tst_cli_outputs.moc"
