#include "kernels/importance/importance_variant.h"
#include "tests/kernels/importance_case.h"
#include "tests/support/test_main.h"

#include <QTest>

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

using namespace keepset::kernels;
using namespace keepset::kernels::test;

namespace {

constexpr double exponential_error = 2e-7; // of our own float exp
constexpr double tangent_error = 3e-7; // and tanh

const ImportanceVariant& variant_named(const QString& name)
{
    static const std::vector<ImportanceVariant> variants = importance_variants();
    return *std::find_if(variants.begin(), variants.end(), [&](const auto& v) { return name == v.name; });
}

/// Returns (heads, keys).
std::vector<float> cpu_sums(const ImportanceVariant& variant, const ImportanceCase& values, int threads = 2)
{
    std::vector<float> sums(static_cast<std::size_t>(values.shape.heads * values.shape.keys));
    importance_cpu_with(variant, values.inputs(), sums.data(), threads);
    return sums;
}

/// Empty where every sum is within the bound of the reference, else a sentence.
QString first_disagreement(const ImportanceCase& values, const std::vector<float>& sums)
{
    return QString::fromStdString(test::first_disagreement(values, sums, exponential_error, tangent_error));
}

bool same_bits(float left, float right) { return left == right || (std::isnan(left) && std::isnan(right)); }

} // namespace

class TestImportance : public QObject {
    Q_OBJECT

    unsigned seed_ = 0;
    std::mt19937 random_;

private Q_SLOTS:
    void initTestCase()
    {
        seed_ = std::random_device {}();
        random_.seed(seed_);
        QString names;
        for (const ImportanceVariant& variant : importance_variants())
            names += QString(" %1").arg(variant.name);
        qInfo("seed %u; instruction sets of this processor:%s", seed_, qPrintable(names));
    }

    void the_reference_gives_one_for_a_lone_token()
    {
        const ImportanceCase values = normal_case({ 1, 1, 8, 1, 1 }, random_);
        QVERIFY(std::abs(reference_sums(values)[0] - 1) < 1e-6); // the float lse is off by u·|lse|
    }

    void the_reference_gives_harmonic_sums_for_equal_keys()
    {
        ImportanceCase values = make_case({ 2, 1, 4, 50, 50 }, true, 0);
        std::fill(values.k.begin(), values.k.end(), 0.25F);
        std::fill(values.q.begin(), values.q.end(), 0.5F);
        values.normalise();
        const std::vector<double> sums = reference_sums(values);
        double harmonic = 0;
        for (std::size_t key = 50; key-- > 0;) {
            harmonic += 1 / static_cast<double>(key + 1);
            QVERIFY(std::abs(sums[key] - harmonic) < 1e-6 * harmonic);
            QVERIFY(std::abs(sums[50 + key] - harmonic) < 1e-6 * harmonic);
        }
    }

    void the_reference_equals_three_tokens_done_by_hand()
    {
        // Scores ln 1, ln 2, ln 3: rows (1), (1/3, 2/3), (1/6, 2/6, 3/6).
        AttentionShape shape { 1, 1, 1, 3, 3 };
        shape.scale = 1;
        ImportanceCase values = make_case(shape, false, 2);
        for (std::int64_t token = 0; token < 3; ++token) {
            values.q_at(0, token, 0) = 1;
            values.k_at(0, token, 0) = std::log(static_cast<float>(token + 1));
        }
        values.normalise();
        const std::vector<double> sums = reference_sums(values);
        QVERIFY(std::abs(sums[0] - 1.5) < 1e-6);
        QVERIFY(std::abs(sums[1] - 1.0) < 1e-6);
        QVERIFY(std::abs(sums[2] - 0.5) < 1e-6);
    }

