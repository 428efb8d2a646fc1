#include "ui/pages/sweep_page.h"

#include "core/engine.h"
#include "ui/charts/chart_view.h"
#include "ui/charts/method_legend.h"
#include "ui/format.h"
#include "ui/pages/card.h"
#include "ui/pages/sweep_form.h"
#include "ui/selection_state.h"
#include "ui/settings.h"
#include "ui/theme.h"

#include <QAction>
#include <QClipboard>
#include <QComboBox>
#include <QEvent>
#include <QGuiApplication>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QScrollArea>
#include <QTableWidget>
#include <QToolButton>
#include <QVBoxLayout>

#include <algorithm>
#include <cmath>

namespace keepset::ui {

SweepPage::SweepPage(SelectionState* selection, QWidget* parent)
    : QWidget(parent)
    , selection_(selection)
    , form_(new SweepForm(this))
    , charts_(new charts::SweepCharts(this))
{
    auto* layout = new QVBoxLayout(this);
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
    layout->addWidget(chartCard_, 8);
    auto* bottom = new QHBoxLayout;
    bottom->setSpacing(gap);
    bottom->addWidget(differenceCard_, 1);
    bottom->addWidget(tableCard_, 1);
    layout->addLayout(bottom, 7);
    connect(form_, &SweepForm::stopRequested, this, &SweepPage::stopRequested);
    connect(form_, &SweepForm::startRequested, this, [this](SweepRequest request) {
        request.importance = selection_->importance();
        request.gqa = selection_->gqa();
        Q_EMIT startRequested(request);
    });
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
    metric_ = new QComboBox(this);
    for (const charts::MetricInfo& info : charts::metricTable())
        metric_->addItem(charts::nameOf(info.metric));
    metric_->setAccessibleName(tr("Quantity"));
    metric_->setObjectName(QStringLiteral("sweepMetric"));
    remember(scale_);
    remember(metric_);
    auto* over = flatButton(tr("Lay over …"), tr("Lays earlier runs over this one, dashed"), this);
    auto* clear = flatButton(tr("Remove"), tr("Removes the earlier runs from the chart"), this);
    auto* save = flatButton(tr("Export …"), tr("Exports the perplexity chart as PNG, SVG, PDF or CSV"), this);
    clear_ = clear;
    for (QWidget* control : std::initializer_list<QWidget*> { state_, metric_, scale_, over, clear, save })
        chartCard_->addControl(control);
    notes_ = roleLabel(QString(), "muted", this);
    notes_->setObjectName(QStringLiteral("sweepNotes"));
    notes_->setWordWrap(true);
    chartCard_->content()->addWidget(charts_->legend());
    chartCard_->content()->addWidget(charts_->metric(), 1);
    chartCard_->content()->addWidget(notes_);
    connect(scale_, &QComboBox::currentIndexChanged, this, &SweepPage::refresh);
    connect(metric_, &QComboBox::currentIndexChanged, this, &SweepPage::refresh);
    connect(over, &QToolButton::clicked, this, &SweepPage::layOverRequested);
    connect(clear, &QToolButton::clicked, this, &SweepPage::clearEarlierRuns);
    connect(save, &QToolButton::clicked, this, [this] { Q_EMIT exportRequested(charts_->metric()); });
}

void SweepPage::makeDifferenceCard()
{
    differenceCard_ = new Card(tr("Difference to"), this, Card::Words::below);
    reference_ = new QComboBox(this);
    reference_->setAccessibleName(tr("Method that the others are compared with"));
    reference_->setObjectName(QStringLiteral("sweepReference"));
    auto* save = flatButton(tr("Export …"), tr("Exports the difference chart as PNG, SVG, PDF or CSV"), this);
    differenceCard_->addControl(reference_);
    differenceCard_->addControl(save);
    differenceCard_->content()->addWidget(charts_->difference(), 1);
    connect(reference_, &QComboBox::activated, this, &SweepPage::refresh);
    connect(save, &QToolButton::clicked, this, [this] { Q_EMIT exportRequested(charts_->difference()); });
}

void SweepPage::makeTable()
{
    table_ = new QTableWidget(this);
    table_->setObjectName(QStringLiteral("sweepTable"));
    table_->setAccessibleName(tr("Perplexity by method and sparsity"));
    table_->setEditTriggers(QAbstractItemView::NoEditTriggers);
    table_->setShowGrid(false);
    table_->setHorizontalScrollBarPolicy(Qt::ScrollBarAsNeeded);
    table_->verticalHeader()->setDefaultSectionSize(24);
    table_->verticalHeader()->hide();
    table_->horizontalHeader()->setDefaultAlignment(Qt::AlignRight | Qt::AlignVCenter);
    table_->horizontalHeader()->setHighlightSections(false);
    table_->horizontalHeader()->setMinimumSectionSize(48);
    table_->setSelectionBehavior(QAbstractItemView::SelectRows);
    table_->setStyleSheet(
        QStringLiteral("QTableView::item { padding: 0 6px; } QHeaderView::section { padding: 3px 6px; }"));
    auto* shortcut = new QAction(this);
    shortcut->setShortcut(QKeySequence::Copy);
    shortcut->setShortcutContext(Qt::WidgetShortcut);
    table_->addAction(shortcut);
    connect(shortcut, &QAction::triggered, this, &SweepPage::copyTable);
}

void SweepPage::makeTableCard()
{
    tableCard_ = new Card(tr("Perplexity"), this);
    tableCard_->setSubtitle(tr("95% interval on hover"));
    auto* copy = flatButton(tr("Copy"), tr("Copies the table, to be pasted into a sheet"), this);
    tableCard_->addControl(copy);
    makeTable();
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
    tableCard_->content()->addWidget(table_);
    tableCard_->content()->addWidget(scroll, 1);
    connect(copy, &QToolButton::clicked, this, &SweepPage::copyTable);
}

void SweepPage::changeEvent(QEvent* event)
{
    QWidget::changeEvent(event);
    if (event->type() == QEvent::PaletteChange) // later: the application is walking through its widgets
        QMetaObject::invokeMethod(this, &SweepPage::showState, Qt::QueuedConnection);
}

void SweepPage::setRun(std::shared_ptr<const Run> run, bool finished)
{
    run_ = std::move(run);
    finished_ = finished;
    busy_ = run_ && !finished;
    error_.clear();
    refreshMethods();
    refresh();
}

void SweepPage::setBusy(bool busy)
{
    busy_ = busy;
    if (busy)
        error_.clear();
    refresh();
}

void SweepPage::setError(const QString& sentence)
{
    error_ = sentence;
    busy_ = false;
    refresh();
}

void SweepPage::addRun(std::shared_ptr<const Run> run, const QString& name)
{
    earlier_.push_back({ name, std::move(run) });
    refresh();
}

void SweepPage::clearEarlierRuns()
{
    earlier_.clear();
    refresh();
}

std::vector<const Exportable*> SweepPage::exportables() const { return { charts_->metric(), charts_->difference() }; }

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
    const auto metric = static_cast<charts::Metric>(metric_->currentIndex());
    const auto scale = scale_->currentIndex() == 0 ? charts::AxisScale::log : charts::AxisScale::linear;
    if (run_)
        charts_->setRun(*run_, earlier_, { metric, scale }, reference());
    else
        charts_->clear(busy_ ? tr("The first window is being computed …")
                             : tr("Start a sweep to see what eviction costs.\nThe chart grows window by window."));
    chartCard_->setTitle(charts_->metric()->data().title);
    chartCard_->setSubtitle(charts_->metric()->data().subtitle);
    differenceCard_->setTitle(run_ ? tr("Difference to") : charts_->difference()->data().title);
    differenceCard_->setSubtitle(charts_->difference()->data().subtitle);
    charts_->legend()->setVisible(run_ != nullptr);
    clear_->setVisible(!earlier_.empty());
    reference_->setVisible(run_ != nullptr);
    refreshTable();
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

void SweepPage::refreshTable()
{
    table_->clear();
    table_->setRowCount(0);
    table_->setColumnCount(0);
    table_->setVisible(run_ != nullptr);
    if (!run_)
        return;
    const auto sparsities = charts::sparsitiesOf(*run_);
    QStringList headings { tr("method") };
    for (const double sparsity : sparsities)
        headings << charts::valueText(sparsity, charts::NumberFormat::percent);
    table_->setColumnCount(static_cast<int>(headings.size()));
    table_->setHorizontalHeaderLabels(headings);
    table_->horizontalHeaderItem(0)->setTextAlignment(Qt::AlignLeft | Qt::AlignVCenter);
    table_->horizontalHeader()->setSectionResizeMode(QHeaderView::Stretch);
    table_->horizontalHeader()->setSectionResizeMode(0, QHeaderView::ResizeToContents);
    for (const std::string& method : methods(*run_))
        addTableRow(method, sparsities);
    table_->setFixedHeight(std::min(9, table_->rowCount()) * 24 + table_->horizontalHeader()->sizeHint().height() + 4);
}

void SweepPage::addTableRow(const std::string& method, const std::vector<double>& sparsities)
{
    const int row = table_->rowCount();
    table_->insertRow(row);
    table_->setItem(row, 0, new QTableWidgetItem(charts::methodTitle(method)));
    for (int column = 1; column < table_->columnCount(); ++column) {
        const double sparsity = sparsities[static_cast<std::size_t>(column - 1)];
        const SweepPoint* point = charts::pointOf(*run_, method, method == "dense" ? 0 : sparsity);
        auto* item = new QTableWidgetItem(
            charts::valueText(point ? point->perplexity : not_a_number, charts::NumberFormat::plain));
        item->setTextAlignment(Qt::AlignRight | Qt::AlignVCenter);
        if (point && std::isfinite(point->ci_low)) {
            const QString interval = charts::valueText(point->ci_low, charts::NumberFormat::plain) + tr(" to ")
                + charts::valueText(point->ci_high, charts::NumberFormat::plain);
            item->setToolTip(
                tr("%1 at %2: %3\n95% interval %4 over %5 windows")
                    .arg(charts::methodTitle(method), charts::valueText(sparsity, charts::NumberFormat::percent),
                        item->text(), interval, formatCount(point->windows)));
        }
        table_->setItem(row, column, item);
    }
}

void SweepPage::refreshWords()
{
    QStringList sentences;
    QStringList notes;
    if (run_) {
        for (const Finding& finding : findings(*run_, reference()))
            sentences << QString::fromStdString(finding.sentence);
        for (const Check& check : run_->audit.checks) {
            if (check.status == CheckStatus::warning)
                notes << tr("⚠ Audit, %1: %2")
                             .arg(QString::fromStdString(check.name), QString::fromStdString(check.detail));
        }
    }
    if (!error_.isEmpty())
        notes.prepend(QStringLiteral("✕ ") + error_);
    words_->setText(sentences.join(QStringLiteral("\n")));
    notes_->setText(notes.join(QLatin1Char('\n')));
    notes_->setVisible(!notes.isEmpty());
}

void SweepPage::showState()
{
    const Theme& colors = themeOf(this);
    QString text;
    QColor color = colors.muted;
    if (!error_.isEmpty()) {
        text = tr("✕ ended by an error");
        color = colors.fail;
    } else if (busy_) {
        text = run_
            ? tr("● window %1 of %2").arg(formatCount(run_->windows_done()), formatCount(run_->windows_of_shard()))
            : tr("● starting");
        color = colors.accent;
    } else if (run_) {
        const bool failed = run_->audit.failed();
        text = failed ? tr("✕ audit fails") : (run_->finished() ? tr("✓ done") : tr("stopped"));
        color = failed ? colors.fail : (run_->finished() ? colors.pass : colors.muted);
    }
    state_->setText(text);
    state_->setStyleSheet(QStringLiteral("color: %1; font-weight: 600").arg(color.name()));
    form_->setState(busy_, run_ && !run_->finished());
}

QString SweepPage::tableText() const
{
    QStringList lines;
    QStringList cells;
    for (int column = 0; column < table_->columnCount(); ++column)
        cells << table_->horizontalHeaderItem(column)->text();
    lines << cells.join(QLatin1Char('\t'));
    for (int row = 0; row < table_->rowCount(); ++row) {
        cells.clear();
        for (int column = 0; column < table_->columnCount(); ++column)
            cells << table_->item(row, column)->text();
        lines << cells.join(QLatin1Char('\t'));
    }
    return lines.join(QLatin1Char('\n'));
}

void SweepPage::copyTable() { QGuiApplication::clipboard()->setText(tableText()); }

} // namespace keepset::ui
