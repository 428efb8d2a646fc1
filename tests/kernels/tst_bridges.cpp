#include "kernels/bridges/triangles_variant.h"
#include "tests/kernels/bridges_case.h"
#include "tests/support/test_main.h"

#include <QTest>

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

using namespace keepset::kernels;
using namespace keepset::kernels::test;

namespace {

constexpr Accuracy accuracy = { 2e-7, 3e-7 }; // of our own float exp and tanh
constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

FlowParts cpu_flow(
    const ImportanceCase& values, const HeadRange& heads, const std::vector<std::int32_t>& important, int threads = 2)
{
    FlowParts parts(values.shape, heads);
    flow_cpu(values.inputs(), heads, important, parts.from.data(), parts.to.data(), threads);
    return parts;
}

/// Joins what attention of the heads joins, in pieces of `piece` queries. Returns what add_edges_cpu says at the end.
std::int64_t join_by_attention(
    const ImportanceCase& values, const HeadRange& heads, OwnGraph& graph, std::int64_t piece, int threads = 2)
{
    std::fill(graph.bits().begin(), graph.bits().end(), ~std::uint64_t { 0 }); // poison
    const AttentionShape& shape = values.shape;
    std::int64_t bad = -1;
    for (std::int64_t begin = 0; begin < shape.queries; begin += piece) {
        const QueryRange queries { begin, std::min(begin + piece, shape.queries) };
        std::vector<float> sums(static_cast<std::size_t>((queries.end - begin) * shape.keys));
        for (std::int64_t head = heads.begin; head < heads.end; ++head) // one by one, as layers come
            add_probabilities_cpu(values.inputs(), { head, head + 1 }, queries, sums.data(), threads);
        const std::int64_t found = add_edges_cpu(shape, sums.data(), heads.size(), queries, graph.view(), threads);
        bad = bad < 0 ? found : bad;
    }
    return bad;
}

std::vector<double> cpu_curvature(const OwnGraph& graph, const TrianglesVariant& variant, int threads = 2)
{
    std::vector<double> curvature(static_cast<std::size_t>(graph.view().nodes), not_a_number);
    curvature_cpu_with(variant, graph.view(), curvature.data(), threads);
    return curvature;
}

/// Two cliques of `size` tokens and one token between them, which is joined to the last of the first and the first of
/// the second.
void join_barbell(OwnGraph& graph, std::int64_t size)
{
    for (const std::int64_t begin : { std::int64_t { 0 }, size + 1 }) {
        for (std::int64_t u = begin; u < begin + size; ++u) {
            for (std::int64_t v = begin; v < u; ++v)
                graph.join(u, v);
        }
    }
    graph.join(size - 1, size);
    graph.join(size, size + 1);
}

} // namespace

class TestBridges : public QObject {
    Q_OBJECT

    std::mt19937 random_;

    static void variant_rows()
    {
        QTest::addColumn<int>("variant");
        const std::vector<TrianglesVariant> variants = triangles_variants();
        for (std::size_t index = 0; index < variants.size(); ++index)
            QTest::newRow(variants[index].name) << static_cast<int>(index);
    }
    static TrianglesVariant variant()
    {
        QFETCH(int, variant);
        return triangles_variants()[static_cast<std::size_t>(variant)];
    }

private Q_SLOTS:
    void initTestCase()
    {
        const unsigned seed = std::random_device {}();
        random_.seed(seed);
        qInfo("seed %u", seed);
    }

    // ---- flow ------------------------------------------------------------------------------------------------

    void the_reference_gives_the_flow_of_four_tokens_done_by_hand()
    {
        // Rows (1), (.4 .6), (.2 .3 .5), (.1 .2 .3 .4); important 0 and 3.
        const double p[4][4] = { { 1, 0, 0, 0 }, { .4, .6, 0, 0 }, { .2, .3, .5, 0 }, { .1, .2, .3, .4 } };
        const ImportanceCase values
            = case_of_shares(4, [&](std::int64_t i, std::int64_t j) { return p[i][j] * static_cast<double>(i + 1); });
        FlowParts found(values.shape, { 0, 1 });
        flow_reference(
            values.inputs(), { 0, 1 }, std::vector<std::int32_t> { 0, 3 }, found.from.data(), found.to.data());
        const std::vector<double> from = { .1, .2, .3, 0 };
        const std::vector<double> to = { 0, .4, .2, .1 };
        for (std::size_t j = 0; j < 4; ++j) {
            QVERIFY(std::abs(found.from[j] - from[j]) < 1e-7);
            QVERIFY(std::abs(found.to[j] - to[j]) < 1e-7);
        }
    }

