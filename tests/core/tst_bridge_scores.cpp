#include "core/attention/bridge_scores.h"
#include "core/device/device.h"
#include "core/engine.h"
#include "core/policy/policy.h"
#include "core/policy/select.h"
#include "kernels/bridges/bridges.h"
#include "tests/support/test_main.h"

#include <ATen/ops/empty.h>

#include <nlohmann/json.hpp>

#include <QTest>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fstream>
#include <thread>

using namespace keepset;

namespace {

const std::filesystem::path source_root = KEEPSET_SOURCE_DIR;

template <typename Work> std::string error_of(const Work& work)
{
    try {
        work();
    } catch (const Error& error) {
        return std::string(error.what()) + " " + error.hint();
    }
    return {};
}

/// (rows, tokens, head_dim), as tests/reference/bridges.py makes them.
at::Tensor values(std::int64_t seed, std::int64_t rows, std::int64_t tokens, std::int64_t head_dim)
{
    at::Tensor made = at::empty({ rows, tokens, head_dim });
    float* at = made.mutable_data_ptr<float>();
    for (std::int64_t a = 0; a < rows; ++a) {
        for (std::int64_t b = 0; b < tokens; ++b) {
            for (std::int64_t c = 0; c < head_dim; ++c)
                *at++ = static_cast<float>((7919 * a + 104729 * b * b + 1299709 * c * (b + 1) + seed) % 17 - 8) / 8;
        }
    }
    return made;
}

/// A pass of two layers, four query heads and two kv heads; the second layer sees a window of 20 positions.
std::shared_ptr<const AttentionSource> made_source(std::int64_t tokens)
{
    auto source = std::make_shared<AttentionSource>();
    source->backend.threads = 2;
    for (std::int64_t index = 0; index < 2; ++index) {
        AttentionSource::Layer layer;
        layer.q = values(5 + index, 4, tokens, 8);
        layer.k = values(11 + index, 2, tokens, 8);
        layer.rule.scale = 0.5;
        layer.rule.window = 20 * index;
        layer.row_lse = at::empty({ 4, tokens });
        const float* q = layer.q.const_data_ptr<float>();
        const float* k = layer.k.const_data_ptr<float>();
        for (std::int64_t row = 0; row < 4 * tokens; ++row) {
            const std::int64_t query = row % tokens;
            const std::int64_t first = index == 0 ? 0 : std::max<std::int64_t>(0, query - 19);
            double sum = 0;
            for (std::int64_t key = first; key <= query; ++key) {
                double dot = 0;
                for (std::int64_t dim = 0; dim < 8; ++dim)
                    dot += static_cast<double>(q[row * 8 + dim])
                        * static_cast<double>(k[(row / tokens / 2 * tokens + key) * 8 + dim]);
                sum += std::exp(dot / 2);
            }
            layer.row_lse.mutable_data_ptr<float>()[row] = static_cast<float>(std::log(sum));
        }
        source->layers.push_back(layer);
    }
    return source;
}

std::shared_ptr<const Analysis> analysed(Engine& engine, std::int64_t context, bool keep = true)
{
    engine.open_model(source_root / "resources/demo/model", { "cpu", Dtype::float32, 2 });
    AnalysisRequest request;
    request.text = read_text((source_root / "resources/demo/demo.txt").string());
    request.context = context;
    request.keep_attention = keep;
    return engine.analyse(request);
}

SelectRequest request_for(const std::string& policy, double sparsity, Granularity granularity)
{
    SelectRequest request;
    request.policy = parse_policy(policy);
    request.sparsity = sparsity;
    request.granularity = granularity;
    return request;
}

/// P (context, context) of a layer, the mean over query heads [first, first + count), in double.
std::vector<double> mean_attention(const Analysis& analysis, std::int64_t layer, std::int64_t first, std::int64_t count)
{
    const KernelInputs made = kernel_inputs(*analysis.attention, layer);
    const std::int64_t context = analysis.context;
    std::vector<double> p(static_cast<std::size_t>(context * context), 0.0);
    for (std::int64_t head = first; head < first + count; ++head) {
        for (std::int64_t i = 0; i < context; ++i) {
            for (std::int64_t j = 0; j <= i; ++j)
                p[static_cast<std::size_t>(i * context + j)]
                    += kernels::probability_reference(made.inputs, head, i, j) / static_cast<double>(count);
        }
    }
    return p;
}

std::vector<double> plain_flow(const std::vector<double>& p, const std::vector<Label>& labels)
{
    const std::size_t context = labels.size();
    std::vector<double> flow;
    for (std::size_t j = 0; j < context; ++j) {
        double from = 0;
        double to = 0;
        for (std::size_t i = 0; i < context; ++i) {
            if (labels[i] == Label::important)
                (i > j ? from : to) += i > j ? p[i * context + j] : i < j ? p[j * context + i] : 0;
        }
        flow.push_back(from * to);
    }
    return flow;
}

std::vector<double> plain_curvature(const std::vector<double>& p, std::size_t context)
{
    std::vector<std::vector<int>> edge(context, std::vector<int>(context, 0));
    std::vector<int> degree(context, 0);
    for (std::size_t i = 0; i < context; ++i) {
        for (std::size_t j = 0; j < i; ++j)
            edge[i][j] = edge[j][i] = p[i * context + j] * static_cast<double>(i + 1) > 1 + kernels::edge_margin;
        for (std::size_t j = 0; j < i; ++j) {
            degree[i] += edge[i][j];
            degree[j] += edge[i][j];
        }
    }
    std::vector<double> curvature(context, 0.0);
    for (std::size_t u = 0; u < context; ++u) {
        for (std::size_t v = 0; v < context; ++v) {
            int triangles = 0;
            for (std::size_t w = 0; w < context; ++w)
                triangles += edge[u][w] * edge[v][w];
            curvature[u] += edge[u][v] * (4 - degree[u] - degree[v] + 3 * triangles);
        }
        curvature[u] /= std::max(degree[u], 1);
    }
    return curvature;
}

/// Labels with the bridges taken anew by `cost` (context), the lowest first; true where no cost near the cut is close
/// enough for rounding to decide.
bool take_bridges(std::vector<Label>& labels, const std::vector<double>& cost)
{
    std::vector<std::size_t> rest;
    std::size_t bridges = 0;
    for (std::size_t j = 0; j < labels.size(); ++j) {
        bridges += labels[j] == Label::bridge ? 1 : 0;
        if (labels[j] == Label::bridge || labels[j] == Label::evicted)
            rest.push_back(j);
    }
    std::ranges::stable_sort(rest, [&](std::size_t a, std::size_t b) { return cost[a] < cost[b]; });
    for (std::size_t at = 0; at < rest.size(); ++at)
        labels[rest[at]] = at < bridges ? Label::bridge : Label::evicted;
    if (bridges == 0 || bridges == rest.size())
        return true;
    const double last = cost[rest[bridges - 1]];
    const double next = cost[rest[bridges]];
    return next == last || next - last > 2e-5 * std::abs(next);
}

} // namespace

