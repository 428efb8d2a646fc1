#include "core/attention/attend.h"
#include "core/attention/attend_rule_cuda.h"
#include "core/attention/column_sums.h"
#include "core/error.h"
#include "tests/support/test_main.h"

#include <QTest>

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/gather.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/randperm.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <stop_token>

using namespace keepset;

namespace {

/// A rule in words of its own, so that the test computes nothing by the code it tests.
struct Wanted {
    double scale = 0.3;
    double softcap = 0;
    std::int64_t window = 0;
    bool alibi = false;
    bool falcon = false;

    double slope(std::int64_t head) const { return std::pow(2.0, -0.9 * static_cast<double>(head + 1)); }

    ScoreRule rule(std::int64_t heads, at::Device device) const
    {
        ScoreRule rule;
        rule.scale = scale;
        rule.softcap = softcap;
        rule.window = window;
        if (alibi) {
            std::vector<float> slopes;
            for (std::int64_t head = 0; head < heads; ++head)
                slopes.push_back(static_cast<float>(slope(head)));
            rule.alibi_slopes = at::tensor(slopes).to(device);
        }
        rule.alibi_bfloat16 = falcon;
        rule.alibi_scale = falcon ? scale : 1;
        return rule;
    }
};

/// The nearest bfloat16, ties to even.
float bfloat16_of(float value)
{
    const auto bits = std::bit_cast<std::uint32_t>(value);
    return std::bit_cast<float>((bits + 0x7fffU + ((bits >> 16) & 1U)) & 0xffff0000U);
}

double bias_of(const Wanted& wanted, std::int64_t head, std::int64_t position)
{
    if (!wanted.alibi)
        return 0;
    const auto slope = static_cast<float>(wanted.slope(head));
    const auto place = static_cast<float>(position);
    if (!wanted.falcon)
        return static_cast<double>(slope * place);
    return static_cast<double>(bfloat16_of(bfloat16_of(slope) * bfloat16_of(place))) * wanted.scale;
}

/// float32 on the CPU; places int64: queries (queries), keys (kv_heads, keys).
struct Inputs {
    at::Tensor q; // (batch, heads, queries, head_dim)
    at::Tensor k; // (batch, kv_heads, keys, head_dim)
    at::Tensor v;
    at::Tensor query_places;
    at::Tensor key_places;
};

/// Every number of `inputs`' attention by plain loops, rounded to Real at every step: double is the truth, float says
/// how far off plain code may be.
template <typename Real> struct Naive {
    std::vector<Real> output; // (batch, heads, queries, head_dim)
    std::vector<Real> row_lse; // (batch, heads, queries)
    std::vector<Real> sums; // (batch, heads, keys)

    Naive(const Inputs& inputs, const Wanted& wanted)
    {
        const auto q = inputs.q.accessor<float, 4>();
        const auto k = inputs.k.accessor<float, 4>();
        const auto v = inputs.v.accessor<float, 4>();
        const std::int64_t keys = k.size(2);
        const std::int64_t group = q.size(1) / k.size(1);
        for (std::int64_t sample = 0; sample < q.size(0); ++sample) {
            for (std::int64_t head = 0; head < q.size(1); ++head) {
                const auto places = inputs.key_places.accessor<std::int64_t, 2>()[head / group];
                std::vector<Real> received(static_cast<std::size_t>(keys));
                for (std::int64_t query = 0; query < q.size(2); ++query) {
                    const std::int64_t place = inputs.query_places.accessor<std::int64_t, 1>()[query];
                    row(
                        q[sample][head][query], k[sample][head / group], v[sample][head / group],
                        [&](std::int64_t key, Real dot) { return score(wanted, head, place, places[key], dot); },
                        received);
                }
                sums.insert(sums.end(), received.begin(), received.end());
            }
        }
    }

private:
    static Real score(const Wanted& wanted, std::int64_t head, std::int64_t place, std::int64_t key_place, Real dot)
    {
        if (key_place > place || (wanted.window > 0 && place - key_place >= wanted.window))
            return -std::numeric_limits<Real>::infinity();
        Real value = dot * static_cast<Real>(wanted.scale);
        if (wanted.softcap != 0)
            value = static_cast<Real>(wanted.softcap) * std::tanh(value / static_cast<Real>(wanted.softcap));
        return value + static_cast<Real>(bias_of(wanted, head, key_place));
    }

    template <typename Row, typename Rows, typename Score>
    void row(const Row& q, const Rows& k, const Rows& v, const Score& score_of, std::vector<Real>& received)
    {
        std::vector<Real> weights;
        for (std::int64_t key = 0; key < k.size(0); ++key) {
            Real dot = 0;
            for (std::int64_t dim = 0; dim < q.size(0); ++dim)
                dot += static_cast<Real>(q[dim]) * static_cast<Real>(k[key][dim]);
            weights.push_back(score_of(key, dot));
        }
        const Real largest = *std::max_element(weights.begin(), weights.end());
        Real total = 0;
        for (Real& weight : weights) {
            weight = std::exp(weight - largest);
            total += weight;
        }
        row_lse.push_back(largest + std::log(total));
        for (std::size_t key = 0; key < weights.size(); ++key)
            received[key] += weights[key] / total;
        for (std::int64_t dim = 0; dim < v.size(1); ++dim) {
            Real sum = 0;
            for (std::size_t key = 0; key < weights.size(); ++key)
                sum += weights[key] / total * static_cast<Real>(v[static_cast<std::int64_t>(key)][dim]);
            output.push_back(sum);
        }
    }
};

/// Largest difference, relative to the expected value where that is above 1.
template <typename Real> double largest_error(const std::vector<Real>& values, const std::vector<double>& expected)
{
    double largest = values.size() == expected.size() ? 0 : std::numeric_limits<double>::infinity();
    for (std::size_t at = 0; at < std::min(values.size(), expected.size()); ++at) {
        const double off
            = std::abs(static_cast<double>(values[at]) - expected[at]) / std::max(1.0, std::abs(expected[at]));
        largest = std::isnan(off) ? std::numeric_limits<double>::infinity() : std::max(largest, off);
    }
    return largest;
}

/// How far off a score in float32 may be by the order of its additions alone, which is not that of the plain loops:
/// about sqrt(head_dim) roundings of the sum of its terms' sizes.
double product_error(const Inputs& inputs, const Wanted& wanted)
{
    const at::Tensor keys = inputs.k.abs().repeat_interleave(inputs.q.size(1) / inputs.k.size(1), 1);
    const double largest = at::matmul(inputs.q.abs(), keys.transpose(2, 3)).max().item<double>();
    return std::sqrt(static_cast<double>(inputs.q.size(3))) * 0x1p-24 * largest * wanted.scale;
}

std::vector<float> floats_of(const at::Tensor& tensor)
{
    const at::Tensor host = tensor.cpu().to(at::kFloat).contiguous();
    return { host.const_data_ptr<float>(), host.const_data_ptr<float>() + host.numel() };
}

/// Laid out as a projection does, the heads of one token side by side: (batch, heads, tokens, head_dim).
at::Tensor normal(std::int64_t batch, std::int64_t heads, std::int64_t tokens, std::int64_t head_dim)
{
    return at::randn({ batch, tokens, heads, head_dim }).transpose(1, 2);
}

Inputs causal_inputs(
    std::int64_t batch, std::int64_t heads, std::int64_t kv_heads, std::int64_t tokens, std::int64_t head_dim)
{
    const at::Tensor places = at::arange(tokens, at::kLong);
    return { normal(batch, heads, tokens, head_dim), normal(batch, kv_heads, tokens, head_dim),
        normal(batch, kv_heads, tokens, head_dim), places, places.expand({ kv_heads, tokens }) };
}

const std::vector<std::pair<const char*, Wanted>> rules = {
    { "plain", { 0.3 } },
    { "softcap", { 0.3, 5 } },
    { "tight softcap", { 0.3, 0.5 } },
    { "window 1", { 0.3, 0, 1 } },
    { "window 7", { 0.3, 0, 7 } },
    { "window of all", { 0.3, 0, 1000 } },
    { "alibi", { 0.3, 0, 0, true } },
    { "Falcon's alibi", { 0.3, 0, 0, true, true } },
    { "softcap and window", { 0.3, 5, 20 } },
    { "all at once", { 0.3, 5, 20, true } },
};

} // namespace