    void flow_agrees_with_the_reference()
    {
        for (int round = 0; round < 60; ++round) {
            const ImportanceCase values = random_self_case(random_, 150);
            const HeadRange heads = random_heads(values.shape, random_);
            const std::vector<std::int32_t> important = random_positions(values.shape.keys, random_);
            const std::string wrong
                = wrong_flow(values, heads, important, cpu_flow(values, heads, important), accuracy);
            QVERIFY2(wrong.empty(), wrong.c_str());
        }
    }

    void flow_agrees_where_blocks_are_many()
    {
        AttentionShape shape { 2, 1, 32, 700, 700 };
        for (const std::int64_t window : { 0, 90 }) {
            shape.window = window;
            const ImportanceCase values = normal_case(shape, random_);
            std::vector<std::int32_t> important;
            for (std::int32_t position = 3; position < 700; position += 1 + position % 3)
                important.push_back(position);
            const std::string wrong
                = wrong_flow(values, { 0, 2 }, important, cpu_flow(values, { 0, 2 }, important), accuracy);
            QVERIFY2(wrong.empty(), wrong.c_str());
        }
    }

    void flow_does_not_depend_on_the_threads()
    {
        const ImportanceCase values = normal_case({ 4, 2, 64, 501, 501 }, random_);
        const std::vector<std::int32_t> important = { 0, 7, 99, 100, 101, 333, 420, 480 };
        const FlowParts one = cpu_flow(values, { 0, 4 }, important, 1);
        for (const int threads : { 2, 3, 5 }) {
            const FlowParts many = cpu_flow(values, { 0, 4 }, important, threads);
            QCOMPARE(many.from, one.from);
            QCOMPARE(many.to, one.to);
        }
    }

    void a_value_that_is_not_finite_reaches_only_what_it_takes_part_in_data()
    {
        QTest::addColumn<double>("value");
        QTest::newRow("NaN") << not_a_number;
        QTest::newRow("infinity") << infinity;
        QTest::newRow("minus infinity") << -infinity;
    }
    void a_value_that_is_not_finite_reaches_only_what_it_takes_part_in()
    {
        QFETCH(double, value);
        const std::vector<std::int32_t> important = { 2, 30, 60 };
        for (int place = 0; place < 4; ++place) {
            ImportanceCase values = biased_case({ 1, 1, 16, 80, 80 }, random_);
            (place == 0          ? values.q_at(0, 30, 3)
                    : place == 1 ? values.k_at(0, 30, 3)
                    : place == 2 ? values.lse[30]
                                 : values.bias[30])
                = static_cast<float>(value);
            FlowParts wanted(values.shape, { 0, 1 });
            flow_reference(values.inputs(), { 0, 1 }, important, wanted.from.data(), wanted.to.data());
            const FlowParts found = cpu_flow(values, { 0, 1 }, important);
            const auto count_nan = [](const std::vector<double>& list) {
                return std::count_if(list.begin(), list.end(), [](double x) { return std::isnan(x); });
            };
            QVERIFY(count_nan(wanted.from) + count_nan(wanted.to) > 0);
            for (std::size_t j = 0; j < 80; ++j) {
                QCOMPARE(std::isnan(found.from[j]), std::isnan(wanted.from[j]));
                QCOMPARE(std::isnan(found.to[j]), std::isnan(wanted.to[j]));
            }
        }
    }

