#include "core/attention_map.h"
#include "core/head_summary.h"
#include "core/policy/policy.h"
#include "core/preflight.h"
#include "tests/core/file_errors.h"
#include "tests/core/golden_test.h"
#include "tests/support/test_main.h"

#include <QTemporaryDir>

#include <cmath>

using namespace keepset;

/// Importance by the last queries (SEMANTICS 2), against transformers' own attention and against other ways to the
/// same numbers.
class TestImportanceModes : public GoldenTest {
    Q_OBJECT

private:
    QTemporaryDir folder_;

    std::filesystem::path in(const char* name) const { return folder_.filePath(name).toStdString(); }
    std::shared_ptr<Analysis> analysed(std::int64_t context, const Importance& importance, bool keep_attention = false,
        const std::string& policies = "h2o")
    {
        AnalysisRequest request;
        request.text = expected.text;
        request.context = context;
        request.importance = importance;
        request.keep_attention = keep_attention;
        request.policies = parse_policies(policies);
        return engine.analyse(request);
    }
    static KeepSet chosen(const Analysis& analysis, const std::string& policy, const Importance& importance,
        Granularity granularity = Granularity::head, double sparsity = 0.5)
    {
        SelectRequest request;
        request.policy = parse_policy(policy);
        request.sparsity = sparsity;
        request.importance = importance;
        request.granularity = granularity;
        request.sliding = Sliding::evict;
        return select(analysis, request);
    }

private Q_SLOTS:
    void initTestCase()
    {
        if (!has_test_device())
            QSKIP("no such device here");
    }
    void init() { open(golden_root / "last-queries", 1); }

    void names_say_how_many_queries_there_are();
    void names_without_a_number_are_refused_data();
    void names_without_a_number_are_refused();
    void the_last_queries_give_what_transformers_says_data();
    void the_last_queries_give_what_transformers_says();
    void one_query_is_the_last_row_and_all_are_cumulative();
    void one_token_has_one_query();
    void more_queries_than_tokens_are_refused_in_a_sentence();
    void what_was_made_stays_as_long_as_it_is_held();
    void a_stop_leaves_nothing();
    void without_pooling_it_is_snapkv();
    void over_all_heads_of_a_layer_the_last_query_is_tova();
    void policies_with_a_score_of_their_own_do_not_look_at_it();
    void policies_that_share_a_budget_rank_by_it();
    void a_token_is_told_whose_attention_decided();
    void heads_are_shown_by_it_and_told_apart_by_all_queries();
    void the_audit_finds_what_cannot_be_data();
    void the_audit_finds_what_cannot_be();
    void a_trace_holds_what_it_was_made_with();
    void a_trace_without_it_says_so();
};

void TestImportanceModes::names_say_how_many_queries_there_are()
{
    for (const Importance& mode : { Importance::cumulative, Importance::mean_received, Importance::window(1),
             Importance::window(32), Importance::window(131072), Importance::last_query }) {
        Importance read = Importance::window(7);
        from_name(name_of(mode), read);
        QVERIFY2(read == mode, name_of(mode).c_str());
    }
    QCOMPARE(name_of(Importance::window(32)), std::string("window:32"));
    QCOMPARE(name_of(Importance::last_query), std::string("last-query"));
    QCOMPARE(Importance::last_query.last_queries(), std::int64_t { 1 });
    QCOMPARE(Importance::window(32).last_queries(), std::int64_t { 32 });
    QCOMPARE(Importance::mean_received.last_queries(), std::int64_t { 0 });
    QVERIFY(Importance::window(1) != Importance::last_query); // two names, two sweeps
}

void TestImportanceModes::names_without_a_number_are_refused_data()
{
    QTest::addColumn<QString>("name");
    for (const char* name : { "window", "window:", "window:0", "window:-3", "window:3.5", "window: 3", "window:many",
             "window:99999999999999999999", "window32", "last", "last_query" })
        QTest::newRow(name) << QString(name);
}

