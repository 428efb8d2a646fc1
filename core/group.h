#pragma once

#include <optional>
#include <string>

/// Several processes that share a sweep, as torchrun and srun start them.
namespace keepset {

/// Where this process stands among them.
struct GroupPlace {
    int rank = 0; ///< 0 writes the results
    int size = 1;
    int local_rank = 0; ///< on this machine
    int local_size = 0; ///< processes on this machine; 0: not said
    std::string host; ///< where rank 0, or torchrun's agent, holds the store
    int port = 0;
    bool agent_holds_store = false; ///< torchrun's agent does, and not rank 0
    int restart = 0; ///< times that torchrun started the group again
    double patience_s = 60; ///< without a sign of life after which a rank counts as lost
};

/// From RANK, WORLD_SIZE, LOCAL_RANK, LOCAL_WORLD_SIZE, MASTER_ADDR, MASTER_PORT and torchrun's own variables; nothing
/// where this process is alone. Throws Error{usage} that names the variable which is missing or makes no sense.
std::optional<GroupPlace> group_of_environment();

} // namespace keepset
