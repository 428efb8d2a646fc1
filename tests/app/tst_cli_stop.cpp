#include "core/engine.h"
#include "tests/app/stop_time.h"
#include "tests/support/made_model.h"
#include "tests/support/test_main.h"

#include <QTemporaryDir>

#include <nlohmann/json.hpp>

#include <cstring>

using namespace keepset;

namespace {

/// Equal to the last bit; NaN equals NaN.
bool same(const std::vector<double>& a, const std::vector<double>& b)
{
    return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(double)) == 0;
}

/// The table without its last column, the seconds.
QList<QByteArray> numbers_of(const QString& csv)
{
    QList<QByteArray> lines = cli::read(csv).split('\n');
    const QList<QByteArray> columns = lines.front().split(',');
    for (QByteArray& line : lines) {
        QList<QByteArray> fields = line.split(',');
        for (qsizetype column = columns.size() - 1; column >= 0 && fields.size() == columns.size(); --column) {
            if (columns[column].contains("seconds"))
                fields.removeAt(column);
        }
        line = fields.join(',');
    }
    return lines;
}

/// SIGTERM's bit in a line of what the system says of a process.
bool has_sigterm(const QProcess& process, const QByteArray& name)
{
    const QByteArray status = cli::read(QString("/proc/%1/status").arg(process.processId()));
    const QByteArray line = status.mid(status.indexOf(name) + name.size(), 20).trimmed().split('\n')[0];
    return (line.toULongLong(nullptr, 16) >> (SIGTERM - 1) & 1U) != 0;
}
/// Sent, and not taken by the program yet.
bool signal_pending(const QProcess& process) { return has_sigterm(process, "ShdPnd:"); }

} // namespace

/// A sweep that is stopped, killed or watched loses nothing: what is finished is on disk, and --resume goes on.
class TestCliStop : public QObject {
    Q_OBJECT

private:
    QTemporaryDir folder_;
    std::shared_ptr<const Run> whole_;

    QString in(const QString& name) const { return folder_.filePath(name); }
    QStringList sweep(const QString& name) const
    {
        // The demo's text has more than 6000 bytes, which are the tiny model's tokens: 20 windows of 300.
        return { "sweep", cli::tiny_model(), "--text", cli::demo_text(), "--context", "240", "--target", "60",
            "--windows", "20", "--policies", "h2o,cab,streaming-llm,recent,random", "--sparsity", "0:0.9:0.15",
            "--threads", "1", "--quiet", "--out", in(name + ".h5"), "--csv", in(name + ".csv") };
    }
    std::int64_t windows_done(const QString& name) const
    {
        if (!QFile::exists(in(name + ".h5")))
            return 0;
        return load_run(in(name + ".h5").toStdString())->windows_done();
    }
    /// Starts a sweep and halts it with some windows done and others not.
    void start_and_halt(QProcess& process, const QString& name)
    {
        process.start(KEEPSET_CLI, sweep(name));
        QVERIFY(process.waitForStarted());
        QTRY_VERIFY_WITH_TIMEOUT(windows_done(name) >= 2, 60000);
        QVERIFY(cli::send(process, SIGSTOP));
        QVERIFY2(windows_done(name) < whole_->windows, "The sweep was done before it could be stopped.");
    }
    void resume_and_compare(const QString& name)
    {
        const cli::Result resumed = cli::run(sweep(name) + QStringList { "--resume" });
        QVERIFY2(resumed.status == 0, resumed.text());
        const auto run = load_run(in(name + ".h5").toStdString());
        QVERIFY(same(run->window_nll, whole_->window_nll));
        QVERIFY(run->keep_hash == whole_->keep_hash);
        QCOMPARE(numbers_of(in(name + ".csv")), numbers_of(in("whole.csv")));
    }

private Q_SLOTS:
    void initTestCase()
    {
        const cli::Result result = cli::run(sweep("whole"));
        QVERIFY2(result.status == 0, result.text());
        whole_ = load_run(in("whole.h5").toStdString());
        QCOMPARE(whole_->windows_done(), 20);
    }

