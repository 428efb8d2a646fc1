#include "core/command.h"
#include "core/result_files.h"
#include "tests/support/test_main.h"
#include "tests/ui/plausible.h"
#include "tests/ui/window_fixture.h"
#include "ui/exporter.h"
#include "ui/importance_strip.h"
#include "ui/main_window.h"
#include "ui/plot/heatmap_widget.h"
#include "ui/selection_state.h"
#include "ui/session.h"
#include "ui/shown.h"
#include "ui/widgets/shown_line.h"

#include <QApplication>
#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QLabel>
#include <QRegularExpression>
#include <QSignalSpy>
#include <QSpinBox>
#include <QTabWidget>
#include <QTemporaryDir>
#include <QTest>

using namespace keepset;
using namespace keepset::ui;
using namespace fixture;

namespace {

QString stale(const MainWindow& window)
{
    const auto* words = window.findChild<QLabel*>(QStringLiteral("staleWords"));
    return words->isHidden() ? QString() : words->text();
}

QString line(const MainWindow& window) { return window.findChild<ShownLine*>()->text(); }

QString textOf(const MainWindow& window, const char* label)
{
    return window.findChild<QLabel*>(QLatin1String(label))->text();
}

} // namespace

/// Nothing of an old result stands under the name of a new model or text.
class TestShown : public WindowTest {
    Q_OBJECT

private:
    QString copyOfDemo(const QString& name) const
    {
        const QDir copy(in(name));
        copy.mkpath(QStringLiteral("."));
        for (const char* file : { "config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors" }) {
            QFile::copy(demo(QStringLiteral("model/") + QLatin1String(file)), copy.filePath(QLatin1String(file)));
            QFile::setPermissions(copy.filePath(QLatin1String(file)), QFile::ReadOwner | QFile::WriteOwner);
        }
        return copy.path();
    }

private Q_SLOTS:
    void a_line_says_of_what_by_which_and_where()
    {
        auto analysis = std::make_shared<Analysis>(*test::plausibleAnalysis(4, 3, 1024));
        analysis->offset = 2150;
        analysis->provenance.model_name = "SmolLM2";
        analysis->provenance.text_name = "wiki.txt";
        analysis->provenance.dtype = "float32";
        analysis->provenance.device = "cpu (CPU, 2 threads)";
        analysis->provenance.created = "2026-11-29T04:05:06Z";
        SelectionState selection;
        selection.setSparsity(0.855);
        Shown shown = shownOf(*analysis, selection, QStringLiteral("layer 3's mean"));
        QCOMPARE(lineOf(shown),
            QStringLiteral("SmolLM2 · wiki.txt · from 2,150 · 1,024 tokens · cumulative / mean · layer 3's mean · "
                           "85.5% evicted · float32 on CPU, 2 threads · 2026-11-29 04:05 UTC"));
        selection.setPins({ { 4, 10, true }, { 10, 12, false } });
        QVERIFY(lineOf(shownOf(*analysis, selection, {}))
                    .contains(QStringLiteral("85.5% evicted · 6 marked to stay, 2 to go · float32")));
        shown.file = QStringLiteral("trace.h5");
        QVERIFY(lineOf(shown).startsWith(QStringLiteral("trace.h5 · SmolLM2")));
        const QString run = lineOf(shownOf(*test::plausibleRun(5)));
        QVERIFY2(run.contains(QStringLiteral("windows of ")) && run.contains(QStringLiteral("keep set per "))
                && run.contains(QStringLiteral("5 of 8 windows")),
            qPrintable(run));
    }

    void a_text_that_is_not_analysed_leaves_the_old_result_its_name()
    {
        MainWindow window;
        openDemo(window);
        QVERIFY(line(window).contains(QStringLiteral("demo.txt")));
        QCOMPARE(stale(window), QString());
        window.findChild<QSpinBox*>(QStringLiteral("offset"))->setValue(500);
        connect(window.session(), &Session::tokensCounted, &window, [&] {
            QMetaObject::invokeMethod(
                window.session(), [&] { window.session()->cancel(); }, Qt::QueuedConnection);
        });
        window.openText(write("tiny.txt", QByteArray("Three words here. ").repeated(30)));
        QTRY_VERIFY_WITH_TIMEOUT(textOf(window, "textName").contains(QStringLiteral("tiny.txt")), patience);
        QTRY_VERIFY_WITH_TIMEOUT(!window.session()->busy(), patience);
        QCOMPARE(window.findChild<QSpinBox*>(QStringLiteral("offset"))->value(), 0); // it has no 500 tokens
        QVERIFY(line(window).contains(QStringLiteral("demo.txt")));
        QVERIFY(textOf(window, "setupShown").contains(QStringLiteral("demo.txt")));
        QVERIFY(stale(window).contains(QStringLiteral("not of the open")));
        QVERIFY(textOf(window, "setupShown").contains(QStringLiteral("not of the open")));
    }