    void other_types_than_float32_are_refused()
    {
        const ImportanceCase values = normal_case({ 1, 1, 8, 4, 4 }, random_);
        ImportanceInputs inputs = values.inputs();
        inputs.type = ElementType::bfloat16;
        FlowParts parts(values.shape, { 0, 1 });
        std::vector<float> sums(16);
        QVERIFY_EXCEPTION_THROWN(
            flow_cpu(inputs, { 0, 1 }, {}, parts.from.data(), parts.to.data(), 1), std::runtime_error);
        QVERIFY_EXCEPTION_THROWN(add_probabilities_cpu(inputs, { 0, 1 }, { 0, 4 }, sums.data(), 1), std::runtime_error);
    }

    // ---- edges -----------------------------------------------------------------------------------------------

    void edges_are_those_of_the_mean_in_double()
    {
        std::int64_t near = 0;
        std::int64_t edges = 0;
        for (int round = 0; round < 60; ++round) {
            const ImportanceCase values = random_self_case(random_, 150);
            const HeadRange heads = random_heads(values.shape, random_);
            OwnGraph graph(values.shape.keys);
            QCOMPARE(join_by_attention(values, heads, graph, 1 + round * 3), -1);
            const std::string wrong = wrong_edges(values, heads, graph, accuracy, near);
            QVERIFY2(wrong.empty(), wrong.c_str());
            edges += graph.edges_to_earlier();
        }
        qInfo("%lld edges, %lld pairs too close to the threshold to tell", static_cast<long long>(edges),
            static_cast<long long>(near));
        QVERIFY(edges > 1000 && near < edges / 100);
    }

    void only_more_than_the_uniform_share_is_an_edge()
    {
        for (const double share : { 0.5, 1.0, 1.0 + edge_margin / 3, 1.0 + 4 * edge_margin, 3.0 }) {
            const ImportanceCase values = case_of_shares(90, [&](std::int64_t, std::int64_t) { return share; });
            OwnGraph graph(90);
            QCOMPARE(join_by_attention(values, { 0, 1 }, graph, 90), -1);
            QCOMPARE(graph.edges_to_earlier(), share > 1 + edge_margin ? 90 * 89 / 2 : 0);
        }
    }

    void uniform_attention_has_no_edges()
    {
        ImportanceCase values = make_case({ 7, 1, 80, 300, 300 }, true, 0);
        std::fill(values.k.begin(), values.k.end(), 0.7F);
        std::fill(values.q.begin(), values.q.end(), 0.9F);
        values.normalise();
        OwnGraph graph(300);
        QCOMPARE(join_by_attention(values, { 0, 7 }, graph, 100), -1);
        QCOMPARE(graph.edges_to_earlier(), 0);
        QCOMPARE(cpu_curvature(graph, triangles_variants().back()), std::vector<double>(300, 0.0));
    }

    void a_score_that_is_not_finite_is_told()
    {
        for (int place = 0; place < 4; ++place) {
            ImportanceCase values = biased_case({ 2, 1, 16, 80, 80 }, random_);
            OwnGraph graph(80);
            QCOMPARE(join_by_attention(values, { 0, 2 }, graph, 33), -1);
            (place == 0          ? values.q_at(1, 50, 3)
                    : place == 1 ? values.k_at(0, 50, 3)
                    : place == 2 ? values.lse[130]
                                 : values.bias[130])
                = static_cast<float>(place % 2 == 0 ? -infinity : not_a_number);
            QCOMPARE(join_by_attention(values, { 0, 2 }, graph, 33), 50);
        }
    }

    void the_graph_does_not_depend_on_the_threads()
    {
        const ImportanceCase values = normal_case({ 4, 2, 64, 301, 301 }, random_);
        OwnGraph one(301);
        OwnGraph many(301);
        join_by_attention(values, { 0, 4 }, one, 301, 1);
        join_by_attention(values, { 0, 4 }, many, 301, 3);
        QCOMPARE(many.bits(), one.bits());
        const TrianglesVariant fastest = triangles_variants().back();
        QCOMPARE(cpu_curvature(many, fastest, 3), cpu_curvature(one, fastest, 1));
    }

    // ---- curvature -------------------------------------------------------------------------------------------

