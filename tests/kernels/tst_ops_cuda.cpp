#include "tests/kernels/cuda_device.h"
#include "tests/kernels/ops_case.h"
#include "tests/support/test_main.h"

#include <QCoreApplication>
#include <QTest>

#include <bit>
#include <cmath>
#include <cstring>
#include <deque>
#include <limits>

using namespace keepset::kernels;
using namespace keepset::kernels::test;

namespace {

template <typename T> DeviceBuffer device_copy(const std::vector<T>& values)
{
    if (values.empty())
        return DeviceBuffer(std::size_t { 1 });
    return { values.data(), values.size() * sizeof(T) };
}

template <typename T> const T* in(const DeviceBuffer& buffer) { return static_cast<const T*>(buffer.data()); }
template <typename T> T* out(const DeviceBuffer& buffer) { return static_cast<T*>(buffer.data()); }

template <typename T> std::vector<T> host_copy(const DeviceBuffer& buffer, std::size_t count)
{
    std::vector<T> values(count);
    KEEPSET_CHECK_CUDA(cudaDeviceSynchronize());
    buffer.copy_to(values.data(), count * sizeof(T));
    return values;
}

/// Rounded to bfloat16, as floats and as their upper halves.
std::vector<std::uint16_t> round_to_bfloat16(std::vector<float>& values)
{
    std::vector<std::uint16_t> halves;
    for (float& value : values) {
        auto bits = std::bit_cast<std::uint32_t>(value);
        bits += 0x7fffU + (bits >> 16U & 1U);
        halves.push_back(static_cast<std::uint16_t>(bits >> 16U));
        value = std::bit_cast<float>(static_cast<std::uint32_t>(halves.back()) << 16U);
    }
    return halves;
}

/// Inputs of one type on the device, which the host's copies are rounded to, and the comparison of results.
struct Layer {
    const LoadedModule& loaded;
    bool bfloat16 = false;
    double worst = 0;
    std::deque<DeviceBuffer> buffers = {};

    ElementType type() const { return bfloat16 ? ElementType::bfloat16 : ElementType::float32; }
    const DeviceBuffer& put(std::vector<float>& values)
    {
        if (!bfloat16)
            return buffers.emplace_back(values.data(), values.size() * sizeof(float));
        const std::vector<std::uint16_t> halves = round_to_bfloat16(values);
        return buffers.emplace_back(halves.data(), halves.size() * sizeof(std::uint16_t));
    }
    /// Within a few roundings of the type, of values whose terms are of the size of 1 to 10.
    bool near(const DeviceBuffer& found, const std::vector<float>& wanted)
    {
        std::vector<float> values(wanted.size());
        if (bfloat16) {
            const auto halves = host_copy<std::uint16_t>(found, wanted.size());
            for (std::size_t i = 0; i < halves.size(); ++i)
                values[i] = std::bit_cast<float>(static_cast<std::uint32_t>(halves[i]) << 16U);
        } else {
            values = host_copy<float>(found, wanted.size());
        }
        const double rounding = bfloat16 ? 0x1p-7 : 0x1p-21;
        worst = 0;
        for (std::size_t i = 0; i < wanted.size(); ++i) {
            const double off = std::abs(static_cast<double>(values[i]) - static_cast<double>(wanted[i]));
            worst = std::isnan(off) ? off : std::max(worst, off / (4 + std::abs(static_cast<double>(wanted[i]))));
            if (std::isnan(worst))
                return false;
        }
        return worst <= rounding;
    }
};

} // namespace

class TestOpsCuda : public QObject {
    Q_OBJECT

    LoadedModule loaded_;
    std::mt19937 random_;

