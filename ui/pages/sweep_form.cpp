#include "ui/pages/sweep_form.h"

#include "core/engine.h"
#include "ui/pages/card.h"
#include "ui/pages/policy_chips.h"
#include "ui/settings.h"
#include "ui/theme.h"
#include "ui/widgets/elided_label.h"
#include "ui/widgets/flow_layout.h"
#include "ui/widgets/parameter_form.h"

#include <QComboBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QSpinBox>
#include <QToolButton>
#include <QVBoxLayout>

namespace keepset::ui {

namespace {

    // H2O with CAB's local share is the control: a gain that it has too is not the bridges' (SEMANTICS 4).
    constexpr const char* presetPolicies = "dense, h2o, cab, h2o(local=0.3), random(sink=4,recent=0.1)";
    constexpr const char* presetSparsities = "0, 0.5, 0.8, 0.9, 0.95";

    QSpinBox* makeSpin(int low, int high, int value, QWidget* parent)
    {
        auto* spin = new QSpinBox(parent);
        spin->setRange(low, high);
        spin->setValue(value);
        spin->setGroupSeparatorShown(true);
        return spin;
    }

    QString policyText(const SweepRequest& request)
    {
        QStringList names;
        for (const PolicySpec& policy : request.policies)
            names << spellingOf(policy);
        return names.join(QStringLiteral(", "));
    }

    QString sparsityText(const SweepRequest& request)
    {
        QStringList shares;
        for (const double sparsity : request.sparsities)
            shares << QString::number(sparsity);
        return shares.join(QStringLiteral(", "));
    }

    std::string withoutSpaces(const QString& text) { return QString(text).remove(QLatin1Char(' ')).toStdString(); }

} // namespace

void fitSizes(SweepRequest& request, const ModelInfo& model, std::optional<std::int64_t> tokens)
{
    constexpr std::int64_t few = 5; // windows
    constexpr std::int64_t small = 64;
    const auto fits = [&] {
        const std::int64_t window = request.context + request.target;
        return (model.endless || window <= model.max_context) && (!tokens || window * few <= *tokens);
    };
    while (!fits() && request.context > small) {
        request.context /= 2;
        request.target /= 2;
    }
}

SweepForm::SweepForm(QWidget* parent)
    : QWidget(parent)
    , policies_(new PolicyChips(this))
    , sparsities_(new QLineEdit(QLatin1String(presetSparsities), this))
    , protocol_(new QComboBox(this))
    , granularity_(new QComboBox(this))
    , context_(makeSpin(1, 10000000, 1024, this))
    , target_(makeSpin(2, 1000000, 256, this))
    , windows_(makeSpin(0, 1000000, 8, this))
    , error_(new QLabel(this))
    , estimate_(new ElidedLabel(this))
    , warnings_(new ElidedLabel(this))
    , fields_(new FlowLayout(10))
{
    error_->setTextFormat(Qt::PlainText);
    error_->setWordWrap(true);
    error_->setObjectName(QStringLiteral("sweepError"));
    estimate_->setProperty("role", QStringLiteral("muted"));
    estimate_->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Preferred);
    estimate_->setObjectName(QStringLiteral("sweepEstimate"));
    warnings_->setProperty("role", QStringLiteral("muted"));
    warnings_->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Preferred);
    warnings_->setObjectName(QStringLiteral("sweepWarnings"));
    warnings_->hide();
    makeButtons();
    addFields();
    auto* last = new QHBoxLayout;
    last->addWidget(estimate_, 1);
    last->addWidget(copy_);
    last->addWidget(gpus_);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(8);
    policies_->setSpelling(QLatin1String(presetPolicies));
    layout->addWidget(policies_);
    layout->addLayout(fields_);
    layout->addLayout(last);
    layout->addWidget(error_);
    layout->addWidget(warnings_);
    policies_->setObjectName(QStringLiteral("policyChips"));
    sparsities_->setObjectName(QStringLiteral("sweepSparsities"));
    protocol_->setObjectName(QStringLiteral("sweepProtocol"));
    granularity_->setObjectName(QStringLiteral("sweepGranularity"));
    context_->setObjectName(QStringLiteral("sweepContext"));
    target_->setObjectName(QStringLiteral("sweepTarget"));
    windows_->setObjectName(QStringLiteral("sweepWindows"));
    for (QWidget* field : std::initializer_list<QWidget*> { policies_, sparsities_, protocol_, granularity_ })
        remember(field); // the sizes are those that fit the text
    connect(policies_, &PolicyChips::changed, this, &SweepForm::check);
    connect(sparsities_, &QLineEdit::textChanged, this, &SweepForm::check);
    for (QComboBox* field : { protocol_, granularity_ })
        connect(field, &QComboBox::currentIndexChanged, this, &SweepForm::check);
    for (QSpinBox* field : { context_, target_, windows_ })
        connect(field, &QSpinBox::valueChanged, this, &SweepForm::check);
    check();
}

