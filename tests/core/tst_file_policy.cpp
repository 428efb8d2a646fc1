#include "core/audit.h"
#include "core/command.h"
#include "core/keep_file.h"
#include "core/policy/select.h"
#include "tests/core/file_errors.h"
#include "tests/core/golden_test.h"
#include "tests/support/keep_files_h5.h"
#include "tests/support/test_main.h"

#include <QTemporaryDir>

#include <algorithm>
#include <cmath>

using namespace keepset;

namespace {

constexpr std::int64_t context = 40;
constexpr std::int64_t target = 8;
constexpr std::int64_t windows = 3;
constexpr std::size_t columns = windows; // of what a run has by window

/// The file policy's spelling for a path.
std::string file_policy(const std::filesystem::path& path, const std::map<std::string, std::string>& more = {})
{
    PolicySpec spec { "file", more };
    spec.parameters["path"] = path.string();
    return canonical(spec);
}

const Check& check_of(const AuditReport& report, const std::string& name)
{
    return *std::ranges::find(report.checks, name, &Check::name);
}

} // namespace

/// The policy file(path=…): methods made elsewhere are measured, shown, explained and audited as ours.
class TestFilePolicy : public QObject {
    Q_OBJECT

private:
    QTemporaryDir folder_;
    Engine engine_;
    Text text_;
    std::vector<std::shared_ptr<const Analysis>> analyses_; // a window each
    std::vector<std::int64_t> shape_; // windows, layers, kv_heads, context
    std::vector<std::int64_t> ids_; // (windows, context)

    std::filesystem::path in(const std::string& name) const { return folder_.path().toStdString() + "/" + name; }

    SweepRequest request(const std::string& policies, const std::vector<double>& sparsities) const
    {
        SweepRequest made;
        made.text = text_;
        made.policies = parse_policies(policies);
        made.sparsities = sparsities;
        made.context = context;
        made.target = target;
        made.windows = windows;
        made.per_token = true;
        return made;
    }

    /// Importance of the kv heads of all windows.
    std::vector<float> importance() const
    {
        std::vector<float> all;
        for (const auto& analysis : analyses_) {
            for (std::int64_t row = 0; row < analysis->layers * analysis->kv_heads; ++row) {
                const RowScores scores = row_scores(*analysis, { row / analysis->kv_heads, row % analysis->kv_heads },
                    Importance::cumulative, GqaReduction::mean);
                all.insert(all.end(), scores.scores.begin(), scores.scores.end());
            }
        }
        return all;
    }

    std::vector<float> own_scores(const std::string& policy) const
    {
        std::vector<float> all;
        for (const auto& analysis : analyses_) {
            const auto& scores = analysis->own_scores.at(policy);
            all.insert(all.end(), scores.begin(), scores.end());
        }
        return all;
    }

    std::filesystem::path write(const std::string& name, const std::vector<float>& scores) const
    {
        const auto file = in(name);
        const std::vector<keep_files::Array> arrays { keep_files::scores(shape_, scores),
            keep_files::tokens({ windows, context }, ids_) };
        if (name.ends_with(".h5"))
            keep_files::write_h5(file, arrays);
        else
            keep_files::write_bytes(
                file, name.ends_with(".npz") ? keep_files::npz(arrays, true) : keep_files::safetensors(arrays));
        return file;
    }

