#include "tests/core/golden_test.h"
#include "tests/support/test_main.h"

#include <cmath>

using namespace keepset;

/// The bundled model in 16 bits against itself in float32: what a user who saves memory gives up (issue 4, Proof).
class TstHalfPrecision : public QObject {
    Q_OBJECT

private:
    std::shared_ptr<const Run> exact_;

    static std::shared_ptr<const Run> sweep(Dtype dtype);

private Q_SLOTS:
    void initTestCase();
    void losses_stay_within_half_a_percent_of_float32_data();
    void losses_stay_within_half_a_percent_of_float32();
    void every_kind_of_layer_is_near_float32_data();
    void every_kind_of_layer_is_near_float32();
};

std::shared_ptr<const Run> TstHalfPrecision::sweep(Dtype dtype)
{
    const std::filesystem::path demo = source_root / "resources/demo";
    Engine engine;
    engine.open_model(demo / "model", { .device = test_device(), .dtype = dtype });
    SweepRequest request;
    request.text = read_text((demo / "demo.txt").string());
    // Policies whose keep sets do not hang on scores: what is compared is arithmetic, not a choice.
    request.policies = parse_policies("dense,streaming-llm");
    request.sparsities = { 0.5 };
    request.context = 24; // short: some CPUs compute 16 bits a hundred times slower than float32
    request.target = 17;
    request.windows = 3;
    request.per_token = true;
    return engine.sweep(request);
}

void TstHalfPrecision::initTestCase()
{
    if (!has_test_device())
        QSKIP(qPrintable(QString("no device %1 here").arg(QString::fromStdString(test_device()))));
    exact_ = sweep(Dtype::float32);
    QCOMPARE(exact_->windows, 3);
}

void TstHalfPrecision::losses_stay_within_half_a_percent_of_float32_data()
{
    QTest::addColumn<int>("dtype");
    QTest::newRow("bfloat16") << static_cast<int>(Dtype::bfloat16);
    QTest::newRow("float16") << static_cast<int>(Dtype::float16);
}

void TstHalfPrecision::losses_stay_within_half_a_percent_of_float32()
{
    QFETCH(int, dtype);
    const auto found = sweep(static_cast<Dtype>(dtype));
    QCOMPARE(found->points.size(), exact_->points.size());
    for (std::size_t n = 0; n < exact_->points.size(); ++n) {
        const SweepPoint& wanted = exact_->points[n];
        QCOMPARE(found->points[n].policy, wanted.policy);
        const double apart = std::abs(found->points[n].nll_sum - wanted.nll_sum) / wanted.nll_sum;
        qInfo("%s at %g: %.4f%% apart", wanted.policy.c_str(), wanted.sparsity, 100 * apart);
        QVERIFY2(apart <= 0.005, qPrintable(QString::number(100 * apart) + "%"));
        // Not the same numbers: it did compute in 16 bits.
        QVERIFY(largest_difference(losses_of(*found, n), losses_of(*exact_, n)) > 1e-5);
    }
}

namespace {

/// Root mean square of the differences, over how far the wanted values spread around their mean.
double relative_difference(const std::vector<float>& found, const std::vector<float>& wanted)
{
    double mean = 0;
    for (const float value : wanted)
        mean += static_cast<double>(value) / static_cast<double>(wanted.size());
    double apart = 0;
    double spread = 0;
    for (std::size_t at = 0; at < wanted.size(); ++at) {
        apart += std::pow(static_cast<double>(found[at]) - static_cast<double>(wanted[at]), 2);
        spread += std::pow(static_cast<double>(wanted[at]) - mean, 2);
    }
    return std::sqrt(apart / spread);
}

/// Log-probabilities of a text, and losses after three quarters of its beginning were evicted, repacked or not.
std::vector<std::vector<float>> numbers_of(const std::filesystem::path& folder, Dtype dtype)
{
    Engine engine;
    engine.open_model(folder, { .device = test_device(), .dtype = dtype });
    const Text text = read_text((folder / "text.txt").string());
    std::vector<std::vector<float>> all { engine.logits(text, 0).log_prob };
    for (const Positions positions : { Positions::original, Positions::repacked }) {
        SweepRequest request;
        request.text = text;
        request.policies = parse_policies("recent,streaming-llm"); // whose keep sets do not hang on scores
        request.sparsities = { 0.75 };
        request.context = 70;
        request.target = 30;
        request.windows = 1;
        request.positions = positions;
        request.sliding = Sliding::evict; // so that all layers have something to turn
        request.per_token = true;
        all.push_back(engine.sweep(request)->token_nll);
    }
    return all;
}

} // namespace

void TstHalfPrecision::every_kind_of_layer_is_near_float32_data()
{
    QTest::addColumn<QString>("family");
    QTest::addColumn<int>("dtype");
    const std::vector<std::pair<const char*, const char*>> families = { { "caps and windows", "gemma2" },
        { "windows", "mistral" }, { "alibi", "bloom" }, { "alibi, rounded", "falcon-alibi" }, { "experts", "mixtral" },
        { "stacked experts", "mixtral-stacked" }, { "grouped heads", "qwen2" } };
    for (const auto& [name, family] : families) {
        QTest::addRow("%s, bfloat16", name) << QString(family) << static_cast<int>(Dtype::bfloat16);
        QTest::addRow("%s, float16", name) << QString(family) << static_cast<int>(Dtype::float16);
    }
}

void TstHalfPrecision::every_kind_of_layer_is_near_float32()
{
    QFETCH(QString, family);
    QFETCH(int, dtype);
    const std::filesystem::path folder = golden_root / "families" / family.toStdString();
    const auto exact = numbers_of(folder, Dtype::float32);
    const auto found = numbers_of(folder, static_cast<Dtype>(dtype));
    // Eight bits of a number, eleven, through a handful of layers; what goes to the wrong key or expert is off by all.
    // A rounding may send a row to another expert.
    const double rounding = static_cast<Dtype>(dtype) == Dtype::bfloat16 ? 0.05 : 0.01;
    const double allowed = family.startsWith("mixtral") ? 4 * rounding : rounding;
    for (std::size_t kind = 0; kind < exact.size(); ++kind) {
        const double apart = relative_difference(found[kind], exact[kind]);
        qInfo("%.4f of the spread apart", apart);
        QVERIFY2(apart <= allowed && apart > 0, qPrintable(QString("%1: %2").arg(kind).arg(apart)));
    }
}

KEEPSET_TEST(TstHalfPrecision)
#include "tst_half_precision.moc"
