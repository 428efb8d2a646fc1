#include "ui/panels/setup_panel.h"

#include "core/engine.h"
#include "moc_setup_panel.cpp"
#include "ui/format.h"
#include "ui/panels/audit_line.h"
#include "ui/panels/importance_box.h"
#include "ui/panels/policy_list.h"
#include "ui/selection_state.h"
#include "ui/theme.h"
#include "ui/widgets/elided_label.h"
#include "ui/widgets/labels.h"

#include <QComboBox>
#include <QLabel>
#include <QSignalBlocker>
#include <QSlider>
#include <QSpinBox>
#include <QVBoxLayout>

#include <algorithm>

namespace keepset::ui {

namespace {

    /// A combo box that is as wide as the panel lets it be.
    void narrow(QComboBox* box)
    {
        box->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
        box->setMinimumContentsLength(5);
    }

    /// A combo box whose entries carry the values of an enumeration.
    template <typename Value> QComboBox* makeChoice(std::initializer_list<Value> values, Value chosen, QWidget* parent)
    {
        auto* box = new QComboBox(parent);
        for (const Value value : values)
            box->addItem(QString::fromStdString(name_of(value)), static_cast<int>(value));
        narrow(box);
        box->setCurrentIndex(box->findData(static_cast<int>(chosen)));
        return box;
    }

