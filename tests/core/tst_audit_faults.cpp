#include "core/attention/attend.h"
#include "tests/core/broken_sweep.h"
#include "tests/support/test_main.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/bmm.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/nan_to_num.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/stack.h>

#include <QTemporaryDir>

#include <cmath>

using namespace keepset;

namespace {

/// A dense pass whose queries see one key too many, the next one. Its importance is summed under the right mask, so
/// that it shows nothing of that.
DensePass looks_ahead(const Decoder& decoder, const at::Tensor& ids, const DensePassOptions& options)
{
    const at::Tensor positions = at::arange(ids.size(0), ids.options());
    const Rotations rotations = decoder.rotations(positions, options.length > 0 ? options.length : ids.size(0));
    const at::Tensor mask = at::ones({ ids.size(0), ids.size(0) }).triu(1) * -INFINITY;
    DensePass pass;
    pass.hidden = decoder.embed(ids, positions);
    std::vector<at::Tensor> importance;
    for (std::int64_t layer = 0; layer < decoder.config().layers; ++layer) {
        const Projected parts = decoder.project(layer, pass.hidden, 1, rotations);
        const ScoreRule rule = decoder.rule(layer);
        const Attended found = attend_at(parts.q, parts.k, parts.v, rule, { positions + 1, positions });
        const std::int64_t group = parts.q.size(1) / parts.k.size(1);
        const at::Tensor keys = parts.k[0].repeat_interleave(group, 0);
        at::Tensor scores = at::bmm(parts.q[0], keys.transpose(1, 2)) * rule.scale;
        scores = scores + at::nan_to_num(mask, 0, INFINITY, -INFINITY);
        importance.push_back(scores.softmax(-1).sum(1)); // (heads, context)
        pass.keys.push_back(parts.k[0]);
        pass.values.push_back(parts.v[0]);
        decoder.finish(layer, pass.hidden, found.output, {});
    }
    pass.importance = at::stack(importance);
    return pass;
}

/// Changes the positions (layers, kv_heads, k) of every point, whose rows are alike.
std::function<KeptPositions(const KeptPositions&)> of_each(const std::function<at::Tensor(const at::Tensor&)>& change)
{
    return [change](const KeptPositions& kept) {
        std::vector<at::Tensor> positions;
        std::vector<PointCounts> counts;
        for (std::size_t point = 0; point < kept.counts.size(); ++point) {
            const at::Tensor all = kept.of(point, 0, kept.rows()).view({ kept.layers, kept.kv_heads, -1 });
            positions.push_back(change(all).flatten());
            counts.push_back({ positions.back().numel() / kept.rows() });
        }
        KeptPositions other(kept.layers, kept.kv_heads, kept.context, counts, kept.positions.device());
        other.positions.copy_(at::cat(positions));
        return other;
    };
}

/// The k most recent positions for every point: labels (points, score rows, context) uint8.
void keep_recent(at::Tensor& labels)
{
    const at::Tensor kept = labels.ne(0).sum(2, true); // (points, score rows, 1)
    const at::Tensor positions = at::arange(labels.size(2), kept.options());
    labels.copy_(positions.ge(labels.size(2) - kept) * static_cast<std::int64_t>(Label::local));
}

} // namespace

/// Breaks a real sweep in one way at a time and asks the audit for exactly the check that is for it.
class TestAuditFaults : public QObject {
    Q_OBJECT

private:
    RealSweep sweep_ { golden_root / "biases" };

    SweepFaults fault(const QString& name) const;

private Q_SLOTS:
    void a_sweep_as_it_is_passes_and_its_file_says_the_same_data();
    void a_sweep_as_it_is_passes_and_its_file_says_the_same();
    void every_fault_fails_its_own_check_and_says_why_data();
    void every_fault_fails_its_own_check_and_says_why();
    void the_mass_of_the_last_queries_is_looked_at_too_data();
    void the_mass_of_the_last_queries_is_looked_at_too();
    void a_text_that_repeats_itself_is_no_fault();
    void points_that_evict_nothing_equal_dense_data();
    void points_that_evict_nothing_equal_dense();
    void a_keep_set_is_computed_once_and_dense_apart();
    void targets_see_as_far_back_as_the_run_says();
};

