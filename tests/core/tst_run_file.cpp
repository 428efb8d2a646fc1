#include "core/trace/run_file.h"
#include "tests/core/file_errors.h"
#include "tests/core/trace_samples.h"
#include "tests/support/python.h"
#include "tests/support/test_main.h"

#include <QtTest>

#include <atomic>
#include <chrono>
#include <csignal>
#include <random>
#include <sys/mman.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

using namespace keepset;
using trace::RunFile;

namespace {

constexpr std::int64_t points = 5;

/// A process that writes a run window by window, and says how many windows it has handed over so far.
class Writer {
public:
    Writer(const std::filesystem::path& file, std::int64_t windows, bool per_token, int pause_us)
    {
        void* page = mmap(
            nullptr, sizeof(std::atomic<std::int64_t>), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        written_ = new (page) std::atomic<std::int64_t>(-1);
        process_ = fork();
        if (process_ == 0)
            write(file, windows, per_token, pause_us);
    }
    ~Writer()
    {
        end(SIGKILL);
        munmap(written_, sizeof(std::atomic<std::int64_t>));
    }
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;

    /// -1 until the file is there.
    std::int64_t written() const { return written_->load(); }
    /// Waits for its end, after sending `number` where it is not 0; true where it ended by itself and well.
    bool end(int number)
    {
        if (process_ <= 0)
            return false;
        if (number != 0)
            kill(process_, number);
        int status = 0;
        waitpid(std::exchange(process_, -1), &status, 0);
        return WIFEXITED(status) && WEXITSTATUS(status) == 0;
    }

private:
    [[noreturn]] void write(const std::filesystem::path& file, std::int64_t windows, bool per_token, int pause_us)
    {
        try {
            Run run = samples::empty_run(points, windows, per_token);
            RunFile out = RunFile::create(file, run, per_token, true);
            written_->store(0);
            for (std::int64_t window = 0; window < windows; ++window) {
                samples::do_window(run, window);
                out.write_window(run, window);
                written_->store(window + 1);
                std::this_thread::sleep_for(std::chrono::microseconds(pause_us));
            }
            out.write_audit(run);
        } catch (...) {
            _exit(1);
        }
        _exit(0);
    }

    std::atomic<std::int64_t>* written_ = nullptr;
    pid_t process_ = -1;
};

/// The superblock's flag that a writer has the file open (HDF5 format, superblock 3, byte 11).
bool is_flagged(const std::filesystem::path& file) { return errors::bytes_of(file).at(11) != 0; }

} // namespace

class TestRunFile : public QObject {
    Q_OBJECT

private:
    QTemporaryDir folder_;
    std::filesystem::path in(const char* name) const { return folder_.filePath(name).toStdString(); }

private Q_SLOTS:
    void a_run_comes_back_equal_data()
    {
        QTest::addColumn<int>("done");
        QTest::addColumn<bool>("per_token");
        QTest::newRow("nothing done") << 0 << false;
        QTest::newRow("half done") << 3 << false;
        QTest::newRow("all done, per token") << 6 << true;
    }

    void a_run_comes_back_equal()
    {
        QFETCH(int, done);
        QFETCH(bool, per_token);
        Run run = samples::run(points, 6, done, per_token);
        run.audit.checks = { { "baseline", CheckStatus::fail, "Größe" }, { "finite", CheckStatus::pass, "" } };
        save(run, in("a.h5"), true);
        QVERIFY(samples::same(run, *load_run(in("a.h5"))));
        QCOMPARE(summary(in("a.h5")).kind, std::string("run"));
        QVERIFY(!std::filesystem::exists(in("a.h5.lock")));
    }

    void a_run_written_window_by_window_equals_one_saved_at_the_end()
    {
        Run run = samples::empty_run(points, 4, true);
        run.points[1].policy = std::string(100, 'p');
        {
            RunFile file = RunFile::create(in("b.h5"), run, true, false);
            for (std::int64_t window = 0; window < 4; ++window) {
                samples::do_window(run, window);
                file.write_window(run, window);
                QVERIFY(samples::same(run, *load_run(in("b.h5"))));
                QVERIFY(!is_flagged(in("b.h5")));
            }
            run.audit.checks = { { "mass", CheckStatus::pass, "ok" } };
            file.write_audit(run);
        }
        QVERIFY(samples::same(run, *load_run(in("b.h5"))));
    }