    void a_signal_ends_a_sweep_at_once_and_it_goes_on_data()
    {
        QTest::addColumn<int>("number");
        QTest::newRow("SIGINT, as Ctrl-C") << SIGINT;
        QTest::newRow("SIGTERM") << SIGTERM;
    }
    void a_signal_ends_a_sweep_at_once_and_it_goes_on()
    {
        QFETCH(const int, number);
        const QString name = QString("signal-%1").arg(number);
        QProcess process;
        start_and_halt(process, name);
        const std::int64_t before = windows_done(name);
        const cli::Stopped stopped = cli::stop(process, number);
        const cli::Result& result = stopped.result;
        QVERIFY2(stopped.in_time(), stopped.text());
        QVERIFY2(result.status == 130 && result.is_one_sentence() && result.said("--resume"), result.text());
        QVERIFY(windows_done(name) >= before && windows_done(name) < whole_->windows);
        QVERIFY(!QFile::exists(in(name + ".csv")) && !QFile::exists(in(name + ".h5.lock")));
        resume_and_compare(name);
    }

    void kill_9_loses_nothing_that_was_finished()
    {
        QProcess process;
        start_and_halt(process, "killed");
        const std::int64_t before = windows_done("killed");
        process.kill();
        QCOMPARE(cli::ended(process).status, -1);
        const cli::Result shown = cli::run({ "show", in("killed.h5"), "--json" });
        QVERIFY2(shown.status == 0, shown.text());
        QCOMPARE(nlohmann::json::parse(shown.out.toStdString()).at("windows_done").get<std::int64_t>(), before);
        resume_and_compare("killed");
        QVERIFY(!QFile::exists(in("killed.h5.lock")));
    }

    void a_second_writer_is_refused_and_the_first_goes_on()
    {
        QProcess process;
        start_and_halt(process, "two");
        for (const char* option : { "--force", "--resume" }) {
            const cli::Result second = cli::run(sweep("two") + QStringList { option });
            QVERIFY2(second.status == 3 && second.is_one_sentence() && second.said("another process"), second.text());
        }
        const cli::Result plain = cli::run(sweep("two"));
        QVERIFY2(plain.status == 2 && plain.is_one_sentence() && plain.said("exists already"), plain.text());
        QVERIFY(cli::send(process, SIGCONT));
        const cli::Result first = cli::ended(process);
        QVERIFY2(first.status == 0, first.text());
        QVERIFY(same(load_run(in("two.h5").toStdString())->window_nll, whole_->window_nll));
    }

    void readers_follow_a_sweep_without_disturbing_it()
    {
        QProcess process;
        process.start(KEEPSET_CLI, sweep("read"));
        QTRY_VERIFY_WITH_TIMEOUT(QFile::exists(in("read.h5")), 60000);
        std::int64_t seen = 0;
        int reads = 0;
        while (process.state() != QProcess::NotRunning && seen < whole_->windows) {
            const cli::Result shown = cli::run({ "show", in("read.h5"), "--json" });
            QVERIFY2(shown.status == 0 && shown.err.isEmpty(), shown.text());
            const auto now = nlohmann::json::parse(shown.out.toStdString()).at("windows_done").get<std::int64_t>();
            QVERIFY(now >= seen);
            seen = now;
            ++reads;
            process.waitForFinished(1); // lets the object notice an end
        }
        QVERIFY(reads > 0);
        const cli::Result result = cli::ended(process);
        QVERIFY2(result.status == 0, result.text());
        QVERIFY(same(load_run(in("read.h5").toStdString())->window_nll, whole_->window_nll));
    }

    void a_stop_before_the_first_window_leaves_what_was_there_and_says_so_data()
    {
        QTest::addColumn<QString>("option");
        QTest::addColumn<QString>("words");
        QTest::newRow("over another run") << "--force"
                                          << "as it was";
        QTest::newRow("going on") << "--resume"
                                  << "as it was";
        QTest::newRow("nothing there") << ""
                                       << "No window was begun";
    }
    void a_stop_before_the_first_window_leaves_what_was_there_and_says_so()
    {
        QFETCH(const QString, option);
        QFETCH(const QString, words);
        QStringList arguments = sweep("before");
        arguments.replace(arguments.indexOf("--text") + 1, "-"); // comes when we say so
        if (!option.isEmpty()) {
            QVERIFY(QFile::copy(in("whole.h5"), in("before.h5")));
            arguments << option;
        }
        const QByteArray old = cli::read(in("before.h5"));
        QProcess process;
        process.start(KEEPSET_CLI, arguments);
        QVERIFY(process.waitForStarted());
        QTRY_VERIFY_WITH_TIMEOUT(cli::blocks_signals(process), 60000);
        QVERIFY(cli::send(process, SIGTERM));
        QTRY_VERIFY_WITH_TIMEOUT(!signal_pending(process), 60000);
        process.write(cli::read(cli::demo_text()));
        process.closeWriteChannel();
        const cli::Result result = cli::ended(process);
        QVERIFY2(result.status == 130 && result.is_one_sentence() && result.said(words), result.text());
        QVERIFY2(!result.said("--resume"), result.text());
        QCOMPARE(cli::read(in("before.h5")), old);
        QCOMPARE(QDir(folder_.path()).entryList({ "before.*" }).size(), option.isEmpty() ? 0 : 1);
        QFile::remove(in("before.h5"));
    }

