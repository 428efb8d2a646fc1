#include "core/sweep/windows_in_flight.h"

#include "core/device/memory.h"
#include "core/device/streams.h"
#include "core/error.h"

#include <c10/core/InferenceMode.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <condition_variable>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

namespace keepset {

namespace {

    /// What became of a window in a thread's hands.
    struct Outcome {
        MeasuredWindow measured;
        std::exception_ptr problem; ///< instead of it
        bool no_memory = false; ///< the problem is that, beside other windows
    };

    /// Threads that measure windows, and what passes between them and who calls.
    class Flight {
    public:
        Flight(const WindowWork& work, const std::vector<Window>& all, std::int64_t threads)
            : work_(work)
            , all_(all)
            , limit_(threads)
        {
            for (std::int64_t slot = 0; slot < threads; ++slot)
                threads_.emplace_back([this, slot] { measure_all(static_cast<std::size_t>(slot)); });
        }
        ~Flight()
        {
            stop_.request_stop();
            {
                const std::lock_guard lock(mutex_);
                closed_ = true;
            }
            changed_.notify_all();
        } // the threads are joined
        Flight(const Flight&) = delete;
        Flight& operator=(const Flight&) = delete;

        void begin(std::int64_t window)
        {
            {
                const std::lock_guard lock(mutex_);
                waiting_.push_back(window);
            }
            changed_.notify_all();
        }
        /// How many windows may be worked on at a time from now on.
        void limit(std::int64_t windows)
        {
            const std::lock_guard lock(mutex_);
            limit_ = windows;
        }
        /// What came out since the last call; empty where nothing did before points were done. Throws Cancelled.
        std::vector<Outcome> outcomes(const std::stop_token& stop)
        {
            std::unique_lock lock(mutex_);
            told_.wait(lock, stop, [&] { return !outcomes_.empty() || news_; });
            news_ = false;
            if (outcomes_.empty() && stop.stop_requested())
                throw Cancelled {};
            return std::exchange(outcomes_, {});
        }
        /// Points done of windows that are under way.
        std::int64_t points() const { return points_; }

    private:
        void measure_all(std::size_t slot)
        {
            try {
                const c10::InferenceMode inference(true);
                const OwnStreams own(work_.model.decoder.devices(), slot);
                while (const auto window = take()) {
                    Outcome outcome = measure(window->first);
                    outcome.no_memory = outcome.no_memory && !window->second;
                    tell(std::move(outcome), 1);
                }
            } catch (...) { // no streams
                Outcome outcome;
                outcome.problem = std::current_exception();
                tell(std::move(outcome), 0);
            }
        }
        void tell(Outcome outcome, std::int64_t windows)
        {
            {
                const std::lock_guard lock(mutex_);
                busy_ -= windows;
                outcomes_.push_back(std::move(outcome));
            }
            changed_.notify_all();
            told_.notify_all();
        }
        /// A window, and whether no other is worked on meanwhile.
        std::optional<std::pair<std::int64_t, bool>> take()
        {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, [&] { return closed_ || (!waiting_.empty() && busy_ < limit_); });
            if (closed_)
                return std::nullopt;
            const std::int64_t window = waiting_.front();
            waiting_.pop_front();
            ++busy_;
            return std::pair(window, limit_ == 1);
        }
        Outcome measure(std::int64_t window)
        {
            std::int64_t told = 0;
            const auto tell_points = [&](std::int64_t points) {
                points_ += points - std::exchange(told, points);
                {
                    const std::lock_guard lock(mutex_);
                    news_ = true;
                }
                told_.notify_all();
            };
            Outcome outcome;
            outcome.measured.window = window;
            try {
                outcome.measured.result
                    = work_.measure(all_[static_cast<std::size_t>(window)], stop_.get_token(), tell_points);
            } catch (const c10::OutOfMemoryError&) {
                outcome.problem = std::current_exception();
                outcome.no_memory = true;
            } catch (...) {
                outcome.problem = std::current_exception();
            }
            points_ -= told;
            return outcome;
        }

