#include "core/error.h"
#include "core/head_summary.h"
#include "tests/support/made_analysis.h"
#include "tests/support/test_main.h"

#include <QElapsedTimer>
#include <QTest>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

using namespace keepset;

namespace {

/// One head whose importance is given.
Analysis one_head(std::vector<float> importance)
{
    Analysis a;
    a.layers = a.heads = a.kv_heads = 1;
    a.context = static_cast<std::int64_t>(importance.size());
    a.importance = std::move(importance);
    return a;
}

HeadNumbers numbers_of(std::vector<float> importance)
{
    return summarise_heads(one_head(std::move(importance)), Importance::cumulative, 8).numbers.at(0);
}

KeepSet random_set(const Analysis& a, unsigned seed)
{
    KeepSet set;
    set.layers = a.layers;
    set.kv_heads = a.kv_heads;
    set.context = a.context;
    std::mt19937 generator(seed);
    for (std::int64_t i = 0; i < a.layers * a.kv_heads * a.context; ++i)
        set.labels.push_back(generator() % 3 == 0 ? Label::important : Label::evicted);
    return set;
}

bool near(double a, double b, double relative) { return std::abs(a - b) <= relative * std::max(1.0, std::abs(b)); }

} // namespace

/// The numbers that tell heads apart, against plain sums over P in float64.
class TestHeadSummary : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void numbers_are_what_p_says()
    {
        const auto [a, distance] = made::analysis_by_chance({ 2, 6, 2, 97 });
        const HeadSummaries all = summarise_heads(a, Importance::cumulative, 16);
        QCOMPARE(all.numbers.size(), std::size_t { 12 });
        for (std::int64_t layer = 0; layer < 2; ++layer) {
            for (std::int64_t head = 0; head < 6; ++head) {
                const float* values = a.importance.data() + (layer * 6 + head) * 97;
                double entropy = 0;
                for (std::int64_t j = 0; j < 97; ++j)
                    entropy -= values[j] / 97.0 * std::log(values[j] / 97.0);
                const HeadNumbers& numbers = all.numbers[all.index(layer, head)];
                // A adds up to C within rounding to float32: 97 values with half a unit in the last place each.
                QVERIFY(near(numbers.sink_mass, values[0] / 97.0, 1e-6));
                QVERIFY(near(numbers.entropy, entropy, 1e-6));
                QVERIFY(near(numbers.entropy_share, entropy / std::log(97.0), 1e-6));
                QVERIFY(near(numbers.mean_distance, distance[all.index(layer, head)], 1e-5));
            }
        }
    }

    void the_plainest_heads_have_the_numbers_one_expects()
    {
        const HeadNumbers sink = numbers_of({ 5, 0, 0, 0, 0 }); // every query reads the first token
        QCOMPARE(sink.sink_mass, 1.0);
        QCOMPARE(sink.entropy, 0.0);
        QCOMPARE(sink.entropy_share, 0.0);
        QCOMPARE(sink.mean_distance, 2.0); // 0, 1, 2, 3, 4
        const HeadNumbers self = numbers_of({ 1, 1, 1, 1, 1 }); // every query reads itself
        QCOMPARE(self.sink_mass, 0.2);
        QCOMPARE(self.entropy, std::log(5.0));
        QCOMPARE(self.entropy_share, 1.0);
        QCOMPARE(self.mean_distance, 0.0);
        const HeadNumbers before = numbers_of({ 2, 1, 1, 1, 0 }); // every query reads the token before it
        QCOMPARE(before.mean_distance, 0.8);
    }

    void one_token_has_no_share_of_its_entropy()
    {
        const HeadNumbers numbers = numbers_of({ 1 });
        QCOMPARE(numbers.sink_mass, 1.0);
        QCOMPARE(numbers.entropy, 0.0);
        QVERIFY(std::isnan(numbers.entropy_share));
        QCOMPARE(numbers.mean_distance, 0.0);
    }

    void what_is_no_number_stays_none_and_spares_other_heads()
    {
        const float nan = std::numeric_limits<float>::quiet_NaN();
        const float infinity = std::numeric_limits<float>::infinity();
        for (const float bad : { nan, infinity, -1.0F }) {
            const HeadNumbers numbers = numbers_of({ 3, 1, bad, 1 });
            QVERIFY(std::isnan(numbers.sink_mass) && std::isnan(numbers.entropy) && std::isnan(numbers.entropy_share)
                && std::isnan(numbers.mean_distance));
        }
        QVERIFY(std::isnan(numbers_of({ 0, 0 }).sink_mass)); // no attention at all
        Analysis a = made::analysis_by_chance({ 2, 4, 2, 40 }).analysis;
        const HeadSummaries before = summarise_heads(a, Importance::cumulative, 10);
        a.importance[40 + 13] = nan; // layer 0, head 1
        const HeadSummaries after = summarise_heads(a, Importance::cumulative, 10);
        for (std::size_t row = 0; row < 8; ++row) {
            QCOMPARE(std::isnan(after.numbers[row].entropy), row == 1);
            QVERIFY(row == 1 || after.numbers[row].entropy == before.numbers[row].entropy);
            for (std::size_t bin = 0; bin < 10; ++bin) {
                const bool holds = row == 1 && bin == 13 / 4;
                QCOMPARE(std::isnan(after.largest[row * 10 + bin]), holds);
                QCOMPARE(std::isnan(after.means[row * 10 + bin]), holds);
            }
        }
    }

    void bins_share_out_every_position_once()
    {
        const Analysis a = made::analysis_by_chance({ 1, 2, 1, 101 }).analysis;
        for (const std::int64_t most : { 1, 7, 100, 101, 512 }) {
            const HeadSummaries all = summarise_heads(a, Importance::cumulative, most);
            QCOMPARE(all.bins, std::min<std::int64_t>(most, 101));
            QCOMPARE(all.begin_of(0), 0);
            QCOMPARE(all.begin_of(all.bins), 101);
            for (std::int64_t head = 0; head < 2; ++head) {
                for (std::int64_t bin = 0; bin < all.bins; ++bin) {
                    double largest = 0;
                    double sum = 0;
                    for (std::int64_t j = all.begin_of(bin); j < all.begin_of(bin + 1); ++j) {
                        largest = std::max(largest, static_cast<double>(a.importance.at(head * 101 + j)));
                        sum += static_cast<double>(a.importance.at(head * 101 + j));
                    }
                    const auto index = static_cast<std::size_t>(head * all.bins + bin);
                    const auto positions = static_cast<double>(all.begin_of(bin + 1) - all.begin_of(bin));
                    QCOMPARE(all.largest.at(index), static_cast<float>(largest));
                    QCOMPARE(all.means.at(index), static_cast<float>(sum / positions));
                }
            }
        }
    }

    /// Of the bins alone: the numbers are of attention as it is.
    void bins_follow_the_importance_mode()
    {
        Analysis a = made::analysis_by_chance({ 2, 2, 1, 50 }).analysis;
        a.windows = { 0, 8 }; // layer 1 slides
        const HeadSummaries received = summarise_heads(a, Importance::mean_received, 50);
        for (std::int64_t layer = 0; layer < 2; ++layer) {
            const std::vector<float> values = head_importance(a, layer, Importance::mean_received);
            for (std::size_t i = 0; i < 100; ++i)
                QCOMPARE(received.largest.at(static_cast<std::size_t>(layer) * 100 + i), values[i]);
        }
        const HeadSummaries cumulative = summarise_heads(a, Importance::cumulative, 50);
        for (std::size_t row = 0; row < 4; ++row)
            QCOMPARE(received.numbers[row].entropy, cumulative.numbers[row].entropy);
    }

    void kept_shares_are_of_the_head_s_own_kv_head_and_their_mean_is_the_kept_mass()
    {
        const Analysis a = made::analysis_by_chance({ 3, 6, 2, 64 }).analysis;
        SelectRequest request;
        request.policy = parse_policy("h2o");
        request.sparsity = 0.7;
        for (const Granularity granularity : { Granularity::head, Granularity::layer, Granularity::model }) {
            request.granularity = granularity;
            const KeepSet set = select(a, request);
            const std::vector<double> shares = kept_shares(a, set);
            QCOMPARE(shares.size(), std::size_t { 18 });
            for (std::int64_t row = 0; row < 18; ++row) {
                double kept = 0;
                for (std::int64_t j = 0; j < 64; ++j) {
                    if (set.labels.at(static_cast<std::size_t>(row / 3 * 64 + j)) != Label::evicted)
                        kept += static_cast<double>(a.importance.at(static_cast<std::size_t>(row * 64 + j)));
                }
                QVERIFY(near(shares[static_cast<std::size_t>(row)], kept / 64, 1e-12));
            }
            QVERIFY(near(std::accumulate(shares.begin(), shares.end(), 0.0) / 18, set.kept_mass, 1e-12));
        }
        request.policy = parse_policy("dense");
        request.sparsity = 0;
        for (const double share : kept_shares(a, select(a, request)))
            QVERIFY(near(share, 1, 1e-6));
    }

    void jaccard_of_every_head_is_that_of_its_row()
    {
        const Analysis a = made::analysis_by_chance({ 2, 4, 2, 50 }).analysis;
        const KeepSet one = random_set(a, 1);
        KeepSet other = random_set(a, 2);
        std::copy_n(one.labels.begin(), 50, other.labels.begin());
        std::fill_n(other.labels.begin() + 50, 50, Label::evicted);
        const std::vector<double> alike = jaccard_by_head(one, other);
        QCOMPARE(alike.size(), std::size_t { 4 });
        QCOMPARE(alike[0], 1.0);
        QCOMPARE(alike[1], 0.0);
        for (std::size_t row = 2; row < 4; ++row) {
            double both = 0;
            double either = 0;
            for (std::size_t j = row * 50; j < row * 50 + 50; ++j) {
                const bool in_one = one.labels[j] != Label::evicted;
                const bool in_other = other.labels[j] != Label::evicted;
                both += in_one && in_other ? 1 : 0;
                either += in_one || in_other ? 1 : 0;
            }
            QCOMPARE(alike[row], both / either);
        }
    }

    void other_shapes_are_refused()
    {
        const Analysis a = made::analysis_by_chance({ 2, 4, 2, 20 }).analysis;
        const KeepSet set = random_set(a, 1);
        for (const int what : { 0, 1, 2 }) {
            KeepSet other = set;
            (what == 0 ? other.layers : what == 1 ? other.kv_heads : other.context) /= 2;
            QVERIFY_EXCEPTION_THROWN(kept_shares(a, other), Error);
            QVERIFY_EXCEPTION_THROWN(jaccard_by_head(set, other), Error);
        }
        Analysis cut = a;
        cut.importance.pop_back();
        QVERIFY_EXCEPTION_THROWN(summarise_heads(cut, Importance::cumulative, 4), Error);
        QVERIFY_EXCEPTION_THROWN(summarise_heads(Analysis {}, Importance::cumulative, 4), Error);
    }

    void threads_change_nothing_and_a_stop_is_heard()
    {
        Analysis a = one_head({});
        a.layers = 8;
        a.context = 200000;
        std::mt19937 generator(9);
        std::exponential_distribution<float> draw(1.0F);
        for (int i = 0; i < 8 * 200000; ++i)
            a.importance.push_back(draw(generator));
        const HeadSummaries one = summarise_heads(a, Importance::cumulative, 64, 1);
        const HeadSummaries many = summarise_heads(a, Importance::cumulative, 64, 7);
        for (std::size_t row = 0; row < 8; ++row)
            QCOMPARE(many.numbers[row].entropy, one.numbers[row].entropy);
        QCOMPARE(many.largest, one.largest);
        QCOMPARE(many.means, one.means);
        std::stop_source stop;
        stop.request_stop();
        QVERIFY_EXCEPTION_THROWN(
            summarise_heads(a, Importance::cumulative, 64, 2, { stop.get_token(), {} }), Cancelled);
    }

    /// Many layers of a long context come some at a time, each as it is at the end.
    void layers_are_told_of_as_they_come()
    {
        Analysis a = one_head({});
        a.layers = 50;
        a.context = 200000;
        a.importance.resize(50 * 200000);
        for (std::size_t i = 0; i < a.importance.size(); ++i)
            a.importance[i] = static_cast<float>(1 + i % 977);
        std::vector<std::int64_t> done;
        std::vector<double> entropy; // of the last layer told of, each time
        std::vector<float> largest; // its last bin
        const auto partly = [&](const HeadSummaries& heads) {
            done.push_back(heads.layers_done);
            entropy.push_back(heads.numbers.at(heads.index(heads.layers_done - 1, 0)).entropy);
            largest.push_back(heads.largest.at(static_cast<std::size_t>(heads.layers_done * heads.bins - 1)));
        };
        const HeadSummaries all = summarise_heads(a, Importance::cumulative, 64, 2, { {}, partly });
        QVERIFY2(done.size() > 1, "a long context is told of once only");
        QVERIFY(std::ranges::is_sorted(done) && done.back() == 50);
        QVERIFY(all.is_finished());
        for (std::size_t i = 0; i < done.size(); ++i) {
            QCOMPARE(entropy[i], all.numbers.at(all.index(done[i] - 1, 0)).entropy);
            QCOMPARE(largest[i], all.largest.at(static_cast<std::size_t>(done[i] * all.bins - 1)));
        }
    }

    void a_stop_is_heard_between_layers()
    {
        Analysis a = one_head({});
        a.layers = 50;
        a.context = 200000;
        a.importance.assign(50 * 200000, 1.0F);
        std::stop_source stop;
        std::int64_t done = 0;
        const auto partly = [&](const HeadSummaries& heads) {
            done = heads.layers_done;
            stop.request_stop();
        };
        QVERIFY_EXCEPTION_THROWN(
            summarise_heads(a, Importance::cumulative, 64, 2, { stop.get_token(), partly }), Cancelled);
        QVERIFY(done > 0 && done < 50);
    }
};

KEEPSET_TEST(TestHeadSummary)
#include "tst_head_summary.moc"
