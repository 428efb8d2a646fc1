#include "core/sweep/window_store.h"

#include "core/error.h"
#include "core/task.h"
#include "core/words.h"

#include <c10/util/Exception.h>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <map>
#include <mutex>
#include <netdb.h>
#include <poll.h>
#include <set>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <utility>

namespace keepset {

namespace {

    using Clock = std::chrono::steady_clock;
    using Bytes = WindowStore::Bytes;
    using StorePointer = c10::intrusive_ptr<c10d::Store>;
    constexpr auto pause = std::chrono::milliseconds(10); // between two looks for what others bring
    constexpr auto beat_every = std::chrono::seconds(1);
    constexpr auto connect_within = std::chrono::minutes(5);

    Bytes bytes_of(std::string_view text) { return { text.begin(), text.end() }; }

    [[noreturn]] void say_lost(const GroupPlace& place, const c10::Error& error)
    {
        std::string cause = error.what_without_backtrace();
        cause = cause.substr(0, cause.find('\n'));
        throw Error(ErrorKind::device,
            "The store of the group at " + place.host + ":" + std::to_string(place.port) + " no longer answers rank "
                + std::to_string(place.rank) + " (" + cause + ").",
            "Its process may have ended: look at what rank 0 said. Finished windows are in the run file; --resume goes "
            "on from there.");
    }

    using Addresses = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

    Addresses addresses_of(const GroupPlace& place)
    {
        addrinfo hints {};
        hints.ai_socktype = SOCK_STREAM;
        addrinfo* found = nullptr;
        if (::getaddrinfo(place.host.c_str(), std::to_string(place.port).c_str(), &hints, &found) != 0)
            found = nullptr;
        return { found, &::freeaddrinfo };
    }

    /// Whether somebody listens at an address, within a tenth of a second.
    bool answers(const addrinfo& address)
    {
        constexpr int patience_ms = 100;
        const int tried = ::socket(address.ai_family, address.ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (tried < 0)
            return false;
        bool there = ::connect(tried, address.ai_addr, address.ai_addrlen) == 0;
        pollfd waiting { tried, POLLOUT, 0 };
        if (!there && errno == EINPROGRESS && ::poll(&waiting, 1, patience_ms) == 1) {
            int error = 0;
            socklen_t bytes = sizeof(error);
            there = ::getsockopt(tried, SOL_SOCKET, SO_ERROR, &error, &bytes) == 0 && error == 0;
        }
        ::close(tried);
        return there;
    }

    /// Waits until somebody listens: c10d itself would wait deaf to a stop and print what it tries.
    void wait_for_server(const GroupPlace& place, const std::stop_token& stop)
    {
        const auto begin = Clock::now();
        while (true) {
            const Addresses addresses = addresses_of(place);
            for (const addrinfo* address = addresses.get(); address != nullptr; address = address->ai_next) {
                if (stop.stop_requested())
                    throw Cancelled {};
                if (answers(*address))
                    return;
            }
            if (stop.stop_requested())
                throw Cancelled {};
            if (Clock::now() - begin > connect_within)
                throw Error(ErrorKind::device,
                    "Rank " + std::to_string(place.rank) + " found no store of the group at " + place.host + ":"
                        + std::to_string(place.port) + " within five minutes.",
                    "Is rank 0 running there, and is the port open (MASTER_ADDR, MASTER_PORT)?");
            std::this_thread::sleep_for(pause);
        }
    }

    StorePointer connect(const GroupPlace& place, const std::stop_token& stop)
    {
        c10d::TCPStoreOptions options;
        options.port = static_cast<std::uint16_t>(place.port);
        options.isServer = place.rank == 0 && !place.agent_holds_store;
        options.waitWorkers = false;
        options.timeout = std::chrono::seconds(static_cast<std::int64_t>(place.patience_s));
        if (!options.isServer)
            wait_for_server(place, stop);
        try {
            return c10::make_intrusive<c10d::TCPStore>(place.host, options);
        } catch (const c10::Error& error) {
            say_lost(place, error);
        }
    }

} // namespace

struct WindowStore::Impl {
    GroupPlace place;
    StorePointer store;
    std::string group; ///< what the keys of this start of the group begin with
    std::int64_t taken = 0; ///< windows that `arrived` knows to have been taken
    std::set<std::int64_t> awaited; ///< of them, those that have not arrived
    struct Sign {
        std::int64_t beats = -1;
        Clock::time_point since = Clock::now();
    };
    std::map<int, Sign> signs; ///< of life, by rank
    std::jthread heart;

    std::string key(const std::string& name) const { return group + name; }
    std::string key(const std::string& name, std::int64_t number) const
    {
        return group + name + "/" + std::to_string(number);
    }
    /// What the store says, or Error{device}.
    template <typename Ask> auto ask(const Ask& asking) const
    {
        try {
            return asking(*store);
        } catch (const c10::Error& error) {
            say_lost(place, error);
        }
    }
    bool has(const std::string& name) const
    {
        return ask([&](c10d::Store& there) { return there.check({ name }); });
    }
    void put(const std::string& name, const Bytes& value) const
    {
        ask([&](c10d::Store& there) { there.set(name, value); });
    }
    std::int64_t add(const std::string& name, std::int64_t value) const
    {
        return ask([&](c10d::Store& there) { return there.add(name, value); });
    }

