#include "core/attention/attention_source.h"
#include "core/attention/bridge_scores.h"
#include "core/device/device.h"
#include "core/engine.h"
#include "core/error.h"
#include "core/preflight.h"
#include "core/token_readers.h"
#include "kernels/bridges/bridges.h"
#include "kernels/shapes.h"
#include "tests/support/test_main.h"

#include <QTest>

#include <algorithm>
#include <cmath>
#include <fstream>

#include <sys/resource.h>

using namespace keepset;

namespace {

const std::filesystem::path source_root = KEEPSET_SOURCE_DIR;

std::shared_ptr<const Analysis> analysed(const std::filesystem::path& model, bool keep, Dtype dtype = Dtype::float32)
{
    Engine engine;
    engine.open_model(model, { .device = "cpu", .dtype = dtype, .threads = 1 });
    AnalysisRequest request;
    request.text = read_text((source_root / "resources/demo/demo.txt").string());
    request.context = 150;
    request.keep_attention = keep;
    return engine.analyse(request);
}

/// P (context, context) of a row: the mean over the layers and query heads that share it.
std::vector<double> mean_attention(const Analysis& analysis, const Scope& scope)
{
    const auto context = static_cast<std::size_t>(analysis.context);
    const std::int64_t group = analysis.heads / analysis.kv_heads;
    std::vector<double> sum(context * context);
    double count = 0;
    for (std::int64_t layer = 0; layer < analysis.layers; ++layer) {
        if (scope.layer >= 0 && layer != scope.layer)
            continue;
        const KernelInputs made = kernel_inputs(*analysis.attention, layer);
        for (std::int64_t head = 0; head < analysis.heads; ++head) {
            if (scope.kv_head >= 0 && head / group != scope.kv_head)
                continue;
            ++count;
            for (std::int64_t i = 0; i < analysis.context; ++i) {
                for (std::int64_t j = kernels::first_key_of(made.inputs.shape, i); j <= i; ++j)
                    sum[static_cast<std::size_t>(i) * context + static_cast<std::size_t>(j)]
                        += kernels::probability_reference(made.inputs, head, i, j);
            }
        }
    }
    for (double& value : sum)
        value /= count;
    return sum;
}

} // namespace

