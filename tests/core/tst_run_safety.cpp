#include "core/trace/h5.h"
#include "core/trace/run_file.h"
#include "core/trace/run_schema.h"
#include "core/trace/trace.h"
#include "tests/core/file_errors.h"
#include "tests/core/trace_samples.h"
#include "tests/support/test_main.h"

#include <QtTest>

#include <chrono>
#include <functional>
#include <random>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

using namespace keepset;
using trace::RunFile;

namespace {

constexpr std::int64_t points = 40; // their table covers several pages
constexpr std::size_t page = 4096;

/// Called in place of waiting for the disk: what is in the file then is what a power cut would leave for certain.
std::function<void()> on_sync;

} // namespace

/// Stands before the C library's.
extern "C" int fdatasync(int)
{
    if (on_sync)
        on_sync();
    return 0;
}

/// What is written can be lost neither to a power cut, nor to a new run, nor to another build, nor to a slow reader.
class TestRunSafety : public QObject {
    Q_OBJECT

private:
    QTemporaryDir folder_;
    std::filesystem::path in(const char* name) const { return folder_.filePath(name).toStdString(); }
    bool is_there(const char* name) const { return std::filesystem::exists(in(name)); }

private Q_SLOTS:
    void cleanup() { on_sync = {}; }

    void a_power_cut_loses_at_most_the_window_in_progress()
    {
        constexpr std::int64_t windows = 6;
        Run run = samples::empty_run(points, windows, true);
        RunFile file = RunFile::create(in("power.h5"), run, true, true);
        std::vector<std::string> on_disk { errors::bytes_of(in("power.h5")) };
        on_sync = [&] { on_disk.push_back(errors::bytes_of(in("power.h5"))); };
        std::mt19937 random(7);
        for (std::int64_t window = 0; window < windows; ++window) {
            on_disk.erase(on_disk.begin(), on_disk.end() - 1);
            samples::do_window(run, window);
            file.write_window(run, window);
            on_disk.push_back(errors::bytes_of(in("power.h5"))); // written, but nobody waited for it
            QVERIFY(on_disk[on_disk.size() - 2] == on_disk.back()); // … because all of it was waited for
            for (int cut = 0; cut < 60; ++cut) {
                const std::size_t before = random() % (on_disk.size() - 1);
                std::string left = on_disk[before]; // and any pages of what came next
                for (std::size_t at = 0; at < left.size(); at += page) {
                    if (random() % 2 == 0)
                        left.replace(at, page, on_disk[before + 1].substr(at, page));
                }
                std::ofstream(in("cut.h5"), std::ios::binary) << left;
                const auto found = load_run(in("cut.h5"));
                const std::int64_t done = found->windows_done();
                QVERIFY2(done == window || done == window + 1, qPrintable(QString::number(done)));
                QVERIFY(std::equal(found->window_nll.begin(), found->window_nll.end(),
                    samples::run(points, windows, done, true).window_nll.begin(),
                    [](double a, double b) { return a == b || (a != a && b != b); }));
            }
        }
    }

    void the_old_run_stays_until_the_first_window_of_the_new_one_is_done()
    {
        const Run old = samples::run(points, 4, 4, false);
        save(old, in("old.h5"), false);
        {
            const RunFile never = RunFile::create(in("old.h5"), samples::empty_run(points, 9, true), true, true);
            QVERIFY(samples::same(*load_run(in("old.h5")), old));
            QVERIFY(is_there("old.h5.new"));
        }
        QVERIFY(samples::same(*load_run(in("old.h5")), old));
        QVERIFY(!is_there("old.h5.new") && !is_there("old.h5.lock"));
        Run run = samples::empty_run(points, 9, true);
        {
            RunFile file = RunFile::create(in("old.h5"), run, true, true);
            RunFile moved = std::move(file);
            for (std::int64_t window = 0; window < 2; ++window) {
                samples::do_window(run, window);
                moved.write_window(run, window);
                QVERIFY(samples::same(*load_run(in("old.h5")), run));
                QVERIFY(!is_there("old.h5.new") && is_there("old.h5.lock"));
            }
        }
        QVERIFY(samples::same(*load_run(in("old.h5")), run));
        QVERIFY(!is_there("old.h5.lock"));
    }

    void a_full_disk_under_a_new_run_leaves_the_old_one()
    {
        const Run old = samples::run(points, 4, 4, false);
        save(old, in("kept.h5"), false);
        const errors::SmallFiles limit(20000);
        const auto refused
            = errors::of([&] { RunFile::create(in("kept.h5"), samples::empty_run(points, 900, true), true, true); });
        QVERIFY2(refused.is(ErrorKind::input, "kept.h5"), refused.text());
        QVERIFY(samples::same(*load_run(in("kept.h5")), old));
        QVERIFY(!is_there("kept.h5.new") && !is_there("kept.h5.new.part"));
    }