    /// Both results of one case; empty where they agree, else a sentence.
    QByteArray score_difference(LogitCase values, bool bfloat16) const
    {
        const std::vector<std::uint16_t> halves
            = bfloat16 ? round_to_bfloat16(values.logits) : std::vector<std::uint16_t> {};
        LogitInputs inputs = values.inputs;
        const auto rows = static_cast<std::size_t>(inputs.points * inputs.targets);
        inputs.logits = values.logits.data();
        inputs.wanted = values.wanted.data();
        inputs.dense = values.dense.data();
        std::vector<float> lse(rows);
        std::vector<float> nll(rows);
        std::vector<double> cross(rows);
        std::vector<std::int32_t> top(rows);
        score_logits_reference(inputs, { lse.data(), nll.data(), cross.data(), top.data() });
        const DeviceBuffer logits = bfloat16 ? device_copy(halves) : device_copy(values.logits);
        const DeviceBuffer wanted = device_copy(values.wanted);
        const DeviceBuffer dense = device_copy(values.dense);
        const DeviceBuffer found_lse(rows * 4);
        const DeviceBuffer found_nll(rows * 4);
        const DeviceBuffer found_cross(rows * 8);
        const DeviceBuffer found_top(rows * 4);
        inputs.type = bfloat16 ? ElementType::bfloat16 : ElementType::float32;
        inputs.logits = logits.data();
        inputs.wanted = in<std::int64_t>(wanted);
        inputs.dense = in<float>(dense);
        loaded_.module->score_logits(inputs,
            { out<float>(found_lse), out<float>(found_nll), out<double>(found_cross), out<std::int32_t>(found_top) },
            nullptr);
        const auto l = host_copy<float>(found_lse, rows);
        const auto n = host_copy<float>(found_nll, rows);
        const auto c = host_copy<double>(found_cross, rows);
        const auto t = host_copy<std::int32_t>(found_top, rows);
        for (std::size_t row = 0; row < rows; ++row) {
            const bool finite = std::isfinite(lse[row]) && std::isfinite(cross[row]);
            // Sums of eight in float; dot products of shares of 1 with logits of up to 25.
            const bool same = finite ? std::abs(l[row] - lse[row]) < 3e-6 && std::abs(n[row] - nll[row]) < 5e-6
                    && std::abs(c[row] - cross[row]) < 2e-5 && t[row] == top[row]
                                     : !std::isfinite(l[row]) && !std::isfinite(n[row]) && !std::isfinite(c[row]);
            if (!same)
                return QString("row %1: lse %2 for %3, nll %4 for %5, cross %6 for %7, top %8 for %9")
                    .arg(row)
                    .arg(l[row])
                    .arg(lse[row])
                    .arg(n[row])
                    .arg(nll[row])
                    .arg(c[row])
                    .arg(cross[row])
                    .arg(t[row])
                    .arg(top[row])
                    .toUtf8();
        }
        return {};
    }

    std::vector<float> normal(std::int64_t count)
    {
        std::normal_distribution<float> values;
        std::vector<float> found(static_cast<std::size_t>(count));
        std::ranges::generate(found, [&] { return values(random_); });
        return found;
    }

    static void types()
    {
        QTest::addColumn<bool>("bfloat16");
        QTest::newRow("float32") << false;
        QTest::newRow("bfloat16") << true;
    }

private Q_SLOTS:
    void initTestCase()
    {
        loaded_ = load_cuda_module(QCoreApplication::applicationDirPath().toStdString());
        if (loaded_.module == nullptr)
            QSKIP(loaded_.reason.c_str());
        const unsigned seed = std::random_device {}();
        random_.seed(seed);
        qInfo("seed %u", seed);
    }

