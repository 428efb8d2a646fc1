#pragma once

#include "core/group.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace keepset {

/// What the processes of a group tell one another, through c10d's TCPStore: which windows there are, who takes the
/// next, what came out. Rank 0, or torchrun's agent, holds it. Every thread has its own (clone). Functions throw
/// Error{device} where the store no longer answers.
class WindowStore {
public:
    using Bytes = std::vector<std::uint8_t>;

    /// Connects, and from now on tells the others that this rank lives. Throws Cancelled, and Error{device} where
    /// nobody answers within five minutes.
    WindowStore(const GroupPlace& place, const std::stop_token& stop);
    ~WindowStore();
    WindowStore(WindowStore&& other) noexcept;
    WindowStore& operator=(WindowStore&& other) noexcept;
    WindowStore(const WindowStore&) = delete;
    WindowStore& operator=(const WindowStore&) = delete;
    /// Another connection, for another thread, without a sign of life of its own.
    WindowStore clone() const;

    /// By rank 0, once: what the sweep is and which windows are to be done.
    void publish(const Bytes& sweep, const std::vector<std::int64_t>& windows);
    /// The same, by all; waits for it. Throws Cancelled.
    std::pair<Bytes, std::vector<std::int64_t>> published(const std::stop_token& stop);

    /// The next window that nobody has taken, as an index into those published; may lie behind the last.
    std::int64_t take();
    /// Which windows this rank has in hand, for sentences about a rank that is lost.
    void hold(const std::vector<std::int64_t>& windows);
    /// What came out of the window that `take` gave as `index`.
    void hand_in(std::int64_t index, const Bytes& result);
    /// By rank 0: what was handed in since the last call, each once. A window whose rank died holds up no other.
    std::vector<Bytes> arrived();

    /// Another rank that gave no sign of life for the group's patience: "rank 2, which had windows 7 and 8 in hand".
    std::optional<std::string> lost();

    /// By rank 0: all is written. The others may leave then.
    void finish();
    bool finished();
    void leave();
    /// Whether all ranks but 0 have left.
    bool all_left();

    /// Whether a group with this store, before torchrun started it again, has put the first window into the run file.
    bool file_is_ours();
    void file_becomes_ours();

private:
    struct Impl;
    explicit WindowStore(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

} // namespace keepset