void TestAuditFaults::a_sweep_as_it_is_passes_and_its_file_says_the_same_data()
{
    QTest::addColumn<int>("protocol");
    QTest::newRow("prefill-evict") << static_cast<int>(Protocol::prefill_evict);
    QTest::newRow("token-drop") << static_cast<int>(Protocol::token_drop);
}

void TestAuditFaults::a_sweep_as_it_is_passes_and_its_file_says_the_same()
{
    QFETCH(int, protocol);
    QTemporaryDir folder;
    SweepRequest request = RealSweep::request();
    request.protocol = static_cast<Protocol>(protocol);
    if (request.protocol == Protocol::token_drop)
        request.granularity = Granularity::model;
    request.out = folder.filePath("run.h5").toStdString();
    const Run run = sweep_.run(request);
    for (const Check& check : run.audit.checks) {
        const bool good = check.status == CheckStatus::pass
            || (check.status == CheckStatus::warning && (check.name == "plausible" || check.name == "monotone"));
        QVERIFY2(good, (check.name + ": " + check.detail).c_str());
    }
    const AuditReport again = audit(*load_run(request.out));
    for (std::size_t n = 0; n < again.checks.size(); ++n) {
        QCOMPARE(again.checks[n].detail, run.audit.checks[n].detail);
        QCOMPARE(again.checks[n].status, run.audit.checks[n].status);
    }
}

SweepFaults TestAuditFaults::fault(const QString& name) const
{
    SweepFaults faults;
    if (name == "targets shifted by one")
        faults.scored = [](const at::Tensor& ids) { return ids.roll(1, 0); };
    if (name == "one kept key too few")
        faults.gathered = of_each([](const at::Tensor& kept) { return kept.slice(2, 0, kept.size(2) - 1); });
    if (name == "one key twice")
        faults.gathered = of_each([](const at::Tensor& kept) {
            return at::cat({ kept.slice(2, 0, kept.size(2) - 1), kept.slice(2, 0, 1) }, 2);
        });
    if (name == "keys of another head")
        faults.gathered = of_each([](const at::Tensor& kept) { return kept.roll(1, 1); });
    if (name == "mask off by one")
        faults.dense = [this](const at::Tensor& ids, const DensePassOptions& options) {
            return looks_ahead(sweep_.decoder, ids, options);
        };
    if (name == "targets see the next one")
        faults.hidden = [](const at::Tensor& hidden) { return hidden.roll(-1, 1); };
    if (name == "recency for everybody")
        faults.selected = keep_recent;
    if (name == "NaN in one row")
        faults.hidden = [](const at::Tensor& hidden) {
            at::Tensor spoiled = hidden.clone();
            spoiled[-1][2].fill_(NAN);
            return spoiled;
        };
    if (name == "a window scored twice")
        faults.window = [first = std::make_shared<Window>()](Window& window) {
            if (window.index == 1)
                *first = window;
            if (window.index == 3)
                window.context = first->context, window.target = first->target;
        };
    const auto changed = [this](std::int64_t from, std::int64_t to, float by) {
        return [=, this](const at::Tensor& ids, const DensePassOptions& options) {
            DensePass pass = dense_pass(sweep_.decoder, ids, options, sweep_.backend, {});
            if (options.importance) {
                pass.importance[1][2][from] -= by;
                pass.importance[1][2][to] += by;
            }
            return pass;
        };
    };
    if (name == "less than nothing")
        faults.dense = changed(9, 0, 3);
    if (name == "more than can be given")
        faults.dense = changed(0, 22, 2.2F);
    return faults;
}

void TestAuditFaults::every_fault_fails_its_own_check_and_says_why_data()
{
    QTest::addColumn<QString>("check");
    QTest::addColumn<QString>("words");
    const auto row = [](const char* fault, const char* check, const char* words) {
        QTest::newRow(fault) << QString(check) << QString(words);
    };
    row("targets shifted by one", "same targets", "its targets are shifted");
    row("one kept key too few", "budget", "methods were compared at different sizes of the cache");
    row("one key twice", "budget", "methods were compared at different sizes of the cache");
    row("keys of another head", "budget", "keys were gathered for another head or layer");
    row("mask off by one", "causality", "Another context token changes a logit before it");
    row("targets see the next one", "causality", "Another target token changes a scored row before it");
    row("recency for everybody", "distinct", "the policy was never applied");
    row("NaN in one row", "finite", "is no finite number");
    row("a window scored twice", "same targets", "window 3 are those of window 1: a window was scored twice");
    row("less than nothing", "mass", "less than nothing");
    row("more than can be given", "mass", "times what the queries that see it can give");
}

