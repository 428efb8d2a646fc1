#pragma once

#include "core/policies.h"
#include "core/provenance.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

/// Files of scores or keep sets that were made elsewhere, for the policy file(path=…) (SEMANTICS 4b).
namespace keepset {

/// The context that a window of a file is to be for.
struct KeepFilePlace {
    std::int64_t layers = 0;
    std::int64_t kv_heads = 0;
    std::int64_t window = 0; ///< of the sweep, from 0; an analysis is window 0
    std::span<const std::int64_t> ids = {}; ///< (context): its tokens, a BOS included
};

/// One file: an HDF5, safetensors or npz file with an array `scores` or `keep`, (layers, kv_heads, context) or
/// (windows, layers, kv_heads, context), and perhaps `tokens`, (context) or (windows, context).
class KeepFile {
public:
    /// Looks at what there is and reads no values. Throws Error{input}: no such file, none of the three formats, no
    /// array or both, shapes or types that cannot be meant.
    explicit KeepFile(const std::filesystem::path& file);
    ~KeepFile();
    KeepFile(KeepFile&&) noexcept;
    KeepFile& operator=(KeepFile&&) = delete;

    /// Keep sets, which have their own counts; else scores, which are ranked.
    bool holds_keep_sets() const;
    /// 1 where the array has no axis for them.
    std::int64_t windows() const;
    /// (layers, kv_heads, context): scores, or 1 for what is kept and 0 for what is not. Throws Error{input}: no such
    /// window, other shapes, another text (with its first token that differs), values that are no finite numbers or
    /// neither 0 nor 1 (with the first place), a window that keeps nothing.
    std::vector<float> window(const KeepFilePlace& place) const;
    /// The same of one of its windows, whatever the model and the text: sizes and tokens are not looked at.
    std::vector<float> values(std::int64_t window) const;
    /// Layers, kv heads and context.
    std::vector<std::int64_t> shape() const;
    /// Whether it says for which tokens it is.
    bool has_tokens() const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// Whether a policy takes keep sets from a file as they are, so that a sweep has one point of it. Throws Error{input}.
bool takes_keep_sets(const PolicySpec& policy);
/// Throws Error where what policies are to read from files cannot be meant, as far as that is known without a model.
void check_policy_files(const std::vector<PolicySpec>& policies);
/// What the files hold that policies read, each once, in the order met. Throws Error{input}, Cancelled.
std::vector<HashedFile> hashes_of(const std::vector<PolicySpec>& policies, const std::stop_token& stop = {});

} // namespace keepset
