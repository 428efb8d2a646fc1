#include "ui/widgets/help_document.h"

#include "ui/theme.h"

#include <QApplication>
#include <QImage>
#include <QTextBlock>
#include <QTextCursor>
#include <QTextDocument>
#include <QTextFrame>
#include <QTextTable>
#include <QUrl>

#include <vector>

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

    /// Pictures of the whole window, no wider than a column of text.
    void narrowPictures(QTextDocument& document)
    {
        constexpr double width = 660;
        std::vector<QTextCursor> pictures;
        for (QTextBlock block = document.begin(); block.isValid(); block = block.next()) {
            for (auto piece = block.begin(); !piece.atEnd(); ++piece) {
                if (!piece.fragment().charFormat().isImageFormat())
                    continue;
                const int at = piece.fragment().position();
                pictures.emplace_back(&document);
                pictures.back().setPosition(at);
                pictures.back().setPosition(at + piece.fragment().length(), QTextCursor::KeepAnchor);
            }
        }
        for (QTextCursor& picture : pictures) {
            QTextImageFormat format = picture.charFormat().toImageFormat();
            format.setWidth(width);
            // A document scales without smoothing.
            const double pixels = qApp->devicePixelRatio();
            QImage image = QImage(QStringLiteral(":/help/") + format.name());
            image = image.convertToFormat(QImage::Format_RGB32)
                        .scaledToWidth(static_cast<int>(width * pixels), Qt::SmoothTransformation);
            image.setDevicePixelRatio(pixels);
            document.addResource(QTextDocument::ImageResource, document.baseUrl().resolved(QUrl(format.name())), image);
            picture.setCharFormat(format);
        }
    }

} // namespace

void layOutHelp(QTextDocument& document, const Theme& theme)
{
    spread(document);
    narrowPictures(document);
    ruleTables(*document.rootFrame(), theme);
}

} // namespace keepset::ui