/// What an analysis keeps of its pass, so that P can be recomputed when the model is long gone.
class TstAttentionSource : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void column_sums_of_what_was_kept_are_the_importance_data()
    {
        QTest::addColumn<QString>("model");
        QTest::addRow("grouped heads") << "resources/demo/model";
        for (const char* const name : { "gemma2", "gemma3", "bloom", "falcon-alibi", "mistral" })
            QTest::addRow("%s", name) << QString("tests/reference/golden/families/") + name;
    }
    void column_sums_of_what_was_kept_are_the_importance()
    {
        QFETCH(QString, model);
        const auto analysis = analysed(source_root / model.toStdString(), true);
        QVERIFY(analysis->attention != nullptr);
        QCOMPARE(analysis->no_attention, std::string());
        const AttentionSource& source = *analysis->attention;
        QCOMPARE(static_cast<std::int64_t>(source.layers.size()), analysis->layers);
        std::vector<float> sums;
        std::vector<float> row_lse;
        guarded(1, [&] {
            for (const AttentionSource::Layer& layer : source.layers) {
                const at::Tensor found = column_sums(layer.q, layer.k, layer.row_lse, layer.rule, source.backend, {});
                sums.insert(sums.end(), found.const_data_ptr<float>(), found.const_data_ptr<float>() + found.numel());
                row_lse.insert(row_lse.end(), layer.row_lse.const_data_ptr<float>(),
                    layer.row_lse.const_data_ptr<float>() + layer.row_lse.numel());
            }
        });
        QCOMPARE(sums, analysis->importance);
        QCOMPARE(row_lse, analysis->row_lse);
    }

    void who_reads_a_token_gave_it_its_importance_data() { column_sums_of_what_was_kept_are_the_importance_data(); }
    void who_reads_a_token_gave_it_its_importance()
    {
        QFETCH(QString, model);
        const auto analysis = analysed(source_root / model.toStdString(), true);
        const auto context = static_cast<std::size_t>(analysis->context);
        const std::int64_t last_layer = analysis->layers - 1;
        const std::int64_t last_head = analysis->kv_heads - 1;
        for (const Scope scope : { Scope {}, Scope { last_layer, -1 }, Scope { -1, 0 }, Scope { 0, last_head } }) {
            const std::vector<double> attention = mean_attention(*analysis, scope);
            for (const std::size_t token : { std::size_t { 0 }, context / 2, context - 1 }) {
                const TokenReaders all = token_readers(*analysis, scope, static_cast<std::int64_t>(token), context + 1);
                QCOMPARE(static_cast<std::int64_t>(all.largest.size()), all.queries);
                double sum = 0;
                for (std::size_t place = 0; place < all.largest.size(); ++place) {
                    const TokenReader& reader = all.largest[place];
                    const double wanted = attention[static_cast<std::size_t>(reader.query) * context + token];
                    QVERIFY(std::abs(reader.attention - wanted) < 1e-6);
                    QVERIFY(place == 0 || all.largest[place - 1].attention >= reader.attention);
                    sum += wanted;
                }
                QVERIFY(std::abs(all.sum - sum) < 1e-5);
                const TokenReaders few = token_readers(*analysis, scope, static_cast<std::int64_t>(token), 3);
                QCOMPARE(few.largest.size(), std::min<std::size_t>(3, all.largest.size()));
                QCOMPARE(few.sum, all.sum);
                QVERIFY(std::abs(all.share_of_largest - 1) < 1e-9);
                double three = 0;
                for (const TokenReader& reader : few.largest)
                    three += attention[static_cast<std::size_t>(reader.query) * context + token];
                QVERIFY(std::abs(few.share_of_largest - three / sum) < 1e-5);
                QCOMPARE(few.largest.front().query, all.largest.front().query);
            }
        }
    }
    void of_a_token_outside_there_are_no_readers()
    {
        const auto analysis = analysed(source_root / "resources/demo/model", true);
        QVERIFY_THROWS_EXCEPTION(Error, token_readers(*analysis, {}, analysis->context, 3));
        QVERIFY_THROWS_EXCEPTION(Error, token_readers(*analysis, {}, -1, 3));
        QVERIFY_THROWS_EXCEPTION(Error, token_readers(*analysis, { analysis->layers, -1 }, 0, 3));
        QVERIFY_THROWS_EXCEPTION(
            Error, token_readers(*analysed(source_root / "resources/demo/model", false), {}, 0, 3));
    }

    void the_columns_of_a_map_sum_to_the_importance_data() { column_sums_of_what_was_kept_are_the_importance_data(); }
    void the_columns_of_a_map_sum_to_the_importance()
    {
        QFETCH(QString, model);
        const auto analysis = analysed(source_root / model.toStdString(), true);
        const std::int64_t context = analysis->context;
        for (const std::int64_t head : { std::int64_t { 0 }, analysis->heads - 1 }) {
            AttentionMapRequest request { analysis->layers - 1, head, 0, context, 0, context, 4000, 4000 };
            const AttentionMap exact = attention_map(*analysis, request);
            QCOMPARE(exact.rows, context);
            QCOMPARE(exact.columns, context);
            request.most_rows = 1;
            request.reduction = CellReduction::mean;
            const AttentionMap means = attention_map(*analysis, request);
            const float* const importance
                = analysis->importance.data() + (request.layer * analysis->heads + head) * context;
            for (std::int64_t key = 0; key < context; ++key) {
                double sum = 0;
                for (std::int64_t query = 0; query < context; ++query)
                    sum += std::max(
                        0.0, static_cast<double>(exact.cells[static_cast<std::size_t>(query * context + key)]));
                const auto wanted = static_cast<double>(importance[key]);
                const double mean = static_cast<double>(means.cells[static_cast<std::size_t>(key)]);
                QVERIFY2(std::abs(sum - wanted) <= 1e-4 * wanted, qPrintable(QString("%1 %2").arg(sum).arg(wanted)));
                QVERIFY(std::abs(mean * static_cast<double>(context) - wanted) <= 1e-4 * wanted);
            }
        }
    }

    void a_cell_says_what_it_covers_and_shows()
    {
        const auto analysis = analysed(source_root / "resources/demo/model", true);
        AttentionMapRequest request { 1, 2, 20, 107, 3, 90, 500, 500 };
        const AttentionMap exact = attention_map(*analysis, request);
        request.most_rows = 13;
        request.most_columns = 20;
        const AttentionMap coarse = attention_map(*analysis, request);
        for (const auto& [query, key] : { std::pair { 20, 3 }, { 106, 89 }, { 61, 40 }, { 21, 80 } }) {
            const auto cell = cell_at(coarse, query, key);
            QVERIFY(cell.has_value());
            QVERIFY(cell->query_begin <= query && query < cell->query_end);
            QVERIFY(cell->key_begin <= key && key < cell->key_end);
            float largest = -1;
            for (std::int64_t q = cell->query_begin; q < cell->query_end; ++q) {
                for (std::int64_t k = cell->key_begin; k < cell->key_end; ++k) {
                    const auto one = cell_at(exact, q, k);
                    QCOMPARE(one->query_end - one->query_begin, std::int64_t { 1 });
                    QCOMPARE(one->value<0, k> q);
                    largest = std::max(largest, one->value);
                }
            }
            QCOMPARE(cell->value, largest);
        }
        QVERIFY(
            !cell_at(coarse, 19, 3) && !cell_at(coarse, 107, 3) && !cell_at(coarse, 20, 2) && !cell_at(coarse, 20, 90));
    }

    void what_a_map_cannot_show_is_refused_in_words()
    {
        const auto analysis = analysed(source_root / "resources/demo/model", true);
        const std::int64_t context = analysis->context;
        const auto refused = [](const Analysis& of, const AttentionMapRequest& request) {
            try {
                attention_map(of, request);
            } catch (const Error& error) {
                return error.kind() == ErrorKind::usage ? std::string(error.what()) : std::string();
            }
            return std::string();
        };
        const AttentionMapRequest good { 0, 0, 0, context, 0, context };
        QCOMPARE(refused(*analysis, good), std::string());
        for (const AttentionMapRequest& bad : { AttentionMapRequest { analysis->layers, 0, 0, context, 0, context },
                 AttentionMapRequest { 0, analysis->heads, 0, context, 0, context },
                 AttentionMapRequest { 0, -1, 0, context, 0, context },
                 AttentionMapRequest { 0, 0, 0, context + 1, 0, context },
                 AttentionMapRequest { 0, 0, 5, 5, 0, context }, AttentionMapRequest { 0, 0, 0, context, -1, context },
                 AttentionMapRequest { 0, 0, 0, context, 0, context, 0, 10 } })
            QVERIFY(!refused(*analysis, bad).empty());
        Analysis loaded = *analysis;
        loaded.attention.reset();
        QVERIFY(refused(loaded, good).find("trace") != std::string::npos);
        loaded.no_attention = "About 9 GB";
        QVERIFY(refused(loaded, good).find("About 9 GB") != std::string::npos);
        std::stop_source stop;
        stop.request_stop();
        QVERIFY_EXCEPTION_THROWN(attention_map(*analysis, good, { stop.get_token(), {} }), Cancelled);
    }

    void kernels_get_the_shape_the_pass_had()
    {
        const auto analysis = analysed(source_root / "resources/demo/model", true, Dtype::bfloat16);
        const AttentionSource& source = *analysis->attention;
        QCOMPARE(source.layers[0].q.scalar_type(), at::kBFloat16);
        const KernelInputs made = kernel_inputs(source, analysis->layers - 1);
        QCOMPARE(made.inputs.type, kernels::ElementType::float32); // all that the kernels of the CPU take
        QCOMPARE(made.inputs.shape.heads, analysis->heads);
        QCOMPARE(made.inputs.shape.kv_heads, analysis->kv_heads);
        QCOMPARE(made.inputs.shape.queries, analysis->context);
        QCOMPARE(made.inputs.shape.keys, analysis->context);
        QVERIFY(made.inputs.key_bias == nullptr);
        const at::Tensor& q = source.layers.back().q;
        const auto* const queries = static_cast<const float*>(made.inputs.q);
        for (const std::int64_t head : { std::int64_t { 0 }, analysis->heads - 1 }) {
            const std::int64_t token = analysis->context - 2;
            const std::int64_t at = head * made.inputs.shape.q_head_stride + token * made.inputs.shape.q_token_stride;
            QCOMPARE(queries[at + 3], q[head][token][3].item<float>());
        }
    }

    void nothing_is_kept_that_was_not_asked_for()
    {
        const auto analysis = analysed(source_root / "resources/demo/model", false);
        QVERIFY(analysis->attention == nullptr);
        QCOMPARE(analysis->no_attention, std::string());
    }

    /// The rows of a layer, one kv head and all of the model, by plain loops in double over the same queries and keys.
    void flow_and_curvature_are_those_of_plain_loops_data() { column_sums_of_what_was_kept_are_the_importance_data(); }
    void flow_and_curvature_are_those_of_plain_loops()
    {
        QFETCH(QString, model);
        const auto analysis = analysed(source_root / model.toStdString(), true);
        const std::vector<std::int32_t> important = { 0, 3, 17, 18, 40, 41, 77, 100, 149 };
        for (const Scope& scope : { Scope { -1, -1 }, Scope { 1, -1 }, Scope { 0, analysis->kv_heads - 1 } }) {
            const std::vector<double> p = mean_attention(*analysis, scope);
            const auto context = static_cast<std::size_t>(analysis->context);
            const std::vector<double> flow = *analysis->bridges->flow(scope, important, {});
            for (std::size_t j = 0; j < context; ++j) {
                double from = 0;
                double to = 0;
                for (const auto i : important) {
                    const auto other = static_cast<std::size_t>(i);
                    from += other > j ? p[other * context + j] : 0;
                    to += other < j ? p[j * context + other] : 0;
                }
                QVERIFY(std::abs(flow[j] - from * to) <= 1e-5 * from * to + 1e-12);
            }
            std::vector<std::uint64_t> bits(
                context * static_cast<std::size_t>(kernels::graph_words(analysis->context)));
            const kernels::AttentionGraph graph { analysis->context, kernels::graph_words(analysis->context),
                bits.data() };
            bool clear = true;
            for (std::size_t i = 0; i < context; ++i) {
                for (std::size_t j = 0; j < i; ++j) {
                    const double excess = p[i * context + j] * static_cast<double>(i + 1) - 1;
                    clear = clear && std::abs(excess - kernels::edge_margin) > 2e-6;
                    if (excess <= kernels::edge_margin)
                        continue;
                    bits[i * static_cast<std::size_t>(graph.words) + j / 64] |= std::uint64_t { 1 } << (j % 64);
                    bits[j * static_cast<std::size_t>(graph.words) + i / 64] |= std::uint64_t { 1 } << (i % 64);
                }
            }
            if (!clear)
                continue; // rounding decides
            std::vector<double> wanted(context);
            kernels::curvature_reference(graph, wanted.data());
            QCOMPARE(*analysis->bridges->curvature(scope, {}), wanted);
        }
    }

    void where_there_is_no_room_the_analysis_comes_without_and_says_so()
    {
        const std::filesystem::path demo = source_root / "resources/demo";
        Engine engine;
        const ModelInfo model = engine.open_model(demo / "model", { "cpu", Dtype::automatic, 1 });
        AnalysisRequest request;
        request.text = read_text((demo / "heldout-books-test.txt").string());
        request.text.bytes.resize(request.text.bytes.find('\n', 20000)); // tokens of a long text take room themselves
        request.context = 2048;
        request.keep_attention = true;
        engine.analyse(request); // what the libraries take once
        std::ifstream status("/proc/self/statm");
        std::int64_t pages = 0;
        status >> pages;
        rlimit before {};
        getrlimit(RLIMIT_AS, &before);
        rlimit limit = before;
        const MemoryNeed need = memory_need(model, { "cpu", Dtype::automatic, 1 }, request.context);
        const std::int64_t room // for an analysis, but not for queries and keys beside it
            = need.cache + need.work + attention_source_bytes(model, request.context, 4) / 2;
        limit.rlim_cur = static_cast<rlim_t>(pages * 4096 + room);
        setrlimit(RLIMIT_AS, &limit);
        std::shared_ptr<const Analysis> analysis;
        std::string problem;
        try {
            analysis = engine.analyse(request);
        } catch (const std::exception& error) {
            problem = error.what();
        }
        setrlimit(RLIMIT_AS, &before);
        QVERIFY2(analysis != nullptr, problem.c_str());
        QVERIFY(analysis->attention == nullptr);
        QVERIFY2(analysis->no_attention.find("queries and keys") != std::string::npos, analysis->no_attention.c_str());
    }
};

KEEPSET_TEST(TstAttentionSource)
#include "tst_attention_source.moc"
