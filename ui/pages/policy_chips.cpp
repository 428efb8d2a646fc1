#include "ui/pages/policy_chips.h"

#include "core/error.h"
#include "ui/pages/policy_editor.h"
#include "ui/plain_text.h"
#include "ui/plot/style.h"
#include "ui/widgets/flow_layout.h"
#include "ui/widgets/labels.h"
#include "ui/widgets/parameter_form.h"

#include <QEvent>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QLineEdit>
#include <QMenu>
#include <QShortcut>
#include <QSignalBlocker>
#include <QToolButton>
#include <QVBoxLayout>

#include <algorithm>
#include <utility>

namespace keepset::ui {

namespace {

    constexpr int widestChip = 240; ///< px of a title, which has all parameters in it
    constexpr std::size_t mostChanges = 100; ///< that can be taken back

    /// Everything is compared with it, so it stays.
    bool isFixed(const PolicySpec& spec) { return spec.name == "dense"; }

    QString buttonText(const QWidget& of, const QString& title)
    {
        const QString text = of.fontMetrics().elidedText(title, Qt::ElideRight, widestChip);
        return QString(text).replace(QLatin1Char('&'), QStringLiteral("&&"));
    }

} // namespace

PolicyChips::PolicyChips(QWidget* parent)
    : QWidget(parent)
    , flow_(new FlowLayout(6))
{
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(6);
    layout->addLayout(flow_);
    makeControls();
    makeEditor();
    layout->addWidget(line_);
    layout->addWidget(editor_);
    auto* back = new QShortcut(QKeySequence::Undo, this);
    back->setContext(Qt::WidgetWithChildrenShortcut);
    connect(back, &QShortcut::activated, this, &PolicyChips::undo);
    rebuild();
}

void PolicyChips::makeControls()
{
    add_ = flatButton(QStringLiteral("+"), tr("Adds a policy, also one more time with other parameters"), this);
    add_->setObjectName(QStringLiteral("policyAdd"));
    add_->setPopupMode(QToolButton::InstantPopup);
    auto* menu = new QMenu(add_);
    menu->setToolTipsVisible(true);
    for (const PolicyInfo& info : keepset::policies()) {
        if (isFixed({ info.name, {} }))
            continue;
        QAction* action = menu->addAction(QString::fromStdString(info.title), this, [this, name = info.name] {
            add({ name, {} }, specs_.size());
        });
        action->setObjectName(QStringLiteral("add_%1").arg(QString::fromStdString(info.name)));
        action->setToolTip(literalToolTip(QString::fromStdString(info.description)));
    }
    add_->setMenu(menu);
    undo_ = flatButton(tr("Undo"), tr("Takes the last change of the policies back (Ctrl+Z)"), this);
    undo_->setObjectName(QStringLiteral("policyUndo"));
    connect(undo_, &QToolButton::clicked, this, &PolicyChips::undo);
    asText_
        = flatButton(tr("As text"), tr("Shows the list as the command line writes it, to be typed or copied"), this);
    asText_->setObjectName(QStringLiteral("policyText"));
    asText_->setCheckable(true);
    line_ = new QLineEdit(this);
    line_->setObjectName(QStringLiteral("sweepPolicies"));
    line_->setAccessibleName(tr("Policies as text"));
    line_->setToolTip(
        tr("Policies with parameters in parentheses, split by commas: h2o(local=0.5), cab(bridge_ratio=0.1)"));
    line_->hide();
    connect(asText_, &QToolButton::toggled, line_, [this](bool on) {
        line_->setVisible(on);
        if (on)
            line_->setFocus();
    });
    connect(line_, &QLineEdit::textChanged, this, &PolicyChips::readText);
}

void PolicyChips::makeEditor()
{
    editor_ = new PolicyEditor(this);
    connect(editor_, &PolicyEditor::changed, this, [this](const PolicySpec& spec) { edit(*open_, spec); });
    connect(editor_, &PolicyEditor::variantRequested, this, [this] { add(specs_[*open_], *open_ + 1); });
    connect(editor_, &PolicyEditor::closed, this, [this] {
        chips_[*open_]->setFocus();
        open(std::nullopt);
    });
}

void PolicyChips::setPolicies(std::vector<PolicySpec> specs)
{
    specs_ = std::move(specs);
    history_.clear();
    open_.reset();
    rebuild();
    writeText();
    Q_EMIT changed();
}

QString PolicyChips::spelling() const
{
    QStringList names;
    for (const PolicySpec& spec : specs_)
        names << spellingOf(spec);
    return names.join(QStringLiteral(", "));
}

void PolicyChips::setSpelling(const QString& text)
{
    try {
        setPolicies(parse_policies(text.toStdString()));
    } catch (const Error&) { // of another version: as at the first start
    }
}

QString PolicyChips::problem() const
{
    if (!textProblem_.isEmpty())
        return textProblem_;
    if (specs_.empty())
        return tr("Add a policy to be measured.");
    for (auto spec = specs_.begin(); spec != specs_.end(); ++spec) {
        if (const QString wrong = problemOf(*spec); !wrong.isEmpty())
            return wrong;
        const auto same = [spec](const PolicySpec& other) { return spellingOf(other) == spellingOf(*spec); };
        if (std::any_of(specs_.begin(), spec, same))
            return tr("%1 is there twice: give one of the two other parameters.").arg(policyTitle(*spec));
    }
    return {};
}

// ---- changes ---------------------------------------------------------------------------------------------------

/// So that what comes next can be taken back.
void PolicyChips::keep()
{
    history_.push_back(specs_);
    if (history_.size() > mostChanges)
        history_.erase(history_.begin());
    editing_ = false;
}

void PolicyChips::add(PolicySpec spec, std::size_t place)
{
    keep();
    const PolicyInfo* info = policyInfo(spec.name);
    specs_.insert(specs_.begin() + static_cast<std::ptrdiff_t>(place), std::move(spec));
    open_ = info && !info->parameters.empty() ? std::optional(place) : std::nullopt;
    rebuild();
    writeText();
    chips_[place]->setFocus();
    Q_EMIT changed();
}

void PolicyChips::remove(std::size_t index)
{
    if (isFixed(specs_[index]))
        return;
    keep();
    specs_.erase(specs_.begin() + static_cast<std::ptrdiff_t>(index));
    open_.reset();
    rebuild();
    writeText();
    (index < chips_.size() ? chips_[index] : undo_)->setFocus();
    Q_EMIT changed();
}

void PolicyChips::edit(std::size_t index, const PolicySpec& spec)
{
    if (!editing_)
        keep();
    editing_ = true;
    specs_[index] = spec;
    rebuildChips(); // the form, which is being edited, stays
    writeText();
    Q_EMIT changed();
}

void PolicyChips::undo()
{
    if (history_.empty())
        return;
    specs_ = std::move(history_.back());
    history_.pop_back();
    open_.reset();
    editing_ = false;
    rebuild();
    writeText();
    add_->setFocus();
    Q_EMIT changed();
}

void PolicyChips::readText(const QString& text)
{
    try {
        std::vector<PolicySpec> specs
            = text.trimmed().isEmpty() ? std::vector<PolicySpec>() : parse_policies(text.toStdString());
        textProblem_.clear();
        if (specs != specs_) {
            if (!editing_)
                keep();
            editing_ = true; // all that is typed at a time is one change
            specs_ = std::move(specs);
            open_.reset();
        }
    } catch (const Error& error) {
        textProblem_ = QString::fromStdString(error.sentence());
    }
    rebuildChips();
    showEditor();
    Q_EMIT changed();
}

// ---- what is shown ---------------------------------------------------------------------------------------------

void PolicyChips::rebuild()
{
    rebuildChips();
    showEditor();
}

void PolicyChips::rebuildChips()
{
    std::optional<std::size_t> focused;
    for (std::size_t i = 0; i < chips_.size(); ++i) {
        if (chips_[i]->hasFocus())
            focused = i;
    }
    for (QToolButton* chip : std::exchange(chips_, {})) {
        chip->removeEventFilter(this);
        chip->hide();
        chip->setParent(nullptr);
        chip->deleteLater(); // its ✕ may be being clicked
    }
    while (flow_->count() > 0)
        delete flow_->takeAt(0);
    for (std::size_t i = 0; i < specs_.size(); ++i) {
        chips_.push_back(makeChip(i));
        flow_->addWidget(chips_.back());
        chips_.back()->show(); // now: it may be given the focus
        setTabOrder(i > 0 ? chips_[i - 1] : add_, chips_[i]);
    }
    if (!chips_.empty())
        setTabOrder(chips_.back(), add_); // the button stands behind all chips
    for (QToolButton* button : { add_, undo_, asText_ })
        flow_->addWidget(button);
    undo_->setVisible(!history_.empty());
    if (focused && *focused < chips_.size())
        chips_[*focused]->setFocus();
}

/// The line says what the chips say.
void PolicyChips::writeText()
{
    const QSignalBlocker quiet(line_);
    textProblem_.clear();
    line_->setText(spelling());
    line_->setCursorPosition(0);
}

QToolButton* PolicyChips::makeChip(std::size_t index)
{
    const PolicySpec& spec = specs_[index];
    std::vector<std::string> names;
    for (const PolicySpec& each : specs_)
        names.push_back(spellingOf(each).toStdString());
    const QString title = policyTitle(spec);
    const PolicyInfo* info = policyInfo(spec.name);
    auto* chip = new QToolButton(this);
    chip->setObjectName(QStringLiteral("policyChip ") + spellingOf(spec));
    chip->setProperty("policyChip", true);
    chip->setCheckable(true);
    chip->setChecked(open_ == index);
    const plot::MethodStyle look = plot::methodStyles(names)[index];
    if (look.marker != plot::Marker::none) {
        chip->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
        chip->setIcon(plot::markerIcon(look, plot::styleFor(palette()), devicePixelRatioF()));
    }
    chip->setText(buttonText(*chip, title));
    chip->setFocusPolicy(Qt::TabFocus);
    chip->setAccessibleName(title);
    const QString does = isFixed(spec) ? tr("Always measured: everything is compared with it.")
                                       : tr("A click shows its parameters, Delete removes it.");
    chip->setToolTip(literalToolTip(
        QStringLiteral("%1\n%2\n%3").arg(title, QString::fromStdString(info ? info->description : ""), does)));
    chip->installEventFilter(this);
    connect(
        chip, &QToolButton::clicked, this, [this, index](bool on) { open(on ? std::optional(index) : std::nullopt); });
    if (!isFixed(spec))
        addCross(*chip, index);
    return chip;
}

/// Inside the pill, in the room that the style leaves at its end.
void PolicyChips::addCross(QToolButton& chip, std::size_t index)
{
    chip.setProperty("removable", true);
    auto* cross = flatButton(QStringLiteral("✕"), tr("Removes %1").arg(chip.accessibleName()), &chip);
    cross->setObjectName(QStringLiteral("policyRemove ") + spellingOf(specs_[index]));
    cross->setProperty("cross", true);
    cross->setFocusPolicy(Qt::NoFocus); // Delete does the same
    cross->setCursor(Qt::ArrowCursor);
    auto* layout = new QHBoxLayout(&chip);
    layout->setContentsMargins(0, 0, 4, 0);
    layout->addStretch(1);
    layout->addWidget(cross);
    connect(cross, &QToolButton::clicked, this, [this, index] { remove(index); });
}

void PolicyChips::open(std::optional<std::size_t> index)
{
    open_ = index;
    editing_ = false;
    for (std::size_t i = 0; i < chips_.size(); ++i)
        chips_[i]->setChecked(open_ == i);
    showEditor();
}

/// The parameters of the chip that is open.
void PolicyChips::showEditor()
{
    editor_->setPolicy(open_ ? &specs_[*open_] : nullptr);
    tabAfter(line_, *editor_);
}

bool PolicyChips::eventFilter(QObject* watched, QEvent* event)
{
    const auto chip = std::ranges::find(chips_, watched);
    if (chip == chips_.end() || event->type() != QEvent::KeyPress)
        return false;
    const auto index = static_cast<std::size_t>(chip - chips_.begin());
    switch (static_cast<QKeyEvent*>(event)->key()) {
    case Qt::Key_Delete:
    case Qt::Key_Backspace:
        remove(index);
        return true;
    case Qt::Key_Left:
    case Qt::Key_Right: {
        const bool left = static_cast<QKeyEvent*>(event)->key() == Qt::Key_Left;
        const std::size_t next = (index + (left ? chips_.size() - 1 : 1)) % chips_.size();
        chips_[next]->setFocus(Qt::TabFocusReason);
        return true;
    }
    case Qt::Key_Return:
    case Qt::Key_Enter:
        (*chip)->click();
        return true;
    default:
        return false;
    }
}

void PolicyChips::changeEvent(QEvent* event)
{
    QWidget::changeEvent(event);
    if (event->type() == QEvent::PaletteChange) // later: the application is walking through its widgets
        QMetaObject::invokeMethod(this, &PolicyChips::rebuildChips, Qt::QueuedConnection);
}

} // namespace keepset::ui

#include "moc_policy_chips.cpp"
