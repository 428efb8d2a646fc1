#include "core/sweep/beyond_mean.h"

#include "core/device/tensors.h"
#include "core/intervals.h"
#include "core/sweep/keep_health.h"
#include "tests/core/golden_test.h"
#include "tests/support/python.h"
#include "tests/support/test_main.h"

#include <QtTest>

#include <nlohmann/json.hpp>

#include <cmath>
#include <fstream>
#include <random>

using namespace keepset;

namespace {

nlohmann::json numpy_golden()
{
    std::ifstream file(golden_root / "beyond-mean/beyond-mean.json");
    return nlohmann::json::parse(file);
}

/// Printable bytes, each a token of the golden tokenizers.
std::string made_text(std::size_t bytes)
{
    std::mt19937 random(5);
    std::string text;
    while (text.size() < bytes)
        text += random() % 6 == 0 ? ' ' : static_cast<char>('a' + random() % 26);
    return text;
}

/// Share of simulated runs whose ratio_interval holds the true mean of 0.4 a thing, over windows of uneven counts.
double coverage(int windows, int trials)
{
    std::mt19937_64 random(11);
    std::poisson_distribution<int> number(7);
    std::normal_distribution<double> of_window(0, 0.3);
    std::normal_distribution<double> of_token(0, 1.5);
    double covered = 0;
    for (int trial = 0; trial < trials; ++trial) {
        std::vector<double> sums;
        std::vector<double> counts;
        for (int window = 0; window < windows; ++window) {
            const double shared = of_window(random);
            counts.push_back(number(random) + 1);
            sums.push_back(0);
            for (int token = 0; token < static_cast<int>(counts.back()); ++token)
                sums.back() += 0.4 + shared + of_token(random);
        }
        const Interval found = ratio_interval(sums, counts, interval_quantile(windows));
        covered += found.low <= 0.4 && 0.4 <= found.high ? 1 : 0;
    }
    return covered / trials;
}

} // namespace

/// What the mean over a window's tokens hides: tails, key tokens, distance, and what the rows keep together.
class TestBeyondMean : public QObject {
    Q_OBJECT

private:
    QTemporaryDir folder_;

private Q_SLOTS:
    void percentiles_are_those_of_numpy()
    {
        const nlohmann::json golden = numpy_golden();
        for (const nlohmann::json& sample : golden.at("samples")) {
            const Percentiles found = percentiles(sample.at("values").get<std::vector<double>>());
            QCOMPARE(found.p50, sample.at("p50").get<double>());
            QCOMPARE(found.p95, sample.at("p95").get<double>());
            QCOMPARE(found.p99, sample.at("p99").get<double>());
        }
        QVERIFY(std::isnan(percentiles({}).p50));
        QVERIFY(std::isnan(percentiles({ 1, std::nan(""), 2 }).p50)); // wherever it stands
    }

    void key_tokens_are_those_of_longppls_rule()
    {
        const nlohmann::json golden = numpy_golden();
        for (const nlohmann::json& sample : golden.at("key_tokens")) {
            const KeyTokenRule rule { 64, sample.at("gain").get<double>(), sample.at("loss").get<double>() };
            const auto short_nll = sample.at("short").get<std::vector<float>>();
            const auto dense = sample.at("dense").get<std::vector<float>>();
            const auto wanted = sample.at("key").get<std::vector<std::uint8_t>>();
            QVERIFY(std::ranges::count(wanted, 1) > 30);
            QCOMPARE(key_tokens(short_nll, dense, rule), wanted);
        }
        const std::vector<float> none { std::nanf(""), 5, std::nanf("") };
        const std::vector<float> dense { 1, std::nanf(""), std::nanf("") };
        QCOMPARE(key_tokens(none, dense, {}), (std::vector<std::uint8_t> { 0, 0, 0 }));
    }

    void distances_count_from_the_end_of_the_context()
    {
        // The loss of target t, counted from 1, is dense's + t; the first is not scored.
        std::vector<float> nll;
        for (int t = 2; t <= 160; ++t)
            nll.push_back(1 + static_cast<float>(t));
        const std::vector<float> dense(nll.size(), 1);
        const BeyondMean found = beyond_mean({ nll, dense, dense }, {});
        QCOMPARE(found.near_nll, (2 + 32) / 2.0);
        QCOMPARE(found.middle_nll, (33 + 128) / 2.0);
        QCOMPARE(found.far_nll, (129 + 160) / 2.0);
        QVERIFY(std::isnan(found.key_nll) && std::isnan(found.key_count)); // not looked for
        // Targets that are not there have no mean.
        const auto first = [](const std::vector<float>& of, std::size_t count) { return std::span(of).first(count); };
        const BeyondMean brief = beyond_mean({ first(nll, 40), first(dense, 40), first(dense, 40) }, {});
        QCOMPARE(brief.middle_nll, (33 + 41) / 2.0);
        QVERIFY(std::isnan(brief.far_nll));
    }

