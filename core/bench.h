#pragma once

#include "core/model_info.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

/// What `keepset-cli bench` measures below the engine: our kernels against what the tensor library offers, on the same
/// inputs.
namespace keepset {

/// A model folder with random weights in bfloat16 and a token a byte, for whoever wants to know how fast a shape is and
/// has no such model. Lies where temporary files do while this lives.
class ShapeFolder {
public:
    /// smollm2-135m, qwen2-0.5b, llama-3.2-1b, gemma2-2b, gemma2-2b-plain (without windows and caps) or mixtral-tiny.
    /// Throws Error{usage} for another.
    explicit ShapeFolder(const std::string& shape);
    ~ShapeFolder();
    ShapeFolder(const ShapeFolder&) = delete;
    ShapeFolder& operator=(const ShapeFolder&) = delete;
    /// Makes it, in seconds. Throws Error{input} where there is no room.
    void fill() const;
    const std::filesystem::path& path() const { return folder_; }
    /// What the destructor does; for a program that ends without it.
    void remove() const;

private:
    std::filesystem::path folder_;
};

/// The most memory of the first GPU that tensors took at a time since the last forget_peak_bytes; 0 where no GPU was
/// used.
std::int64_t peak_bytes();
void forget_peak_bytes();

/// Two ways to one result on one device.
struct Contest {
    std::string device; ///< "CPU, 2 threads", "NVIDIA H200"
    std::string name; ///< what is made, over how
    int repeats = 1; ///< how often a call of either does it, so that waiting for a GPU does not count
    std::function<void()> ours; ///< the kernel; inputs and outputs stay on the device
    std::function<void()> peer;
};

/// Keep sets by CAB with median bridges at 80% for 256 rows of 32768 tokens, against topk, kthvalue and scatter of the
/// tensor library, which leave ties open. On the CPU, and on a GPU where `options` takes one. Throws
/// Error{device, usage} as Engine::open_model does.
std::vector<Contest> select_contests(const OpenOptions& options);

/// The attention map of one head, 32768 tokens on a GPU (bfloat16) and 4096 on the CPU, to 1024 × 1024 cells on the
/// host, against plain operations of the tensor library over chunks of queries. Throws as select_contests does.
std::vector<Contest> map_contests(const OpenOptions& options);

/// Flow and curvature of one row of four query heads, 16384 tokens on a GPU (bfloat16) and 2048 on the CPU, against the
/// same.
std::vector<Contest> bridge_contests(const OpenOptions& options);

/// One of several ways to causal attention, its importance or both.
struct AttentionWay {
    std::string name;
    double products = 0; ///< of context · context · head_dim a head, half of which causality hides
    std::function<void()> run; ///< `repeats` times, and waits for the last
    bool exponentials_bind = false; ///< one exponential a score, and next to nothing else besides its product
};

/// Ways to the importance of one layer over one context; all are related to the first, the forward pass alone.
struct AttentionContest {
    std::string shape; ///< "4096 tokens, 32 heads (8 kv) of 128"
    int repeats = 1;
    double product_operations = 0; ///< of one of `products`: heads · context² · head_dim
    double scores = 0; ///< that are seen: heads · context² / 2
    std::vector<AttentionWay> ways;
};

/// What the device does where nothing else is in the way.
struct Ceiling {
    double operations = 0; ///< of one run
    std::function<void()> run;
};

struct AttentionBench {
    std::string device; ///< for people
    std::string dtype;
    Ceiling products; ///< a large matrix product
    Ceiling exponentials; ///< no run where that is not told
    std::vector<std::function<AttentionContest()>> contests; ///< each makes its inputs when it is called
};

/// Attention output and importance of unit normal inputs. On a GPU bfloat16 (or float16 where `options` says so),
/// 32 heads (8 kv) of 128 and of 64, 2048 to 65536 tokens; on the CPU float32, 9 heads (3 kv) of 64, 1024 and 2048
/// tokens. Calls of what is returned throw Error{memory, internal}. Throws Error{device, usage}.
AttentionBench attention_bench(const OpenOptions& options);

} // namespace keepset