    void the_reference_equals_a_window_a_cap_and_a_bias_done_by_hand()
    {
        // Scores before the cap ln 1, ln 2, ln 3; a cap of 2; biases of 0, ln 5, ln 7; a query sees itself and one
        // more.
        AttentionShape shape { 1, 1, 1, 3, 3 };
        shape.scale = 1;
        shape.softcap = 2;
        shape.window = 2;
        ImportanceCase values = make_case(shape, false, 2);
        values.bias = { 0, std::log(5.0F), std::log(7.0F) };
        for (std::int64_t token = 0; token < 3; ++token) {
            values.q_at(0, token, 0) = 1;
            values.k_at(0, token, 0) = std::log(static_cast<float>(token + 1));
        }
        values.normalise();
        const std::vector<double> sums = reference_sums(values);
        const double second = std::exp(2 * std::tanh(std::log(2.0) / 2)) * 5;
        const double third = std::exp(2 * std::tanh(std::log(3.0) / 2)) * 7;
        QVERIFY(std::abs(sums[0] - (1 + 1 / (1 + second))) < 1e-6);
        QVERIFY(std::abs(sums[1] - (second / (1 + second) + second / (second + third))) < 1e-6);
        QVERIFY(std::abs(sums[2] - third / (second + third)) < 1e-6);
    }

    void every_rule_agrees_with_the_reference_data() { variant_rows(); }
    void every_rule_agrees_with_the_reference()
    {
        QFETCH(QString, name);
        for (int round = 0; round < 80; ++round) {
            const ImportanceCase values = random_rule_case(random_);
            const QString wrong = first_disagreement(values, cpu_sums(variant_named(name), values));
            QVERIFY2(wrong.isEmpty(), qPrintable(wrong));
        }
    }

    void awkward_windows_agree_with_the_reference_data() { variant_rows(); }
    void awkward_windows_agree_with_the_reference()
    {
        QFETCH(QString, name);
        for (const AttentionShape& shape : awkward_windows()) {
            const ImportanceCase values = normal_case(shape, random_);
            const QString wrong = first_disagreement(values, cpu_sums(variant_named(name), values));
            QVERIFY2(wrong.isEmpty(), qPrintable(wrong));
        }
    }

    void a_window_of_the_context_hides_nothing_data() { variant_rows(); }
    void a_window_of_the_context_hides_nothing()
    {
        QFETCH(QString, name);
        ImportanceCase values = normal_case({ 2, 1, 24, 301, 301 }, random_);
        const std::vector<float> plain = cpu_sums(variant_named(name), values);
        for (const std::int64_t window : { std::int64_t { 301 }, std::numeric_limits<std::int64_t>::max() / 2 }) {
            values.shape.window = window;
            QCOMPARE(cpu_sums(variant_named(name), values), plain);
        }
        values.shape.window = 300; // hides the first key from the last query
        QVERIFY(cpu_sums(variant_named(name), values)[0] < plain[0]);
    }

    void the_cap_is_good_to_3e_7_at_every_size_data() { variant_rows(); }
    void the_cap_is_good_to_3e_7_at_every_size()
    {
        // One query of 1 with lse 0: each sum is e^(softcap · tanh(k)); a large softcap shows small errors of tanh.
        QFETCH(QString, name);
        double largest = 0;
        for (const float size : { 1e-6F, 1e-3F, 0.3F, 0.55F, 0.8F, 3.0F, 20.0F }) {
            AttentionShape shape { 1, 1, 1, 1, 2000, 1999 };
            shape.softcap = 60 / std::min(size, 1.0F);
            shape.scale = shape.softcap;
            ImportanceCase values = make_case(shape, true, 0);
            values.q[0] = 1;
            std::uniform_real_distribution<float> score(-size, size);
            std::generate(values.k.begin(), values.k.end(), [&] { return score(random_); });
            const std::vector<float> sums = cpu_sums(variant_named(name), values);
            for (std::size_t key = 0; key < sums.size(); ++key) {
                const double expected
                    = static_cast<double>(shape.softcap) * std::tanh(static_cast<double>(values.k[key]));
                const double off = std::abs(std::log(static_cast<double>(sums[key])) - expected) - 2e-7;
                largest = std::max(largest, off / std::abs(expected));
            }
        }
        qInfo("largest relative error of the cap: %.3g", largest);
        QVERIFY(largest < 4e-7); // tanh, and a rounding before and behind it
    }

