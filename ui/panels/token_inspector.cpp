#include "ui/panels/token_inspector.h"

#include "ui/format.h"
#include "ui/importance_choice.h"
#include "ui/keep_set_state.h"
#include "ui/panels/label_map.h"
#include "ui/row_state.h"
#include "ui/session.h"
#include "ui/theme.h"
#include "ui/widgets/labels.h"
#include "ui/widgets/legend.h"
#include "ui/widgets/wrapped_label.h"

#include <QEvent>
#include <QGridLayout>
#include <QLabel>
#include <QRegularExpression>
#include <QTimer>
#include <QVBoxLayout>

#include <algorithm>
#include <cmath>

namespace keepset::ui {

namespace {

    /// One line "name … value"; returns the value's label.
    QLabel* addLine(QGridLayout* grid, const QString& name, QLabel** nameLabel = nullptr)
    {
        const int row = grid->rowCount();
        auto* left = new QLabel(name);
        left->setProperty("role", QStringLiteral("muted"));
        auto* right = new QLabel;
        left->setTextFormat(Qt::PlainText);
        right->setTextFormat(Qt::PlainText);
        right->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
        right->setTextInteractionFlags(Qt::TextSelectableByMouse);
        grid->addWidget(left, row, 0);
        grid->addWidget(right, row, 1);
        if (nameLabel)
            *nameLabel = left;
        return right;
    }

    /// Without the label that it begins with: the chip before it says so already.
    QString sentenceOf(const Explanation& why)
    {
        QString sentence = QString::fromStdString(why.sentence);
        const QString lead = QString::fromStdString(name_of(why.label)) + QStringLiteral(": ");
        if (!sentence.startsWith(lead, Qt::CaseInsensitive))
            return sentence;
        sentence.remove(0, lead.size());
        return sentence.first(1).toUpper() + sentence.mid(1);
    }