class TestAttend : public QObject {
    Q_OBJECT

    at::Device device_ { at::kCPU };
    Backend backend_ { 2, nullptr };

private Q_SLOTS:
    void initTestCase()
    {
        const char* const wanted = std::getenv("KEEPSET_TEST_DEVICE"); // NOLINT(concurrency-mt-unsafe): nothing sets it
        if (wanted == nullptr || std::string(wanted) == "cpu")
            return;
        std::string why_not;
        backend_.cuda = load_cuda_module(why_not);
        if (backend_.cuda == nullptr)
            QSKIP(why_not.c_str());
        device_ = at::Device(at::kCUDA, 0);
    }

    void every_rule_gives_what_plain_loops_give_data()
    {
        QTest::addColumn<Wanted>("wanted");
        QTest::addColumn<std::vector<std::int64_t>>("shape"); // batch, heads, kv_heads, tokens, head_dim
        const std::vector<std::vector<std::int64_t>> shapes = { { 1, 4, 4, 37, 16 }, { 2, 6, 2, 61, 80 },
            { 1, 7, 1, 1, 33 }, { 3, 2, 1, 70, 8 }, { 1, 2, 1, 300, 24 } };
        for (const auto& [name, wanted] : rules) {
            for (const auto& shape : shapes)
                QTest::addRow("%s, %lld heads, %lld tokens", name, static_cast<long long>(shape[1]),
                    static_cast<long long>(shape[3]))
                    << wanted << shape;
        }
    }
    void every_rule_gives_what_plain_loops_give()
    {
        QFETCH(Wanted, wanted);
        QFETCH(std::vector<std::int64_t>, shape);
        const Inputs inputs = causal_inputs(shape[0], shape[1], shape[2], shape[3], shape[4]);
        const Attended attended = attend_causal(inputs, wanted, at::kFloat);
        QCOMPARE(attended.output.scalar_type(), at::kFloat);
        check(inputs, wanted, attended, 0);
    }