    /// A keep set of one window and more: every `step`-th position, another first one in each row.
    std::filesystem::path write_keep(const std::string& name, std::int64_t step, bool same_rows = false) const
    {
        std::vector<std::uint8_t> keep;
        for (std::int64_t i = 0; i < shape_[0] * shape_[1] * shape_[2] * shape_[3]; ++i)
            keep.push_back((i % context + (same_rows ? 0 : i / context)) % step == 0 ? 1 : 0);
        keep_files::write_h5(in(name), { keep_files::keep(shape_, keep) });
        return in(name);
    }

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
        engine_.open_model(golden_root / "linear", { "cpu", Dtype::float32, 1 });
        text_ = { "text.txt", golden::read_bytes(golden_root / "linear/text.txt") };
        const std::int64_t piece = context + target - (engine_.model()->adds_bos ? 1 : 0);
        for (std::int64_t window = 0; window < windows; ++window) {
            AnalysisRequest passage;
            passage.text = text_;
            passage.context = context;
            passage.offset = window * piece;
            passage.policies = parse_policies("snapkv(window=8),knorm");
            analyses_.push_back(engine_.analyse(passage));
            for (const Token& token : analyses_.back()->tokens)
                ids_.push_back(token.id);
        }
        shape_ = { windows, analyses_.front()->layers, analyses_.front()->kv_heads, context };
    }

    void paths_of_any_kind_have_one_spelling_data()
    {
        QTest::addColumn<QString>("path");
        QTest::addColumn<QString>("spelling");
        const auto line = [](const char* path, const char* spelled) { QTest::newRow(path) << path << spelled; };
        line("mine.h5", "mine.h5");
        line("my scores/a=b.h5", "my scores/a=b.h5");
        line("a,b.h5", "\"a,b.h5\"");
        line("old (2).npz", "\"old (2).npz\"");
        line(") x", "\") x\"");
        line(" x ", "\" x \"");
        line("say \"x\".h5", "\"say \\\"x\\\".h5\"");
        line("a\\b,c", "\"a\\\\b,c\"");
        line("a\\b", "a\\b");
    }
    void paths_of_any_kind_have_one_spelling()
    {
        QFETCH(QString, path);
        QFETCH(QString, spelling);
        const std::string spelled = "file(path=" + spelling.toStdString() + ")";
        const PolicySpec spec { "file", { { "path", path.toStdString() } } };
        QCOMPARE(canonical(spec), spelled);
        QCOMPARE(parse_policy(spelled), spec);
        const PolicySpec outer = parse_policy("ada(of=" + spelled + ",safe=0.5)");
        QCOMPARE(canonical(outer), "ada(of=" + spelled + ",safe=0.5)");
        QCOMPARE(files_of(outer), std::vector { path.toStdString() });
        QCOMPARE(parse_policies("h2o," + canonical(outer) + "," + spelled).size(), std::size_t { 3 });
        QCOMPARE(title(parse_policy("file(path=runs/a/mine.h5,sink=4)")), std::string("File (mine.h5, sink 4)"));
    }

    void what_is_spelled_wrong_is_refused()
    {
        const auto open = errors::of([] { parse_policies("file(path=\"a.h5)"); });
        QVERIFY2(open.is(ErrorKind::usage, "parentheses or quotes"), open.text());
        const auto comma = errors::of([] { parse_policies("file(path=a,b.h5)"); });
        QVERIFY2(comma.is(ErrorKind::usage, "double quotes"), comma.text());
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
        engine.open_model(golden.model, { "cpu", Dtype::float32, 1 });
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
        const auto within = errors::of([&] { engine_.sweep(request("ada(of=" + file_policy(keep) + ")", { 0.5 })); });
        QVERIFY2(within.is(ErrorKind::usage, "ranks by scores, and"), within.text());
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

    void a_run_goes_on_only_with_the_same_file()
    {
        const auto file = write("changing.h5", importance());
        SweepRequest asked = request(file_policy(file), { 0.5 });
        asked.out = in("run.h5").string();
        const auto run = engine_.sweep(asked);
        asked.resume = true;
        QCOMPARE(engine_.sweep(asked)->points.back().perplexity, run->points.back().perplexity);
        auto scores = importance();
        std::ranges::reverse(scores);
        write("changing.h5", scores);
        const auto refused = errors::of([&] { engine_.sweep(asked); });
        QVERIFY2(refused.is(ErrorKind::usage, "it keeps other positions of window 0 now"), refused.text());
    }

    void an_analysis_selects_by_a_file_and_explains_it()
    {
        const Analysis& analysis = *analyses_.front();
        SelectRequest select_request;
        select_request.sparsity = 0.75;
        select_request.policy
            = { "file", { { "path", write("shown.h5", importance()).string() }, { "recent", "0.2" } } };
        const KeepSet by_file = select(analysis, select_request);
        SelectRequest by_h2o = select_request;
        by_h2o.policy = parse_policy("h2o");
        QCOMPARE(by_file.labels, select(analysis, by_h2o).labels);

        RowScores row = row_scores(analysis, { 1, 0 }, Importance::cumulative, GqaReduction::mean);
        read_given(analysis, select_request.policy, row);
        const RowSelection shown = select_row(row, select_request);
        const RowSelection twin = select_row(row, by_h2o);
        QCOMPARE(shown.labels, twin.labels);
        QCOMPARE(shown.cut_off, twin.cut_off);
        QCOMPARE(shown.title, std::string("File (shown.h5, recent 0.2)"));
        bool kept = false;
        bool evicted = false;
        for (std::int64_t j = 0; j < context; ++j) {
            const Explanation why = explain(row, shown, select_request, j);
            QCOMPARE(why.rank, explain(row, twin, by_h2o, j).rank);
            kept = kept || QString::fromStdString(why.sentence).startsWith("Kept: its score from the file, ");
            evicted = evicted || QString::fromStdString(why.sentence).startsWith("Evicted: its score from the file ");
        }
        QVERIFY(kept && evicted);
    }

    void keep_sets_of_a_file_are_shown_as_they_are()
    {
        const Analysis& analysis = *analyses_.front();
        SelectRequest asked;
        asked.sparsity = 0.9;
        asked.policy = { "file", { { "path", write_keep("as they are.h5", 3).string() } } };
        const KeepSet set = select(analysis, asked);
        QCOMPARE(set.request.sparsity,
            1 - kept_a_row(set) / static_cast<double>(context)); // its own, whatever was asked for
        for (std::int64_t i = 0; i < static_cast<std::int64_t>(set.labels.size()); ++i)
            QCOMPARE(set.labels[static_cast<std::size_t>(i)] == Label::kept, (i % context + i / context) % 3 == 0);
        RowScores row = row_scores(analysis, { 1, 1 }, Importance::cumulative, GqaReduction::mean);
        read_given(analysis, asked.policy, row);
        const RowSelection own = select_row(row, asked);
        const auto begin = set.labels.begin() + (analysis.kv_heads + 1) * context;
        QVERIFY(std::equal(own.labels.begin(), own.labels.end(), begin));
        const auto first = std::ranges::find(own.labels, Label::kept) - own.labels.begin();
        QCOMPARE(explain(row, own, asked, first).sentence, std::string("Kept: the file's keep set has it."));
        QCOMPARE(
            explain(row, own, asked, first + 1).sentence, std::string("Evicted: the file's keep set leaves it out."));
        // The mean of all rows shows what most of them keep.
        RowScores all = row_scores(analysis, {}, Importance::cumulative, GqaReduction::mean);
        read_given(analysis, asked.policy, all);
        const RowSelection mean = select_row(all, asked);
        QCOMPARE(mean.budget, std::llround(kept_a_row(set)));
        QVERIFY(explain(all, mean, asked, 0).sentence.find("of the rows in the file have it") != std::string::npos);
    }

    void a_trace_holds_the_scores_of_the_policies_asked_for()
    {
        Analysis analysis = *analyses_.front();
        SelectRequest asked;
        asked.policy = parse_policy("cab");
        asked.sparsity = 0.5;
        asked.gqa = GqaReduction::max;
        add_keep_sets(analysis, { select(analysis, asked) });
        save(analysis, in("trace.h5"), true);
        const auto back = load_analysis(in("trace.h5"));
        QCOMPARE(back->own_scores, analysis.own_scores);
        asked.policy = parse_policy("snapkv(window=8)");
        QCOMPARE(select(*back, asked).labels, select(analysis, asked).labels); // without the model
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

KEEPSET_TEST(TestFilePolicy)
#include "tst_file_policy.moc"
