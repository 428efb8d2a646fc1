#include "ui/pages/sweep_table.h"

#include "core/findings.h"
#include "ui/charts/metric_words.h"
#include "ui/charts/sweep_charts.h"
#include "ui/format.h"

#include <QAction>
#include <QClipboard>
#include <QGuiApplication>
#include <QHeaderView>

#include <algorithm>
#include <cmath>

namespace keepset::ui {

SweepTable::SweepTable(QWidget* parent)
    : QTableWidget(parent)
{
    setObjectName(QStringLiteral("sweepTable"));
    setEditTriggers(QAbstractItemView::NoEditTriggers);
    setShowGrid(false);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAsNeeded);
    verticalHeader()->setDefaultSectionSize(24);
    verticalHeader()->hide();
    horizontalHeader()->setDefaultAlignment(Qt::AlignRight | Qt::AlignVCenter);
    horizontalHeader()->setHighlightSections(false);
    horizontalHeader()->setMinimumSectionSize(48);
    setSelectionBehavior(QAbstractItemView::SelectRows);
    setStyleSheet(QStringLiteral("QTableView::item { padding: 0 6px; } QHeaderView::section { padding: 3px 6px; }"));
    auto* shortcut = new QAction(this);
    shortcut->setShortcut(QKeySequence::Copy);
    shortcut->setShortcutContext(Qt::WidgetShortcut);
    addAction(shortcut);
    connect(shortcut, &QAction::triggered, this, &SweepTable::copy);
}

void SweepTable::setRun(const Run* run, const Metric& metric)
{
    setAccessibleName(tr("%1 by method and sparsity").arg(charts::titleOf(metric)));
    clear();
    setRowCount(0);
    setColumnCount(0);
    setVisible(run != nullptr);
    if (run == nullptr)
        return;
    const auto sparsities = charts::sparsitiesOf(*run);
    QStringList headings { tr("method") };
    for (const double sparsity : sparsities)
        headings << charts::valueText(sparsity, charts::NumberFormat::percent);
    setColumnCount(static_cast<int>(headings.size()));
    setHorizontalHeaderLabels(headings);
    horizontalHeaderItem(0)->setTextAlignment(Qt::AlignLeft | Qt::AlignVCenter);
    horizontalHeader()->setSectionResizeMode(QHeaderView::Stretch);
    horizontalHeader()->setSectionResizeMode(0, QHeaderView::ResizeToContents);
    const std::vector<Interval> intervals = intervals_of(*run, metric); // (points)
    for (const std::string& method : methods(*run)) {
        std::vector<Interval> row; // (sparsities)
        for (const double sparsity : sparsities) {
            const SweepPoint* point = charts::pointOf(*run, method, method == "dense" ? 0 : sparsity);
            row.push_back(point ? intervals[static_cast<std::size_t>(point - run->points.data())] : Interval());
        }
        addRow(charts::methodTitle(method), row, metric);
    }
    setFixedHeight(std::min(9, rowCount()) * 24 + horizontalHeader()->sizeHint().height() + 4);
}

void SweepTable::addRow(const QString& title, const std::vector<Interval>& values, const Metric& metric)
{
    const int row = rowCount();
    insertRow(row);
    setItem(row, 0, new QTableWidgetItem(title));
    for (int column = 1; column < columnCount(); ++column) {
        const Interval& value = values[static_cast<std::size_t>(column - 1)];
        const auto words = [&](double number) { return charts::valueText(number, charts::formatOf(metric)); };
        auto* item = new QTableWidgetItem(words(value.mean));
        item->setTextAlignment(Qt::AlignRight | Qt::AlignVCenter);
        if (std::isfinite(value.low))
            item->setToolTip(tr("%1 at %2: %3\n95% interval %4 over %5 windows")
                                 .arg(title, horizontalHeaderItem(column)->text(), item->text(),
                                     words(value.low) + tr(" to ") + words(value.high), formatCount(value.count)));
        setItem(row, column, item);
    }
}

QString SweepTable::text() const
{
    QStringList lines;
    QStringList cells;
    for (int column = 0; column < columnCount(); ++column)
        cells << horizontalHeaderItem(column)->text();
    lines << cells.join(QLatin1Char('\t'));
    for (int row = 0; row < rowCount(); ++row) {
        cells.clear();
        for (int column = 0; column < columnCount(); ++column)
            cells << item(row, column)->text();
        lines << cells.join(QLatin1Char('\t'));
    }
    return lines.join(QLatin1Char('\n'));
}

void SweepTable::copy() const { QGuiApplication::clipboard()->setText(text()); }

} // namespace keepset::ui