void TestImportanceModes::names_without_a_number_are_refused()
{
    QFETCH(QString, name);
    Importance mode = Importance::mean_received;
    const auto said = errors::of([&] { from_name(name.toStdString(), mode); });
    QVERIFY2(said.is(ErrorKind::usage, "'" + name.toStdString() + "'"), said.text());
    QVERIFY2(said.is(ErrorKind::usage, "window:32"), said.text()); // what to write
    QVERIFY(mode == Importance::mean_received);
}

void TestImportanceModes::the_last_queries_give_what_transformers_says_data()
{
    QTest::addColumn<QString>("folder");
    QTest::newRow("seven query heads a kv head") << "last-queries";
    QTest::newRow("sliding layers and soft caps") << "families/gemma2-last";
}

/// Made in the pass, and made from the queries and keys that it kept.
void TestImportanceModes::the_last_queries_give_what_transformers_says()
{
    QFETCH(QString, folder);
    open(golden_root / folder.toStdString(), 2);
    for (std::size_t n = 0; n < expected.about.at("runs").size(); ++n) {
        const SweepRequest run = request_of(expected.about.at("runs")[n], expected.text);
        const auto wanted = expected.of_run(n, "importance").values<float>(); // (windows, layers, heads, context)
        const auto found = analysed(run.context, run.importance, true);
        const std::vector<float>& made = *found->by_last_queries.at(run.importance);
        const std::span<const float> first = std::span(wanted).first(made.size()); // of the first window
        const double largest = largest_difference(made, first);
        qInfo("%s: largest difference %.2e", name_of(run.importance).c_str(), largest);
        QVERIFY2(largest <= 1e-5 * static_cast<double>(run.importance.last_queries()), QByteArray::number(largest));
        const auto later = analysed(run.context, Importance::cumulative, true);
        QVERIFY(!has_importance(*later, run.importance));
        make_importance(*later, run.importance);
        QCOMPARE(*find_importance(*later, run.importance), made);
    }
}

void TestImportanceModes::one_query_is_the_last_row_and_all_are_cumulative()
{
    const auto one = analysed(60, Importance::window(1), true);
    const auto last = analysed(60, Importance::last_query);
    const auto all = analysed(60, Importance::window(60));
    QCOMPARE(*one->by_last_queries.at(Importance::window(1)), *last->by_last_queries.at(Importance::last_query));
    QCOMPARE(*all->by_last_queries.at(Importance::window(60)), all->importance);
    for (const std::int64_t queries : { 1, 7, 60 }) {
        const auto found = analysed(60, Importance::window(queries), true);
        const double largest = largest_difference(
            sums_of_maps(*found, queries), *found->by_last_queries.at(Importance::window(queries)));
        QVERIFY2(largest <= 1e-5 * static_cast<double>(queries), QByteArray::number(largest));
    }
}

void TestImportanceModes::one_token_has_one_query()
{
    for (const Importance& mode : { Importance::window(1), Importance::last_query }) {
        const auto found = analysed(1, mode);
        const std::vector<float> ones(static_cast<std::size_t>(found->heads * found->layers), 1.0F);
        QVERIFY(largest_difference(*found->by_last_queries.at(mode), ones) <= 1e-6);
        QVERIFY2(!found->audit.failed(), "audit");
        QCOMPARE(chosen(*found, "h2o", mode).budget, std::int64_t { 1 });
        QVERIFY(std::abs(row_scores(*found, { 0, 0 }, mode, GqaReduction::mean).scores.at(0) - 1) <= 1e-6F);
    }
}

void TestImportanceModes::more_queries_than_tokens_are_refused_in_a_sentence()
{
    const std::string words = "sums over the last 33 queries, and a context of 32 tokens has no more than 32";
    const auto found = analysed(32, Importance::window(33), true);
    QVERIFY(found->by_last_queries.empty());
    const auto said = [&](const auto& action) {
        const auto error = errors::of(action);
        QVERIFY2(error.is(ErrorKind::usage, words), error.text());
    };
    said([&] { chosen(*found, "h2o", Importance::window(33)); });
    said([&] { make_importance(*found, Importance::window(33)); });
    said([&] { refuse_long_window(Importance::window(33), 32); });
    SweepRequest sweep;
    sweep.policies = parse_policies("h2o");
    sweep.sparsities = { 0.5 };
    sweep.context = 32;
    sweep.importance = Importance::window(33);
    said([&] { check_request(sweep); });
    sweep.importance = Importance::window(32);
    check_request(sweep);
    QVERIFY(no_importance(*found, Importance::window(32)).first.empty()); // it can be made
}

