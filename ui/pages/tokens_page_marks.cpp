#include "ui/format.h"
#include "ui/importance_strip.h"
#include "ui/pages/card.h"
#include "ui/pages/pin_panel.h"
#include "ui/pages/tokens_page.h"
#include "ui/pin_book.h"
#include "ui/row_state.h"
#include "ui/selection_state.h"
#include "ui/text_lines_model.h"
#include "ui/token_text_view.h"

#include <QAction>
#include <QToolButton>

#include <algorithm>

// What the user chooses and marks in the text.
namespace keepset::ui {

void TokensPage::makeMarks()
{
    panel_ = new PinPanel(book_, this);
    marks_ = flatButton(tr("Marks"), tr("Marks what is chosen as what must stay or must go"), this);
    marks_->setObjectName(QStringLiteral("showMarks"));
    stripCard_->addControl(marks_);
    connect(marks_, &QToolButton::clicked, this, [this] { panel_->openAt(marks_); });
    const auto add = [this](const char* name, const QString& title, const QKeySequence& keys, auto act) {
        auto* action = new QAction(title, this);
        action->setObjectName(QLatin1String(name));
        action->setShortcut(keys);
        action->setShortcutContext(Qt::WidgetWithChildrenShortcut);
        addAction(action);
        connect(action, &QAction::triggered, this, act);
        for (TokenTextView* text : views())
            text->addAction(action);
    };
    add("markStay", tr("Must stay"), QKeySequence(Qt::CTRL | Qt::Key_K), [this] { panel_->markChosen(true); });
    add("markGo", tr("Must go"), QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_K), [this] { panel_->markChosen(false); });
    add("markUndo", tr("Undo the last mark"), QKeySequence::Undo, [this] { book_->undo(); });
    add("showMarkList", tr("All marks …"), QKeySequence(Qt::CTRL | Qt::Key_M), [this] { panel_->openAt(marks_); });
    for (TokenTextView* text : views())
        text->setContextMenuPolicy(Qt::ActionsContextMenu);
    connect(selection_, &SelectionState::pinsChanged, this, &TokensPage::showPins);
    connect(panel_, &PinPanel::marked, this, [this] { showChosen(-1, -1); });
}

void TokensPage::showPins()
{
    const std::vector<Pin>& pins = book_->pins();
    for (TokenTextView* text : views())
        text->setPins(pins);
    strip_->setPins(pins);
    lines_->setPins(pins);
    marks_->setText(pins.empty() ? tr("Marks") : tr("Marks · %1").arg(formatCount(static_cast<qint64>(pins.size()))));
}

void TokensPage::showChosen(qint64 from, qint64 to)
{
    const auto [first, last] = std::minmax(from, to);
    chosen_ = from == to || first < 0 ? TextLine {} : TextLine { first, last + 1 };
    for (TokenTextView* text : views())
        text->setChosen(chosen_);
    tellPanel();
}

TextLine TokensPage::chosenTokens() const
{
    const std::int64_t token = selection_->token();
    const bool any = document_ && token >= 0 && token < document_->tokens();
    if (chosen_.begin < chosen_.end || !any)
        return chosen_;
    return { token, token + 1 };
}

void TokensPage::tellPanel() { panel_->setTargets(chosenTokens(), found_); }

} // namespace keepset::ui
