#pragma once

#include "core/task.h"

#include <QString>

namespace keepset::ui {

/// Where long work stands, in the user's language: "attention pass · 3 of 8 layers · 2.1 layers/s · 4 s left". Stages
/// and units that have no translation yet are in core's words.
QString progressWords(const Progress& progress);

} // namespace keepset::ui
