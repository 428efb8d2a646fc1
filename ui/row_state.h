#pragma once

#include "ui/selection_state.h"

#include <QObject>

#include <array>
#include <memory>
#include <optional>

namespace keepset::ui {

/// The row of scores that is looked at and what each side's policy keeps of it. Scores are made once a scope; a move of
/// the sparsity slider only selects again. Shared by the token page and the inspector.
class RowState : public QObject {
    Q_OBJECT

public:
    explicit RowState(SelectionState* selection, QObject* parent = nullptr);

    void setAnalysis(std::shared_ptr<const Analysis> analysis);
    const std::shared_ptr<const Analysis>& analysis() const { return analysis_; }
    /// None before the first analysis.
    const std::optional<RowScores>& row() const { return row_; }
    /// None where the side has no policy or it failed.
    const std::optional<RowSelection>& selection(int side) const { return selections_[static_cast<std::size_t>(side)]; }
    /// Jaccard of the two keep sets; NaN where one is missing.
    double jaccard() const;
    /// Why the token has its label on a side.
    std::optional<Explanation> explanation(int side, std::int64_t token) const;
    /// "whole model", "layer 3, mean of kv heads", "layer 3, kv head 1".
    QString scopeTitle() const;

Q_SIGNALS:
    void rowChanged();
    void selectionsChanged();
    void errorOccurred(const QString& sentence, const QString& hint);

private:
    void computeRow();
    void computeSelections();

    SelectionState* selection_;
    std::shared_ptr<const Analysis> analysis_;
    std::optional<RowScores> row_;
    std::array<std::optional<RowSelection>, 2> selections_;
};

} // namespace keepset::ui