    void curvature_equals_the_reference_exactly_data() { variant_rows(); }
    void curvature_equals_the_reference_exactly()
    {
        for (const std::int64_t nodes : { 1, 2, 63, 64, 65, 128, 200 }) {
            for (const double density : { 0.0, 0.03, 0.5, 1.0 }) {
                OwnGraph graph(nodes);
                join_at_random(graph, density, random_);
                const std::vector<double> found = cpu_curvature(graph, variant());
                graph.join_both_ways(); // a second time over what the kernel filled in changes nothing
                QCOMPARE(found, reference_curvature(graph.view()));
                QCOMPARE(cpu_curvature(graph, variant()), found);
            }
        }
    }

    void versions_agree_on_a_large_graph()
    {
        OwnGraph graph(1500);
        join_at_random(graph, 0.2, random_);
        const std::vector<double> first = cpu_curvature(graph, triangles_variants().front());
        for (const TrianglesVariant& other : triangles_variants())
            QCOMPARE(cpu_curvature(graph, other, 3), first);
    }

    void known_graphs_have_their_known_curvature_data() { variant_rows(); }
    void known_graphs_have_their_known_curvature()
    {
        for (const std::int64_t n : { 5, 70, 130 }) {
            const auto size = static_cast<double>(n);
            OwnGraph clique(n);
            join_at_random(clique, 1.0, random_);
            // 4 - 2·(n - 1) + 3·(n - 2) on every edge.
            QCOMPARE(cpu_curvature(clique, variant()), std::vector<double>(static_cast<std::size_t>(n), size));

            OwnGraph ring(n);
            OwnGraph star(n);
            for (std::int64_t token = 1; token < n; ++token) {
                ring.join(token, token - 1);
                star.join(token, 0);
            }
            ring.join(0, n - 1);
            QCOMPARE(cpu_curvature(ring, variant()), std::vector<double>(static_cast<std::size_t>(n), 0.0));
            // 4 - (n - 1) - 1 on every edge.
            QCOMPARE(cpu_curvature(star, variant()), std::vector<double>(static_cast<std::size_t>(n), 4 - size));
        }
    }

    void the_bridge_of_a_barbell_has_the_lowest_curvature_data() { variant_rows(); }
    void the_bridge_of_a_barbell_has_the_lowest_curvature()
    {
        for (const std::int64_t size : { 4, 40, 100 }) {
            OwnGraph graph(2 * size + 1);
            join_barbell(graph, size);
            const std::vector<double> curvature = cpu_curvature(graph, variant());
            const auto lowest = std::min_element(curvature.begin(), curvature.end());
            QCOMPARE(lowest - curvature.begin(), size);
            QCOMPARE(*lowest, static_cast<double>(2 - size)); // 4 - 2 - size on both of its edges
            QCOMPARE(std::count(curvature.begin(), curvature.end(), *lowest), 1);
        }
    }

    void the_bridge_is_found_from_attention()
    {
        // Two clusters that read themselves, and a token that reads the first and is read by the second.
        OwnGraph wanted(21);
        join_barbell(wanted, 10);
        const ImportanceCase values = case_of_shares(
            21, [&](std::int64_t query, std::int64_t key) { return wanted.has(query, key) ? 1.5 : 0.1; });
        OwnGraph graph(21);
        QCOMPARE(join_by_attention(values, { 0, 1 }, graph, 8), -1);
        QCOMPARE(graph.bits(), wanted.bits());
        const std::vector<double> curvature = cpu_curvature(graph, triangles_variants().back());
        QCOMPARE(std::min_element(curvature.begin(), curvature.end()) - curvature.begin(), 10);
        // Of the tokens between the clusters' ends, attention flows through the bridge alone.
        const FlowParts parts = cpu_flow(values, { 0, 1 }, { 9, 11 });
        std::vector<double> flow;
        for (std::size_t token = 0; token < 21; ++token)
            flow.push_back(parts.from[token] * parts.to[token]);
        QCOMPARE(std::max_element(flow.begin(), flow.end()) - flow.begin(), 10);
    }
};

KEEPSET_TEST(TestBridges)
#include "tst_bridges.moc"
