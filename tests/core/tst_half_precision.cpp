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

KEEPSET_TEST(TstHalfPrecision)
#include "tst_half_precision.moc"
