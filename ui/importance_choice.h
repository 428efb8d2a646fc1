#pragma once

#include "core/analysis.h"

#include <QObject>
#include <QString>

#include <functional>
#include <memory>

namespace keepset::ui {

class SelectionState;
class Session;

/// Whose attention importance is, in words: "last 32 queries", "last query"; empty where it is all queries'.
QString queriesOf(const Importance& importance);
/// "cumulative importance", "importance, last 32 queries".
QString titleOf(const Importance& importance);
/// Of a token: "0.486", "0.486 · last 32 queries".
QString importanceWords(const RowScores& row, std::int64_t token);

/// Which importance the user chose. It becomes the selection's once the analysis shown holds it, so that all that is
/// shown is of one mode; what has to be made for that is made on a thread of the Session.
class ImportanceChoice : public QObject {
    Q_OBJECT

public:
    ImportanceChoice(SelectionState* selection, Session* session, QObject* parent = nullptr);

    /// Another analysis, which `show` gives to the views: by a mode that it holds. What it lacks of the one chosen is
    /// made, and meanwhile it is shown by another; where it cannot be made that is chosen instead.
    void setAnalysis(std::shared_ptr<const Analysis> analysis, const std::function<void()>& show);
    void choose(const Importance& importance);
    const Importance& chosen() const { return chosen_; }
    /// Why a mode cannot be chosen, a sentence; empty: it can.
    QString obstacle(const Importance& importance) const;
    /// Whether a window can have any number of queries, not just that of a file.
    bool makes() const;
    /// The window to choose where one of so many queries is wanted: of a file one that it holds.
    Importance window(std::int64_t queries) const;
    /// Most queries that a window can have.
    std::int64_t most() const;

Q_SIGNALS:
    void changed(); ///< what is chosen, or what can be
    void replaced(const QString& sentence, const QString& hint); ///< why another was chosen instead

private:
    void follow();
    void settle();

    SelectionState* selection_;
    Session* session_;
    std::shared_ptr<const Analysis> analysis_;
    Importance chosen_;
    std::shared_ptr<const std::vector<float>> held_; ///< what is shown, so that nothing made later drops it
};

} // namespace keepset::ui
