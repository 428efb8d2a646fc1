#pragma once

#include "core/run.h"

#include <QDateTime>
#include <QString>

#include <filesystem>
#include <optional>

namespace keepset::ui {

/// A run as a list shows it.
struct RunSummary {
    QString path;
    QString name; ///< of the file, without ending
    QString model;
    QString text;
    QString command; ///< that repeats it
    QDateTime when; ///< it was begun; invalid where the file cannot be read
    std::int64_t done = 0; ///< windows
    std::int64_t windows = 0; ///< of its shard
    bool alive = false; ///< a process writes it
    QString best; ///< "9.31 by CAB at 80%": the least perplexity of a policy at the highest sparsity all share
    QString problem; ///< why it cannot be read; empty where it can

    bool unfinished() const { return problem.isEmpty() && !alive && done < windows; }
};

/// A run's line in a list.
RunSummary summarise(const Run& run, const std::filesystem::path& file);

} // namespace keepset::ui