    /// Counts a key of this rank up once a second, until the thread is asked to stop or the store is gone.
    void beat(const std::stop_token& stop) const
    {
        const StorePointer own = store->clone();
        std::mutex mutex;
        std::condition_variable_any waiting;
        std::unique_lock lock(mutex);
        while (!stop.stop_requested()) {
            try {
                own->add(key("beat", place.rank), 1);
            } catch (const c10::Error&) {
                return; // whoever works with the store says so
            }
            waiting.wait_for(lock, stop, beat_every, [] { return false; });
        }
    }
};

WindowStore::WindowStore(const GroupPlace& place, const std::stop_token& stop)
    : impl_(std::make_unique<Impl>())
{
    impl_->place = place;
    impl_->group = "keepset/" + std::to_string(place.restart) + "/";
    impl_->store = connect(place, stop);
    impl_->heart = std::jthread([impl = impl_.get()](const std::stop_token& end) { impl->beat(end); });
}

WindowStore::WindowStore(std::unique_ptr<Impl> impl)
    : impl_(std::move(impl))
{
}

WindowStore::~WindowStore() = default;
WindowStore::WindowStore(WindowStore&& other) noexcept = default;
WindowStore& WindowStore::operator=(WindowStore&& other) noexcept = default;

WindowStore WindowStore::clone() const
{
    auto impl = std::make_unique<Impl>();
    impl->place = impl_->place;
    impl->group = impl_->group;
    impl->store = impl_->ask([](c10d::Store& there) { return there.clone(); });
    return WindowStore(std::move(impl));
}

void WindowStore::publish(const Bytes& sweep, const std::vector<std::int64_t>& windows)
{
    Bytes list(windows.size() * sizeof(std::int64_t)); // all machines of a group have the same order of bytes
    if (!windows.empty()) // a group that was started again may find all done
        std::memcpy(list.data(), windows.data(), list.size());
    impl_->put(impl_->key("windows"), list);
    impl_->put(impl_->key("sweep"), sweep);
}

std::pair<Bytes, std::vector<std::int64_t>> WindowStore::published(const std::stop_token& stop)
{
    while (!impl_->has(impl_->key("sweep"))) {
        if (stop.stop_requested())
            throw Cancelled {};
        if (const auto rank = lost())
            throw Error(ErrorKind::device, "There is no sign of life of " + *rank + ".");
        std::this_thread::sleep_for(pause);
    }
    const auto get
        = [&](const char* name) { return impl_->ask([&](c10d::Store& there) { return there.get(impl_->key(name)); }); };
    const Bytes list = get("windows");
    std::vector<std::int64_t> windows(list.size() / sizeof(std::int64_t));
    if (!windows.empty())
        std::memcpy(windows.data(), list.data(), windows.size() * sizeof(std::int64_t));
    return { get("sweep"), windows };
}

std::int64_t WindowStore::take() { return impl_->add(impl_->key("taken"), 1) - 1; }

void WindowStore::hold(const std::vector<std::int64_t>& windows)
{
    std::vector<std::string> numbers;
    numbers.reserve(windows.size());
    for (const std::int64_t window : windows)
        numbers.push_back(std::to_string(window + 1));
    const std::string words = numbers.empty() ? "" : (numbers.size() == 1 ? "window " : "windows ") + listed(numbers);
    impl_->put(impl_->key("held", impl_->place.rank), bytes_of(words));
}

void WindowStore::hand_in(std::int64_t index, const Bytes& result) { impl_->put(impl_->key("result", index), result); }

std::vector<Bytes> WindowStore::arrived()
{
    for (const std::int64_t taken = impl_->add(impl_->key("taken"), 0); impl_->taken < taken; ++impl_->taken)
        impl_->awaited.insert(impl_->taken);
    std::vector<Bytes> results;
    for (auto index = impl_->awaited.begin(); index != impl_->awaited.end();) {
        const std::string name = impl_->key("result", *index);
        if (!impl_->has(name)) {
            ++index;
            continue;
        }
        results.push_back(impl_->ask([&](c10d::Store& there) {
            Bytes result = there.get(name);
            there.deleteKey(name);
            return result;
        }));
        index = impl_->awaited.erase(index);
    }
    return results;
}

std::optional<std::string> WindowStore::lost()
{
    const auto now = Clock::now();
    for (int rank = 0; rank < impl_->place.size; ++rank) {
        if (rank == impl_->place.rank || impl_->has(impl_->key("left", rank)))
            continue;
        Impl::Sign& sign = impl_->signs[rank];
        const std::int64_t beats = impl_->add(impl_->key("beat", rank), 0);
        if (beats != sign.beats)
            sign = { beats, now };
        if (beats == 0 || now - sign.since < std::chrono::duration<double>(impl_->place.patience_s))
            continue; // one that never came is still at loading its model
        std::string words = "rank " + std::to_string(rank);
        if (impl_->has(impl_->key("held", rank))) {
            const Bytes held = impl_->ask([&](c10d::Store& there) { return there.get(impl_->key("held", rank)); });
            if (!held.empty())
                words += ", which had " + std::string(held.begin(), held.end()) + " in hand";
        }
        return words;
    }
    return std::nullopt;
}

void WindowStore::finish() { impl_->put(impl_->key("finished"), bytes_of("1")); }
bool WindowStore::finished() { return impl_->has(impl_->key("finished")); }
void WindowStore::leave() { impl_->put(impl_->key("left", impl_->place.rank), bytes_of("1")); }

bool WindowStore::all_left()
{
    for (int rank = 1; rank < impl_->place.size; ++rank) {
        if (!impl_->has(impl_->key("left", rank)))
            return false;
    }
    return true;
}

bool WindowStore::file_is_ours() { return impl_->has("keepset/file"); }
void WindowStore::file_becomes_ours() { impl_->put("keepset/file", bytes_of("1")); }

} // namespace keepset