void TestAuditFaults::every_fault_fails_its_own_check_and_says_why()
{
    QFETCH(QString, check);
    QFETCH(QString, words);
    const Run run = sweep_.run(RealSweep::request(), fault(QTest::currentDataTag()));
    QCOMPARE(run.audit.checks.front().name, std::string("finite"));
    for (const Check& found : run.audit.checks) {
        const bool is_it = found.name == check.toStdString();
        QVERIFY2((found.status == CheckStatus::fail) == is_it, (found.name + ": " + found.detail).c_str());
        QVERIFY2(found.status != CheckStatus::undecided || check == "finite", found.name.c_str());
        if (is_it)
            QVERIFY2(QString::fromStdString(found.detail).contains(words), found.detail.c_str());
    }
}

void TestAuditFaults::the_mass_of_the_last_queries_is_looked_at_too_data()
{
    QTest::addColumn<int>("position");
    QTest::addColumn<double>("by");
    QTest::addColumn<QString>("check");
    QTest::addColumn<QString>("words");
    QTest::newRow("as it is") << 5 << 0.0 << ""
                              << "";
    QTest::newRow("too much in all") << 0 << 0.5 << "mass"
                                     << "that from the last 4 queries to 4";
    QTest::newRow("the last key") << 23 << 2.0 << "causality"
                                  << "last key";
    QTest::newRow("not a number") << 5 << std::nan("") << "finite"
                                  << "no finite number";
}

void TestAuditFaults::the_mass_of_the_last_queries_is_looked_at_too()
{
    QFETCH(int, position);
    QFETCH(double, by);
    QFETCH(QString, check);
    QFETCH(QString, words);
    SweepRequest request = RealSweep::request();
    request.importance = Importance::window(4);
    SweepFaults faults;
    faults.dense = [&](const at::Tensor& ids, const DensePassOptions& options) {
        DensePass pass = dense_pass(sweep_.decoder, ids, options, sweep_.backend, {});
        if (options.last_queries > 0)
            pass.last_importance[1][2][position] += by;
        return pass;
    };
    const Run run = sweep_.run(request, faults);
    for (const Check& found : run.audit.checks) {
        if (found.name == check.toStdString())
            QVERIFY2(found.status == CheckStatus::fail && QString::fromStdString(found.detail).contains(words),
                found.detail.c_str());
        else if (check.isEmpty())
            QVERIFY2(found.status != CheckStatus::fail && found.status != CheckStatus::undecided, found.detail.c_str());
    }
}

void TestAuditFaults::a_text_that_repeats_itself_is_no_fault()
{
    RealSweep same { golden_root / "biases" };
    const SweepRequest request = RealSweep::request();
    const auto piece = static_cast<std::size_t>(request.context + request.target);
    for (std::size_t index = piece; index < same.tokens.size(); ++index)
        same.tokens[index] = same.tokens[index - piece];
    const Run run = same.run(request);
    QCOMPARE(run.read_hash[0], run.read_hash[1]);
    const Check& check = check_of(run.audit, "same targets");
    QVERIFY2(check.status == CheckStatus::pass, check.detail.c_str());
}

void TestAuditFaults::points_that_evict_nothing_equal_dense_data()
{
    QTest::addColumn<QString>("model");
    QTest::addColumn<int>("dtype");
    QTest::addColumn<int>("target");
    QTest::newRow("float32, groups of 4 and a long target") << "biases" << int(at::kFloat) << 260;
    QTest::newRow("bfloat16, groups of 4") << "biases" << int(at::kBFloat16) << 250;
    QTest::newRow("a mixture in bfloat16, groups of 5") << "families/mixtral" << int(at::kBFloat16) << 190;
}