        const WindowWork& work_;
        const std::vector<Window>& all_;
        std::stop_source stop_;
        std::mutex mutex_; // of what follows
        std::condition_variable changed_; // for the threads
        std::condition_variable_any told_; // for who calls
        std::deque<std::int64_t> waiting_;
        std::vector<Outcome> outcomes_;
        std::int64_t limit_;
        std::int64_t busy_ = 0; // windows that are worked on
        bool closed_ = false;
        bool news_ = false;
        std::atomic<std::int64_t> points_ = 0;
        std::vector<std::jthread> threads_; // last: they use all of the above
    };

    /// Sorts what came out: windows that are through go to the flow, one that found no memory beside others is begun
    /// again, and fewer go together. Throws what a window threw.
    class Sorting {
    public:
        Sorting(Flight& flight, const WindowFlow& flow, std::int64_t together)
            : flight_(flight)
            , flow_(flow)
            , together_(together)
        {
        }
        /// Returns how many windows are through.
        std::int64_t take(std::vector<Outcome> outcomes)
        {
            std::vector<MeasuredWindow> through;
            std::exception_ptr problem;
            for (Outcome& outcome : outcomes) {
                if (outcome.no_memory) {
                    together_ = std::max<std::int64_t>(1, together_ - 1);
                    flight_.limit(together_);
                    flight_.begin(outcome.measured.window);
                } else if (outcome.problem) {
                    problem = problem ? problem : outcome.problem;
                } else {
                    through.push_back(std::move(outcome.measured));
                }
            }
            const auto count = static_cast<std::int64_t>(through.size());
            if (count > 0)
                flow_.done(through);
            if (problem)
                std::rethrow_exception(problem);
            return count;
        }
        std::int64_t together() const { return together_; }

    private:
        Flight& flight_;
        const WindowFlow& flow_;
        std::int64_t together_; // windows at a time
    };

    void run_one_by_one(
        const WindowWork& work, const std::vector<Window>& all, const WindowFlow& flow, const std::stop_token& stop)
    {
        const auto tell = [&](std::int64_t points) {
            if (flow.under_way)
                flow.under_way(points);
        };
        while (const auto window = flow.next()) {
            tell(0);
            std::vector<MeasuredWindow> through;
            through.push_back({ *window, work.measure(all[static_cast<std::size_t>(*window)], stop, tell) });
            flow.done(through);
        }
    }

} // namespace

void run_windows(const WindowWork& work, const std::vector<Window>& all, std::int64_t at_once, const WindowFlow& flow,
    const std::stop_token& stop)
{
    const std::int64_t threads = std::min(at_once, static_cast<std::int64_t>(all.size()));
    if (threads <= 1)
        return run_one_by_one(work, all, flow, stop);
    Flight flight(work, all, threads);
    Sorting sorting(flight, flow, threads);
    std::int64_t in_hand = 0;
    bool more = true;
    while (more || in_hand > 0) {
        // One more than go together, so that no thread waits while what it did is being kept.
        while (more && in_hand <= sorting.together()) {
            if (const auto window = flow.next()) {
                flight.begin(*window);
                ++in_hand;
            } else {
                more = false;
            }
        }
        if (in_hand > 0)
            in_hand -= sorting.take(flight.outcomes(stop));
        if (flow.under_way)
            flow.under_way(flight.points());
    }
}

std::int64_t windows_at_once(const WindowWork& work)
{
    // What a window must take so that two of them keep a GPU busy, in multiplications and additions; of less, more
    // windows. Measured on an H100: see resources/help/benchmarks.md.
    constexpr double full = 1e13;
    constexpr double most = 6;
    const Decoder& decoder = work.model.decoder;
    if (!decoder.device().is_cuda())
        return 1;
    if (work.request.in_flight > 0)
        return work.request.in_flight;
    const std::int64_t rows
        = work.request.context + static_cast<std::int64_t>(work.plan.size()) * (work.request.target - 1);
    const double operations = 2 * static_cast<double>(decoder.parameters()) * static_cast<double>(rows);
    auto windows = static_cast<std::int64_t>(std::clamp(std::ceil(full / operations), 2.0, most));
    ChosenDevice chosen;
    chosen.backend = work.model.backend;
    for (const at::Device& device : decoder.devices()) {
        const DeviceMemory memory = memory_of(chosen, device);
        windows = std::min(windows, memory.free / std::max<std::int64_t>(1, work.bytes_of_window()));
    }
    return std::max<std::int64_t>(1, windows);
}

} // namespace keepset
