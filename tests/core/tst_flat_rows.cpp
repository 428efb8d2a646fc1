#include "core/findings.h"
#include "core/flat_rows.h"
#include "core/result_files.h"
#include "tests/core/model_copy.h"
#include "tests/support/made_analysis.h"
#include "tests/support/test_main.h"

#include <QTest>

#include <cmath>

using namespace keepset;

namespace {

/// Every one of a tensor's numbers becomes 1.
void set_to_one(golden::Tensor& tensor)
{
    const std::string one = tensor.dtype == "BF16" ? std::string("\x80\x3F") : std::string("\0\0\x80\x3F", 4);
    for (std::size_t at = 0; at < tensor.bytes.size(); ++at)
        tensor.bytes[at] = one[at % one.size()];
}

/// Scores of K-norm whose lengths go from 1 to 1 + spread in each row: (rows, context).
std::vector<float> lengths(const std::vector<double>& spreads, std::int64_t context)
{
    std::vector<float> scores;
    for (const double spread : spreads) {
        for (std::int64_t j = 0; j < context; ++j)
            scores.push_back(
                -static_cast<float>(1 + spread * static_cast<double>(j) / static_cast<double>(context - 1)));
    }
    return scores;
}

KeepSet selected(const Analysis& analysis, const std::string& policy, double sparsity = 0.5,
    Granularity granularity = Granularity::head)
{
    SelectRequest request;
    request.policy = parse_policy(policy);
    request.sparsity = sparsity;
    request.granularity = granularity;
    return select(analysis, request);
}

} // namespace

/// Rows in which rounding decides what K-norm keeps (SEMANTICS 4b): told of results and in files.
class TestFlatRows : public QObject {
    Q_OBJECT

private:
    QTemporaryDir folder_;
    std::filesystem::path in(const std::string& name) const { return folder_.path().toStdString() + "/" + name; }

    static SweepRequest request(const copies::ModelCopy& model)
    {
        SweepRequest asked;
        asked.text = model.text();
        asked.policies = parse_policies("h2o,knorm,criticalkv(of=knorm),knorm(uniform=false)");
        asked.sparsities = { 0, 0.5 };
        asked.context = 24;
        asked.target = 8;
        asked.windows = 2;
        return asked;
    }

private Q_SLOTS:
    void norms_that_make_keys_one_length_are_told_data()
    {
        QTest::addColumn<bool>("ones");
        QTest::addColumn<int>("granularity");
        for (const Granularity granularity : { Granularity::head, Granularity::layer, Granularity::model }) {
            QTest::addRow("weights of one, %s", name_of(granularity).c_str()) << true << int(granularity);
            QTest::addRow("other weights, %s", name_of(granularity).c_str()) << false << int(granularity);
        }
    }
    void norms_that_make_keys_one_length_are_told()
    {
        QFETCH(bool, ones);
        QFETCH(int, granularity);
        copies::ModelCopy model("families/qwen3");
        for (auto& [name, tensor] : model.tensors) {
            if (ones && name.find("k_norm") != std::string::npos)
                set_to_one(tensor);
        }
        Engine engine;
        copies::open(engine, model.write());
        SweepRequest asked = request(model);
        asked.granularity = static_cast<Granularity>(granularity);
        asked.out = in("run.h5").string();
        asked.force = true;
        const auto run = engine.sweep(asked);
        for (std::size_t point = 0; point < run->points.size(); ++point) {
            const SweepPoint& row = run->points[point];
            const bool flat = ones && row.sparsity > 0 && row.policy.find("knorm") != std::string::npos;
            for (std::size_t window = 0; window < 2; ++window)
                QCOMPARE(run->flat_rows[2 * point + window], flat ? run->evicting_rows() : 0);
        }
        const std::vector<std::string> notes = notes_about(*run);
        QCOMPARE(notes.size(), ones ? std::size_t { 3 } : std::size_t { 0 });
        QCOMPARE(copies::has_note(notes,
                     "K-norm ranks by the lengths of keys, and in every row these differ by less than 0.01% of their "
                     "mean: rounding decides there what it keeps."),
            ones);
        for (const Finding& finding : findings(*run, "h2o")) // with two windows, and so of fewer than five
            QVERIFY(ones || finding.sentence.find("rounding") == std::string::npos);
        for (const std::string& note : notes)
            QVERIFY(std::ranges::any_of(
                findings(*run, "h2o"), [&](const Finding& finding) { return finding.sentence == note; }));
        QCOMPARE(notes_about(*load_run(asked.out)), notes);

        AnalysisRequest look;
        look.text = asked.text;
        look.policies = asked.policies;
        auto analysis = engine.analyse(look);
        std::vector<KeepSet> sets;
        for (const PolicySpec& policy : asked.policies)
            sets.push_back(selected(*analysis, canonical(policy), 0.5, asked.granularity));
        add_keep_sets(*analysis, sets);
        QCOMPARE(notes_about(*analysis).size(), notes.size());
        QCOMPARE(copies::has_note(notes_about(*analysis), "CriticalKV (of knorm) ranks by the lengths of keys"), ones);
        save(*analysis, in("trace.h5"), true);
        QCOMPARE(notes_about(*load_analysis(in("trace.h5"))), notes_about(*analysis));
    }

    void the_spread_of_a_row_decides_by_hand()
    {
        made::AnalysisSizes sizes;
        sizes.layers = 4;
        sizes.kv_heads = 1;
        Analysis a = made::analysis_by_chance(sizes).analysis;
        a.provenance.dtype = "float32";
        a.own_scores["knorm"] = lengths({ 0, 0.9e-4, 1.1e-4, 0.5 }, a.context);
        QCOMPARE(flat_rows(a, selected(a, "knorm")), 2);
        QCOMPARE(flat_rows(a, selected(a, "h2o")), 0);
        QCOMPARE(flat_rows(a, selected(a, "knorm", 0)), 0); // nothing is decided
        // The mean of all rows is what the whole model shares: spread 0.5/4 of lengths around 1.
        QCOMPARE(flat_rows(a, selected(a, "knorm", 0.5, Granularity::model)), 0);
        add_keep_sets(a, { selected(a, "knorm"), selected(a, "knorm", 0.8), selected(a, "h2o") });
        QCOMPARE(notes_about(a).size(), std::size_t { 1 });
        QVERIFY2(copies::has_note(notes_about(a), "and in 2 of 4 rows these"), notes_about(a).front().c_str());
        a.own_scores["knorm"] = lengths({ 0, 0.9e-4, 0.9 * 0x1p-10, 0.9 * 0x1p-7 }, a.context);
        for (const auto& [dtype, rows] :
            { std::pair("float32", 2), std::pair("float16", 3), std::pair("bfloat16", 4) }) {
            a.provenance.dtype = dtype;
            QCOMPARE(flat_rows(a, selected(a, "knorm")), rows);
        }
        a.own_scores["knorm"][3] = std::nanf(""); // such a row is refused elsewhere, and is not said to be flat
        KeepSet set = a.keep_sets.front();
        QCOMPARE(flat_rows(a, set), 3);
    }
};

KEEPSET_TEST(TestFlatRows)
#include "tst_flat_rows.moc"
