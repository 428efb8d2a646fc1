#pragma once

#include "ui/charts/sweep_charts.h"

#include <QStringList>

/// What the Sweep page says beside its charts. Pure functions.
namespace keepset::ui {

struct SweepWords {
    QStringList sentences; ///< what may be said about the methods
    QStringList notes; ///< warnings of the audit, and what runs laid over have that the run has not
};
/// `reference`: the method that the others are compared with. `run` may be null.
SweepWords wordsOf(const Run* run, const std::vector<charts::EarlierRun>& earlier, const std::string& reference);

} // namespace keepset::ui
