#include "core/error.h"
#include "core/result_files.h"
#include "core/trace/run_file.h"
#include "tests/core/file_errors.h"
#include "tests/core/trace_samples.h"
#include "tests/support/test_main.h"

#include <QtTest>

#include <fstream>
#include <numeric>
#include <random>

using namespace keepset;

namespace {

constexpr std::int64_t points = 4;
constexpr std::int64_t windows = 11;

/// A run in which the windows of `which` were done, in this order.
Run run_of(const std::vector<std::int64_t>& which, bool per_token = true, const Shard& shard = {})
{
    Run run = samples::empty_run(points, windows, per_token);
    run.shard = shard;
    for (const std::int64_t window : which)
        samples::do_window(run, window);
    return run;
}

} // namespace

/// Windows of one sweep in several files, in any order.
class TestMerge : public QObject {
    Q_OBJECT

private:
    QTemporaryDir folder_;
    std::filesystem::path in(const std::string& name) const { return folder_.path().toStdString() + "/" + name; }
    std::filesystem::path saved(const char* name, const Run& run) const
    {
        save(run, in(name), true);
        return in(name);
    }
    errors::Caught refusal(const std::vector<std::filesystem::path>& files) const
    {
        return errors::of([&] { merge_runs(files, "merge"); });
    }

private Q_SLOTS:
    void windows_may_be_written_and_gone_on_with_in_any_order()
    {
        std::vector<std::int64_t> order(windows);
        std::iota(order.begin(), order.end(), 0);
        std::shuffle(order.begin(), order.end(), std::mt19937(5));
        Run run = samples::empty_run(points, windows, true);
        std::optional<trace::RunFile> file = trace::RunFile::create(in("order.h5"), run, true, true);
        for (std::size_t done = 0; done < order.size(); ++done) {
            if (done == 4) { // as another process
                file.reset();
                file = trace::RunFile::resume(in("order.h5"), run);
            }
            samples::do_window(run, order[done]);
            file->write_window(run, order[done]);
            const auto found = load_run(in("order.h5"));
            const auto next = order.begin() + static_cast<std::ptrdiff_t>(done) + 1;
            QVERIFY(samples::same(*found, run_of({ order.begin(), next })));
        }
        Run ascending = samples::run(points, windows, windows, true);
        QVERIFY(samples::same(*load_run(in("order.h5")), ascending)); // nothing depends on the order
    }

    void shards_make_the_whole()
    {
        std::vector<std::filesystem::path> files;
        for (std::int64_t number = 1; number <= 3; ++number) {
            const Shard shard { number, 3 };
            std::vector<std::int64_t> own;
            for (std::int64_t window = 0; window < windows; ++window) {
                if (shard.holds(window))
                    own.push_back(window);
            }
            Run run = run_of(own, true, shard);
            QVERIFY(run.finished());
            QCOMPARE(run.windows_of_shard(), static_cast<std::int64_t>(own.size()));
            run.provenance.device = number == 2 ? "cuda:0" : "cpu";
            files.push_back(saved(("shard" + std::to_string(number) + ".h5").c_str(), run));
            QVERIFY(load_run(files.back())->shard == shard);
        }
        std::swap(files[0], files[2]);
        files.push_back(files[1]); // the same file twice adds nothing
        const auto merged = merge_runs(files, "keepset-cli merge …");
        QVERIFY(merged->finished());
        QVERIFY(merged->shard == Shard {});
        QVERIFY(!merged->audit.checks.empty());
        QCOMPARE(merged->provenance.device, std::string("cpu, cuda:0"));
        QVERIFY(merged->provenance.command.starts_with("keepset-cli merge …"));
        Run whole = samples::run(points, windows, windows, true);
        whole.provenance = merged->provenance;
        whole.audit = merged->audit;
        QVERIFY(samples::same(*merged, whole));
    }

    void what_is_missing_can_be_done_later()
    {
        const auto merged = merge_runs({ saved("a.h5", run_of({ 0, 3 })), saved("b.h5", run_of({ 7, 3 })) }, "merge");
        QVERIFY(!merged->finished());
        QCOMPARE(done_windows(*merged), (std::vector<std::int64_t> { 0, 3, 7 }));
        save(*merged, in("merged.h5"), true);
        Run there;
        auto file = trace::RunFile::resume(in("merged.h5"), there);
        samples::do_window(there, 1);
        file.write_window(there, 1);
        QCOMPARE(load_run(in("merged.h5"))->windows_done(), 4);
    }

    void files_that_do_not_belong_together_are_named()
    {
        const auto first = saved("first.h5", run_of({ 0, 1 }));
        Run other = run_of({ 2 });
        other.context = 99;
        const auto refused = refusal({ first, saved("other.h5", other) });
        QVERIFY2(refused.is(ErrorKind::usage, "other.h5' holds another sweep than '"), refused.text());
        QVERIFY2(refused.is(ErrorKind::usage, "context is 16 in '"), refused.text());
        other = run_of({ 2 });
        other.provenance.model_sha256 = std::string(64, 'f');
        QVERIFY(refusal({ first, saved("weights.h5", other) }).is(ErrorKind::usage, "weights (SHA-256)"));
        QVERIFY(refusal({ first, saved("bare.h5", run_of({ 2 }, false)) }).is(ErrorKind::usage, "--per-token"));
        other = run_of({ 1 });
        other.window_nll[windows + 1] += 1e-9;
        refresh_points(other);
        const auto twice = refusal({ first, saved("again.h5", other) });
        QVERIFY2(twice.is(ErrorKind::input, "Window 2 is in '"), twice.text());
        QVERIFY2(twice.is(ErrorKind::input, "again.h5'"), twice.text());
        const auto old = refusal({ KEEPSET_SOURCE_DIR "/tests/core/files/run-1.0.h5", first });
        QVERIFY2(old.is(ErrorKind::input, "earlier version"), old.text());
        QVERIFY(refusal({ in("none.h5"), first }).is(ErrorKind::input, "none.h5"));
    }

    void a_loss_that_is_no_number_is_the_same_in_two_files()
    {
        Run run = run_of({ 1 });
        run.window_nll[windows + 1] = not_a_number;
        refresh_points(run);
        const auto merged = merge_runs({ saved("nan1.h5", run), saved("nan2.h5", run) }, "merge");
        QCOMPARE(merged->windows_done(), 1);
        QVERIFY(std::isnan(merged->points[1].perplexity));
    }
};

KEEPSET_TEST(TestMerge)
#include "tst_merge.moc"
