#include "core/engine.h"
#include "tests/app/stop_time.h"
#include "tests/support/made_model.h"
#include "tests/support/test_main.h"

#include <QTemporaryDir>

#include <nlohmann/json.hpp>

#include <filesystem>

using namespace keepset;

namespace {

constexpr std::uint64_t large = std::uint64_t { 6 } << 30U; // three seconds and more of hashing
constexpr std::uint64_t small = std::uint64_t { 8 } << 20U;

/// The environment with HDF5's variable as a user may have set it.
QProcessEnvironment with_locking(const QString& value)
{
    QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
    environment.insert("HDF5_USE_FILE_LOCKING", value);
    return environment;
}

} // namespace

/// The hash of the weights holds nothing up, and HDF5's environment does not decide over a sweep.
class TestCliWeights : public QObject {
    Q_OBJECT

private:
    QTemporaryDir folder_;

    QString in(const QString& name) const { return folder_.filePath(name); }
    QString made(const QString& name, std::uint64_t padding) const
    {
        const std::filesystem::path folder = in(name).toStdString();
        if (!std::filesystem::exists(folder))
            made::padded_model(folder, padding);
        return in(name);
    }
    QStringList sweep(const QString& model, const QString& out, int windows = 4) const
    {
        return { "sweep", model, "--text", cli::demo_text(), "--context", "240", "--target", "60", "--windows",
            QString::number(windows), "--policies", "h2o,cab", "--sparsity", "0.5", "--threads", "1", "--out",
            in(out) };
    }
    static QString sha256_of(const QString& file)
    {
        QProcess process;
        process.start("sha256sum", { file });
        return process.waitForFinished(120000) ? QString::fromLatin1(process.readAllStandardOutput().left(64))
                                               : QString();
    }
    std::shared_ptr<const Run> run_in(const QString& out) const
    {
        return QFile::exists(in(out)) ? load_run(in(out).toStdString()) : nullptr;
    }
    void end_and_check(QProcess& process)
    {
        const cli::Stopped stopped = cli::stop(process);
        QVERIFY2(stopped.in_time() && stopped.result.status == 130, stopped.text());
    }

private Q_SLOTS:
    void windows_are_done_before_the_weights_are_hashed_and_the_wait_at_the_end_can_be_stopped()
    {
        QProcess process;
        process.start(KEEPSET_CLI, sweep(made("large", large), "early.h5"));
        QTRY_VERIFY_WITH_TIMEOUT(run_in("early.h5") && run_in("early.h5")->windows_done() == 4, 60000);
        QCOMPARE(process.state(), QProcess::Running); // it waits for the hash
        QCOMPARE(run_in("early.h5")->provenance.model_sha256, std::string());
        end_and_check(process);
        QCOMPARE(run_in("early.h5")->windows_done(), 4);
        QVERIFY(!run_in("early.h5")->audit.checks.empty());
    }

    void logits_and_analyze_say_their_results_first_and_can_be_stopped_while_they_wait_data()
    {
        QTest::addColumn<QString>("command");
        QTest::newRow("logits") << "logits";
        QTest::newRow("analyze") << "analyze";
    }
    void logits_and_analyze_say_their_results_first_and_can_be_stopped_while_they_wait()
    {
        QFETCH(const QString, command);
        QProcess process;
        QStringList words { command, made("large", large), "--text", cli::demo_text(), "--threads", "1", "--out",
            in(command + ".h5") };
        if (command == "analyze")
            words << "--context"
                  << "300";
        process.start(KEEPSET_CLI, words);
        QByteArray said;
        QTRY_VERIFY_WITH_TIMEOUT((said += process.readAllStandardError()).contains("attention pass  100%")
                || process.state() == QProcess::NotRunning,
            60000);
        QTest::qWait(100);
        QVERIFY2(process.state() == QProcess::Running, said);
        end_and_check(process);
        QVERIFY(!QFile::exists(in(command + ".h5")));
    }

    void logits_that_are_only_printed_need_no_hash()
    {
        const double begin = cli::children_seconds();
        const cli::Result tiny = cli::run({ "logits", cli::tiny_model(), "--text", cli::demo_text(), "--quiet" });
        const double alone = cli::children_seconds() - begin;
        const cli::Result padded = cli::run({ "logits", made("large", large), "--text", cli::demo_text(), "--quiet" });
        QCOMPARE(padded.out, tiny.out);
        const double both = cli::children_seconds() - begin;
        QVERIFY2(both < 2 * alone + 1, QByteArray::number(both)); // 6 GiB take two seconds at least
    }

