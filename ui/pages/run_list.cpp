#include "ui/pages/run_list.h"

#include "ui/format.h"
#include "ui/plain_text.h"
#include "ui/theme.h"
#include "ui/widgets/labels.h"

#include <QAction>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QLineEdit>
#include <QMenu>
#include <QPainter>
#include <QPushButton>
#include <QSettings>
#include <QTimer>
#include <QToolButton>
#include <QTreeWidget>
#include <QVBoxLayout>

#include <algorithm>

namespace keepset::ui {

namespace {

    enum Column { nameColumn, windowsColumn, whenColumn, bestColumn, columns };
    constexpr int pathRole = Qt::UserRole;
    constexpr const char* pinsKey = "pinnedRuns";
    constexpr const char* colorsKey = "runColors/";

    QString keyOf(const QString& path)
    {
        QString key = path;
        return QLatin1String(colorsKey) + key.replace(QLatin1Char('/'), QLatin1Char('|'));
    }

    bool isPinned(const QString& path)
    {
        return QSettings().value(QLatin1String(pinsKey)).toStringList().contains(path);
    }

    QIcon dot(const QColor& color)
    {
        constexpr int side = 14;
        QPixmap picture(side, side);
        picture.fill(Qt::transparent);
        QPainter painter(&picture);
        painter.setRenderHint(QPainter::Antialiasing);
        painter.setPen(Qt::NoPen);
        painter.setBrush(color);
        painter.drawEllipse(QRectF(2, 2, side - 4, side - 4));
        return picture;
    }

    /// Okabe and Ito's colours, which colour-blind people tell apart, with their names.
    std::vector<std::pair<QString, QString>> runColors()
    {
        return { { RunList::tr("Blue"), QStringLiteral("#0072b2") },
            { RunList::tr("Orange"), QStringLiteral("#e69f00") }, { RunList::tr("Green"), QStringLiteral("#009e73") },
            { RunList::tr("Pink"), QStringLiteral("#cc79a7") }, { RunList::tr("Sky"), QStringLiteral("#56b4e9") },
            { RunList::tr("Red"), QStringLiteral("#d55e00") } };
    }

    /// As short as it is clear: the time today, the day before that.
    QString shortTime(const QDateTime& when)
    {
        const QDate today = QDate::currentDate();
        if (when.date() == today)
            return when.toString(QStringLiteral("HH:mm"));
        return when.toString(
            when.date().year() == today.year() ? QStringLiteral("MM-dd HH:mm") : QStringLiteral("yyyy-MM-dd"));
    }

