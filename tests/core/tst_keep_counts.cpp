#include "core/keep_counts.h"

#include "tests/support/test_main.h"

#include <QTest>

using namespace keepset;

namespace {

constexpr std::size_t at(Label label) { return static_cast<std::size_t>(label); }

} // namespace

class TestKeepCounts : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void shares_are_of_the_positions_looked_at()
    {
        const std::vector<Label> labels { Label::sink, Label::evicted, Label::important, Label::evicted,
            Label::important, Label::evicted, Label::local, Label::local };
        const auto all = label_shares(labels, 0, 8);
        QCOMPARE(all[at(Label::sink)], 0.125);
        QCOMPARE(all[at(Label::important)], 0.25);
        QCOMPARE(all[at(Label::local)], 0.25);
        QCOMPARE(all[at(Label::evicted)], 0.0); // is what is left of 1
        QCOMPARE(label_shares(labels, 4, 8)[at(Label::local)], 0.5);
        QCOMPARE(label_shares(labels, 6, 100)[at(Label::local)], 1.0); // ends with the context
        for (const auto& [begin, end] : { std::pair(3, 3), std::pair(-5, -2), std::pair(9, 12), std::pair(5, 2) })
            QCOMPARE(label_shares(labels, begin, end), (std::array<double, label_count> {}));
    }

    /// Lengths around the parts in which they are counted.
    void every_label_is_counted_once()
    {
        for (const std::size_t length : { 0, 1, 127, 128, 129, 255, 256, 257, 1000 }) {
            std::vector<Label> labels(length);
            std::array<std::int64_t, label_count> expected {};
            for (std::size_t i = 0; i < length; ++i) {
                labels[i] = static_cast<Label>(i < 300 ? 4 : i * i % label_count);
                ++expected[at(labels[i])];
            }
            QCOMPARE(label_counts(labels), expected);
        }
    }

    void shares_of_a_budget_are_of_what_is_kept()
    {
        RowSelection selection;
        selection.budget = 20;
        selection.counts[at(Label::evicted)] = 80;
        selection.counts[at(Label::local)] = 5;
        selection.counts[at(Label::important)] = 15;
        const auto shares = shares_of_budget(selection);
        QCOMPARE(shares[at(Label::local)], 0.25);
        QCOMPARE(shares[at(Label::important)], 0.75);
        QCOMPARE(shares[at(Label::evicted)], 0.0);
        QCOMPARE(shares_of_budget({}), (std::array<double, label_count> {}));
    }

    void memberships_are_counted_by_kind()
    {
        using enum Membership;
        const std::vector<Membership> members { neither, only_a, both, both, only_b, neither, neither };
        const auto counts = membership_counts(members);
        QCOMPARE(counts[static_cast<std::size_t>(neither)], std::int64_t { 3 });
        QCOMPARE(counts[static_cast<std::size_t>(both)], std::int64_t { 2 });
        QCOMPARE(counts[static_cast<std::size_t>(only_a)], std::int64_t { 1 });
        QCOMPARE(counts[static_cast<std::size_t>(only_b)], std::int64_t { 1 });
    }
};

KEEPSET_TEST(TestKeepCounts)
#include "tst_keep_counts.moc"