/// Bridges by flow and curvature, from the attention of a pass to a keep set.
class TstBridgeScores : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void scores_are_those_of_the_numpy_reference()
    {
        std::ifstream file(source_root / "tests/reference/golden/bridges/bridges.json");
        const nlohmann::json golden = nlohmann::json::parse(file);
        const auto important = golden.at("important").get<std::vector<std::int32_t>>();
        const auto source = bridge_source(made_source(48));
        double largest = 0;
        for (const nlohmann::json& row : golden.at("rows")) {
            const Scope scope { row.at("layer"), row.at("kv_head") };
            const auto wanted = row.at("flow").get<std::vector<double>>();
            const std::vector<double> found = *source->flow(scope, important, {});
            QCOMPARE(found.size(), wanted.size());
            for (std::size_t j = 0; j < wanted.size(); ++j)
                largest = std::max(largest, std::abs(found[j] - wanted[j]) / std::max(wanted[j], 1e-30));
            QCOMPARE(*source->curvature(scope, {}), row.at("curvature").get<std::vector<double>>());
        }
        qInfo("largest relative difference of flow: %.2g", largest);
        QVERIFY(largest < 1e-5);
    }

    void what_was_made_is_kept()
    {
        const auto source = bridge_source(made_source(48));
        const std::vector<std::int32_t> important { 3, 20 };
        const auto flow = source->flow({ 0, 1 }, important, {});
        const auto curvature = source->curvature({ 0, 1 }, {});
        QCOMPARE(source->flow({ 0, 1 }, important, {}), flow); // the same memory
        QCOMPARE(source->curvature({ 0, 1 }, {}), curvature);
        QVERIFY(*source->flow({ 0, 1 }, std::vector<std::int32_t> { 3, 21 }, {}) != *flow);
        QVERIFY(*source->curvature({ 1, 1 }, {}) != *curvature);
    }

    void keep_sets_of_a_model_are_those_of_plain_loops_data()
    {
        QTest::addColumn<bool>("by_flow");
        QTest::addColumn<bool>("by_head");
        QTest::newRow("flow, by head") << true << true;
        QTest::newRow("flow, by layer") << true << false;
        QTest::newRow("curvature, by head") << false << true;
        QTest::newRow("curvature, by layer") << false << false;
    }
    void keep_sets_of_a_model_are_those_of_plain_loops()
    {
        QFETCH(bool, by_flow);
        QFETCH(bool, by_head);
        Engine engine;
        const auto analysis = analysed(engine, 120);
        const SelectRequest request = request_for(by_flow ? "cab(bridge=flow)" : "cab(bridge=curvature)", 0.7,
            by_head ? Granularity::head : Granularity::layer);
        const KeepSet found = select(*analysis, request, 2);
        QVERIFY(found.labels != select(*analysis, request_for("cab", 0.7, request.granularity), 2).labels);
        const std::int64_t heads = by_head ? analysis->heads / analysis->kv_heads : analysis->heads;
        int unclear = 0;
        const std::int64_t rows = analysis->layers * analysis->kv_heads;
        for (std::int64_t row = 0; row < rows; row += 1 + row % 3) {
            const std::int64_t kv_head = row % analysis->kv_heads;
            const std::vector<double> p
                = mean_attention(*analysis, row / analysis->kv_heads, by_head ? kv_head * heads : 0, heads);
            const auto begin = found.labels.begin() + row * analysis->context;
            const std::vector<Label> labels(begin, begin + analysis->context);
            std::vector<double> cost = by_flow ? plain_flow(p, labels) : plain_curvature(p, labels.size());
            if (by_flow)
                std::ranges::transform(cost, cost.begin(), std::negate<>());
            std::vector<Label> wanted = labels;
            if (take_bridges(wanted, cost))
                QCOMPARE(labels, wanted);
            else
                ++unclear;
        }
        QVERIFY(unclear < rows / 10);
    }

    void who_waits_is_told_how_far_it_is()
    {
        Engine engine;
        const auto analysis = analysed(engine, 60);
        std::vector<Progress> told;
        std::stop_source stop;
        Task task { stop.get_token(), [&](const Progress& progress) { told.push_back(progress); } };
        select(*analysis, request_for("cab", 0.5, Granularity::head), 1, task);
        QVERIFY(told.empty()); // it is done in an instant
        select(*analysis, request_for("cab(bridge=flow)", 0.5, Granularity::head), 1, task);
        const std::int64_t rows = analysis->layers * analysis->kv_heads;
        QCOMPARE(static_cast<std::int64_t>(told.size()), rows);
        for (std::int64_t row = 0; row < rows; ++row) {
            const Progress& progress = told[static_cast<std::size_t>(row)];
            QCOMPARE(progress.done, row + 1);
            QCOMPARE(progress.total, rows);
            QVERIFY(progress.left_s >= 0);
        }
        QCOMPARE(told.back().left_s, 0.0);
        told.clear();
        task.progress = [&](const Progress& progress) {
            told.push_back(progress);
            stop.request_stop();
        };
        const SelectRequest request = request_for("cab(bridge=curvature)", 0.5, Granularity::head);
        QVERIFY_EXCEPTION_THROWN(select(*analysis, request, 1, task), Cancelled);
        QCOMPARE(told.size(), std::size_t { 1 });
    }

    void a_row_alone_chooses_as_the_whole_model_does_and_says_why()
    {
        Engine engine;
        const auto analysis = analysed(engine, 100);
        for (const std::string policy : { "cab(bridge=flow)", "cab(bridge=curvature)" }) {
            const SelectRequest request = request_for(policy, 0.5, Granularity::head);
            const KeepSet all = select(*analysis, request, 1);
            const RowScores row = row_scores(*analysis, { 1, 0 }, Importance::cumulative, GqaReduction::mean);
            const RowSelection chosen = select_row(row, request);
            const auto begin = all.labels.begin() + analysis->kv_heads * analysis->context;
            QCOMPARE(chosen.labels, std::vector<Label>(begin, begin + analysis->context));
            QCOMPARE(chosen.counts[static_cast<std::size_t>(Label::bridge)], 10);
            for (std::int64_t token = 0; token < analysis->context; ++token) {
                const Explanation why = explain(row, chosen, request, token);
                const bool names = why.sentence.find(policy.find("flow") != std::string::npos ? "flow" : "curvature")
                    != std::string::npos;
                QCOMPARE(names && why.sentence.find("is rank ") != std::string::npos,
                    why.label == Label::bridge || why.label == Label::evicted);
            }
        }
    }

    void sweeps_keep_what_an_analysis_of_the_window_keeps()
    {
        Engine engine;
        const auto analysis = analysed(engine, 64);
        SweepRequest request;
        request.text = read_text((source_root / "resources/demo/demo.txt").string());
        request.policies = parse_policies("cab,cab(bridge=flow),cab(bridge=curvature)");
        request.sparsities = { 0, 0.5 };
        request.context = 64;
        request.target = 16;
        request.windows = 1;
        for (const Protocol protocol : { Protocol::prefill_evict, Protocol::token_drop }) {
            request.protocol = protocol;
            request.granularity = protocol == Protocol::token_drop ? Granularity::model : Granularity::head;
            const auto run = engine.sweep(request);
            QVERIFY(!run->audit.failed());
            int compared = 0;
            for (std::size_t point = 0; point < run->points.size(); ++point) {
                if (run->points[point].sparsity == 0)
                    continue;
                const KeepSet keep
                    = select(*analysis, request_for(run->points[point].policy, 0.5, request.granularity), 1);
                QCOMPARE(run->keep_hash[point], policy::hash_of(keep));
                ++compared;
            }
            QCOMPARE(compared, 3);
        }
    }

    void without_attention_the_sentence_says_what_to_do()
    {
        Engine engine;
        const SelectRequest request = request_for("cab(bridge=flow)", 0.5, Granularity::head);
        const auto analysis = analysed(engine, 60, false);
        const std::string said = error_of([&] { select(*analysis, request); });
        QVERIFY2(said.find("analyse again") != std::string::npos, said.c_str());
        const auto absent = no_bridge_source("It needs 3 GB.");
        QVERIFY(error_of([&] { absent->flow({}, {}, {}); }).find("It needs 3 GB.") != std::string::npos);
        QVERIFY(error_of([&] { absent->curvature({}, {}); }).find("smaller context") != std::string::npos);
    }

    void long_contexts_are_refused()
    {
        policy::refuse_long_context(parse_policy("cab(bridge=curvature)"), 16384);
        policy::refuse_long_context(parse_policy("cab(bridge=flow)"), 131072);
        policy::refuse_long_context(parse_policy("cab"), 1000000);
        QCOMPARE(error_of([] { policy::refuse_long_context(parse_policy("cab(bridge=curvature)"), 16385); }),
            std::string("Bridges by curvature are for contexts of up to 16,384 tokens; this one has 16,385. Choose a "
                        "smaller context or another bridge criterion."));
        QVERIFY(error_of([] {
            policy::refuse_long_context(parse_policy("cab(bridge=flow)"), 131073);
        }).starts_with("Bridges by flow are for contexts of up to 131,072 tokens"));
    }

    void a_stop_ends_long_work_soon()
    {
        auto source = std::make_shared<AttentionSource>();
        source->backend.threads = 2;
        const std::int64_t tokens = 16384;
        AttentionSource::Layer layer;
        layer.q = values(5, 8, tokens, 64);
        layer.k = values(11, 8, tokens, 64);
        layer.row_lse = at::empty({ 8, tokens }).fill_(10);
        source->layers.assign(8, layer);
        const auto bridges = bridge_source(source);
        std::vector<std::int32_t> important(8000);
        for (std::size_t at = 0; at < important.size(); ++at)
            important[at] = static_cast<std::int32_t>(2 * at);
        for (const bool by_flow : { true, false }) {
            std::stop_source stop;
            std::chrono::steady_clock::time_point asked;
            std::jthread asks([&] {
                std::this_thread::sleep_for(std::chrono::milliseconds(300));
                asked = std::chrono::steady_clock::now();
                stop.request_stop();
            });
            bool stopped = false;
            try {
                by_flow ? bridges->flow({}, important, stop.get_token()) : bridges->curvature({}, stop.get_token());
            } catch (const Cancelled&) {
                stopped = true;
            }
            const double waited = std::chrono::duration<double>(std::chrono::steady_clock::now() - asked).count();
            QVERIFY(stopped);
            qInfo("%s stopped after %.2f s", by_flow ? "flow" : "curvature", waited);
            QVERIFY(waited < 2); // a fifth of a second on a machine that has nothing else to do
        }
    }
};

KEEPSET_TEST(TstBridgeScores)
#include "tst_bridge_scores.moc"
