#include "core/model/family.h"

#include <array>

namespace keepset {

namespace family {
    extern const Family llama;
}

std::span<const Family* const> families()
{
    static constexpr std::array all = { &family::llama };
    return all;
}

} // namespace keepset
