#include "policy_promises.h"

#include "core/policy/choosing.h"
#include "core/policy/select.h"
#include "tests/support/test_main.h"

#include <QTest>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <random>
#include <set>

using namespace keepset;
using keepset::policy::Policy;

namespace {

std::string manual()
{
    std::ifstream file(KEEPSET_SOURCE_DIR "/resources/help/policies.md");
    return { std::istreambuf_iterator<char>(file), {} };
}

/// A right policy under a name of its own, which each test breaks in one way.
Policy right_policy()
{
    Policy made = policy::find("h2o");
    made.info.name = "made-up";
    return made;
}

const std::string manual_of_made_up
    = "| `made-up` | `local` (0.2): share | local, important |\n`sink` `recent` `uniform`\n";

/// Importance (layers, heads, context) that adds up to `context` in every head.
std::vector<float> importance_of(std::int64_t layers, std::int64_t heads, std::int64_t context)
{
    std::mt19937 generator(5);
    std::exponential_distribution<float> draw(1.0F);
    std::vector<float> importance(static_cast<std::size_t>(layers * heads * context));
    for (float& value : importance)
        value = draw(generator);
    for (auto row = importance.begin(); row != importance.end(); row += context) {
        double sum = 0;
        for (auto at = row; at != row + context; ++at)
            sum += static_cast<double>(*at);
        std::transform(row, row + context, row,
            [&](float value) { return static_cast<float>(value * static_cast<double>(context) / sum); });
    }
    return importance;
}

/// The first promise that a keep set of a whole model breaks.
QString broken_keep_set(const KeepSet& set, const Policy& policy)
{
    const auto context = static_cast<std::size_t>(set.context);
    const std::int64_t rows = set.layers * set.kv_heads;
    const std::int64_t wanted
        = policy.evicts ? budget_of(set.request.sparsity, set.context, set.request.rounding) : set.context;
    if (set.budget != wanted || static_cast<std::int64_t>(set.labels.size()) != rows * set.context)
        return "budget or size";
    for (std::int64_t row = 0; row < rows; ++row) {
        const auto begin = set.labels.begin() + row * set.context;
        if (sharing_of(set.request.policy) == Sharing::none
            && std::count(begin, begin + set.context, Label::evicted) != set.context - wanted)
            return QString("row %1 keeps another number than %2").arg(row).arg(wanted);
        const bool first_of_its_kind = set.request.granularity == Granularity::head
            || (set.request.granularity == Granularity::layer && row % set.kv_heads == 0) || row == 0;
        if (!first_of_its_kind && !std::equal(begin, begin + set.context, begin - static_cast<std::ptrdiff_t>(context)))
            return QString("row %1 does not share its neighbour's keep set").arg(row);
    }
    const bool all = wanted == set.context;
    if (!(set.kept_mass >= 0 && set.kept_mass <= 1 + 1e-6) || (all && std::abs(set.kept_mass - 1) > 1e-6))
        return QString("kept mass %1").arg(set.kept_mass);
    return {};
}

} // namespace

