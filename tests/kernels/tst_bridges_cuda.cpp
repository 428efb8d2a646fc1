#include "tests/kernels/bridges_case.h"
#include "tests/kernels/cuda_device.h"
#include "tests/kernels/cuda_rows.h"
#include "tests/support/test_main.h"

#include <QCoreApplication>
#include <QTest>

#include <algorithm>
#include <cmath>
#include <limits>

using namespace keepset::kernels;
using namespace keepset::kernels::test;

namespace {

constexpr Accuracy accuracy = { 3e-7, 3e-7 }; // expf and tanhf: at most 2 units in the last place
constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

template <typename T> DeviceBuffer on_device(const std::vector<T>& values)
{
    return DeviceBuffer(values.data(), values.size() * sizeof(T));
}

template <typename T> void fetch(const DeviceBuffer& buffer, std::vector<T>& values)
{
    buffer.copy_to(values.data(), values.size() * sizeof(T));
}

/// A case on the device, which was rounded to `type` before.
class DeviceCase {
public:
    DeviceCase(ImportanceCase values, ElementType type)
        : typed_(round_to(type, values))
        , q_(on_device(typed_.q))
        , k_(on_device(typed_.k))
        , lse_(on_device(values.lse))
        , bias_(on_device(values.bias))
        , inputs_(values.inputs())
    {
        inputs_.type = type;
        inputs_.q = q_.data();
        inputs_.k = k_.data();
        inputs_.row_lse = static_cast<const float*>(lse_.data());
        inputs_.key_bias = values.bias.empty() ? nullptr : static_cast<const float*>(bias_.data());
        inputs_.packed = {};
    }
    const ImportanceInputs& inputs() const { return inputs_; }

private:
    TypedInputs typed_;
    DeviceBuffer q_;
    DeviceBuffer k_;
    DeviceBuffer lse_;
    DeviceBuffer bias_;
    ImportanceInputs inputs_;
};

} // namespace

class TstBridgesCuda : public QObject {
    Q_OBJECT

    LoadedModule loaded_;
    std::mt19937 random_;

    /// A case of any rule, rounded to the row's type, its rows summing to 1.
    ImportanceCase some_case(ElementType type, Rows rows, std::int64_t largest_context)
    {
        ImportanceCase values = random_self_case(random_, largest_context);
        if (rows == Rows::aligned) {
            AttentionShape shape = values.shape;
            shape.head_dim = 16 * std::uniform_int_distribution<std::int64_t>(1, 16)(random_);
            values = values.bias.empty() ? normal_case(shape, random_, rows) : biased_case(shape, random_, rows);
        }
        round_to(type, values);
        values.normalise();
        return values;
    }

    /// The kernel's sums, NaN before; twice, so that they show whether they are the same each time.
    FlowParts flow(const ImportanceCase& values, ElementType type, const HeadRange& heads,
        const std::vector<std::int32_t>& important)
    {
        const DeviceCase device(values, type);
        const DeviceBuffer positions = on_device(important);
        FlowParts parts(values.shape, heads);
        FlowParts again = parts;
        for (FlowParts* out : { &parts, &again }) {
            const DeviceBuffer from = on_device(out->from);
            const DeviceBuffer to = on_device(out->to);
            loaded_.module->flow(device.inputs(), heads,
                { static_cast<const std::int32_t*>(positions.data()), static_cast<std::int64_t>(important.size()) },
                static_cast<double*>(from.data()), static_cast<double*>(to.data()), nullptr);
            fetch(from, out->from);
            fetch(to, out->to);
        }
        const auto same
            = [](double left, double right) { return left == right || (std::isnan(left) && std::isnan(right)); };
        if (!std::equal(parts.from.begin(), parts.from.end(), again.from.begin(), same)
            || !std::equal(parts.to.begin(), parts.to.end(), again.to.begin(), same))
            qFatal("a second run of flow gave other sums");
        return parts;
    }

