#pragma once

#include "ui/token_document.h"

#include <QWidget>

#include <array>
#include <memory>

class QLabel;

class QToolButton;

namespace keepset::ui {

class Card;
class ImportanceStrip;
class Legend;
class RowState;
class SelectionState;
class TokenTextView;

/// Two policies side by side on the text, scrolling as one, or which tokens only one of them keeps; and the whole
/// context at a glance under them.
class TokensPage : public QWidget {
    Q_OBJECT

public:
    TokensPage(SelectionState* selection, RowState* rows, QWidget* parent = nullptr);

    /// Frames all tokens that match and chooses the first of them at or after `from`, going round.
    struct Found {
        std::int64_t place = 0; ///< of all, from 1 on; 0: there is none
        std::int64_t all = 0;
    };
    Found find(const QString& query, std::int64_t from);
    /// What is under way, for a page that has nothing to show yet; empty: nothing.
    void setWaiting(const QString& what);
    TokenTextView* view(int side) const { return columns_[static_cast<std::size_t>(side)].view; }
    /// Of which policy keeps what.
    TokenTextView* differenceView() const { return difference_.view; }
    ImportanceStrip* strip() const { return strip_; }

Q_SIGNALS:
    void tokenHovered(qint64 token);

private:
    struct Column {
        Card* card = nullptr;
        Legend* legend = nullptr;
        TokenTextView* view = nullptr;
    };
    Column makeColumn(const QString& name, const QString& spoken);
    void makeDifference();
    QWidget* makeStrip();
    void linkScrolling();
    void showRow();
    void showSelections();
    /// Returns whether it stands in the place of the two columns.
    bool showDifference();
    void showToken(std::int64_t token);
    void showHover(std::int64_t token);

    SelectionState* selection_;
    RowState* rows_;
    std::array<Column, 2> columns_;
    Column difference_;
    QToolButton* differs_ = nullptr; ///< checked: the difference is wanted
    ImportanceStrip* strip_ = nullptr;
    Card* stripCard_ = nullptr;
    QLabel* empty_ = nullptr;
    QWidget* filled_ = nullptr;
    std::shared_ptr<const Analysis> shown_; ///< whose text the views hold
    std::shared_ptr<const TokenDocument> document_;
};

} // namespace keepset::ui