    void a_forced_sweep_replaces_the_old_run_with_its_first_window()
    {
        QVERIFY(QFile::copy(in("whole.h5"), in("forced.h5")));
        QStringList arguments = sweep("forced") << "--force";
        arguments.replaceInStrings("0:0.9:0.15", "0:0.9:0.1");
        QProcess process;
        process.start(KEEPSET_CLI, arguments);
        QVERIFY(process.waitForStarted());
        std::size_t points = whole_->points.size();
        while (points == whole_->points.size()) { // whoever looks finds one run or the other, whole
            const auto run = load_run(in("forced.h5").toStdString());
            points = run->points.size();
            QVERIFY(run->windows_done() >= 1);
            QVERIFY(process.state() != QProcess::NotRunning || process.exitCode() == 0);
        }
        const cli::Result result = cli::ended(process);
        QVERIFY2(result.status == 0, result.text());
        QVERIFY(load_run(in("forced.h5").toStdString())->finished());
        QVERIFY(!QFile::exists(in("forced.h5.new")));
    }

    void a_signal_is_answered_whatever_is_being_done_data()
    {
        QTest::addColumn<QStringList>("words");
        QTest::addColumn<int>("after_ms");
        const QString text = cli::source("resources/demo/heldout-books-test.txt");
        const auto add = [&](const char* name, const QStringList& words) {
            for (const int after_ms : { 0, 300, 1500 })
                QTest::addRow("%s, %d ms later", name, after_ms) << words << after_ms;
        };
        const QStringList inputs { in("model"), "--text", text, "--threads", "1", "--quiet" };
        add("logits", QStringList { "logits" } + inputs);
        add("analyze",
            QStringList { "analyze", "--context", "8192", "--policies", "cab(bridge=flow)", "--out", in("a.h5") }
                + inputs);
        add("analyze, finding bridges",
            QStringList { "analyze", "--context", "1024", "--policies", "cab(bridge=flow)", "--sparsity", "0:0.98:0.01",
                "--out", in("b.h5") }
                + inputs);
        add("sweep",
            QStringList { "sweep", "--context", "4096", "--target", "512", "--out", in("s.h5"), "--force" } + inputs);
        add("tokenize", { "tokenize", cli::tiny_model(), "--text", in("large.txt") });
        for (const char* what : { "load", "analysis", "sweep", "kernels" })
            add(what,
                { "bench", what, "--model", in("model"), "--text", text, "--context", "4096", "--threads", "1",
                    "--turns", "1000000", "--quiet" }); // it has no end of its own
    }
    void a_signal_is_answered_whatever_is_being_done()
    {
        QFETCH(const QStringList, words);
        QFETCH(const int, after_ms);
        if (!QFile::exists(in("model"))) {
            made::random_model(in("model").toStdString());
            const QByteArray text = cli::read(cli::source("resources/demo/heldout-books-test.txt"));
            QVERIFY(cli::write(in("large.txt"), text.repeated(16))); // 20 MB
        }
        QProcess process;
        process.setStandardOutputFile(QProcess::nullDevice());
        process.start(KEEPSET_CLI, words);
        QVERIFY(process.waitForStarted());
        QTRY_VERIFY_WITH_TIMEOUT(cli::blocks_signals(process), 60000);
        QTest::qWait(after_ms);
        if (words.front() != "bench" && process.state() != QProcess::Running)
            QSKIP("it was done before it could be stopped");
        const cli::Stopped stopped = cli::stop(process);
        const cli::Result& result = stopped.result;
        QVERIFY2(stopped.in_time(), stopped.text());
        QVERIFY2(result.status == 130 && result.is_one_sentence() && result.said("stopped"), result.text());
    }
};

KEEPSET_TEST(TestCliStop)
#include "tst_cli_stop.moc"
