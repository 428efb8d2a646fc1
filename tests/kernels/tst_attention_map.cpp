#include "tests/kernels/attention_map_case.h"
#include "tests/support/test_main.h"

#include <QTest>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

using namespace keepset::kernels;
using namespace keepset::kernels::test;

namespace {

constexpr float poison = -12345.0F;

std::vector<float> cpu_cells(const AttentionMapInputs& map, int threads)
{
    std::vector<float> cells(static_cast<std::size_t>(map.rows * map.columns), poison);
    attention_map_cpu(map, 0, map.rows, cells.data(), threads);
    return cells;
}

} // namespace

class TstAttentionMap : public QObject {
    Q_OBJECT

    std::mt19937 random_;

private Q_SLOTS:
    void initTestCase()
    {
        const unsigned seed = std::random_device {}();
        random_.seed(seed);
        qInfo("seed %u", seed);
    }

    void cells_cover_every_position_once()
    {
        for (std::int64_t length = 1; length < 40; ++length) {
            for (std::int64_t parts = 1; parts <= length; ++parts) {
                QCOMPARE(part_begin(length, parts, 0), std::int64_t { 0 });
                QCOMPARE(part_begin(length, parts, parts), length);
                for (std::int64_t part = 0; part < parts; ++part) {
                    const std::int64_t end = part_begin(length, parts, part + 1);
                    QVERIFY(end > part_begin(length, parts, part));
                    for (std::int64_t at = part_begin(length, parts, part); at < end; ++at)
                        QCOMPARE(part_of(length, parts, at), part);
                }
            }
        }
    }

    void any_range_of_any_shape_is_that_of_the_reference()
    {
        for (int round = 0; round < 400; ++round) {
            const ImportanceCase values = round % 2 == 0 ? random_case(random_) : random_rule_case(random_);
            AttentionMapInputs map
                = map_of(values, std::uniform_int_distribution<std::int64_t>(0, values.shape.heads - 1)(random_));
            choose_range(map, random_);
            const QString wrong = first_disagreement(values, map, cpu_cells(map, 2));
            QVERIFY2(wrong.isEmpty(), qPrintable(wrong));
        }
    }

    void one_cell_a_position_shows_rows_that_sum_to_one()
    {
        AttentionShape shape;
        shape.heads = 7;
        shape.kv_heads = 1;
        shape.head_dim = 80;
        shape.queries = shape.keys = 97;
        const ImportanceCase values = normal_case(shape, random_);
        const AttentionMapInputs map = map_of(values, 6);
        const std::vector<float> cells = cpu_cells(map, 2);
        for (std::int64_t row = 0; row < map.rows; ++row) {
            double sum = 0;
            for (std::int64_t column = 0; column < map.columns; ++column) {
                const float cell = cells[static_cast<std::size_t>(row * map.columns + column)];
                QCOMPARE(cell == hidden_cell, column > row);
                sum += column > row ? 0 : static_cast<double>(cell);
            }
            QVERIFY2(std::abs(sum - 1) < 1e-5, qPrintable(QString::number(sum)));
        }
    }

    void what_is_not_finite_shows_in_its_cells_and_nowhere_else()
    {
        for (const float bad : { std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity() }) {
            for (int round = 0; round < 40; ++round) {
                ImportanceCase values = random_rule_case(random_);
                const auto pick = [&](std::int64_t end) {
                    return std::uniform_int_distribution<std::int64_t>(0, end - 1)(random_);
                };
                if (round % 3 == 0)
                    values.q_at(0, pick(values.shape.queries), pick(values.shape.head_dim)) = bad;
                else if (round % 3 == 1)
                    values.k_at(0, pick(values.shape.keys), pick(values.shape.head_dim)) = -bad;
                else
                    values.lse[static_cast<std::size_t>(pick(values.shape.queries))] = bad;
                AttentionMapInputs map = map_of(values, 0);
                choose_range(map, random_);
                const QString wrong = first_disagreement(values, map, cpu_cells(map, 1));
                QVERIFY2(wrong.isEmpty(), qPrintable(wrong));
            }
        }
    }

    void threads_and_rows_asked_for_change_no_bit()
    {
        const ImportanceCase values = random_rule_case(random_);
        AttentionMapInputs map = map_of(values, 0);
        choose_range(map, random_);
        const std::vector<float> whole = cpu_cells(map, 1);
        const std::vector<float> threaded = cpu_cells(map, 3);
        QVERIFY(std::memcmp(threaded.data(), whole.data(), whole.size() * sizeof(float)) == 0);
        std::vector<float> piecewise(whole.size(), poison);
        for (std::int64_t row = 0; row < map.rows; ++row) {
            attention_map_cpu(map, row, row + 1, piecewise.data(), 1);
            QVERIFY(row + 1 == map.rows || piecewise[static_cast<std::size_t>((row + 1) * map.columns)] == poison);
        }
        QVERIFY(std::memcmp(piecewise.data(), whole.data(), whole.size() * sizeof(float)) == 0);
    }
};

KEEPSET_TEST(TstAttentionMap)
#include "tst_attention_map.moc"