    void half_precision_is_off_by_its_output_only_data()
    {
        QTest::addColumn<Wanted>("wanted");
        QTest::addColumn<bool>("bfloat16");
        for (const auto& [name, wanted] : rules) {
            if (wanted.rule(1, at::kCPU).within(45).plain())
                continue; // ATen's fused kernels, which round inside
            QTest::addRow("%s, bfloat16", name) << wanted << true;
            QTest::addRow("%s, float16", name) << wanted << false;
        }
    }
    void half_precision_is_off_by_its_output_only()
    {
        QFETCH(Wanted, wanted);
        QFETCH(bool, bfloat16);
        const at::ScalarType type = bfloat16 ? at::kBFloat16 : at::kHalf;
        Inputs inputs = causal_inputs(2, 4, 2, 45, 64);
        for (at::Tensor* tensor : { &inputs.q, &inputs.k, &inputs.v })
            *tensor = tensor->to(type).to(at::kFloat);
        const Attended attended = attend_causal(inputs, wanted, type);
        QCOMPARE(attended.output.scalar_type(), type);
        check(inputs, wanted, attended, rounding_in_16_bits(inputs, bfloat16));
    }

    /// More than one tile of queries and of keys, in every size of head that our kernel has.
    void a_text_of_several_tiles_by_a_rule_gives_what_plain_loops_give_data()
    {
        QTest::addColumn<Wanted>("wanted");
        QTest::addColumn<std::int64_t>("head_dim");
        const std::vector<std::pair<const char*, Wanted>> some
            = { { "softcap", { 0.1, 5 } }, { "window 50", { 0.1, 0, 50 } }, { "alibi", { 0.1, 0, 0, true } },
                  { "all at once", { 0.1, 5, 150, true } } };
        for (const auto& [name, wanted] : some) {
            for (const std::int64_t head_dim : { 40, 64, 84, 128, 256 })
                QTest::addRow("%s, head_dim %lld", name, static_cast<long long>(head_dim)) << wanted << head_dim;
        }
    }
    void a_text_of_several_tiles_by_a_rule_gives_what_plain_loops_give()
    {
        QFETCH(Wanted, wanted);
        QFETCH(std::int64_t, head_dim);
        for (const bool bfloat16 : { true, false }) {
            const at::ScalarType type = bfloat16 ? at::kBFloat16 : at::kHalf;
            Inputs inputs = causal_inputs(1, 2, 1, 333, head_dim);
            for (at::Tensor* tensor : { &inputs.q, &inputs.k, &inputs.v })
                *tensor = tensor->to(type).to(at::kFloat);
            check(inputs, wanted, attend_causal(inputs, wanted, type), rounding_in_16_bits(inputs, bfloat16));
        }
    }

