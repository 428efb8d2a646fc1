#include "core/audit.h"
#include "core/command.h"
#include "core/policy/select.h"
#include "core/result_files.h"
#include "core/sha256.h"
#include "tests/core/file_case.h"
#include "tests/support/test_main.h"

#include <algorithm>

using namespace keepset;

namespace {

const Check& check_of(const AuditReport& report, const std::string& name)
{
    return *std::ranges::find(report.checks, name, &Check::name);
}

} // namespace

/// Sweeps with file(path=…): methods made elsewhere are measured and audited as ours.
class TestFileSweeps : public FileCase {
    Q_OBJECT

private:
    /// That two policies of a run did the same at every sparsity.
    static void compare_twins(const Run& run, std::size_t points)
    {
        for (std::size_t point = 1; point <= points; ++point) {
            const std::size_t twin = point + points;
            QCOMPARE(run.points[point].sparsity, run.points[twin].sparsity);
            QCOMPARE(run.points[point].budget, run.points[twin].budget);
            QCOMPARE(run.points[point].perplexity, run.points[twin].perplexity);
            for (std::size_t window = 0; window < columns; ++window) {
                const std::size_t a = point * columns + window;
                const std::size_t b = twin * columns + window;
                QCOMPARE(run.keep_hash[a], run.keep_hash[b]);
                QCOMPARE(run.definition_hash[a], run.definition_hash[b]);
                QCOMPARE(run.window_nll[a], run.window_nll[b]);
                QCOMPARE(run.kept_entries[a], run.kept_entries[b]);
                QCOMPARE(run.tied_rows[a], run.tied_rows[b]);
            }
            QVERIFY(std::ranges::equal(losses_of(run, point), losses_of(run, twin)));
        }
        QVERIFY2(!run.audit.failed(), check_of(run.audit, "distinct").detail.c_str());
    }

private Q_SLOTS:
    void initTestCase()
    {
        if (!has_test_device())
            QSKIP("no such device here");
        open();
    }

    void scores_of_h2o_give_what_h2o_gives_data()
    {
        QTest::addColumn<QString>("name");
        for (const char* const name : { "h2o.h5", "h2o.safetensors", "h2o.npz", "h2o, (all windows) = \"x\".npz" })
            QTest::newRow(name) << QString(name);
    }

    void scores_of_h2o_give_what_h2o_gives()
    {
        QFETCH(QString, name);
        const auto file = write(name.toStdString(), importance());
        const auto run
            = engine_.sweep(request("h2o," + file_policy(file, { { "recent", "0.2" } }), { 0, 0.5, 0.75, 0.9 }));
        QCOMPARE(run->points.size(), std::size_t { 9 });
        compare_twins(*run, 4);
    }

    void scores_of_snapkv_give_what_snapkv_gives_within_other_policies_too()
    {
        const auto file = write("snapkv.h5", own_scores("snapkv(window=8)"));
        const std::string policy = file_policy(file, { { "recent", "8" } });
        compare_twins(*engine_.sweep(request("snapkv(window=8)," + policy, { 0.5, 0.7 })), 2);
        compare_twins(*engine_.sweep(request("ada(of=snapkv(window=8)),ada(of=" + policy + ")", { 0.5, 0.7 })), 2);
        compare_twins(
            *engine_.sweep(request("criticalkv(of=snapkv(window=8)),criticalkv(of=" + policy + ")", { 0.5, 0.7 })), 2);
        const std::string together = file_policy(file, { { "recent", "8" }, { "uniform", "false" } });
        compare_twins(*engine_.sweep(request("snapkv(window=8,uniform=false)," + together, { 0.5, 0.7 })), 2);
        const auto shared = [&](Granularity granularity) {
            SweepRequest asked = request("snapkv(window=8)," + policy, { 0.5, 0.7 });
            asked.granularity = granularity;
            return engine_.sweep(asked);
        };
        compare_twins(*shared(Granularity::layer), 2);
        compare_twins(*shared(Granularity::model), 2);
    }

