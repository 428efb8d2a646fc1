#include "ui/widgets/parameter_form.h"

#include "core/error.h"
#include "core/policy_files.h"
#include "ui/settings.h"
#include "ui/widgets/flow_layout.h"
#include "ui/widgets/labels.h"

#include <QComboBox>
#include <QDoubleSpinBox>
#include <QFormLayout>
#include <QFrame>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QToolButton>
#include <QVBoxLayout>

#include <algorithm>
#include <utility>

namespace keepset::ui {

namespace {

    std::optional<PolicySpec> parsed(const std::string& spelling)
    {
        try {
            return parse_policy(spelling);
        } catch (const Error&) {
            return std::nullopt;
        }
    }

    /// Writes a number as short as it is.
    class ShortSpinBox : public QDoubleSpinBox {
    public:
        using QDoubleSpinBox::QDoubleSpinBox;
        QString textFromValue(double value) const override { return QString::number(value, 'g', 16); }
    };

} // namespace

const PolicyInfo* policyInfo(const std::string& name)
{
    const auto all = policies();
    const auto found = std::ranges::find(all, name, &PolicyInfo::name);
    return found == all.end() ? nullptr : &*found;
}

QString spellingOf(const PolicySpec& spec)
{
    try {
        return QString::fromStdString(canonical(spec));
    } catch (const Error&) {
        QStringList parts;
        for (const auto& [name, value] : spec.parameters)
            parts << QStringLiteral("%1=%2").arg(QString::fromStdString(name), QString::fromStdString(value));
        return QStringLiteral("%1(%2)").arg(QString::fromStdString(spec.name), parts.join(QLatin1Char(',')));
    }
}

QString problemOf(const PolicySpec& spec)
{
    try {
        (void)canonical(spec);
        return {};
    } catch (const Error& error) {
        return QString::fromStdString(error.sentence());
    }
}

QString policyTitle(const PolicySpec& spec)
{
    return problemOf(spec).isEmpty() ? QString::fromStdString(title(spec)) : spellingOf(spec);
}

ParameterForm::ParameterForm(const PolicyInfo& info, PolicySpec spec, Layout layout, QWidget* parent)
    : QWidget(parent)
    , spec_(std::move(spec))
    , layout_(layout)
{
    if (layout_ == Layout::row) {
        auto* flow = new FlowLayout(10, this);
        flow->setContentsMargins(0, 0, 0, 0);
    } else {
        auto* form = new QFormLayout(this);
        form->setContentsMargins(0, 0, 0, 0);
        form->setVerticalSpacing(4);
        form->setRowWrapPolicy(QFormLayout::WrapLongRows);
    }
    for (const PolicyParameter& parameter : info.parameters)
        addField(parameter, makeEditor(parameter));
}

void ParameterForm::addField(const PolicyParameter& parameter, QWidget* editor)
{
    const QString caption = QString::fromStdString(parameter.name).replace(QLatin1Char('_'), QLatin1Char(' '));
    editor->setToolTip(QString::fromStdString(parameter.description));
    if (editor->accessibleName().isEmpty())
        editor->setAccessibleName(caption);
    if (parameter.kind == ParameterKind::policy) { // it has its caption inside, beside what it is the caption of
        if (auto* form = qobject_cast<QFormLayout*>(layout()))
            form->addRow(editor);
        else
            layout()->addWidget(editor);
        return;
    }
    QLabel* label = roleLabel(caption, layout_ == Layout::row ? "caption" : "muted", this);
    label->setToolTip(editor->toolTip());
    label->setBuddy(editor->focusProxy() ? editor->focusProxy() : editor);
    if (auto* form = qobject_cast<QFormLayout*>(layout())) {
        form->addRow(label, editor);
        return;
    }
    auto* column = new QWidget(this);
    auto* rows = new QVBoxLayout(column);
    rows->setContentsMargins(0, 0, 0, 0);
    rows->setSpacing(2);
    rows->addWidget(label);
    rows->addWidget(editor);
    rows->addStretch(1);
    layout()->addWidget(column);
}

QWidget* ParameterForm::makeEditor(const PolicyParameter& parameter)
{
    QWidget* editor = nullptr;
    switch (parameter.kind) {
    case ParameterKind::number:
    case ParameterKind::whole:
    case ParameterKind::share_or_count:
        editor = makeNumber(parameter);
        break;
    case ParameterKind::choice:
        editor = makeChoice(parameter);
        break;
    case ParameterKind::text:
        editor = is_path(parameter) ? makeFile(parameter) : makeText(parameter);
        break;
    case ParameterKind::policy:
        editor = makePolicy(parameter);
        break;
    }
    editor->setObjectName(QStringLiteral("parameter_%1").arg(QString::fromStdString(parameter.name)));
    return editor;
}

QWidget* ParameterForm::makeNumber(const PolicyParameter& parameter)
{
    auto* number = new ShortSpinBox(this);
    const bool whole = parameter.kind == ParameterKind::whole;
    const bool share = parameter.kind != ParameterKind::share_or_count && parameter.maximum <= 1;
    number->setLocale(QLocale::c());
    number->setDecimals(whole ? 0 : 9);
    number->setSingleStep(share ? 0.05 : 1);
    number->setMinimumWidth(64);
    number->setMaximumWidth(120);
    const bool fromRun = parameter.default_value.empty(); // one step below all numbers: it is not set
    number->setRange(fromRun ? parameter.minimum - number->singleStep() : parameter.minimum, parameter.maximum);
    if (fromRun)
        number->setSpecialValueText(tr("the run's"));
    const QString value = valueOf(parameter);
    number->setValue(value.isEmpty() ? number->minimum() : value.toDouble());
    connect(number, &QDoubleSpinBox::valueChanged, this, [this, number, parameter, fromRun](double now) {
        set(parameter, fromRun && now < parameter.minimum ? QString() : number->textFromValue(now));
    });
    return number;
}

QWidget* ParameterForm::makeChoice(const PolicyParameter& parameter)
{
    auto* choice = new QComboBox(this);
    for (const std::string& name : parameter.choices)
        choice->addItem(QString::fromStdString(name));
    choice->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    choice->setMinimumContentsLength(layout_ == Layout::row ? 8 : 5);
    choice->setCurrentText(valueOf(parameter));
    connect(choice, &QComboBox::currentTextChanged, this,
        [this, parameter](const QString& value) { set(parameter, value); });
    return choice;
}

QWidget* ParameterForm::makeText(const PolicyParameter& parameter)
{
    auto* line = new QLineEdit(valueOf(parameter), this);
    line->setMinimumWidth(140);
    connect(line, &QLineEdit::textChanged, this, [this, parameter](const QString& value) { set(parameter, value); });
    return line;
}

/// A path to type or to choose.
QWidget* ParameterForm::makeFile(const PolicyParameter& parameter)
{
    auto* box = new QWidget(this);
    auto* line = new QHBoxLayout(box);
    line->setContentsMargins(0, 0, 0, 0);
    line->setSpacing(4);
    auto* path = new QLineEdit(valueOf(parameter), box);
    path->setObjectName(QStringLiteral("path"));
    path->setAccessibleName(QString::fromStdString(parameter.name));
    path->setToolTip(QString::fromStdString(parameter.description));
    path->setMinimumWidth(140);
    auto* browse = flatButton(tr("Browse…"), QString::fromStdString(parameter.description), box);
    browse->setObjectName(QStringLiteral("browse"));
    line->addWidget(path, 1);
    line->addWidget(browse);
    box->setFocusProxy(path);
    connect(path, &QLineEdit::editingFinished, this, [this, path, parameter] { // not at every letter: files are read
        if (path->text() != valueOf(parameter))
            set(parameter, path->text());
    });
    connect(browse, &QToolButton::clicked, this, [this, path] {
        const QString chosen = askFile(this,
            { QStringLiteral("scores"), tr("Scores or keep sets"),
                tr("Scores or keep sets (*.h5 *.hdf5 *.safetensors *.npz);;All files (*)") });
        if (chosen.isEmpty())
            return;
        path->setText(chosen);
        Q_EMIT path->editingFinished();
    });
    return box;
}

/// Which policy, and below it the fields of that one.
QWidget* ParameterForm::makePolicy(const PolicyParameter& parameter)
{
    auto* box = new QFrame(this);
    auto* rows = new QVBoxLayout(box);
    rows->setContentsMargins(0, 0, 0, 0);
    rows->setSpacing(4);
    auto* choice = new QComboBox(box);
    choice->setObjectName(QStringLiteral("policyOf"));
    choice->setAccessibleName(QString::fromStdString(parameter.name));
    for (const PolicyInfo& info : policies()) {
        if (info.name != "dense")
            choice->addItem(QString::fromStdString(info.title), QString::fromStdString(info.name));
    }
    QLabel* label
        = roleLabel(QString::fromStdString(parameter.name), layout_ == Layout::row ? "caption" : "muted", box);
    label->setToolTip(QString::fromStdString(parameter.description));
    label->setBuddy(choice);
    rows->addWidget(label);
    rows->addWidget(choice);
    box->setFocusProxy(choice);
    const PolicySpec nested = parsed(valueOf(parameter).toStdString()).value_or(PolicySpec {});
    choice->setCurrentIndex(choice->findData(QString::fromStdString(nested.name)));
    showNested(parameter, nested, box);
    connect(choice, &QComboBox::activated, this, [this, choice, parameter, box] {
        const PolicySpec chosen { choice->currentData().toString().toStdString(), {} };
        showNested(parameter, chosen, box);
        set(parameter, spellingOf(chosen));
    });
    return box;
}

void ParameterForm::showNested(const PolicyParameter& parameter, const PolicySpec& nested, QWidget* box)
{
    delete box->findChild<ParameterForm*>(QString(), Qt::FindDirectChildrenOnly);
    const PolicyInfo* info = policyInfo(nested.name);
    if (info == nullptr || info->parameters.empty())
        return;
    auto* form = new ParameterForm(*info, nested, layout_, box);
    form->setContentsMargins(10, 0, 0, 0);
    box->layout()->addWidget(form);
    tabAfter(box->focusProxy(), *form);
    connect(form, &ParameterForm::changed, this,
        [this, parameter](const PolicySpec& spec) { set(parameter, spellingOf(spec)); });
}

QString ParameterForm::valueOf(const PolicyParameter& parameter) const
{
    const auto given = spec_.parameters.find(parameter.name);
    return QString::fromStdString(given == spec_.parameters.end() ? parameter.default_value : given->second);
}

void ParameterForm::set(const PolicyParameter& parameter, const QString& value)
{
    if (value.toStdString() == parameter.default_value)
        spec_.parameters.erase(parameter.name);
    else
        spec_.parameters[parameter.name] = value.toStdString();
    Q_EMIT changed(spec_);
}

} // namespace keepset::ui
