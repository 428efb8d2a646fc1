#pragma once

#include <QString>

#include <optional>

namespace keepset::ui {

/// Where the bundled demo lies: beside an installed program (share/keepset/demo) or in the source tree
/// (resources/demo), looked for from the program's folder upwards. None: this copy came without it.
std::optional<QString> demoFolder();

} // namespace keepset::ui