    void the_builds_that_made_a_run_are_told_apart()
    {
        save(samples::run(points, 5, 2, true), in("builds.h5"), false);
        const std::string first = load_run(in("builds.h5"))->provenance.generator;
        Run there;
        {
            RunFile file = RunFile::resume(in("builds.h5"), there);
            file.note_generator(first, there);
            QCOMPARE(load_run(in("builds.h5"))->provenance.generator, first);
            file.note_generator("keepset 9.9.9 (new)", there);
            samples::do_window(there, 2);
            file.write_window(there, 2);
        }
        const auto run = load_run(in("builds.h5"));
        QCOMPARE(run->provenance.generator, first + ", from window 3 on keepset 9.9.9 (new)");
        QCOMPARE(run->windows_done(), 3);
        save(samples::run(points, 5, 0, true), in("none.h5"), false);
        RunFile file = RunFile::resume(in("none.h5"), there);
        file.note_generator("keepset 9.9.9 (new)", there);
        QCOMPARE(load_run(in("none.h5"))->provenance.generator, std::string("keepset 9.9.9 (new)"));
    }

    void a_run_of_another_format_is_read_and_not_gone_on_with()
    {
        save(samples::run(points, 5, 2, false), in("format.h5"), false);
        std::string bytes = errors::bytes_of(in("format.h5"));
        const std::string version = trace::format_version;
        {
            const h5::Handle file(H5Fopen(in("format.h5").c_str(), H5F_ACC_RDWR, H5P_DEFAULT), H5Fclose, "file");
            h5::check(H5Adelete(file, "format_version"), "format_version");
            h5::write_attribute(file, "format_version", "1.99");
        }
        QCOMPARE(load_run(in("format.h5"))->windows_done(), 2);
        Run there;
        const auto refused = errors::of([&] { RunFile::resume(in("format.h5"), there); });
        QVERIFY2(refused.is(ErrorKind::usage, "1.99"), refused.text());
        QVERIFY(!is_there("format.h5.lock"));
    }

    void a_detail_that_is_cut_ends_in_an_ellipsis()
    {
        Run run = samples::run(points, 2, 2, false);
        std::string text;
        while (text.size() < 5000)
            text += "ü"; // two bytes: a cut must not fall between them
        for (const std::string& detail : { text, "x" + text, "xy" + text }) {
            run.audit.checks = { { "distinct", CheckStatus::fail, "" } };
            RunFile file = RunFile::create(in("detail.h5"), samples::empty_run(points, 2, false), false, true);
            Run going = samples::empty_run(points, 2, false);
            samples::do_window(going, 0);
            file.write_window(going, 0);
            going.audit.checks = { { "distinct", CheckStatus::fail, detail } };
            file.write_audit(going);
            const std::string stored = load_run(in("detail.h5"))->audit.checks.at(0).detail;
            QVERIFY(stored.size() > 3900 && stored.size() <= 4000);
            QVERIFY(stored.ends_with("ü…"));
            QVERIFY(detail.starts_with(stored.substr(0, stored.size() - std::string("…").size())));
        }
    }

    void tables_torn_by_a_writer_at_work_are_read_again()
    {
        save(samples::run(points, 5, 3, false), in("torn.h5"), false);
        int ready[2] {};
        QCOMPARE(pipe(ready), 0);
        const pid_t writer = fork();
        if (writer == 0) {
            const auto write = [](hid_t file, std::int64_t last) {
                for (const char* path : { "/sweep/points", "/sweep/points_before" }) {
                    h5::Table table = h5::Table::read(file, path, trace::point_columns(1));
                    table.set(table.rows() - 1, 3, last); // the windows of the last row
                    const h5::Handle dataset = h5::open_dataset(file, path);
                    table.write(dataset, path);
                }
                H5Fflush(file, H5F_SCOPE_GLOBAL);
            };
            h5::Handle file = h5::open_for_live_writing(in("torn.h5"));
            write(file, 2);
            [[maybe_unused]] const auto told = ::write(ready[1], "x", 1);
            std::this_thread::sleep_for(std::chrono::milliseconds(150));
            write(file, 3);
            file.close("closing it");
            _exit(0);
        }
        char byte = 0;
        QCOMPARE(read(ready[0], &byte, 1), ssize_t(1));
        const auto said = errors::of([&] { QCOMPARE(load_run(in("torn.h5"))->windows_done(), 3); });
        int status = 0;
        waitpid(writer, &status, 0);
        ::close(ready[0]);
        ::close(ready[1]);
        QVERIFY2(said.none(), said.text());
    }

    void tables_that_nobody_mends_are_refused_at_once()
    {
        save(samples::run(points, 5, 3, false), in("wrong.h5"), false);
        {
            const h5::Handle file = h5::open_for_live_writing(in("wrong.h5"));
            for (const char* path : { "/sweep/points", "/sweep/points_before" }) {
                h5::Table table = h5::Table::read(file, path, trace::point_columns(1));
                table.set(1, 5, 12345.0); // nll_sum
                table.write(h5::open_dataset(file, path), path);
            }
        }
        const auto begin = std::chrono::steady_clock::now();
        const auto refused = errors::of([&] { load_run(in("wrong.h5")); });
        QVERIFY2(refused.is(ErrorKind::input, "contradict"), refused.text());
        QVERIFY(std::chrono::steady_clock::now() - begin < std::chrono::seconds(2));
    }
};

KEEPSET_TEST(TestRunSafety)
#include "tst_run_safety.moc"
