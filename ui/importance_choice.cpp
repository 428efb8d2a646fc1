#include "ui/importance_choice.h"

#include "moc_importance_choice.cpp"
#include "ui/format.h"
#include "ui/selection_state.h"
#include "ui/session.h"

#include <QCoreApplication>

#include <algorithm>
#include <utility>

namespace keepset::ui {

namespace {

    /// Before there is an analysis a window may be as long as any text.
    constexpr std::int64_t longest = 9'999'999;

    QString tr(const char* text) { return QCoreApplication::translate("keepset::ui", text); }

} // namespace

QString queriesOf(const Importance& importance)
{
    const std::int64_t last = importance.last_queries();
    if (last == 0)
        return {};
    return last == 1 ? tr("last query") : tr("last %1 queries").arg(formatCount(last));
}

QString titleOf(const Importance& importance)
{
    if (importance.last_queries() > 0)
        return tr("importance, %1").arg(queriesOf(importance));
    return importance == Importance::cumulative ? tr("cumulative importance") : tr("importance, mean received");
}

QString importanceWords(const RowScores& row, std::int64_t token)
{
    const QString value = formatSignificant(static_cast<double>(row.scores[static_cast<std::size_t>(token)]));
    const QString queries = queriesOf(row.importance);
    return queries.isEmpty() ? value : QStringLiteral("%1 · %2").arg(value, queries);
}

ImportanceChoice::ImportanceChoice(SelectionState* selection, Session* session, QObject* parent)
    : QObject(parent)
    , selection_(selection)
    , session_(session)
    , chosen_(selection->importance())
{
    connect(selection_, &SelectionState::importanceChanged, this, &ImportanceChoice::follow);
    connect(session_, &Session::importanceMade, this,
        [this](const std::shared_ptr<const Analysis>& analysis, const Importance& importance) {
            if (analysis == analysis_ && importance == chosen_)
                settle();
        });
    connect(session_, &Session::importanceEnded, this, &ImportanceChoice::follow);
}

/// What is shown is what is chosen, unless the one chosen is on its way.
void ImportanceChoice::follow()
{
    if (analysis_)
        held_ = find_importance(*analysis_, selection_->importance());
    if (session_->busyWith(Session::Kind::importance) && selection_->importance() != chosen_)
        return;
    chosen_ = selection_->importance();
    Q_EMIT changed();
}

/// The analysis holds what is chosen: it is shown.
void ImportanceChoice::settle()
{
    if (analysis_)
        held_ = find_importance(*analysis_, chosen_);
    selection_->setImportance(chosen_);
    Q_EMIT changed();
}

void ImportanceChoice::choose(const Importance& importance)
{
    if (importance == chosen_)
        return;
    chosen_ = importance;
    if (!analysis_ || has_importance(*analysis_, importance)) {
        session_->cancel(Session::Kind::importance);
        settle();
        return;
    }
    session_->makeImportance(analysis_, importance);
    Q_EMIT changed();
}

void ImportanceChoice::setAnalysis(std::shared_ptr<const Analysis> analysis, const std::function<void()>& show)
{
    const Importance wanted = chosen_;
    session_->cancel(Session::Kind::importance); // of the analysis before
    if (!has_importance(*analysis, selection_->importance()))
        selection_->setImportance(Importance::cumulative); // which both have
    analysis_ = std::move(analysis);
    show();
    chosen_ = has_importance(*analysis_, wanted) ? wanted : selection_->importance();
    settle();
    if (chosen_ == wanted)
        return;
    if (const auto [sentence, hint] = no_importance(*analysis_, wanted); sentence.empty())
        choose(wanted);
    else
        Q_EMIT replaced(QString::fromStdString(sentence), QString::fromStdString(hint));
}

QString ImportanceChoice::obstacle(const Importance& importance) const
{
    return analysis_ ? QString::fromStdString(no_importance(*analysis_, importance).first) : QString();
}

bool ImportanceChoice::makes() const { return !analysis_ || analysis_->attention; }

Importance ImportanceChoice::window(std::int64_t queries) const
{
    const Importance wanted = Importance::window(std::clamp<std::int64_t>(queries, 1, most()));
    if (makes() || has_importance(*analysis_, wanted))
        return wanted;
    for (const auto& [mode, values] : analysis_->by_last_queries) {
        if (mode.kind == Importance::Kind::window)
            return mode;
    }
    return wanted;
}

std::int64_t ImportanceChoice::most() const
{
    return analysis_ ? std::max<std::int64_t>(1, analysis_->context) : longest;
}

} // namespace keepset::ui
