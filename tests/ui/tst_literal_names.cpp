#include "core/engine.h"
#include "tests/support/test_main.h"
#include "tests/ui/window_fixture.h"
#include "ui/main_window.h"
#include "ui/session.h"
#include "ui/widgets/error_bar.h"

#include <QAction>
#include <QApplication>
#include <QDir>
#include <QDragEnterEvent>
#include <QDropEvent>
#include <QLabel>
#include <QMenu>
#include <QMimeData>
#include <QTest>
#include <QTextDocument>

using namespace keepset;
using namespace keepset::ui;
using namespace fixture;

namespace {

const QString awkward = QStringLiteral("it's \"a\" & <b>ü<b> &lt; [*] <img src=x>");

QString source(const QString& path) { return QStringLiteral(KEEPSET_SOURCE_DIR "/") + path; }

/// What a reader sees of a text that Qt may take for HTML.
QString seen(const QString& text)
{
    if (!Qt::mightBeRichText(text))
        return text;
    QTextDocument document;
    document.setHtml(text);
    return document.toPlainText();
}

} // namespace

/// Names and tokens that look like HTML, keys or numbers of another language are shown as they are.
class TestLiteralNames : public WindowTest {
    Q_OBJECT

private:
    void open(MainWindow& window)
    {
        show(window);
        window.start({ in(awkward), in(awkward + ".txt"), {} });
        waitForAnalysis(window);
    }

private Q_SLOTS:
    void initTestCase()
    {
        WindowTest::initTestCase();
        QVERIFY(QDir().mkpath(in(awkward)));
        for (const char* name : { "config.json", "tokenizer.json", "model.safetensors" })
            QVERIFY(QFile::copy(source("tests/reference/golden/gqa7/") + name, in(awkward + "/" + name)));
        write(awkward + ".txt", "<b>bold</b> <img src=x> &lt; &amp; a && b \xE2\x80\xAE turned\nTwo lines of text.\n");
    }

    void every_label_says_that_its_text_is_plain_or_rich()
    {
        MainWindow window;
        open(window);
        for (const QLabel* label : window.findChildren<QLabel*>()) {
            const bool fixed = label->text().isEmpty() || !Qt::mightBeRichText(label->text());
            QVERIFY2(
                label->textFormat() != Qt::AutoText || fixed, qPrintable(label->objectName() + ": " + label->text()));
        }
        const auto shown = window.findChildren<QLabel*>();
        const auto has = [&](const QString& words) {
            return std::any_of(shown.begin(), shown.end(), [&](const QLabel* label) {
                return label->textFormat() == Qt::PlainText && label->text().contains(words);
            });
        };
        QVERIFY(has(awkward)); // the model's name
        for (const QWidget* widget : window.findChildren<QWidget*>()) {
            if (widget->toolTip().contains(QStringLiteral("ü")))
                QVERIFY2(seen(widget->toolTip()).contains(awkward), qPrintable(widget->toolTip()));
        }
        QVERIFY2(window.windowTitle().contains(QStringLiteral("[*][*]")), qPrintable(window.windowTitle()));
    }

    void menus_of_what_was_open_show_the_name_and_no_key()
    {
        {
            MainWindow window;
            open(window);
            window.close(); // remembers the model
        }
        MainWindow window;
        QList<QAction*> found; // the model and the text
        for (QMenu* menu : window.findChildren<QMenu*>()) {
            Q_EMIT menu->aboutToShow();
            for (QAction* action : menu->actions()) {
                if (action->text().contains(QStringLiteral("ü")))
                    found << action;
            }
        }
        QVERIFY(found.size() >= 2);
        const QString name = QString(awkward).replace(QLatin1Char('&'), QStringLiteral("&&"));
        for (const QAction* action : found) {
            QVERIFY2(action->text().startsWith(name), qPrintable(action->text()));
            QVERIFY(seen(action->toolTip()).contains(awkward));
        }
    }

    void an_error_shows_the_name_as_it_is()
    {
        MainWindow window;
        window.show();
        const QString missing = in(awkward + "/no\nwhere.h5");
        window.start({ {}, {}, { missing } });
        auto* bar = window.findChild<ErrorBar*>();
        QTRY_VERIFY_WITH_TIMEOUT(bar->isVisible(), patience);
        QVERIFY2(bar->text().contains(missing), qPrintable(bar->text()));
        QTextDocument document;
        document.setHtml(window.findChild<QLabel*>(QStringLiteral("errorText"))->text());
        QVERIFY2(document.toPlainText().contains(missing), qPrintable(document.toPlainText()));
    }

    void a_result_opens_by_its_first_bytes_whatever_its_name()
    {
        MainWindow window;
        open(window);
        save(*window.session()->analysis(), in(awkward + ".dat").toStdString(), true);
        MainWindow other;
        other.show();
        QMimeData dropped;
        dropped.setUrls({ QUrl::fromLocalFile(in(awkward + ".dat")) });
        QDragEnterEvent enter(QPoint(50, 50), Qt::CopyAction, &dropped, Qt::LeftButton, Qt::NoModifier);
        QApplication::sendEvent(&other, &enter);
        QDropEvent drop(QPointF(50, 50), Qt::CopyAction, &dropped, Qt::LeftButton, Qt::NoModifier);
        QApplication::sendEvent(&other, &drop);
        QTRY_VERIFY_WITH_TIMEOUT(other.session()->analysis() != nullptr, patience);
        QVERIFY(!other.findChild<ErrorBar*>()->isVisible());
    }

    void a_result_is_not_saved_over_the_model()
    {
        MainWindow window;
        open(window);
        QFile config(in(awkward + "/config.json"));
        QVERIFY(config.open(QIODevice::ReadOnly));
        const QByteArray before = config.readAll();
        config.close();
        window.session()->saveAnalysis(config.fileName(), {});
        QTRY_VERIFY_WITH_TIMEOUT(window.findChild<ErrorBar*>()->isVisible(), patience);
        QVERIFY2(window.findChild<ErrorBar*>()->text().contains(QStringLiteral("a file of the model")),
            qPrintable(window.findChild<ErrorBar*>()->text()));
        QVERIFY(config.open(QIODevice::ReadOnly));
        QCOMPARE(config.readAll(), before);
    }
};

KEEPSET_TEST(TestLiteralNames)
#include "tst_literal_names.moc"