    void every_instruction_set_agrees_with_the_reference_data() { variant_rows(); }
    void every_instruction_set_agrees_with_the_reference()
    {
        QFETCH(QString, name);
        for (int round = 0; round < 40; ++round) {
            const ImportanceCase values = random_case(random_);
            const QString wrong = first_disagreement(values, cpu_sums(variant_named(name), values));
            QVERIFY2(wrong.isEmpty(), qPrintable(wrong));
        }
    }

    void awkward_shapes_agree_with_the_reference_data()
    {
        QTest::addColumn<QString>("name");
        QTest::addColumn<AttentionShape>("shape");
        for (const ImportanceVariant& variant : importance_variants()) {
            for (const auto& [label, shape] : awkward_shapes())
                QTest::addRow("%s, %s", variant.name, label) << QString(variant.name) << shape;
        }
    }
    void awkward_shapes_agree_with_the_reference()
    {
        QFETCH(QString, name);
        QFETCH(AttentionShape, shape);
        const ImportanceCase values = normal_case(shape, random_);
        const QString wrong = first_disagreement(values, cpu_sums(variant_named(name), values));
        QVERIFY2(wrong.isEmpty(), qPrintable(wrong));
    }

    void the_error_stays_below_1e_5_for_ordinary_scores_data() { variant_rows(); }
    void the_error_stays_below_1e_5_for_ordinary_scores()
    {
        QFETCH(QString, name);
        const ImportanceCase values = normal_case({ 2, 1, 64, 700, 700 }, random_);
        QVERIFY2(largest_error(variant_named(name), values) < 1e-5, "relative to the reference");
    }

    void the_error_stays_below_1e_5_over_32768_queries_data() { variant_rows(); }
    void the_error_stays_below_1e_5_over_32768_queries()
    {
        QFETCH(QString, name);
        const ImportanceCase values = normal_case({ 1, 1, 16, 32768, 70 }, random_);
        QVERIFY2(largest_error(variant_named(name), values) < 1e-5, "relative to the reference");
    }

    void a_long_sum_of_equal_terms_does_not_drift_data() { variant_rows(); }
    void a_long_sum_of_equal_terms_does_not_drift()
    {
        // Equal terms round the same way at every step: in one float sum of 32768 terms the error grows to 1e-4.
        QFETCH(QString, name);
        ImportanceCase values = make_case({ 1, 1, 4, 32768, 5 }, true, 0);
        std::fill(values.lse.begin(), values.lse.end(), 5.0F);
        const std::vector<float> sums = cpu_sums(variant_named(name), values);
        for (std::size_t key = 0; key < 5; ++key) {
            const double expected = std::exp(-5.0) * static_cast<double>(32768 - key);
            QVERIFY(std::abs(static_cast<double>(sums[key]) - expected) < 2e-6 * expected); // 22 roundings in a row
        }
    }

    void the_exponential_is_good_to_two_roundings_data() { variant_rows(); }
    void the_exponential_is_good_to_two_roundings()
    {
        // One query of 1 with lse 0: each sum is e^k, with no rounding before it.
        QFETCH(QString, name);
        AttentionShape shape { 1, 1, 1, 1, 20000, 19999 };
        shape.scale = 1;
        ImportanceCase values = make_case(shape, true, 0);
        values.q[0] = 1;
        std::uniform_real_distribution<float> score(-87.0F, 5.0F);
        std::generate(values.k.begin(), values.k.end(), [&] { return score(random_); });
        values.k[0] = 0;
        values.k[1] = -88.5F; // below what a normal float holds
        values.k[2] = -1e30F;
        values.k[3] = 1e30F;
        const std::vector<float> sums = cpu_sums(variant_named(name), values);
        QCOMPARE(sums[0], 1.0F);
        QCOMPARE(sums[1], 0.0F);
        QCOMPARE(sums[2], 0.0F);
        QVERIFY(std::isinf(sums[3]));
        double largest = 0;
        for (std::size_t key = 4; key < sums.size(); ++key) {
            const double expected = std::exp(static_cast<double>(values.k[key]));
            largest = std::max(largest, std::abs(static_cast<double>(sums[key]) - expected) / expected);
        }
        qInfo("largest relative error of the exponential: %.3g", largest);
        QVERIFY(largest < 1.5e-7);
    }

