#pragma once

#include "core/analysis.h"
#include "ui/selection_state.h"

#include <QObject>

#include <array>
#include <memory>
#include <optional>

namespace keepset::ui {

/// Query heads that share a kv head.
std::int64_t groupOf(const Analysis& analysis);

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
    /// None where the side has no policy, it failed, or it is still on its way.
    const std::optional<RowSelection>& selection(int side) const { return selections_[static_cast<std::size_t>(side)]; }
    /// Whether it is still on its way.
    bool pending(int side) const { return waits_[static_cast<std::size_t>(side)]; }
    /// Nothing is on its way any more: it failed, or was stopped.
    void endWaiting();
    /// Takes what was asked for by selectionWanted, unless something newer was chosen since.
    void setSelection(const keepset::RowSelection& chosen, int side, qint64 ticket);
    /// Jaccard of the two keep sets; NaN where one is missing.
    double jaccard() const;
    /// Why the token has its label on a side.
    std::optional<Explanation> explanation(int side, std::int64_t token) const;
    /// "whole model", "layer 3, mean of kv heads", "layer 3, kv head 1".
    QString scopeTitle() const;

Q_SIGNALS:
    void rowChanged();
    void selectionsChanged();
    /// A policy that ranks by attention itself takes long: somebody has to select elsewhere and call setSelection.
    void selectionWanted(int side, qint64 ticket);
    /// What was wanted last is not any more.
    void selectionDropped(int side);
    void errorOccurred(const QString& sentence, const QString& hint);
    /// A policy ranks by a score of its own that this analysis was not asked for.
    void scoresWanted();

private:
    bool hasScores(const PolicySpec& policy) const;
    void computeRow();
    void computeSelections();
    void computeSelection(int side);

    SelectionState* selection_;
    std::shared_ptr<const Analysis> analysis_;
    std::optional<RowScores> row_;
    std::array<std::optional<RowSelection>, 2> selections_;
    std::array<qint64, 2> tickets_ {};
    std::array<bool, 2> waits_ {};
};

} // namespace keepset::ui
