#include "ui/pages/heatmap_page.h"

#include "core/engine.h"
#include "ui/format.h"
#include "ui/importance_choice.h"
#include "ui/pages/card.h"
#include "ui/plot/heatmap_widget.h"
#include "ui/range_state.h"
#include "ui/row_state.h"
#include "ui/selection_state.h"
#include "ui/settings.h"
#include "ui/theme.h"
#include "ui/when_seen.h"
#include "ui/widgets/range_control.h"

#include <QCheckBox>
#include <QComboBox>
#include <QLabel>
#include <QPromise>
#include <QSplitter>
#include <QThreadPool>
#include <QToolButton>
#include <QVBoxLayout>

#include <algorithm>

namespace keepset::ui {

namespace {

    /// (layers, context): mean over query heads, from core.
    std::shared_ptr<const plot::MapValues> layerValues(const Analysis& analysis, const Importance& importance)
    {
        std::vector<float> values;
        values.reserve(static_cast<std::size_t>(analysis.layers * analysis.context));
        for (std::int64_t layer = 0; layer < analysis.layers; ++layer) {
            const RowScores row = row_scores(analysis, { layer, -1 }, importance, GqaReduction::mean);
            values.insert(values.end(), row.scores.begin(), row.scores.end());
        }
        return plot::ownedValues(std::move(values), { analysis.layers, analysis.context });
    }

