#pragma once

#include "core/files.h"
#include "core/policies.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

/// Files of scores or keep sets that were made elsewhere, for the policy file(path=…) (SEMANTICS 4b).
namespace keepset {

/// Whether a parameter is the path of a file that is read.
inline bool is_path(const PolicyParameter& parameter)
{
    return parameter.kind == ParameterKind::text && parameter.name == "path";
}
/// Files that a policy, or one within it, reads.
std::vector<std::string> files_of(const PolicySpec& policy);
/// What a command with these policies reads besides a model.
std::vector<NamedFile> inputs_of(const std::string& text, const std::vector<PolicySpec>& policies);

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
/// Reads for a row of an analysis what a policy takes from a file, where it takes something and the row has it not yet;
/// with what add_shared_rows would give it. Throws Error{input, usage}: see KeepFile.
void read_given(const Analysis& analysis, const PolicySpec& policy, RowScores& row);

} // namespace keepset
