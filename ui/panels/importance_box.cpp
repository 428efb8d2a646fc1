#include "ui/panels/importance_box.h"

#include "moc_importance_box.cpp"
#include "ui/importance_choice.h"
#include "ui/settings.h"
#include "ui/widgets/labels.h"

#include <QComboBox>
#include <QSignalBlocker>
#include <QSpinBox>
#include <QStandardItemModel>
#include <QVBoxLayout>

namespace keepset::ui {

namespace {

    using Kind = Importance::Kind;

    constexpr int usualQueries = 32;

    Kind kindAt(const QComboBox& box, int index) { return static_cast<Kind>(box.itemData(index).toInt()); }

} // namespace

ImportanceBox::ImportanceBox(ImportanceChoice* choice, QWidget* parent)
    : QWidget(parent)
    , choice_(choice)
    , mode_(new QComboBox(this))
    , queries_(new QSpinBox(this))
{
    mode_->setObjectName(QStringLiteral("importance"));
    for (const Importance& mode : { Importance::cumulative, Importance::mean_received })
        mode_->addItem(QString::fromStdString(name_of(mode)), static_cast<int>(mode.kind));
    mode_->addItem(QStringLiteral("window"), static_cast<int>(Kind::window));
    mode_->addItem(QString::fromStdString(name_of(Importance::last_query)), static_cast<int>(Kind::last_query));
    mode_->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    mode_->setMinimumContentsLength(5);
    nameFor(mode_, tr("Importance"));
    mode_->setToolTip(tr("cumulative: all attention a token received; mean-received: per token that could see it; "
                         "window: from the last queries alone; last-query: from the last token alone"));
    queries_->setObjectName(QStringLiteral("importanceQueries"));
    queries_->setPrefix(tr("last "));
    queries_->setGroupSeparatorShown(true);
    queries_->setKeyboardTracking(false);
    queries_->setRange(1, static_cast<int>(choice_->most()));
    queries_->setValue(usualQueries);
    queries_->setMinimumWidth(64);
    nameFor(queries_, tr("Queries of the window"));
    remember(queries_);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(4);
    layout->addWidget(mode_);
    layout->addWidget(queries_);
    connect(mode_, &QComboBox::currentIndexChanged, this, &ImportanceBox::choose);
    connect(queries_, &QSpinBox::valueChanged, this, &ImportanceBox::choose);
    connect(choice_, &ImportanceChoice::changed, this, &ImportanceBox::refresh);
    refresh();
}

void ImportanceBox::choose()
{
    const Kind kind = kindAt(*mode_, mode_->currentIndex());
    choice_->choose(kind == Kind::window ? choice_->window(queries_->value()) : Importance { kind });
    refresh();
}

void ImportanceBox::refresh()
{
    const QSignalBlocker quietMode(mode_);
    const QSignalBlocker quietQueries(queries_);
    const Importance chosen = choice_->chosen();
    const bool isWindow = chosen.kind == Kind::window;
    mode_->setCurrentIndex(mode_->findData(static_cast<int>(chosen.kind)));
    queries_->setMaximum(static_cast<int>(choice_->most()));
    if (isWindow)
        queries_->setValue(static_cast<int>(chosen.queries));
    queries_->setSuffix(queries_->value() == 1 ? tr(" query") : tr(" queries"));
    queries_->setVisible(isWindow);
    queries_->setEnabled(choice_->makes());
    queries_->setToolTip(choice_->makes()
            ? tr("How many of the last queries give their attention: as many as SnapKV's window has, for example")
            : tr("A file holds the windows that it was made with"));
    auto* items = qobject_cast<QStandardItemModel*>(mode_->model());
    for (int index = 0; index < mode_->count(); ++index) {
        const Kind kind = kindAt(*mode_, index);
        const QString obstacle
            = choice_->obstacle(kind == Kind::window ? choice_->window(queries_->value()) : Importance { kind });
        items->item(index)->setEnabled(obstacle.isEmpty());
        mode_->setItemData(index, obstacle, Qt::ToolTipRole);
    }
}

} // namespace keepset::ui
