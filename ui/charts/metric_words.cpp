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
        QT_TRANSLATE_NOOP("keepset::Metric", "seconds"),
        QT_TRANSLATE_NOOP("keepset::Metric", "Time"),
        QT_TRANSLATE_NOOP("keepset::Metric", "The point's share of the target passes of all windows done"),
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
