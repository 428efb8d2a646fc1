#pragma once

#include "core/tokens.h"

#include <QString>

#include <optional>

/// Where sweeps of the window are kept: a file each, never overwritten.
namespace keepset::ui {

/// The folder of the user's choice, or "runs" in the application's data; made where it is missing.
QString runsFolder();
void setRunsFolder(const QString& folder);
/// A name in that folder that no file has: 2026-11-29-<model>-<text>-<six digits>.h5.
QString newRunFile(const QString& model, const QString& text);
/// Puts a text without a file of its own (pasted, dropped) beside the runs, so that their command can be repeated.
/// Gives its path; nothing where it cannot be written.
std::optional<QString> keepText(const Text& text);
/// Moves a run to the desktop's wastebasket, or where there is none into "deleted" beside it. Gives where it lies
/// there; nothing where that cannot be done.
std::optional<QString> throwAway(const QString& path);
/// Brings it back from there. False: it cannot.
bool bringBack(const QString& fromBasket, const QString& path);

} // namespace keepset::ui
