#include "tests/ui/plausible.h"

#include "core/engine.h"
#include "ui/theme.h"

#include <QApplication>
#include <QDir>
#include <QImage>
#include <QPainter>

#include <algorithm>
#include <cmath>
#include <random>

namespace keepset::test {

std::shared_ptr<const Analysis> plausibleAnalysis(std::int64_t layers, std::int64_t heads, std::int64_t context)
{
    auto analysis = std::make_shared<Analysis>();
    analysis->layers = layers;
    analysis->heads = heads;
    analysis->kv_heads = heads % 3 == 0 ? heads / 3 : heads;
    analysis->context = context;
    std::mt19937 generator(11);
    std::normal_distribution<double> normal;
    std::vector<double> shared(static_cast<std::size_t>(context));
    for (double& value : shared)
        value = 0.7 * normal(generator) + (generator() % 40 == 0 ? 2.5 : 0);
    for (std::int64_t layer = 0; layer < layers; ++layer) {
        for (std::int64_t head = 0; head < heads; ++head) {
            std::vector<double> row;
            double sum = 0;
            for (std::int64_t j = 0; j < context; ++j) {
                const double slope = std::log(static_cast<double>(context - j) / static_cast<double>(context));
                double value = std::exp(shared[static_cast<std::size_t>(j)] + 0.5 * normal(generator) + slope);
                if (j == 0 && layer > 2)
                    value = 0.4 * static_cast<double>(context);
                row.push_back(value);
                sum += value;
            }
            for (const double value : row)
                analysis->importance.push_back(static_cast<float>(value / sum * static_cast<double>(context)));
        }
    }
    for (std::int64_t j = 0; j < context; ++j) {
        static const char* const words[] = { "No", " one", " would", " have", " believed", "\n", "é", " planet" };
        Token token;
        token.id = static_cast<std::int32_t>(j);
        token.text = words[j % 8];
        analysis->tokens.push_back(token);
    }
    return analysis;
}

namespace {

    struct Method {
        const char* policy;
        std::vector<double> perplexity; ///< (sparsities)
    };

    void addPoint(Run& run, const std::string& policy, double sparsity, double perplexity)
    {
        SweepPoint point;
        point.policy = policy;
        point.sparsity = sparsity;
        point.budget = budget_of(sparsity, run.context);
        run.points.push_back(point);
        std::mt19937 texts(5); // the same texts for every point
        std::mt19937 own(static_cast<unsigned>(run.points.size()));
        std::normal_distribution<double> normal;
        const double scored = static_cast<double>(run.target - 1);
        const double cost = std::log(perplexity / 15.04);
        for (std::int64_t window = 0; window < run.windows; ++window) {
            const double text = 0.28 * normal(texts);
            const double noise = (0.015 + 0.25 * cost) * normal(own) * (sparsity > 0 ? 1 : 0);
            run.window_nll.push_back((std::log(15.04) + cost + text + noise) * scored);
        }
    }

    void summarise(Run& run, std::int64_t done)
    {
        run.done.assign(static_cast<std::size_t>(run.windows), 0);
        std::fill_n(run.done.begin(), done, std::uint8_t { 1 });
        for (std::size_t i = 0; i < run.points.size(); ++i) {
            SweepPoint& point = run.points[i];
            double* losses = run.window_nll.data() + i * static_cast<std::size_t>(run.windows);
            for (std::int64_t window = done; window < run.windows; ++window)
                losses[window] = not_a_number;
            point.windows = done;
            point.scored_tokens = done * (run.target - 1);
            point.nll_sum = 0;
            double squares = 0;
            for (std::int64_t window = 0; window < done; ++window)
                point.nll_sum += losses[window];
            if (done == 0)
                continue;
            const double mean = point.nll_sum / static_cast<double>(point.scored_tokens);
            point.perplexity = std::exp(mean);
            for (std::int64_t window = 0; window < done; ++window)
                squares += std::pow(losses[window] / static_cast<double>(run.target - 1) - mean, 2);
            if (done >= 5) { // a rough interval: these are made-up runs
                const double half = 2.4 * std::sqrt(squares / static_cast<double>(done * (done - 1)));
                point.ci_low = std::exp(mean - half);
                point.ci_high = std::exp(mean + half);
            }
        }
    }

} // namespace

std::shared_ptr<const Run> plausibleRun(std::int64_t done)
{
    auto run = std::make_shared<Run>();
    run->context = 1024;
    run->target = 256;
    run->windows = 8;
    run->layers = 30;
    run->kv_heads = 3;
    run->provenance.text_name = "WikiText-2 test";
    const std::vector<double> sparsities { 0, 0.5, 0.8, 0.9, 0.95 };
    const std::vector<Method> methods { { "h2o", { 15.04, 16.50, 18.66, 20.52, 22.20 } },
        { "cab", { 15.04, 16.43, 19.01, 21.07, 23.43 } }, { "h2o(local=0.3)", { 15.04, 16.46, 18.80, 20.90, 22.85 } },
        { "streaming-llm", { 15.04, 17.58, 20.04, 23.91, 26.00 } },
        { "recent", { 15.04, 33.00, 42.15, 49.83, 56.57 } } };
    addPoint(*run, "dense", 0, 15.04);
    for (const Method& method : methods) {
        for (std::size_t i = 0; i < sparsities.size(); ++i)
            addPoint(*run, method.policy, sparsities[i], method.perplexity[i]);
    }
    summarise(*run, done);
    return run;
}

void savePictures(QWidget& widget, const std::string& name)
{
    const QDir folder(QCoreApplication::applicationDirPath() + QStringLiteral("/../pictures"));
    folder.mkpath(QStringLiteral("."));
    for (const bool dark : { false, true }) {
        ui::setAppearance(*qobject_cast<QApplication*>(QCoreApplication::instance()),
            dark ? ui::Appearance::dark : ui::Appearance::light);
        QApplication::sendPostedEvents();
        for (const int scale : { 1, 2 }) {
            QImage image(widget.size() * scale, QImage::Format_RGB32);
            image.setDevicePixelRatio(scale);
            image.fill(ui::theme(dark).window);
            widget.render(&image);
            const QString file
                = QStringLiteral("%1-%2-%3x.png")
                      .arg(QString::fromStdString(name), dark ? QStringLiteral("dark") : QStringLiteral("light"))
                      .arg(scale);
            image.save(folder.filePath(file));
        }
    }
    ui::setAppearance(*qobject_cast<QApplication*>(QCoreApplication::instance()), ui::Appearance::light);
}

} // namespace keepset::test
