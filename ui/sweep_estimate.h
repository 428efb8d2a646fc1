#pragma once

#include "core/preflight.h"

#include <QString>

#include <optional>

/// What a sweep takes, before it starts. Pure functions but for the rates, which are kept with the settings.
namespace keepset::ui {

struct SweepCost {
    std::int64_t asked = 0; ///< windows; 0: all
    std::optional<std::int64_t> available; ///< windows of the text; nothing where its tokens are not counted
    bool counting = false; ///< they are being counted
    double seconds = not_a_number; ///< NaN: nothing was measured yet on this model and device
    std::optional<MemoryNeed> memory;
};

/// "8 of the text's 21 windows · about 40 s · 1.2 GB of memory, 6.3 GB free".
QString costWords(const SweepCost& cost);

/// Seconds a unit of work took last on a model and device; NaN where none was measured.
double measuredRate(const ModelInfo& model);
void rememberRate(const ModelInfo& model, double secondsPerWork);

} // namespace keepset::ui