    void scores_are_those_of_the_cpu_to_the_last_bit()
    {
        for (int round = 0; round < 60; ++round) {
            ScoreRowsCase values = random_score_rows(random_);
            ScoreRowsInputs a = values.inputs;
            a.importance = values.importance.data();
            a.ranked = values.ranked.empty() ? nullptr : values.ranked.data();
            a.windows = values.windows.empty() ? nullptr : values.windows.data();
            const auto rows = static_cast<std::size_t>(a.layers * a.kv_heads);
            const auto context = static_cast<std::size_t>(a.context);
            std::vector<float> scores(rows / static_cast<std::size_t>(a.together) * context);
            std::vector<double> mass(rows * context);
            score_rows_cpu(a, scores.data(), mass.data(), 2);
            const DeviceBuffer importance = device_copy(values.importance);
            const DeviceBuffer ranked = device_copy(values.ranked);
            const DeviceBuffer found_scores(scores.size() * sizeof(float));
            const DeviceBuffer found_mass(mass.size() * sizeof(double));
            const DeviceBuffer windows = device_copy(values.windows);
            a.importance = in<float>(importance);
            a.ranked = a.ranked ? in<float>(ranked) : nullptr;
            a.windows = a.windows ? in<std::int64_t>(windows) : nullptr;
            loaded_.module->score_rows(a, out<float>(found_scores), out<double>(found_mass), nullptr);
            const auto s = host_copy<float>(found_scores, scores.size());
            const auto m = host_copy<double>(found_mass, mass.size());
            for (std::size_t i = 0; i < scores.size(); ++i)
                QVERIFY(std::isnan(scores[i]) ? std::isnan(s[i]) : scores[i] == s[i]);
            for (std::size_t i = 0; i < mass.size(); ++i)
                QVERIFY(std::isnan(mass[i]) ? std::isnan(m[i]) : mass[i] == m[i]);
        }
    }

    void kept_positions_and_their_facts_are_those_of_the_cpu()
    {
        for (int round = 0; round < 60; ++round) {
            KeptRowsCase values = random_kept_rows(random_);
            KeptRowsInputs a = values.inputs;
            const auto rows = static_cast<std::size_t>(a.plans * rows_of(a));
            const auto places = static_cast<std::size_t>(a.end);
            a.labels = values.labels.data();
            a.scores = values.scores.data();
            a.mass = values.mass.data();
            a.starts = values.starts.data();
            std::vector<std::int32_t> positions(places);
            std::vector<KeptFacts> facts(rows);
            kept_rows_cpu(a, positions.data(), facts.data(), 2);
            const DeviceBuffer labels = device_copy(values.labels);
            const DeviceBuffer scores = device_copy(values.scores);
            const DeviceBuffer mass = device_copy(values.mass);
            const DeviceBuffer starts = device_copy(values.starts);
            const DeviceBuffer found_positions(std::max<std::size_t>(1, places * 4));
            const DeviceBuffer found_facts(rows * sizeof(KeptFacts));
            a.labels = in<std::uint8_t>(labels);
            a.scores = in<float>(scores);
            a.mass = in<double>(mass);
            a.starts = in<std::int64_t>(starts);
            loaded_.module->kept_rows(a, out<std::int32_t>(found_positions), out<KeptFacts>(found_facts), nullptr);
            QCOMPARE(host_copy<std::int32_t>(found_positions, places), positions);
            const auto found = host_copy<KeptFacts>(found_facts, rows);
            for (std::size_t row = 0; row < rows; ++row) {
                QCOMPARE(found[row].entries, facts[row].entries);
                QCOMPARE(found[row].hash, facts[row].hash);
                QVERIFY(std::abs(found[row].mass - facts[row].mass) <= 1e-12 * std::max(1.0, facts[row].mass));
                QCOMPARE(found[row].first_kept, facts[row].first_kept);
                QCOMPARE(found[row].tied, facts[row].tied);
            }
        }
    }

