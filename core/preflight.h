#pragma once

#include "core/types.h"

#include <filesystem>
#include <string>

/// What can be refused before a model is read: a wrong setting must not cost minutes.
namespace keepset {

/// Throws Error{usage} where the settings of a sweep contradict one another, which is known without model and text: no
/// points, sparsities outside [0, 1), budgets above the context, too small windows, what token-drop cannot have.
void check_request(const SweepRequest& request);

/// Throws unless `file` may become a result: Error{usage} where it exists and `force` is not set (`hint` says what to
/// do), Error{input} where it is a folder or a device, or its folder is missing.
void check_output(const std::filesystem::path& file, bool force, const std::string& hint);

} // namespace keepset