    /// Where the GPU takes another kernel, and the CPU blocks.
    void a_long_text_in_half_precision_gives_what_plain_loops_give_data()
    {
        QTest::addColumn<bool>("bfloat16");
        QTest::addColumn<std::int64_t>("head_dim");
        QTest::newRow("bfloat16, head_dim 64") << true << std::int64_t { 64 };
        QTest::newRow("float16, head_dim 84") << false << std::int64_t { 84 };
    }
    void a_long_text_in_half_precision_gives_what_plain_loops_give()
    {
        QFETCH(bool, bfloat16);
        QFETCH(std::int64_t, head_dim);
        const at::ScalarType type = bfloat16 ? at::kBFloat16 : at::kHalf;
        Inputs inputs = causal_inputs(1, 2, 1, 2101, head_dim);
        for (at::Tensor* tensor : { &inputs.q, &inputs.k, &inputs.v })
            *tensor = tensor->to(type).to(at::kFloat);
        const Wanted plain;
        const Attended attended = attend_causal(inputs, plain, type);
        QCOMPARE(attended.output.scalar_type(), type);
        // The fused kernels round each share and the output to the type.
        const double unit = bfloat16 ? 0x1p-8 : 0x1p-11;
        // The CPU's takes shorter exponentials for them; 5e-5 was seen in the log-sum-exp.
        check(inputs, plain, attended, unit * (1 + inputs.v.abs().max().item<double>()), device_.is_cuda() ? 0 : 1e-4);
    }

    void importance_is_that_of_the_rule_data() { rule_rows(); }
    void importance_is_that_of_the_rule()
    {
        QFETCH(Wanted, wanted);
        const std::int64_t tokens = 157;
        const Inputs inputs = causal_inputs(1, 6, 2, tokens, 80);
        const ScoreRule rule = wanted.rule(6, device_);
        const Attended attended = attend_causal(inputs, wanted, at::kFloat);
        const at::Tensor sums
            = column_sums(inputs.q[0].to(device_), inputs.k[0].to(device_), attended.row_lse[0], rule, backend_, {});
        const Naive<double> expected(inputs, wanted);
        const Naive<float> naive(inputs, wanted);
        const double error = largest_error(floats_of(sums), expected.sums);
        // The plain loops subtract a score's own rounding. Here it comes from one product and its log-sum-exp from
        // another.
        const double allowed = 4 * largest_error(naive.sums, expected.sums) + product_error(inputs, wanted);
        qInfo("largest error %.2g of %.2g allowed", error, allowed);
        QVERIFY(error <= allowed);
        const std::vector<float> totals = floats_of(sums.sum(1));
        for (const float total : totals)
            QVERIFY(std::abs(total - static_cast<float>(tokens)) <= 1e-4F * static_cast<float>(tokens));
    }

    void a_long_text_in_blocks_equals_its_short_beginning_data() { rule_rows(); }
    void a_long_text_in_blocks_equals_its_short_beginning()
    {
        QFETCH(Wanted, wanted);
        wanted.window *= 20; // 20, 140 and 400 of 700: blocks that reach into others
        const Inputs inputs = causal_inputs(1, 32, 16, 700, 4); // more scores than are made at once
        const Attended whole = attend_causal(inputs, wanted, at::kFloat);
        Inputs start = inputs;
        for (at::Tensor* tensor : { &start.q, &start.k, &start.v })
            *tensor = tensor->slice(2, 0, 100);
        const Attended part = attend_causal(start, wanted, at::kFloat);
        QVERIFY(at::allclose(whole.output.slice(2, 0, 100), part.output, 1e-5, 1e-5));
        QVERIFY(at::allclose(whole.row_lse.slice(2, 0, 100), part.row_lse, 1e-5, 1e-5));
        check(inputs, wanted, whole, 0);
    }