    void packed_rows_are_those_of_the_cpu()
    {
        for (int round = 0; round < 60; ++round) {
            PackCase values = random_pack(random_);
            PackInputs a = values.inputs;
            if (round % 3 == 0) { // whole units of 16 bytes
                values.inputs.head_dim = a.head_dim = a.packed_dim = a.head_dim / 8 * 8;
            }
            const std::int64_t dim = a.head_dim;
            const auto set = [&](const float* keys, const float* vals, const float* own_keys, const float* own_vals) {
                a.keys = { keys, 0, values.context * dim, dim };
                a.values = { vals, 0, values.context * dim, dim };
                a.own_keys = { own_keys, a.kv_heads * a.own * dim, a.own * dim, dim };
                a.own_values = { own_vals, a.kv_heads * a.own * dim, a.own * dim, dim };
            };
            set(values.keys.data(), values.values.data(), values.own_keys.data(), values.own_values.data());
            a.positions = values.positions.data();
            a.starts = values.starts.data();
            a.ends = values.ends.data();
            const auto size = static_cast<std::size_t>(values.ends.back() * a.packed_dim);
            std::vector<float> keys(size);
            std::vector<float> vals(size);
            a.packed_keys = keys.data();
            a.packed_values = vals.data();
            pack_kept_reference(a);
            const DeviceBuffer k = device_copy(values.keys);
            const DeviceBuffer v = device_copy(values.values);
            const DeviceBuffer own_k = device_copy(values.own_keys);
            const DeviceBuffer own_v = device_copy(values.own_values);
            const DeviceBuffer positions = device_copy(values.positions);
            const DeviceBuffer starts = device_copy(values.starts);
            const DeviceBuffer ends = device_copy(values.ends);
            const DeviceBuffer packed_k(std::max<std::size_t>(1, size * 4));
            const DeviceBuffer packed_v(std::max<std::size_t>(1, size * 4));
            set(in<float>(k), in<float>(v), in<float>(own_k), in<float>(own_v));
            a.positions = in<std::int32_t>(positions);
            a.starts = in<std::int64_t>(starts);
            a.ends = in<std::int32_t>(ends);
            a.packed_keys = packed_k.data();
            a.packed_values = packed_v.data();
            loaded_.module->pack_kept(a, nullptr);
            QCOMPARE(host_copy<float>(packed_k, size), keys);
            QCOMPARE(host_copy<float>(packed_v, size), vals);
        }
    }

    void logits_are_scored_as_the_reference_does()
    {
        for (const std::int64_t vocabulary : { 1, 7, 4095, 4096, 50257 }) {
            for (const bool bfloat16 : { false, true }) {
                const QByteArray wrong = score_difference(random_logits(3, 4, vocabulary, random_), bfloat16);
                QVERIFY2(wrong.isEmpty(), wrong.constData());
            }
        }
    }

    void logits_that_are_not_finite_make_no_number()
    {
        for (const float odd : { std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity() }) {
            LogitCase values = random_logits(2, 3, 5000, random_);
            values.logits[4 * 5000 + 1234] = odd;
            const QByteArray wrong = score_difference(values, false);
            QVERIFY2(wrong.isEmpty(), wrong.constData());
        }
    }

    void norms_are_those_of_the_reference_data() { types(); }
    void norms_are_those_of_the_reference()
    {
        QFETCH(bool, bfloat16);
        // Rows that do not lie side by side, of whole packs of 16 bytes and not.
        for (const auto& [size, gap] : { std::pair<std::int64_t, std::int64_t> { 1, 3 }, { 63, 3 }, { 576, 3 },
                 { 576, 8 }, { 4096, 3 }, { 4096, 16 } }) {
            std::vector<float> x = normal(5 * (size + gap));
            std::vector<float> weight = normal(size);
            Layer layer { loaded_, bfloat16 };
            const DeviceBuffer& on_x = layer.put(x);
            const DeviceBuffer& on_weight = layer.put(weight);
            std::vector<float> wanted(static_cast<std::size_t>(5 * size));
            NormInputs a { ElementType::float32, x.data(), 5, size, size + gap, weight.data(), false, 1e-6F,
                wanted.data() };
            norm_reference(a);
            const DeviceBuffer out(wanted.size() * 4);
            a.type = layer.type();
            a.x = on_x.data();
            a.weight = on_weight.data();
            a.out = out.data();
            loaded_.module->norm(a, nullptr);
            QVERIFY2(layer.near(out, wanted), qPrintable(QString("size %1: off by %2").arg(size).arg(layer.worst)));
        }
    }

