#include "ui/text_lines_view.h"

#include "ui/text_lines_model.h"
#include "ui/theme.h"
#include "ui/token_text_view.h"

#include <QHeaderView>
#include <QKeyEvent>
#include <QPainter>
#include <QStyledItemDelegate>

namespace keepset::ui {

namespace {

    constexpr int lineRowHeight = 22; // px
    constexpr int numberWidth = 36;
    constexpr int smallWidth = 520; // of a table whose columns of numbers are narrow, so that its words can be read

    /// Paints what is kept of a line as a bar of its labels with the number beside it, and what is marked in it.
    class LineDelegate : public QStyledItemDelegate {
    public:
        LineDelegate(const TextLinesModel* lines, QObject* parent)
            : QStyledItemDelegate(parent)
            , lines_(lines)
        {
        }

        void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override
        {
            QStyledItemDelegate::paint(painter, option, index);
            const Theme& t = themeOf(option.widget);
            if (index.column() >= TextLinesModel::firstSide)
                paintBar(*painter, option.rect, index, t);
            if (index.column() != TextLinesModel::position)
                return;
            const auto [stay, go] = lines_->marksAt(index.row());
            const QRectF box(option.rect.left() + 3, option.rect.top() + 4, 8, lineRowHeight - 8);
            if (stay > 0)
                drawPin(*painter, true, box, t);
            if (go > 0)
                drawPin(*painter, false, box, t);
        }

    private:
        void paintBar(QPainter& painter, const QRect& cell, const QModelIndex& index, const Theme& t) const
        {
            const LabelShares* shares = lines_->sharesAt(index.row(), index.column() - TextLinesModel::firstSide);
            if (shares == nullptr)
                return;
            const QRectF bar = QRectF(cell).adjusted(6, 6, -numberWidth - 6, -6);
            painter.fillRect(bar, t.line);
            double left = bar.left();
            for (std::size_t label = 1; label < shares->size(); ++label) {
                const double width = (*shares)[label] * bar.width();
                painter.fillRect(QRectF(left, bar.top(), width, bar.height()), t.label(static_cast<Label>(label)));
                left += width;
            }
            painter.setPen(QPen(t.ink, 1)); // where what is kept ends, also without colour
            painter.drawLine(QPointF(left, bar.top() - 2), QPointF(left, bar.bottom() + 2));
        }

        const TextLinesModel* lines_;
    };

} // namespace

TextLinesView::TextLinesView(TextLinesModel* lines, QWidget* parent)
    : QTableView(parent)
    , lines_(lines)
{
    setModel(lines);
    setItemDelegate(new LineDelegate(lines, this));
    setSelectionBehavior(SelectRows);
    setSelectionMode(SingleSelection);
    setShowGrid(false);
    setWordWrap(false);
    setTabKeyNavigation(false);
    setMouseTracking(true);
    setFont(interfaceFont(12));
    setMinimumHeight(96);
    verticalHeader()->hide();
    verticalHeader()->setSectionResizeMode(QHeaderView::Fixed);
    verticalHeader()->setDefaultSectionSize(lineRowHeight);
    horizontalHeader()->setHighlightSections(false);
    horizontalHeader()->setMinimumSectionSize(40);
    horizontalHeader()->setSectionResizeMode(TextLinesModel::words, QHeaderView::Stretch);
    setSortingEnabled(true);
    sortByColumn(TextLinesModel::position, Qt::AscendingOrder);
    const auto choose = [this](const QModelIndex& index) { Q_EMIT lineChosen(lines_->lineAt(index.row()).begin); };
    connect(this, &QTableView::clicked, this, choose);
    connect(this, &QTableView::activated, this, choose);
}

void TextLinesView::resizeEvent(QResizeEvent* event)
{
    const bool small = viewport()->width() < smallWidth;
    setColumnWidth(TextLinesModel::position, small ? 68 : 76);
    setColumnWidth(TextLinesModel::score, small ? 54 : 66);
    for (const int side : { TextLinesModel::firstSide, TextLinesModel::secondSide })
        setColumnWidth(side, small ? 72 : 108); // bar and number
    QTableView::resizeEvent(event);
}

void TextLinesView::setCurrentToken(std::int64_t token)
{
    const int row = lines_->rowOf(token);
    if (row < 0)
        return clearSelection();
    if (currentIndex().row() != row || !selectionModel()->isRowSelected(row))
        setCurrentIndex(lines_->index(row, TextLinesModel::words));
}

} // namespace keepset::ui

#include "moc_text_lines_view.cpp"
