#include "core/sweep/group_sweep.h"

#include "core/error.h"
#include "core/sweep/pack_window.h"
#include "core/sweep/windows_in_flight.h"

#include <chrono>
#include <future>
#include <map>
#include <thread>

namespace keepset {

namespace {

    using Clock = std::chrono::steady_clock;

    /// Takes window after window of those published and hands in what comes out, until there are none.
    void take_windows(WindowStore& store, const GroupSweep& sweep, const std::vector<std::int64_t>& open, Run& run,
        const std::stop_token& stop)
    {
        std::map<std::int64_t, std::int64_t> in_hand; // windows, and their places among those published
        const auto tell = [&] {
            std::vector<std::int64_t> held;
            held.reserve(in_hand.size());
            for (const auto& [window, index] : in_hand)
                held.push_back(window);
            store.hold(held);
        };
        WindowFlow flow;
        flow.next = [&]() -> std::optional<std::int64_t> {
            const std::int64_t index = store.take();
            if (index >= static_cast<std::int64_t>(open.size()))
                return std::nullopt;
            const std::int64_t window = open[static_cast<std::size_t>(index)];
            in_hand[window] = index;
            tell();
            return window;
        };
        flow.done = [&](const std::vector<MeasuredWindow>& through) {
            for (const MeasuredWindow& one : through) {
                sweep.work.add(sweep.windows[static_cast<std::size_t>(one.window)], one.result, run);
                const auto held = in_hand.find(one.window);
                store.hand_in(held->second, pack_window(run, one.window));
                in_hand.erase(held);
            }
            tell();
        };
        run_windows(sweep.work, sweep.windows, windows_at_once(sweep.work), flow, stop);
    }

    /// Looks now and then whether all ranks live.
    class Watch {
    public:
        explicit Watch(WindowStore& store)
            : store_(store)
        {
        }
        void look()
        {
            if (Clock::now() < next_)
                return;
            next_ = Clock::now() + std::chrono::seconds(1);
            if (const auto rank = store_.lost())
                throw Error(ErrorKind::device, "There is no sign of life of " + *rank + ".",
                    "Finished windows are in the run file, and --resume goes on from there; torchrun --max-restarts N "
                    "starts the group again by itself.");
        }

    private:
        WindowStore& store_;
        Clock::time_point next_;
    };

    constexpr auto pause = std::chrono::milliseconds(5);

} // namespace

void lead_sweep(WindowStore& store, const GroupSweep& sweep, const std::vector<std::int64_t>& open, Run& run,
    const std::function<void(std::span<const std::int64_t> windows)>& keep)
{
    store.publish(pack_settings(run), open);
    Run own = run; // what this process computes goes the way of all others
    std::stop_source ended; // by the user, or because the other thread of this process cannot go on
    const std::stop_callback passed_on(sweep.task.stop, [&ended] { ended.request_stop(); });

    WindowStore there = store.clone(); // of the thread that collects
    const auto collect = [&] {
        Watch watch(there);
        std::size_t missing = open.size();
        const auto keep_arrived = [&] {
            std::vector<std::int64_t> windows;
            for (const auto& result : there.arrived())
                windows.push_back(unpack_window(result, run));
            if (windows.empty())
                return false;
            refresh_points(run);
            keep(windows);
            missing -= windows.size();
            return true;
        };
        try {
            while (missing > 0) {
                if (keep_arrived())
                    continue;
                if (ended.stop_requested())
                    throw Cancelled {};
                watch.look();
                std::this_thread::sleep_for(pause);
            }
        } catch (...) {
            ended.request_stop();
            throw;
        }
    };
    std::future<void> collected = std::async(std::launch::async, collect);
    try {
        take_windows(store, sweep, open, own, ended.get_token());
    } catch (const Cancelled&) {
        collected.get(); // says why, where it was not the user
        throw;
    } catch (...) {
        ended.request_stop();
        throw; // the future waits for its thread
    }
    collected.get();
}

void help_sweep(WindowStore& store, const GroupSweep& sweep, Run& run)
{
    const auto [settings, open] = store.published(sweep.task.stop);
    if (const std::string other = other_setting(settings, run); !other.empty())
        throw Error(ErrorKind::usage, "This rank was given another sweep than rank 0: " + other + ".",
            "Start all ranks with the same command.");
    take_windows(store, sweep, open, run, sweep.task.stop);
    Watch watch(store);
    while (!store.finished()) {
        if (sweep.task.stop.stop_requested())
            throw Cancelled {};
        watch.look();
        std::this_thread::sleep_for(pause);
    }
    store.leave();
}

} // namespace keepset