void TestImportanceModes::what_was_made_stays_as_long_as_it_is_held()
{
    const auto found = analysed(50, Importance::window(3), true);
    make_importance(*found, Importance::window(8));
    auto held = find_importance(*found, Importance::window(8));
    make_importance(*found, Importance::window(9));
    make_importance(*found, Importance::window(10));
    QCOMPARE(find_importance(*found, Importance::window(8)), held);
    QVERIFY(!has_importance(*found, Importance::window(9)));
    QVERIFY(has_importance(*found, Importance::window(10)) && has_importance(*found, Importance::window(3)));
    held.reset();
    QVERIFY(!has_importance(*found, Importance::window(8)));
    const auto said = errors::of([&] { row_scores(*found, {}, Importance::window(8), GqaReduction::mean); });
    QVERIFY2(said.is(ErrorKind::usage, "'window:8' was not made"), said.text());
    QVERIFY(has_importance(*found, Importance::cumulative) && has_importance(*found, Importance::mean_received));
}

void TestImportanceModes::a_stop_leaves_nothing()
{
    const auto found = analysed(50, Importance::cumulative, true);
    std::stop_source stop;
    int layers = 0;
    const Task task { stop.get_token(), [&](const Progress& progress) {
                         ++layers;
                         QCOMPARE(progress.total, found->layers);
                         stop.request_stop();
                     } };
    QVERIFY_EXCEPTION_THROWN(make_importance(*found, Importance::window(8), task), Cancelled);
    QCOMPARE(layers, 1);
    QVERIFY(!has_importance(*found, Importance::window(8)));
}

/// SnapKV's score is the mean over its window of what these queries give, and it keeps the window itself.
void TestImportanceModes::without_pooling_it_is_snapkv()
{
    const auto found = analysed(120, Importance::window(8), false, "snapkv(window=8,kernel=1)");
    for (const double sparsity : { 0.3, 0.5, 0.8, 0.9 }) {
        const KeepSet snapkv
            = chosen(*found, "snapkv(window=8,kernel=1)", Importance::cumulative, Granularity::head, sparsity);
        const KeepSet ours
            = chosen(*found, "h2o(local=0,recent=8)", Importance::window(8), Granularity::head, sparsity);
        QVERIFY(ours.labels == snapkv.labels);
        QVERIFY(ours.labels
            != chosen(*found, "h2o(local=0,recent=8)", Importance::cumulative, Granularity::head, sparsity).labels);
        QCOMPARE(ours.kept_mass, snapkv.kept_mass); // of all queries' attention
    }
}

void TestImportanceModes::over_all_heads_of_a_layer_the_last_query_is_tova()
{
    const auto found = analysed(120, Importance::last_query, false, "tova");
    for (const double sparsity : { 0.3, 0.5, 0.9 }) {
        const KeepSet tova = chosen(*found, "tova", Importance::cumulative, Granularity::head, sparsity);
        const KeepSet ours
            = chosen(*found, "h2o(local=0,recent=1)", Importance::last_query, Granularity::layer, sparsity);
        QVERIFY(ours.labels == tova.labels);
    }
}

void TestImportanceModes::policies_with_a_score_of_their_own_do_not_look_at_it()
{
    const std::string policies = "snapkv,tova,h2o-observed,knorm,keydiff,recent,random,ada";
    const auto found = analysed(120, Importance::window(5), false, policies);
    for (const PolicySpec& policy : parse_policies(policies)) {
        const std::string name = canonical(policy);
        QVERIFY2(
            chosen(*found, name, Importance::window(5)).labels == chosen(*found, name, Importance::cumulative).labels,
            name.c_str());
    }
}