    /// Joins what attention of the heads joins, in pieces of `piece` queries, over poison. Returns the first query with
    /// a sum that is not finite, or -1.
    std::int64_t join_by_attention(
        const ImportanceCase& values, ElementType type, const HeadRange& heads, OwnGraph& graph, std::int64_t piece)
    {
        const DeviceCase device(values, type);
        const AttentionShape& shape = values.shape;
        std::fill(graph.bits().begin(), graph.bits().end(), ~std::uint64_t { 0 });
        const DeviceBuffer bits = on_device(graph.bits());
        const AttentionGraph view { graph.view().nodes, graph.view().words, static_cast<std::uint64_t*>(bits.data()) };
        std::int64_t bad = -1;
        for (std::int64_t begin = 0; begin < shape.queries; begin += piece) {
            const QueryRange queries { begin, std::min(begin + piece, shape.queries) };
            const DeviceBuffer sums(static_cast<std::size_t>((queries.end - begin) * shape.keys) * sizeof(float));
            auto* values_of = static_cast<float*>(sums.data());
            std::vector<std::int64_t> found = { 12345 };
            const DeviceBuffer first_bad = on_device(found);
            for (std::int64_t head = heads.begin; head < heads.end; ++head) // one by one, as layers come
                loaded_.module->add_probabilities(device.inputs(), { head, head + 1 }, queries, values_of, nullptr);
            loaded_.module->add_edges(shape, { values_of, heads.size(), static_cast<std::int64_t*>(first_bad.data()) },
                queries, view, nullptr);
            fetch(first_bad, found);
            bad = bad < 0 ? found[0] : bad;
        }
        fetch(bits, graph.bits());
        return bad;
    }