/// Six points that evict nothing, of 11.
void TestAuditFaults::points_that_evict_nothing_equal_dense()
{
    QFETCH(QString, model);
    QFETCH(int, dtype);
    QFETCH(int, target);
    const RealSweep sweep { golden_root / model.toStdString(), static_cast<at::ScalarType>(dtype) };
    SweepRequest request = RealSweep::request();
    request.policies = parse_policies("h2o,cab,recent,random,streaming-llm");
    request.sparsities = { 0, 0.5 };
    request.target = target;
    request.windows = 1;
    const Run run = sweep.run(request);
    for (const char* name : { "baseline", "causality" }) {
        const Check& check = check_of(run.audit, name);
        QVERIFY2(check.status == CheckStatus::pass, check.detail.c_str());
    }
    const std::span<const float> dense = losses_of(run, 0);
    for (std::size_t point = 1; point < run.points.size(); ++point) {
        // To the last bit where a product's row does not depend on where it stands among the others, as with most
        // processors' libraries; else to what SEMANTICS 6 allows.
        const double allowed = dtype == int(at::kFloat) ? 1e-5 : 0x1p-7;
        const std::span<const float> losses = losses_of(run, point);
        double off = 0;
        for (std::size_t token = 0; token < dense.size(); ++token)
            off = std::max(off, std::abs(static_cast<double>(losses[token]) - static_cast<double>(dense[token])));
        const bool is_whole = run.points[point].sparsity == 0;
        QVERIFY2((off <= allowed) == is_whole, qPrintable(QString("point %1 is off by %2").arg(point).arg(off)));
        QVERIFY(is_whole ? std::abs(run.points[point].kl) <= allowed : run.points[point].kl > 0);
    }
}

/// By what attention does: to keep all that is within reach changes nothing, one key less does.
void TestAuditFaults::targets_see_as_far_back_as_the_run_says()
{
    QTemporaryDir folder;
    SweepRequest request = RealSweep::request();
    request.policies = parse_policies("recent,streaming-llm");
    request.sparsities.clear();
    request.out = folder.filePath("run.h5").toStdString();
    request.budgets = { 5 };
    QCOMPARE(sweep_.run(request).reach, 0);
    const RealSweep windowed { golden_root / "families/mistral" };
    const std::int64_t reach = windowed.config.per_layer.front().window - 1;
    request.out = folder.filePath("windowed.h5").toStdString();
    request.context = reach + 12;
    request.sliding = Sliding::evict;
    request.budgets = { reach, reach - 1 };
    const Run run = windowed.run(request);
    QCOMPARE(run.reach, reach);
    QCOMPARE(load_run(request.out)->reach, reach);
    for (std::size_t point = 1; point < run.points.size(); ++point) {
        if (run.points[point].policy == "recent")
            QCOMPARE(run.points[point].kl < 1e-6, run.points[point].budget == reach);
    }
}

void TestAuditFaults::a_keep_set_is_computed_once_and_dense_apart()
{
    std::int64_t computed = 0;
    SweepFaults counted; // changes nothing
    counted.hidden = [&](const at::Tensor& hidden) {
        computed += hidden.size(0);
        return hidden;
    };
    SweepRequest request = RealSweep::request();
    request.windows = 1;
    const auto points_of
        = [&](const char* policies, std::vector<double> sparsities, std::vector<std::int64_t> budgets) {
              request.policies = parse_policies(policies);
              request.sparsities = std::move(sparsities);
              request.budgets = std::move(budgets);
              computed = 0;
              const Run run = sweep_.run(request, counted);
              return std::pair(run, computed);
          };
    const auto [apart, before] = points_of("recent", { 0.5 }, {});
    const auto [run, all] = points_of("h2o,cab,recent", { 0, 0.5, 0.75 }, {});
    QCOMPARE(run.points.size(), std::size_t { 10 });
    QCOMPARE(all - before, std::int64_t { 1 + 5 }); // of three at 0 one, and all others but recent at 50%
    // h2o and cab are the same by definition where one local entry and one important one are kept.
    const auto [same, once] = points_of("h2o,cab,h2o(local=0.3)", {}, { 2 });
    QCOMPARE(once, before);
    const std::span<const float> of_h2o = losses_of(same, 1);
    QVERIFY(std::ranges::equal(of_h2o, losses_of(same, 2)) && std::ranges::equal(of_h2o, losses_of(same, 3)));
    QCOMPARE(same.points[1].kl, same.points[3].kl);
    QVERIFY(!same.audit.failed());
}

KEEPSET_TEST(TestAuditFaults)
#include "tst_audit_faults.moc"