    void keep_sets_of_kvpress_give_the_losses_of_kvpress()
    {
        const std::filesystem::path place = golden_root / "kvpress/llama";
        const Golden golden = read_golden(place);
        Engine engine;
        engine.open_model(golden.model, { test_device(), Dtype::float32, 1 });
        SweepRequest asked;
        asked.text = golden.text;
        asked.context = golden.about.at("context");
        asked.target = golden.about.at("target");
        asked.windows = 1;
        asked.per_token = true;
        asked.sparsities = { 0.3, 0.75 };
        const auto& points = golden.about.at("points");
        for (std::size_t n = 0; n < points.size(); ++n) {
            const golden::Tensor& keep = golden.tensors.at("keep." + std::to_string(n));
            const auto file = in("keep." + std::to_string(n) + ".safetensors");
            keep_files::write_bytes(file,
                keep_files::safetensors({ keep_files::array("keep", "U8", keep.shape, keep.values<std::uint8_t>()) }));
            asked.policies.push_back({ "file", { { "path", file.string() } } });
        }
        const auto run = engine.sweep(asked);
        QCOMPARE(run->points.size(), points.size() + 1);
        double largest = 0;
        for (std::size_t n = 0; n < points.size(); ++n) {
            QCOMPARE(run->kept_entries[n + 1], points[n].at("kept").get<std::int64_t>());
            const auto losses = golden.tensors.at("token_nll." + std::to_string(n)).values<float>();
            largest = std::max(largest, largest_difference(losses_of(*run, n + 1), losses));
        }
        qInfo("%zu keep sets, largest difference of a loss %.2e", points.size(), largest);
        QVERIFY2(largest <= 1e-4, qPrintable(QString::number(largest)));
    }

    void a_keep_set_is_one_point_at_its_own_sparsity()
    {
        const auto run = engine_.sweep(request("h2o," + file_policy(write_keep("third.h5", 3)), { 0, 0.5, 0.9 }));
        QCOMPARE(run->points.size(), std::size_t { 5 });
        const SweepPoint& own = run->points.back();
        std::int64_t kept = 0;
        for (std::size_t window = 0; window < columns; ++window)
            kept += run->kept_entries[4 * columns + window];
        const auto rows = windows * run->layers * run->kv_heads;
        QCOMPARE(own.sparsity, 1 - static_cast<double>(kept) / static_cast<double>(rows * context));
        QVERIFY(own.sparsity > 0.65 && own.sparsity < 0.68);
        QVERIFY(!run->audit.failed());
        // Rows that keep as many as a sparsity, or a budget, asks for are compared with what else is measured there.
        const std::string half = file_policy(write_keep("half.h5", 2));
        QCOMPARE(engine_.sweep(request("recent," + half, { 0.2, 0.5, 0.9 }))->points.back().sparsity, 0.5);
        SweepRequest by_budget = request("recent," + half, {});
        by_budget.budgets = { 10, 20 };
        const auto budgets = engine_.sweep(by_budget);
        QCOMPARE(budgets->points.size(), std::size_t { 4 });
        QCOMPARE(budgets->points.back().budget, 20);
        QCOMPARE(budgets->points.back().sparsity, budgets->points[2].sparsity);
        QCOMPARE(plan_of(*budgets), plan_of(*engine_.sweep(request_again(*budgets))));
        QCOMPARE(plan_of(*run), plan_of(*engine_.sweep(request_again(*run))));
    }

    void pins_come_beside_a_keep_set()
    {
        SelectRequest asked;
        asked.policy = { "file", { { "path", write_keep("pinned.h5", 4).string() } } };
        asked.pins = { { 1, 12 }, { 20, 29, false } };
        for (const double sparsity : { 0.0, 0.5, 0.95 }) { // none of them counts
            asked.sparsity = sparsity;
            const KeepSet set = select(*analyses_.front(), asked);
            for (std::int64_t i = 0; i < static_cast<std::int64_t>(set.labels.size()); ++i) {
                const std::int64_t position = i % context;
                const bool kept = (position + i / context) % 4 == 0;
                const Label wanted = position >= 1 && position < 12 ? Label::pinned
                    : kept && (position < 20 || position >= 29)     ? Label::kept
                                                                    : Label::evicted;
                QCOMPARE(set.labels[static_cast<std::size_t>(i)], wanted);
            }
        }
        SweepRequest sweep = request(canonical(asked.policy), { 0.5 });
        sweep.windows = 1;
        sweep.pins = parse_pins("0-11,!19-28"); // bytes, each a token behind the BOS
        const auto run = engine_.sweep(sweep);
        const auto kept = static_cast<double>(run->kept_entries.back());
        const KeepSet set = select(*analyses_.front(), asked);
        QCOMPARE(run->points.back().sparsity, set.request.sparsity);
        QCOMPARE(run->keep_hash.back(), policy::hash_of(set));
        QCOMPARE(1 - kept / static_cast<double>(set.labels.size()), set.request.sparsity);
        QVERIFY(!run->audit.failed());
    }

