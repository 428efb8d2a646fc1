#include "ui/selection_state.h"

#include "ui/range_state.h"

#include <algorithm>

namespace keepset::ui {

SelectionState::SelectionState(QObject* parent)
    : QObject(parent)
    , range_(new RangeState(this))
{
}

SelectRequest SelectionState::request(int side) const
{
    SelectRequest request;
    request.policy = policy(side);
    request.sparsity = sparsity_;
    request.granularity = granularity_;
    request.importance = importance_;
    request.gqa = gqa_;
    request.sliding = sliding_;
    request.pins = pins_;
    return request;
}

void SelectionState::setScope(Scope scope)
{
    if (scope.layer < 0)
        scope = {}; // a head of no layer is the whole model
    if (scope == scope_)
        return;
    scope_ = scope;
    const bool forgets = std::exchange(head_, -1) >= 0;
    Q_EMIT scopeChanged(scope_);
    if (forgets)
        Q_EMIT headChanged(head_);
}

void SelectionState::setHead(std::int64_t layer, std::int64_t head, std::int64_t group)
{
    const Scope scope { layer, head / std::max<std::int64_t>(1, group) };
    const bool sameScope = scope == scope_;
    if (sameScope && head == head_)
        return;
    scope_ = scope;
    head_ = head;
    if (!sameScope)
        Q_EMIT scopeChanged(scope_);
    Q_EMIT headChanged(head_);
}

void SelectionState::setToken(std::int64_t position)
{
    position = std::max<std::int64_t>(position, -1);
    if (position == token_)
        return;
    token_ = position;
    Q_EMIT tokenChanged(token_);
}

void SelectionState::choose(Scope scope, std::int64_t position)
{
    before_ = { scope_, token_ };
    setScope(scope);
    setToken(position);
}

void SelectionState::takeBack()
{
    setScope(before_.first);
    setToken(before_.second);
}

void SelectionState::setPolicies(const PolicySpec& a, const PolicySpec& b)
{
    if (a == policies_[0] && b == policies_[1])
        return;
    policies_ = { a, b };
    Q_EMIT policiesChanged();
}

void SelectionState::lookAt(const PolicySpec& policy, double sparsity, Granularity granularity)
{
    if (!(policy == policies_[0]) && !(policy == policies_[1]))
        setPolicies(policies_[0], policy);
    setSparsity(sparsity);
    setGranularity(granularity);
}

void SelectionState::setSparsity(double sparsity)
{
    sparsity = std::clamp(sparsity, 0.0, 0.999);
    if (sparsity == sparsity_)
        return;
    sparsity_ = sparsity;
    Q_EMIT sparsityChanged(sparsity_);
}

void SelectionState::setGranularity(Granularity granularity)
{
    if (granularity == granularity_)
        return;
    granularity_ = granularity;
    Q_EMIT granularityChanged(granularity_);
}

void SelectionState::setImportance(const Importance& importance)
{
    if (importance == importance_)
        return;
    importance_ = importance;
    Q_EMIT importanceChanged(importance_);
}

void SelectionState::setGqa(GqaReduction gqa)
{
    if (gqa == gqa_)
        return;
    gqa_ = gqa;
    Q_EMIT gqaChanged(gqa_);
}

void SelectionState::setSliding(Sliding sliding)
{
    if (sliding == sliding_)
        return;
    sliding_ = sliding;
    Q_EMIT slidingChanged(sliding_);
}

void SelectionState::setPins(std::vector<Pin> pins)
{
    if (pins == pins_)
        return;
    pins_ = std::move(pins);
    Q_EMIT pinsChanged();
}

} // namespace keepset::ui

#include "moc_selection_state.cpp"