    void all_ties_share_evenly_data() { variant_rows(); }
    void all_ties_share_evenly()
    {
        QFETCH(QString, name);
        ImportanceCase values = make_case({ 1, 1, 64, 100, 100 }, true, 3);
        values.normalise();
        const std::vector<float> sums = cpu_sums(variant_named(name), values);
        double harmonic = 0;
        for (std::size_t key = 100; key-- > 0;) {
            harmonic += 1 / static_cast<double>(key + 1);
            QVERIFY(std::abs(static_cast<double>(sums[key]) - harmonic) < 1e-6 * harmonic);
        }
    }

    void huge_scores_agree_with_the_reference_data() { variant_rows(); }
    void huge_scores_agree_with_the_reference()
    {
        QFETCH(QString, name);
        AttentionShape shape { 2, 1, 2, 90, 90 };
        shape.scale = 1;
        ImportanceCase values = make_case(shape, true, 0);
        std::uniform_real_distribution<float> score(-1e4F, 1e4F);
        for (std::int64_t token = 0; token < 90; ++token) {
            values.q_at(0, token, 0) = 1;
            values.q_at(1, token, 1) = -1;
            values.k_at(0, token, 0) = token % 3 == 0 ? 1e4F : score(random_);
            values.k_at(0, token, 1) = token % 3 == 0 ? -1e4F : score(random_);
        }
        values.normalise();
        const std::vector<float> sums = cpu_sums(variant_named(name), values);
        const QString wrong = first_disagreement(values, sums);
        QVERIFY2(wrong.isEmpty(), qPrintable(wrong));
        QVERIFY(std::all_of(sums.begin(), sums.end(), [](float sum) { return std::isfinite(sum) && sum >= 0; }));
    }

    void an_outlier_key_takes_the_mass_and_hides_nobody_data() { variant_rows(); }
    void an_outlier_key_takes_the_mass_and_hides_nobody()
    {
        QFETCH(QString, name);
        ImportanceCase values = normal_case({ 2, 1, 32, 120, 120 }, random_);
        for (std::int64_t dim = 0; dim < 32; ++dim)
            values.k_at(0, 40, dim) *= 1000;
        values.normalise();
        const QString wrong = first_disagreement(values, cpu_sums(variant_named(name), values));
        QVERIFY2(wrong.isEmpty(), qPrintable(wrong));
    }

    void every_row_adds_one_and_no_key_more_than_its_readers_data() { variant_rows(); }
    void every_row_adds_one_and_no_key_more_than_its_readers()
    {
        QFETCH(QString, name);
        const std::int64_t context = 211;
        const ImportanceCase values = normal_case({ 3, 1, 40, context, context }, random_);
        const std::vector<float> sums = cpu_sums(variant_named(name), values);
        for (std::int64_t head = 0; head < 3; ++head) {
            double total = 0;
            for (std::int64_t key = 0; key < context; ++key) {
                const double sum = static_cast<double>(sums[static_cast<std::size_t>(head * context + key)]);
                QVERIFY(sum >= 0);
                QVERIFY(sum <= static_cast<double>(context - key) * (1 + 1e-5));
                total += sum;
            }
            QVERIFY(std::abs(total - static_cast<double>(context)) < 1e-5 * static_cast<double>(context));
        }
    }

    void every_row_of_a_window_adds_one_too_data() { variant_rows(); }
    void every_row_of_a_window_adds_one_too()
    {
        QFETCH(QString, name);
        const std::int64_t context = 211;
        AttentionShape shape { 3, 1, 40, context, context };
        shape.softcap = 3;
        for (const std::int64_t window : { 1, 7, 64, 210 }) {
            shape.window = window;
            const ImportanceCase values = biased_case(shape, random_);
            const std::vector<float> sums = cpu_sums(variant_named(name), values);
            for (std::int64_t head = 0; head < 3; ++head) {
                double total = 0;
                for (std::int64_t key = 0; key < context; ++key) {
                    const double sum = static_cast<double>(sums[static_cast<std::size_t>(head * context + key)]);
                    const auto readers = static_cast<double>(std::min(window, context - key));
                    QVERIFY(sum >= 0);
                    QVERIFY(sum <= readers * (1 + 1e-4)); // biases of 100 leave scores 1e-5 to round
                    total += sum;
                }
                QVERIFY(std::abs(total - static_cast<double>(context)) < 1e-4 * static_cast<double>(context));
            }
        }
    }

