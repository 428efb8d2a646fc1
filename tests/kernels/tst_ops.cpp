#include "tests/kernels/ops_case.h"
#include "tests/support/test_main.h"

#include <QTest>

#include <cmath>
#include <limits>

using namespace keepset::kernels;
using namespace keepset::kernels::test;

class TestOps : public QObject {
    Q_OBJECT

    std::mt19937 random_;

private Q_SLOTS:
    void initTestCase()
    {
        const unsigned seed = std::random_device {}();
        random_.seed(seed);
        qInfo("seed %u", seed);
    }

    void scores_are_what_their_query_heads_come_to()
    {
        for (int round = 0; round < 200; ++round) {
            ScoreRowsCase values = random_score_rows(random_);
            ScoreRowsInputs& a = values.inputs;
            a.importance = values.importance.data();
            a.ranked = values.ranked.empty() ? nullptr : values.ranked.data();
            const std::vector<float>& ranked = a.ranked ? values.ranked : values.importance;
            a.windows = values.windows.empty() ? nullptr : values.windows.data();
            const std::int64_t rows = a.layers * a.kv_heads;
            std::vector<float> scores(static_cast<std::size_t>(rows / a.together * a.context));
            std::vector<double> mass(static_cast<std::size_t>(rows * a.context));
            score_rows_cpu(a, scores.data(), mass.data(), 1 + round % 2);
            const auto group = static_cast<long double>(a.heads / a.kv_heads);
            for (std::int64_t j = 0; j < a.context; ++j) {
                for (std::int64_t first = 0; first < rows; first += a.together) {
                    long double sum = 0;
                    for (std::int64_t row = first; row < first + a.together; ++row) {
                        long double all = 0; // of what the mass is made of
                        long double total = 0; // of what the scores are made of
                        long double largest = -INFINITY;
                        for (std::int64_t head = 0; head < a.heads / a.kv_heads; ++head) {
                            const auto place
                                = static_cast<std::size_t>((row * (a.heads / a.kv_heads) + head) * a.context + j);
                            const long double value = ranked[place];
                            all += values.importance[place];
                            total += value;
                            largest = std::isnan(value) || value > largest ? value : largest;
                            if (std::isnan(total))
                                largest = total;
                        }
                        const auto found
                            = static_cast<long double>(mass[static_cast<std::size_t>(row * a.context + j)]);
                        const long double of_all = all / group;
                        QVERIFY(std::isfinite(of_all) ? std::abs(found - of_all) <= 1e-15L * of_all * group
                                                      : !std::isfinite(found));
                        const long double mean = total / group;
                        std::int64_t queries = 0;
                        for (std::int64_t i = j; i < a.context; ++i) {
                            const std::int64_t window = a.windows ? a.windows[row / a.kv_heads] : 0;
                            queries += window == 0 || i - j < window ? 1 : 0;
                        }
                        const long double value = a.reduction == GroupReduction::mean ? mean
                            : a.reduction == GroupReduction::max ? (std::isnan(total) ? total : largest)
                                                                 : total;
                        sum += a.per_query ? value / static_cast<long double>(queries) : value;
                    }
                    const long double wanted = sum / static_cast<long double>(a.together);
                    const float score = scores[static_cast<std::size_t>(first / a.together * a.context + j)];
                    if (std::isfinite(wanted))
                        QVERIFY(std::abs(static_cast<long double>(score) - wanted) <= 6.1e-8L * wanted);
                    else
                        QVERIFY(!std::isfinite(score));
                }
            }
        }
    }

    void kept_positions_are_listed_and_counted()
    {
        for (int round = 0; round < 200; ++round) {
            KeptRowsCase values = random_kept_rows(random_);
            KeptRowsInputs& a = values.inputs;
            a.labels = values.labels.data();
            a.scores = values.scores.data();
            a.mass = values.mass.data();
            a.starts = values.starts.data();
            const std::int64_t rows = rows_of(a);
            std::vector<std::int32_t> positions(static_cast<std::size_t>(a.end) + 1, -7);
            std::vector<KeptFacts> facts(static_cast<std::size_t>(a.plans * rows));
            kept_rows_cpu(a, positions.data(), facts.data(), 1 + round % 3);
            QCOMPARE(positions.back(), -7);
            for (std::int64_t index = 0; index < a.plans * rows; ++index) {
                const std::int64_t row = index % rows;
                const std::uint8_t* labels = a.labels + (index / rows * a.score_rows + row / a.sharing) * a.context;
                const float* scores = a.scores + row / a.sharing * a.context;
                std::vector<std::int32_t> kept;
                std::uint64_t hash = 0;
                double mass = 0;
                bool tied = false;
                for (std::int64_t j = a.context - 1; j >= 0; --j) { // another order
                    if (labels[j] != 0) {
                        kept.insert(kept.begin(), static_cast<std::int32_t>(j));
                        hash += place_hash(row, a.context, j);
                        mass += values.mass[static_cast<std::size_t>(row * a.context + j)];
                    }
                }
                float cut = INFINITY;
                float best = -INFINITY;
                for (std::int64_t j = 0; j < a.context; ++j) {
                    if (labels[j] == static_cast<std::uint8_t>(RowLabel::important))
                        cut = std::min(cut, scores[j]);
                    if (labels[j] == 0)
                        best = std::max(best, scores[j]);
                }
                tied = cut == best && cut < INFINITY;
                const KeptFacts& found = facts[static_cast<std::size_t>(index)];
                const auto begin = positions.begin() + static_cast<std::ptrdiff_t>(a.starts[index]);
                QCOMPARE(found.entries, static_cast<std::int64_t>(kept.size()));
                QVERIFY(std::equal(kept.begin(), kept.end(), begin));
                QCOMPARE(found.hash, hash);
                QVERIFY(std::abs(found.mass - mass) <= 1e-12 * std::max(mass, 1.0));
                QCOMPARE(found.first_kept, labels[0] != 0 ? 1 : 0);
                QCOMPARE(found.tied, tied ? 1 : 0);
            }
        }
    }

