#include "ui/pages/sweep_page.h"

#include "core/compare_runs.h"
#include "core/engine.h"
#include "ui/charts/chart_view.h"
#include "ui/charts/method_legend.h"
#include "ui/charts/metric_box.h"
#include "ui/format.h"
#include "ui/pages/card.h"
#include "ui/pages/run_list.h"
#include "ui/pages/sweep_form.h"
#include "ui/pages/sweep_table.h"
#include "ui/pages/sweep_words.h"
#include "ui/selection_state.h"
#include "ui/settings.h"
#include "ui/theme.h"

#include <QComboBox>
#include <QEvent>
#include <QHBoxLayout>
#include <QLabel>
#include <QScrollArea>
#include <QSplitter>
#include <QStackedWidget>
#include <QToolButton>
#include <QVBoxLayout>

#include <algorithm>
#include <cmath>

namespace keepset::ui {

namespace {

    QSplitter* split(Qt::Orientation orientation, const char* name, QWidget* first, QWidget* second)
    {
        auto* splitter = new QSplitter(orientation);
        splitter->setObjectName(QLatin1String(name));
        splitter->setHandleWidth(gap);
        splitter->setChildrenCollapsible(false);
        splitter->addWidget(first);
        splitter->addWidget(second);
        remember(splitter);
        return splitter;
    }

