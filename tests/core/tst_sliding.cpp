#include "core/policy/select.h"
#include "core/result_files.h"
#include "tests/core/broken_sweep.h"
#include "tests/support/made_analysis.h"
#include "tests/support/test_main.h"

#include <QTemporaryDir>

#include <algorithm>

using namespace keepset;

namespace {

constexpr std::int64_t layers = 4;
constexpr std::int64_t kv_heads = 2;
constexpr std::int64_t heads = 6;
constexpr std::int64_t context = 33;

/// Importance by chance, whose layers 0 and 2 slide.
Analysis made_up()
{
    Analysis a = made::analysis_by_chance({ layers, heads, kv_heads, context }).analysis;
    a.windows = { 7, 0, 20, 50 };
    return a;
}

/// The same model with nothing but its layers 1 and 3.
Analysis without_sliding(const Analysis& from)
{
    Analysis a = from;
    a.layers = 2;
    a.windows.clear();
    const auto some = [](const std::vector<float>& all) {
        const auto size = static_cast<std::ptrdiff_t>(all.size() / layers);
        std::vector<float> found(all.begin() + size, all.begin() + 2 * size);
        found.insert(found.end(), all.begin() + 3 * size, all.end());
        return found;
    };
    a.importance = some(from.importance);
    for (auto& [name, scores] : a.own_scores)
        scores = some(from.own_scores.at(name));
    return a;
}

std::vector<Label> row_of(const KeepSet& set, std::int64_t layer, std::int64_t kv_head)
{
    const auto first = set.labels.begin() + (layer * kv_heads + kv_head) * context;
    return { first, first + context };
}

std::string refused(const std::function<void()>& work)
{
    try {
        work();
    } catch (const Error& error) {
        return error.sentence();
    }
    return "nothing was refused";
}

} // namespace