    void the_hash_is_in_the_file_at_the_end_and_compared_when_the_sweep_goes_on()
    {
        const QString model = made("small", small);
        const cli::Result result = cli::run(sweep(model, "whole.h5"));
        QVERIFY2(result.status == 0, result.text());
        const QString expected = sha256_of(model + "/model.safetensors");
        QCOMPARE(QString::fromStdString(run_in("whole.h5")->provenance.model_sha256), expected);
        const cli::Result again = cli::run(sweep(model, "whole.h5") + QStringList { "--resume" });
        QVERIFY2(again.status == 0, again.text());
        const cli::Result other = cli::run(sweep(cli::tiny_model(), "whole.h5") + QStringList { "--resume" });
        QVERIFY2(other.status == 2 && other.said("the model's weights (SHA-256)"), other.text());
    }

    void a_sweep_that_was_stopped_before_its_hash_was_known_gets_it_when_it_goes_on()
    {
        const QString model = made("small", small);
        Run run = *load_run([&] {
            cli::run(sweep(model, "known.h5"));
            return in("known.h5").toStdString();
        }());
        const std::string hash = run.provenance.model_sha256;
        run.provenance.model_sha256.clear();
        save(run, in("unknown.h5").toStdString(), true);
        const cli::Result result = cli::run(sweep(model, "unknown.h5") + QStringList { "--resume" });
        QVERIFY2(result.status == 0, result.text());
        QCOMPARE(run_in("unknown.h5")->provenance.model_sha256, hash);
    }

    void a_blob_of_the_hugging_face_cache_is_named_by_its_hash()
    {
        const QString model = made("large", large);
        const QString root = in("models--somebody--model");
        const QString snapshot = root + "/snapshots/0123abc";
        const QString name(64, 'a');
        QVERIFY(QDir().mkpath(root + "/blobs") && QDir().mkpath(snapshot));
        QVERIFY(QFile::rename(model + "/model.safetensors", root + "/blobs/" + name));
        QVERIFY(QFile::link("../../blobs/" + name, snapshot + "/model.safetensors"));
        QVERIFY(QFile::link(root + "/blobs/" + name, model + "/model.safetensors")); // the other tests may come again
        for (const char* file : { "config.json", "tokenizer.json" })
            QVERIFY(QFile::copy(model + "/" + file, snapshot + "/" + file));
        const cli::Result result = cli::run(sweep(snapshot, "cached.h5"));
        QVERIFY2(result.status == 0, result.text());
        QCOMPARE(QString::fromStdString(run_in("cached.h5")->provenance.model_sha256), name);
    }

    void the_locking_that_the_shell_asks_for_ends_no_sweep_data()
    {
        QTest::addColumn<QString>("value");
        for (const char* value : { "TRUE", "BEST_EFFORT", "FALSE", "1", "0", "nonsense" })
            QTest::newRow(value) << value;
    }
    void the_locking_that_the_shell_asks_for_ends_no_sweep()
    {
        if (QString(KEEPSET_PYTHON).isEmpty())
            QSKIP("There is no Python with h5py.");
        QFETCH(const QString, value);
        const QString out = "locked-" + value + ".h5";
        QProcess sweeping;
        sweeping.setProcessEnvironment(with_locking(value));
        sweeping.start(KEEPSET_CLI, sweep(cli::tiny_model(), out, 20));
        QTRY_VERIFY_WITH_TIMEOUT(run_in(out), 60000);
        // Attached to the end: it holds the file, with a lock where the variable says so, until its input ends.
        QProcess reader;
        reader.setProcessEnvironment(with_locking(value));
        reader.start(KEEPSET_PYTHON,
            { "-c",
                "import sys, h5py\n"
                "f = h5py.File(sys.argv[1], 'r', swmr=True)\n"
                "p = f['sweep/points']\n"
                "print('attached', flush=True)\n"
                "sys.stdin.read()\n"
                "p.refresh()\n"
                "print(p['windows'][0], f.attrs['model_name'])\n",
                in(out) });
        const bool attached = reader.waitForReadyRead(60000) && reader.readAllStandardOutput().startsWith("attached");
        const cli::Result result = cli::ended(sweeping);
        QVERIFY2(result.status == 0, result.text());
        reader.closeWriteChannel();
        const cli::Result seen = cli::ended(reader);
        if (value != "nonsense") // which HDF5 itself may refuse in the reader
            QVERIFY2(attached && seen.status == 0 && seen.out.trimmed().startsWith("20 "), seen.text());
        QCOMPARE(run_in(out)->windows_done(), 20);
    }
};

KEEPSET_TEST(TestCliWeights)
#include "tst_cli_weights.moc"
