#pragma once

#include "core/choices.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

/// A model folder: how it is opened, what it says of itself, and on which devices it can go.
namespace keepset {

struct OpenOptions {
    std::string device = "auto"; ///< auto, cpu, cuda, cuda:1
    Dtype dtype = Dtype::automatic; ///< automatic: float32 on the CPU, the checkpoint's on CUDA
    int threads = 0; ///< 0: all cores
    bool hash_weights = true; ///< for the provenance of results; not needed where another process writes these
};

struct ModelInfo {
    std::string path; ///< the folder
    std::string name; ///< the folder's name
    std::string architecture; ///< config.json's architectures[0]
    std::string model_type;
    std::int64_t layers = 0;
    std::int64_t heads = 0; ///< query heads
    std::int64_t kv_heads = 0;
    std::int64_t head_dim = 0;
    std::int64_t hidden_size = 0;
    std::int64_t intermediate_size = 0;
    std::int64_t vocabulary = 0;
    std::int64_t max_context = 0; ///< max_position_embeddings
    bool endless = false; ///< texts may be longer than max_context
    bool tied_embeddings = false;
    std::string positions; ///< "rotary", "learned", "alibi"
    std::int64_t experts = 0; ///< of a layer that mixes them; 0: none does
    std::int64_t experts_per_token = 0;
    std::int64_t window = 0; ///< positions that a query of a sliding layer sees; 0: there is no sliding layer
    std::int64_t sliding_layers = 0;
    std::string checkpoint_dtype; ///< as stored
    std::int64_t parameters = 0; ///< a tied embedding counted once
    std::int64_t bytes = 0; ///< of the weight files
    std::int64_t tokens_known = 0; ///< tokenizer's vocabulary with added tokens
    bool adds_bos = false; ///< the post-processor puts a BOS token first (SEMANTICS 5)
    std::string device; ///< where it was opened: "cpu", "cuda:0"; empty when only described
    std::string device_name; ///< "CPU, 2 threads", "NVIDIA H200"
    std::string dtype; ///< computed in
    std::vector<std::string> notes; ///< what was noticed about tokenizer and weights, a sentence each
};

/// The folder of the model that a user means: a model folder itself, or of the root of a model in a Hugging Face cache
/// (models--owner--name) the snapshot that refs/main names, or the only one. Throws Error{input} that says what is
/// there instead: an adapter, a GGUF file, nothing, … Whatever takes a model folder here goes through it.
std::filesystem::path model_folder(const std::filesystem::path& given);

/// Architecture and sizes of a folder from its headers alone; no weight is read.
ModelInfo describe_model(const std::filesystem::path& folder);

/// Model folders in the user's Hugging Face cache (HF_HUB_CACHE, HF_HOME, ~/.cache/huggingface/hub) that look loadable.
std::vector<std::filesystem::path> cached_models();

/// Devices that can be asked for: "cpu" and every "cuda:N" with its name. Loads the CUDA module.
std::vector<std::pair<std::string, std::string>> devices();

} // namespace keepset
