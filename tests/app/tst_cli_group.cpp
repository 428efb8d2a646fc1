#include "core/result_files.h"
#include "tests/app/run_results.h"
#include "tests/support/free_port.h"
#include "tests/support/test_main.h"

#include <QTemporaryDir>

#include <memory>
#include <random>
#include <vector>

namespace {

constexpr int size = 3;
constexpr int windows = 60;
#ifdef __SANITIZE_ADDRESS__
constexpr int kills = 3; // a start takes seconds there
#else
constexpr int kills = 20;
#endif

/// The processes of one group on this machine, as torchrun starts them.
class Group {
public:
    Group(const std::vector<QStringList>& commands, int restart, int patience_s)
    {
        const int port = keepset::free_port();
        for (std::size_t rank = 0; rank < commands.size(); ++rank) {
            auto& process = *ranks_.emplace_back(std::make_unique<QProcess>());
            QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
            const auto set = [&](const char* name, auto value) { environment.insert(name, QString::number(value)); };
            set("RANK", rank);
            set("LOCAL_RANK", rank);
            set("WORLD_SIZE", commands.size());
            set("MASTER_PORT", port);
            set("TORCHELASTIC_RESTART_COUNT", restart);
            set("KEEPSET_PATIENCE", patience_s);
            environment.insert("MASTER_ADDR", "127.0.0.1");
            process.setProcessEnvironment(environment);
            process.start(KEEPSET_CLI, commands[rank]);
            process.closeWriteChannel();
        }
        for (const auto& rank : ranks_)
            rank->waitForStarted();
    }
    ~Group()
    {
        for (const auto& rank : ranks_)
            rank->kill();
        for (const auto& rank : ranks_)
            rank->waitForFinished();
    }
    Group(const Group&) = delete;
    Group& operator=(const Group&) = delete;

    bool runs(int rank) const { return ranks_[static_cast<std::size_t>(rank)]->state() == QProcess::Running; }
    bool send(int rank, int number) const { return cli::send(*ranks_[static_cast<std::size_t>(rank)], number); }
    cli::Result end(int rank) const { return cli::ended(*ranks_[static_cast<std::size_t>(rank)]); }

private:
    std::vector<std::unique_ptr<QProcess>> ranks_;
};

} // namespace

/// A sweep by several processes that find one another through the variables of torchrun.
class TestCliGroup : public QObject {
    Q_OBJECT

private:
    QTemporaryDir folder_;
    const QStringList long_ { "--windows", "all" }; ///< some hundreds: several seconds
    nlohmann::json whole_; ///< what one process gets
    std::uint32_t whole_ms_ = 1000; ///< that three processes take

    QString in(const QString& name) const { return folder_.filePath(name); }
    QStringList sweep(const QString& out, const QStringList& more = { "--windows", QString::number(windows) }) const
    {
        return QStringList { "sweep", cli::tiny_model(), "--text", in("text.txt"), "--context", "64", "--target", "16",
            "--policies", "h2o,cab,random", "--sparsity", "0.3,0.5,0.7,0.9", "--threads", "1", "--quiet", "--per-token",
            "--out", in(out) }
        + more;
    }
    std::unique_ptr<Group> group(const QStringList& command, int restart = 0, int patience_s = 60) const
    {
        return std::make_unique<Group>(std::vector<QStringList>(size, command), restart, patience_s);
    }

private Q_SLOTS:
    void initTestCase()
    {
        QVERIFY(cli::write(in("text.txt"), cli::read(cli::demo_text()).repeated(8)));
        const cli::Result one = cli::run(sweep("whole.h5"));
        QVERIFY2(one.status == 0, one.text());
        whole_ = cli::results(in("whole.h5"));
    }

    void three_processes_give_what_one_gives()
    {
        QElapsedTimer timer;
        timer.start();
        const auto ranks = group(sweep("three.h5"));
        const cli::Result first = ranks->end(0);
        QVERIFY2(first.status == 0 && first.out.contains("60 of 60 windows\n"), first.text());
        for (int rank = 1; rank < size; ++rank) {
            const cli::Result other = ranks->end(rank);
            QVERIFY2(other.status == 0 && other.out.isEmpty() && other.err.isEmpty(), other.text());
        }
        whole_ms_ = static_cast<std::uint32_t>(timer.elapsed());
        QVERIFY(cli::results(in("three.h5")) == whole_);
    }

    void a_killed_process_costs_the_windows_it_had_in_hand()
    {
        std::mt19937 random(11);
        int met = 0;
        for (int round = 0; round < kills; ++round) {
            const QString name = QString("killed-%1.h5").arg(round);
            const int victim = static_cast<int>(random() % size);
            {
                const auto ranks = group(sweep(name));
                QTest::qWait(static_cast<int>(whole_ms_ / 10 + random() % (whole_ms_ * 9 / 10)));
                met += ranks->send(victim, SIGKILL) ? 1 : 0;
                QTest::qWait(20); // as torchrun, which looks at them from time to time and ends the others
            }
            const int before = QFile::exists(in(name))
                ? static_cast<int>(keepset::load_run(in(name).toStdString())->windows_done())
                : 0;
            const auto again = group(sweep(name), 1);
            const cli::Result first = again->end(0);
            QVERIFY2(first.status == 0, first.text());
            const auto run = keepset::load_run(in(name).toStdString());
            QVERIFY2(run->finished() && run->windows_done() >= before, first.text());
            QVERIFY(cli::results(in(name)) == whole_);
        }
        QVERIFY2(met >= kills / 2, qPrintable(QString("only %1 of %2 were killed at work").arg(met).arg(kills)));
    }

