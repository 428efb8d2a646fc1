#include "core/group.h"

#include "core/error.h"

#include <charconv>
#include <cstdlib>
#include <limits>
#include <string_view>

namespace keepset {

namespace {

    std::string variable(const char* name)
    {
        const char* const value = std::getenv(name);
        return value == nullptr ? "" : value;
    }

    /// A whole number from `least` to `most`; `otherwise` where the variable is not set.
    int number(const char* name, int least, int most, std::optional<int> otherwise = {})
    {
        const std::string text = variable(name);
        if (text.empty() && otherwise)
            return *otherwise;
        int value = 0;
        const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
        if (problem != std::errc {} || end != text.data() + text.size() || value < least || value > most)
            throw Error(ErrorKind::usage,
                "The variable " + std::string(name) + " of the environment is '" + text + "', and a whole number from "
                    + std::to_string(least) + " to " + std::to_string(most) + " is needed.",
                "torchrun sets RANK, WORLD_SIZE, LOCAL_RANK, MASTER_ADDR and MASTER_PORT; under srun you do. For a "
                "process of its own unset WORLD_SIZE.");
        return value;
    }

} // namespace

std::optional<GroupPlace> group_of_environment()
{
    constexpr int any = std::numeric_limits<int>::max();
    constexpr int ports = 65535;
    if (variable("WORLD_SIZE").empty() || variable("RANK").empty())
        return std::nullopt;
    GroupPlace place;
    place.size = number("WORLD_SIZE", 1, any);
    place.restart = number("TORCHELASTIC_RESTART_COUNT", 0, any, 0);
    if (place.size == 1 && variable("MASTER_PORT").empty())
        return std::nullopt;
    place.rank = number("RANK", 0, place.size - 1);
    place.local_size = number("LOCAL_WORLD_SIZE", 1, any, 0);
    place.local_rank = number("LOCAL_RANK", 0, any, place.rank);
    place.port = number("MASTER_PORT", 1, ports);
    place.host = variable("MASTER_ADDR");
    if (place.host.empty())
        throw Error(ErrorKind::usage, "WORLD_SIZE and RANK ask for a group of processes, but MASTER_ADDR is not set.",
            "Set it to the machine of rank 0, or unset WORLD_SIZE.");
    place.agent_holds_store = variable("TORCHELASTIC_USE_AGENT_STORE") == "True";
    place.patience_s = number("KEEPSET_PATIENCE", 1, any, static_cast<int>(place.patience_s));
    return place;
}

} // namespace keepset
