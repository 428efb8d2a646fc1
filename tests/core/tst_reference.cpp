#include "tests/core/golden_test.h"
#include "tests/support/test_main.h"

#include <algorithm>

using namespace keepset;

/// The engine against Hugging Face transformers and an eviction reference of our own (SEMANTICS 6 and 7), float32.
class TstReference : public GoldenTest {
    Q_OBJECT

private:
    /// Opens the folder of the current data row.
    void open()
    {
        QFETCH(QString, folder);
        // One thread: waking others costs more than models as small as these; the demo has them all.
        GoldenTest::open(golden_root / folder.toStdString(), folder == "demo" ? 0 : 1);
    }

private Q_SLOTS:
    void initTestCase();
    void token_ids_are_those_of_the_tokenizers_library_data() { folders(); }
    void token_ids_are_those_of_the_tokenizers_library();
    void log_probabilities_are_those_of_transformers_data() { folders(); }
    void log_probabilities_are_those_of_transformers();
    void importance_is_the_column_sum_of_eager_attention_data() { folders(); }
    void importance_is_the_column_sum_of_eager_attention();
    void keep_sets_are_those_of_the_reference_data() { folders(); }
    void keep_sets_are_those_of_the_reference();
    void losses_after_eviction_are_those_of_masked_transformers_data() { folders(); }
    void losses_after_eviction_are_those_of_masked_transformers();
    void every_policy_without_eviction_is_dense_data() { folders(); }
    void every_policy_without_eviction_is_dense();
    void the_order_of_points_changes_nothing_data() { folders(); }
    void the_order_of_points_changes_nothing();
    void a_second_sweep_repeats_the_first();

private:
    static void folders();
};

void TstReference::folders()
{
    QTest::addColumn<QString>("folder");
    for (const char* const name :
        { "gqa7", "head80", "biases", "llama3", "llama3-new", "linear", "cab-bridges", "last-queries", "demo" })
        QTest::newRow(name) << QString(name);
}

void TstReference::initTestCase()
{
    if (!has_test_device())
        QSKIP(qPrintable(QString("no device %1 here").arg(QString::fromStdString(test_device()))));
}

void TstReference::token_ids_are_those_of_the_tokenizers_library()
{
    open();
    check_token_ids();
}

void TstReference::log_probabilities_are_those_of_transformers()
{
    open();
    check_log_probabilities();
}

void TstReference::importance_is_the_column_sum_of_eager_attention()
{
    open();
    check_importance();
}

void TstReference::keep_sets_are_those_of_the_reference()
{
    open();
    check_keep_sets();
}

void TstReference::losses_after_eviction_are_those_of_masked_transformers()
{
    open();
    check_losses();
}

void TstReference::every_policy_without_eviction_is_dense()
{
    open();
    for (const auto& run : expected.about.at("runs")) {
        const auto found = sweep(run);
        int compared = 0;
        for (std::size_t point = 1; point < found->points.size(); ++point) {
            if (found->points[point].budget != found->context)
                continue;
            ++compared;
            const double difference = largest_difference(losses_of(*found, point), losses_of(*found, 0));
            QVERIFY2(difference <= 1e-5,
                qPrintable(QString::fromStdString(found->points[point].policy) + ": " + QString::number(difference)));
        }
        if (run.at("rounding") == "floor")
            QVERIFY(compared >= static_cast<int>(run.at("policies").size()) - 1); // dense is one of them
    }
}

void TstReference::the_order_of_points_changes_nothing()
{
    open();
    SweepRequest request = request_of(expected.run("by head"), expected.text);
    const auto forward = engine.sweep(request);
    std::ranges::reverse(request.policies);
    const auto backward = engine.sweep(request);
    QVERIFY(forward->points[1].policy != backward->points[1].policy);
    for (std::size_t point = 0; point < forward->points.size(); ++point) {
        const SweepPoint& wanted = forward->points[point];
        const std::size_t other = index_of(*backward, wanted.policy, wanted.budget);
        QVERIFY(largest_relative(losses_of(*backward, other), losses_of(*forward, point)) <= 1e-4);
        const auto windows = static_cast<std::size_t>(forward->windows);
        for (std::size_t window = 0; window < windows; ++window)
            QCOMPARE(backward->keep_hash[other * windows + window], forward->keep_hash[point * windows + window]);
    }
}

void TstReference::a_second_sweep_repeats_the_first()
{
    GoldenTest::open(golden_root / "gqa7", 0);
    const auto first = sweep(expected.run("by head"));
    const auto second = sweep(expected.run("by head"));
    QCOMPARE(second->token_nll, first->token_nll);
    QCOMPARE(second->keep_hash, first->keep_hash);
}

KEEPSET_TEST(TstReference)
#include "tst_reference.moc"
