#pragma once

#include "core/files.h"
#include "core/policies.h"

#include <functional>
#include <string>
#include <vector>

/// Which files policies read (SEMANTICS 4b, file).
namespace keepset {

/// Whether a parameter is the path of a file that is read.
inline bool is_path(const PolicyParameter& parameter)
{
    return parameter.kind == ParameterKind::text && parameter.name == "path";
}
/// Files that a policy, or one within it, reads.
std::vector<std::string> files_of(const PolicySpec& policy);
/// The same policy with another name for each of these files.
PolicySpec with_files(const PolicySpec& policy, const std::function<std::string(const std::string& file)>& rename);
/// What a command with these policies reads besides a model.
std::vector<NamedFile> inputs_of(const std::string& text, const std::vector<PolicySpec>& policies);

} // namespace keepset
