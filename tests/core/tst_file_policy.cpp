#include "core/result_files.h"
#include "core/sha256.h"
#include "tests/core/file_case.h"
#include "tests/support/test_main.h"

#include <algorithm>
#include <cmath>

using namespace keepset;

/// The policy file(path=…): how it is spelled, and what an analysis selects, shows and explains by it.
class TestFilePolicy : public FileCase {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { open(); }

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

    void a_trace_says_what_the_file_held()
    {
        Analysis analysis = *analyses_.front();
        const auto file = write("held.npz", importance());
        SelectRequest asked;
        asked.sparsity = 0.5;
        asked.policy = parse_policy("ada(of=" + file_policy(file) + ")");
        SelectRequest none = asked;
        none.policy = parse_policy("h2o");
        add_keep_sets(analysis, { select(analysis, asked), select(analysis, none) });
        save(analysis, in("held.h5"), true);
        const auto back = load_analysis(in("held.h5"));
        QCOMPARE(back->keep_sets[0].file_sha256, sha256(golden::read_bytes(file)));
        QCOMPARE(back->keep_sets[1].file_sha256, std::string());
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
};

KEEPSET_TEST(TestFilePolicy)
#include "tst_file_policy.moc"