    void nameIt(QWidget* widget, const char* objectName, const QString& accessibleName, const QString& toolTip)
    {
        widget->setObjectName(QLatin1String(objectName));
        nameFor(widget, accessibleName);
        widget->setToolTip(toolTip);
    }

} // namespace

SetupPanel::SetupPanel(SelectionState* selection, ImportanceChoice* importance, QWidget* parent)
    : QWidget(parent)
    , selection_(selection)
    , importance_(importance)
{
    setObjectName(QStringLiteral("setupPanel"));
    setAttribute(Qt::WA_StyledBackground);
    build();
}

void SetupPanel::build()
{
    layout_ = new QVBoxLayout(this);
    layout_->setContentsMargins(cardPadding, cardPadding, cardPadding, cardPadding);
    layout_->setSpacing(11);
    group(tr("Next analysis"), tr("What Analyse takes. Nothing here changes what is shown."));
    buildModelAndText();
    buildPassage();
    group(tr("Shown"), tr("How the result that is shown is looked at. Acts at once."));
    shownText_ = roleLabel({}, "muted", this);
    shownText_->setObjectName(QStringLiteral("setupShown"));
    shownText_->setWordWrap(true);
    layout_->addWidget(shownText_);
    buildScores();
    buildScope();
    buildSparsity();
    section(tr("Policies"))->addWidget(policies_);
    audit_ = new AuditLine(this);
    connect(audit_, &QLabel::linkActivated, this, &SetupPanel::auditClicked);
    section(tr("Audit"))->addWidget(audit_);
    layout_->addStretch(1);
    connect(selection_, &SelectionState::scopeChanged, this, &SetupPanel::showScope);
    connect(selection_, &SelectionState::sparsityChanged, this, &SetupPanel::showSparsity);
    setModel(std::nullopt);
    setText({}, std::nullopt);
    setShown({});
    showSparsity();
}

void SetupPanel::group(const QString& title, const QString& what)
{
    QLabel* label = roleLabel(title, "group", this);
    label->setToolTip(what);
    if (layout_->count() > 0)
        layout_->addSpacing(6);
    layout_->addWidget(label);
}

QVBoxLayout* SetupPanel::section(const QString& title, QWidget* named)
{
    auto* box = new QVBoxLayout;
    box->setSpacing(4);
    ElidedLabel* caption = line("caption");
    caption->setWords(title);
    caption->setBuddy(named);
    box->addWidget(caption);
    layout_->addLayout(box);
    return box;
}

ElidedLabel* SetupPanel::line(const char* role, const char* name)
{
    auto* label = new ElidedLabel(this);
    label->setProperty("role", QLatin1String(role));
    if (name)
        label->setObjectName(QLatin1String(name));
    return label;
}

QHBoxLayout* SetupPanel::beside(std::initializer_list<QWidget*> widgets)
{
    auto* row = new QHBoxLayout;
    for (QWidget* widget : widgets)
        row->addWidget(widget, row->count() == 0 ? 3 : 2);
    return row;
}

void SetupPanel::buildModelAndText()
{
    auto* model = section(tr("Model"));
    modelName_ = line("plain", "modelName");
    modelShape_ = line("muted");
    modelSize_ = line("muted");
    memory_ = line("muted", "memoryLine");
    for (QLabel* label : std::initializer_list<QLabel*> { modelName_, modelShape_, modelSize_, memory_ })
        model->addWidget(label);
    auto* row = new QHBoxLayout;
    textName_ = line("plain", "textName");
    textTokens_ = roleLabel({}, "plain", this);
    row->addWidget(textName_, 1);
    row->addWidget(textTokens_);
    textNotes_ = roleLabel({}, "muted", this);
    textNotes_->setObjectName(QStringLiteral("textNotes"));
    textNotes_->setWordWrap(true);
    textNotes_->hide();
    QVBoxLayout* const text = section(tr("Text"));
    text->addLayout(row);
    text->addWidget(textNotes_);
}

void SetupPanel::buildPassage()
{
    context_ = new QComboBox(this);
    narrow(context_);
    nameIt(
        context_, "context", tr("Context"), tr("How many tokens of the text are analysed. Takes effect with Analyse."));
    offset_ = new QSpinBox(this);
    offset_->setRange(0, 999'999'999);
    offset_->setPrefix(tr("from "));
    offset_->setGroupSeparatorShown(true);
    offset_->setMinimumWidth(64);
    nameIt(offset_, "offset", tr("Tokens skipped"), tr("Tokens of the text skipped. Takes effect with Analyse."));
    section(tr("Context and passage"), context_)->addLayout(beside({ context_, offset_ }));
    connect(context_, &QComboBox::currentIndexChanged, this, [this] { Q_EMIT contextChanged(context()); });
    fillContexts(0);
}

void SetupPanel::buildScores()
{
    gqa_ = makeChoice({ GqaReduction::mean, GqaReduction::max, GqaReduction::sum }, selection_->gqa(), this);
    nameIt(gqa_, "gqa", tr("Query heads of a kv head"), tr("How the query heads that share a kv head are joined"));
    auto* importance = new ImportanceBox(importance_, this);
    QHBoxLayout* const row = beside({ importance, gqa_ });
    row->setAlignment(gqa_, Qt::AlignTop); // whatever stands below the mode
    section(tr("Importance, joined over query heads"), importance->mode())->addLayout(row);
    setTabOrder(importance->mode(), importance->queries());
    setTabOrder(importance->queries(), gqa_);
    granularity_
        = makeChoice({ Granularity::head, Granularity::layer, Granularity::model }, selection_->granularity(), this);
    nameIt(granularity_, "granularity", tr("Keep set shared by"),
        tr("Who shares one keep set in the map of the chosen token; a sweep has its own choice on the Sweep page"));
    sliding_ = makeChoice({ Sliding::keep, Sliding::evict }, selection_->sliding(), this);
    sliding_->setItemText(0, tr("sliding layers keep all"));
    sliding_->setItemText(1, tr("sliding layers evict too"));
    nameIt(sliding_, "sliding", tr("Layers with a sliding window"),
        tr("Layers whose own window is shorter than the context: they keep what they have, or are treated like the "
           "others"));
    auto* shared = section(tr("Keep set shared by"), granularity_);
    shared->addWidget(granularity_);
    shared->addWidget(sliding_);
    sliding_->hide();
    policies_ = new PolicyList(selection_, this);
    connect(gqa_, &QComboBox::currentIndexChanged, this,
        [this] { selection_->setGqa(static_cast<GqaReduction>(gqa_->currentData().toInt())); });
    connect(granularity_, &QComboBox::currentIndexChanged, this,
        [this] { selection_->setGranularity(static_cast<Granularity>(granularity_->currentData().toInt())); });
    connect(sliding_, &QComboBox::currentIndexChanged, this,
        [this] { selection_->setSliding(static_cast<Sliding>(sliding_->currentData().toInt())); });
    const auto follow
        = [this](QComboBox* box, auto value) { box->setCurrentIndex(box->findData(static_cast<int>(value()))); };
    connect(selection_, &SelectionState::gqaChanged, this,
        [=, this] { follow(gqa_, [this] { return selection_->gqa(); }); });
    connect(selection_, &SelectionState::slidingChanged, this,
        [=, this] { follow(sliding_, [this] { return selection_->sliding(); }); });
    connect(selection_, &SelectionState::granularityChanged, this,
        [=, this] { follow(granularity_, [this] { return selection_->granularity(); }); });
}

void SetupPanel::buildScope()
{
    layer_ = new QComboBox(this);
    head_ = new QComboBox(this);
    nameIt(layer_, "layer", tr("Layer"), tr("What Tokens looks at: one layer, or the mean of all"));
    nameIt(head_, "head", tr("Key/value head"), tr("One key/value head of the layer, or the mean of all"));
    layer_->addItem(tr("all layers"), -1);
    head_->addItem(tr("all heads"), -1);
    head_->setEnabled(false);
    auto* row = beside({ layer_, head_ });
    row->setStretch(0, 6); // "alle Schichten" is longer than "alle Köpfe"
    row->setStretch(1, 5);
    section(tr("Layer and head"), layer_)->addLayout(row);
    for (QComboBox* box : { layer_, head_ }) {
        narrow(box);
        connect(box, &QComboBox::currentIndexChanged, this, [this] {
            selection_->setScope({ layer_->currentData().toInt(), head_->currentData().toInt() });
        });
    }
}

void SetupPanel::buildSparsity()
{
    auto* row = new QHBoxLayout;
    sparsityText_ = roleLabel({}, "big", this);
    keptText_ = roleLabel({}, "plain", this);
    row->addWidget(sparsityText_);
    row->addStretch(1);
    row->addWidget(keptText_);
    sparsity_ = new QSlider(Qt::Horizontal, this);
    sparsity_->setRange(0, 990); // tenths of a percent
    sparsity_->setSingleStep(5);
    sparsity_->setPageStep(50);
    nameIt(sparsity_, "sparsity", tr("Sparsity"), tr("Share of the context that is evicted"));
    connect(sparsity_, &QSlider::valueChanged, this, [this](int value) { selection_->setSparsity(value / 1000.0); });
    auto* box = section(tr("Sparsity"), sparsity_);
    box->addLayout(row);
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
    modelShape_->setVisible(model.has_value());
    modelSize_->setVisible(model.has_value());
    memory_->setVisible(!memory_->text().isEmpty());
    sliding_->setVisible(model && model->sliding_layers > 0);
    if (!model) {
        modelName_->setWords(tr("no model open"));
        return;
    }
    QStringList about { QString::fromStdString(model->path) };
    for (const std::string& note : model->notes)
        about << QString::fromStdString(note);
    modelName_->setWords(QString::fromStdString(model->name), about.join(QLatin1Char('\n')));
    modelShape_->setWords(tr("%1 layers · %2 heads · %3 kv").arg(model->layers).arg(model->heads).arg(model->kv_heads));
    modelSize_->setWords(tr("%1 · %2 · %3 parameters")
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
    memory_->setWords(need.fits() ? tr("%1 · %2").arg(what, free) : tr("✗ %1 · only %2").arg(what, free),
        QString::fromStdString(sentence(need)));
    memory_->setAccessibleName(memory_->toolTip());
    memory_->setVisible(true);
}

void SetupPanel::setText(const QString& name, std::optional<qint64> tokens)
{
    textName_->setWords(name.isEmpty() ? tr("no text open") : name);
    textTokens_->setText(tokens ? tr("%1 tokens").arg(formatCount(*tokens)) : QString());
    if (!tokens)
        setTextNotes({});
}

void SetupPanel::setTextNotes(const QStringList& notes)
{
    textNotes_->setText(notes.isEmpty() ? QString() : QStringLiteral("⚠ ") + notes.join(QStringLiteral("\n⚠ ")));
    textNotes_->setVisible(!notes.isEmpty());
}

void SetupPanel::setShown(const Shown& shown)
{
    QStringList parts;
    for (const QString& part : { shown.file, modelOf(shown), shown.text, shown.passage, shown.context }) {
        if (!part.isEmpty())
            parts << part;
    }
    const QString stale = staleWords(shown);
    shownText_->setText(parts.isEmpty()
            ? tr("no result yet")
            : parts.join(QStringLiteral(" · ")) + (stale.isEmpty() ? QString() : QStringLiteral("\n⚠ ") + stale));
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

void SetupPanel::setAudit(const AuditReport& report) { audit_->setReport(report); }

std::int64_t SetupPanel::context() const { return context_->currentData().toLongLong(); }

void SetupPanel::setContext(std::int64_t context)
{
    const int index = context_->findData(static_cast<qlonglong>(context));
    context_->setCurrentIndex(std::max(0, index));
}

std::int64_t SetupPanel::offset() const { return offset_->value(); }

void SetupPanel::setOffset(std::int64_t offset) { offset_->setValue(static_cast<int>(offset)); }

} // namespace keepset::ui