void SweepForm::makeButtons()
{
    const auto make = [this](const char* name, const QString& text, const QString& tip) {
        auto* button = new QPushButton(text, this);
        button->setObjectName(QLatin1String(name));
        button->setToolTip(tip);
        return button;
    };
    start_ = make("sweepStart", tr("Start sweep"), tr("Starts a new sweep, in a file of its own"));
    start_->setProperty("primary", true);
    pause_ = make("sweepPause", tr("Pause"), tr("Ends behind the window under way; Go on continues"));
    stop_ = make("sweepStop", tr("Stop"), tr("Ends at once; every window that is done stays in the file"));
    goOn_ = make("sweepGoOn", tr("Go on"), tr("Computes the windows that the run shown does not have yet"));
    copy_ = flatButton(tr("Copy as command"), tr("Copies the keepset-cli command that does the same"), this);
    copy_->setObjectName(QStringLiteral("sweepCopy"));
    gpus_ = flatButton(QString(), tr("Shares the windows among all GPUs, by torchrun and keepset-cli"), this);
    gpus_->setObjectName(QStringLiteral("sweepGpus"));
    gpus_->hide();
    connect(start_, &QPushButton::clicked, this, &SweepForm::start);
    connect(pause_, &QPushButton::clicked, this, &SweepForm::pauseRequested);
    connect(stop_, &QPushButton::clicked, this, &SweepForm::stopRequested);
    connect(goOn_, &QPushButton::clicked, this, &SweepForm::goOnRequested);
    connect(copy_, &QToolButton::clicked, this, &SweepForm::copyRequested);
    connect(gpus_, &QToolButton::clicked, this, &SweepForm::gpusRequested);
}

void SweepForm::addFields()
{
    windows_->setSpecialValueText(tr("all"));
    sparsities_->setToolTip(tr("Shares evicted: a list 0, 0.5, 0.9 or first:last:step 0:0.9:0.1"));
    for (const Protocol value : { Protocol::prefill_evict, Protocol::token_drop })
        protocol_->addItem(QString::fromStdString(name_of(value)), static_cast<int>(value));
    for (const Granularity value : { Granularity::head, Granularity::layer, Granularity::model })
        granularity_->addItem(QString::fromStdString(name_of(value)), static_cast<int>(value));
    sparsities_->setCursorPosition(0);
    addField(tr("Sparsities"), sparsities_, 140);
    addField(tr("Protocol"), protocol_, 110);
    addField(tr("Keep set per"), granularity_, 90);
    addField(tr("Context"), context_, 72);
    addField(tr("Target"), target_, 72);
    addField(tr("Windows"), windows_, 72);
    for (QPushButton* button : { pause_, stop_, goOn_, start_ }) {
        fields_->addWidget(button);
        fields_->setAlignment(button, Qt::AlignBottom);
    }
}

void SweepForm::addField(const QString& caption, QWidget* field, int least)
{
    auto* column = new QWidget(this);
    column->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    auto* layout = new QVBoxLayout(column);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(2);
    auto* label = roleLabel(caption, "caption", column);
    label->setBuddy(field);
    field->setAccessibleName(caption);
    field->setMinimumWidth(least);
    layout->addWidget(label);
    layout->addWidget(field);
    fields_->addWidget(column);
}

std::optional<SweepRequest> SweepForm::request() const
{
    SweepRequest request;
    request.protocol = static_cast<Protocol>(protocol_->currentData().toInt());
    request.granularity = static_cast<Granularity>(granularity_->currentData().toInt());
    request.context = context_->value();
    request.target = target_->value();
    request.windows = windows_->value();
    try {
        request.sparsities = parse_sparsities(withoutSpaces(sparsities_->text()));
    } catch (const Error&) { // check() shows it beside the fields
        return std::nullopt;
    }
    if (!policies_->problem().isEmpty())
        return std::nullopt;
    request.policies = policies_->policies();
    return request;
}