    /// (heads, context) of a layer; what the analysis holds as it is is borrowed.
    std::shared_ptr<const plot::MapValues> headValues(
        const std::shared_ptr<const Analysis>& analysis, std::int64_t layer, const Importance& importance)
    {
        if (importance != Importance::cumulative)
            return plot::ownedValues(
                head_importance(*analysis, layer, importance), { analysis->heads, analysis->context });
        const auto size = static_cast<std::size_t>(analysis->heads * analysis->context);
        const std::span<const float> all(analysis->importance);
        return plot::borrowedValues(analysis, all.subspan(static_cast<std::size_t>(layer) * size, size),
            { analysis->heads, analysis->context });
    }

} // namespace

HeatmapPage::HeatmapPage(SelectionState* selection, QWidget* parent)
    : QWidget(parent)
    , selection_(selection)
{
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(cardPadding, cardPadding, cardPadding, cardPadding);
    layout->setSpacing(gap);
    makeCards();
    makeControls();
    auto* split = new QSplitter(Qt::Vertical, this);
    split->setObjectName(QStringLiteral("heatmapSplit"));
    split->setHandleWidth(gap);
    split->addWidget(layerCard_);
    split->addWidget(headCard_);
    split->setStretchFactor(0, 8);
    split->setStretchFactor(1, 5);
    remember(split);
    layout->addWidget(split, 1);
    connect(&watcher_, &QFutureWatcher<Values>::finished, this, &HeatmapPage::take);
    auto* scope = new WhenSeen(this, [this] { follow(); });
    connect(selection_, &SelectionState::scopeChanged, scope, &WhenSeen::call);
    connect(selection_, &SelectionState::tokenChanged, this, &HeatmapPage::refresh);
    connect(selection_, &SelectionState::importanceChanged, this, &HeatmapPage::load);
    refresh();
}

void HeatmapPage::makeControls()
{
    scale_ = new QComboBox(this);
    scale_->addItems({ tr("log"), tr("linear"), tr("percentile") });
    scale_->setAccessibleName(tr("Colour scale"));
    scale_->setObjectName(QStringLiteral("heatmapScale"));
    reduction_ = new QComboBox(this);
    reduction_->addItems({ tr("largest"), tr("mean") });
    reduction_->setAccessibleName(tr("What a pixel shows when several cells share it"));
    reduction_->setToolTip(reduction_->accessibleName());
    reduction_->setObjectName(QStringLiteral("heatmapReduction"));
    lock_ = new QCheckBox(tr("same colours in both"), this);
    lock_->setChecked(true);
    lock_->setObjectName(QStringLiteral("heatmapLock"));
    range_ = new RangeControl(selection_->range(), this);
    range_->setObjectName(QStringLiteral("importanceRange"));
    for (QWidget* control : std::initializer_list<QWidget*> { scale_, reduction_, lock_, range_ })
        remember(control);
    for (QWidget* control : std::initializer_list<QWidget*> { range_, lock_, reduction_, scale_ })
        layerCard_->addControl(control);
    const auto offer = [this](Card* card, plot::HeatmapWidget* map, const QString& what) {
        const auto [save, copy] = card->addExport(what);
        connect(save, &QToolButton::clicked, this, [this, map] { Q_EMIT exportRequested(map); });
        connect(copy, &QToolButton::clicked, this, [this, map] { Q_EMIT copyRequested(map); });
    };
    offer(layerCard_, layerMap_, tr("Exports the layer map as PNG, SVG, PDF or CSV"));
    offer(headCard_, headMap_, tr("Exports the head map as PNG, SVG, PDF or CSV"));
    connect(scale_, &QComboBox::currentIndexChanged, this, &HeatmapPage::refresh);
    connect(reduction_, &QComboBox::currentIndexChanged, this, &HeatmapPage::refresh);
    connect(lock_, &QCheckBox::toggled, this, &HeatmapPage::refresh);
    connect(selection_->range(), &RangeState::changed, this, &HeatmapPage::refresh);
}

void HeatmapPage::makeCards()
{
    layerCard_ = new Card(tr("Importance, layer × token"), this, Card::Words::below);
    headCard_ = new Card(tr("Head × token"), this);
    layerMap_ = new plot::HeatmapWidget(this);
    headMap_ = new plot::HeatmapWidget(this);
    layerMap_->setObjectName(QStringLiteral("layerMap"));
    headMap_->setObjectName(QStringLiteral("headMap"));
    layerMap_->setExportName(QStringLiteral("heatmap-layers"));
    headMap_->setExportName(QStringLiteral("heatmap-heads"));
    layerCard_->content()->addWidget(layerMap_, 1);
    headCard_->content()->addWidget(headMap_, 1);
    connect(layerMap_, &plot::HeatmapWidget::viewChanged, headMap_, &plot::HeatmapWidget::followColumns);
    connect(headMap_, &plot::HeatmapWidget::viewChanged, layerMap_, &plot::HeatmapWidget::followColumns);
    for (const bool heads : { false, true }) {
        const plot::HeatmapWidget* map = heads ? headMap_ : layerMap_;
        connect(map, &plot::HeatmapWidget::cellHovered, this,
            [this, heads](qint64 row, qint64 column) { showReadout(heads, row, column); });
        connect(map, &plot::HeatmapWidget::cellClicked, this,
            [this, heads](qint64 row, qint64 column) { choose(heads, row, column); });
        connect(map, &plot::HeatmapWidget::clickTakenBack, selection_, &SelectionState::takeBack);
    }
}

void HeatmapPage::setAnalysis(std::shared_ptr<const Analysis> analysis)
{
    analysis_ = std::move(analysis);
    values_ = {};
    fitted_ = {};
    marks_.clear();
    loading_ = false;
    if (analysis_) {
        const std::int64_t chosen = selection_->scope().layer;
        layer_ = std::clamp<std::int64_t>(
            chosen >= 0 ? chosen : analysis_->layers / 2, 0, std::max<std::int64_t>(0, analysis_->layers - 1));
        load();
    }
    refresh();
}

std::vector<const Exportable*> HeatmapPage::exportables() const { return { layerMap_, headMap_ }; }

void HeatmapPage::setWaiting(const QString& what)
{
    waiting_ = what;
    if (!analysis_)
        refresh();
}

void HeatmapPage::setShown(const Shown& shown)
{
    for (plot::HeatmapWidget* map : { layerMap_, headMap_ })
        map->setShown(shown);
}

void HeatmapPage::setSelections(
    const std::optional<RowSelection>& a, const std::optional<RowSelection>& b, const QString& scope)
{
    marksScope_ = scope;
    marks_ = plot::marksOf(a, b, selection_->pins());
    refresh();
}

/// Takes the layer that is looked at.
void HeatmapPage::follow()
{
    const Scope scope = selection_->scope();
    if (scope.layer >= 0 && scope.layer != layer_) {
        layer_ = scope.layer;
        load();
    }
    refresh();
}

void HeatmapPage::load()
{
    if (!analysis_ || analysis_->context == 0 || layer_ >= analysis_->layers)
        return;
    loading_ = true;
    auto promise = std::make_shared<QPromise<Values>>();
    watcher_.setFuture(promise->future());
    promise->start();
    const Importance importance = selection_->importance();
    const auto known = values_.importance == importance ? values_.layers : nullptr;
    const auto held = find_importance(*analysis_, importance); // as long as it is read
    QThreadPool::globalInstance()->start([promise, analysis = analysis_, known, layer = layer_, importance, held] {
        static_cast<void>(held);
        try {
            Values values;
            values.layers = known ? known : layerValues(*analysis, importance);
            values.heads = headValues(analysis, layer, importance);
            values.layer = layer;
            values.importance = importance;
            promise->addResult(std::move(values));
        } catch (...) {
            promise->setException(std::current_exception()); // take() says it
        }
        promise->finish();
    });
}

void HeatmapPage::take()
{
    Values values;
    try {
        watcher_.future().waitForFinished(); // it has; throws what went wrong
        if (watcher_.future().resultCount() == 0)
            return;
        values = watcher_.future().result();
    } catch (const std::exception& error) {
        loading_ = false;
        Q_EMIT failed(tr("The maps cannot be shown: %1").arg(QString::fromUtf8(error.what())));
        return;
    }
    if (!analysis_ || values.layer != layer_ || values.importance != selection_->importance()
        || values.layers->pyramid.size() != MapSize { analysis_->layers, analysis_->context })
        return;
    values_ = values;
    loading_ = false;
    refresh();
    Q_EMIT mapsReady();
}

ValueScaleKind HeatmapPage::scaleKind() const
{
    constexpr std::array kinds { ValueScaleKind::log, ValueScaleKind::linear, ValueScaleKind::percentile };
    return kinds[static_cast<std::size_t>(std::max(0, scale_->currentIndex()))];
}

const HeatmapPage::Fitted& HeatmapPage::fittedTo(const std::shared_ptr<const plot::MapValues>& values)
{
    Fitted& fitted = fitted_[values == values_.layers ? 0 : 1];
    const auto locked = selection_->range()->lockedFor(scaleKind());
    if (fitted.values == values && fitted.kind == scaleKind() && fitted.locked == locked)
        return fitted;
    if (locked)
        fitted = { values, scaleKind(), locked, ValueScale::held(scaleKind(), *locked),
            beyondOf(values->values, *locked) };
    else
        fitted = { values, scaleKind(), locked, ValueScale::fitted(scaleKind(), values->values), {} };
    return fitted;
}

plot::Heatmap HeatmapPage::mapOf(const std::shared_ptr<const plot::MapValues>& values)
{
    plot::Heatmap map;
    map.columnTitle = tr("token position");
    map.valueTitle = titleOf(values_.importance);
    map.values = values;
    map.reduction = reduction_->currentIndex() == 0 ? Reduction::max : Reduction::mean;
    map.marks = marks_;
    if (analysis_)
        map.name = plot::tokenNames(analysis_);
    const std::int64_t token = selection_->token();
    if (analysis_ && token >= 0 && token < analysis_->context)
        map.chosenColumn = token;
    if (analysis_ || !waiting_.isEmpty())
        map.emptyText = tr("One moment …");
    else
        map.emptyText = tr("Open a model and a text, then press Analyse.");
    const auto locked = selection_->range()->lockedFor(scaleKind());
    map.valueTitle = titleOfScale(map.valueTitle, locked);
    if (values) {
        const Fitted& fitted = fittedTo(lock_->isChecked() && !locked ? values_.layers : values);
        map.scale = fitted.scale;
        map.beyond = fitted.beyond;
    }
    return map;
}

void HeatmapPage::refresh()
{
    const auto locked = selection_->range()->lockedFor(scaleKind());
    lock_->setEnabled(!locked); // a locked range is the same in both
    range_->setEnabled(scaleKind() != ValueScaleKind::percentile);
    const QString reduction = reduction_->currentIndex() == 0 ? tr("a pixel shows the largest of its cells")
                                                              : tr("a pixel shows the mean of its cells");
    plot::Heatmap layers = mapOf(values_.layers);
    if (values_.layers && !locked)
        range_->setFitted({ layers.scale.low(), layers.scale.high() });
    layers.title = tr("Importance, layer × token");
    layers.rowTitle = tr("layer");
    plot::Heatmap heads = mapOf(values_.heads);
    heads.title = values_.heads ? tr("Importance, layer %1, head × token").arg(values_.layer) : tr("Head × token");
    heads.rowTitle = tr("head");
    if (values_.layers) {
        layers.subtitle
            = tr("mean of %1 heads · %2 · %3 tokens, %4")
                  .arg(formatCount(analysis_->heads), scaleWords(scale_->currentText(), locked, layers.beyond),
                      formatCount(analysis_->context), reduction);
        heads.subtitle = tr("%1 query heads").arg(formatCount(analysis_->heads));
        if (marks_.empty() || locked)
            heads.subtitle += QStringLiteral(" · ") + scaleWords(scale_->currentText(), locked, heads.beyond);
        if (!marks_.empty())
            heads.subtitle += tr(" · share kept: %1").arg(marksScope_);
        layers.chosenRows = CellRange { values_.layer, values_.layer + 1 };
        const std::int64_t group = groupOf(*analysis_);
        if (selection_->scope().kv_head >= 0)
            heads.chosenRows
                = CellRange { selection_->scope().kv_head * group, (selection_->scope().kv_head + 1) * group };
    }
    layerCard_->setSubtitle(layers.subtitle);
    headCard_->setTitle(heads.title);
    headCard_->setSubtitle(heads.subtitle);
    layerMap_->setHeatmap(std::move(layers));
    headMap_->setHeatmap(std::move(heads));
}

void HeatmapPage::showReadout(bool heads, qint64 row, qint64 column)
{
    plot::HeatmapWidget* map = heads ? headMap_ : layerMap_;
    const auto& values = heads ? values_.heads : values_.layers;
    if (!values || row < 0 || column < 0) {
        map->setReadout(std::nullopt);
        Q_EMIT hovered({});
        return;
    }
    const QString text = formatToken(QString::fromStdString(analysis_->tokens[static_cast<std::size_t>(column)].text));
    const QString token = QStringLiteral("%1 %2").arg(formatCount(column), text);
    const QString layer = tr("layer %1").arg(heads ? values_.layer : row);
    const QString head = heads ? tr("head %1").arg(row) : tr("mean of %1 heads").arg(analysis_->heads);
    const QString value = formatSignificant(static_cast<double>(values->pyramid.at({ row, column })), 4);
    map->setReadout(
        plot::HeatmapReadout { { value + QLatin1Char('\t') + tr("importance"), tr("token") + QLatin1Char('\t') + token,
                                   layer + QLatin1Char('\t') + head },
            { row, row + 1 }, { column, column + 1 } });
    Q_EMIT hovered(tr("token %1 · %2 · %3 · importance %4").arg(token, layer, head, value));
}

void HeatmapPage::choose(bool heads, qint64 row, qint64 column)
{
    if (!analysis_)
        return;
    const std::int64_t group = groupOf(*analysis_);
    selection_->choose(heads ? Scope { values_.layer, row / group } : Scope { row, -1 }, column);
    if (heads)
        selection_->setHead(values_.layer, row, group);
}

} // namespace keepset::ui
