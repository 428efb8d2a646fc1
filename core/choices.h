#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

/// Choices with names: what an analysis, a selection or a sweep can be asked for.
namespace keepset {

enum class Dtype : std::uint8_t { automatic, float32, bfloat16, float16 };
enum class Granularity : std::uint8_t { head, layer, model };
enum class GqaReduction : std::uint8_t { mean, max, sum };
enum class Protocol : std::uint8_t { prefill_evict, token_drop };
enum class Positions : std::uint8_t { original, repacked };
/// What becomes of layers whose own sliding window is shorter than the context (SEMANTICS 3).
enum class Sliding : std::uint8_t {
    keep, ///< nothing is evicted there: their cache is a window already
    evict ///< they are treated like the others
};
enum class Rounding : std::uint8_t { floor, kvpress };

/// What makes the attention that a key received its importance (SEMANTICS 2): Importance::cumulative,
/// Importance::window(32), …
struct Importance {
    enum class Kind : std::uint8_t { cumulative, mean_received, window, last_query };
    Kind kind = Kind::cumulative;
    std::int64_t queries = 0; ///< of a window: it sums over the last ones; at least 1, 0 in other modes

    static const Importance cumulative;
    static const Importance mean_received;
    static const Importance last_query;
    static constexpr Importance window(std::int64_t queries) { return { Kind::window, queries }; }

    /// Last queries of the context that are summed over; 0: all of them.
    constexpr std::int64_t last_queries() const { return kind == Kind::last_query ? 1 : queries; }
    bool operator==(const Importance&) const = default;
    /// Some order, for containers.
    bool operator<(const Importance& other) const
    {
        return kind == other.kind ? queries < other.queries : kind < other.kind;
    }
};
inline constexpr Importance Importance::cumulative {};
inline constexpr Importance Importance::mean_received { Kind::mean_received };
inline constexpr Importance Importance::last_query { Kind::last_query };

/// Role of a context position in a keep set; the values are those of /keep/<n>/label (INTERFACES 2).
enum class Label : std::uint8_t { evicted, kept, local, important, bridge, sink, pinned };
inline constexpr std::size_t label_count = 7;

/// Whose attention a mode sums up, in words: "all queries", "the last 32 queries", "the last query".
std::string queries_of(const Importance& value);

// Names as the command line and the files spell them ("mean-received", "window:32", "prefill-evict", …).
// from_name throws Error{usage} with the list of known names; a known name that is not built yet is refused as such.
std::string name_of(Dtype value);
std::string name_of(const Importance& value);
std::string name_of(Granularity value);
std::string name_of(GqaReduction value);
std::string name_of(Protocol value);
std::string name_of(Positions value);
std::string name_of(Rounding value);
std::string name_of(Sliding value);
std::string name_of(Label value);
void from_name(const std::string& name, Dtype& value);
void from_name(const std::string& name, Importance& value);
void from_name(const std::string& name, Granularity& value);
void from_name(const std::string& name, GqaReduction& value);
void from_name(const std::string& name, Protocol& value);
void from_name(const std::string& name, Positions& value);
void from_name(const std::string& name, Rounding& value);
void from_name(const std::string& name, Sliding& value);

} // namespace keepset