/// Of a row as of all rows.
void TestImportanceModes::policies_that_share_a_budget_rank_by_it()
{
    const Importance mode = Importance::window(5);
    const auto found = analysed(120, mode);
    for (const std::string policy :
        { "ada(of=h2o)", "pyramid(of=h2o)", "h2o(uniform=false)", "chunkkv(of=h2o,chunk=4)" }) {
        const KeepSet set = chosen(*found, policy, mode);
        QVERIFY2(set.labels != chosen(*found, policy, Importance::cumulative).labels, policy.c_str());
        for (std::int64_t row = 0; row < set.layers * set.kv_heads; ++row) {
            const Scope scope { row / set.kv_heads, row % set.kv_heads };
            RowScores scores = row_scores(*found, scope, mode, GqaReduction::mean, Sliding::evict);
            add_shared_rows(*found, set.request.policy, scores);
            const RowSelection one = select_row(scores, set.request);
            const auto wanted
                = std::span(set.labels)
                      .subspan(static_cast<std::size_t>(row * set.context), static_cast<std::size_t>(set.context));
            QVERIFY2(std::ranges::equal(one.labels, wanted), policy.c_str());
        }
    }
}

void TestImportanceModes::a_token_is_told_whose_attention_decided()
{
    SelectRequest request;
    request.policy = parse_policy("h2o(local=0)");
    request.sparsity = 0.9;
    const auto sentence = [&](const Importance& mode, Label label, const char* policy = "h2o(local=0)") {
        request.policy = parse_policy(policy);
        request.importance = mode;
        const auto found = analysed(120, mode, false, policy);
        const RowScores row = row_scores(*found, { 1, 0 }, mode, GqaReduction::mean);
        const RowSelection chosen = select_row(row, request);
        const auto at = std::ranges::find(chosen.labels, label) - chosen.labels.begin();
        return explain(row, chosen, request, at).sentence;
    };
    const auto says
        = [](const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; };
    const std::string kept = sentence(Importance::window(32), Label::important);
    QVERIFY2(says(kept, " of 120 by importance from the last 32 queries; "), kept.c_str());
    const std::string gone = sentence(Importance::window(32), Label::evicted);
    QVERIFY2(says(gone, " from the last 32 queries is below the cut-off "), gone.c_str());
    const std::string last = sentence(Importance::last_query, Label::evicted);
    QVERIFY2(says(last, " from the last query is below the cut-off "), last.c_str());
    const std::string bridge = sentence(Importance::window(2), Label::evicted, "cab");
    QVERIFY2(says(bridge, " from the last 2 queries is below "), bridge.c_str());
    const std::string all = sentence(Importance::cumulative, Label::evicted);
    QVERIFY2(!says(all, "queries"), all.c_str());
    const std::string own = sentence(Importance::window(32), Label::evicted, "snapkv(window=8)");
    QVERIFY2(!says(own, "32"), own.c_str()); // it did not look at it
}

void TestImportanceModes::heads_are_shown_by_it_and_told_apart_by_all_queries()
{
    const auto found = analysed(120, Importance::window(4));
    const HeadSummaries heads = summarise_heads(*found, Importance::window(4), 120);
    const HeadSummaries all = summarise_heads(*found, Importance::cumulative, 120);
    QCOMPARE(heads.largest, *found->by_last_queries.at(Importance::window(4)));
    QCOMPARE(heads.numbers.at(3).entropy, all.numbers.at(3).entropy);
    QCOMPARE(head_importance(*found, 1, Importance::window(4)).back(), heads.largest.back());
    const auto said = errors::of([&] { summarise_heads(*found, Importance::window(5), 120); });
    QVERIFY2(said.is(ErrorKind::usage, "window:5"), said.text());
}