    void rows_may_keep_nothing()
    {
        std::vector<std::uint8_t> keep(static_cast<std::size_t>(shape_[0] * shape_[1] * shape_[2] * context), 0);
        for (std::size_t i = static_cast<std::size_t>(context); i < keep.size(); ++i)
            keep[i] = 1;
        keep_files::write_h5(in("hole.h5"), { keep_files::keep(shape_, keep) });
        const auto run = engine_.sweep(request(file_policy(in("hole.h5")), { 0.5 }));
        QVERIFY2(!run->audit.failed(), check_of(run->audit, "finite").detail.c_str());
        QVERIFY(run->points.back().perplexity != run->points.front().perplexity);
    }

    void what_rows_cannot_share_is_refused()
    {
        SweepRequest asked = request(file_policy(write_keep("other.h5", 3)), { 0.5 });
        asked.granularity = Granularity::layer;
        const auto layer = errors::of([&] { engine_.sweep(asked); });
        QVERIFY2(layer.is(ErrorKind::usage, "Use granularity head"), layer.text());
        asked.granularity = Granularity::model;
        asked.protocol = Protocol::token_drop;
        QVERIFY(errors::of([&] { engine_.sweep(asked); }).is(ErrorKind::usage, "differ between rows"));
        asked.policies = parse_policies(file_policy(write_keep("same.h5", 3, true)));
        QVERIFY(!engine_.sweep(asked)->audit.failed());
    }

    void what_does_not_go_together_is_refused()
    {
        const auto keep = write_keep("keep.h5", 3);
        for (const std::string outer : { "ada", "criticalkv" }) {
            const auto within
                = errors::of([&] { engine_.sweep(request(outer + "(of=" + file_policy(keep) + ")", { 0.5 })); });
            QVERIFY2(within.is(ErrorKind::usage, "ranks by scores, and"), within.text());
        }
        const auto ends = errors::of([&] { engine_.sweep(request(file_policy(keep, { { "sink", "4" } }), { 0.5 })); });
        QVERIFY2(ends.is(ErrorKind::usage, "sink, recent and uniform are of policies that rank"), ends.text());
        SweepRequest more = request(file_policy(keep), { 0.5 });
        more.context = 20; // six windows
        more.windows = 4;
        const auto sizes = errors::of([&] { engine_.sweep(more); });
        QVERIFY2(sizes.is(ErrorKind::input, "--context 40"), sizes.text());
        keep_files::write_h5(in("one.h5"),
            { keep_files::scores({ shape_[1], shape_[2], context },
                std::vector<float>(static_cast<std::size_t>(shape_[1] * shape_[2] * context), 1)) });
        const auto one = errors::of([&] { engine_.sweep(request(file_policy(in("one.h5")), { 0.5 })); });
        QVERIFY2(one.is(ErrorKind::input, "holds 1 window, and number 1 (from 0)"), one.text());
        const auto none = errors::of([&] { engine_.sweep(request("file", { 0.5 })); });
        QVERIFY2(none.is(ErrorKind::usage, "file(path=mine.h5)"), none.text());
        auto other = ids_;
        ids_[static_cast<std::size_t>(context) + 4] += 1;
        const auto file = write("other text.h5", importance());
        ids_ = other;
        const auto text = errors::of([&] { engine_.sweep(request(file_policy(file), { 0.5 })); });
        QVERIFY2(text.is(ErrorKind::input, "token 4 of window 1"), text.text());
    }

