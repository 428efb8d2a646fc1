#include "core/attention/attention_source.h"
#include "core/attention/bridge_scores.h"
#include "core/device/device.h"
#include "core/engine.h"
#include "core/token_readers.h"
#include "kernels/bridges/bridges.h"
#include "tests/support/test_main.h"

#include <ATen/detail/CUDAHooksInterface.h>

#include <QTest>

#include <algorithm>
#include <cmath>

using namespace keepset;

namespace {

const std::filesystem::path source_root = KEEPSET_SOURCE_DIR;

std::shared_ptr<const Analysis> analysed(const std::filesystem::path& model)
{
    Engine engine;
    engine.open_model(model, { .device = "cpu", .dtype = Dtype::float32, .threads = 2 });
    AnalysisRequest request;
    request.text = read_text((source_root / "resources/demo/demo.txt").string());
    request.context = 150;
    request.keep_attention = true;
    return engine.analyse(request);
}

/// The same pass with queries and keys rounded to `type`, its layers on these devices in turns.
std::shared_ptr<const AttentionSource> moved(const AttentionSource& source, at::ScalarType type,
    const std::vector<at::Device>& devices, const kernels::CudaModule* cuda)
{
    auto made = std::make_shared<AttentionSource>(source);
    made->backend.cuda = cuda;
    for (std::size_t index = 0; index < made->layers.size(); ++index) {
        AttentionSource::Layer& layer = made->layers[index];
        const at::Device device = devices[index % devices.size()];
        layer.q = layer.q.to(type).to(device);
        layer.k = layer.k.to(type).to(device);
        layer.row_lse = layer.row_lse.to(device);
        if (layer.rule.alibi_slopes.defined())
            layer.rule.alibi_slopes = layer.rule.alibi_slopes.to(device);
    }
    return made;
}

} // namespace

/// What GPUs make of the queries and keys of a pass is what the CPU makes of them.
class TstAttentionGpu : public QObject {
    Q_OBJECT

    const kernels::CudaModule* cuda_ = nullptr;
    std::vector<at::Device> devices_;

    static void model_rows()
    {
        QTest::addColumn<QString>("model");
        QTest::addColumn<at::ScalarType>("type");
        const std::vector<std::pair<const char*, const char*>> models = { { "grouped heads", "resources/demo/model" },
            { "caps", "tests/reference/golden/families/gemma2" }, { "alibi", "tests/reference/golden/families/bloom" },
            { "window", "tests/reference/golden/families/mistral" } };
        for (const auto& [name, folder] : models) {
            for (const at::ScalarType type : { at::kFloat, at::kBFloat16, at::kHalf })
                QTest::addRow("%s, %s", name, at::toString(type)) << QString(folder) << type;
        }
    }

private Q_SLOTS:
    void initTestCase()
    {
        std::string why_not;
        cuda_ = load_cuda_module(why_not);
        if (cuda_ == nullptr)
            QSKIP(why_not.c_str());
        for (int index = 0; index < at::detail::getCUDAHooks().deviceCount(); ++index)
            devices_.emplace_back(at::kCUDA, static_cast<at::DeviceIndex>(index));
        qInfo("%d GPUs", static_cast<int>(devices_.size()));
    }

    void maps_are_those_of_the_cpu_data() { model_rows(); }
    void maps_are_those_of_the_cpu()
    {
        QFETCH(QString, model);
        QFETCH(at::ScalarType, type);
        Analysis analysis = *analysed(source_root / model.toStdString());
        const auto here = moved(*analysis.attention, type, { at::kCPU }, nullptr);
        const auto there = moved(*analysis.attention, type, devices_, cuda_);
        for (const CellReduction reduction : { CellReduction::max, CellReduction::mean }) {
            for (std::int64_t head = 0; head < analysis.heads; ++head) {
                const AttentionMapRequest request { head % analysis.layers, head, 13, 140, 0, analysis.context, 40, 51,
                    reduction };
                analysis.attention = here;
                const AttentionMap wanted = attention_map(analysis, request);
                analysis.attention = there;
                const AttentionMap found = attention_map(analysis, request);
                QCOMPARE(found.cells.size(), wanted.cells.size());
                for (std::size_t cell = 0; cell < wanted.cells.size(); ++cell)
                    QVERIFY2(std::abs(found.cells[cell] - wanted.cells[cell]) <= 3e-5F * std::abs(wanted.cells[cell]),
                        qPrintable(QString("head %1, cell %2: %3 and %4")
                                       .arg(head)
                                       .arg(cell)
                                       .arg(static_cast<double>(found.cells[cell]))
                                       .arg(static_cast<double>(wanted.cells[cell]))));
            }
        }
    }