/// What every policy of the table promises; a policy that breaks a promise is found, whoever wrote it.
class TestPolicyTable : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void every_policy_of_the_table_keeps_its_promises_data()
    {
        QTest::addColumn<int>("line");
        for (std::size_t line = 0; line < policy::table().size(); ++line)
            QTest::newRow(policy::table()[line].info.name.c_str()) << static_cast<int>(line);
    }
    void every_policy_of_the_table_keeps_its_promises()
    {
        QFETCH(int, line);
        const std::string broken = test::broken_promise(policy::table()[static_cast<std::size_t>(line)], manual());
        QVERIFY2(broken.empty(), broken.c_str());
    }

    void every_policy_selects_in_every_model_shape_granularity_and_reduction_data()
    {
        every_policy_of_the_table_keeps_its_promises_data();
    }
    void every_policy_selects_in_every_model_shape_granularity_and_reduction()
    {
        QFETCH(int, line);
        const Policy& policy = policy::table()[static_cast<std::size_t>(line)];
        struct Shape {
            std::int64_t layers, heads, kv_heads, context;
        };
        for (const Shape& shape : { Shape { 1, 1, 1, 1 }, { 1, 4, 1, 5 }, { 3, 4, 2, 33 }, { 2, 2, 2, 64 } }) {
            const std::vector<float> importance = importance_of(shape.layers, shape.heads, shape.context);
            const policy::ImportanceView view { importance, shape.layers, shape.heads, shape.kv_heads, shape.context };
            for (const auto granularity : { Granularity::head, Granularity::layer, Granularity::model }) {
                for (const auto gqa : { GqaReduction::mean, GqaReduction::max, GqaReduction::sum }) {
                    for (const auto mode : { Importance::cumulative, Importance::mean_received }) {
                        policy::ScoreRows rows = policy::score_rows(view, { granularity, mode, gqa });
                        for (const std::string& name : scores_of({ policy.info.name, {} }))
                            rows.own.emplace(name, rows.scores);
                        std::vector<SelectRequest> requests;
                        for (const double sparsity : { 0.0, 0.3, 0.5, 0.9, 0.999 }) {
                            for (const auto rounding : { Rounding::floor, Rounding::kvpress }) {
                                requests.emplace_back();
                                requests.back().policy.name = policy.info.name;
                                requests.back().sparsity = sparsity;
                                requests.back().rounding = rounding;
                            }
                        }
                        const std::vector<KeepSet> sets = policy::select(rows, requests,
                            [](const kernels::SelectInputs& inputs) { return kernels::select_cpu(inputs, 3); });
                        for (std::size_t i = 0; i < sets.size(); ++i) {
                            const QString broken = broken_keep_set(sets[i], policy);
                            QVERIFY2(broken.isEmpty(), qPrintable(broken));
                            // Alone and on one thread it is the same as among others.
                            QVERIFY(policy::select(rows, requests[i]).labels == sets[i].labels);
                        }
                    }
                }
            }
        }
    }

    void the_public_list_is_the_table()
    {
        const auto table = policy::table();
        const auto list = policies();
        QCOMPARE(list.size(), table.size());
        std::set<std::string> names;
        std::set<std::string> titles;
        for (std::size_t line = 0; line < table.size(); ++line) {
            QCOMPARE(list[line].name, table[line].info.name);
            QCOMPARE(&policy::find(list[line].name), &table[line]);
            QVERIFY2(names.insert(list[line].name).second, list[line].name.c_str());
            QVERIFY2(titles.insert(list[line].title).second, list[line].title.c_str());
        }
    }

    void a_right_policy_that_is_not_in_the_table_passes()
    {
        const Policy made = right_policy();
        QCOMPARE(test::broken_words(made, manual_of_made_up), std::string());
        QCOMPARE(test::broken_budgets(made), std::string());
        QCOMPARE(test::broken_at_zero(made), std::string());
        QCOMPARE(test::broken_nesting(made), std::string());
    }

    void a_broken_policy_is_found_data()
    {
        QTest::addColumn<QString>("words");
        for (const char* words :
            { "keeps 0 of 1 positions", "positions where its budget is 1", "which it does not declare",
                "does not repeat itself", "leaves out a position that ranks before", "evicts at s = 0",
                "which a smaller budget keeps", "the manual's table of policies lacks it", "is no sentence",
                "its parameter 'more' is not described", "the manual does not name its label 'sink'" })
            QTest::newRow(words) << words;
    }
    void a_broken_policy_is_found()
    {
        QFETCH(QString, words);
        using kernels::SelectPlan;
        Policy made = right_policy();
        std::string page = manual_of_made_up;
        auto calls = std::make_shared<int>(0);
        if (words.startsWith("keeps 0"))
            made.plan = [](const policy::Share& share, const policy::Settings&) {
                return SelectPlan { .local = share.budget - 1, .highest = 0 };
            };
        else if (words.startsWith("positions where"))
            made.plan = [](const policy::Share& share, const policy::Settings&) {
                return SelectPlan { .local = 1, .highest = share.budget }; // one too many
            };
        else if (words.startsWith("which it does not"))
            made.info.labels = { Label::local };
        else if (words.startsWith("does not repeat"))
            made.plan = [calls](const policy::Share& share, const policy::Settings&) {
                const std::int64_t local = ++*calls % 2 == 0 ? share.budget : 0;
                return SelectPlan { .local = local, .highest = share.budget - local };
            };
        else if (words.startsWith("leaves out a position that"))
            made.choose = [](const policy::Choosing& from, const policy::Settings&) {
                return from.labels(-from.table.of(""), from.point.plan); // the lowest instead of the highest
            };
        else if (words.startsWith("evicts at"))
            made.fill = [](const policy::Row& row, const policy::Settings&, std::span<Label> labels) {
                if (row.budget == static_cast<std::int64_t>(labels.size()))
                    labels[0] = Label::evicted;
            };
        else if (words.startsWith("which a smaller"))
            made.plan = [](const policy::Share& share, const policy::Settings&) {
                const std::int64_t local = share.budget % 2 == 0 ? share.budget : 0;
                return SelectPlan { .local = local, .highest = share.budget - local };
            };
        else if (words.startsWith("the manual's"))
            page = "| `h2o` | | local |\n";
        else if (words.startsWith("is no sentence"))
            made.info.description = "Heavy hitters";
        else if (words.startsWith("its parameter"))
            made.info.parameters.push_back({ .name = "more", .description = "", .default_value = "1" });
        else
            made.info.labels.push_back(Label::sink);
        std::string found;
        for (const std::string& broken : { test::broken_words(made, page), test::broken_budgets(made),
                 test::broken_at_zero(made), test::broken_nesting(made) })
            found += broken + "\n";
        QVERIFY2(found.find(words.toStdString()) != std::string::npos, found.c_str());
    }
};

KEEPSET_TEST(TestPolicyTable)
#include "tst_policy_table.moc"