    void a_killed_writer_loses_at_most_the_window_in_progress()
    {
        std::mt19937 random(7);
        int flagged = 0;
        for (int kill = 0; kill < 40; ++kill) {
            const bool per_token = kill % 2 == 0;
            constexpr std::int64_t windows = 3000;
            Writer writer(in("killed.h5"), windows, per_token, 0);
            QTRY_VERIFY(writer.written() > 0);
            std::this_thread::sleep_for(std::chrono::microseconds(random() % 20000));
            writer.end(SIGKILL);
            flagged += is_flagged(in("killed.h5")) ? 1 : 0;
            const auto left = load_run(in("killed.h5"));
            const std::int64_t done = left->points[0].windows;
            QVERIFY2(done >= writer.written() && done <= writer.written() + 1,
                qPrintable(QString("%1 windows of %2").arg(done).arg(writer.written())));
            QVERIFY(samples::same(*left, samples::run(points, windows, done, per_token)));

            Run there;
            RunFile file = RunFile::resume(in("killed.h5"), there);
            QVERIFY(!is_flagged(in("killed.h5")));
            samples::do_window(there, done);
            file.write_window(there, done);
            QVERIFY(samples::same(*load_run(in("killed.h5")), samples::run(points, windows, done + 1, per_token)));
        }
        QVERIFY2(flagged > 0, "no kill met the file open, so nothing was tried");
    }

    void a_table_torn_by_a_kill_is_made_anew_from_the_windows()
    {
        Run run = samples::empty_run(points, 3, false);
        {
            RunFile file = RunFile::create(in("torn.h5"), run, false, true);
            for (std::int64_t window = 0; window < 2; ++window) {
                samples::do_window(run, window);
                file.write_window(run, window);
            }
        }
        // The second row of the first table goes back to one window, as where only a page of it had been written.
        std::string bytes = errors::bytes_of(in("torn.h5"));
        const std::size_t row = bytes.find(run.points[1].policy);
        QVERIFY(row != std::string::npos);
        const std::size_t windows = row + 32 + 2 * 8; // behind policy, sparsity, budget
        QCOMPARE(int(bytes[windows]), 2);
        bytes[windows] = 1;
        std::ofstream(in("torn.h5"), std::ios::binary) << bytes;
        QVERIFY(samples::same(*load_run(in("torn.h5")), samples::run(points, 3, 2, false)));
    }

    void a_reader_follows_while_another_process_writes()
    {
        constexpr std::int64_t windows = 150;
        Writer writer(in("live.h5"), windows, true, 500);
        QTRY_VERIFY(writer.written() >= 0);
        std::int64_t seen = 0;
        int steps = 0;
        while (seen < windows) {
            const std::int64_t before = writer.written();
            const auto run = load_run(in("live.h5"));
            QVERIFY(run->points[0].windows >= std::max(before, seen));
            steps += run->points[0].windows > seen ? 1 : 0;
            seen = run->points[0].windows;
            QVERIFY(samples::same(*run, samples::run(points, windows, seen, true)));
        }
        QVERIFY(writer.end(0));
        QVERIFY2(steps > 2, "the run was over before it could be followed");
    }

    void a_second_writer_is_refused()
    {
        const Run run = samples::empty_run(points, 3, false);
        const RunFile first = RunFile::create(in("two.h5"), run, false, false);
        const auto again = errors::of([&] { RunFile::create(in("two.h5"), run, false, true); });
        QVERIFY2(again.is(ErrorKind::input, "another process"), again.text());
        Run there;
        const auto resumed = errors::of([&] { RunFile::resume(in("two.h5"), there); });
        QVERIFY2(resumed.is(ErrorKind::input, "another process"), resumed.text());
    }

    void the_lock_file_of_a_dead_process_blocks_nobody()
    {
        std::ofstream(in("stale.h5.lock")) << "";
        save(samples::run(points, 2, 1, false), in("stale.h5"), false);
        QVERIFY(!std::filesystem::exists(in("stale.h5.lock")));
    }

    void an_existing_run_is_kept_without_force()
    {
        save(samples::run(points, 4, 2, false), in("kept.h5"), false);
        const auto refused
            = errors::of([&] { RunFile::create(in("kept.h5"), samples::empty_run(points, 4, false), false, false); });
        QVERIFY2(refused.is(ErrorKind::usage, "--resume"), refused.text());
        QCOMPARE(load_run(in("kept.h5"))->points[0].windows, 2);
    }

    void a_full_disk_is_met_when_the_file_is_made_and_not_later()
    {
        const Run run = samples::empty_run(points, 2000, true);
        Run going = run;
        {
            RunFile file = RunFile::create(in("grown.h5"), run, true, true);
            const errors::SmallFiles limit(20000);
            const auto refused = errors::of([&] { RunFile::create(in("full.h5"), run, true, true); });
            QVERIFY2(refused.is(ErrorKind::input, "full.h5"), refused.text());
            QVERIFY(!std::filesystem::exists(in("full.h5")));
            QVERIFY(!std::filesystem::exists(in("full.h5.part")));
        }
        const auto bytes = std::filesystem::file_size(in("grown.h5"));
        RunFile file = RunFile::resume(in("grown.h5"), going);
        samples::do_window(going, 0);
        file.write_window(going, 0);
        QCOMPARE(std::filesystem::file_size(in("grown.h5")), bytes);
    }

    void a_window_out_of_order_is_refused()
    {
        Run run = samples::empty_run(points, 3, false);
        RunFile file = RunFile::create(in("order.h5"), run, false, true);
        samples::do_window(run, 1);
        const auto refused = errors::of([&] { file.write_window(run, 0); });
        QVERIFY2(refused.is(ErrorKind::internal, "do not cover"), refused.text());
    }