void TestImportanceModes::the_audit_finds_what_cannot_be_data()
{
    QTest::addColumn<QString>("words");
    QTest::newRow("too much") << "which can give it from 0 to 4";
    QTest::newRow("nothing") << "sums to";
    QTest::newRow("less than nothing") << "from the last 4 queries, which can give it from 0";
    QTest::newRow("later than the key") << "which can give it from 0 to 1";
    QTest::newRow("not a number") << "no finite number";
}

void TestImportanceModes::the_audit_finds_what_cannot_be()
{
    QFETCH(QString, words);
    const QString fault = QTest::currentDataTag();
    const auto found = analysed(120, Importance::window(4));
    const auto check = [](const AuditReport& report, const char* name) {
        return *std::ranges::find(report.checks, name, &Check::name);
    };
    QCOMPARE(check(found->audit, "mass").status, CheckStatus::pass);
    QVERIFY(check(found->audit, "mass").detail.find("that from the last 4 queries to 4") != std::string::npos);
    std::vector<float> values = *found->by_last_queries.at(Importance::window(4));
    if (fault == "too much")
        values[10] += 5;
    if (fault == "nothing")
        std::fill_n(values.begin(), 120, 0.0F);
    if (fault == "less than nothing")
        values[10] -= 3;
    if (fault == "later than the key")
        values[119] = 2; // only one query sees the last key
    if (fault == "not a number")
        values[10] = NAN;
    found->by_last_queries[Importance::window(4)] = std::make_shared<const std::vector<float>>(values);
    const Check told = check(audit(*found), fault == "not a number" ? "finite" : "mass");
    QCOMPARE(told.status, CheckStatus::fail);
    QVERIFY2(QString::fromStdString(told.detail).contains(words), told.detail.c_str());
}

void TestImportanceModes::a_trace_holds_what_it_was_made_with()
{
    const auto made = analysed(90, Importance::window(4), true);
    make_importance(*made, Importance::last_query);
    const auto held = find_importance(*made, Importance::last_query);
    make_importance(*made, Importance::window(9)); // by which nothing is ranked
    add_keep_sets(*made,
        { chosen(*made, "h2o", Importance::window(4)), chosen(*made, "cab", Importance::last_query),
            chosen(*made, "h2o", Importance::mean_received) });
    save(*made, in("trace.h5"), false);
    const auto read = load_analysis(in("trace.h5"));
    QCOMPARE(read->by_last_queries.size(), std::size_t { 2 });
    QCOMPARE(*read->by_last_queries.at(Importance::window(4)), *made->by_last_queries.at(Importance::window(4)));
    QCOMPARE(*read->by_last_queries.at(Importance::last_query), *held);
    QVERIFY(read->keep_sets.at(0).request.importance == Importance::window(4));
    QVERIFY(read->keep_sets.at(1).request.importance == Importance::last_query);
    QVERIFY(chosen(*read, "h2o", Importance::window(4)).labels == made->keep_sets.at(0).labels);
    save(*read, in("again.h5"), false);
    QCOMPARE(load_analysis(in("again.h5"))->by_last_queries.size(), std::size_t { 2 });
}

void TestImportanceModes::a_trace_without_it_says_so()
{
    const auto made = analysed(90, Importance::window(4));
    save(*made, in("window4.h5"), false);
    const auto read = load_analysis(in("window4.h5"));
    QVERIFY(has_importance(*read, Importance::window(4)) && has_importance(*read, Importance::mean_received));
    for (const Importance& mode : { Importance::window(5), Importance::last_query }) {
        QVERIFY(!has_importance(*read, mode));
        const std::string words = "does not hold the importance '" + name_of(mode) + "'";
        for (const auto& said :
            { errors::of([&] { chosen(*read, "h2o", mode); }), errors::of([&] { make_importance(*read, mode); }),
                errors::of([&] { head_importance(*read, 0, mode); }) })
            QVERIFY2(said.is(ErrorKind::usage, words), said.text());
        QVERIFY(no_importance(*read, mode).first.find("a trace file has none") != std::string::npos);
    }
}

KEEPSET_TEST(TestImportanceModes)
#include "tst_importance_modes.moc"
