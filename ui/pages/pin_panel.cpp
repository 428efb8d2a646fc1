#include "ui/pages/pin_panel.h"

#include "ui/format.h"
#include "ui/pin_book.h"
#include "ui/theme.h"
#include "ui/token_document.h"
#include "ui/token_text_view.h"
#include "ui/widgets/labels.h"

#include <QAction>
#include <QHBoxLayout>
#include <QLabel>
#include <QListWidget>
#include <QPainter>
#include <QPushButton>
#include <QScreen>
#include <QVBoxLayout>

#include <algorithm>

namespace keepset::ui {

namespace {

    /// The cue that a mark has in the text.
    QIcon sampleOf(const Pin& pin, const QWidget& widget)
    {
        constexpr QSize size(14, 12);
        const double scale = widget.devicePixelRatioF();
        QPixmap sample(size * scale);
        sample.setDevicePixelRatio(scale);
        sample.fill(Qt::transparent);
        QPainter painter(&sample);
        drawPin(painter, pin.stays, QRectF(QPointF(0, 0), size), themeOf(&widget));
        return sample;
    }

} // namespace

PinPanel::PinPanel(PinBook* book, QWidget* parent)
    : QFrame(parent, Qt::Popup)
    , book_(book)
{
    setObjectName(QStringLiteral("pinPanel"));
    setProperty("card", true);
    setAccessibleName(tr("Marks"));
    build();
    refresh();
}

QPushButton* PinPanel::makeButton(const char* name, const QString& text, const QString& tip)
{
    auto* button = new QPushButton(text, this);
    button->setObjectName(QLatin1String(name));
    button->setToolTip(tip);
    return button;
}

void PinPanel::build()
{
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(cardPadding, 10, cardPadding, 10);
    layout->setSpacing(6);
    const auto pair = [&](const QString& stayName, const QString& goName, auto mark) {
        auto* row = new QHBoxLayout;
        std::vector<QPushButton*> buttons;
        for (const bool stays : { true, false }) {
            auto* button = makeButton(qPrintable(stays ? stayName : goName), stays ? tr("Must stay") : tr("Must go"),
                stays ? tr("Every policy keeps these tokens first; they count in the budget")
                      : tr("No policy keeps these tokens while there are others"));
            connect(button, &QPushButton::clicked, this, [mark, stays] { mark(stays); });
            row->addWidget(button);
            buttons.push_back(button);
        }
        row->addStretch(1);
        layout->addLayout(row);
        return buttons;
    };
    chosenWords_ = roleLabel({}, "muted", this);
    layout->addWidget(chosenWords_);
    chosenButtons_ = pair(
        QStringLiteral("pinChosenStay"), QStringLiteral("pinChosenGo"), [this](bool stays) { markChosen(stays); });
    matchWords_ = roleLabel({}, "muted", this);
    layout->addWidget(matchWords_);
    matchButtons_ = pair(QStringLiteral("pinMatchesStay"), QStringLiteral("pinMatchesGo"), [this](bool stays) {
        std::vector<Pin> spans;
        for (const TextLine& match : matches_)
            spans.push_back({ match.begin, match.end, stays });
        book_->mark(spans);
        refresh();
    });
    buildList(layout);
}

void PinPanel::buildList(QVBoxLayout* layout)
{
    layout->addWidget(roleLabel(tr("Marked"), "caption", this));
    list_ = new QListWidget(this);
    list_->setObjectName(QStringLiteral("pinList"));
    list_->setAccessibleName(tr("What is marked"));
    list_->setMinimumSize(340, 120);
    list_->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    list_->setIconSize({ 14, 12 });
    layout->addWidget(list_, 1);
    auto* row = new QHBoxLayout;
    remove_ = makeButton("pinRemove", tr("Remove"), tr("Removes the mark that is chosen in the list (Del)"));
    undo_ = makeButton("pinUndo", tr("Undo"), tr("Takes the last step back"));
    clear_ = makeButton("pinClear", tr("Remove all"), tr("Removes every mark of this text"));
    for (QPushButton* button : { remove_, undo_, clear_ })
        row->addWidget(button);
    row->addStretch(1);
    layout->addLayout(row);
    auto* erase = new QAction(list_);
    erase->setShortcut(QKeySequence::Delete);
    erase->setShortcutContext(Qt::WidgetShortcut);
    list_->addAction(erase);
    const auto removeOne = [this] {
        book_->remove(static_cast<std::size_t>(list_->currentRow()));
        refresh();
    };
    connect(erase, &QAction::triggered, this, removeOne);
    connect(remove_, &QPushButton::clicked, this, removeOne);
    connect(undo_, &QPushButton::clicked, this, [this] {
        book_->undo();
        refresh();
    });
    connect(clear_, &QPushButton::clicked, this, [this] {
        book_->clear();
        refresh();
    });
    connect(list_, &QListWidget::currentRowChanged, remove_, [this](int at) { remove_->setEnabled(at >= 0); });
}

void PinPanel::setDocument(std::shared_ptr<const TokenDocument> document)
{
    document_ = std::move(document);
    refresh();
}

void PinPanel::setTargets(TextLine chosen, std::vector<TextLine> matches)
{
    chosen_ = chosen;
    matches_ = std::move(matches);
    refresh();
}

void PinPanel::markChosen(bool stays)
{
    if (chosen_.begin >= chosen_.end)
        return;
    book_->mark({ { chosen_.begin, chosen_.end, stays } });
    Q_EMIT marked();
    refresh();
}

/// "46 to 52 “various concerns …”".
QString PinPanel::wordsOf(TextLine tokens) const
{
    constexpr int longest = 44;
    QString text;
    if (document_ && tokens.end <= document_->tokens()) {
        const int begin = document_->begin(tokens.begin);
        text = document_->text().mid(begin, document_->end(tokens.end - 1) - begin);
    }
    const QString words = formatToken(text.size() > longest ? text.left(longest - 2) + QStringLiteral(" …") : text);
    return tokens.end - tokens.begin == 1
        ? tr("%1 %2").arg(formatCount(tokens.begin), words)
        : tr("%1 to %2 %3").arg(formatCount(tokens.begin), formatCount(tokens.end - 1), words);
}

void PinPanel::refresh()
{
    const bool chosen = chosen_.begin < chosen_.end;
    chosenWords_->setText(chosen ? wordsOf(chosen_) : tr("Choose tokens: click, drag, or hold Shift with the arrows."));
    for (QPushButton* button : chosenButtons_)
        button->setEnabled(chosen);
    matchWords_->setText(tr("All matches of the search: %1").arg(formatCount(static_cast<qint64>(matches_.size()))));
    matchWords_->setVisible(!matches_.empty());
    for (QPushButton* button : matchButtons_)
        button->setVisible(!matches_.empty());
    const int at = list_->currentRow();
    list_->clear();
    for (const Pin& pin : book_->pins())
        list_->addItem(new QListWidgetItem(sampleOf(pin, *this),
            (pin.stays ? tr("must stay · %1") : tr("must go · %1")).arg(wordsOf({ pin.begin, pin.end }))));
    list_->setCurrentRow(std::min(at, list_->count() - 1));
    remove_->setEnabled(list_->currentRow() >= 0);
    undo_->setEnabled(book_->canUndo());
    clear_->setEnabled(list_->count() > 0);
}

void PinPanel::openAt(const QWidget* button)
{
    refresh();
    adjustSize();
    const QRect room = button->screen()->availableGeometry();
    QPoint at = button->mapToGlobal(QPoint(button->width() - width(), -height() - 4)); // above: the button is low
    if (at.y() < room.top())
        at = button->mapToGlobal(QPoint(button->width() - width(), button->height() + 4));
    move(std::clamp(at.x(), room.left(), std::max(room.left(), room.right() - width())), at.y());
    show();
    setFocus();
}

} // namespace keepset::ui

#include "moc_pin_panel.cpp"
