#include "core/sweep/windows_in_flight.h"

#include "core/sweep/plan.h"
#include "tests/core/broken_sweep.h"
#include "tests/core/file_errors.h"
#include "tests/support/test_main.h"

#include <QtTest>

#include <c10/core/InferenceMode.h>
#include <c10/util/Exception.h>

#include <atomic>
#include <thread>

using namespace keepset;

/// Several windows of a sweep at a time. A GPU is not needed: what passes between threads is the same.
class TestWindowsInFlight : public QObject {
    Q_OBJECT

    struct Measured {
        std::map<std::int64_t, WindowResult> windows;
        std::int64_t times = 0;
        bool here = true; ///< whether all was told in the calling thread
    };

    /// All windows of the golden model's sweep. `faults` are asked in the threads.
    static Measured measure(std::int64_t at_once, const SweepFaults& faults = {}, const std::stop_token& stop = {})
    {
        const RealSweep sweep(golden_root / "biases");
        const SweepRequest request = RealSweep::request();
        const std::vector<SelectRequest> plan = plan_points(request);
        const SweepModel model { sweep.decoder, sweep.backend, {}, sweep.tokens, false, 512, faults };
        const std::vector<Window> windows = cut_windows(request, sweep.tokens, false);
        Measured found;
        std::int64_t next = 0;
        const auto caller = std::this_thread::get_id();
        WindowFlow flow;
        flow.next = [&]() -> std::optional<std::int64_t> {
            found.here = found.here && std::this_thread::get_id() == caller;
            return next < static_cast<std::int64_t>(windows.size()) ? std::optional(next++) : std::nullopt;
        };
        flow.done = [&](const std::vector<MeasuredWindow>& through) {
            found.here = found.here && std::this_thread::get_id() == caller;
            for (const MeasuredWindow& one : through) {
                found.windows[one.window] = one.result;
                ++found.times;
            }
        };
        const c10::InferenceMode inference(true);
        run_windows({ model, request, plan }, windows, at_once, flow, stop);
        return found;
    }

    static std::vector<float> losses(const Measured& measured)
    {
        std::vector<float> all;
        for (const auto& [window, result] : measured.windows) {
            for (const WindowPoint& point : result.points)
                all.insert(all.end(), point.score.token_nll.begin(), point.score.token_nll.end());
        }
        return all;
    }

private Q_SLOTS:
    void numbers_do_not_depend_on_how_many_go_together()
    {
        const Measured one = measure(1);
        QCOMPARE(one.times, 5);
        for (const std::int64_t at_once : { 2, 3, 9 }) {
            const Measured several = measure(at_once);
            QCOMPARE(several.times, 5);
            QVERIFY(several.here);
            QCOMPARE(losses(several), losses(one)); // to the last bit
        }
    }

    void windows_without_memory_are_done_again_with_fewer_beside_them_data()
    {
        QTest::addColumn<int>("failures");
        QTest::newRow("one") << 1;
        QTest::newRow("two") << 2;
        QTest::newRow("all at the same time") << 3;
    }
    void windows_without_memory_are_done_again_with_fewer_beside_them()
    {
        QFETCH(int, failures);
        std::atomic<int> begun = 0;
        SweepFaults faults;
        faults.window = [&](Window&) {
            const int number = begun.fetch_add(1);
            while (number < 3 && begun < 3) // until three are under way
                std::this_thread::yield();
            if (number < failures)
                C10_THROW_ERROR(OutOfMemoryError, "none left");
        };
        const Measured found = measure(3, faults);
        QCOMPARE(found.times, 5);
        QCOMPARE(losses(found), losses(measure(1)));
    }

    void without_memory_for_one_alone_it_ends()
    {
        SweepFaults faults;
        faults.window = [](Window&) { C10_THROW_ERROR(OutOfMemoryError, "none at all"); };
        QVERIFY_EXCEPTION_THROWN(measure(3, faults), c10::OutOfMemoryError);
    }

    void what_one_window_throws_ends_the_others()
    {
        SweepFaults faults;
        faults.window = [](Window& window) {
            if (window.index == 1)
                throw Error(ErrorKind::input, "window 1");
        };
        const auto thrown = errors::of([&] { measure(2, faults); });
        QVERIFY2(thrown.is(ErrorKind::input, "window 1"), thrown.text());
    }

    void a_stop_ends_all()
    {
        std::stop_source stop;
        SweepFaults faults;
        faults.window = [&](Window&) { stop.request_stop(); };
        QVERIFY_EXCEPTION_THROWN(measure(2, faults, stop.get_token()), Cancelled);
    }
};

KEEPSET_TEST(TestWindowsInFlight)
#include "tst_windows_in_flight.moc"
