#include "core/model/family.h"

#include <array>

namespace keepset {

/// Every family: declared here, listed below.
namespace family {
    extern const Family gpt2, gpt_neox, opt, llama, mistral, mixtral, qwen2, qwen3, qwen3_moe, gemma, gemma2,
        gemma3_text, phi, phi3, falcon, bloom, stablelm, olmo2, granite, smollm3;
}

std::span<const Family* const> families()
{
    static constexpr std::array all = { &family::gpt2, &family::gpt_neox, &family::opt, &family::llama,
        &family::mistral, &family::mixtral, &family::qwen2, &family::qwen3, &family::qwen3_moe, &family::gemma,
        &family::gemma2, &family::gemma3_text, &family::phi, &family::phi3, &family::falcon, &family::bloom,
        &family::stablelm, &family::olmo2, &family::granite, &family::smollm3 };
    return all;
}

} // namespace keepset
