#include "core/audit_report.h"
#include "core/choices.h"
#include "core/error.h"
#include "core/words.h"

#include <algorithm>
#include <charconv>
#include <span>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>

namespace keepset {

namespace {

    template <typename T> struct Name {
        T value;
        const char* text;
    };

    constexpr Name<Dtype> dtype_names[] = { { Dtype::automatic, "auto" }, { Dtype::float32, "float32" },
        { Dtype::bfloat16, "bfloat16" }, { Dtype::float16, "float16" } };
    /// Of a window only what stands before the number.
    constexpr Name<Importance::Kind> importance_names[]
        = { { Importance::Kind::cumulative, "cumulative" }, { Importance::Kind::mean_received, "mean-received" },
              { Importance::Kind::window, "window:" }, { Importance::Kind::last_query, "last-query" } };
    constexpr Name<Granularity> granularity_names[]
        = { { Granularity::head, "head" }, { Granularity::layer, "layer" }, { Granularity::model, "model" } };
    constexpr Name<GqaReduction> gqa_names[]
        = { { GqaReduction::mean, "mean" }, { GqaReduction::max, "max" }, { GqaReduction::sum, "sum" } };
    constexpr Name<Protocol> protocol_names[]
        = { { Protocol::prefill_evict, "prefill-evict" }, { Protocol::token_drop, "token-drop" } };
    constexpr Name<Positions> positions_names[]
        = { { Positions::original, "original" }, { Positions::repacked, "repacked" } };
    constexpr Name<Rounding> rounding_names[] = { { Rounding::floor, "floor" }, { Rounding::kvpress, "kvpress" } };
    constexpr Name<Sliding> sliding_names[] = { { Sliding::keep, "keep" }, { Sliding::evict, "evict" } };
    constexpr Name<Label> label_names[] = { { Label::evicted, "evicted" }, { Label::kept, "kept" },
        { Label::local, "local" }, { Label::important, "important" }, { Label::bridge, "bridge" },
        { Label::sink, "sink" }, { Label::pinned, "pinned" } };
    constexpr Name<CheckStatus> status_names[]
        = { { CheckStatus::pass, "pass" }, { CheckStatus::warning, "warning" }, { CheckStatus::fail, "fail" },
              { CheckStatus::undecided, "undecided" }, { CheckStatus::not_applicable, "not applicable" } };

    template <typename T> std::string find_name(std::span<const Name<T>> names, T value)
    {
        for (const Name<T>& name : names) {
            if (name.value == value)
                return name.text;
        }
        throw Error(ErrorKind::internal, "a value without a name: " + std::to_string(static_cast<int>(value)));
    }

    /// Whether the specification has a name, of this kind of choice, that this build has not yet: told apart from a
    /// misspelling.
    template <typename T> bool is_planned(const std::string& name)
    {
        if constexpr (std::is_same_v<T, Protocol>)
            return name == "streaming";
        return false;
    }

    /// A name as somebody types it.
    std::string shown(const std::string& name) { return name.ends_with(':') ? name + "32" : name; }

    template <typename T>
    void find_value(const char* what, std::span<const Name<T>> names, const std::string& text, T& value)
    {
        std::string known;
        for (const Name<T>& name : names) {
            if (text == name.text) {
                value = name.value;
                return;
            }
            known += (known.empty() ? "" : ", ") + shown(name.text);
        }
        const std::string problem = is_planned<T>(text) ? "' is not built yet." : "' is not known.";
        throw Error(ErrorKind::usage, std::string(what) + " '" + text + problem, "Choose one of: " + known + ".");
    }

} // namespace

std::string name_of(Dtype value) { return find_name<Dtype>(dtype_names, value); }
std::string name_of(const Importance& value)
{
    const std::string name = find_name<Importance::Kind>(importance_names, value.kind);
    return value.kind == Importance::Kind::window ? name + std::to_string(value.queries) : name;
}
std::string queries_of(const Importance& value)
{
    const std::int64_t last = value.last_queries();
    return last == 0 ? "all queries" : last == 1 ? "the last query" : "the last " + grouped(last) + " queries";
}
std::string name_of(Granularity value) { return find_name<Granularity>(granularity_names, value); }
std::string name_of(GqaReduction value) { return find_name<GqaReduction>(gqa_names, value); }
std::string name_of(Protocol value) { return find_name<Protocol>(protocol_names, value); }
std::string name_of(Positions value) { return find_name<Positions>(positions_names, value); }
std::string name_of(Rounding value) { return find_name<Rounding>(rounding_names, value); }
std::string name_of(Sliding value) { return find_name<Sliding>(sliding_names, value); }
std::string name_of(Label value) { return find_name<Label>(label_names, value); }
std::string name_of(CheckStatus value) { return find_name<CheckStatus>(status_names, value); }

void from_name(const std::string& name, Dtype& value) { find_value<Dtype>("dtype", dtype_names, name, value); }
void from_name(const std::string& name, Importance& value)
{
    constexpr std::string_view window = "window:";
    if (name != "window" && !name.starts_with(window)) {
        Importance found;
        find_value<Importance::Kind>("importance", importance_names, name, found.kind);
        value = found;
        return;
    }
    std::int64_t queries = 0;
    const char* const end = name.data() + name.size();
    const auto read = std::from_chars(std::min(name.data() + window.size(), end), end, queries);
    if (read.ec != std::errc() || read.ptr != end || queries < 1)
        throw Error(ErrorKind::usage,
            "importance '" + name + "' does not say how many of the last queries are summed over.",
            "Write a whole number from 1 on behind it, such as window:32.");
    value = Importance::window(queries);
}
void from_name(const std::string& name, Granularity& value)
{
    find_value<Granularity>("granularity", granularity_names, name, value);
}
void from_name(const std::string& name, GqaReduction& value)
{
    find_value<GqaReduction>("gqa", gqa_names, name, value);
}
void from_name(const std::string& name, Protocol& value)
{
    find_value<Protocol>("protocol", protocol_names, name, value);
}
void from_name(const std::string& name, Positions& value)
{
    find_value<Positions>("positions", positions_names, name, value);
}
void from_name(const std::string& name, Rounding& value)
{
    find_value<Rounding>("rounding", rounding_names, name, value);
}
void from_name(const std::string& name, Sliding& value) { find_value<Sliding>("sliding", sliding_names, name, value); }

} // namespace keepset
