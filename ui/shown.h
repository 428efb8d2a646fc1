#pragma once

#include <QString>

namespace keepset {
struct Analysis;
struct Run;
}

namespace keepset::ui {

class SelectionState;

/// What a page or an exported picture shows, and of what. Whoever shows a result says so by this value, so that nothing
/// of one model or text can stand under the name of another.
struct Shown {
    enum class Source { none, analysis, file, run, table };
    Source source = Source::none;
    QString file; ///< name of the file it was read from; empty: made in this window
    QString model;
    QString namesake; ///< "in /models/old", where the open model has the same name and is another one
    QString text;
    QString passage; ///< "from 2,150"
    QString context; ///< "1,024 tokens", "windows of 1,024 + 256"
    QString importance; ///< "cumulative / mean"
    QString scope; ///< "whole model's mean"; of a sweep: "keep set per head · prefill-evict"
    QString layers; ///< "evicts in 3 of 18 layers"; empty: in all
    QString sparsity; ///< "80% evicted"; of a sweep, which has many: the windows done
    QString marks; ///< "6 marked to stay, 2 to go"
    QString device; ///< "float32 on cpu"
    QString date; ///< "2026-11-29 04:05 UTC"
    bool stale = false; ///< another model or text is open by now
};

/// Its name, and which of two of that name it is.
QString modelOf(const Shown& shown);
/// All of it on one line: model (which of two namesakes) · text · passage · context · importance / joined by · scope ·
/// layers · sparsity · marks · device · date.
QString lineOf(const Shown& shown);
/// Why it is stale, in words; empty where it is not.
QString staleWords(const Shown& shown);

/// `scopeTitle`: the row that is looked at, in words.
Shown shownOf(const Analysis& analysis, const SelectionState& selection, const QString& scopeTitle);
Shown shownOf(const Run& run);

} // namespace keepset::ui
