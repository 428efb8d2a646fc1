#pragma once

#include "core/error.h"
#include "core/task.h"

#include <atomic>
#include <chrono>
#include <cmath>
#include <ctime>
#include <functional>
#include <future>
#include <pthread.h>
#include <string>
#include <thread>

/// How soon work ends that is stopped.
namespace keepset::stopping {

using Clock = std::chrono::steady_clock;

/// "Stopped work throws Cancelled within a fifth of a second" (types.h).
/// Sanitizers make our own loops about three times slower.
#ifdef __SANITIZE_ADDRESS__
inline constexpr double promise_s = 0.6;
#else
inline constexpr double promise_s = 0.2;
#endif
/// A machine that runs other tests too may not give the thread a core at once. What the thread itself does after the
/// stop is measured in its own processor time, for which the promise holds without any allowance.
inline constexpr double allowance_s = 20;

inline double cpu_seconds(clockid_t clock)
{
    timespec time {};
    clock_gettime(clock, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

/// How long work on a thread of its own went on after a stop, which came when it had worked for `seconds` itself.
struct Answer {
    bool cancelled = false;
    double cpu_s = 0;
    double wall_s = 0;

    bool in_time() const { return cpu_s <= promise_s && wall_s <= promise_s + allowance_s; }
    std::string text() const
    {
        return std::to_string(std::lround(cpu_s * 1000)) + " ms of work, " + std::to_string(std::lround(wall_s * 1000))
            + " ms in all";
    }
};

inline Answer stop_after(double seconds, const std::function<void(const Task&)>& work)
{
    std::stop_source stop;
    std::promise<clockid_t> clock;
    std::atomic<bool> done = false;
    std::atomic<bool> may_end = false;
    Answer answer;
    double end_cpu_s = 0;
    Clock::time_point end;
    std::thread worker([&] {
        clockid_t own {};
        pthread_getcpuclockid(pthread_self(), &own);
        clock.set_value(own);
        try {
            work({ stop.get_token(), [](const Progress&) {} });
        } catch (const Cancelled&) {
            answer.cancelled = true;
        }
        end = Clock::now();
        end_cpu_s = cpu_seconds(own);
        done = true;
        may_end.wait(false); // its clock is looked at until then
    });
    const clockid_t own = clock.get_future().get();
    while (!done && cpu_seconds(own) < seconds)
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    const double begin_cpu_s = cpu_seconds(own);
    const Clock::time_point begin = Clock::now();
    stop.request_stop();
    may_end = true;
    may_end.notify_all();
    worker.join();
    answer.cpu_s = end_cpu_s - begin_cpu_s;
    answer.wall_s = std::chrono::duration<double>(end - begin).count();
    return answer;
}

} // namespace keepset::stopping