    void a_window_of_all_tokens_changes_no_bit()
    {
        const Inputs inputs = causal_inputs(1, 4, 2, 90, 16);
        const Attended plain = attend_causal(inputs, { 0.3 }, at::kFloat);
        const Attended windowed = attend_causal(inputs, { 0.3, 0, 90 }, at::kFloat);
        QVERIFY(at::equal(plain.output, windowed.output));
        QVERIFY(at::equal(plain.row_lse, windowed.row_lse));
        const Attended hiding = attend_causal(inputs, { 0.3, 0, 89 }, at::kFloat);
        QVERIFY(!at::equal(plain.output.slice(2, 89), hiding.output.slice(2, 89)));
    }

    void kept_keys_count_by_their_places_data() { rule_rows(); }
    void kept_keys_count_by_their_places()
    {
        QFETCH(Wanted, wanted);
        // Each kv head kept keys of its own among 60; 9 targets follow, the last ones beyond a window's reach of them.
        for (const std::int64_t budget : { 0, 1, 13, 60 }) {
            std::vector<at::Tensor> kept; // (budget)
            for (std::int64_t head = 0; head < 3; ++head)
                kept.push_back(std::get<0>(at::randperm(60, at::kLong).slice(0, 0, budget).sort()));
            const at::Tensor targets = at::arange(60, 69, at::kLong);
            Inputs inputs { normal(1, 6, 9, 16), normal(1, 3, budget + 9, 16), normal(1, 3, budget + 9, 16), targets,
                at::cat({ at::stack(kept), targets.expand({ 3, 9 }) }, 1) };
            check(inputs, wanted, attend_places(inputs, wanted, inputs.key_places), 0);
            // Repacked: the same places for every kv head.
            inputs.query_places = at::arange(budget, budget + 9, at::kLong);
            const at::Tensor places = at::arange(budget + 9, at::kLong);
            inputs.key_places = places.expand({ 3, budget + 9 });
            check(inputs, wanted, attend_places(inputs, wanted, places), 0);
        }
    }

    void packed_rows_count_by_their_places_data() { rule_rows(); }
    void packed_rows_count_by_their_places()
    {
        QFETCH(Wanted, wanted);
        if (!device_.is_cuda())
            QSKIP("rows are packed on a GPU");
        constexpr std::int64_t context = 400;
        constexpr std::int64_t own = 70; // two tiles
        const std::vector<std::int64_t> budgets = { 0, 1, 90, context };
        for (const auto& [repacked, side_by_side] :
            { std::pair(false, false), std::pair(false, true), std::pair(true, true) }) {
            std::vector<Inputs> samples;
            std::vector<at::Tensor> positions, keys, values, queries;
            std::vector<std::int64_t> starts;
            std::vector<std::int32_t> ends { 0 }, first;
            std::int64_t start = 0;
            for (const std::int64_t budget : budgets) {
                std::vector<at::Tensor> kept; // (budget)
                for (std::int64_t head = 0; head < 2; ++head) {
                    kept.push_back(std::get<0>(at::randperm(context, at::kLong).slice(0, 0, budget).sort()));
                    starts.push_back(start);
                    start += budget;
                    ends.push_back(ends.back() + static_cast<std::int32_t>(budget + own));
                }
                first.push_back(static_cast<std::int32_t>(repacked ? budget : context));
                const at::Tensor targets = at::arange(first.back(), first.back() + own, at::kLong);
                const at::Tensor places
                    = repacked ? at::arange(budget, at::kLong).expand({ 2, budget }) : at::stack(kept);
                Inputs& sample = samples.emplace_back(Inputs { normal(1, 4, own, 64), normal(1, 2, budget + own, 64),
                    normal(1, 2, budget + own, 64), targets, at::cat({ places, targets.expand({ 2, own }) }, 1) });
                for (at::Tensor* tensor : { &sample.q, &sample.k, &sample.v })
                    *tensor = tensor->to(at::kBFloat16).to(at::kFloat);
                positions.push_back(at::cat(kept).to(at::kInt));
                const auto packed = [&, by_token = side_by_side](const at::Tensor& x) { // (1, 2, keys, 64)
                    return by_token ? x[0].transpose(0, 1) : x[0].reshape({ -1, 64 });
                };
                keys.push_back(packed(sample.k));
                values.push_back(packed(sample.v));
                queries.push_back(sample.q);
            }
            const auto there = [&](const at::Tensor& x) { return x.to(device_, at::kBFloat16); };
            PackedRows rows { at::tensor(ends, at::kInt).to(device_), {},
                at::tensor(starts).view({ -1, 2 }).to(device_), at::tensor(first, at::kInt).to(device_),
                context + own };
            if (!repacked)
                rows.positions = at::cat(positions).to(device_);
            const Attended all = attend_rule_cuda(
                there(at::cat(queries)), there(at::cat(keys)), there(at::cat(values)), wanted.rule(4, device_), rows);
            for (std::size_t at = 0; at < samples.size(); ++at) {
                const auto sample = static_cast<std::int64_t>(at);
                const Attended one { all.output.slice(0, sample, sample + 1),
                    all.row_lse.slice(0, sample, sample + 1) };
                check(samples[at], wanted, one, rounding_in_16_bits(samples[at], true));
            }
        }
    }