    void a_run_says_what_its_files_held()
    {
        const auto scores = write("provenance.npz", importance());
        const auto keep = write_keep("provenance.h5", 3);
        const std::string outer = "criticalkv(of=" + file_policy(scores) + ")";
        SweepRequest asked = request("h2o," + file_policy(scores) + "," + outer + "," + file_policy(keep), { 0.5 });
        asked.out = in("provenance-run.h5").string();
        const auto run = engine_.sweep(asked);
        const auto hash = [](const std::filesystem::path& file) { return sha256(golden::read_bytes(file)); };
        const std::vector<HashedFile> wanted { { scores.string(), hash(scores) }, { keep.string(), hash(keep) } };
        QVERIFY(run->files == wanted);
        QVERIFY(load_run(asked.out)->files == wanted);
        QVERIFY(engine_.sweep(request("h2o", { 0.5 }))->files.empty());
    }

    void a_run_goes_on_only_with_what_the_file_held_data()
    {
        QTest::addColumn<QString>("model");
        QTest::addColumn<QString>("policy");
        QTest::newRow("alone") << QString("linear") << QString("%1");
        QTest::newRow("within another") << QString("linear") << QString("criticalkv(of=%1)");
        QTest::newRow("where layers slide") << QString("families/gemma3") << QString("%1");
    }
    void a_run_goes_on_only_with_what_the_file_held()
    {
        QFETCH(QString, model);
        QFETCH(QString, policy);
        Engine engine;
        const std::filesystem::path folder = golden_root / model.toStdString();
        const ModelInfo info = engine.open_model(folder, { test_device(), Dtype::float32, 1 });
        std::vector<float> scores;
        for (std::int64_t i = 0; i < 2 * info.layers * info.kv_heads * context; ++i)
            scores.push_back(static_cast<float>((i * 7919) % 1009));
        const auto write_scores = [&](const std::string& name) {
            keep_files::write_bytes(in(name),
                keep_files::safetensors({ keep_files::scores({ 2, info.layers, info.kv_heads, context }, scores) }));
            return file_policy(in(name));
        };
        const auto policy_of = [&](const std::string& name) {
            return policy.arg(QString::fromStdString(write_scores(name))).toStdString();
        };
        SweepRequest asked = request(policy_of("first.safetensors"), { 0.5 });
        asked.text = { "text.txt", golden::read_bytes(folder / "text.txt") };
        asked.windows = 2;
        asked.out = in("resumed.h5").string();
        asked.force = true;
        const auto run = engine.sweep(asked);
        QCOMPARE(run->layers_that_evict() < run->layers, model.endsWith("gemma3"));
        asked.force = false;
        asked.resume = true;
        QCOMPARE(engine.sweep(asked)->points.back().perplexity, run->points.back().perplexity);
        asked.policies = parse_policies(policy_of("moved.safetensors")); // the same, elsewhere
        QCOMPARE(engine.sweep(asked)->windows_done(), 2);

        SweepRequest other = asked;
        std::swap(scores[3], scores[4]);
        other.policies = parse_policies(policy_of("first.safetensors"));
        const auto refused = errors::of([&] { engine.sweep(other); });
        QVERIFY2(refused.is(ErrorKind::usage, "what '" + in("first.safetensors").string() + "' holds (SHA-256) is "),
            refused.text());
        other.out = in("other.h5").string();
        other.resume = false;
        other.force = true;
        engine.sweep(other);
        const auto merged = errors::of([&] { merge_runs({ asked.out, other.out }, "merge"); });
        QVERIFY2(merged.is(ErrorKind::usage, "holds another sweep"), merged.text());
        QVERIFY2(merged.is(ErrorKind::usage, "holds (SHA-256) is "), merged.text());

        Run early = *run; // of a version that did not say it
        early.files.clear();
        save(early, in("early.h5"), true);
        asked.out = in("early.h5").string();
        const auto unknown = errors::of([&] { engine.sweep(asked); });
        QVERIFY2(unknown.is(ErrorKind::usage, "holds (SHA-256) is unknown in the file"), unknown.text());
    }

private:
    using Plan = std::vector<std::tuple<std::string, double, std::int64_t>>;
    static Plan plan_of(const Run& run)
    {
        Plan plan;
        for (const SweepPoint& point : run.points)
            plan.emplace_back(point.policy, point.sparsity, point.budget);
        return plan;
    }
    SweepRequest request_again(const Run& run) const
    {
        SweepRequest again = keepset::request_of(run);
        again.text = text_;
        return again;
    }
};

KEEPSET_TEST(TestFileSweeps)
#include "tst_file_sweeps.moc"