    void a_process_that_hangs_ends_the_group_with_its_name()
    {
        // Between two windows a rank has none in hand: then the sentence names none.
        bool named = false;
        for (int attempt = 0; attempt < 6 && !named; ++attempt) {
            const QString file = QString("hangs-%1.h5").arg(attempt);
            const auto ranks = group(sweep(file, long_), 0, 2);
            QTRY_VERIFY_WITH_TIMEOUT(QFile::exists(in(file)), 20000);
            // Each has had windows then, however long its start took.
            QTRY_VERIFY_WITH_TIMEOUT(keepset::load_run(in(file).toStdString())->windows_done() >= 6, 20000);
            QVERIFY(ranks->runs(2));
            ranks->send(2, SIGSTOP);
            const cli::Result first = ranks->end(0);
            QVERIFY2(first.status == 4 && first.said("There is no sign of life of rank 2"), first.text());
            QVERIFY2(first.said("--resume goes on from there"), first.text());
            named = first.said("which had window ");
            ranks->send(2, SIGCONT);
            const cli::Result other = ranks->end(1);
            QVERIFY2(other.status == 4, other.text());
        }
        QVERIFY(named);
    }

    void a_stop_is_heard_by_all_and_what_is_done_is_kept()
    {
        const QStringList command = sweep("stopped.h5", long_);
        const auto ranks = group(command);
        QTRY_VERIFY_WITH_TIMEOUT(QFile::exists(in("stopped.h5")), 20000);
        QTest::qWait(500);
        for (int rank = 0; rank < size; ++rank)
            ranks->send(rank, SIGTERM);
        const cli::Result first = ranks->end(0);
        QVERIFY2(first.status == 130 && first.said("--resume goes on from there"), first.text());
        for (int rank = 1; rank < size; ++rank) {
            const cli::Result other = ranks->end(rank);
            // One of them may find that rank 0 has gone before it hears of the stop itself.
            QVERIFY2((other.status == 130 && other.err.isEmpty()) || other.status == 4, other.text());
        }
        const auto run = keepset::load_run(in("stopped.h5").toStdString());
        QVERIFY(run->windows_done() > 0 && !run->finished());
    }

    void a_rank_with_another_command_is_refused()
    {
        std::vector<QStringList> commands(size, sweep("other.h5", { "--windows", "all" }));
        commands[1] = sweep("other.h5", { "--windows", "all", "--gqa", "max" });
        const Group ranks(commands, 0, 60);
        const cli::Result other = ranks.end(1);
        QVERIFY2(other.status == 2 && other.is_one_sentence(), other.text());
        QVERIFY2(other.said("gqa is mean at rank 0 and max here"), other.text());
    }

    void a_group_does_not_read_standard_input()
    {
        QStringList command = sweep("stdin.h5");
        command[command.indexOf(in("text.txt"))] = "-";
        const auto ranks = group(command);
        for (int rank = 0; rank < size; ++rank) {
            const cli::Result refused = ranks->end(rank);
            QVERIFY2(
                refused.status == 2 && refused.is_one_sentence() && refused.said("standard input"), refused.text());
        }
    }

    void variables_that_make_no_sense_are_refused_by_name_data()
    {
        QTest::addColumn<QString>("variables");
        QTest::addColumn<QString>("said");
        QTest::newRow("rank") << "RANK=3 WORLD_SIZE=3 MASTER_ADDR=localhost MASTER_PORT=1234"
                              << "RANK";
        QTest::newRow("size") << "RANK=0 WORLD_SIZE=x MASTER_ADDR=localhost MASTER_PORT=1234"
                              << "WORLD_SIZE";
        QTest::newRow("no port") << "RANK=0 WORLD_SIZE=3 MASTER_ADDR=localhost"
                                 << "MASTER_PORT";
        QTest::newRow("port") << "RANK=0 WORLD_SIZE=3 MASTER_ADDR=localhost MASTER_PORT=99999"
                              << "MASTER_PORT";
        QTest::newRow("no address") << "RANK=0 WORLD_SIZE=3 MASTER_PORT=1234"
                                    << "MASTER_ADDR";
    }

    void variables_that_make_no_sense_are_refused_by_name()
    {
        QFETCH(QString, variables);
        QFETCH(QString, said);
        QProcess process;
        QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
        for (const QString& variable : variables.split(' '))
            environment.insert(variable.section('=', 0, 0), variable.section('=', 1));
        process.setProcessEnvironment(environment);
        process.start(KEEPSET_CLI, sweep("refused.h5"));
        const cli::Result refused = cli::ended(process);
        QVERIFY2(refused.status == 2 && refused.is_one_sentence() && refused.said(said), refused.text());
        QVERIFY(!QFile::exists(in("refused.h5")));
    }

    void torchrun_starts_a_group_again()
    {
        const QString torchrun = QStandardPaths::findExecutable("torchrun");
        if (torchrun.isEmpty())
            QSKIP("there is no torchrun");
        QProcess process;
        process.start(torchrun,
            QStringList { "--standalone", "--nproc-per-node", "3", "--max-restarts", "3", "--no-python", KEEPSET_CLI }
                + sweep("torchrun.h5", long_ + QStringList { "--force" }));
        QVERIFY(process.waitForStarted());
        QTRY_VERIFY_WITH_TIMEOUT(QFile::exists(in("torchrun.h5")), 60000);
        QTest::qWait(500);
        QVERIFY(QProcess::execute("pkill", { "-KILL", "-n", "-f", "keepset-cli sweep .*torchrun.h5" }) == 0);
        const cli::Result ended = cli::ended(process);
        QVERIFY2(ended.status == 0, ended.text());
        QVERIFY(keepset::load_run(in("torchrun.h5").toStdString())->finished());
    }
};

KEEPSET_TEST(TestCliGroup)
#include "tst_cli_group.moc"