/// sliding=keep (SEMANTICS 3): layers with a window of their own keep what they have, and nobody else looks at them.
class TestSliding : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void other_layers_keep_what_they_would_without_those_that_slide_data()
    {
        QTest::addColumn<QString>("policy");
        QTest::addColumn<int>("granularity");
        for (const char* const policy : { "h2o", "cab", "streaming-llm", "knorm", "h2o(uniform=false)",
                 "knorm(uniform=false)", "pyramid(of=h2o)", "ada(of=knorm)" }) {
            for (const Granularity granularity : { Granularity::head, Granularity::layer, Granularity::model })
                QTest::addRow("%s, %s", policy, name_of(granularity).c_str()) << QString(policy) << int(granularity);
        }
    }
    void other_layers_keep_what_they_would_without_those_that_slide()
    {
        QFETCH(QString, policy);
        QFETCH(int, granularity);
        const Analysis a = made_up();
        SelectRequest request;
        request.policy = parse_policy(policy.toStdString());
        request.sparsity = 0.6;
        request.granularity = static_cast<Granularity>(granularity);
        const KeepSet set = select(a, request);
        const KeepSet alone = select(without_sliding(a), request);
        QCOMPARE(set.evicting, (std::vector<std::int64_t> { 1, 3 }));
        QCOMPARE(set.budget, alone.budget);
        QCOMPARE(kept_a_row(set), kept_a_row(alone));
        for (std::int64_t g = 0; g < kv_heads; ++g) {
            QCOMPARE(row_of(set, 0, g), std::vector<Label>(context, Label::kept));
            QCOMPARE(row_of(set, 2, g), std::vector<Label>(context, Label::kept));
            QCOMPARE(row_of(set, 1, g), row_of(alone, 0, g));
            QCOMPARE(row_of(set, 3, g), row_of(alone, 1, g));
        }
    }

    void a_row_looked_at_alone_keeps_the_same()
    {
        const Analysis a = made_up();
        for (const char* const policy :
            { "h2o", "random", "knorm(uniform=false)", "h2o(uniform=false)", "pyramid(of=knorm)" }) {
            SelectRequest request;
            request.policy = parse_policy(policy);
            request.sparsity = 0.6;
            request.seed = 9;
            const KeepSet set = select(a, request);
            for (std::int64_t layer = 0; layer < layers; ++layer) {
                RowScores row = row_scores(a, { layer, 1 }, request.importance, request.gqa);
                add_shared_rows(a, request.policy, row);
                const RowSelection alone = select_row(row, request);
                QCOMPARE(alone.labels, row_of(set, layer, 1));
                const Explanation why = explain(row, alone, request, 3);
                QCOMPARE(why.sentence.find("sliding window of its own") != std::string::npos, layer % 2 == 0);
            }
        }
    }

    void chance_goes_by_the_layer_of_the_model()
    {
        Analysis a = made_up();
        SelectRequest request;
        request.policy = parse_policy("random");
        request.sparsity = 0.6;
        const KeepSet set = select(a, request);
        request.sliding = Sliding::evict;
        const KeepSet all = select(a, request);
        QCOMPARE(row_of(set, 3, 1), row_of(all, 3, 1));
        QCOMPARE(policy::kept_entries(all), all.budget * layers * kv_heads);
    }

    void the_whole_model_is_the_mean_of_what_evicts()
    {
        const Analysis a = made_up();
        const RowScores model = row_scores(a, {}, Importance::cumulative, GqaReduction::mean);
        const RowScores alone = row_scores(without_sliding(a), {}, Importance::cumulative, GqaReduction::mean);
        QCOMPARE(model.scores, alone.scores);
        QCOMPARE(model.own, alone.own);
        QVERIFY(model.scores != row_scores(a, {}, Importance::cumulative, GqaReduction::mean, Sliding::evict).scores);
    }

    void where_all_layers_slide_nothing_would_be_evicted()
    {
        Analysis a = made_up();
        a.windows = { 7, 7, 20, 32 };
        SelectRequest request;
        request.policy = parse_policy("h2o");
        request.sparsity = 0.6;
        const std::string said = refused([&] { select(a, request); });
        QVERIFY2(said.find("All 4 layers have sliding windows") != std::string::npos, said.c_str());
        QVERIFY2(said.find("sliding=evict") != std::string::npos, said.c_str());
        a.windows.back() = context; // not shorter than the context
        QCOMPARE(select(a, request).evicting, std::vector<std::int64_t> { 3 });
    }

    void a_sweep_evicts_in_the_other_layers_alone()
    {
        const RealSweep sweep { golden_root / "families" / "gemma3" };
        SweepRequest request = RealSweep::request();
        request.context = 40;
        request.windows = 5;
        std::vector<std::int64_t> evicting;
        for (std::size_t layer = 0; layer < sweep.config.per_layer.size(); ++layer) {
            const std::int64_t window = sweep.config.per_layer[layer].window;
            if (window == 0 || window >= request.context)
                evicting.push_back(static_cast<std::int64_t>(layer));
        }
        QVERIFY(!evicting.empty() && evicting.size() < sweep.config.per_layer.size());
        bool whole = true;
        SweepFaults watching;
        watching.gathered = [&](const KeptPositions& kept) {
            for (std::size_t point = 0; point < kept.counts.size(); ++point) {
                for (std::int64_t row = 0; row < kept.rows(); ++row) {
                    const bool evicts = std::ranges::find(evicting, row / kept.kv_heads) != evicting.end();
                    const std::int64_t most = evicts && !kept.is_whole(point) ? kept.context / 2 : kept.context;
                    whole = whole && kept.count(point, row) <= most && (evicts || kept.count(point, row) == most);
                }
            }
            return kept;
        };
        const Run run = sweep.run(request, watching);
        QVERIFY(whole);
        QCOMPARE(run.evicting_layers, static_cast<std::int64_t>(evicting.size()));
        const SweepPoint& last = run.points.back();
        const std::int64_t sliding = (run.layers - run.evicting_layers) * run.kv_heads * run.context;
        QCOMPARE(run.kept_entries.back(), last.budget * run.evicting_rows() + sliding);
        QVERIFY(check_of(run.audit, "budget").status == CheckStatus::pass);
        request.sliding = Sliding::evict;
        const Run all = sweep.run(request);
        QCOMPARE(all.evicting_layers, all.layers);
        QCOMPARE(all.kept_entries.back(), last.budget * all.layers * all.kv_heads);
        QVERIFY(all.points.back().nll_sum != last.nll_sum);
        QCOMPARE(all.points.front().nll_sum, run.points.front().nll_sum);
    }

    void health_is_that_of_layers_that_evict()
    {
        const RealSweep sweep { golden_root / "families" / "gemma3" };
        SweepRequest request = RealSweep::request();
        request.context = 40;
        request.policies = parse_policies("streaming-llm(sinks=4)");
        request.sparsities = { 0.75 };
        const Run run = sweep.run(request);
        QCOMPARE(run.evicted_everywhere.back(), 30);
        QCOMPARE(run.first_kept.back(), run.evicting_rows());
        QCOMPARE(run.last_kept.back(), run.evicting_rows());
    }

    void a_run_file_says_which_layers_evict()
    {
        const QTemporaryDir folder;
        const RealSweep sweep { golden_root / "families" / "gemma3" };
        SweepRequest request = RealSweep::request();
        request.context = 40;
        request.out = folder.filePath("run.h5").toStdString();
        const Run run = sweep.run(request);
        const Run read = *load_run(request.out);
        QVERIFY(read.sliding == Sliding::keep);
        QCOMPARE(read.evicting_layers, run.evicting_layers);
        request.resume = true;
        request.sliding = Sliding::evict;
        const std::string said = refused([&] { sweep.run(request); });
        QVERIFY2(said.find("layers that evict") != std::string::npos, said.c_str());
    }
};

KEEPSET_TEST(TestSliding)
#include "tst_sliding.moc"
