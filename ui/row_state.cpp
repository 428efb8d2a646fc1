#include "ui/row_state.h"

#include "core/engine.h"
#include "moc_row_state.cpp"

#include <algorithm>

namespace keepset::ui {

std::int64_t groupOf(const Analysis& analysis)
{
    return std::max<std::int64_t>(1, analysis.heads / std::max<std::int64_t>(1, analysis.kv_heads));
}

RowState::RowState(SelectionState* selection, QObject* parent)
    : QObject(parent)
    , selection_(selection)
{
    connect(selection, &SelectionState::scopeChanged, this, &RowState::computeRow);
    connect(selection, &SelectionState::importanceChanged, this, &RowState::computeRow);
    connect(selection, &SelectionState::gqaChanged, this, &RowState::computeRow);
    connect(selection, &SelectionState::slidingChanged, this, &RowState::computeRow);
    connect(selection, &SelectionState::sparsityChanged, this, &RowState::computeSelections);
    connect(selection, &SelectionState::policiesChanged, this, &RowState::computeSelections);
    connect(selection, &SelectionState::pinsChanged, this, &RowState::computeSelections);
}

void RowState::setAnalysis(std::shared_ptr<const Analysis> analysis)
{
    analysis_ = std::move(analysis);
    computeRow();
}

void RowState::computeRow()
{
    row_.reset();
    if (analysis_) {
        try {
            row_ = row_scores(
                *analysis_, selection_->scope(), selection_->importance(), selection_->gqa(), selection_->sliding());
        } catch (const Error& error) {
            Q_EMIT errorOccurred(QString::fromUtf8(error.what()), QString::fromStdString(error.hint()));
        }
    }
    Q_EMIT rowChanged();
    computeSelections();
}

void RowState::computeSelections()
{
    for (int side = 0; side < 2; ++side)
        computeSelection(side);
    Q_EMIT selectionsChanged();
}

void RowState::computeSelection(int side)
{
    const auto index = static_cast<std::size_t>(side);
    selections_[index].reset();
    ++tickets_[index];
    try {
        if (row_ && selection_->hasPolicy(side))
            read_given(*analysis_, selection_->policy(side), *row_);
        const bool scored = row_ && selection_->hasPolicy(side) && hasScores(selection_->policy(side));
        if (row_ && selection_->hasPolicy(side) && !scored)
            Q_EMIT scoresWanted();
        const bool any = scored;
        const bool waits = any && row_->bridges && needs_attention(selection_->policy(side));
        if (waits_[index] && !waits)
            Q_EMIT selectionDropped(side);
        waits_[index] = waits;
        if (waits) {
            Q_EMIT selectionWanted(side, tickets_[index]);
        } else if (any) {
            add_shared_rows(*analysis_, selection_->policy(side), *row_);
            selections_[index] = select_row(*row_, selection_->request(side));
        }
    } catch (const Error& error) {
        Q_EMIT errorOccurred(QString::fromUtf8(error.what()), QString::fromStdString(error.hint()));
    }
}

/// Whether the analysis has the scores of a policy's own that it ranks by, or says why it cannot.
bool RowState::hasScores(const PolicySpec& policy) const
{
    return std::ranges::all_of(scores_of(policy),
        [&](const std::string& name) { return row_->own.contains(name) || analysis_->no_scores.contains(name); });
}

void RowState::setSelection(const RowSelection& chosen, int side, qint64 ticket)
{
    const auto index = static_cast<std::size_t>(side);
    if (ticket != tickets_[index])
        return;
    waits_[index] = false;
    selections_[index] = chosen;
    Q_EMIT selectionsChanged();
}

void RowState::endWaiting()
{
    if (!waits_[0] && !waits_[1])
        return;
    waits_ = {};
    Q_EMIT selectionsChanged();
}

double RowState::jaccard() const
{
    return selections_[0] && selections_[1] ? keepset::jaccard(selections_[0]->labels, selections_[1]->labels)
                                            : not_a_number;
}

std::optional<Explanation> RowState::explanation(int side, std::int64_t token) const
{
    const auto& chosen = selection(side);
    if (!chosen || token < 0 || token >= static_cast<std::int64_t>(chosen->labels.size()))
        return std::nullopt;
    return explain(*row_, *chosen, selection_->request(side), token);
}

QString RowState::scopeTitle() const
{
    const Scope scope = selection_->scope();
    if (scope.layer < 0)
        return tr("whole model's mean");
    if (scope.kv_head < 0)
        return tr("layer %1's mean").arg(scope.layer);
    return tr("layer %1, kv head %2").arg(scope.layer).arg(scope.kv_head);
}

} // namespace keepset::ui
