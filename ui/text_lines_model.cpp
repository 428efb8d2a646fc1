#include "ui/text_lines_model.h"

#include "core/selection.h"
#include "ui/format.h"
#include "ui/theme.h"
#include "ui/token_state.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace keepset::ui {

namespace {

    QVariant alignmentOf(int column, Qt::Alignment ofNumbers)
    {
        return QVariant((column == TextLinesModel::words ? Qt::AlignLeft : ofNumbers) | Qt::AlignVCenter);
    }

} // namespace

void TextLinesModel::setDocument(const Analysis& analysis, std::shared_ptr<const TokenDocument> document)
{
    beginResetModel();
    document_ = std::move(document);
    lines_ = text_lines(analysis);
    order_.resize(lines_.size());
    std::iota(order_.begin(), order_.end(), std::size_t { 0 });
    means_.assign(lines_.size(), not_a_number);
    shares_ = {};
    pins_.clear();
    endResetModel();
}

void TextLinesModel::setScores(const std::vector<float>& scores)
{
    means_ = line_means(lines_, scores);
    tell(score, score);
}

void TextLinesModel::setSelection(int side, const std::optional<RowSelection>& selection)
{
    const auto index = static_cast<std::size_t>(side);
    shares_[index] = selection ? line_shares(lines_, selection->labels) : std::vector<LabelShares>();
    titles_[index] = selection ? QString::fromStdString(selection->title) : QString();
    Q_EMIT headerDataChanged(Qt::Horizontal, firstSide + side, firstSide + side);
    tell(firstSide + side, firstSide + side);
}

void TextLinesModel::setPins(std::vector<Pin> pins)
{
    pins_ = std::move(pins);
    tell(position, position);
}

/// Values of columns changed; what is sorted by one of them stands anew.
void TextLinesModel::tell(int from, int to)
{
    if (lines_.empty())
        return;
    if (sortColumn_ >= from && sortColumn_ <= to)
        sort(sortColumn_, sortOrder_);
    Q_EMIT dataChanged(index(0, from), index(rowCount() - 1, to));
}

int TextLinesModel::rowCount(const QModelIndex& parent) const
{
    return parent.isValid() ? 0 : static_cast<int>(lines_.size());
}

int TextLinesModel::rowOf(std::int64_t token) const
{
    const auto behind = std::ranges::upper_bound(lines_, token, {}, &TextLine::begin);
    if (token < 0 || behind == lines_.begin() || token >= std::prev(behind)->end)
        return -1;
    const auto line = static_cast<std::size_t>(std::prev(behind) - lines_.begin());
    return static_cast<int>(std::ranges::find(order_, line) - order_.begin());
}

const LabelShares* TextLinesModel::sharesAt(int row, int side) const
{
    const auto& shares = shares_[static_cast<std::size_t>(side)];
    return shares.empty() ? nullptr : &shares[order_[static_cast<std::size_t>(row)]];
}

std::array<std::int64_t, 2> TextLinesModel::marksAt(int row) const
{
    const TextLine line = lineAt(row);
    std::array<std::int64_t, 2> tokens {};
    for (const Pin& pin : pins_)
        tokens[pin.stays ? 0 : 1]
            += std::max<std::int64_t>(0, std::min(pin.end, line.end) - std::max(pin.begin, line.begin));
    return tokens;
}

double TextLinesModel::keptOf(std::size_t line, int side) const
{
    const auto& shares = shares_[static_cast<std::size_t>(side)];
    return shares.empty() ? not_a_number : 1 - shares[line][static_cast<std::size_t>(Label::evicted)];
}

QString TextLinesModel::wordsOf(TextLine line) const
{
    constexpr int longest = 400; // more than a row is wide
    const int begin = document_->begin(line.begin);
    return document_->text().mid(begin, std::min(longest, document_->end(line.end - 1) - begin)).simplified();
}