    void a_model_that_is_open_but_not_analysed_makes_the_old_result_stale()
    {
        MainWindow window;
        openDemo(window);
        const QString copy = copyOfDemo(QStringLiteral("other"));
        QString then;
        connect(window.session(), &Session::modelOpened, &window, [&] { then = stale(window); });
        const auto before = window.session()->analysis();
        window.openModel(copy);
        QTRY_VERIFY_WITH_TIMEOUT(window.session()->analysis() != before, patience);
        QVERIFY(then.contains(QStringLiteral("not of the open")));
        QCOMPARE(stale(window), QString());
        QVERIFY2(line(window).startsWith(QStringLiteral("other · ")), qPrintable(line(window)));
    }

    /// Two models of one name and shape, the second one's weights changed in one byte.
    void a_model_of_the_same_name_in_another_folder_is_another_model()
    {
        MainWindow window;
        openDemo(window);
        const QString trace = in(QStringLiteral("first.h5"));
        QSignalSpy saved(window.session(), &Session::saved);
        window.session()->saveAnalysis(trace);
        QTRY_COMPARE_WITH_TIMEOUT(saved.size(), 1, patience);
        const QString other = copyOfDemo(QStringLiteral("elsewhere/model"));
        QFile weights(other + QStringLiteral("/model.safetensors"));
        QVERIFY(weights.open(QIODevice::ReadWrite) && weights.seek(weights.size() - 1) && weights.putChar('\1'));
        weights.close();
        QString then;
        QString whose;
        connect(window.session(), &Session::modelOpened, &window, [&] {
            then = stale(window);
            whose = line(window);
        });
        const auto before = window.session()->analysis();
        window.openModel(other);
        QTRY_VERIFY_WITH_TIMEOUT(window.session()->analysis() != before, patience);
        QVERIFY(then.contains(QStringLiteral("not of the open")));
        const QString folder = QFileInfo(demo(QStringLiteral("model"))).path();
        QVERIFY2(whose.contains(QStringLiteral("model (in %1) · demo.txt").arg(folder)), qPrintable(whose));
        QCOMPARE(stale(window), QString());
        QVERIFY2(line(window).startsWith(QStringLiteral("model · ")), qPrintable(line(window)));
        window.openAny(trace);
        QTRY_VERIFY_WITH_TIMEOUT(line(window).startsWith(QStringLiteral("first.h5 · ")), patience);
        QVERIFY(stale(window).contains(QStringLiteral("not of the open")));
        QVERIFY2(line(window).contains(
                     QRegularExpression(QStringLiteral("^first.h5 · model \\(weights [0-9a-f]{8} …\\) · demo.txt"))),
            qPrintable(line(window)));
    }

    void a_file_is_shown_under_its_own_names()
    {
        MainWindow window;
        openDemo(window);
        QVERIFY(line(window).startsWith(QStringLiteral("demo model · demo.txt")));
        const QString trace = in(QStringLiteral("trace.h5"));
        QSignalSpy saved(window.session(), &Session::saved);
        window.session()->saveAnalysis(trace);
        QTRY_COMPARE_WITH_TIMEOUT(saved.size(), 1, patience);
        const auto command = words_of_shell(load_analysis(trace.toStdString())->provenance.command);
        QVERIFY(command && command->size() == 9);
        QCOMPARE(command->at(0) + " " + command->at(1), std::string("keepset-cli analyze"));
        QVERIFY(QFileInfo(QString::fromStdString(command->at(2))) == QFileInfo(demo(QStringLiteral("model"))));
        QVERIFY(QFileInfo(QString::fromStdString(command->at(4))) == QFileInfo(demo(QStringLiteral("demo.txt"))));
        QCOMPARE(command->at(6), std::string("1024"));
        window.openText(write("other.txt", QByteArray("Some other words of a text. ").repeated(60)));
        QTRY_VERIFY_WITH_TIMEOUT(line(window).contains(QStringLiteral("other.txt")), patience);
        window.openAny(trace);
        QTRY_VERIFY_WITH_TIMEOUT(line(window).startsWith(QStringLiteral("trace.h5 · ")), patience);
        QVERIFY(line(window).contains(QStringLiteral("demo.txt")));
        QVERIFY(stale(window).contains(QStringLiteral("not of the open")));
        QVERIFY(textOf(window, "setupShown").startsWith(QStringLiteral("trace.h5")));
    }

