#pragma once

#include "ui/session.h"

#include <QObject>

#include <array>
#include <memory>

class QTimer;

namespace keepset::ui {

class RowState;
class SelectionState;

/// What the two policies keep in every layer and head, made on a thread of the Session while somebody looks at it. What
/// was made last stays until what replaces it is there.
class KeepSetState : public QObject {
    Q_OBJECT

public:
    KeepSetState(SelectionState* selection, RowState* rows, Session* session, QObject* parent = nullptr);

    /// Null where the side has no policy or none was made yet.
    const std::shared_ptr<const KeepSet>& keepSet(int side) const { return sets_[static_cast<std::size_t>(side)]; }
    /// Head by head; empty where it was not made yet.
    const HeadComparison& comparison() const { return comparison_; }
    /// Whether the comparison is of what is chosen now.
    bool isCompared() const { return compared_; }
    /// Makes the keep sets, soon, where they are not of what is chosen.
    void need();
    /// The same and their comparison.
    void needComparison();
    /// Who looked at the comparison left: it is not made any further, unless somebody asks again when told outdated().
    void leaveComparison();

Q_SIGNALS:
    void outdated(); ///< something else was chosen: who looks at it needs it anew
    void keepSetChanged(int side);
    void comparisonChanged();

private:
    void forget();
    void request();
    void take(const std::shared_ptr<const KeepSet>& keepSet, int side);
    void compare();

    SelectionState* selection_;
    RowState* rows_;
    Session* session_;
    QTimer* soon_; ///< many changes come at once; one request at their end is enough
    std::shared_ptr<const Analysis> analysis_; ///< that the sets are of
    std::array<std::shared_ptr<const KeepSet>, 2> sets_;
    HeadComparison comparison_;
    bool outdated_ = true;
    bool compares_ = false; ///< somebody needs the comparison
    bool comparing_ = false; ///< it is on its way
    bool compared_ = false;
    int missing_ = 0; ///< keep sets on their way
};

} // namespace keepset::ui
