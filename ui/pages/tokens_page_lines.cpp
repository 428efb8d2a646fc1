#include "ui/format.h"
#include "ui/pages/card.h"
#include "ui/pages/tokens_page.h"
#include "ui/pin_book.h"
#include "ui/row_state.h"
#include "ui/text_lines_model.h"
#include "ui/text_lines_view.h"
#include "ui/token_text_view.h"
#include "ui/widgets/labels.h"
#include "ui/widgets/legend.h"

#include <QToolButton>
#include <QVBoxLayout>

/// TokensPage's rows for the lines of a text.
namespace keepset::ui {

void TokensPage::makeLines()
{
    linesCard_ = new Card(tr("Lines"), this);
    lines_ = new TextLinesModel(this);
    linesView_ = new TextLinesView(lines_, linesCard_);
    linesView_->setObjectName(QStringLiteral("textLines"));
    linesView_->setAccessibleName(tr("Lines of the text"));
    linesLegend_ = new Legend(linesCard_);
    linesCard_->content()->addWidget(linesLegend_);
    linesCard_->content()->addWidget(linesView_, 1);
    auto* back = flatButton(tr("Tokens"), tr("Shows every token"), this);
    back->setObjectName(QStringLiteral("showTokens"));
    linesCard_->addControl(back);
    connect(back, &QToolButton::clicked, this, [this] { byLine_->setChecked(false); });
    connect(linesView_, &TextLinesView::lineChosen, this, [this](qint64 token) {
        byLine_->setChecked(false);
        selection_->setToken(token);
        showToken(token);
        view(view(0)->isVisible() ? 0 : 1)->setFocus();
    });
}

bool TokensPage::showLines()
{
    const bool shown = byLine_->isChecked();
    linesCard_->setVisible(shown);
    if (!shown)
        return false;
    difference_.card->hide();
    if (linesOf_ != document_) { // cut when it is first looked at
        linesOf_ = document_;
        lines_->setDocument(*shown_, document_);
    }
    lines_->setScores(rows_->row()->scores);
    for (int side = 0; side < 2; ++side) {
        lines_->setSelection(side, rows_->selection(side));
        linesView_->setColumnHidden(TextLinesModel::firstSide + side, !selection_->hasPolicy(side));
    }
    const auto of = [this](int side) { return rows_->selection(side) ? &*rows_->selection(side) : nullptr; };
    linesLegend_->setBars({ of(0), of(1) });
    lines_->setPins(book_->pins());
    linesCard_->setSubtitle(
        tr("%1 lines, long ones by sentence · %2").arg(formatCount(lines_->rowCount()), rows_->scopeTitle()));
    return true;
}

} // namespace keepset::ui
