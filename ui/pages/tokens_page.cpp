#include "ui/pages/tokens_page.h"

#include "core/engine.h"
#include "moc_tokens_page.cpp"
#include "ui/format.h"
#include "ui/importance_choice.h"
#include "ui/importance_strip.h"
#include "ui/keep_set_state.h"
#include "ui/pages/card.h"
#include "ui/pages/pin_panel.h"
#include "ui/panels/jaccard_map.h"
#include "ui/pin_book.h"
#include "ui/range_state.h"
#include "ui/row_state.h"
#include "ui/settings.h"
#include "ui/text_lines_model.h"
#include "ui/text_lines_view.h"
#include "ui/theme.h"
#include "ui/token_hover.h"
#include "ui/token_text_view.h"
#include "ui/when_seen.h"
#include "ui/widgets/labels.h"
#include "ui/widgets/legend.h"
#include "ui/widgets/range_control.h"

#include <QLabel>
#include <QScrollBar>
#include <QSplitter>
#include <QToolButton>
#include <QVBoxLayout>

#include <algorithm>
#include <cmath>

namespace keepset::ui {

TokensPage::TokensPage(SelectionState* selection, RowState* rows, KeepSetState* keepSets, QWidget* parent)
    : QWidget(parent)
    , selection_(selection)
    , rows_(rows)
    , keepSets_(keepSets)
    , hover_(new TokenHover(selection, rows, this))
    , book_(new PinBook(selection, this))
{
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(cardPadding, cardPadding, cardPadding, cardPadding);
    empty_ = roleLabel({}, "muted", this);
    setWaiting({});
    empty_->setAlignment(Qt::AlignCenter);
    empty_->setObjectName(QStringLiteral("emptyHint"));
    filled_ = new QWidget(this);
    auto* rowsLayout = new QVBoxLayout(filled_);
    rowsLayout->setContentsMargins(0, 0, 0, 0);
    auto* split = new QSplitter(Qt::Vertical, filled_);
    split->setObjectName(QStringLiteral("tokensSplit"));
    split->setHandleWidth(gap);
    split->setChildrenCollapsible(false);
    rowsLayout->addWidget(split);
    auto* texts = new QWidget(split);
    auto* sides = new QHBoxLayout(texts);
    sides->setContentsMargins(0, 0, 0, 0);
    sides->setSpacing(gap);
    for (int side = 0; side < 2; ++side) {
        Column& column = columns_[static_cast<std::size_t>(side)];
        column = side == 0 ? makeColumn(QStringLiteral("tokenViewA"), tr("Text, first policy"))
                           : makeColumn(QStringLiteral("tokenViewB"), tr("Text, second policy"));
        sides->addWidget(column.card, 1);
    }
    makeDifference();
    makeLines();
    sides->addWidget(difference_.card, 1);
    sides->addWidget(linesCard_, 1);
    for (std::size_t side = 0; side < 2; ++side) {
        columns_[side].legend->setTwin(columns_[1 - side].legend);
        columns_[side].card->setTwin(columns_[1 - side].card);
    }
    split->addWidget(texts);
    split->addWidget(makeStrip());
    split->setStretchFactor(0, 1);
    split->setStretchFactor(1, 0);
    remember(split);
    layout->addWidget(empty_, 1);
    layout->addWidget(filled_, 1);
    filled_->hide();
    makeMarks();
    linkScrolling();
    connect(rows_, &RowState::rowChanged, this, [this] {
        rowChanged_ = true; // selections of it come at once, or are none
        if (shown_ != rows_->analysis())
            showRow();
    });
    auto* selections = new WhenSeen(this, [this] {
        if (rowChanged_)
            showRow();
        showSelections();
    });
    connect(rows_, &RowState::selectionsChanged, selections, &WhenSeen::call);
    connect(selection_, &SelectionState::tokenChanged, this, &TokensPage::showToken);
    connect(selection_, &SelectionState::scopeChanged, this, &TokensPage::showAlike);
    connect(keepSets_, &KeepSetState::outdated, this, &TokensPage::showAlike);
    connect(keepSets_, &KeepSetState::comparisonChanged, this, &TokensPage::showAlike);
}

void TokensPage::setWaiting(const QString& what)
{
    empty_->setText(what.isEmpty() ? tr("Open a model and a text, then press Analyse.\nBoth can also be dropped here.")
                                   : tr("One moment: %1 …").arg(what));
}

TokensPage::Column TokensPage::makeColumn(const QString& name, const QString& spoken)
{
    Column column;
    column.card = new Card({}, this);
    QVBoxLayout* layout = column.card->content();
    column.legend = new Legend(column.card);
    column.view = new TokenTextView(column.card);
    column.view->setObjectName(name);
    column.view->setAccessibleName(spoken);
    layout->addWidget(column.legend);
    layout->addSpacing(4);
    layout->addWidget(column.view, 1);
    const auto choose = [this](qint64 token) { selection_->setToken(token); };
    connect(column.view, &TokenTextView::tokenClicked, this, choose);
    connect(column.view, &TokenTextView::tokenHovered, this, &TokensPage::showHover);
    connect(column.view, &TokenTextView::rangeChosen, this, &TokensPage::showChosen);
    hover_->attach(column.view);
    return column;
}

/// A button that shows the text otherwise while it is checked.
QToolButton* TokensPage::makeDensity(const QString& name, const QString& text, const QString& what)
{
    auto* button = flatButton(text, what, this);
    button->setObjectName(name);
    button->setCheckable(true);
    remember(button);
    connect(button, &QToolButton::toggled, this, [this, button](bool on) {
        if (on)
            (button == differs_ ? byLine_ : differs_)->setChecked(false);
        showSelections();
        showToken(selection_->token());
    });
    return button;
}

void TokensPage::makeDifference()
{
    difference_ = makeColumn(QStringLiteral("tokenViewDifference"), tr("Text, which policy keeps what"));
    difference_.card->setTitle(tr("Difference"));
    QVBoxLayout* const content = difference_.card->content();
    content->removeWidget(difference_.view);
    auto* beside = new QHBoxLayout;
    beside->setSpacing(gap);
    beside->addWidget(difference_.view, 1);
    beside->addWidget(makeAlike());
    content->addLayout(beside, 1);
    byLine_ = makeDensity(QStringLiteral("showLines"), tr("Lines"),
        tr("Shows a row for every line of the text, with its mean score and what is kept of it"));
    differs_ = makeDensity(
        QStringLiteral("showDifference"), tr("Difference"), tr("Shows which tokens only one of the two keeps"));
    columns_[0].card->addControl(byLine_); // a control each, so that both texts begin on one line
    columns_[1].card->addControl(differs_);
    auto* back = flatButton(tr("Side by side"), tr("Shows what each of the two keeps"), this);
    back->setObjectName(QStringLiteral("showSideBySide"));
    difference_.card->addControl(back);
    connect(back, &QToolButton::clicked, this, [this] { differs_->setChecked(false); });
}

QWidget* TokensPage::makeAlike()
{
    constexpr int width = 176; // px
    auto* column = new QWidget(difference_.card);
    column->setFixedWidth(width);
    auto* layout = new QVBoxLayout(column);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(6);
    QLabel* caption = roleLabel(tr("Jaccard in each layer × kv head"), "caption", column);
    caption->setWordWrap(true);
    alike_ = new JaccardMap(column);
    alike_->setObjectName(QStringLiteral("jaccardMap"));
    alikeWords_ = roleLabel({}, "muted", column);
    alikeWords_->setObjectName(QStringLiteral("jaccardWords"));
    alikeWords_->setWordWrap(true);
    for (QWidget* widget : std::initializer_list<QWidget*> { caption, alike_, alikeWords_ })
        layout->addWidget(widget);
    layout->addStretch(1);
    connect(alike_, &JaccardMap::cellClicked, selection_, &SelectionState::setScope);
    return column;
}

QWidget* TokensPage::makeStrip()
{
    stripCard_ = new Card(tr("Importance over position"), this);
    strip_ = new ImportanceStrip(stripCard_);
    strip_->setObjectName(QStringLiteral("importanceStrip"));
    strip_->setAccessibleName(tr("Importance over position"));
    stripCard_->content()->addWidget(strip_, 1);
    range_ = new RangeControl(selection_->range(), stripCard_);
    stripCard_->addControl(range_);
    connect(selection_->range(), &RangeState::changed, this, &TokensPage::showStripWords);
    connect(strip_, &ImportanceStrip::tokenClicked, this,
        [this](qint64 token) { selection_->choose(selection_->scope(), token); });
    connect(strip_, &ImportanceStrip::clickTakenBack, selection_, &SelectionState::takeBack);
    connect(strip_, &ImportanceStrip::tokenHovered, this, &TokensPage::showHover);
    return stripCard_;
}

void TokensPage::linkScrolling()
{
    QScrollBar* a = view(0)->verticalScrollBar();
    QScrollBar* b = view(1)->verticalScrollBar();
    connect(a, &QScrollBar::valueChanged, b, &QScrollBar::setValue);
    connect(b, &QScrollBar::valueChanged, a, &QScrollBar::setValue);
}

void TokensPage::showRow()
{
    rowChanged_ = false;
    const bool any = rows_->row().has_value();
    empty_->setVisible(!any);
    filled_->setVisible(any);
    if (!any)
        return;
    const QString queries = queriesOf(rows_->row()->importance);
    stripCard_->setTitle(
        queries.isEmpty() ? tr("Importance over position") : tr("Importance over position, %1").arg(queries));
    if (shown_ != rows_->analysis()) {
        shown_ = rows_->analysis();
        document_ = std::make_shared<const TokenDocument>(*shown_);
        for (const Column& column : columns_)
            column.view->setDocument(document_);
        chosen_ = {};
        found_.clear();
        panel_->setDocument(document_);
        book_->setAnalysis(shown_);
        showPins();
        if (selection_->token() >= document_->tokens())
            selection_->setToken(-1);
        showToken(selection_->token());
    }
    strip_->setScores(rows_->row()->scores, rows_->analysis());
}

void TokensPage::showSelections()
{
    if (!rows_->row())
        return;
    const bool differs = showLines() || showDifference();
    for (int side = 0; side < 2; ++side) {
        const Column& column = columns_[static_cast<std::size_t>(side)];
        const auto& chosen = rows_->selection(side);
        const bool pending = !chosen && rows_->pending(side);
        column.card->setVisible(!differs && (chosen.has_value() || pending));
        column.legend->setSelection(chosen);
        const QString title = chosen ? QString::fromStdString(chosen->title)
            : pending                ? QString::fromStdString(keepset::title(selection_->policy(side)))
                                     : QString();
        column.card->setTitle(title);
        column.card->setSubtitle(pending ? tr("%1 · finding bridges …").arg(rows_->scopeTitle()) : rows_->scopeTitle());
        column.view->setLabels(chosen ? chosen->labels : std::vector<Label>());
        strip_->setSelection(side, chosen);
    }
    showStripWords();
}

void TokensPage::showStripWords()
{
    const auto& locked = selection_->range()->locked();
    if (strip_->locked() != locked)
        strip_->setLocked(locked);
    if (!locked)
        range_->setFitted(strip_->heights());
    const QString scale = scaleWords(tr("log"), locked, strip_->beyond());
    const double jaccard = rows_->jaccard();
    stripCard_->setSubtitle(std::isfinite(jaccard)
            ? tr("Jaccard of the two keep sets %1 · %2 · %3 · bars: share kept")
                  .arg(QString::number(jaccard, 'f', 2), rows_->scopeTitle(), scale)
            : tr("%1 · %2 · bars: share kept").arg(rows_->scopeTitle(), scale));
}

bool TokensPage::showDifference()
{
    const auto& a = rows_->selection(0);
    const auto& b = rows_->selection(1);
    differs_->setEnabled(a && b);
    const bool shown = a && b && differs_->isChecked() && !byLine_->isChecked();
    difference_.card->setVisible(shown);
    if (!shown)
        return false;
    if (difference_.view->document() != document_) { // laid out when it is first looked at
        difference_.view->setDocument(document_);
        difference_.view->setCurrent(selection_->token());
        showPins();
    }
    const QString first = QString::fromStdString(a->title);
    const QString second = QString::fromStdString(b->title);
    const std::vector<Membership> all = memberships(a->labels, b->labels);
    difference_.legend->setDifference(all, first, second);
    difference_.view->setTitles(first, second);
    difference_.view->setStates({ all.begin(), all.end() });
    difference_.card->setSubtitle(
        tr("%1 and %2 · Jaccard %3 · %4")
            .arg(first, second, QString::number(rows_->jaccard(), 'f', 2), rows_->scopeTitle()));
    showAlike();
    return true;
}

void TokensPage::showEvent(QShowEvent* event)
{
    QWidget::showEvent(event);
    showAlike();
}

void TokensPage::showAlike()
{
    if (!difference_.card->isVisible() || !rows_->analysis())
        return; // nobody sees it
    keepSets_->needComparison();
    const std::vector<double>& alike = keepSets_->comparison().alike;
    alike_->setValues(alike, rows_->analysis()->kv_heads);
    alike_->setChosen(selection_->scope());
    if (alike.empty()) {
        alikeWords_->setText(tr("One moment …"));
        return;
    }
    const auto [least, most] = std::ranges::minmax_element(alike);
    alikeWords_->setText(tr("%1 to %2; the fuller a box, the less alike. Keep set shared by: %3.")
                             .arg(QString::number(*least, 'f', 2), QString::number(*most, 'f', 2),
                                 QString::fromStdString(name_of(selection_->granularity()))));
}

void TokensPage::showToken(std::int64_t token)
{
    for (TokenTextView* text : views())
        text->setCurrent(token);
    if (linesView_->isVisible())
        linesView_->setCurrentToken(token);
    const bool differs = difference_.view->isVisible();
    (differs ? difference_.view : view(view(0)->isVisible() ? 0 : 1))->reveal(token);
    strip_->setCurrent(token);
    if (token < chosen_.begin || token >= chosen_.end)
        showChosen(token, token);
    tellPanel();
}

void TokensPage::showHover(std::int64_t token)
{
    for (TokenTextView* text : views())
        text->setHovered(token);
    strip_->setHovered(token);
    Q_EMIT tokenHovered(token);
}

TokensPage::Found TokensPage::find(const QString& query, std::int64_t from)
{
    const std::vector<std::int64_t> matches = document_ ? document_->matches(query) : std::vector<std::int64_t>();
    for (TokenTextView* text : views())
        text->setMatches(matches);
    found_ = document_ ? document_->matchSpans(query) : std::vector<TextLine>();
    tellPanel();
    if (matches.empty())
        return {};
    auto next = std::ranges::lower_bound(matches, from);
    if (next == matches.end())
        next = matches.begin();
    selection_->setToken(*next);
    return { next - matches.begin() + 1, static_cast<std::int64_t>(matches.size()) };
}

} // namespace keepset::ui