    void gates_are_those_of_the_reference_data() { types(); }
    void gates_are_those_of_the_reference()
    {
        QFETCH(bool, bfloat16);
        for (const Gate gate : { Gate::silu, Gate::gelu, Gate::gelu_tanh, Gate::relu }) {
            const std::int64_t wide = gate == Gate::gelu ? 300 : 304; // whole packs of 16 bytes but once
            std::vector<float> both = normal(7 * 2 * wide);
            Layer layer { loaded_, bfloat16 };
            const DeviceBuffer& on_both = layer.put(both);
            std::vector<float> wanted(static_cast<std::size_t>(7 * wide));
            GateInputs a { ElementType::float32, gate, both.data(), 7, wide, wanted.data() };
            gate_reference(a);
            const DeviceBuffer out(wanted.size() * 4);
            a.type = layer.type();
            a.gate_up = on_both.data();
            a.out = out.data();
            loaded_.module->gate(a, nullptr);
            QVERIFY2(layer.near(out, wanted), qPrintable(QString("off by %1").arg(layer.worst)));
        }
    }

    void rotations_are_those_of_the_reference_data() { types(); }
    void rotations_are_those_of_the_reference()
    {
        QFETCH(bool, bfloat16);
        for (const bool whole : { false, true }) {
            for (const bool own_tables : { false, true }) { // of every batch
                const std::int64_t dims = whole ? 32 : 20; // of more: the rest stays; whole packs of 16 bytes or not
                const std::int64_t size = whole ? 40 : 24;
                std::vector<float> x = normal(2 * 3 * 9 * size);
                std::vector<float> cos = normal(2 * 9 * dims);
                std::vector<float> sin = normal(2 * 9 * dims);
                Layer layer { loaded_, bfloat16 };
                const DeviceBuffer& on_x = layer.put(x);
                const DeviceBuffer& on_cos = layer.put(cos);
                const DeviceBuffer& on_sin = layer.put(sin);
                RotateInputs a { ElementType::float32, false, x.data(), 2, 3, 9, dims, 3 * 9 * size, size, 3 * size,
                    cos.data(), sin.data(), own_tables ? 9 * dims : 0 };
                rotate_reference(a);
                a.type = layer.type();
                a.x = on_x.data();
                a.cos = on_cos.data();
                a.sin = on_sin.data();
                loaded_.module->rotate(a, nullptr);
                QVERIFY2(layer.near(on_x, x), qPrintable(QString("off by %1").arg(layer.worst)));
            }
        }
    }

    void equal_points_have_equal_scores_bit_for_bit()
    {
        LogitCase values = random_logits(1, 3, 30000, random_);
        const std::vector<float> one = values.logits;
        values.inputs.points = 4;
        for (int copy = 0; copy < 3; ++copy)
            values.logits.insert(values.logits.end(), one.begin(), one.end());
        const DeviceBuffer logits = device_copy(values.logits);
        const DeviceBuffer wanted = device_copy(values.wanted);
        const DeviceBuffer dense = device_copy(values.dense);
        const DeviceBuffer lse(48);
        const DeviceBuffer nll(48);
        const DeviceBuffer cross(96);
        const DeviceBuffer top(48);
        LogitInputs inputs = values.inputs;
        inputs.logits = logits.data();
        inputs.wanted = in<std::int64_t>(wanted);
        inputs.dense = in<float>(dense);
        loaded_.module->score_logits(
            inputs, { out<float>(lse), out<float>(nll), out<double>(cross), out<std::int32_t>(top) }, nullptr);
        const auto found = host_copy<double>(cross, 12);
        for (std::size_t row = 3; row < 12; ++row)
            QCOMPARE(found[row], found[row % 3]);
    }
};

KEEPSET_TEST(TestOpsCuda)
#include "tst_ops_cuda.moc"