    void a_large_bias_and_log_sum_exp_cancel_before_they_meet_the_score_data() { variant_rows(); }
    void a_large_bias_and_log_sum_exp_cancel_before_they_meet_the_score()
    {
        QFETCH(QString, name);
        ImportanceCase values = normal_case({ 2, 1, 32, 40, 40 }, random_);
        values.bias.assign(80, 131072.0F); // to which a score adds 1/128 at the least
        values.normalise();
        const std::vector<double> wanted = reference_sums(values);
        const std::vector<float> sums = cpu_sums(variant_named(name), values);
        for (std::size_t i = 0; i < wanted.size(); ++i)
            QVERIFY2(std::abs(static_cast<double>(sums[i]) - wanted[i]) <= 1e-5 * wanted[i],
                qPrintable(QString("key %1: %2 for %3").arg(i).arg(static_cast<double>(sums[i])).arg(wanted[i])));
    }

    void blocks_of_queries_add_up_to_the_whole_data()
    {
        QTest::addColumn<QString>("name");
        QTest::addColumn<std::int64_t>("window");
        for (const ImportanceVariant& variant : importance_variants()) {
            for (const std::int64_t window : { 0, 1, 50, 180 })
                QTest::addRow("%s, window %lld", variant.name, static_cast<long long>(window))
                    << QString(variant.name) << window;
        }
    }
    void blocks_of_queries_add_up_to_the_whole()
    {
        QFETCH(QString, name);
        QFETCH(std::int64_t, window);
        AttentionShape shape { 1, 1, 24, 200, 200 };
        shape.window = window;
        const ImportanceCase whole = normal_case(shape, random_);
        std::vector<float> sums(200);
        for (std::int64_t begin = 0; begin < 200; begin += 77) {
            ImportanceInputs part = whole.inputs();
            part.shape.query_begin = begin;
            part.shape.queries = std::min<std::int64_t>(77, 200 - begin);
            part.q = whole.q.data() + begin * whole.shape.q_token_stride;
            part.row_lse = whole.lse.data() + begin;
            importance_cpu_with(variant_named(name), part, sums.data(), 1);
        }
        const QString wrong = first_disagreement(whole, sums);
        QVERIFY2(wrong.isEmpty(), qPrintable(wrong));
    }

    void the_number_of_threads_changes_no_bit_data() { variant_rows(); }
    void the_number_of_threads_changes_no_bit()
    {
        QFETCH(QString, name);
        const ImportanceCase values = normal_case({ 6, 2, 64, 333, 333 }, random_);
        const std::vector<float> alone = cpu_sums(variant_named(name), values, 1);
        for (const int threads : { 2, 3, 7, 16 })
            QCOMPARE(cpu_sums(variant_named(name), values, threads), alone);
    }

