#include "ui/keep_set_state.h"

#include "ui/row_state.h"
#include "ui/selection_state.h"

#include <QTimer>

namespace keepset::ui {

KeepSetState::KeepSetState(SelectionState* selection, RowState* rows, Session* session, QObject* parent)
    : QObject(parent)
    , selection_(selection)
    , rows_(rows)
    , session_(session)
    , soon_(new QTimer(this))
{
    soon_->setSingleShot(true);
    soon_->setInterval(40);
    connect(soon_, &QTimer::timeout, this, &KeepSetState::request);
    connect(rows_, &RowState::rowChanged, this, [this] {
        if (analysis_ != rows_->analysis())
            forget();
    });
    const auto change = [this] {
        outdated_ = true;
        compared_ = comparing_ = false;
        Q_EMIT outdated();
    };
    connect(selection_, &SelectionState::policiesChanged, this, change);
    connect(selection_, &SelectionState::sparsityChanged, this, change);
    connect(selection_, &SelectionState::granularityChanged, this, change);
    connect(selection_, &SelectionState::importanceChanged, this, change);
    connect(selection_, &SelectionState::gqaChanged, this, change);
    connect(selection_, &SelectionState::slidingChanged, this, change);
    connect(session_, &Session::keepSetReady, this, &KeepSetState::take);
    connect(session_, &Session::headsCompared, this,
        [this](const std::shared_ptr<const Analysis>& analysis, const HeadComparison& comparison) {
            if (analysis != analysis_ || comparison.keepSets != sets_)
                return;
            comparison_ = comparison;
            comparing_ = false;
            compared_ = !outdated_ && missing_ == 0;
            Q_EMIT comparisonChanged();
        });
}

/// Nothing of one analysis may stand beside another.
void KeepSetState::forget()
{
    analysis_ = rows_->analysis();
    sets_ = {};
    comparison_ = {};
    compared_ = comparing_ = false;
    outdated_ = true;
    missing_ = 0;
    Q_EMIT keepSetChanged(0);
    Q_EMIT keepSetChanged(1);
    Q_EMIT comparisonChanged();
    Q_EMIT outdated();
}

void KeepSetState::need()
{
    if (outdated_ && rows_->analysis())
        soon_->start();
}

void KeepSetState::needComparison()
{
    compares_ = true;
    need();
    if (!outdated_ && missing_ == 0 && !compared_ && !comparing_)
        compare();
}

void KeepSetState::leaveComparison()
{
    if (!compares_ && !comparing_)
        return;
    compares_ = comparing_ = false;
    session_->cancel(Session::Kind::headComparison);
    Q_EMIT outdated();
}

void KeepSetState::request()
{
    if (!outdated_ || !analysis_)
        return;
    outdated_ = false;
    missing_ = 0;
    for (int side = 0; side < 2; ++side) {
        if (!rows_->selection(side) && !rows_->pending(side)) { // none, or one that cannot choose here
            sets_[static_cast<std::size_t>(side)].reset();
            Q_EMIT keepSetChanged(side);
            continue;
        }
        ++missing_;
        session_->selectAll(analysis_, selection_->request(side), side);
    }
    if (missing_ == 0)
        compare();
}

void KeepSetState::take(const std::shared_ptr<const KeepSet>& keepSet, int side)
{
    if (missing_ == 0 || !analysis_ || keepSet->context != analysis_->context)
        return;
    --missing_;
    sets_[static_cast<std::size_t>(side)] = keepSet;
    Q_EMIT keepSetChanged(side);
    if (missing_ == 0 && compares_)
        compare();
}

void KeepSetState::compare()
{
    compares_ = false;
    comparing_ = true;
    session_->compareHeads(analysis_, sets_);
}

} // namespace keepset::ui