    /// A window that is too low for all of it scrolls: charts keep the height that they can be read at.
    QScrollArea* scrolled(QWidget* content)
    {
        auto* area = new QScrollArea;
        area->setObjectName(QStringLiteral("sweepScroll"));
        area->setFrameShape(QFrame::NoFrame);
        area->setFocusPolicy(Qt::NoFocus); // what is in it has
        area->setWidgetResizable(true);
        area->setWidget(content);
        content->setAutoFillBackground(false);
        area->viewport()->setAutoFillBackground(false);
        return area;
    }

} // namespace

SweepPage::SweepPage(SelectionState* selection, QWidget* parent)
    : QWidget(parent)
    , selection_(selection)
    , form_(new SweepForm(this))
    , charts_(new charts::SweepCharts(this))
{
    auto* content = new QWidget(this);
    auto* layout = new QVBoxLayout(content);
    layout->setContentsMargins(cardPadding, cardPadding, cardPadding, cardPadding);
    layout->setSpacing(gap);
    auto* setUp = new QFrame(this);
    setUp->setProperty("card", true);
    auto* setUpLayout = new QVBoxLayout(setUp);
    setUpLayout->setContentsMargins(cardPadding, 8, cardPadding, 10);
    setUpLayout->addWidget(form_);
    layout->addWidget(setUp);
    makeChartCard();
    makeDifferenceCard();
    makeTableCard();
    QSplitter* bottom = split(Qt::Horizontal, "sweepSplitBelow", differenceCard_, tableCard_);
    bottom->setSizes({ 1000, 1000 }); // as wide as one another
    QSplitter* all = split(Qt::Vertical, "sweepSplit", chartCard_, bottom);
    all->setStretchFactor(0, 8);
    all->setStretchFactor(1, 7);
    layout->addWidget(all, 1);
    auto* whole = new QVBoxLayout(this);
    whole->setContentsMargins(0, 0, 0, 0);
    whole->addWidget(scrolled(content));
    refresh();
}

void SweepPage::makeChartCard()
{
    chartCard_ = new Card(tr("Perplexity against sparsity"), this, Card::Words::below);
    state_ = new QLabel(this);
    state_->setTextFormat(Qt::PlainText);
    state_->setObjectName(QStringLiteral("sweepState"));
    scale_ = new QComboBox(this);
    scale_->addItems({ tr("log axis"), tr("linear axis") });
    scale_->setAccessibleName(tr("Axis"));
    scale_->setObjectName(QStringLiteral("sweepScale"));
    metric_ = new charts::MetricBox(this);
    metric_->setObjectName(QStringLiteral("sweepMetric"));
    remember(scale_);
    remember(metric_);
    bands_ = flatButton(tr("All bands"),
        tr("Draws the 95% band of every method; else that of the one that is pointed at or shown alone"), this);
    bands_->setObjectName(QStringLiteral("sweepBands"));
    bands_->setCheckable(true);
    remember(bands_);
    auto* over = flatButton(tr("Lay over …"), tr("Lays earlier runs over this one, dashed"), this);
    auto* clear = flatButton(tr("Remove"), tr("Removes the earlier runs from the chart"), this);
    clear_ = clear;
    for (QWidget* control : std::initializer_list<QWidget*> { metric_, scale_, bands_, over, clear })
        chartCard_->addControl(control);
    const auto [save, copy] = chartCard_->addExport(tr("Exports the perplexity chart as PNG, SVG, PDF or CSV"));
    save->setObjectName(QStringLiteral("sweepExport"));
    copy->setObjectName(QStringLiteral("sweepCopyPicture"));
    chartCard_->addState(state_);
    notes_ = roleLabel(QString(), "muted", this);
    notes_->setObjectName(QStringLiteral("sweepNotes"));
    notes_->setWordWrap(true);
    chartCard_->content()->addWidget(charts_->legend());
    chartCard_->content()->addWidget(charts_->metric(), 1);
    chartCard_->content()->addWidget(notes_);
    connect(scale_, &QComboBox::currentIndexChanged, this, &SweepPage::refresh);
    connect(metric_, &charts::MetricBox::metricChanged, this, &SweepPage::refresh);
    connect(bands_, &QToolButton::toggled, charts_->metric()->plot(), &charts::PlotChart::setAllBands);
    connect(over, &QToolButton::clicked, this, &SweepPage::layOverRequested);
    connect(clear, &QToolButton::clicked, this, &SweepPage::clearEarlierRuns);
    connect(save, &QToolButton::clicked, this, [this] { Q_EMIT exportRequested(charts_->metric()); });
    connect(copy, &QToolButton::clicked, this, [this] { Q_EMIT copyRequested(charts_->metric()); });
    connect(charts_, &charts::SweepCharts::pointClicked, this, &SweepPage::choosePoint);
}

void SweepPage::makeDifferenceCard()
{
    differenceCard_ = new Card(tr("Difference to"), this, Card::Words::below);
    reference_ = new QComboBox(this);
    reference_->setAccessibleName(tr("Method that the others are compared with, or that is looked at by distance"));
    reference_->setObjectName(QStringLiteral("sweepReference"));
    byDistance_ = flatButton(tr("By distance"),
        tr("Shows what the method loses to dense near, in the middle and far behind the context"), this);
    byDistance_->setObjectName(QStringLiteral("sweepByDistance"));
    byDistance_->setCheckable(true);
    remember(byDistance_);
    differenceCard_->addControl(reference_);
    differenceCard_->addControl(byDistance_);
    const auto [save, copy] = differenceCard_->addExport(tr("Exports the difference chart as PNG, SVG, PDF or CSV"));
    save->setObjectName(QStringLiteral("differenceExport"));
    differenceCard_->content()->addWidget(charts_->difference(), 1);
    connect(reference_, &QComboBox::activated, this, &SweepPage::refresh);
    connect(byDistance_, &QToolButton::toggled, this, &SweepPage::refresh);
    connect(save, &QToolButton::clicked, this, [this] { Q_EMIT exportRequested(charts_->difference()); });
    connect(copy, &QToolButton::clicked, this, [this] { Q_EMIT copyRequested(charts_->difference()); });
}

void SweepPage::makeTableCard()
{
    tableCard_ = new Card(QString(), this);
    auto* copy = flatButton(tr("Copy"), tr("Copies the table, to be pasted into a sheet"), this);
    showRuns_ = flatButton(tr("Runs"), tr("Shows what runs there are instead of the table"), this);
    showRuns_->setObjectName(QStringLiteral("showRuns"));
    showRuns_->setCheckable(true);
    tableCard_->addControl(copy);
    tableCard_->addControl(showRuns_);
    runs_ = new RunList(this);
    stack_ = new QStackedWidget(this);
    stack_->addWidget(makeTableAndWords());
    stack_->addWidget(runs_);
    tableCard_->content()->addWidget(stack_, 1);
    connect(copy, &QToolButton::clicked, table_, &SweepTable::copy);
    connect(showRuns_, &QToolButton::toggled, this, [this, copy](bool runs) {
        copy->setVisible(!runs);
        showTableOrRuns();
    });
}

void SweepPage::showTableOrRuns()
{
    const bool runs = showRuns_->isChecked();
    stack_->setCurrentIndex(runs ? 1 : 0);
    const QString metric = metric_->currentText();
    tableCard_->setTitle(runs ? tr("Runs") : metric.left(1).toUpper() + metric.mid(1));
    tableCard_->setSubtitle(runs ? QString() : tr("95% interval on hover"));
}

QWidget* SweepPage::makeTableAndWords()
{
    auto* both = new QWidget(this);
    auto* layout = new QVBoxLayout(both);
    layout->setContentsMargins(0, 0, 0, 0);
    table_ = new SweepTable(this);
    words_ = new QLabel(this);
    words_->setTextFormat(Qt::PlainText);
    words_->setObjectName(QStringLiteral("sweepFindings"));
    words_->setWordWrap(true);
    words_->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
    words_->setAlignment(Qt::AlignTop | Qt::AlignLeft);
    words_->setContentsMargins(0, 6, 8, 0);
    auto* scroll = new QScrollArea(this);
    scroll->setProperty("panel", true);
    scroll->setWidgetResizable(true);
    scroll->setFrameShape(QFrame::NoFrame);
    scroll->viewport()->setAutoFillBackground(false);
    scroll->setWidget(words_);
    words_->setAutoFillBackground(false);
    layout->addWidget(table_);
    layout->addWidget(scroll, 1);
    return both;
}

void SweepPage::changeEvent(QEvent* event)
{
    QWidget::changeEvent(event);
    if (event->type() == QEvent::PaletteChange) // later: the application is walking through its widgets
        QMetaObject::invokeMethod(this, &SweepPage::showState, Qt::QueuedConnection);
}

void SweepPage::setRun(std::shared_ptr<const Run> run, Activity activity)
{
    run_ = std::move(run);
    activity_ = activity;
    error_.clear();
    metric_->setRun(run_.get());
    refreshMethods();
    refresh();
}

void SweepPage::setActivity(Activity activity)
{
    activity_ = activity;
    showState();
}

void SweepPage::setSweeping(bool sweeping)
{
    sweeping_ = sweeping;
    showState();
}

void SweepPage::setError(const QString& sentence)
{
    error_ = sentence;
    activity_ = Activity::none;
    refresh();
}

void SweepPage::addRun(std::shared_ptr<const Run> run, const QString& name, const QColor& color)
{
    std::erase_if(earlier_, [&](const charts::EarlierRun& earlier) { return earlier.name == name; });
    earlier_.push_back({ name, std::move(run), color });
    refresh();
}

void SweepPage::removeRun(const QString& name)
{
    std::erase_if(earlier_, [&](const charts::EarlierRun& earlier) { return earlier.name == name; });
    refresh();
}

void SweepPage::clearEarlierRuns()
{
    earlier_.clear();
    refresh();
}

std::vector<const Exportable*> SweepPage::exportables() const { return { charts_->metric(), charts_->difference() }; }

/// The other pages look at what the point is of.
void SweepPage::choosePoint(const QString& policy, double sparsity)
{
    try {
        selection_->lookAt(parse_policy(policy.toStdString()), sparsity, run_->granularity);
    } catch (const Error&) { // a file of another version may name policies that this one lacks
    }
}

void SweepPage::tellEarlierRuns()
{
    QStringList names;
    for (const charts::EarlierRun& earlier : earlier_)
        names << earlier.name;
    Q_EMIT earlierRunsChanged(names);
}

void SweepPage::showRuns() { showRuns_->setChecked(true); }

std::vector<charts::EarlierRun> SweepPage::comparable() const
{
    std::vector<charts::EarlierRun> kept = earlier_;
    std::erase_if(
        kept, [this](const charts::EarlierRun& other) { return !compare_runs(*run_, *other.run).refusal.empty(); });
    return kept;
}

void SweepPage::setShown(const Shown& shown)
{
    for (charts::ChartView* chart : { charts_->metric(), charts_->difference() })
        chart->setShown(shown);
}

std::string SweepPage::reference() const
{
    const QString chosen = reference_->currentData().toString();
    return chosen.isEmpty() ? "dense" : chosen.toStdString();
}

void SweepPage::refresh()
{
    const Metric& metric = metric_->metric();
    const auto scale = scale_->currentIndex() == 0 ? charts::AxisScale::log : charts::AxisScale::linear;
    charts_->setByDistance(byDistance_->isChecked());
    if (run_)
        charts_->setRun(*run_, comparable(), { metric.name, scale }, reference());
    else
        charts_->clear(activity_ == Activity::running
                ? tr("The first window is being computed …")
                : tr("Start a sweep to see what eviction costs.\nThe chart grows window by window."));
    chartCard_->setTitle(charts_->metric()->data().title);
    chartCard_->setSubtitle(charts_->metric()->data().subtitle);
    differenceCard_->setTitle(!run_    ? charts_->difference()->data().title
            : byDistance_->isChecked() ? tr("Loss by distance")
                                       : tr("Difference to"));
    differenceCard_->setSubtitle(charts_->difference()->data().subtitle);
    charts_->legend()->setVisible(run_ != nullptr);
    clear_->setVisible(!earlier_.empty());
    tellEarlierRuns();
    reference_->setVisible(run_ != nullptr);
    byDistance_->setVisible(run_ != nullptr);
    bands_->setVisible(!charts_->metric()->data().intervals.isEmpty());
    table_->setRun(run_.get(), metric);
    showTableOrRuns();
    refreshWords();
    showState();
}

void SweepPage::refreshMethods()
{
    const QVariant chosen = reference_->currentData();
    reference_->clear();
    if (!run_)
        return;
    for (const std::string& method : methods(*run_))
        reference_->addItem(charts::methodTitle(method), QString::fromStdString(method));
    const int before = chosen.isValid() ? reference_->findData(chosen) : -1;
    const int h2o = reference_->findData(QStringLiteral("h2o"));
    reference_->setCurrentIndex(before >= 0 ? before : std::max(h2o, 0));
}

void SweepPage::refreshWords()
{
    const SweepWords words = wordsOf(run_.get(), earlier_, reference());
    QStringList notes = words.notes;
    if (!error_.isEmpty())
        notes.prepend(QStringLiteral("✕ ") + error_);
    words_->setText(words.sentences.join(QStringLiteral("\n")));
    notes_->setText(notes.join(QLatin1Char('\n')));
    notes_->setVisible(!notes.isEmpty());
}

void SweepPage::showState()
{
    const Theme& colors = themeOf(this);
    const bool done = run_ && run_->finished();
    const QString windows = run_
        ? tr("%1 of %2 windows").arg(formatCount(run_->windows_done()), formatCount(run_->windows_of_shard()))
        : QString();
    QString text;
    QColor color = colors.muted;
    if (!error_.isEmpty()) {
        text = tr("✕ ended by an error");
        color = colors.fail;
    } else if (activity_ == Activity::running) {
        text = run_ ? tr("● running, %1").arg(windows) : tr("● starting");
        color = colors.accent;
    } else if (activity_ == Activity::following) {
        text = tr("● following, window %1 of %2")
                   .arg(formatCount(run_->windows_done()), formatCount(run_->windows_of_shard()));
        color = colors.accent;
    } else if (run_) {
        const bool failed = run_->audit.failed();
        text = failed ? tr("✕ audit fails") : (done ? tr("✓ done") : tr("stopped, %1").arg(windows));
        color = failed ? colors.fail : (done ? colors.pass : colors.muted);
    }
    state_->setText(text);
    state_->setVisible(!text.isEmpty());
    state_->setStyleSheet(QStringLiteral("color: %1; font-weight: 600").arg(color.name()));
    form_->setState(sweeping_, run_ && !done && activity_ == Activity::none);
}

} // namespace keepset::ui