QString TextLinesModel::sharesWords(int row, int side) const
{
    const LabelShares* shares = sharesAt(row, side);
    if (shares == nullptr)
        return {};
    QStringList parts;
    for (std::size_t label = 1; label < shares->size(); ++label) {
        if ((*shares)[label] > 0)
            parts << tr("%1 %2").arg(labelTitle(static_cast<Label>(label)), formatPercent((*shares)[label], 0));
    }
    const QString kept = tr("%1 kept").arg(formatPercent(keptOf(order_[static_cast<std::size_t>(row)], side), 0));
    return parts.isEmpty() ? kept : tr("%1: %2").arg(kept, parts.join(QStringLiteral(", ")));
}

QString TextLinesModel::toolTipOf(const QModelIndex& index) const
{
    const TextLine line = lineAt(index.row());
    if (index.column() >= firstSide)
        return sharesWords(index.row(), index.column() - firstSide);
    QStringList parts { tr("tokens %1 to %2").arg(formatCount(line.begin), formatCount(line.end - 1)) };
    const auto [stay, go] = marksAt(index.row());
    if (stay > 0)
        parts << tr("%1 marked to stay").arg(formatCount(stay));
    if (go > 0)
        parts << tr("%1 marked to go").arg(formatCount(go));
    return parts.join(QStringLiteral(" · "));
}

QVariant TextLinesModel::data(const QModelIndex& index, int role) const
{
    if (!index.isValid())
        return {};
    if (role == Qt::ToolTipRole || (role == Qt::AccessibleTextRole && index.column() >= firstSide))
        return toolTipOf(index);
    if (role == Qt::TextAlignmentRole)
        return alignmentOf(index.column(), Qt::AlignRight);
    if (role == Qt::FontRole && index.column() == words)
        return serifFont(13);
    if (role != Qt::DisplayRole)
        return {};
    const std::size_t line = order_[static_cast<std::size_t>(index.row())];
    switch (index.column()) {
    case position:
        return formatCount(lines_[line].begin);
    case words:
        return wordsOf(lines_[line]);
    case score:
        return formatSignificant(means_[line]);
    default:
        return sharesAt(index.row(), index.column() - firstSide)
            ? formatPercent(keptOf(line, index.column() - firstSide), 0)
            : QString();
    }
}

QVariant TextLinesModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation != Qt::Horizontal)
        return {};
    if (role == Qt::TextAlignmentRole)
        return alignmentOf(section, Qt::AlignHCenter); // the arrow of sorting stands at the right
    if (role == Qt::ToolTipRole)
        return section >= firstSide ? tr("Share of the line's tokens that the policy keeps")
            : section == score      ? tr("Mean score of the line's tokens")
                                    : QVariant();
    if (role != Qt::DisplayRole)
        return {};
    switch (section) {
    case position:
        return tr("token");
    case words:
        return tr("line");
    case score:
        return tr("score");
    default:
        return titles_[static_cast<std::size_t>(section - firstSide)];
    }
}

void TextLinesModel::sort(int column, Qt::SortOrder order)
{
    Q_EMIT layoutAboutToBeChanged({}, QAbstractItemModel::VerticalSortHint);
    const QModelIndexList before = persistentIndexList();
    std::vector<std::size_t> chosen;
    for (const QModelIndex& index : before)
        chosen.push_back(order_[static_cast<std::size_t>(index.row())]);
    sortColumn_ = column;
    sortOrder_ = order;
    std::iota(order_.begin(), order_.end(), std::size_t { 0 });
    const auto value = [&](std::size_t line) {
        return column == score    ? means_[line]
            : column >= firstSide ? keptOf(line, column - firstSide)
                                  : static_cast<double>(line);
    };
    // Stable, so that equal ones stay in the order of the text.
    std::ranges::stable_sort(order_, [&](std::size_t a, std::size_t b) {
        return order == Qt::AscendingOrder ? value(a) < value(b) : value(a) > value(b);
    });
    std::vector<int> rows(order_.size());
    for (std::size_t row = 0; row < order_.size(); ++row)
        rows[order_[row]] = static_cast<int>(row);
    QModelIndexList after;
    for (qsizetype i = 0; i < before.size(); ++i)
        after << index(rows[chosen[static_cast<std::size_t>(i)]], before[i].column());
    changePersistentIndexList(before, after);
    Q_EMIT layoutChanged({}, QAbstractItemModel::VerticalSortHint);
}

} // namespace keepset::ui

#include "moc_text_lines_model.cpp"
