#include "ui/charts/metric_words.h"

#include <QCoreApplication>

#include <array>

namespace keepset::ui::charts {

namespace {

    /// For lupdate, which reads no core: the words of the table there.
    [[maybe_unused]] constexpr std::array wordsOfCore {
        QT_TRANSLATE_NOOP("keepset::Metric", "perplexity"),
        QT_TRANSLATE_NOOP("keepset::Metric", "Perplexity"),
        QT_TRANSLATE_NOOP("keepset::Metric", "exp of the mean loss over the scored tokens"),
        QT_TRANSLATE_NOOP("keepset::Metric", "ratio to dense"),
        QT_TRANSLATE_NOOP("keepset::Metric", "Perplexity ÷ dense"),
        QT_TRANSLATE_NOOP("keepset::Metric", "Perplexity divided by that of the model with nothing evicted"),
        QT_TRANSLATE_NOOP("keepset::Metric", "ΔNLL to dense"),
        QT_TRANSLATE_NOOP("keepset::Metric", "ΔNLL"),
        QT_TRANSLATE_NOOP("keepset::Metric", "Mean loss minus that of the model with nothing evicted"),
        QT_TRANSLATE_NOOP("keepset::Metric", "KL to dense"),
        QT_TRANSLATE_NOOP("keepset::Metric", "KL(dense ‖ method)"),
        QT_TRANSLATE_NOOP("keepset::Metric", "How far the predictions are from dense's, mean over the scored tokens"),
        QT_TRANSLATE_NOOP("keepset::Metric", "top-1 agreement"),
        QT_TRANSLATE_NOOP("keepset::Metric", "Same first choice as dense"),
        QT_TRANSLATE_NOOP("keepset::Metric", "Share of the scored tokens at which the likeliest next token is dense's"),
        QT_TRANSLATE_NOOP("keepset::Metric", "kept attention mass"),
        QT_TRANSLATE_NOOP("keepset::Metric", "Attention mass kept"),
        QT_TRANSLATE_NOOP("keepset::Metric", "Share of the context's attention that went to what is kept"),
        QT_TRANSLATE_NOOP("keepset::Metric", "entries kept"),
        QT_TRANSLATE_NOOP("keepset::Metric", "Entries kept in a row"),
        QT_TRANSLATE_NOOP(
            "keepset::Metric", "Cache entries that were kept, mean over the rows (layers × kv heads) and windows"),
        QT_TRANSLATE_NOOP("keepset::Metric", "seconds"),
        QT_TRANSLATE_NOOP("keepset::Metric", "Time"),
        QT_TRANSLATE_NOOP("keepset::Metric", "The point's share of the target passes of all windows done"),
        QT_TRANSLATE_NOOP("keepset::Metric", "ΔNLL of the median token"),
        QT_TRANSLATE_NOOP(
            "keepset::Metric", "Half of the window's tokens lose less than this to dense, mean over windows"),
        QT_TRANSLATE_NOOP("keepset::Metric", "ΔNLL, 95th percentile"),
        QT_TRANSLATE_NOOP("keepset::Metric", "One token in twenty loses more than this to dense, mean over windows"),
        QT_TRANSLATE_NOOP("keepset::Metric", "ΔNLL, 99th percentile"),
        QT_TRANSLATE_NOOP("keepset::Metric", "One token in a hundred loses more than this to dense, mean over windows"),
        QT_TRANSLATE_NOOP("keepset::Metric", "tokens that lose over 1 nat"),
        QT_TRANSLATE_NOOP("keepset::Metric", "Tokens with ΔNLL above 1 nat"),
        QT_TRANSLATE_NOOP("keepset::Metric", "Share of the scored tokens that lose more than 1 nat to dense"),
        QT_TRANSLATE_NOOP("keepset::Metric", "KL of the median token"),
        QT_TRANSLATE_NOOP(
            "keepset::Metric", "Half of the window's predictions are nearer to dense's than this, mean over windows"),
        QT_TRANSLATE_NOOP("keepset::Metric", "KL, 95th percentile"),
        QT_TRANSLATE_NOOP(
            "keepset::Metric", "One prediction in twenty is further from dense's than this, mean over windows"),
        QT_TRANSLATE_NOOP("keepset::Metric", "KL, 99th percentile"),
        QT_TRANSLATE_NOOP(
            "keepset::Metric", "One prediction in a hundred is further from dense's than this, mean over windows"),
        QT_TRANSLATE_NOOP("keepset::Metric", "ΔNLL on key tokens"),
        QT_TRANSLATE_NOOP(
            "keepset::Metric", "Mean loss minus dense's over the tokens that need the context, as dense alone judges"),
        QT_TRANSLATE_NOOP("keepset::Metric", "ΔNLL of targets 1–32"),
        QT_TRANSLATE_NOOP("keepset::Metric", "Mean loss minus dense's right behind the context"),
        QT_TRANSLATE_NOOP("keepset::Metric", "ΔNLL of targets 33–128"),
        QT_TRANSLATE_NOOP("keepset::Metric", "Mean loss minus dense's of the targets 33 to 128 behind the context"),
        QT_TRANSLATE_NOOP("keepset::Metric", "ΔNLL of targets from 129 on"),
        QT_TRANSLATE_NOOP(
            "keepset::Metric", "Mean loss minus dense's of the targets from the 129th behind the context on"),
        QT_TRANSLATE_NOOP("keepset::Metric", "tokens evicted everywhere"),
        QT_TRANSLATE_NOOP("keepset::Metric", "Context tokens that no row keeps"),
        QT_TRANSLATE_NOOP("keepset::Metric", "tokens"),
        QT_TRANSLATE_NOOP(
            "keepset::Metric", "Context tokens of which no layer and kv head keeps anything, mean over windows"),
        QT_TRANSLATE_NOOP("keepset::Metric", "rows that hold token 0"),
        QT_TRANSLATE_NOOP("keepset::Metric", "Rows that hold token 0"),
        QT_TRANSLATE_NOOP("keepset::Metric", "Share of the rows (layer and kv head) that keep the first context token"),
        QT_TRANSLATE_NOOP("keepset::Metric", "rows that hold the newest token"),
        QT_TRANSLATE_NOOP("keepset::Metric", "Rows that hold the newest token"),
        QT_TRANSLATE_NOOP("keepset::Metric", "Share of the rows (layer and kv head) that keep the last context token"),
        QT_TRANSLATE_NOOP("keepset::Metric", "nats"),
        QT_TRANSLATE_NOOP("keepset::Metric", "s"),
    };

    QString words(const std::string& text) { return QCoreApplication::translate("keepset::Metric", text.c_str()); }

} // namespace

QString titleOf(const Metric& metric) { return words(metric.title); }

QString axisTitleOf(const Metric& metric)
{
    const QString quantity = words(metric.quantity);
    return metric.unit.empty() ? quantity : QStringLiteral("%1 (%2)").arg(quantity, words(metric.unit));
}

QString descriptionOf(const Metric& metric)
{
    const QString way = metric.lower_is_better ? QCoreApplication::translate("keepset::ui::charts", "lower is better")
                                               : QCoreApplication::translate("keepset::ui::charts", "higher is better");
    return QStringLiteral("%1; %2").arg(words(metric.description), way);
}

NumberFormat formatOf(const Metric& metric)
{
    switch (metric.values) {
    case Metric::Values::difference:
        return NumberFormat::signedPlain;
    case Metric::Values::share:
        return NumberFormat::percent;
    case Metric::Values::positive:
        break;
    }
    return NumberFormat::plain;
}

} // namespace keepset::ui::charts
