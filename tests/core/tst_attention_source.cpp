#include "core/attention/attention_source.h"
#include "core/engine.h"
#include "core/model/device.h"
#include "core/preflight.h"

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

QTEST_GUILESS_MAIN(TstAttentionSource)
#include "tst_attention_source.moc"
