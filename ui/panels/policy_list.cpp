#include "ui/panels/policy_list.h"

#include "core/engine.h"
#include "moc_policy_list.cpp"
#include "ui/selection_state.h"
#include "ui/widgets/elided_label.h"
#include "ui/widgets/labels.h"
#include "ui/widgets/legend.h"
#include "ui/widgets/parameter_form.h"

#include <QCheckBox>
#include <QMenu>
#include <QPushButton>
#include <QSignalBlocker>
#include <QStyleOptionButton>
#include <QStylePainter>
#include <QToolButton>
#include <QVBoxLayout>

#include <algorithm>

namespace keepset::ui {

namespace {

    QString labelsOf(const PolicyInfo& info)
    {
        QStringList names;
        for (const Label label : info.labels)
            names << labelTitle(label);
        return names.join(QStringLiteral(" · "));
    }

    /// A check box whose words may be cut short: a policy's title has all its parameters in it.
    class ElidedCheckBox : public QCheckBox {
    public:
        using QCheckBox::QCheckBox;
        QSize minimumSizeHint() const override { return { 56, QCheckBox::minimumSizeHint().height() }; }

    protected:
        void paintEvent(QPaintEvent*) override
        {
            QStylePainter painter(this);
            QStyleOptionButton option;
            initStyleOption(&option);
            const int room = style()->subElementRect(QStyle::SE_CheckBoxContents, &option, this).width();
            option.text = fontMetrics().elidedText(text(), Qt::ElideRight, room);
            painter.drawControl(QStyle::CE_CheckBox, option);
        }
    };

} // namespace

PolicyList::PolicyList(SelectionState* selection, QWidget* parent)
    : QWidget(parent)
    , selection_(selection)
    , layout_(new QVBoxLayout(this))
{
    layout_->setContentsMargins(0, 0, 0, 0);
    layout_->setSpacing(3);
    add_ = new QPushButton(tr("Add a variant …"), this);
    auto* add = add_;
    add->setProperty("flat", true);
    add->setObjectName(QStringLiteral("addPolicy"));
    add->setToolTip(tr("Adds a policy once more, to give it other parameters and compare the two"));
    auto* menu = new QMenu(add);
    layout_->addWidget(add, 0, Qt::AlignLeft);
    for (const PolicyInfo& info : policies()) {
        if (info.name == "dense")
            continue;
        addRow({ info.name, {} }, Kind::standing);
        if (!info.parameters.empty())
            menu->addAction(QString::fromStdString(info.title), this, [this, name = info.name] {
                addRow({ name, {} }, Kind::variant);
            });
    }
    add->setMenu(menu);
    connect(selection_, &SelectionState::policiesChanged, this, &PolicyList::follow);
    follow();
}

PolicyList::Row* PolicyList::addRow(const PolicySpec& spec, Kind kind)
{
    const PolicyInfo* info = policyInfo(spec.name);
    if (!info)
        return nullptr;
    auto* box = new QWidget(this);
    auto* outer = new QVBoxLayout(box);
    outer->setContentsMargins(0, 0, 0, 0);
    outer->setSpacing(2);
    auto* line = new QHBoxLayout;
    auto* check = new ElidedCheckBox(QString::fromStdString(title(spec)), box);
    check->setObjectName(QStringLiteral("policy_%1").arg(QString::fromStdString(spec.name)));
    check->setToolTip(tr("%1\nTwo policies are compared; a third takes the place of the older.")
                          .arg(QString::fromStdString(info->description)));
    auto* labels = new ElidedLabel(box);
    labels->setProperty("role", QStringLiteral("small"));
    labels->setWords(labelsOf(*info));
    labels->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
    line->addWidget(check, 1);
    line->addWidget(labels);
    outer->addLayout(line);
    ParameterForm* form = nullptr;
    if (!info->parameters.empty()) {
        form = new ParameterForm(*info, spec, ParameterForm::Layout::column, box);
        form->setContentsMargins(18, 0, 0, 6);
        form->hide();
        connect(form, &ParameterForm::changed, this, [this, box](const PolicySpec& now) { setSpec(box, now); });
        auto* edit = new QToolButton(box);
        edit->setText(QStringLiteral("⋯"));
        edit->setProperty("flat", true);
        edit->setCheckable(true);
        edit->setToolTip(tr("Parameters of %1").arg(check->text()));
        edit->setAccessibleName(edit->toolTip());
        edit->setObjectName(QStringLiteral("edit_%1").arg(QString::fromStdString(spec.name)));
        connect(edit, &QToolButton::toggled, form, &QWidget::setVisible);
        line->addWidget(edit);
        outer->addWidget(form);
        setTabOrder(check, edit);
    } else {
        auto* none = new QToolButton(box); // the same width, so that the labels stand in line
        none->setText(QStringLiteral("⋯"));
        none->setProperty("flat", true);
        QSizePolicy policy = none->sizePolicy();
        policy.setRetainSizeWhenHidden(true);
        none->setSizePolicy(policy);
        none->hide();
        line->addWidget(none);
    }
    if (kind == Kind::variant) {
        auto* remove = flatButton(QStringLiteral("✕"), tr("Removes this variant of %1").arg(check->text()), box);
        remove->setObjectName(QStringLiteral("remove_%1").arg(QString::fromStdString(spec.name)));
        line->addWidget(remove);
        connect(remove, &QToolButton::clicked, this, [this, box] { removeRow(box); });
    }
    connect(check, &QCheckBox::toggled, this, [this, box](bool on) { toggled(box, on); });
    layout_->insertWidget(layout_->count() - 1, box);
    setTabOrder(box->findChildren<QWidget*>().last(), add_); // the button stands below all rows
    rows_.push_back({ spec, box, check, form });
    return &rows_.back();
}

void PolicyList::removeRow(QWidget* box)
{
    std::erase(chosen_, box);
    std::erase_if(rows_, [&](const Row& row) { return row.box == box; });
    box->hide();
    box->deleteLater(); // its button is being clicked
    tell();
}

void PolicyList::follow()
{
    if (compared() == std::array { selection_->policyA(), selection_->policyB() })
        return; // of two rows that say the same the one that was checked stays so
    std::vector<QWidget*> chosen;
    for (int side = 0; side < 2; ++side) {
        if (!selection_->hasPolicy(side))
            continue;
        const PolicySpec& spec = selection_->policy(side);
        const auto listed = std::ranges::find(rows_, spec, &Row::spec);
        const Row* row = listed != rows_.end() ? &*listed : addRow(spec, Kind::variant);
        if (row)
            chosen.push_back(row->box);
    }
    // The order of the choice stays, so that a third takes the place of the older.
    const auto placeBefore = [this](QWidget* box) { return std::ranges::find(chosen_, box) - chosen_.begin(); };
    std::ranges::stable_sort(chosen, {}, placeBefore);
    chosen_ = chosen;
    showChecks();
}

PolicyList::Row* PolicyList::rowOf(const QWidget* inside)
{
    const auto found = std::find_if(
        rows_.begin(), rows_.end(), [&](const Row& row) { return row.box == inside || row.box->isAncestorOf(inside); });
    return found == rows_.end() ? nullptr : &*found;
}

void PolicyList::setSpec(const QWidget* inside, const PolicySpec& spec)
{
    Row* row = rowOf(inside);
    if (!row)
        return;
    row->spec = spec;
    row->check->setText(policyTitle(spec));
    tell();
}

void PolicyList::toggled(const QWidget* box, bool on)
{
    Row* row = rowOf(box);
    std::erase(chosen_, row->box);
    if (on)
        chosen_.push_back(row->box);
    if (chosen_.size() > 2)
        chosen_.erase(chosen_.begin());
    showChecks();
    tell();
}

void PolicyList::showChecks()
{
    for (const Row& row : rows_) {
        const QSignalBlocker quiet(row.check);
        row.check->setChecked(std::find(chosen_.begin(), chosen_.end(), row.box) != chosen_.end());
    }
}

std::array<PolicySpec, 2> PolicyList::compared() const
{
    // In the order of the list, so that a policy keeps its side.
    std::array<PolicySpec, 2> result;
    std::size_t side = 0;
    for (const Row& row : rows_) {
        if (row.check->isChecked() && side < result.size())
            result[side++] = row.spec;
    }
    return result;
}

void PolicyList::tell()
{
    const auto [a, b] = compared();
    selection_->setPolicies(a, b);
}

} // namespace keepset::ui