    void nothing_evicted_equals_the_whole_text_data() { rule_rows(); }
    void nothing_evicted_equals_the_whole_text()
    {
        QFETCH(Wanted, wanted);
        const Inputs inputs = causal_inputs(1, 6, 3, 80, 16);
        const Attended whole = attend_causal(inputs, wanted, at::kFloat);
        Inputs last = inputs;
        last.q = inputs.q.slice(2, 70);
        last.query_places = inputs.query_places.slice(0, 70);
        const Attended part = attend_places(last, wanted, last.key_places);
        QVERIFY(at::allclose(whole.output.slice(2, 70), part.output, 1e-5, 1e-5));
        QVERIFY(at::allclose(whole.row_lse.slice(2, 70), part.row_lse, 1e-5, 1e-5));
    }

    void a_bias_is_rounded_as_the_family_does()
    {
        ScoreRule rule;
        rule.alibi_slopes = at::tensor(std::vector<float> { 1.0F, 0.3F, 0.25F, 0.7F });
        const at::Tensor places = at::tensor(std::vector<std::int64_t> { 0, 3, 257 });
        QCOMPARE(floats_of(rule.key_bias(places)),
            (std::vector<float> { 0, 3, 257, 0, 0.3F * 3, 0.3F * 257, 0, 0.75F, 64.25F, 0, 0.7F * 3, 0.7F * 257 }));
        rule.alibi_bfloat16 = true;
        rule.alibi_scale = 0.5;
        // 257 is 256 in bfloat16, 0.3 is 0.30078125, 0.7 is 0.69921875; three times them rounded again.
        QCOMPARE(floats_of(rule.key_bias(places)),
            (std::vector<float> { 0, 1.5F, 128, 0, 0.451171875F, 38.5F, 0, 0.375F, 32, 0, 1.046875F, 89.5F }));
        // A kv head's places are those of its query heads.
        rule.alibi_bfloat16 = false;
        rule.alibi_scale = 1;
        const at::Tensor apart = at::tensor(std::vector<std::int64_t> { 4, 8, 12, 16 }).view({ 2, 2 });
        QCOMPARE(floats_of(rule.key_bias(apart).slice(0, 0, 4, 2)), (std::vector<float> { 4, 8, 3, 4 }));
        QVERIFY(!ScoreRule().key_bias(places).defined());
    }

    void what_is_not_finite_shows_in_its_row_and_no_other()
    {
        const Inputs inputs = causal_inputs(1, 2, 1, 50, 8);
        inputs.q[0][1][20][3] = std::numeric_limits<float>::quiet_NaN();
        const Attended attended = attend_causal(inputs, { 0.3, 5, 10 }, at::kFloat);
        const std::vector<float> lse = floats_of(attended.row_lse);
        const std::vector<float> output = floats_of(attended.output);
        for (std::size_t row = 0; row < lse.size(); ++row) {
            QCOMPARE(std::isnan(lse[row]), row == 70);
            QCOMPARE(std::isnan(output[row * 8]), row == 70);
        }
    }

    void a_stop_is_answered_between_blocks()
    {
        const Inputs inputs = causal_inputs(1, 2, 1, 50, 8);
        std::stop_source source;
        source.request_stop();
        const ScoreRule rule = Wanted { 0.3, 5 }.rule(2, device_);
        QVERIFY_EXCEPTION_THROWN(
            attend(inputs.q.to(device_), inputs.k.to(device_), inputs.v.to(device_), rule, source.get_token()),
            Cancelled);
    }

