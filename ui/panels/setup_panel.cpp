#include "ui/panels/setup_panel.h"

#include "core/engine.h"
#include "moc_setup_panel.cpp"
#include "ui/format.h"
#include "ui/panels/policy_list.h"
#include "ui/plain_text.h"
#include "ui/selection_state.h"
#include "ui/theme.h"

#include <QComboBox>
#include <QEvent>
#include <QLabel>
#include <QSignalBlocker>
#include <QSlider>
#include <QSpinBox>
#include <QVBoxLayout>

#include <algorithm>

namespace keepset::ui {

namespace {

    QLabel* makeLabel(const char* role, QWidget* parent)
    {
        auto* label = new QLabel(parent);
        label->setProperty("role", QLatin1String(role));
        label->setTextFormat(Qt::PlainText); // names may look like tags
        return label;
    }

    /// A combo box whose entries carry the values of an enumeration.
    template <typename Value> QComboBox* makeChoice(std::initializer_list<Value> values, Value chosen, QWidget* parent)
    {
        auto* box = new QComboBox(parent);
        for (const Value value : values)
            box->addItem(QString::fromStdString(name_of(value)), static_cast<int>(value));
        box->setCurrentIndex(box->findData(static_cast<int>(chosen)));
        return box;
    }

    void nameIt(QWidget* widget, const char* objectName, const QString& accessibleName, const QString& toolTip)
    {
        widget->setObjectName(QLatin1String(objectName));
        widget->setAccessibleName(accessibleName);
        widget->setToolTip(toolTip);
    }

} // namespace

SetupPanel::SetupPanel(SelectionState* selection, QWidget* parent)
    : QWidget(parent)
    , selection_(selection)
{
    setObjectName(QStringLiteral("setupPanel"));
    setAttribute(Qt::WA_StyledBackground);
    build();
}

void SetupPanel::build()
{
    layout_ = new QVBoxLayout(this);
    layout_->setContentsMargins(cardPadding, cardPadding, cardPadding, cardPadding);
    layout_->setSpacing(13);
    buildModelAndText();
    buildChoices();
    buildScope();
    buildSparsity();
    policies_ = new PolicyList(selection_, this);
    section(tr("Policies"))->addWidget(policies_);
    auditText_ = makeLabel("muted", this);
    auditText_->setTextFormat(Qt::RichText);
    auditText_->setObjectName(QStringLiteral("auditLine"));
    auditText_->setWordWrap(true);
    connect(auditText_, &QLabel::linkActivated, this, &SetupPanel::auditClicked);
    auditText_->setText(tr("nothing checked yet"));
    section(tr("Audit"))->addWidget(auditText_);
    layout_->addStretch(1);
    connect(selection_, &SelectionState::scopeChanged, this, &SetupPanel::showScope);
    connect(selection_, &SelectionState::sparsityChanged, this, &SetupPanel::showSparsity);
    setModel(std::nullopt);
    setText({}, std::nullopt);
    showSparsity();
}

QVBoxLayout* SetupPanel::section(const QString& title)
{
    auto* box = new QVBoxLayout;
    box->setSpacing(5);
    auto* caption = makeLabel("caption", this);
    caption->setText(title);
    box->addWidget(caption);
    layout_->addLayout(box);
    return box;
}

void SetupPanel::buildModelAndText()
{
    auto* model = section(tr("Model"));
    modelName_ = makeLabel("plain", this);
    modelName_->setObjectName(QStringLiteral("modelName"));
    modelShape_ = makeLabel("muted", this);
    modelSize_ = makeLabel("muted", this);
    memory_ = makeLabel("muted", this);
    memory_->setObjectName(QStringLiteral("memoryLine"));
    for (QLabel* label : { modelName_, modelShape_, modelSize_, memory_ })
        model->addWidget(label);
    auto* line = new QHBoxLayout;
    textName_ = makeLabel("plain", this);
    textName_->setObjectName(QStringLiteral("textName"));
    textTokens_ = makeLabel("plain", this);
    line->addWidget(textName_);
    line->addStretch(1);
    line->addWidget(textTokens_);
    textNotes_ = makeLabel("muted", this);
    textNotes_->setObjectName(QStringLiteral("textNotes"));
    textNotes_->setTextFormat(Qt::PlainText); // "<s>" is no markup
    textNotes_->setWordWrap(true);
    textNotes_->hide();
    QVBoxLayout* const text = section(tr("Text"));
    text->addLayout(line);
    text->addWidget(textNotes_);
}

void SetupPanel::buildChoices()
{
    auto* line = new QHBoxLayout;
    context_ = new QComboBox(this);
    nameIt(
        context_, "context", tr("Context"), tr("How many tokens of the text are analysed. Takes effect with Analyse."));
    offset_ = new QSpinBox(this);
    offset_->setRange(0, 999'999'999);
    offset_->setPrefix(tr("from "));
    offset_->setGroupSeparatorShown(true);
    nameIt(offset_, "offset", tr("Tokens skipped"), tr("Tokens of the text skipped. Takes effect with Analyse."));
    line->addWidget(context_, 3);
    line->addWidget(offset_, 2);
    connect(context_, &QComboBox::currentIndexChanged, this, [this] { Q_EMIT contextChanged(context()); });
    section(tr("Context and passage"))->addLayout(line);
    fillContexts(0);

    auto* scores = new QHBoxLayout;
    importance_ = makeChoice({ Importance::cumulative, Importance::mean_received }, selection_->importance(), this);
    nameIt(importance_, "importance", tr("Importance"),
        tr("cumulative: all attention a token received; mean-received: per token that could see it"));
    gqa_ = makeChoice({ GqaReduction::mean, GqaReduction::max, GqaReduction::sum }, selection_->gqa(), this);
    nameIt(gqa_, "gqa", tr("Query heads of a kv head"), tr("How the query heads that share a kv head are joined"));
    scores->addWidget(importance_, 3);
    scores->addWidget(gqa_, 2);
    section(tr("Importance, joined over query heads"))->addLayout(scores);

    granularity_
        = makeChoice({ Granularity::head, Granularity::layer, Granularity::model }, selection_->granularity(), this);
    nameIt(granularity_, "granularity", tr("Keep set shared by"),
        tr("Who shares one keep set in sweeps and in the map of the chosen token"));
    section(tr("Keep set shared by"))->addWidget(granularity_);
    connect(importance_, &QComboBox::currentIndexChanged, this,
        [this] { selection_->setImportance(static_cast<Importance>(importance_->currentData().toInt())); });
    connect(gqa_, &QComboBox::currentIndexChanged, this,
        [this] { selection_->setGqa(static_cast<GqaReduction>(gqa_->currentData().toInt())); });
    connect(granularity_, &QComboBox::currentIndexChanged, this,
        [this] { selection_->setGranularity(static_cast<Granularity>(granularity_->currentData().toInt())); });
}

void SetupPanel::buildScope()
{
    auto* line = new QHBoxLayout;
    layer_ = new QComboBox(this);
    head_ = new QComboBox(this);
    nameIt(layer_, "layer", tr("Layer"), tr("What Tokens looks at: one layer, or the mean of all"));
    nameIt(head_, "head", tr("Key/value head"), tr("One key/value head of the layer, or the mean of all"));
    layer_->addItem(tr("all layers"), -1);
    head_->addItem(tr("all heads"), -1);
    head_->setEnabled(false);
    line->addWidget(layer_, 1);
    line->addWidget(head_, 1);
    section(tr("Layer and head"))->addLayout(line);
    connect(layer_, &QComboBox::currentIndexChanged, this, [this] {
        selection_->setScope({ layer_->currentData().toInt(), head_->currentData().toInt() });
    });
    connect(head_, &QComboBox::currentIndexChanged, this, [this] {
        selection_->setScope({ layer_->currentData().toInt(), head_->currentData().toInt() });
    });
}

void SetupPanel::buildSparsity()
{
    auto* box = section(tr("Sparsity"));
    auto* line = new QHBoxLayout;
    sparsityText_ = makeLabel("big", this);
    keptText_ = makeLabel("plain", this);
    line->addWidget(sparsityText_);
    line->addStretch(1);
    line->addWidget(keptText_);
    sparsity_ = new QSlider(Qt::Horizontal, this);
    sparsity_->setRange(0, 990); // tenths of a percent
    sparsity_->setSingleStep(5);
    sparsity_->setPageStep(50);
    nameIt(sparsity_, "sparsity", tr("Sparsity"), tr("Share of the context that is evicted"));
    connect(sparsity_, &QSlider::valueChanged, this, [this](int value) { selection_->setSparsity(value / 1000.0); });
    box->addLayout(line);
    box->addWidget(sparsity_);
}

void SetupPanel::fillContexts(std::int64_t most)
{
    const auto chosen = context_->count() > 0 ? context_->currentData().toLongLong() : 0;
    const QSignalBlocker quiet(context_);
    context_->clear();
    context_->addItem(tr("whole text"), 0);
    for (qlonglong size = 128; size <= (most > 0 ? most : 4096) && size <= (1 << 20); size *= 2)
        context_->addItem(tr("%1 tokens").arg(formatCount(size)), size);
    context_->setCurrentIndex(std::max(0, context_->findData(chosen)));
}

void SetupPanel::setModel(const std::optional<ModelInfo>& model)
{
    modelName_->setText(model ? QString::fromStdString(model->name) : tr("no model open"));
    modelShape_->setVisible(model.has_value());
    modelSize_->setVisible(model.has_value());
    memory_->setVisible(!memory_->text().isEmpty());
    if (!model)
        return;
    QStringList about { QString::fromStdString(model->path) };
    for (const std::string& note : model->notes)
        about << QString::fromStdString(note);
    modelName_->setToolTip(literalToolTip(about.join(QLatin1Char('\n'))));
    modelShape_->setText(tr("%1 layers · %2 heads · %3 kv").arg(model->layers).arg(model->heads).arg(model->kv_heads));
    modelSize_->setText(tr("%1 · %2 · %3 parameters")
                            .arg(QString::fromStdString(model->checkpoint_dtype), formatBytes(model->bytes),
                                formatParameters(model->parameters)));
    fillContexts(model->max_context);
}

void SetupPanel::setMemory(const MemoryNeed& need)
{
    const QString needed = formatBytes(need.needed());
    const QString what = need.loaded ? tr("%1 tokens: %2 more").arg(formatCount(need.context), needed)
                                     : tr("%1 tokens: %2").arg(formatCount(need.context), needed);
    const QString free = need.free < 0 ? tr("free memory unknown") : tr("%1 free").arg(formatBytes(need.free));
    memory_->setText(need.fits() ? tr("%1 · %2").arg(what, free) : tr("✗ %1 · only %2").arg(what, free));
    memory_->setToolTip(QString::fromStdString(sentence(need)));
    memory_->setAccessibleName(memory_->toolTip());
    memory_->setVisible(true);
}

void SetupPanel::setText(const QString& name, std::optional<qint64> tokens)
{
    textName_->setText(name.isEmpty() ? tr("no text open") : fontMetrics().elidedText(name, Qt::ElideMiddle, 130));
    textName_->setToolTip(literalToolTip(name));
    textTokens_->setText(tokens ? tr("%1 tokens").arg(formatCount(*tokens)) : QString());
    if (!tokens)
        setTextNotes({});
}

void SetupPanel::setTextNotes(const QStringList& notes)
{
    textNotes_->setText(notes.isEmpty() ? QString() : QStringLiteral("⚠ ") + notes.join(QStringLiteral("\n⚠ ")));
    textNotes_->setVisible(!notes.isEmpty());
}

void SetupPanel::setAnalysis(const Analysis& analysis)
{
    analysed_ = analysis.context;
    const Scope scope = selection_->scope();
    {
        const QSignalBlocker quietLayer(layer_);
        const QSignalBlocker quietHead(head_);
        layer_->clear();
        head_->clear();
        layer_->addItem(tr("all layers"), -1);
        head_->addItem(tr("all heads"), -1);
        for (int layer = 0; layer < analysis.layers; ++layer)
            layer_->addItem(tr("layer %1").arg(layer), layer);
        for (int head = 0; head < analysis.kv_heads; ++head)
            head_->addItem(tr("kv head %1").arg(head), head);
    }
    if (scope.layer >= analysis.layers || scope.kv_head >= analysis.kv_heads)
        selection_->setScope({});
    showScope();
    showSparsity();
}

void SetupPanel::showScope()
{
    const QSignalBlocker quietLayer(layer_);
    const QSignalBlocker quietHead(head_);
    const Scope scope = selection_->scope();
    layer_->setCurrentIndex(std::max(0, layer_->findData(static_cast<int>(scope.layer))));
    head_->setCurrentIndex(std::max(0, head_->findData(static_cast<int>(scope.kv_head))));
    head_->setEnabled(scope.layer >= 0);
}

void SetupPanel::showSparsity()
{
    const QSignalBlocker quiet(sparsity_);
    sparsity_->setValue(qRound(selection_->sparsity() * 1000));
    const bool whole = sparsity_->value() % 10 == 0;
    sparsityText_->setText(formatPercent(selection_->sparsity(), whole ? 0 : 1));
    keptText_->setText(analysed_ > 0
            ? tr("%1 of %2 kept").arg(formatCount(budget_of(selection_->sparsity(), analysed_)), formatCount(analysed_))
            : QString());
}

void SetupPanel::changeEvent(QEvent* event)
{
    if (event->type() == QEvent::PaletteChange && auditText_)
        setAudit(AuditReport(audit_)); // its rich text has colours in it
    QWidget::changeEvent(event);
}

void SetupPanel::setAudit(const AuditReport& report)
{
    audit_ = report;
    QStringList failed;
    QStringList undecided;
    QStringList warned;
    QStringList passed;
    for (const Check& check : report.checks) {
        const QString name = QString::fromStdString(check.name);
        if (check.status == CheckStatus::fail)
            failed << name;
        else if (check.status == CheckStatus::undecided)
            undecided << name;
        else if (check.status == CheckStatus::warning)
            warned << name;
        else if (check.status == CheckStatus::pass)
            passed << name;
    }
    const Theme& t = themeOf(this);
    const auto line = [](const QStringList& names, const QColor& color, const QString& word) {
        return QStringLiteral("<a href='audit' style='color:%2; text-decoration:none'>%3</a> %1")
            .arg(names.join(QStringLiteral(", ")).toHtmlEscaped(), color.name(), word);
    };
    QStringList lines;
    if (!failed.isEmpty())
        lines << line(failed, t.fail, tr("✗ fail"));
    if (!undecided.isEmpty())
        lines << line(undecided, t.warning, tr("? undecided"));
    if (!warned.isEmpty())
        lines << line(warned, t.warning, tr("! warning"));
    if (!passed.isEmpty())
        lines << line(passed, t.pass, tr("✓ pass"));
    auditText_->setText(lines.isEmpty() ? tr("nothing checked yet") : lines.join(QStringLiteral("<br>")));
}

std::int64_t SetupPanel::context() const { return context_->currentData().toLongLong(); }

void SetupPanel::setContext(std::int64_t context)
{
    const int index = context_->findData(static_cast<qlonglong>(context));
    context_->setCurrentIndex(std::max(0, index));
}

std::int64_t SetupPanel::offset() const { return offset_->value(); }

} // namespace keepset::ui
