#include "core/audit_report.h"
#include "core/choices.h"
#include "core/error.h"

#include <span>
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
    constexpr Name<Importance> importance_names[]
        = { { Importance::cumulative, "cumulative" }, { Importance::mean_received, "mean-received" } };
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
        if constexpr (std::is_same_v<T, Importance>)
            return name == "last-query" || name == "window" || name.rfind("window:", 0) == 0;
        return false;
    }

    template <typename T>
    void find_value(const char* what, std::span<const Name<T>> names, const std::string& text, T& value)
    {
        std::string known;
        for (const Name<T>& name : names) {
            if (text == name.text) {
                value = name.value;
                return;
            }
            known += (known.empty() ? "" : ", ") + std::string(name.text);
        }
        const std::string problem = is_planned<T>(text) ? "' is not built yet." : "' is not known.";
        throw Error(ErrorKind::usage, std::string(what) + " '" + text + problem, "Choose one of: " + known + ".");
    }

} // namespace

std::string name_of(Dtype value) { return find_name<Dtype>(dtype_names, value); }
std::string name_of(Importance value) { return find_name<Importance>(importance_names, value); }
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
    find_value<Importance>("importance", importance_names, name, value);
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