    void what_is_not_finite_shows_in_every_sum_it_touches_and_no_other_data()
    {
        QTest::addColumn<QString>("name");
        QTest::addColumn<QString>("where");
        QTest::addColumn<float>("value");
        const float infinity = std::numeric_limits<float>::infinity();
        for (const ImportanceVariant& variant : importance_variants()) {
            for (const char* where :
                { "query", "key", "lse", "capped query", "capped key", "capped lse", "capped bias" }) {
                for (const float value : { std::numeric_limits<float>::quiet_NaN(), infinity, -infinity })
                    QTest::addRow("%s, %s %g", variant.name, where, static_cast<double>(value))
                        << QString(variant.name) << QString(where) << value;
            }
        }
    }
    void what_is_not_finite_shows_in_every_sum_it_touches_and_no_other()
    {
        QFETCH(QString, name);
        QFETCH(QString, where);
        QFETCH(float, value);
        const std::int64_t context = 150;
        const std::int64_t position = 83;
        AttentionShape shape { 4, 2, 17, context, context };
        const bool ruled = where.startsWith("capped");
        shape.softcap = ruled ? 5 : 0;
        shape.window = ruled ? 40 : 0;
        ImportanceCase values = ruled ? biased_case(shape, random_) : normal_case(shape, random_);
        const std::vector<float> clean = cpu_sums(variant_named(name), values);
        (where.endsWith("query")        ? values.q_at(1, position, 3)
                : where.endsWith("key") ? values.k_at(0, position, 3)
                : where.endsWith("lse") ? values.lse[static_cast<std::size_t>(context + position)]
                                        : values.bias[static_cast<std::size_t>(context + position)])
            = value;
        const std::vector<float> sums = cpu_sums(variant_named(name), values);
        const std::vector<double> reference = reference_sums(values);
        for (std::int64_t head = 0; head < 4; ++head) {
            for (std::int64_t key = 0; key < context; ++key) {
                const bool touched = where.endsWith("key") ? head < 2 && key == position
                    : where.endsWith("bias")               ? head == 1 && key == position
                                                           : head == 1 && sees(shape, position, key);
                const auto at = static_cast<std::size_t>(head * context + key);
                QCOMPARE(std::isnan(reference[at]), touched);
                QVERIFY2(
                    touched ? std::isnan(sums[at]) : same_bits(sums[at], clean[at]), qPrintable(QString::number(at)));
            }
        }
    }

    void a_key_that_no_query_sees_is_left_alone_data() { variant_rows(); }
    void a_key_that_no_query_sees_is_left_alone()
    {
        QFETCH(QString, name);
        ImportanceCase values = normal_case({ 1, 1, 8, 10, 40, 5 }, random_);
        values.k_at(0, 15, 0) = std::numeric_limits<float>::quiet_NaN(); // the last query sees keys 0 … 14
        std::vector<float> sums(40, 0.5F);
        importance_cpu_with(variant_named(name), values.inputs(), sums.data(), 2);
        for (std::size_t key = 0; key < 40; ++key)
            QVERIFY(key < 15 ? sums[key] > 0.5F : sums[key] == 0.5F);
    }

    void a_key_that_every_window_hides_is_left_alone_data() { variant_rows(); }
    void a_key_that_every_window_hides_is_left_alone()
    {
        QFETCH(QString, name);
        AttentionShape shape { 1, 1, 8, 10, 40, 25 };
        shape.window = 4;
        ImportanceCase values = biased_case(shape, random_);
        values.k_at(0, 21, 0) = std::numeric_limits<float>::quiet_NaN(); // the first query sees keys 22 … 25
        values.bias[35] = std::numeric_limits<float>::quiet_NaN(); // the last one keys 31 … 34
        std::vector<float> sums(40, 0.5F);
        importance_cpu_with(variant_named(name), values.inputs(), sums.data(), 2);
        for (std::size_t key = 0; key < 40; ++key)
            QVERIFY(key >= 22 && key < 35 ? sums[key] > 0.5F : sums[key] == 0.5F);
    }

    void half_precision_inputs_are_refused()
    {
        ImportanceCase values = normal_case({ 1, 1, 8, 4, 4 }, random_);
        ImportanceInputs inputs = values.inputs();
        inputs.type = ElementType::bfloat16;
        std::vector<float> sums(4);
        QVERIFY_EXCEPTION_THROWN(importance_cpu(inputs, sums.data(), 1), std::runtime_error);
    }

private:
    static void variant_rows()
    {
        QTest::addColumn<QString>("name");
        for (const ImportanceVariant& variant : importance_variants())
            QTest::addRow("%s", variant.name) << QString(variant.name);
    }

    static double largest_error(const ImportanceVariant& variant, const ImportanceCase& values)
    {
        const std::vector<float> sums = cpu_sums(variant, values);
        const std::vector<double> expected = reference_sums(values);
        double largest = 0;
        for (std::size_t at = 0; at < sums.size(); ++at)
            largest = std::max(largest, std::abs(static_cast<double>(sums[at]) - expected[at]) / expected[at]);
        qInfo("largest relative error of %s: %.2g", variant.name, largest);
        return largest;
    }
};

KEEPSET_TEST(TestImportance)
#include "tst_importance.moc"
