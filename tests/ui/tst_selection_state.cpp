#include "tests/support/test_main.h"
#include "ui/selection_state.h"

#include <QSignalSpy>
#include <QTest>

using namespace keepset;
using keepset::ui::SelectionState;

class TestSelectionState : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void a_query_head_is_chosen_with_its_kv_head_and_forgotten_with_it()
    {
        SelectionState state;
        QSignalSpy scopes(&state, &SelectionState::scopeChanged);
        QSignalSpy heads(&state, &SelectionState::headChanged);
        state.setHead(3, 7, 3); // reads kv head 2
        QCOMPARE(state.scope(), (Scope { 3, 2 }));
        QCOMPARE(state.head(), 7);
        state.setHead(3, 8, 3); // so does this
        QCOMPARE(scopes.size(), 1);
        QCOMPARE(heads.size(), 2);
        state.setHead(3, 8, 3);
        QCOMPARE(heads.size(), 2);
        state.setScope({ 3, 1 });
        QCOMPARE(state.head(), -1);
        QCOMPARE(heads.size(), 3);
        state.setScope({ 2, 1 });
        QCOMPARE(heads.size(), 3);
    }

    void starts_with_the_whole_model_and_the_two_policies()
    {
        const SelectionState state;
        QVERIFY(state.scope() == Scope {});
        QCOMPARE(state.token(), std::int64_t { -1 });
        QCOMPARE(state.policyA().name, std::string("h2o"));
        QCOMPARE(state.policyB().name, std::string("cab"));
    }

    void each_change_is_told_once_and_no_change_is_not_told()
    {
        SelectionState state;
        QSignalSpy scope(&state, &SelectionState::scopeChanged);
        QSignalSpy token(&state, &SelectionState::tokenChanged);
        QSignalSpy sparsity(&state, &SelectionState::sparsityChanged);
        QSignalSpy policies(&state, &SelectionState::policiesChanged);
        for (int i = 0; i < 2; ++i) {
            state.setScope({ 3, 1 });
            state.setToken(46);
            state.setSparsity(0.5);
            state.setPolicies({ "recent", {} }, {});
        }
        QCOMPARE(scope.size(), 1);
        QCOMPARE(token.size(), 1);
        QCOMPARE(token[0][0].toLongLong(), 46);
        QCOMPARE(sparsity.size(), 1);
        QCOMPARE(policies.size(), 1);
        QVERIFY(state.hasPolicy(0));
        QVERIFY(!state.hasPolicy(1));
    }

    void impossible_values_are_brought_into_range()
    {
        SelectionState state;
        state.setSparsity(1.0);
        QVERIFY(state.sparsity() < 1);
        state.setSparsity(-0.5);
        QCOMPARE(state.sparsity(), 0.0);
        state.setScope({ -1, 2 });
        QVERIFY(state.scope() == Scope {});
        state.setToken(-7);
        QCOMPARE(state.token(), std::int64_t { -1 });
    }

    void a_request_has_every_choice_in_it()
    {
        SelectionState state;
        state.setPolicies({ "h2o", { { "local", "0.3" } } }, { "cab", {} });
        state.setSparsity(0.9);
        state.setGranularity(Granularity::model);
        state.setImportance(Importance::mean_received);
        state.setGqa(GqaReduction::max);
        const SelectRequest request = state.request(0);
        QCOMPARE(request.policy.parameters.at("local"), std::string("0.3"));
        QCOMPARE(request.sparsity, 0.9);
        QVERIFY(request.granularity == Granularity::model);
        QVERIFY(request.importance == Importance::mean_received);
        QVERIFY(request.gqa == GqaReduction::max);
        QCOMPARE(state.request(1).policy.name, std::string("cab"));
    }
};

KEEPSET_TEST(TestSelectionState)
#include "tst_selection_state.moc"
