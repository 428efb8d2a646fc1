#pragma once

#include "core/selection.h"
#include "core/text_lines.h"
#include "ui/token_document.h"

#include <QAbstractTableModel>

#include <array>
#include <memory>
#include <optional>
#include <vector>

namespace keepset::ui {

/// The lines of a text as a table: where each begins, its words, its mean score, and the share of it that each of two
/// policies keeps. Sorts by any column.
class TextLinesModel : public QAbstractTableModel {
    Q_OBJECT

public:
    enum Column { position, words, score, firstSide, secondSide, columns };
    using QAbstractTableModel::QAbstractTableModel;

    void setDocument(const Analysis& analysis, std::shared_ptr<const TokenDocument> document);
    /// By position (context); as many as the document has tokens.
    void setScores(const std::vector<float>& scores);
    /// What the policy of a side keeps; none: nothing is said.
    void setSelection(int side, const std::optional<RowSelection>& selection);
    void setPins(std::vector<Pin> pins);

    TextLine lineAt(int row) const { return lines_[order_[static_cast<std::size_t>(row)]]; }
    /// The row of a token; -1: none.
    int rowOf(std::int64_t token) const;
    /// Shares of the labels of a line under the policy of a side; null: unknown.
    const LabelShares* sharesAt(int row, int side) const;
    /// Tokens of a line that must stay, and that must go.
    std::array<std::int64_t, 2> marksAt(int row) const;

    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& parent = {}) const override { return parent.isValid() ? 0 : columns; }
    QVariant data(const QModelIndex& index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;
    void sort(int column, Qt::SortOrder order) override;

private:
    void tell(int from, int to);
    QString wordsOf(TextLine line) const;
    QString sharesWords(int row, int side) const;
    QString toolTipOf(const QModelIndex& index) const;
    double keptOf(std::size_t line, int side) const;

    std::shared_ptr<const TokenDocument> document_;
    std::vector<TextLine> lines_;
    std::vector<std::size_t> order_; ///< of the rows, lines
    std::vector<double> means_; ///< (lines)
    std::array<std::vector<LabelShares>, 2> shares_; ///< (lines), or none
    std::array<QString, 2> titles_; ///< of the policies
    std::vector<Pin> pins_;
    int sortColumn_ = position;
    Qt::SortOrder sortOrder_ = Qt::AscendingOrder;
};

} // namespace keepset::ui