    void it_tells_how_far_it_is_from_block_to_block_data()
    {
        QTest::addColumn<Wanted>("wanted");
        QTest::newRow("plain") << Wanted { 0.3 };
        QTest::newRow("soft-capped") << Wanted { 0.3, 5 };
        QTest::newRow("windowed") << Wanted { 0.3, 0, 10 };
    }
    void it_tells_how_far_it_is_from_block_to_block()
    {
        if (device_.is_cuda())
            QSKIP("A GPU takes a layer in one piece.");
        QFETCH(Wanted, wanted);
        const Inputs inputs = causal_inputs(1, 2, 1, 5000, 8);
        std::vector<double> shares;
        attend(
            inputs.q, inputs.k, inputs.v, wanted.rule(2, device_), {}, [&](double share) { shares.push_back(share); });
        QVERIFY(shares.size() > 2);
        QVERIFY(std::ranges::is_sorted(shares) && shares.front() > 0);
        QCOMPARE(shares.back(), 1.0);
        // A query sees about as many keys as there are before it, but for a window.
        const double first_of_three = share_of_cells(1000, 3000, 3000, wanted.rule(2, device_));
        QVERIFY(std::abs(first_of_three - (wanted.window > 0 ? 1.0 / 3 : 1.0 / 9)) < 1e-9);
        QCOMPARE(share_of_cells(10, 10, 3000, wanted.rule(2, device_)), 1.0);
    }

private:
    /// The output is rounded; on a GPU each share too.
    double rounding_in_16_bits(const Inputs& inputs, bool bfloat16) const
    {
        const double unit = bfloat16 ? 0x1p-8 : 0x1p-11;
        return device_.is_cuda() ? unit * (1 + inputs.v.abs().max().item<double>()) : unit;
    }

    static void rule_rows()
    {
        QTest::addColumn<Wanted>("wanted");
        for (const auto& [name, wanted] : rules)
            QTest::addRow("%s", name) << wanted;
    }

    Attended attend_causal(const Inputs& inputs, const Wanted& wanted, at::ScalarType type) const
    {
        return attend(inputs.q.to(device_, type), inputs.k.to(device_, type), inputs.v.to(device_, type),
            wanted.rule(inputs.q.size(1), device_));
    }

    Attended attend_places(const Inputs& inputs, const Wanted& wanted, const at::Tensor& key_places) const
    {
        return attend_at(inputs.q.to(device_), inputs.k.to(device_), inputs.v.to(device_),
            wanted.rule(inputs.q.size(1), device_), { inputs.query_places.to(device_), key_places.to(device_) });
    }

    /// Against plain loops in double; allowed are four times the error of the same loops in float, what the order of
    /// additions changes in a score, and `rounding` of the output, `lse_rounding` of the log-sum-exp.
    static void check(
        const Inputs& inputs, const Wanted& wanted, const Attended& attended, double rounding, double lse_rounding = 0)
    {
        const Naive<double> expected(inputs, wanted);
        const Naive<float> naive(inputs, wanted);
        const double lse_error = largest_error(floats_of(attended.row_lse), expected.row_lse);
        const double lse_allowed
            = 4 * largest_error(naive.row_lse, expected.row_lse) + product_error(inputs, wanted) + 2e-7 + lse_rounding;
        // A share e^(score - log-sum-exp) is off by as much as its exponent, also where the naive one is exactly 1.
        const double of_shares = lse_allowed * inputs.v.abs().max().item<double>();
        const double output_error = largest_error(floats_of(attended.output), expected.output);
        const double output_allowed = 4 * largest_error(naive.output, expected.output) + of_shares + rounding;
        const QString told = QString("output off by %1 of %2, log-sum-exp by %3 of %4")
                                 .arg(output_error)
                                 .arg(output_allowed)
                                 .arg(lse_error)
                                 .arg(lse_allowed);
        QVERIFY2(output_error <= output_allowed && lse_error <= lse_allowed, qPrintable(told));
    }
};

KEEPSET_TEST(TestAttend)
#include "tst_attend.moc"