    void exactly_one_nat_is_not_more_than_one()
    {
        const std::vector<float> nll { 2, 2.5, 3, 3.25 };
        const std::vector<float> dense { 1.5, 1.5, 2, 2 };
        const std::vector<std::uint8_t> key { 1, 0, 0, 1 };
        const BeyondMean found = beyond_mean({ nll, dense, dense }, key);
        QCOMPARE(found.over_one_nat, 0.25);
        QCOMPARE(found.key_count, 2.0);
        QCOMPARE(found.key_nll, (0.5 + 1.25) / 2);
        const BeyondMean none = beyond_mean({ nll, dense, dense }, std::vector<std::uint8_t>(4, 0));
        QVERIFY(none.key_count == 0 && std::isnan(none.key_nll));
    }

    void a_loss_that_is_no_number_spoils_what_it_is_in()
    {
        const std::vector<float> nll { 2, std::nanf(""), 3 };
        const std::vector<float> dense { 1, 1, 1 };
        const BeyondMean found = beyond_mean({ nll, dense, dense }, std::vector<std::uint8_t> { 0, 1, 0 });
        QVERIFY(std::isnan(found.delta.p50) && std::isnan(found.over_one_nat) && std::isnan(found.near_nll));
        QVERIFY(std::isnan(found.key_nll));
        QCOMPARE(found.key_count, 1.0); // dense and the short pass choose it
        QCOMPARE(found.kl.p99, 1.0);
    }

    void the_interval_of_a_ratio_covers_95_percent()
    {
        for (const int windows : { 5, 10, 30 }) {
            const double found = coverage(windows, 4000);
            qInfo("%d windows: %.3f", windows, found);
            QVERIFY(std::abs(found - 0.95) < 0.014); // four standard errors of 4,000 trials
        }
    }

    void the_interval_of_a_ratio_is_that_of_means_where_counts_are_equal()
    {
        const std::vector<double> means { 0.3, -0.1, 0.8, 0.4, 0.2, 0.6 };
        std::vector<double> sums;
        for (const double mean : means)
            sums.push_back(7 * mean);
        sums.push_back(0); // a window without any takes no part
        std::vector<double> counts(means.size(), 7);
        counts.push_back(0);
        const Interval wanted = mean_interval(means);
        const Interval found = ratio_interval(sums, counts, interval_quantile(6));
        QCOMPARE(found.count, 6);
        for (const auto& [a, b] : { std::pair(found.mean, wanted.mean), std::pair(found.low, wanted.low),
                 std::pair(found.high, wanted.high), std::pair(found.p_value, wanted.p_value) })
            QVERIFY(std::abs(a - b) < 1e-12);
        QVERIFY(std::isnan(ratio_interval({}, {}, 2).mean));
    }

    void rows_are_looked_at_together()
    {
        KeptPositions kept(2, 1, 6, { { 3 }, { 6 }, { .rows = { 2, 0 } } }, at::kCPU); // 2 layers of 1 kv head
        std::vector<std::int32_t> positions { 0, 2, 5, 0, 2, 4, /**/ 0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5, /**/ 0, 5 };
        kept.positions = to_device(positions, at::kCPU);
        std::vector<KeepHealth> found = keep_health(measure_keep_health(kept, {}));
        QCOMPARE(found.size(), std::size_t { 3 });
        QCOMPARE(found[0].evicted_everywhere, 2); // 1 and 3
        QCOMPARE(found[0].last_kept, 1);
        QCOMPARE(found[1].evicted_everywhere, 0);
        QCOMPARE(found[1].last_kept, 2);
        QCOMPARE(found[2].evicted_everywhere, 4); // of rows that keep unlike numbers
        positions[0] = -1; // places of none
        positions[1] = 6;
        positions[2] = 99;
        kept.positions = to_device(positions, at::kCPU);
        found = keep_health(measure_keep_health(kept, {}));
        QCOMPARE(found[0].evicted_everywhere, 3);
        QCOMPARE(found[0].last_kept, 0);
        QCOMPARE(found[1].evicted_everywhere, 0); // and the next point has nothing of them
    }