    /// The graph becomes the one that the kernel filled in.
    std::vector<double> curvature(OwnGraph& graph)
    {
        const DeviceBuffer bits = on_device(graph.bits());
        std::vector<double> curvature(static_cast<std::size_t>(graph.view().nodes), not_a_number);
        const DeviceBuffer out = on_device(curvature);
        const DeviceBuffer workspace = on_device(std::vector<unsigned char>(
            static_cast<std::size_t>(loaded_.module->curvature_workspace(graph.view().nodes)), 0xff));
        loaded_.module->curvature({ graph.view().nodes, graph.view().words, static_cast<std::uint64_t*>(bits.data()) },
            static_cast<double*>(out.data()), workspace.data(), nullptr);
        fetch(out, curvature);
        fetch(bits, graph.bits());
        return curvature;
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

    void flow_agrees_with_the_reference_data() { type_rows(); }
    void flow_agrees_with_the_reference()
    {
        QFETCH(ElementType, type);
        QFETCH(Rows, rows);
        for (int round = 0; round < 40; ++round) {
            const ImportanceCase values = some_case(type, rows, round == 0 ? 700 : 150);
            const HeadRange heads = random_heads(values.shape, random_);
            const std::vector<std::int32_t> important = random_positions(values.shape.keys, random_);
            const std::string wrong
                = wrong_flow(values, heads, important, flow(values, type, heads, important), accuracy);
            QVERIFY2(wrong.empty(), wrong.c_str());
        }
    }

    void a_value_that_is_not_finite_reaches_only_what_it_takes_part_in_data() { type_rows(); }
    void a_value_that_is_not_finite_reaches_only_what_it_takes_part_in()
    {
        QFETCH(ElementType, type);
        QFETCH(Rows, rows);
        const std::vector<std::int32_t> important = { 2, 30, 60 };
        for (const double value : { not_a_number, infinity, -infinity }) {
            for (int place = 0; place < 4; ++place) {
                ImportanceCase values = biased_case({ 1, 1, 16, 80, 80 }, random_, rows);
                round_to(type, values);
                (place == 0          ? values.q_at(0, 30, 3)
                        : place == 1 ? values.k_at(0, 30, 3)
                        : place == 2 ? values.lse[30]
                                     : values.bias[30])
                    = static_cast<float>(value);
                FlowParts wanted(values.shape, { 0, 1 });
                flow_reference(values.inputs(), { 0, 1 }, important, wanted.from.data(), wanted.to.data());
                const FlowParts found = flow(values, type, { 0, 1 }, important);
                for (std::size_t j = 0; j < 80; ++j) {
                    QCOMPARE(std::isnan(found.from[j]), std::isnan(wanted.from[j]));
                    QCOMPARE(std::isnan(found.to[j]), std::isnan(wanted.to[j]));
                }
                OwnGraph graph(80);
                QCOMPARE(join_by_attention(values, type, { 0, 1 }, graph, 33), 30);
            }
        }
    }

    void edges_are_those_of_the_mean_in_double_data() { type_rows(); }
    void edges_are_those_of_the_mean_in_double()
    {
        QFETCH(ElementType, type);
        QFETCH(Rows, rows);
        std::int64_t near = 0;
        std::int64_t edges = 0;
        for (int round = 0; round < 40; ++round) {
            const ImportanceCase values = some_case(type, rows, 150);
            const HeadRange heads = random_heads(values.shape, random_);
            OwnGraph graph(values.shape.keys);
            QCOMPARE(join_by_attention(values, type, heads, graph, 1 + round * 4), -1);
            const std::string wrong = wrong_edges(values, heads, graph, accuracy, near);
            QVERIFY2(wrong.empty(), wrong.c_str());
            edges += graph.edges_to_earlier();
        }
        QVERIFY(edges > 1000 && near < edges / 100);
    }

    void only_more_than_the_uniform_share_is_an_edge()
    {
        for (const double share : { 0.5, 1.0, 1.0 + edge_margin / 3, 1.0 + 4 * edge_margin, 3.0 }) {
            const ImportanceCase values = case_of_shares(90, [&](std::int64_t, std::int64_t) { return share; });
            OwnGraph graph(90);
            QCOMPARE(join_by_attention(values, ElementType::float32, { 0, 1 }, graph, 90), -1);
            QCOMPARE(graph.edges_to_earlier(), share > 1 + edge_margin ? 90 * 89 / 2 : 0);
        }
    }

    void uniform_attention_has_no_edges_data() { type_rows(); }
    void uniform_attention_has_no_edges()
    {
        QFETCH(ElementType, type);
        ImportanceCase values = make_case({ 7, 1, 80, 300, 300 }, true, 0);
        std::fill(values.k.begin(), values.k.end(), 0.7F);
        std::fill(values.q.begin(), values.q.end(), 0.9F);
        round_to(type, values);
        values.normalise();
        OwnGraph graph(300);
        QCOMPARE(join_by_attention(values, type, { 0, 7 }, graph, 100), -1);
        QCOMPARE(graph.edges_to_earlier(), 0);
        QCOMPARE(curvature(graph), std::vector<double>(300, 0.0));
    }

    void curvature_equals_the_reference_exactly()
    {
        for (const std::int64_t nodes : { 1, 2, 31, 32, 33, 63, 64, 65, 127, 128, 129, 200 }) {
            for (const double density : { 0.0, 0.03, 0.5, 1.0 }) {
                OwnGraph graph(nodes);
                join_at_random(graph, density, random_);
                OwnGraph both(nodes);
                both.bits() = graph.bits();
                both.join_both_ways();
                const std::vector<double> found = curvature(graph);
                QCOMPARE(graph.bits(), both.bits());
                QCOMPARE(found, reference_curvature(both.view()));
                QCOMPARE(curvature(graph), found); // over what it filled in
            }
        }
    }

    void large_graphs_have_the_curvature_of_the_cpu()
    {
        for (const std::int64_t nodes : { 1025, 3000 }) {
            OwnGraph graph(nodes);
            join_at_random(graph, 0.3, random_);
            OwnGraph other(nodes);
            other.bits() = graph.bits();
            std::vector<double> wanted(static_cast<std::size_t>(nodes));
            curvature_cpu(other.view(), wanted.data(), 4);
            QCOMPARE(curvature(graph), wanted);
        }
    }
};

KEEPSET_TEST(TstBridgesCuda)
#include "tst_bridges_cuda.moc"
