#include "ui/pages/attention_page.h"

#include "ui/attention_drawing.h"
#include "ui/format.h"
#include "ui/pages/card.h"
#include "ui/plot/heatmap_widget.h"
#include "ui/row_state.h"
#include "ui/selection_state.h"
#include "ui/settings.h"
#include "ui/theme.h"
#include "ui/widgets/elided_label.h"

#include <QCheckBox>
#include <QComboBox>
#include <QLabel>
#include <QSignalBlocker>
#include <QToolButton>
#include <QVBoxLayout>

#include <algorithm>
#include <array>

namespace keepset::ui {

AttentionPage::AttentionPage(SelectionState* selection, Session* session, QWidget* parent)
    : QWidget(parent)
    , selection_(selection)
    , drawing_(new AttentionDrawing(session, this))
{
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(cardPadding, cardPadding, cardPadding, cardPadding);
    layout->setSpacing(gap);
    card_ = new Card(tr("Attention, query × key"), this, Card::Words::below);
    makeMap();
    makeControls();
    layout->addWidget(card_, 1);
    words_ = new ElidedLabel(this);
    words_->setProperty("role", QStringLiteral("muted"));
    words_->setObjectName(QStringLiteral("attentionReadout"));
    layout->addWidget(words_);
    connect(drawing_, &AttentionDrawing::changed, this, &AttentionPage::rescale);
    connect(drawing_, &AttentionDrawing::progressed, this, &AttentionPage::refresh);
    connect(drawing_, &AttentionDrawing::drawn, this, &AttentionPage::mapReady);
    connect(selection_, &SelectionState::scopeChanged, this, &AttentionPage::follow);
    connect(selection_, &SelectionState::headChanged, this, [this] { follow(selection_->scope()); });
    connect(selection_, &SelectionState::tokenChanged, this, &AttentionPage::refresh);
    fillChoices();
    refresh();
}

void AttentionPage::makeMap()
{
    map_ = new plot::HeatmapWidget(this);
    map_->setExportName(QStringLiteral("attention"));
    map_->setObjectName(QStringLiteral("attentionMap"));
    card_->content()->addWidget(map_, 1);
    connect(map_, &plot::HeatmapWidget::viewChanged, this, [this] {
        askSoon();
        refresh();
    });
    connect(map_, &plot::HeatmapWidget::resized, this, &AttentionPage::askSoon);
    connect(map_, &plot::HeatmapWidget::cellHovered, this, &AttentionPage::tellCell);
    connect(map_, &plot::HeatmapWidget::cellClicked, this, &AttentionPage::choose);
    connect(map_, &plot::HeatmapWidget::clickTakenBack, selection_, &SelectionState::takeBack);
}

void AttentionPage::makeControls()
{
    const auto choice = [this](const char* name, const QString& what, const QStringList& entries) {
        auto* box = new QComboBox(this);
        box->addItems(entries);
        box->setObjectName(QLatin1String(name));
        box->setAccessibleName(what);
        box->setToolTip(what);
        card_->addControl(box);
        return box;
    };
    layers_ = choice("attentionLayer", tr("Layer"), {});
    heads_ = choice("attentionHead", tr("Query head"), {});
    reduction_ = choice(
        "attentionReduction", tr("What is shown where several tokens share a pixel"), { tr("largest"), tr("mean") });
    scale_ = choice("attentionScale", tr("Colour scale"), { tr("log"), tr("linear"), tr("percentile") });
    lock_ = new QCheckBox(tr("same colours"), this);
    lock_->setChecked(true);
    lock_->setToolTip(tr("The same colours in every layer, head and part: up to probability 1, on the log scale from a "
                         "tenth of an even share. Otherwise colours are fitted to what is drawn."));
    lock_->setAccessibleName(tr("Same colours in every layer, head and part"));
    lock_->setObjectName(QStringLiteral("attentionLock"));
    for (QWidget* control : std::initializer_list<QWidget*> { scale_, reduction_, lock_ })
        remember(control);
    back_ = flatButton(tr("Back"), tr("Looks at the part before (Backspace or right click)"), this);
    back_->setObjectName(QStringLiteral("attentionBack"));
    whole_ = flatButton(tr("Whole"), tr("Looks at the whole map (0 or double click)"), this);
    whole_->setObjectName(QStringLiteral("attentionWhole"));
    for (QWidget* control : std::initializer_list<QWidget*> { lock_, back_, whole_ })
        card_->addControl(control);
    const auto [save, copy] = card_->addExport(tr("Exports the map as PNG, SVG, PDF or CSV"));
    const auto chosen = [this] { look(layers_->currentIndex(), heads_->currentIndex()); };
    connect(layers_, &QComboBox::currentIndexChanged, this, chosen);
    connect(heads_, &QComboBox::currentIndexChanged, this, chosen);
    connect(reduction_, &QComboBox::currentIndexChanged, this, &AttentionPage::askSoon);
    connect(scale_, &QComboBox::currentIndexChanged, this, &AttentionPage::rescale);
    connect(lock_, &QCheckBox::toggled, this, &AttentionPage::rescale);
    connect(back_, &QToolButton::clicked, map_, &plot::HeatmapWidget::undoZoom);
    connect(whole_, &QToolButton::clicked, map_, &plot::HeatmapWidget::resetZoom);
    connect(save, &QToolButton::clicked, this, [this] { Q_EMIT exportRequested(map_); });
    connect(copy, &QToolButton::clicked, this, [this] { Q_EMIT copyRequested(map_); });
}

// ---- what is looked at -----------------------------------------------------------------------------------------

const plot::AttentionTiles& AttentionPage::tiles() const { return drawing_->tiles(); }

bool AttentionPage::hasMap() const { return !tiles().empty(); }

bool AttentionPage::isDrawing() const { return asked_ || drawing_->wanted().has_value(); }

std::int64_t AttentionPage::group() const { return analysis_ ? groupOf(*analysis_) : 1; }

void AttentionPage::setAnalysis(std::shared_ptr<const Analysis> analysis)
{
    analysis_ = std::move(analysis);
    pointed_.reset();
    words_->setWords({});
    if (analysis_) {
        layer_ = std::clamp<std::int64_t>(layer_, 0, std::max<std::int64_t>(0, analysis_->layers - 1));
        head_ = std::clamp<std::int64_t>(head_, 0, std::max<std::int64_t>(0, analysis_->heads - 1));
        if (selection_->scope().layer < 0)
            layer_ = analysis_->layers / 2;
    }
    drawing_->setAnalysis(analysis_);
    follow(selection_->scope());
}

void AttentionPage::setMarks(std::vector<plot::MarkStrip> marks, const QString& scope)
{
    marks_ = std::move(marks);
    marksScope_ = scope;
    refresh();
}

/// A chosen key/value head is that of several query heads: the one chosen, or one that is looked at already, or the
/// first.
void AttentionPage::follow(Scope scope)
{
    if (analysis_ && scope.layer >= 0 && scope.layer < analysis_->layers) {
        layer_ = scope.layer;
        if (selection_->head() >= 0 && selection_->head() < analysis_->heads)
            head_ = selection_->head();
        else if (scope.kv_head >= 0 && scope.kv_head < analysis_->kv_heads && head_ / group() != scope.kv_head)
            head_ = scope.kv_head * group();
    }
    fillChoices();
    askSoon();
}

void AttentionPage::fillChoices()
{
    const QSignalBlocker quietLayers(layers_);
    const QSignalBlocker quietHeads(heads_);
    const bool usable = analysis_ && analysis_->attention;
    const int layers = usable ? static_cast<int>(analysis_->layers) : 0;
    const int heads = usable ? static_cast<int>(analysis_->heads) : 0;
    if (layers_->count() != layers) {
        layers_->clear();
        for (int layer = 0; layer < layers; ++layer)
            layers_->addItem(tr("layer %1").arg(layer));
    }
    if (heads_->count() != heads) {
        heads_->clear();
        for (int head = 0; head < heads; ++head)
            heads_->addItem(tr("head %1").arg(head));
    }
    layers_->setCurrentIndex(static_cast<int>(layer_));
    heads_->setCurrentIndex(static_cast<int>(head_));
    for (QWidget* control : std::initializer_list<QWidget*> { layers_, heads_, reduction_, scale_, lock_ })
        control->setEnabled(usable);
}

void AttentionPage::look(std::int64_t layer, std::int64_t head)
{
    if (!analysis_ || layer < 0 || head < 0)
        return;
    layer_ = layer;
    head_ = head;
    selection_->setHead(layer_, head_, group());
    askSoon();
}

void AttentionPage::choose(qint64 query, qint64 key)
{
    if (!analysis_ || key > query)
        return;
    selection_->choose({ layer_, head_ / group() }, key);
}

// ---- making the picture ----------------------------------------------------------------------------------------

void AttentionPage::showEvent(QShowEvent* event)
{
    QWidget::showEvent(event);
    askSoon();
}

/// Once for all that one turn of the event loop changes.
void AttentionPage::askSoon()
{
    if (asked_)
        return;
    asked_ = true;
    QMetaObject::invokeMethod(
        this,
        [this] {
            asked_ = false;
            ask();
        },
        Qt::QueuedConnection);
}

/// A page that nobody sees makes no picture.
void AttentionPage::ask()
{
    if (!isVisible())
        return;
    AttentionMapRequest like;
    like.layer = layer_;
    like.head = head_;
    like.reduction = reduction_->currentIndex() == 0 ? CellReduction::max : CellReduction::mean;
    drawing_->look(like, map_->view(), map_->mapPixels());
}

void AttentionPage::rescale()
{
    if (hasMap()) {
        constexpr std::array kinds { ValueScaleKind::log, ValueScaleKind::linear, ValueScaleKind::percentile };
        const ValueScaleKind kind = kinds[static_cast<std::size_t>(std::max(0, scale_->currentIndex()))];
        if (!lock_->isChecked() || kind == ValueScaleKind::percentile)
            values_ = ValueScale::fitted(kind, plot::visibleValues(*tiles().back()));
        else if (kind == ValueScaleKind::log)
            values_ = ValueScale::log(0.1 / static_cast<double>(std::max<std::int64_t>(1, analysis_->context)), 1);
        else
            values_ = ValueScale::linear(0, 1);
    }
    refresh();
}

// ---- showing it ------------------------------------------------------------------------------------------------

QString AttentionPage::emptyText() const
{
    if (!analysis_)
        return waiting_.isEmpty() ? tr("Open a model and a text, then press Analyse.") : tr("One moment …");
    if (analysis_->attention)
        return tr("Drawing … %1").arg(progressText());
    if (!analysis_->no_attention.empty()) // core says why
        return tr("The queries and keys of this analysis were not kept, for want of memory. %1\n"
                  "Analyse a shorter context.")
            .arg(QString::fromStdString(analysis_->no_attention));
    return tr("This analysis has no queries and keys to recompute attention from; a trace file has none either.\n"
              "Open the model and analyse the text here.");
}

/// Nothing where it takes no time.
QString AttentionPage::progressText() const
{
    return drawing_->progress() > 0 ? formatPercent(drawing_->progress(), 0) : QString();
}

QString AttentionPage::subtitle() const
{
    const AttentionMapRequest& drawn = tiles().back()->request;
    const std::int64_t across = (drawn.key_end - drawn.key_begin + drawn.most_columns - 1) / drawn.most_columns;
    const std::int64_t down = (drawn.query_end - drawn.query_begin + drawn.most_rows - 1) / drawn.most_rows;
    const bool largest = drawn.reduction == CellReduction::max;
    const QSize pixels = map_->mapPixels();
    QString words = tr("probability that a query (down) gives a key (across) · %1 scale").arg(scale_->currentText());
    if (across * down > 1)
        words += largest ? tr(" · largest of %1 × %2 tokens").arg(down).arg(across)
                         : tr(" · mean of %1 × %2 tokens").arg(down).arg(across);
    else if (map_->view().columns() > pixels.width() || map_->view().rows() > pixels.height())
        words += largest ? tr(" · a pixel shows the largest of its tokens")
                         : tr(" · a pixel shows the mean of its tokens");
    if (!marks_.empty())
        words += tr(" · share kept: %1").arg(marksScope_);
    if (drawing_->wanted())
        words += sameHead(*drawing_->wanted(), drawn) ? tr(" · drawing … %1").arg(progressText())
                                                      : tr(" · drawing layer %1, head %2 … %3")
                                                            .arg(drawing_->wanted()->layer)
                                                            .arg(drawing_->wanted()->head)
                                                            .arg(progressText());
    return words;
}

void AttentionPage::refresh()
{
    plot::Heatmap map;
    map.title = tr("Attention, query × key");
    map.rowTitle = tr("query");
    map.columnTitle = tr("key");
    map.valueTitle = tr("probability");
    map.emptyText = emptyText();
    map.tiles = tiles();
    map.scale = values_;
    if (analysis_ && analysis_->attention)
        map.tokens = analysis_->context;
    if (hasMap()) {
        map.title
            = tr("Attention, layer %1, head %2").arg(tiles().back()->request.layer).arg(tiles().back()->request.head);
        map.subtitle = subtitle();
        map.marks = marks_;
        map.name = plot::tokenNames(analysis_);
        if (const std::int64_t token = selection_->token(); token >= 0 && token < analysis_->context) {
            map.chosenColumn = token;
            map.chosenRows = CellRange { token, token + 1 };
        }
    }
    // The window is narrower than a picture of its own: the choices beside the title say which head is asked for.
    card_->setTitle(tr("Attention"));
    card_->setSubtitle(hasMap() ? tr("layer %1, head %2 · %3")
                                      .arg(tiles().back()->request.layer)
                                      .arg(tiles().back()->request.head)
                                      .arg(map.subtitle)
                                : QString());
    map_->setHeatmap(std::move(map));
    back_->setEnabled(map_->canUndoZoom());
    whole_->setEnabled(hasMap() && map_->view() != ui::wholeMap(map_->heatmap().size()));
    if (pointed_)
        tellCell(pointed_->row, pointed_->column);
}

/// One token: its position and text. Several: the range and both ends.
QString AttentionPage::tokens(std::int64_t begin, std::int64_t end) const
{
    const auto text = [this](std::int64_t token) {
        return formatToken(QString::fromStdString(analysis_->tokens[static_cast<std::size_t>(token)].text));
    };
    if (end - begin == 1)
        return tr("%1 %2").arg(formatCount(begin), text(begin));
    return tr("%1–%2 %3 … %4").arg(formatCount(begin), formatCount(end - 1), text(begin), text(end - 1));
}

void AttentionPage::tellCell(qint64 query, qint64 key)
{
    pointed_.reset();
    const auto cell = query >= 0 ? plot::cellAt(tiles(), { query, key }) : std::nullopt;
    if (!cell) {
        map_->setReadout(std::nullopt);
        words_->setWords({});
        Q_EMIT hovered({});
        return;
    }
    pointed_ = MapCell { query, key };
    const bool several = cell->query_end - cell->query_begin > 1 || cell->key_end - cell->key_begin > 1;
    const QString queries = tokens(cell->query_begin, cell->query_end);
    const QString keys = tokens(cell->key_begin, cell->key_end);
    QString value = tr("hidden: the key comes after the query, or its window is past");
    if (cell->value >= 0)
        value = formatSignificant(static_cast<double>(cell->value), 4);
    const bool largest = tiles().back()->request.reduction == CellReduction::max;
    QString what;
    if (cell->value >= 0)
        what = several ? (largest ? tr("largest probability of them") : tr("mean probability of them"))
                       : tr("probability");
    map_->setReadout(
        plot::HeatmapReadout { { what.isEmpty() ? value : value + QLatin1Char('\t') + what,
                                   tr("query") + QLatin1Char('\t') + queries, tr("key") + QLatin1Char('\t') + keys },
            { cell->query_begin, cell->query_end }, { cell->key_begin, cell->key_end } });
    const QString words = tr("layer %1 · head %2 · query %3 · key %4 · %6 %5")
                              .arg(tiles().back()->request.layer)
                              .arg(tiles().back()->request.head)
                              .arg(queries, keys, value, what)
                              .trimmed();
    words_->setWords(words);
    Q_EMIT hovered(words);
}

std::vector<const Exportable*> AttentionPage::exportables() const { return { map_ }; }

void AttentionPage::setWaiting(const QString& what)
{
    waiting_ = what;
    if (!analysis_)
        refresh();
}

void AttentionPage::setShown(Shown shown)
{
    shown.importance.clear(); // probabilities are before all that
    shown.scope.clear();
    shown.sparsity.clear();
    map_->setShown(shown);
}

} // namespace keepset::ui