    void a_verdict_on_a_table_is_not_one_on_the_open_model()
    {
        MainWindow window;
        openDemo(window);
        const QString before = textOf(window, "auditLine");
        QSignalSpy audited(window.session(), &Session::tableAudited);
        window.openAny(QStringLiteral(KEEPSET_SOURCE_DIR "/resources/examples/published-faulty.csv"));
        QTRY_COMPARE_WITH_TIMEOUT(audited.size(), 1, patience);
        QCOMPARE(textOf(window, "auditLine"), before);
        QCOMPARE(line(window), QStringLiteral("published-faulty.csv")); // its page is shown
        window.showPage(0);
        QVERIFY(line(window).contains(QStringLiteral("demo.txt")));
    }

    void a_chosen_token_stays_with_its_text()
    {
        MainWindow window;
        openDemo(window);
        window.selection()->setToken(46);
        window.analyse(); // the same text once more
        QTRY_VERIFY_WITH_TIMEOUT(!window.session()->busy(), patience);
        QCOMPARE(window.selection()->token(), std::int64_t { 46 });
        const auto before = window.session()->analysis();
        window.openText(write("another.txt", QByteArray("Some other words of a text. ").repeated(60)));
        QTRY_VERIFY_WITH_TIMEOUT(window.session()->analysis() != before, patience);
        QCOMPARE(window.selection()->token(), std::int64_t { -1 });
    }

    void kept_marks_stand_under_the_maps_right_after_an_analysis()
    {
        MainWindow window;
        openDemo(window);
        window.showPage(1);
        auto* map = window.findChild<plot::HeatmapWidget*>(QStringLiteral("layerMap"));
        QTRY_VERIFY_WITH_TIMEOUT(map->heatmap().filled(), patience);
        QCOMPARE(map->heatmap().marks.size(), std::size_t { 2 });
        const auto* heads = window.findChild<plot::HeatmapWidget*>(QStringLiteral("headMap"));
        QVERIFY(heads->heatmap().subtitle.contains(QStringLiteral("whole model's mean")));
    }

    void every_exported_picture_says_of_what_it_is()
    {
        MainWindow window;
        openDemo(window);
        for (const int page : { 2, 3 }) { // what nobody looks at is not made
            window.showPage(page);
            QTRY_VERIFY_WITH_TIMEOUT(!window.session()->busy(), patience);
        }
        const auto maps = window.findChildren<plot::HeatmapWidget*>(); // they come from threads of their own
        QTRY_VERIFY_WITH_TIMEOUT(std::ranges::all_of(maps, &plot::HeatmapWidget::hasContent), patience);
        const QTemporaryDir target;
        window.exporter()->writeAll(target.path(), QStringLiteral("svg"));
        const QStringList files = QDir(target.path()).entryList({ QStringLiteral("*.svg") });
        QVERIFY(files.size() >= 3);
        for (const QString& name : files) {
            QFile file(target.filePath(name));
            QVERIFY(file.open(QIODevice::ReadOnly));
            const QString svg = QString::fromUtf8(file.readAll());
            QVERIFY2(svg.contains(QStringLiteral("demo model · demo.txt")), qPrintable(name));
        }
    }

    void the_colour_bar_says_what_its_numbers_are()
    {
        plot::HeatmapWidget map;
        map.resize(640, 300);
        plot::Heatmap content;
        content.values = plot::ownedValues(std::vector<float>(64, 0.5F), { 8, 8 });
        content.scale = ValueScale::linear(0, 1);
        map.setHeatmap(content);
        const QImage without = map.grab().toImage();
        content.valueTitle = QStringLiteral("cumulative importance");
        map.setHeatmap(content);
        const QRect end(map.width() - 20, 0, 20, map.height());
        QVERIFY(map.grab().toImage().copy(end) != without.copy(end));
    }
};

KEEPSET_TEST(TestShown)
#include "tst_shown.moc"
