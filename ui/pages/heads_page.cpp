#include "ui/pages/heads_page.h"

#include "ui/format.h"
#include "ui/importance_choice.h"
#include "ui/keep_set_state.h"
#include "ui/pages/card.h"
#include "ui/plot/heatmap_widget.h"
#include "ui/range_state.h"
#include "ui/row_state.h"
#include "ui/selection_state.h"
#include "ui/settings.h"
#include "ui/theme.h"
#include "ui/when_seen.h"
#include "ui/widgets/range_control.h"

#include <QComboBox>
#include <QHideEvent>
#include <QLabel>
#include <QSignalBlocker>
#include <QSplitter>
#include <QToolButton>
#include <QVBoxLayout>

#include <algorithm>
#include <array>

namespace keepset::ui {

HeadsPage::HeadsPage(SelectionState* selection, KeepSetState* keepSets, Session* session, QWidget* parent)
    : QWidget(parent)
    , selection_(selection)
    , keepSets_(keepSets)
    , session_(session)
{
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(cardPadding, cardPadding, cardPadding, cardPadding);
    makeSheet();
    makeScatter();
    auto* split = new QSplitter(Qt::Vertical, this);
    split->setObjectName(QStringLiteral("headsSplit"));
    split->setHandleWidth(gap);
    split->addWidget(sheetCard_);
    split->addWidget(scatterCard_);
    split->setStretchFactor(0, 1);
    split->setStretchFactor(1, 1);
    remember(split);
    layout->addWidget(split, 1);
    connect(session_, &Session::headsSummarised, this,
        [this](const std::shared_ptr<const Analysis>& analysis, const std::shared_ptr<const HeadSummaries>& heads) {
            if (analysis != analysis_ || heads->importance != selection_->importance())
                return;
            facts_.heads = heads;
            refresh();
        });
    const auto again = [this] {
        if (isVisible())
            ask();
    };
    connect(keepSets_, &KeepSetState::outdated, this, again);
    connect(keepSets_, &KeepSetState::comparisonChanged, this, &HeadsPage::showScatter);
    connect(selection_, &SelectionState::policiesChanged, this, &HeadsPage::showScatter);
    auto* marks = new WhenSeen(this, [this] {
        if (!(chosen() == marked_)) // a head of another layer changes both
            refresh();
    });
    connect(selection_, &SelectionState::scopeChanged, marks, &WhenSeen::call);
    connect(selection_, &SelectionState::headChanged, marks, &WhenSeen::call);
    connect(selection_, &SelectionState::importanceChanged, this, [this, again] {
        asked_ = false;
        again();
    });
    refresh();
}

void HeadsPage::makeSheet()
{
    sheetCard_ = new Card(tr("Heads"), this, Card::Words::below);
    sheet_ = new plot::HeatmapWidget(this);
    sheet_->setObjectName(QStringLiteral("headSheet"));
    sheet_->setExportName(QStringLiteral("heads-sheet"));
    sheetCard_->content()->addWidget(sheet_, 1);
    reduction_ = new QComboBox(this);
    reduction_->addItems({ tr("largest"), tr("mean") });
    reduction_->setAccessibleName(tr("What a pixel shows when several tokens share it"));
    reduction_->setObjectName(QStringLiteral("headsReduction"));
    scale_ = new QComboBox(this);
    scale_->addItems({ tr("log"), tr("linear"), tr("percentile") });
    scale_->setAccessibleName(tr("Colour scale"));
    scale_->setObjectName(QStringLiteral("headsScale"));
    range_ = new RangeControl(selection_->range(), this);
    sheetCard_->addControl(range_);
    connect(selection_->range(), &RangeState::changed, this, &HeadsPage::showSheet);
    for (QComboBox* box : { reduction_, scale_ }) {
        box->setToolTip(box->accessibleName());
        sheetCard_->addControl(box);
        remember(box);
        connect(box, &QComboBox::currentIndexChanged, this, &HeadsPage::showSheet);
    }
    const auto [save, copy] = sheetCard_->addExport(tr("Exports the sheet of heads as PNG, SVG, PDF or CSV"));
    connect(save, &QToolButton::clicked, this, [this] { Q_EMIT exportRequested(sheet_); });
    connect(copy, &QToolButton::clicked, this, [this] { Q_EMIT copyRequested(sheet_); });
    connect(sheet_, &plot::HeatmapWidget::cellHovered, this, [this](qint64 layer, qint64 head) {
        tell(layer >= 0 ? std::optional(MapCell { layer, head }) : std::nullopt, true);
    });
    connect(sheet_, &plot::HeatmapWidget::cellClicked, this, &HeadsPage::choose);
    connect(sheet_, &plot::HeatmapWidget::clickTakenBack, selection_, &SelectionState::takeBack);
}

QComboBox* HeadsPage::axisChoice(const char* name, const QString& what, charts::HeadAxis first)
{
    auto* box = new QComboBox(this);
    for (const charts::HeadAxisInfo& info : charts::headAxisTable())
        box->addItem(QString(), QLatin1String(info.key));
    box->setCurrentIndex(static_cast<int>(first));
    box->setObjectName(QLatin1String(name));
    box->setAccessibleName(what);
    box->setToolTip(what);
    box->setSizeAdjustPolicy(QComboBox::AdjustToContents);
    scatterCard_->addControl(box);
    remember(box);
    connect(box, &QComboBox::currentIndexChanged, this, &HeadsPage::showScatter);
    return box;
}

void HeadsPage::makeScatter()
{
    scatterCard_ = new Card(tr("Heads by their numbers"), this, Card::Words::below);
    scatter_ = new charts::HeadScatter(this);
    scatter_->setObjectName(QStringLiteral("headScatter"));
    scatter_->setExportName(QStringLiteral("heads"));
    scatterCard_->content()->addWidget(scatter_, 1);
    x_ = axisChoice("headsX", tr("Across"), charts::HeadAxis::sinkMass);
    y_ = axisChoice("headsY", tr("Upwards"), charts::HeadAxis::entropy);
    const auto [save, copy]
        = scatterCard_->addExport(tr("Exports the heads as PNG, SVG, PDF or CSV with all their numbers"));
    connect(save, &QToolButton::clicked, this, [this] { Q_EMIT exportRequested(scatter_); });
    connect(copy, &QToolButton::clicked, this, [this] { Q_EMIT copyRequested(scatter_); });
    connect(scatter_, &charts::ChartView::pointHovered, this, [this] {
        const auto at = scatter_->plot()->readout();
        tell(at ? std::optional(MapCell { static_cast<std::int64_t>(at->series), static_cast<std::int64_t>(at->point) })
                : std::nullopt,
            false);
    });
    connect(scatter_, &charts::ChartView::pointChosen, this, [this](const charts::PointRef& at) {
        choose(static_cast<std::int64_t>(at.series), static_cast<std::int64_t>(at.point));
    });
}

// ---- what is looked at -----------------------------------------------------------------------------------------

void HeadsPage::setAnalysis(std::shared_ptr<const Analysis> analysis)
{
    analysis_ = std::move(analysis);
    facts_ = {};
    if (analysis_)
        facts_.group = groupOf(*analysis_);
    asked_ = false;
    if (isVisible())
        ask();
    refresh();
}

void HeadsPage::showEvent(QShowEvent* event)
{
    QWidget::showEvent(event);
    ask();
}

/// What is under way for nobody ends; minimised, the window is still looked at.
void HeadsPage::hideEvent(QHideEvent* event)
{
    QWidget::hideEvent(event);
    if (event->spontaneous())
        return;
    if (asked_ && !hasTiles()) {
        session_->cancel(Session::Kind::heads);
        facts_.heads.reset();
        asked_ = false;
        refresh();
    }
    keepSets_->leaveComparison();
}

/// A page that nobody sees asks for nothing.
void HeadsPage::ask()
{
    if (!analysis_ || analysis_->context == 0)
        return;
    if (!std::exchange(asked_, true))
        session_->summariseHeads(analysis_, selection_->importance());
    keepSets_->needComparison();
}

/// Those of every layer.
bool HeadsPage::hasTiles() const { return facts_.heads && facts_.heads->is_finished(); }

bool HeadsPage::isLoading() const { return analysis_ && (!hasTiles() || !keepSets_->isCompared()); }

std::vector<const Exportable*> HeadsPage::exportables() const { return { sheet_, scatter_ }; }

void HeadsPage::setWaiting(const QString& what)
{
    waiting_ = what;
    if (!analysis_)
        refresh();
}

void HeadsPage::setShown(const Shown& shown)
{
    Shown every = shown;
    every.scope.clear(); // all heads are shown
    scatter_->setShown(every);
    every.sparsity.clear();
    sheet_->setShown(every);
}

charts::ChosenHeads HeadsPage::chosen() const
{
    const Scope scope = selection_->scope();
    if (!analysis_ || scope.layer < 0)
        return {};
    if (selection_->head() >= 0)
        return { scope.layer, selection_->head(), selection_->head() + 1 };
    if (scope.kv_head < 0)
        return { scope.layer, 0, analysis_->heads };
    return { scope.layer, scope.kv_head * facts_.group, (scope.kv_head + 1) * facts_.group };
}

void HeadsPage::choose(std::int64_t layer, std::int64_t head)
{
    if (analysis_)
        selection_->setHead(layer, head, facts_.group);
}

// ---- showing it ------------------------------------------------------------------------------------------------

void HeadsPage::refresh()
{
    marked_ = chosen();
    showSheet();
    showScatter();
}

ValueScaleKind HeadsPage::scaleKind() const
{
    constexpr std::array kinds { ValueScaleKind::log, ValueScaleKind::linear, ValueScaleKind::percentile };
    return kinds[static_cast<std::size_t>(std::max(0, scale_->currentIndex()))];
}

void HeadsPage::fit(Reduction reduction)
{
    const auto locked = selection_->range()->lockedFor(scaleKind());
    if (fitted_.heads == facts_.heads && fitted_.reduction == reduction && fitted_.kind == scaleKind()
        && fitted_.locked == locked)
        return;
    const std::span<const float> values = plot::valuesOf(*facts_.heads, reduction);
    fitted_ = { facts_.heads, reduction, scaleKind(), locked, {}, {} };
    if (locked) {
        fitted_.scale = ValueScale::held(scaleKind(), *locked);
        fitted_.beyond = beyondOf(values, *locked);
    } else {
        fitted_.scale = ValueScale::fitted(scaleKind(), values);
        range_->setFitted({ fitted_.scale.low(), fitted_.scale.high() });
    }
}

void HeadsPage::showSheet()
{
    plot::Heatmap map;
    map.title = tr("Heads");
    map.rowTitle = tr("layer");
    map.columnTitle = tr("query head");
    map.heads = facts_.heads;
    map.reduction = reduction_->currentIndex() == 0 ? Reduction::max : Reduction::mean;
    map.emptyText
        = analysis_ || !waiting_.isEmpty() ? tr("One moment …") : tr("Open a model and a text, then press Analyse.");
    if (map.heads) {
        const HeadSummaries& heads = *map.heads;
        map.title = tr("%1 layers × %2 heads").arg(formatCount(heads.layers), formatCount(heads.heads));
        fit(map.reduction);
        map.valueTitle = titleOfScale(titleOf(heads.importance), fitted_.locked);
        map.subtitle
            = tr("importance over the %1 tokens, from left to right in every tile · %2 · %3")
                  .arg(formatCount(heads.context), scaleWords(scale_->currentText(), fitted_.locked, fitted_.beyond),
                      map.reduction == Reduction::max ? tr("a pixel shows the largest of its tokens")
                                                      : tr("a pixel shows the mean of its tokens"));
        if (!heads.is_finished())
            map.subtitle.prepend(
                tr("%1 of %2 layers so far · ").arg(formatCount(heads.layers_done), formatCount(heads.layers)));
        map.scale = fitted_.scale;
        map.beyond = fitted_.beyond;
        if (const charts::ChosenHeads marked = chosen(); marked.layer >= 0) {
            map.chosenRows = CellRange { marked.layer, marked.layer + 1 };
            if (marked.last - marked.first < heads.heads)
                map.chosenHeads = CellRange { marked.first, marked.last };
        }
    }
    range_->setEnabled(scaleKind() != ValueScaleKind::percentile);
    sheetCard_->setTitle(map.title);
    sheetCard_->setSubtitle(map.subtitle);
    sheet_->setHeatmap(std::move(map));
}

void HeadsPage::nameAxes()
{
    for (QComboBox* box : { x_, y_ }) {
        for (int i = 0; i < box->count(); ++i)
            box->setItemText(i, charts::nameOf(static_cast<charts::HeadAxis>(i), facts_));
    }
}

void HeadsPage::showScatter()
{
    const HeadComparison& comparison = keepSets_->comparison();
    for (int side = 0; side < 2; ++side) {
        const auto index = static_cast<std::size_t>(side);
        facts_.policies[index]
            = selection_->hasPolicy(side) ? QString::fromStdString(title(selection_->policy(side))) : QString();
        const auto& set = comparison.keepSets[index];
        const bool ofIt = set && set->request.policy == selection_->policy(side);
        facts_.kept[index] = ofIt ? comparison.kept[index] : std::vector<double>();
    }
    nameAxes();
    scatter_->setFacts(facts_);
    charts::ChartData chart = charts::headChart(facts_, static_cast<charts::HeadAxis>(std::max(0, x_->currentIndex())),
        static_cast<charts::HeadAxis>(std::max(0, y_->currentIndex())), chosen());
    if (!facts_.heads)
        chart.emptyText = analysis_ || !waiting_.isEmpty() ? tr("One moment …")
                                                           : tr("Open a model and a text, then press Analyse.");
    scatterCard_->setTitle(chart.title);
    scatterCard_->setSubtitle(chart.subtitle);
    scatter_->setData(std::move(chart));
}

void HeadsPage::tell(std::optional<MapCell> head, bool onSheet)
{
    if (!head || !facts_.heads) {
        sheet_->setReadout(std::nullopt);
        if (onSheet)
            scatter_->plot()->setReadout(std::nullopt);
        Q_EMIT hovered({});
        return;
    }
    QStringList lines = charts::wordsOf(facts_, head->row, head->column);
    if (onSheet) {
        sheet_->setReadout(
            plot::HeatmapReadout { lines, { head->row, head->row + 1 }, { head->column, head->column + 1 } });
        const charts::PointRef at { static_cast<std::size_t>(head->row), static_cast<std::size_t>(head->column) };
        scatter_->plot()->setReadout(at);
    }
    for (QString& line : lines)
        line.replace(QLatin1Char('\t'), QLatin1Char(' '));
    Q_EMIT hovered(lines.join(QStringLiteral(" · ")));
}

} // namespace keepset::ui