    /// The label as a chip before the sentence, in the colours of the text view.
    QString whyHtml(const Theme& t, const QString& policy, const Explanation& why)
    {
        QColor fill = why.label == Label::evicted ? t.line : t.label(why.label);
        const double share = why.label == Label::evicted ? 1.0 : 0.26;
        const auto over = [&](int a, int b) { return static_cast<int>(a * share + b * (1 - share)); };
        fill = QColor(
            over(fill.red(), t.panel.red()), over(fill.green(), t.panel.green()), over(fill.blue(), t.panel.blue()));
        return QStringLiteral("<p style='line-height:118%'><span style='background:%1; font-size:11px; "
                              "font-weight:600'>&nbsp;&nbsp;%2 %3&nbsp;&nbsp;</span> %4</p>")
            .arg(fill.name(), policy.toHtmlEscaped(), labelTitle(why.label), sentenceOf(why).toHtmlEscaped());
    }

} // namespace

TokenInspector::TokenInspector(
    SelectionState* selection, RowState* rows, KeepSetState* keepSets, Session* session, QWidget* parent)
    : QWidget(parent)
    , selection_(selection)
    , rows_(rows)
    , keepSets_(keepSets)
    , session_(session)
{
    setObjectName(QStringLiteral("tokenInspector"));
    setAttribute(Qt::WA_StyledBackground);
    build();
    connect(rows_, &RowState::selectionsChanged, this, &TokenInspector::showToken);
    connect(keepSets_, &KeepSetState::outdated, this, &TokenInspector::needKeepSets);
    connect(keepSets_, &KeepSetState::keepSetChanged, this, &TokenInspector::showMap);
    connect(selection_, &SelectionState::tokenChanged, this, &TokenInspector::needKeepSets);
    connect(selection_, &SelectionState::tokenChanged, this, &TokenInspector::showToken);
    auto* readersLater = new QTimer(this); // many changes come at once; one look at the end is enough
    readersLater->setSingleShot(true);
    readersLater->setInterval(40);
    connect(readersLater, &QTimer::timeout, this, &TokenInspector::requestReaders);
    const auto readersOutdated = [this, readersLater] {
        found_.reset();
        readersLater->start();
    };
    connect(selection_, &SelectionState::tokenChanged, this, readersOutdated);
    connect(rows_, &RowState::rowChanged, this, readersOutdated);
    connect(session_, &Session::readersFound, this,
        [this](const std::shared_ptr<const Analysis>& analysis, const TokenReaders& readers) {
            if (analysis == rows_->analysis() && readers.token == selection_->token()
                && readers.scope == selection_->scope()) {
                found_ = readers;
                showReaders();
            }
        });
    connect(readers_, &QLabel::linkActivated, this,
        [this](const QString& token) { selection_->setToken(token.toLongLong()); });
    showToken();
}

void TokenInspector::build()
{
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(cardPadding, cardPadding, cardPadding, cardPadding);
    layout->setSpacing(8);
    layout->addWidget(roleLabel(tr("Token"), "caption", this));
    hint_ = new QLabel(tr("Click a token in the text to see why each policy keeps or evicts it."), this);
    hint_->setTextFormat(Qt::PlainText);
    hint_->setWordWrap(true);
    hint_->setProperty("role", QStringLiteral("muted"));
    layout->addWidget(hint_);
    details_ = new QWidget(this);
    auto* inner = new QVBoxLayout(details_);
    inner->setContentsMargins(0, 0, 0, 0);
    inner->setSpacing(6);
    text_ = new QLabel(details_);
    text_->setTextFormat(Qt::PlainText); // a token may look like a tag
    text_->setObjectName(QStringLiteral("inspectorText"));
    text_->setFont(serifFont(22));
    text_->setStyleSheet(QStringLiteral("font-family:'Noto Serif'; font-size:22px;"));
    inner->addWidget(text_);
    auto* grid = new QGridLayout;
    grid->setVerticalSpacing(4);
    position_ = addLine(grid, tr("position"));
    identity_ = addLine(grid, tr("token id"));
    importance_ = addLine(grid, tr("importance"));
    rank_ = addLine(grid, tr("rank"));
    cutOff_ = addLine(grid, tr("cut-off"), &cutOffName_);
    position_->setObjectName(QStringLiteral("inspectorPosition"));
    inner->addLayout(grid);
    inner->addSpacing(6);
    inner->addWidget(roleLabel(tr("Why"), "caption", details_));
    for (Side& side : sides_) {
        side.why = new WrappedLabel(details_);
        side.why->setTextInteractionFlags(Qt::TextSelectableByMouse);
        inner->addWidget(side.why);
    }
    addReaders(inner);
    addMaps(inner);
    layout->addWidget(details_);
    layout->addStretch(1);
}

void TokenInspector::addReaders(QVBoxLayout* inner)
{
    inner->addSpacing(6);
    inner->addWidget(roleLabel(tr("Read by"), "caption", details_));
    readers_ = new WrappedLabel(details_);
    readers_->setObjectName(QStringLiteral("inspectorReaders"));
    readers_->setProperty("links", true);
    readers_->setTextInteractionFlags(Qt::TextBrowserInteraction | Qt::LinksAccessibleByKeyboard);
    readers_->setToolTip(tr("The tokens whose queries attend to this one the most, and how much of their attention "
                            "it gets: the mean over the layers and heads looked at."));
    inner->addWidget(readers_);
}

void TokenInspector::addMaps(QVBoxLayout* inner)
{
    for (Side& side : sides_) {
        inner->addSpacing(6);
        side.mapTitle = roleLabel({}, "caption", details_);
        side.map = new LabelMap(details_);
        connect(side.map, &LabelMap::cellClicked, selection_, &SelectionState::setScope);
        inner->addWidget(side.mapTitle);
        inner->addWidget(side.map);
    }
    inner->addSpacing(6);
    inner->addWidget(roleLabel(tr("Kept in"), "caption", details_));
    auto* keptGrid = new QGridLayout;
    keptGrid->setVerticalSpacing(4);
    for (Side& side : sides_)
        side.kept = addLine(keptGrid, {}, &side.keptName);
    inner->addLayout(keptGrid);
}

void TokenInspector::changeEvent(QEvent* event)
{
    if (event->type() == QEvent::PaletteChange && details_) { // its rich text has colours in it
        showToken();
        showReaders();
    }
    QWidget::changeEvent(event);
}

void TokenInspector::showToken()
{
    const std::int64_t token = selection_->token();
    const auto& analysis = rows_->analysis();
    const bool any = analysis && rows_->row() && token >= 0 && token < analysis->context;
    hint_->setVisible(!any);
    details_->setVisible(any);
    if (!any)
        return;
    const Token& shown = analysis->tokens[static_cast<std::size_t>(token)];
    const QString text = formatToken(QString::fromStdString(shown.text));
    text_->setText(text_->fontMetrics().elidedText(text, Qt::ElideRight, 220));
    position_->setText(formatCount(token));
    identity_->setText(formatCount(shown.id));
    std::optional<Explanation> either;
    QString cutOffOf;
    double cutOff = not_a_number;
    for (int side = 0; side < 2; ++side) {
        const auto why = rows_->explanation(side, token);
        showSide(side, why);
        if (!why)
            continue;
        either = why;
        if (!std::isfinite(cutOff) && std::isfinite(why->cut_off)) {
            cutOff = why->cut_off;
            cutOffOf = QString::fromStdString(rows_->selection(side)->title);
        }
    }
    importance_->setText(importanceWords(*rows_->row(), token));
    rank_->setText(either ? tr("%1 of %2").arg(formatCount(either->rank), formatCount(analysis->context)) : QString());
    cutOffName_->setText(cutOffOf.isEmpty() ? tr("cut-off") : tr("cut-off (%1)").arg(cutOffOf));
    cutOff_->setText(formatSignificant(cutOff));
}

void TokenInspector::showSide(int index, const std::optional<Explanation>& why)
{
    Side& side = sides_[static_cast<std::size_t>(index)];
    side.why->setVisible(why.has_value());
    if (why)
        side.why->setWords(whyHtml(themeOf(this), QString::fromStdString(rows_->selection(index)->title), *why));
    showMap(index);
}

void TokenInspector::showMap(int index)
{
    Side& side = sides_[static_cast<std::size_t>(index)];
    const std::int64_t token = selection_->token();
    const auto& set = keepSets_->keepSet(index);
    const bool fits = set && rows_->selection(index) && rows_->analysis() && token >= 0
        && set->context == rows_->analysis()->context && token < set->context
        && set->request.policy == selection_->policy(index);
    for (QWidget* widget : std::initializer_list<QWidget*> { side.mapTitle, side.map, side.keptName, side.kept })
        widget->setVisible(fits);
    if (!fits)
        return;
    const KeepSet& keep = *set;
    const QString title = QString::fromStdString(rows_->selection(index)->title);
    side.mapTitle->setText(tr("%1 label in each layer × kv head").arg(title));
    side.mapTitle->setToolTip(
        tr("Keep set shared by: %1").arg(QString::fromStdString(name_of(keep.request.granularity))));
    side.map->setKeepSet(set, token);
    std::int64_t kept = 0;
    const std::int64_t rows = keep.layers * keep.kv_heads;
    for (std::int64_t row = 0; row < rows; ++row)
        kept += keep.labels[static_cast<std::size_t>(row * keep.context + token)] != Label::evicted ? 1 : 0;
    side.keptName->setText(title);
    side.kept->setText(tr("%1 of %2 layer × head rows").arg(formatCount(kept), formatCount(rows)));
}

void TokenInspector::requestReaders()
{
    const auto& analysis = rows_->analysis();
    const std::int64_t token = selection_->token();
    if (!analysis || token < 0 || token >= analysis->context)
        return;
    if (analysis->attention) {
        readers_->setWords(tr("looking …"));
        session_->findReaders(analysis, selection_->scope(), token);
        return;
    }
    readers_->setWords(analysis->no_attention.empty() ? tr("A trace file has no queries and keys to tell it from.")
                                                      : QString::fromStdString(analysis->no_attention).toHtmlEscaped());
}

void TokenInspector::showReaders()
{
    if (!found_)
        return;
    const TokenReaders& readers = *found_;
    const Theme& t = themeOf(this);
    const std::vector<Token>& tokens = rows_->analysis()->tokens;
    QString table;
    static const QRegularExpression leading(QStringLiteral("^\\s+"));
    const auto textOf = [&](std::int64_t at) {
        return QString::fromStdString(tokens[static_cast<std::size_t>(at)].text).replace(QLatin1Char('\n'), u'↵');
    };
    for (const TokenReader& reader : readers.largest) {
        QString before; // what stands before it says where in the text it is
        for (std::int64_t at = std::max<std::int64_t>(0, reader.query - 3); at < reader.query; ++at)
            before += textOf(at);
        table
            += QStringLiteral("<tr><td style='padding-right:6px' align='right'><a href='%1' style='color:%2'>%3</a>"
                              "</td><td width='100%' style='white-space:pre'><span style='color:%4'>%5</span><b>%6</b>"
                              "</td><td align='right'>%7</td></tr>")
                   .arg(QString::number(reader.query), t.accent.name(), formatCount(reader.query), t.muted.name(),
                       QString(before.right(14)).remove(leading).toHtmlEscaped(), textOf(reader.query).toHtmlEscaped(),
                       formatPercent(reader.attention));
    }
    readers_->setWords(
        QStringLiteral("<table width='100%' cellspacing='0' cellpadding='1'>%1</table><p style='color:%3'>%2</p>")
            .arg(table,
                tr("%1 of the %2 that it gets from %3 tokens, %4")
                    .arg(formatPercent(readers.share_of_largest), formatSignificant(readers.sum),
                        formatCount(readers.queries), rows_->scopeTitle()),
                t.muted.name()));
}

/// Labels of all layers and heads are many; without a token that they are looked at for nobody waits for them.
void TokenInspector::needKeepSets()
{
    if (selection_->token() >= 0)
        keepSets_->need();
}

} // namespace keepset::ui

#include "moc_token_inspector.cpp"
