#pragma once

#include <cstdint>
#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

/// What a file for the policy file(path=…) holds, as far as that can be told without a model (SEMANTICS 4b).
namespace keepset {

/// Of one layer, over its kv heads and all windows: how many entries a row keeps, or what the scores are.
struct KeepLayer {
    double least = 0;
    double mean = 0;
    double most = 0;
};

struct KeepArray {
    std::string name;
    std::string holds; ///< "floating", "whole" or "boolean"; empty: it is no array of numbers
    std::vector<std::int64_t> shape;
};

struct KeepSummary {
    std::string container; ///< "HDF5", "safetensors" or "npz"
    std::string sha256; ///< of the file
    std::vector<KeepArray> arrays; ///< all at its root
    std::string model_name; ///< attribute of an HDF5 file; empty: none
    std::string text_name; ///< the same
    std::string problem; ///< the first thing for which the policy would refuse it, a sentence; empty: none
    // The rest is 0 or empty where the problem hides it.
    bool keep_sets = false; ///< else scores
    bool tokens = false;
    std::int64_t windows = 0;
    std::int64_t layers = 0;
    std::int64_t kv_heads = 0;
    std::int64_t context = 0;
    std::vector<KeepLayer> by_layer;
};

/// Whether a file is meant for that policy: HDF5 that says so, an npz file, or one with an array scores or keep that
/// does not say to be something else.
bool is_keep_file(const std::filesystem::path& file);
/// Reads all of such a file. Throws Error{input} where it is none, Cancelled.
KeepSummary describe_keep_file(const std::filesystem::path& file, const std::stop_token& stop = {});
/// Throws Error{input} that says what to do with such a file where a result is to be opened; does nothing for others.
void refuse_keep_file(const std::filesystem::path& file);

} // namespace keepset