void SweepForm::setRequest(const SweepRequest& request)
{
    if (!request.policies.empty())
        policies_->setPolicies(request.policies);
    if (!request.sparsities.empty())
        sparsities_->setText(sparsityText(request));
    protocol_->setCurrentIndex(protocol_->findData(static_cast<int>(request.protocol)));
    granularity_->setCurrentIndex(granularity_->findData(static_cast<int>(request.granularity)));
    context_->setValue(static_cast<int>(request.context));
    target_->setValue(static_cast<int>(request.target));
    windows_->setValue(static_cast<int>(request.windows));
}

void SweepForm::propose(const SweepRequest& request)
{
    if (!proposed_) { // what was remembered of the last time stays, too
        SweepRequest first = request;
        if (policies_->spelling() != QLatin1String(presetPolicies))
            first.policies.clear();
        if (sparsities_->text() != QLatin1String(presetSparsities))
            first.sparsities.clear();
        first.protocol = static_cast<Protocol>(protocol_->currentData().toInt());
        first.granularity = static_cast<Granularity>(granularity_->currentData().toInt());
        setRequest(first);
    } else {
        if (policies_->spelling() == policyText(*proposed_) && policies_->policies() != request.policies)
            policies_->setPolicies(request.policies);
        if (sparsities_->text() == sparsityText(*proposed_))
            sparsities_->setText(sparsityText(request));
        const auto follow = [](QSpinBox* field, std::int64_t before, std::int64_t now) {
            if (field->value() != before)
                return;
            const auto* text = field->findChild<QLineEdit*>();
            const bool marked = text->hasSelectedText() && text->selectedText() == text->text();
            field->setValue(static_cast<int>(now));
            if (marked) // what is typed next takes its place
                field->selectAll();
        };
        // The sizes belong together: a window of the user's own context keeps its target.
        if (context_->value() == proposed_->context && target_->value() == proposed_->target) {
            follow(context_, proposed_->context, request.context);
            follow(target_, proposed_->target, request.target);
        }
        follow(windows_, proposed_->windows, request.windows);
    }
    proposed_ = request;
}

void SweepForm::setEstimate(const QString& words, const QStringList& warnings)
{
    estimate_->setWords(words);
    warnings_->setWords(warnings.isEmpty() ? QString() : QStringLiteral("⚠ ") + warnings.join(QLatin1Char(' ')));
    warnings_->setVisible(!warnings.isEmpty());
}

void SweepForm::setGpus(int gpus)
{
    gpus_->setText(tr("Run on %1 GPUs").arg(gpus));
    gpus_->setVisible(gpus > 1);
}

void SweepForm::setObstacle(const QString& sentence)
{
    obstacle_ = sentence;
    check();
}

void SweepForm::setState(bool running, bool partial)
{
    running_ = running;
    partial_ = partial;
    check();
}

QString SweepForm::problem() const
{
    if (const QString wrong = policies_->problem(); !wrong.isEmpty())
        return wrong;
    try {
        (void)parse_sparsities(withoutSpaces(sparsities_->text()));
    } catch (const Error& error) {
        return QString::fromStdString(error.sentence());
    }
    const bool dropped = protocol_->currentData().toInt() == static_cast<int>(Protocol::token_drop);
    if (dropped && granularity_->currentData().toInt() != static_cast<int>(Granularity::model))
        return tr("token-drop feeds the model one shorter text, so there is one keep set: choose model.");
    return obstacle_;
}

void SweepForm::check()
{
    const QString sentence = problem();
    error_->setText(sentence);
    error_->setVisible(!sentence.isEmpty());
    error_->setStyleSheet(QStringLiteral("color: %1").arg(themeOf(this).fail.name()));
    start_->setEnabled(sentence.isEmpty());
    bool lost = false; // the focus, with a button that goes away
    for (const auto& [button, shown] : { std::pair(start_, !running_), std::pair(pause_, running_),
             std::pair(stop_, running_), std::pair(goOn_, !running_ && partial_) }) {
        lost = lost || (button->hasFocus() && !shown);
        button->setVisible(shown);
    }
    if (lost)
        (running_ ? pause_ : start_)->setFocus();
    copy_->setEnabled(sentence.isEmpty());
    gpus_->setEnabled(sentence.isEmpty() && !running_);
    Q_EMIT changed();
}

void SweepForm::start()
{
    if (const auto wanted = request())
        Q_EMIT startRequested(*wanted);
}

} // namespace keepset::ui
