#pragma once

#include "core/text_lines.h"
#include "ui/token_document.h"

#include <QWidget>

#include <array>
#include <memory>

class QLabel;

class QToolButton;

namespace keepset::ui {

class Card;
class ImportanceStrip;
class JaccardMap;
class KeepSetState;
class Legend;
class PinBook;
class PinPanel;
class RangeControl;
class RowState;
class SelectionState;
class TextLinesModel;
class TextLinesView;
class TokenHover;
class TokenTextView;

/// Two policies side by side on the text, scrolling as one, or which tokens only one of them keeps, or the text line by
/// line; and the whole context at a glance under them. What the user marks in the text is marked here.
class TokensPage : public QWidget {
    Q_OBJECT

public:
    TokensPage(SelectionState* selection, RowState* rows, KeepSetState* keepSets, QWidget* parent = nullptr);

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
    TextLinesView* linesView() const { return linesView_; }
    ImportanceStrip* strip() const { return strip_; }
    PinBook* pins() const { return book_; }

Q_SIGNALS:
    void tokenHovered(qint64 token);

protected:
    void showEvent(QShowEvent* event) override;

private:
    struct Column {
        Card* card = nullptr;
        Legend* legend = nullptr;
        TokenTextView* view = nullptr;
    };
    Column makeColumn(const QString& name, const QString& spoken);
    void makeDifference();
    void makeLines();
    void makeMarks();
    QToolButton* makeDensity(const QString& name, const QString& text, const QString& what);
    QWidget* makeAlike();
    QWidget* makeStrip();
    void linkScrolling();
    void showRow();
    void showSelections();
    /// These return whether they stand in the place of the two columns.
    bool showDifference();
    bool showLines();
    void showPins();
    void showChosen(qint64 from, qint64 to);
    /// What a mark would be put on.
    TextLine chosenTokens() const;
    void tellPanel();
    std::vector<TokenTextView*> views() const { return { columns_[0].view, columns_[1].view, difference_.view }; }
    /// How alike the two are in every layer and head.
    void showAlike();
    void showStripWords();
    void showToken(std::int64_t token);
    void showHover(std::int64_t token);

    SelectionState* selection_;
    RowState* rows_;
    KeepSetState* keepSets_;
    std::array<Column, 2> columns_;
    Column difference_;
    JaccardMap* alike_ = nullptr;
    QLabel* alikeWords_ = nullptr;
    QToolButton* differs_ = nullptr; ///< checked: the difference is wanted
    Card* linesCard_ = nullptr;
    TextLinesModel* lines_ = nullptr;
    Legend* linesLegend_ = nullptr;
    TextLinesView* linesView_ = nullptr;
    QToolButton* byLine_ = nullptr; ///< checked: lines are wanted
    std::shared_ptr<const TokenDocument> linesOf_; ///< what lines_ holds
    TokenHover* hover_;
    PinBook* book_;
    PinPanel* panel_ = nullptr;
    QToolButton* marks_ = nullptr; ///< opens it
    TextLine chosen_; ///< tokens chosen together
    std::vector<TextLine> found_; ///< by the search
    RangeControl* range_ = nullptr;
    ImportanceStrip* strip_ = nullptr;
    Card* stripCard_ = nullptr;
    QLabel* empty_ = nullptr;
    QWidget* filled_ = nullptr;
    bool rowChanged_ = false; ///< and is not shown yet
    std::shared_ptr<const Analysis> shown_; ///< whose text the views hold
    std::shared_ptr<const TokenDocument> document_;
};

} // namespace keepset::ui