    void a_deleted_file_is_named_when_the_next_window_is_written()
    {
        Run run = samples::empty_run(points, 3, false);
        RunFile file = RunFile::create(in("gone.h5"), run, false, true);
        std::filesystem::remove(in("gone.h5"));
        samples::do_window(run, 0);
        const auto refused = errors::of([&] { file.write_window(run, 0); });
        QVERIFY2(refused.is(ErrorKind::input, "gone.h5"), refused.text());
    }

    void the_setting_that_differs_is_named()
    {
        const Run run = samples::run(points, 3, 1, false);
        Run other = run;
        QVERIFY(!trace::difference(run, other));
        other.provenance.device = "cuda:0";
        other.provenance.created = "later";
        QVERIFY(!trace::difference(run, other));
        other.context = 99;
        QCOMPARE(trace::difference(run, other).value_or(""), std::string("context is 16 in the file and 99 here"));
        other = run;
        other.points[2].sparsity = 0.7;
        QVERIFY(trace::difference(run, other).value_or("").find("cab(local=0.2) at sparsity 0.7") != std::string::npos);
        other = run;
        other.points.pop_back();
        QVERIFY(trace::difference(run, other).value_or("").find("number of points") != std::string::npos);
        other = run;
        other.shard = { 2, 3 };
        QCOMPARE(trace::difference(run, other).value_or(""), std::string("the shard is 1/1 in the file and 2/3 here"));
        QVERIFY(!trace::difference(run, other, { .shards_matter = false }));
        other = run;
        other.provenance.model_sha256 = "x";
        QVERIFY(trace::difference(run, other).value_or("").find("weights") != std::string::npos);
    }

    void a_cut_or_damaged_run_never_crashes_and_names_the_file()
    {
        save(samples::run(points, 6, 4, true), in("whole.h5"), true);
        const std::string whole = errors::bytes_of(in("whole.h5"));
        for (std::size_t step = 0; step < 200; ++step) {
            std::string bytes = whole;
            if (step % 2 == 0)
                bytes.resize(whole.size() * step / 200);
            else
                bytes[(step * 7919) % bytes.size()] ^= static_cast<char>(1U << (step % 8));
            std::ofstream(in("damaged.h5"), std::ios::binary) << bytes;
            const auto said = errors::of([&] { load_run(in("damaged.h5")); });
            QVERIFY2(said.none() ? step % 2 == 1 : said.is(ErrorKind::input, "damaged.h5"), said.text());
        }
    }

    void well_formed_files_that_lie_are_refused_in_words()
    {
        if (!python::has_h5py()) {
            QVERIFY2(!qEnvironmentVariableIsSet("CI"), "no Python with h5py, and CI insists on these checks");
            QSKIP("no Python with h5py (set KEEPSET_PYTHON)");
        }
        QVERIFY(QDir(folder_.path()).mkdir("nasty"));
        save(samples::analysis(50), in("trace.h5"), true);
        save(samples::run(points, 6, 4, false), in("run.h5"), true);
        const QStringList made { folder_.filePath("trace.h5"), folder_.filePath("run.h5"), folder_.filePath("nasty") };
        QCOMPARE(python::run("make_nasty_files.py", made), "ok");
        int files = 0;
        for (const auto& entry : std::filesystem::directory_iterator(in("nasty"))) {
            const std::string name = entry.path().filename().string();
            const auto said = errors::of([&] {
                if (name.starts_with("trace"))
                    load_analysis(entry.path());
                else
                    load_run(entry.path());
            });
            QVERIFY2(said.is(ErrorKind::input, entry.path().string()), name.c_str());
            const std::string words = std::string(said.text()).substr(std::string(said.text()).find("': "));
            QVERIFY2(words.find(name.substr(name.find('-') + 1)) != std::string::npos, said.text());
            ++files;
        }
        QVERIFY2(files >= 20, qPrintable(QString::number(files)));
    }

    void h5py_finds_the_documented_schema_and_follows_a_writer()
    {
        if (!python::has_h5py()) {
            QVERIFY2(!qEnvironmentVariableIsSet("CI"), "no Python with h5py, and CI insists on these checks");
            QSKIP("no Python with h5py (set KEEPSET_PYTHON)");
        }
        save(samples::analysis(50), in("check-trace.h5"), true);
        save(samples::run(points, 6, 4, true), in("check-run.h5"), true);
        QCOMPARE(
            python::run("check_files.py", { folder_.filePath("check-trace.h5"), folder_.filePath("check-run.h5") }),
            "ok");
        Writer writer(in("followed.h5"), 200, true, 10000);
        QTRY_VERIFY(writer.written() >= 0);
        QCOMPARE(python::run("check_files.py", { "--follow", folder_.filePath("followed.h5") }), "ok");
        QVERIFY(writer.end(0));
    }
};

KEEPSET_TEST(TestRunFile)
#include "tst_run_file.moc"
