// Times what the window does while a hand moves in it, with everything that is drawn in answer, and says whether what
// is promised of it is kept:
//   bench_window TRACE.h5 [WIDTH HEIGHT SCALE [WORDS]]
// on the platform of QT_QPA_PLATFORM, offscreen unless it is set; with WORDS only the moves whose name has them.
// A trace of 8192 tokens, as the targets have it, is made by `keepset-cli analyze MODEL_DIR --text FILE --context
// 8192`.
#include "ui/chart_export.h"
#include "ui/charts/chart_view.h"
#include "ui/charts/method_legend.h"
#include "ui/charts/sweep_charts.h"
#include "ui/main_window.h"
#include "ui/pages/heads_page.h"
#include "ui/plot/heatmap_widget.h"
#include "ui/selection_state.h"
#include "ui/session.h"
#include "ui/theme.h"
#include "ui/token_text_view.h"
#include "ui/widgets/error_bar.h"

#include <QApplication>
#include <QElapsedTimer>
#include <QFile>
#include <QSettings>
#include <QSlider>
#include <QStandardPaths>
#include <QTabWidget>
#include <QTemporaryDir>
#include <QVBoxLayout>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <functional>
#include <vector>

using namespace keepset;
using namespace keepset::ui;

namespace {

constexpr int rounds = 101;
constexpr double frame = 16; ///< ms: what moves under the hand is drawn within one
constexpr double firstPicture = 500; ///< ms
constexpr double cancelled = 200; ///< ms: Cancel answers

void drawAll()
{
    QCoreApplication::sendPostedEvents();
    QCoreApplication::processEvents();
}

const char* verdict(double ms, double promise) { return ms <= promise ? "kept" : "NOT KEPT"; }

void tell(const char* what, double ms, double promise)
{
    std::printf("%-44s %6.1f ms; promised %3.0f ms: %s\n", what, ms, promise, verdict(ms, promise));
}

/// Whether a move of this name was asked for.
bool isWanted(const char* what)
{
    const QStringList arguments = QCoreApplication::arguments();
    return arguments.size() <= 5 || QLatin1String(what).contains(arguments[5]);
}

/// Processor time of this thread in ms: what a move costs also where others work on the machine.
double processor()
{
    timespec now {};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

/// Ninety-five of a hundred are to be within a frame.
void measure(const char* what, const std::function<void(int)>& move)
{
    if (!isWanted(what))
        return;
    std::vector<double> times;
    std::vector<double> processorTimes;
    for (int round = -5; round < rounds; ++round) {
        QElapsedTimer timer;
        timer.start();
        const double begin = processor();
        move(round);
        drawAll();
        if (round < 0)
            continue;
        times.push_back(static_cast<double>(timer.nsecsElapsed()) / 1e6);
        processorTimes.push_back(processor() - begin);
    }
    std::sort(times.begin(), times.end());
    std::sort(processorTimes.begin(), processorTimes.end());
    const double most = times[times.size() * 95 / 100];
    std::printf("%-44s median %5.1f ms (processor %5.1f), 95%% below %5.1f ms, longest %5.1f ms; promised %2.0f ms: "
                "%s\n",
        what, times[times.size() / 2], processorTimes[processorTimes.size() / 2], most, times.back(), frame,
        verdict(most, frame));
}

/// A run of 20 methods at 20 sparsities over 32 windows, of which `done` are done.
Run largeRun(std::int64_t done)
{
    Run run;
    run.context = 1024;
    run.target = 256;
    run.windows = 32;
    run.done.assign(32, 0);
    std::fill_n(run.done.begin(), done, std::uint8_t { 1 });
    for (int method = 0; method <= 20; ++method) {
        for (int step = 0; step < (method == 0 ? 1 : 20); ++step) {
            SweepPoint point;
            point.policy = method == 0 ? "dense" : "h2o(local=0." + std::to_string(10 + method) + ")";
            point.sparsity = 0.05 * step;
            run.points.push_back(point);
            for (int window = 0; window < 32; ++window)
                run.window_nll.push_back(
                    255 * (2.7 + 0.1 * std::sin(window) + 0.001 * method * step * (1 + std::cos(window))));
        }
    }
    refresh_points(run);
    return run;
}

void measureSweep(QWidget& page, const std::function<void(const Run&)>& show)
{
    page.resize(1100, 900);
    page.show();
    std::vector<Run> snapshots;
    for (std::int64_t done = 5; done <= 32; ++done)
        snapshots.push_back(largeRun(done));
    measure("next window of 20 methods x 20 sparsities",
        [&](int round) { show(snapshots[static_cast<std::size_t>(round + 5) % snapshots.size()]); });
}

/// The Heads page: until it shows every head, and another one chosen on it.
void measureHeads(MainWindow& window)
{
    auto* page = window.findChild<HeadsPage*>();
    QElapsedTimer timer;
    timer.start();
    window.tabs()->setCurrentWidget(page);
    const auto shown = [&](auto done) {
        while (!done())
            QCoreApplication::processEvents(QEventLoop::AllEvents, 5);
        return static_cast<double>(timer.nsecsElapsed()) / 1e6;
    };
    const auto* sheet = page->findChild<plot::HeatmapWidget*>(QStringLiteral("headSheet"));
    const double first = shown([&] { return page->exportables().front()->hasContent(); });
    const double tiles = shown([&] { return sheet->heatmap().heads->is_finished(); });
    const double kept = shown([&] { return !page->isLoading(); });
    const auto analysis = window.session()->analysis();
    std::printf("%lld heads: first tiles there after %.0f ms, all tiles and numbers after %.0f ms, kept shares after "
                "%.0f ms\n",
        static_cast<long long>(analysis->layers * analysis->heads), first, tiles, kept);
    measure("another head chosen on the page Heads", [&](int round) {
        window.selection()->setHead(
            (round + 5) % analysis->layers, (round + 5) % analysis->heads, analysis->heads / analysis->kv_heads);
    });
    window.selection()->setScope({});
    drawAll();
}

/// A text of 50 MB is being cut into tokens; Cancel ends it.
void measureCancel(MainWindow& window, const QString& folder)
{
    QFile file(folder + QStringLiteral("/long.txt"));
    if (!file.open(QIODevice::WriteOnly) || file.write(QByteArray("Some words of a long text. ").repeated(2000000)) < 0)
        return;
    file.close();
    const auto until = [&](auto done) {
        while (!done() && !window.errorBar()->isVisible())
            QCoreApplication::processEvents(QEventLoop::AllEvents, 2);
    };
    window.openDemo();
    until([&] { return window.session()->analysis()->provenance.text_name == "demo.txt"; });
    until([&] { return !window.session()->busy(); });
    window.openText(file.fileName());
    until([&] { return window.session()->busyWith(Session::Kind::count); });
    QElapsedTimer counting;
    counting.start();
    until([&] { return counting.elapsed() > 300; });
    QElapsedTimer timer;
    timer.start();
    window.session()->cancel();
    until([&] { return !window.session()->busy(); });
    tell("Cancel while 50 MB are cut into tokens", static_cast<double>(timer.nsecsElapsed()) / 1e6, cancelled);
}

} // namespace

int main(int argc, char** argv)
{
    if (argc < 2 || !QByteArray(argv[1]).endsWith(".h5")) {
        std::fprintf(stderr, "usage: bench_window TRACE.h5 [WIDTH HEIGHT SCALE [WORDS]]\n");
        return 2;
    }
    if (qEnvironmentVariableIsEmpty("QT_QPA_PLATFORM"))
        qputenv("QT_QPA_PLATFORM", "offscreen");
    if (argc > 4)
        qputenv("QT_SCALE_FACTOR", argv[4]);
    QStandardPaths::setTestModeEnabled(true); // the user's settings stay as they are
    QElapsedTimer begin;
    begin.start();
    QApplication application(argc, argv);
    QApplication::setOrganizationName(QStringLiteral("keepset-bench"));
    QSettings().clear();
    installTheme(application, Appearance::light);
    MainWindow window;
    window.resize(argc > 3 ? atoi(argv[2]) : 1440, argc > 3 ? atoi(argv[3]) : 900);
    window.show();
    drawAll();
    tell("first picture of the window", static_cast<double>(begin.nsecsElapsed()) / 1e6, firstPicture);
    QElapsedTimer opening;
    opening.start();
    window.openAny(QString::fromLocal8Bit(argv[1]));
    while (!window.session()->analysis() || window.session()->busy()) {
        QCoreApplication::processEvents(QEventLoop::AllEvents, 50);
        if (window.errorBar()->isVisible()) {
            std::fprintf(stderr, "bench_window: %s\n", qPrintable(window.errorBar()->text()));
            return 3;
        }
    }
    drawAll();
    const auto analysis = window.session()->analysis();
    std::printf("%lld tokens, %lld layers, %lld heads; on the screen %.0f ms after the file was asked for\n",
        static_cast<long long>(analysis->context), static_cast<long long>(analysis->layers),
        static_cast<long long>(analysis->heads), static_cast<double>(opening.nsecsElapsed()) / 1e6);
    measureHeads(window);
    auto* slider = window.findChild<QSlider*>(QStringLiteral("sparsity"));
    for (int page = 0; page < window.tabs()->count(); ++page) {
        window.showPage(page);
        drawAll();
        const QString what = QStringLiteral("sparsity moved, page %1").arg(window.tabs()->tabText(page).remove('&'));
        measure(qPrintable(what), [&](int round) { slider->setValue(500 + (round * 37 + 370) % 450); });
    }
    window.showPage(0);
    auto* view = window.findChild<TokenTextView*>(QStringLiteral("tokenViewA"));
    measure("another token under the pointer", [&](int round) { Q_EMIT view->tokenHovered(100 + round); });
    measure("another token chosen", [&](int round) { window.selection()->setToken(100 + round); });
    const auto otherScope = [&](int round) {
        window.selection()->setScope({ (round + 5) % analysis->layers, (round + 5) % analysis->kv_heads });
    };
    measure("another layer and head, page Tokens", otherScope);
    window.showPage(1);
    measure("another layer and head, page Heatmap", otherScope);
    const QSize size = window.size();
    for (const int page : { 0, 1 }) {
        window.showPage(page);
        drawAll();
        const QString what = QStringLiteral("window one step wider, page %1").arg(window.tabs()->tabText(page));
        measure(qPrintable(what), [&](int round) { window.resize(size.width() - 100 + round, size.height()); });
    }
    window.resize(size);
    QWidget page;
    charts::SweepCharts sweep(&page);
    auto* layout = new QVBoxLayout(&page);
    for (QWidget* widget : std::initializer_list<QWidget*> { sweep.legend(), sweep.metric(), sweep.difference() })
        layout->addWidget(widget);
    measureSweep(page, [&](const Run& run) { sweep.setRun(run, {}, {}, "h2o(local=0.11)"); });
    const QTemporaryDir folder;
    if (isWanted("Cancel"))
        measureCancel(window, folder.path());
    return 0;
}