    void readers_are_those_of_the_cpu_data() { model_rows(); }
    void readers_are_those_of_the_cpu()
    {
        QFETCH(QString, model);
        QFETCH(at::ScalarType, type);
        Analysis analysis = *analysed(source_root / model.toStdString());
        const auto here = moved(*analysis.attention, type, { at::kCPU }, nullptr);
        const auto there = moved(*analysis.attention, type, devices_, cuda_);
        for (const std::int64_t token : { std::int64_t { 0 }, analysis.context / 2, analysis.context - 1 }) {
            analysis.attention = here;
            const TokenReaders wanted = token_readers(analysis, {}, token, 1000);
            analysis.attention = there;
            const TokenReaders found = token_readers(analysis, {}, token, 1000);
            QCOMPARE(found.queries, wanted.queries);
            QVERIFY(std::abs(found.sum - wanted.sum) <= 3e-5 * wanted.sum);
            for (std::size_t place = 0; place < wanted.largest.size(); ++place)
                QVERIFY(std::abs(found.largest[place].attention - wanted.largest[place].attention)
                    <= 3e-5 * wanted.largest[place].attention);
        }
    }

    void bridge_scores_are_those_of_the_cpu_data() { model_rows(); }
    void bridge_scores_are_those_of_the_cpu()
    {
        QFETCH(QString, model);
        QFETCH(at::ScalarType, type);
        const auto analysis = analysed(source_root / model.toStdString());
        const auto here = bridge_source(moved(*analysis->attention, type, { at::kCPU }, nullptr));
        const auto there = bridge_source(moved(*analysis->attention, type, devices_, cuda_));
        const std::vector<std::int32_t> important = { 0, 3, 4, 31, 32, 64, 90, 91, 120, 149 };
        int edges_differ = 0;
        int compared = 0;
        for (std::int64_t layer = -1; layer < analysis->layers; ++layer) {
            for (std::int64_t kv_head = -1; kv_head < (layer < 0 ? 0 : analysis->kv_heads); ++kv_head) {
                const Scope scope { layer, kv_head };
                const std::vector<double>& wanted = *here->flow(scope, important, {});
                const std::vector<double>& found = *there->flow(scope, important, {});
                QCOMPARE(found.size(), wanted.size());
                for (std::size_t j = 0; j < wanted.size(); ++j)
                    QVERIFY2(std::abs(found[j] - wanted[j]) <= 3e-5 * wanted[j],
                        qPrintable(QString("position %1: %2 and %3").arg(j).arg(found[j]).arg(wanted[j])));
                QVERIFY(*std::ranges::max_element(wanted) > 0);
                const auto curvature = there->curvature(scope, {});
                QVERIFY(*std::ranges::min_element(*curvature) < *std::ranges::max_element(*curvature));
                edges_differ += *curvature == *here->curvature(scope, {}) ? 0 : 1;
                ++compared;
            }
        }
        // Where a mean lies within rounding of the uniform share the two may decide otherwise.
        QVERIFY2(edges_differ <= compared / 10, qPrintable(QString("%1 of %2").arg(edges_differ).arg(compared)));
    }

    void no_important_token_is_no_flow()
    {
        const auto analysis = analysed(source_root / "resources/demo/model");
        const auto there = bridge_source(moved(*analysis->attention, at::kBFloat16, devices_, cuda_));
        QCOMPARE(*there->flow({ 0, 0 }, {}, {}), std::vector<double>(150, 0.0));
    }

    void attention_that_is_not_finite_is_refused_with_its_position()
    {
        const auto analysis = analysed(source_root / "resources/demo/model");
        auto spoiled = std::make_shared<AttentionSource>(*moved(*analysis->attention, at::kHalf, devices_, cuda_));
        spoiled->layers[0].row_lse = spoiled->layers[0].row_lse.clone();
        spoiled->layers[0].row_lse.select(0, 1).select(0, 77).fill_(std::nan(""));
        const auto bridges = bridge_source(spoiled);
        for (const bool by_flow : { true, false }) {
            std::string said;
            try {
                by_flow ? bridges->flow({ 0, -1 }, std::vector<std::int32_t> { 76, 80 }, {})
                        : bridges->curvature({ 0, -1 }, {});
            } catch (const Error& error) {
                said = error.what();
            }
            QVERIFY2(said.find("position 77 ") != std::string::npos, said.c_str());
        }
    }
};

KEEPSET_TEST(TstAttentionGpu)
#include "tst_attention_gpu.moc"
