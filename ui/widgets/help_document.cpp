#include "ui/widgets/help_document.h"

#include "ui/theme.h"

#include <QTextBlock>
#include <QTextCursor>
#include <QTextDocument>
#include <QTextFrame>
#include <QTextTable>

namespace keepset::ui {

namespace {

    void spread(QTextDocument& document)
    {
        for (QTextBlock block = document.begin(); block.isValid(); block = block.next()) {
            QTextCursor cursor(block);
            QTextBlockFormat format = block.blockFormat();
            format.setLineHeight(cursor.currentTable() ? 118 : 135, QTextBlockFormat::ProportionalHeight);
            if (format.headingLevel() > 0)
                format.setTopMargin(14);
            cursor.setBlockFormat(format);
        }
    }

    /// Thin rules, no boxes: a line under the heading and under every row.
    void rule(QTextTable& table, const Theme& theme)
    {
        QTextTableFormat format = table.format();
        format.setBorder(0);
        format.setBorderCollapse(true);
        format.setCellSpacing(0);
        format.setCellPadding(0);
        format.setTopMargin(6);
        format.setBottomMargin(10);
        table.setFormat(format);
        for (int row = 0; row < table.rows(); ++row) {
            for (int column = 0; column < table.columns(); ++column) {
                QTextTableCell cell = table.cellAt(row, column);
                QTextTableCellFormat look = cell.format().toTableCellFormat();
                look.setTopPadding(4);
                look.setBottomPadding(4);
                look.setLeftPadding(column == 0 ? 2 : 8);
                look.setRightPadding(8);
                look.setBottomBorder(row == 0 ? 2 : 1);
                look.setBottomBorderStyle(QTextFrameFormat::BorderStyle_Solid);
                look.setBottomBorderBrush(row == 0 ? theme.muted : theme.line);
                if (row == 0)
                    look.setFontWeight(QFont::DemiBold);
                cell.setFormat(look);
            }
        }
    }

    void ruleTables(QTextFrame& frame, const Theme& theme)
    {
        for (QTextFrame* child : frame.childFrames()) {
            if (auto* table = qobject_cast<QTextTable*>(child))
                rule(*table, theme);
            ruleTables(*child, theme);
        }
    }

} // namespace

void layOutHelp(QTextDocument& document, const Theme& theme)
{
    spread(document);
    ruleTables(*document.rootFrame(), theme);
}

} // namespace keepset::ui