    void more_labels_than_room_write_nothing_behind_it()
    {
        const std::vector<std::uint8_t> labels(50, 1);
        const std::vector<float> scores(50, 0);
        const std::vector<double> mass(50, 1);
        const std::int64_t start = 3;
        KeptRowsInputs a { labels.data(), scores.data(), mass.data(), 1, 1, 1, 50, &start, 10 };
        std::vector<std::int32_t> positions(20, -7);
        KeptFacts facts;
        kept_rows_cpu(a, positions.data(), &facts, 1);
        QCOMPARE(facts.entries, 50);
        QCOMPARE(positions[9], 6);
        QCOMPARE(std::count(positions.begin() + 10, positions.end(), -7), 10);
    }

    void packed_rows_are_what_was_kept_and_then_the_own()
    {
        for (int round = 0; round < 100; ++round) {
            PackCase values = random_pack(random_);
            PackInputs& a = values.inputs;
            const std::int64_t dim = a.head_dim;
            a.keys = { values.keys.data(), 0, values.context * dim, dim };
            a.values = { values.values.data(), 0, values.context * dim, dim };
            a.own_keys = { values.own_keys.data(), a.kv_heads * a.own * dim, a.own * dim, dim };
            a.own_values = { values.own_values.data(), a.kv_heads * a.own * dim, a.own * dim, dim };
            a.positions = values.positions.data();
            a.starts = values.starts.data();
            a.ends = values.ends.data();
            std::vector<float> keys(static_cast<std::size_t>(values.ends.back() * a.packed_dim), -1);
            std::vector<float> packed_values = keys;
            a.packed_keys = keys.data();
            a.packed_values = packed_values.data();
            pack_kept_reference(a);
            for (std::int64_t sequence = 0; sequence < a.points * a.kv_heads; ++sequence) {
                const std::int64_t head = sequence % a.kv_heads;
                const auto s = static_cast<std::size_t>(sequence);
                const std::int64_t length = values.ends[s + 1] - values.ends[s];
                for (std::int64_t row = 0; row < length; ++row) {
                    const std::int64_t packed = a.side_by_side
                        ? values.ends[s - static_cast<std::size_t>(head)] + row * a.kv_heads + head
                        : values.ends[s] + row;
                    auto out = static_cast<std::size_t>(packed * a.packed_dim);
                    const std::int64_t own = row - (length - a.own);
                    const std::int64_t at = own < 0
                        ? (head * values.context + values.positions[static_cast<std::size_t>(values.starts[s] + row)])
                            * dim
                        : (sequence * a.own + own) * dim;
                    for (std::int64_t d = 0; d < a.packed_dim; ++d, ++out) {
                        const auto from = static_cast<std::size_t>(at + d);
                        const bool inside = d < dim;
                        QCOMPARE(keys[out], !inside ? 0 : own < 0 ? values.keys[from] : values.own_keys[from]);
                        QCOMPARE(packed_values[out],
                            !inside       ? 0
                                : own < 0 ? values.values[from]
                                          : values.own_values[from]);
                    }
                }
            }
        }
    }

    void logits_give_losses_and_cross_entropies()
    {
        const LogitCase values = random_logits(3, 5, 1000, random_);
        LogitInputs inputs = values.inputs;
        inputs.logits = values.logits.data();
        inputs.wanted = values.wanted.data();
        inputs.dense = values.dense.data();
        std::vector<float> lse(15);
        std::vector<float> nll(15);
        std::vector<double> cross(15);
        std::vector<std::int32_t> top(15);
        score_logits_reference(inputs, { lse.data(), nll.data(), cross.data(), top.data() });
        for (std::size_t row = 0; row < 15; ++row) {
            const float* logits = values.logits.data() + row * 1000;
            long double sum = 0;
            for (int v = 0; v < 1000; ++v)
                sum += std::exp(static_cast<long double>(logits[v]));
            const long double wanted = std::log(sum);
            QVERIFY(std::abs(static_cast<long double>(lse[row]) - wanted) < 1e-6L);
            const auto token = static_cast<std::size_t>(values.wanted[row % 5]);
            QVERIFY(std::abs(static_cast<long double>(nll[row]) - (wanted - logits[token])) < 2e-6L);
            long double crossed = 0;
            for (int v = 0; v < 1000; ++v)
                crossed += static_cast<long double>(values.dense[row % 5 * 1000 + static_cast<std::size_t>(v)])
                    * (static_cast<long double>(logits[v]) - wanted);
            QVERIFY(std::abs(static_cast<long double>(cross[row]) - crossed) < 1e-5L);
            QCOMPARE(top[row], static_cast<std::int32_t>(std::max_element(logits, logits + 1000) - logits));
        }
    }

    void logits_that_are_not_finite_make_no_number()
    {
        for (const float odd : { std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity() }) {
            LogitCase values = random_logits(1, 1, 100, random_);
            values.logits[40] = odd;
            LogitInputs inputs = values.inputs;
            inputs.logits = values.logits.data();
            inputs.wanted = values.wanted.data();
            inputs.dense = values.dense.data();
            float lse = 0;
            float nll = 0;
            double cross = 0;
            std::int32_t top = 0;
            score_logits_reference(inputs, { &lse, &nll, &cross, &top });
            QVERIFY(!std::isfinite(lse) && !std::isfinite(nll) && !std::isfinite(cross));
            QVERIFY(!std::isnan(odd) || top == -1);
        }
    }
};

KEEPSET_TEST(TestOps)
#include "tst_ops.moc"
