#pragma once

#include "core/model/config.h"
#include "core/model/config_reader.h"

#include <string>
#include <string_view>

namespace keepset {

/// Whether a field that a family does not honour may still say what the family does: another name of a size, a switch
/// for what is always on.
bool is_restatable(std::string_view name);

/// Whether such a field says what is computed anyway. `reader` has the field; `config` is what was read.
bool restates(const std::string& name, const ConfigReader& reader, const DecoderConfig& config);

} // namespace keepset
