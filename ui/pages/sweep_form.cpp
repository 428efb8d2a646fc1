#include "ui/pages/sweep_form.h"

#include "core/engine.h"
#include "ui/pages/card.h"
#include "ui/theme.h"

#include <QComboBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QSpinBox>
#include <QVBoxLayout>

namespace keepset::ui {

namespace {

    // H2O with CAB's local share is the control: a gain that it has too is not the bridges' (SEMANTICS 4).
    constexpr const char* presetPolicies = "dense, h2o, cab, h2o(local=0.3)";
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
            names << QString::fromStdString(canonical(policy));
        return names.join(QStringLiteral(", "));
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
    , policies_(new QLineEdit(QLatin1String(presetPolicies), this))
    , sparsities_(new QLineEdit(QLatin1String(presetSparsities), this))
    , protocol_(new QComboBox(this))
    , granularity_(new QComboBox(this))
    , context_(makeSpin(1, 10000000, 1024, this))
    , target_(makeSpin(2, 1000000, 256, this))
    , windows_(makeSpin(0, 1000000, 8, this))
    , start_(new QPushButton(tr("Start sweep"), this))
    , stop_(new QPushButton(tr("Stop"), this))
    , goOn_(new QPushButton(tr("Go on"), this))
    , error_(new QLabel(this))
    , rows_ { new QHBoxLayout, new QHBoxLayout }
{
    start_->setProperty("primary", true);
    error_->setTextFormat(Qt::PlainText);
    goOn_->setToolTip(tr("Goes on with the windows that are not done yet"));
    error_->setWordWrap(true);
    addFields();
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(8);
    for (QHBoxLayout* row : rows_)
        layout->addLayout(row);
    layout->addWidget(error_);
    policies_->setObjectName(QStringLiteral("sweepPolicies"));
    sparsities_->setObjectName(QStringLiteral("sweepSparsities"));
    protocol_->setObjectName(QStringLiteral("sweepProtocol"));
    start_->setObjectName(QStringLiteral("sweepStart"));
    stop_->setObjectName(QStringLiteral("sweepStop"));
    goOn_->setObjectName(QStringLiteral("sweepGoOn"));
    error_->setObjectName(QStringLiteral("sweepError"));
    connect(policies_, &QLineEdit::textChanged, this, &SweepForm::check);
    connect(sparsities_, &QLineEdit::textChanged, this, &SweepForm::check);
    connect(protocol_, &QComboBox::currentIndexChanged, this, &SweepForm::check);
    connect(granularity_, &QComboBox::currentIndexChanged, this, &SweepForm::check);
    connect(start_, &QPushButton::clicked, this, [this] { start(false); });
    connect(goOn_, &QPushButton::clicked, this, [this] { start(true); });
    connect(stop_, &QPushButton::clicked, this, &SweepForm::stopRequested);
    check();
}

void SweepForm::addFields()
{
    windows_->setSpecialValueText(tr("all"));
    policies_->setToolTip(
        tr("Policies with parameters in parentheses, split by commas: h2o(local=0.5), cab(bridge_ratio=0.1)"));
    sparsities_->setToolTip(tr("Shares evicted: a list 0, 0.5, 0.9 or first:last:step 0:0.9:0.1"));
    for (const Protocol value : { Protocol::prefill_evict, Protocol::token_drop })
        protocol_->addItem(QString::fromStdString(name_of(value)), static_cast<int>(value));
    for (const Granularity value : { Granularity::head, Granularity::layer, Granularity::model })
        granularity_->addItem(QString::fromStdString(name_of(value)), static_cast<int>(value));
    for (QLineEdit* field : { policies_, sparsities_ })
        field->setCursorPosition(0);
    for (QHBoxLayout* row : rows_)
        row->setSpacing(10);
    addField(0, tr("Policies"), policies_, 5);
    addField(0, tr("Sparsities"), sparsities_, 3);
    addField(1, tr("Protocol"), protocol_, 3);
    addField(1, tr("Keep set per"), granularity_, 2);
    addField(1, tr("Context"), context_, 2);
    addField(1, tr("Target"), target_, 2);
    addField(1, tr("Windows"), windows_, 2);
    for (QPushButton* button : { stop_, goOn_, start_ })
        rows_[0]->addWidget(button, 0, Qt::AlignBottom);
}

void SweepForm::addField(std::size_t row, const QString& caption, QWidget* field, int stretch)
{
    auto* column = new QVBoxLayout;
    column->setSpacing(2);
    auto* label = roleLabel(caption, "caption", this);
    label->setBuddy(field);
    field->setAccessibleName(caption);
    field->setMinimumWidth(90);
    column->addWidget(label);
    column->addWidget(field);
    rows_[row]->addLayout(column, stretch);
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
        request.policies = parse_policies(withoutSpaces(policies_->text()));
        request.sparsities = parse_sparsities(withoutSpaces(sparsities_->text()));
    } catch (const Error&) { // check() shows it beside the fields
        return std::nullopt;
    }
    return request;
}

void SweepForm::setRequest(const SweepRequest& request)
{
    if (!request.policies.empty())
        policies_->setText(policyText(request));
    QStringList shares;
    for (const double sparsity : request.sparsities)
        shares << QString::number(sparsity);
    if (!shares.isEmpty())
        sparsities_->setText(shares.join(QStringLiteral(", ")));
    protocol_->setCurrentIndex(protocol_->findData(static_cast<int>(request.protocol)));
    granularity_->setCurrentIndex(granularity_->findData(static_cast<int>(request.granularity)));
    context_->setValue(static_cast<int>(request.context));
    target_->setValue(static_cast<int>(request.target));
    windows_->setValue(static_cast<int>(request.windows));
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
    try {
        (void)parse_policies(withoutSpaces(policies_->text()));
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
    start_->setVisible(!running_);
    stop_->setVisible(running_);
    goOn_->setVisible(!running_ && partial_);
    goOn_->setEnabled(sentence.isEmpty());
}

void SweepForm::start(bool resume)
{
    auto wanted = request();
    if (!wanted)
        return;
    wanted->resume = resume;
    Q_EMIT startRequested(*wanted);
}

} // namespace keepset::ui