    QString windowsOf(const RunSummary& run)
    {
        if (!run.problem.isEmpty())
            return RunList::tr("cannot be read");
        const QString done = RunList::tr("%1 of %2").arg(formatCount(run.done), formatCount(run.windows));
        if (run.alive)
            return QStringLiteral("● ") + done;
        return (run.unfinished() ? QStringLiteral("◐ ") : QStringLiteral("✓ ")) + done;
    }

} // namespace

RunList::RunList(QWidget* parent)
    : QWidget(parent)
    , tree_(new QTreeWidget(this))
    , hint_(roleLabel(QString(), "muted", this))
{
    tree_->setObjectName(QStringLiteral("runList"));
    tree_->setAccessibleName(tr("Runs"));
    tree_->setColumnCount(columns);
    tree_->setHeaderLabels({ tr("Run"), tr("Windows"), tr("Begun"), tr("Best") });
    tree_->headerItem()->setToolTip(bestColumn, tr("The least perplexity at the highest sparsity"));
    tree_->setStyleSheet(QStringLiteral("QHeaderView::section { padding: 3px 6px; }"));
    tree_->setRootIsDecorated(false);
    tree_->setUniformRowHeights(true);
    tree_->setFrameShape(QFrame::NoFrame);
    tree_->setTextElideMode(Qt::ElideMiddle); // names differ at their ends
    tree_->header()->setMinimumSectionSize(40);
    tree_->setEditTriggers(QAbstractItemView::EditKeyPressed);
    tree_->setContextMenuPolicy(Qt::ActionsContextMenu);
    tree_->header()->setSectionResizeMode(QHeaderView::ResizeToContents);
    for (const int column : { nameColumn, bestColumn })
        tree_->header()->setSectionResizeMode(column, QHeaderView::Stretch);
    tree_->header()->setStretchLastSection(false);
    hint_->setObjectName(QStringLiteral("runHint"));
    hint_->setWordWrap(true);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(4);
    layout->addWidget(hint_);
    layout->addWidget(tree_, 1);
    auto* buttons = new QHBoxLayout;
    makeButtons(buttons);
    layout->addLayout(buttons);
    connect(tree_, &QTreeWidget::itemActivated, this,
        [this](QTreeWidgetItem* item) { Q_EMIT showRequested(item->data(0, pathRole).toString()); });
    connect(tree_, &QTreeWidget::currentItemChanged, this, &RunList::updateButtons);
    connect(tree_, &QTreeWidget::itemChanged, this, &RunList::edited);
    refresh();
}

void RunList::makeButtons(QHBoxLayout* layout)
{
    show_ = new QPushButton(tr("Show"), this);
    show_->setObjectName(QStringLiteral("runShow"));
    goOn_ = new QPushButton(tr("Go on"), this);
    goOn_->setObjectName(QStringLiteral("runGoOn"));
    goOn_->setToolTip(tr("Computes the windows that are missing, with the settings and in the file of this run"));
    undo_ = flatButton(QString(), tr("Brings the deleted run back"), this);
    undo_->setObjectName(QStringLiteral("runUndo"));
    undo_->hide();
    more_ = flatButton(QStringLiteral("⋯"), tr("Pin, colour, rename, delete, copy the command, folders"), this);
    more_->setObjectName(QStringLiteral("runMore"));
    more_->setAccessibleName(tr("More"));
    more_->setPopupMode(QToolButton::InstantPopup);
    layout->addWidget(show_);
    layout->addWidget(goOn_);
    layout->addWidget(undo_);
    layout->addStretch(1);
    layout->addWidget(more_);
    const auto withChosen = [this](auto signal) {
        return [this, signal] {
            if (const RunSummary* run = chosen())
                Q_EMIT(this->*signal)(run->path);
        };
    };
    connect(show_, &QPushButton::clicked, this, withChosen(&RunList::showRequested));
    connect(goOn_, &QPushButton::clicked, this, withChosen(&RunList::goOnRequested));
    connect(undo_, &QToolButton::clicked, this, &RunList::undoRequested);
    fillMenu();
}

void RunList::fillMenu()
{
    auto* menu = new QMenu(this);
    const auto add = [&](const char* name, const QString& text, const QKeySequence& keys, auto slot) {
        auto* action = new QAction(text, this);
        action->setObjectName(QLatin1String(name));
        action->setShortcut(keys);
        action->setShortcutContext(Qt::WidgetShortcut);
        connect(action, &QAction::triggered, this, slot);
        tree_->addAction(action);
        menu->addAction(action);
    };
    const auto withChosen = [this](auto signal) {
        return [this, signal] {
            if (const RunSummary* run = chosen())
                Q_EMIT(this->*signal)(run->path);
        };
    };
    add("runPin", tr("Pin or unpin"), Qt::CTRL | Qt::Key_P, &RunList::togglePin);
    auto* colors = menu->addMenu(tr("Colour"));
    colors->addAction(tr("None"), this, [this] { setColor({}); });
    for (const auto& [name, color] : runColors())
        colors->addAction(dot(color), name, this, [this, value = color] { setColor(value); });
    add("runRename", tr("Rename"), Qt::Key_F2, [this] {
        if (QTreeWidgetItem* item = tree_->currentItem())
            tree_->editItem(item, nameColumn);
    });
    add("runDelete", tr("Delete"), QKeySequence::Delete, withChosen(&RunList::deleteRequested));
    add("runCopy", tr("Copy the command"), QKeySequence::Copy, withChosen(&RunList::copyCommandRequested));
    add("runFolder", tr("Open the folder"), {}, withChosen(&RunList::openFolderRequested));
    menu->addSeparator();
    add("runsFolder", tr("Keep runs in another folder …"), {}, [this] { Q_EMIT chooseFolderRequested(); });
    more_->setMenu(menu);
}

void RunList::setRuns(const std::vector<RunSummary>& runs)
{
    runs_ = runs;
    refreshLater();
}

void RunList::setShown(const QString& path)
{
    shown_ = path;
    refreshLater();
}

void RunList::setLaidOver(const QStringList& names)
{
    laidOver_ = names;
    const bool same = std::ranges::all_of(runs_, [&](const RunSummary& run) {
        const QTreeWidgetItem* item = itemOf(run.path);
        return item == nullptr || (item->checkState(nameColumn) == Qt::Checked) == names.contains(run.name);
    });
    if (!same)
        refreshLater();
}

/// Not while the tree tells of a change of its own.
void RunList::refreshLater() { QMetaObject::invokeMethod(this, &RunList::refresh, Qt::QueuedConnection); }

void RunList::offerUndo(const QString& name)
{
    undo_->setText(tr("Undo deleting %1").arg(name));
    undo_->setVisible(!name.isEmpty());
}

void RunList::choose(const QString& path)
{
    QTreeWidgetItem* item = itemOf(path);
    wanted_ = item == nullptr ? path : QString();
    if (item != nullptr)
        tree_->setCurrentItem(item);
}

QTreeWidgetItem* RunList::itemOf(const QString& path) const
{
    for (int row = 0; row < tree_->topLevelItemCount(); ++row) {
        if (tree_->topLevelItem(row)->data(0, pathRole).toString() == path)
            return tree_->topLevelItem(row);
    }
    return nullptr;
}

const RunSummary* RunList::chosen() const
{
    const QTreeWidgetItem* item = tree_->currentItem();
    if (item == nullptr)
        return nullptr;
    const QString path = item->data(0, pathRole).toString();
    const auto found = std::ranges::find(runs_, path, &RunSummary::path);
    return found == runs_.end() ? nullptr : &*found;
}

void RunList::refresh()
{
    if (tree_->findChild<QLineEdit*>() != nullptr) { // a name is being typed: later
        QTimer::singleShot(500, this, &RunList::refresh);
        return;
    }
    filling_ = true;
    const RunSummary* before = chosen();
    const QString current = !wanted_.isEmpty() ? wanted_ : before ? before->path : QString();
    std::ranges::stable_sort(runs_, [](const RunSummary& a, const RunSummary& b) {
        const bool pinnedA = isPinned(a.path);
        const bool pinnedB = isPinned(b.path);
        return pinnedA != pinnedB ? pinnedA : a.when > b.when;
    });
    tree_->clear();
    for (const RunSummary& run : runs_)
        fill(new QTreeWidgetItem(tree_), run);
    choose(current);
    filling_ = false;
    const auto unfinished = std::ranges::count_if(runs_, &RunSummary::unfinished);
    hint_->setText(runs_.empty() ? tr("Every sweep is kept here, in a file of its own.")
            : unfinished == 1    ? tr("1 sweep is unfinished: choose it and press Go on.")
                                 : tr("%1 sweeps are unfinished: choose one and press Go on.").arg(unfinished));
    hint_->setVisible(runs_.empty() || unfinished > 0);
    updateButtons();
}

void RunList::fill(QTreeWidgetItem* item, const RunSummary& run) const
{
    item->setData(0, pathRole, run.path);
    item->setFlags(item->flags() | Qt::ItemIsUserCheckable);
    if (!run.alive)
        item->setFlags(item->flags() | Qt::ItemIsEditable);
    item->setText(nameColumn, run.name);
    item->setCheckState(nameColumn, laidOver_.contains(run.name) ? Qt::Checked : Qt::Unchecked);
    item->setText(whenColumn, (isPinned(run.path) ? QStringLiteral("★ ") : QString()) + shortTime(run.when));
    item->setText(windowsColumn, windowsOf(run));
    item->setText(bestColumn, run.problem.isEmpty() ? run.best : run.problem);
    if (const QColor color = colorOf(run.path); color.isValid())
        item->setIcon(nameColumn, dot(color));
    item->setToolTip(nameColumn,
        literalToolTip(
            tr("%1 over %2\n%3\nTick the box to lay it over the run shown.").arg(run.model, run.text, run.path)));
    QFont font = tree_->font();
    font.setBold(run.path == shown_);
    item->setFont(nameColumn, font);
}

void RunList::edited(QTreeWidgetItem* item, int column)
{
    if (filling_ || column != nameColumn)
        return;
    const QString path = item->data(0, pathRole).toString();
    const auto run = std::ranges::find(runs_, path, &RunSummary::path);
    if (run == runs_.end())
        return;
    const bool on = item->checkState(nameColumn) == Qt::Checked;
    if (item->text(nameColumn) != run->name)
        Q_EMIT renameRequested(path, item->text(nameColumn));
    else if (on != laidOver_.contains(run->name))
        Q_EMIT layOverRequested(path, on);
}

void RunList::togglePin()
{
    const RunSummary* run = chosen();
    if (run == nullptr)
        return;
    QStringList pins = QSettings().value(QLatin1String(pinsKey)).toStringList();
    if (pins.removeAll(run->path) == 0)
        pins << run->path;
    QSettings().setValue(QLatin1String(pinsKey), pins);
    refresh();
}

void RunList::setColor(const QString& color)
{
    const RunSummary* run = chosen();
    if (run == nullptr)
        return;
    QSettings().setValue(keyOf(run->path), color);
    if (laidOver_.contains(run->name))
        Q_EMIT colorChanged(run->path);
    refreshLater();
}

QColor RunList::colorOf(const QString& path) { return QColor(QSettings().value(keyOf(path)).toString()); }

void RunList::updateButtons()
{
    const RunSummary* run = chosen();
    show_->setEnabled(run != nullptr && run->problem.isEmpty());
    goOn_->setVisible(run != nullptr && run->unfinished());
}

} // namespace keepset::ui
