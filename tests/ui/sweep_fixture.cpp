#include "tests/ui/sweep_fixture.h"

#include "ui/pages/run_list.h"
#include "ui/pages/sweep_form.h"
#include "ui/pages/sweep_page.h"

#include <QApplication>
#include <QDropEvent>
#include <QFile>
#include <QFileInfo>
#include <QMimeData>
#include <QPushButton>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>
#include <QTreeWidget>
#include <QUrl>

using keepset::SweepRequest;
using keepset::ui::MainWindow;
using keepset::ui::Session;
using keepset::ui::SweepForm;
using keepset::ui::SweepPage;

namespace fixture {

QString cli() { return QCoreApplication::applicationDirPath() + QStringLiteral("/keepset-cli"); }

void startSweep(MainWindow& window)
{
    QSignalSpy counted(window.session(), &Session::tokensCounted);
    show(window);
    window.openModel(demo(QStringLiteral("model")));
    window.openText(demo(QStringLiteral("heldout-books-test.txt")));
    QTRY_VERIFY_WITH_TIMEOUT(!counted.isEmpty() && counted.last()[1].toBool(), patience);
    waitForAnalysis(window);
    auto* form = window.findChild<SweepForm*>();
    SweepRequest small = form->request().value();
    small.policies = keepset::parse_policies("dense,h2o");
    small.sparsities = { 0.5, 0.9 };
    small.context = 96;
    small.target = 32;
    small.windows = 2000;
    form->setRequest(small);
    QVERIFY(window.startSweep());
    const auto* page = window.findChild<SweepPage*>();
    QTRY_VERIFY_WITH_TIMEOUT(page->run() && page->run()->windows_done() > 0, patience);
}

void stop(MainWindow& window)
{
    click(window, QStringLiteral("sweepStop"));
    QTRY_VERIFY_WITH_TIMEOUT(!window.session()->busyWith(Session::Kind::sweep), patience);
}

void click(MainWindow& window, const QString& button)
{
    auto* found = window.findChild<QAbstractButton*>(button);
    QVERIFY2(found && found->isVisibleTo(&window) && found->isEnabled(), qPrintable(button));
    found->click();
}

void drop(MainWindow& window, const QString& path, const QByteArray& bytes)
{
    static QTemporaryDir folder;
    QString dropped = path;
    if (!bytes.isEmpty()) {
        dropped = folder.filePath(QFileInfo(path).fileName());
        QFile file(dropped);
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write(bytes);
    }
    QMimeData data;
    data.setUrls({ QUrl::fromLocalFile(dropped) });
    QDragEnterEvent enter(QPoint(50, 50), Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
    QApplication::sendEvent(&window, &enter);
    QDropEvent event(QPointF(50, 50), Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
    QApplication::sendEvent(&window, &event);
}

std::unique_ptr<QTimer> answer(int& asked, const QString& button)
{
    auto timer = std::make_unique<QTimer>();
    timer->setProperty("button", button);
    QObject::connect(timer.get(), &QTimer::timeout, timer.get(), [&asked, timer = timer.get()] {
        QWidget* question = QApplication::activeModalWidget();
        if (question == nullptr || question->objectName() != QStringLiteral("endSweepQuestion"))
            return;
        ++asked;
        question->findChild<QPushButton*>(timer->property("button").toString())->click();
    });
    timer->start(20);
    return timer;
}

QTreeWidgetItem* lineOf(MainWindow& window, const QString& path)
{
    auto* tree = window.findChild<QTreeWidget*>(QStringLiteral("runList"));
    for (int row = 0; row < tree->topLevelItemCount(); ++row) {
        if (QFileInfo(tree->topLevelItem(row)->data(0, Qt::UserRole).toString()) == QFileInfo(path))
            return tree->topLevelItem(row);
    }
    return nullptr;
}

void choose(MainWindow& window, const QString& path)
{
    QTRY_VERIFY_WITH_TIMEOUT(lineOf(window, path) != nullptr, patience);
    window.findChild<QTreeWidget*>(QStringLiteral("runList"))->setCurrentItem(lineOf(window, path));
}

void startCli(QProcess& process, const QString& out)
{
    process.start(cli(),
        { QStringLiteral("sweep"), demo(QStringLiteral("model")), QStringLiteral("--text"),
            demo(QStringLiteral("heldout-books-test.txt")), QStringLiteral("--policies"),
            QStringLiteral("dense,h2o,cab"), QStringLiteral("--sparsity"), QStringLiteral("0.5,0.9"),
            QStringLiteral("--context"), QStringLiteral("200"), QStringLiteral("--target"), QStringLiteral("50"),
            QStringLiteral("--out"), out });
    QVERIFY(process.waitForStarted());
}

} // namespace fixture
