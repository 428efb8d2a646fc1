#include "tests/support/test_main.h"
#include "ui/theme.h"
#include "ui/widgets/help_window.h"

#include <QApplication>
#include <QDir>
#include <QLineEdit>
#include <QListWidget>
#include <QTest>
#include <QTextBlock>
#include <QTextBrowser>
#include <QTextDocument>
#include <QTextFrame>
#include <QTextTable>
#include <QToolButton>

using namespace keepset::ui;

class TestHelp : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { installTheme(*qApp, Appearance::light); }

    void every_page_is_in_the_list()
    {
        HelpWindow help;
        auto* list = help.findChild<QListWidget*>(QStringLiteral("helpPages"));
        QStringList listed;
        for (int row = 0; row < list->count(); ++row) {
            list->setCurrentRow(row);
            listed << help.page();
        }
        QStringList pages = QDir(QStringLiteral(":/help")).entryList({ QStringLiteral("*.md") });
        listed.sort();
        pages.sort();
        QCOMPARE(listed, pages);
    }

    void titles_in_the_list_keep_away_from_its_edge()
    {
        HelpWindow help;
        help.show();
        const auto* list = help.findChild<QListWidget*>(QStringLiteral("helpPages"));
        QVERIFY(
            list->visualItemRect(list->item(0)).height() >= list->fontMetrics().height() + 10); // 5 px above and below
    }

    void back_leads_to_the_page_before()
    {
        HelpWindow help;
        help.show();
        help.open(QStringLiteral("index.md"));
        auto* back = help.findChild<QToolButton*>(QStringLiteral("helpBack"));
        QVERIFY(!back->isEnabled());
        help.open(QStringLiteral("files.md"));
        help.open(QStringLiteral("policies.md"));
        back->click();
        QCOMPARE(help.page(), QStringLiteral("files.md"));
        back->click();
        QCOMPARE(help.page(), QStringLiteral("index.md"));
        QVERIFY(!back->isEnabled());
        QTest::keyClick(&help, Qt::Key_Escape);
        QVERIFY(!help.isVisible());
    }

    void words_are_found_on_other_pages_too()
    {
        HelpWindow help;
        help.open(QStringLiteral("index.md"));
        auto* search = help.findChild<QLineEdit*>(QStringLiteral("helpSearch"));
        search->setText(QStringLiteral("safetensors"));
        QTest::keyClick(search, Qt::Key_Return);
        auto* browser = help.findChild<QTextBrowser*>();
        QCOMPARE(browser->textCursor().selectedText().toLower(), QStringLiteral("safetensors"));
        QVERIFY(!help.find(QStringLiteral("no such words in any page of it")));
    }

    void pictures_are_there_and_no_wider_than_the_text()
    {
        HelpWindow help;
        help.open(QStringLiteral("first-steps.md"));
        const QTextDocument& page = *help.findChild<QTextBrowser*>()->document();
        int pictures = 0;
        for (QTextBlock block = page.begin(); block.isValid(); block = block.next()) {
            for (auto piece = block.begin(); !piece.atEnd(); ++piece) {
                const QTextImageFormat picture = piece.fragment().charFormat().toImageFormat();
                if (!picture.isValid())
                    continue;
                ++pictures;
                QVERIFY2(QImage(QStringLiteral(":/help/") + picture.name()).width() > 1000, qPrintable(picture.name()));
                QVERIFY(picture.width() <= help.width());
                const QImage drawn = page.resource(QTextDocument::ImageResource, QUrl(picture.name())).value<QImage>();
                QCOMPARE(drawn.width(), static_cast<int>(picture.width() * drawn.devicePixelRatio()));
            }
        }
        QVERIFY(pictures >= 4);
    }

    void tables_are_ruled_and_have_no_boxes()
    {
        HelpWindow help;
        help.open(QStringLiteral("command-line.md"));
        int tables = 0;
        for (const QTextFrame* frame : help.findChild<QTextBrowser*>()->document()->rootFrame()->childFrames()) {
            const auto* table = qobject_cast<const QTextTable*>(frame);
            if (!table)
                continue;
            ++tables;
            QCOMPARE(table->format().border(), 0.0);
            const QTextTableCellFormat heading = table->cellAt(0, 0).format().toTableCellFormat();
            QCOMPARE(heading.bottomBorderStyle(), QTextFrameFormat::BorderStyle_Solid);
            QCOMPARE(heading.bottomBorder(), 2.0);
        }
        QVERIFY(tables > 0);
        const QString folder = QCoreApplication::applicationDirPath() + QStringLiteral("/../pictures");
        QVERIFY(QDir().mkpath(folder));
        QVERIFY(help.grab().save(folder + QStringLiteral("/help.png")));
    }
};

KEEPSET_TEST(TestHelp)
#include "tst_help.moc"