    void the_short_pass_reads_a_text_of_its_own_data()
    {
        QTest::addColumn<QString>("folder");
        for (const char* const name : { "gqa7", "biases", "llama3", "linear", "families/gemma2", "families/gpt2" })
            QTest::newRow(name) << QString(name);
    }
    /// Its losses are those of a text that begins where it begins, with a BOS where the model has one.
    void the_short_pass_reads_a_text_of_its_own()
    {
        QFETCH(QString, folder);
        Engine engine;
        engine.open_model(
            golden_root / folder.toStdString(), { .device = "cpu", .dtype = Dtype::float32, .threads = 1 });
        const auto front = static_cast<std::size_t>(engine.model()->adds_bos ? 1 : 0);
        constexpr std::size_t brief = 9;
        SweepRequest request;
        request.text = { "made", made_text(160) };
        request.policies = parse_policies("recent");
        request.sparsities = { 0.5 };
        request.context = 30;
        request.target = 12;
        request.windows = 2;
        request.per_token = true;
        request.key_tokens.short_context = brief;
        const auto run = engine.sweep(request);
        QCOMPARE(run->short_nll.size(), std::size_t { 22 });
        for (std::size_t window = 0; window < 2; ++window) {
            const std::size_t target = static_cast<std::size_t>(run->window_begin[window]) - front + 30 - front;
            const std::string text = request.text.bytes.substr(target - (brief - front), brief - front + 11);
            const LogitsResult alone = engine.logits({ "short", text }, 11);
            double largest = 0;
            for (std::size_t row = 0; row < 11; ++row) {
                const auto wanted = static_cast<unsigned char>(request.text.bytes[target + 1 + row]);
                const double loss
                    = -static_cast<double>(alone.log_prob[row * static_cast<std::size_t>(alone.vocabulary) + wanted]);
                largest = std::max(largest, std::abs(loss - static_cast<double>(run->short_nll[window * 11 + row])));
            }
            QVERIFY2(largest < 1e-4, qPrintable(QString::number(largest)));
        }
    }

    void without_more_context_there_are_no_key_tokens_data()
    {
        QTest::addColumn<int>("brief");
        QTest::newRow("not asked for") << 0;
        QTest::newRow("the whole context") << 30;
        QTest::newRow("more than it") << 64;
    }
    void without_more_context_there_are_no_key_tokens()
    {
        QFETCH(int, brief);
        Engine engine;
        engine.open_model(golden_root / "gqa7", { .device = "cpu", .dtype = Dtype::float32, .threads = 1 });
        SweepRequest request;
        request.text = { "made", made_text(60) };
        request.policies = parse_policies("recent");
        request.sparsities = { 0.5 };
        request.context = 30;
        request.target = 12;
        request.key_tokens.short_context = brief;
        const auto run = engine.sweep(request);
        QVERIFY(std::isnan(run->window_key_count[0]) && std::isnan(run->window_key_nll[1]));
        QVERIFY(run->short_nll.empty());
        QVERIFY(std::isfinite(run->window_delta_p99[1]));
        QCOMPARE(run->evicted_everywhere, (std::vector<std::int64_t> { 0, 15 })); // recent keeps the same in all rows
        QCOMPARE(run->last_kept[1], run->layers * run->kv_heads);
        QVERIFY(!run->audit.failed());
    }

    void a_runs_own_tokens_give_its_numbers_by_numpy()
    {
        if (!python::has_h5py()) {
            QVERIFY2(!qEnvironmentVariableIsSet("CI"), "no Python with h5py, and CI insists on these checks");
            QSKIP("no Python with h5py (set KEEPSET_PYTHON)");
        }
        const QString file = folder_.filePath("run.h5");
        Engine engine;
        engine.open_model(source_root / "resources/demo/model", { .device = "cpu", .dtype = Dtype::float32 });
        SweepRequest request;
        request.text = { "demo.txt", golden::read_bytes(source_root / "resources/demo/demo.txt") };
        request.policies = parse_policies("h2o,recent,random");
        request.sparsities = { 0, 0.75 };
        request.context = 96;
        request.target = 140; // of every distance
        request.windows = 2;
        request.per_token = true;
        request.out = file.toStdString();
        request.key_tokens = { 8, 0.2, 3 };
        const auto run = engine.sweep(request);
        QVERIFY(run->window_key_count[0] + run->window_key_count[1] >= 10);
        QCOMPARE(python::run("beyond_mean.py", { file }), "ok");
    }
};

KEEPSET_TEST(TestBeyondMean)
#include "tst_beyond_mean.moc"
