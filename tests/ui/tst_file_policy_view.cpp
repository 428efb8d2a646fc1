#include "tests/support/keep_files.h"
#include "tests/support/test_main.h"
#include "tests/ui/analysis_fixture.h"
#include "ui/keep_set_state.h"
#include "ui/row_state.h"
#include "ui/session.h"

#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>

using namespace keepset;
using namespace keepset::ui;

namespace {

constexpr std::int64_t context = 60;

/// What the pages share, with an analysis that no model is open for.
struct State {
    SelectionState selection;
    RowState rows { &selection };
    Session session;
    KeepSetState keepSets { &selection, &rows, &session };
    QSignalSpy wanted { &rows, &RowState::scoresWanted };
    QSignalSpy errors { &rows, &RowState::errorOccurred };

    State() { rows.setAnalysis(fixture::prose(context)); }
    void choose(const QString& path, const std::string& more = {})
    {
        selection.setPolicies(
            parse_policy("file(path=\"" + path.toStdString() + "\"" + more + ")"), parse_policy("recent"));
    }
};

} // namespace

/// A method from a file beside one of ours, as the window shows it.
class TestFilePolicyView : public QObject {
    Q_OBJECT

private:
    QTemporaryDir folder_;
    QString in(const QString& name) const { return folder_.filePath(name); }

    /// For 4 layers and 2 kv heads: the later a token, the higher its score, but for the first three.
    QString writeScores(const QString& name, std::int64_t tokens = context) const
    {
        std::vector<float> scores;
        for (std::int64_t i = 0; i < 4 * 2 * tokens; ++i)
            scores.push_back(static_cast<float>(i % tokens < 3 ? 1000 : i % tokens));
        keep_files::write_bytes(
            in(name).toStdString(), keep_files::safetensors({ keep_files::scores({ 4, 2, tokens }, scores) }));
        return in(name);
    }
    QString writeKeepSets(const QString& name) const
    {
        std::vector<std::uint8_t> keep;
        for (std::int64_t i = 0; i < 4 * 2 * context; ++i)
            keep.push_back(i % context % 3 == (i / context) % 2 ? 1 : 0);
        keep_files::write_bytes(
            in(name).toStdString(), keep_files::safetensors({ keep_files::keep({ 4, 2, context }, keep) }));
        return in(name);
    }

private Q_SLOTS:
    void scores_are_shown_and_explained_without_a_model()
    {
        State state;
        state.selection.setSparsity(0.9); // 6 tokens
        state.choose(writeScores("mine (2), é.safetensors"));
        QVERIFY2(state.errors.isEmpty() && state.wanted.isEmpty(), "it is read here, and no model is asked for");
        for (const Scope& scope : { Scope {}, Scope { 1, -1 }, Scope { 2, 1 } }) {
            state.selection.setScope(scope);
            const auto& shown = state.rows.selection(0);
            QVERIFY(shown.has_value());
            QCOMPARE(QString::fromStdString(shown->title), QString("File (mine (2), é.safetensors)"));
            for (std::int64_t token = 0; token < context; ++token)
                QCOMPARE(shown->labels[static_cast<std::size_t>(token)] == Label::important,
                    token < 3 || token >= context - 3);
            const auto kept = state.rows.explanation(0, 0);
            QVERIFY(kept && kept->sentence.starts_with("Kept: its score from the file, 1000, is rank 1 of 60"));
            const auto gone = state.rows.explanation(0, 10);
            QVERIFY(gone && gone->sentence.starts_with("Evicted: its score from the file 10 is below the cut-off 57"));
            QVERIFY(state.rows.selection(1).has_value());
        }
        state.keepSets.need();
        QTRY_VERIFY(state.keepSets.keepSet(0));
        QCOMPARE(kept_a_row(*state.keepSets.keepSet(0)), 6.0);
        state.choose(in("mine (2), é.safetensors"), ",uniform=false");
        QVERIFY(state.errors.isEmpty() && state.rows.selection(0).has_value());
    }

    void keep_sets_stay_as_they_are_whatever_the_slider_says()
    {
        State state;
        state.choose(writeKeepSets("keep.safetensors"));
        state.selection.setScope({ 3, 1 });
        for (const double sparsity : { 0.0, 0.5, 0.95 }) {
            state.selection.setSparsity(sparsity);
            const auto& shown = state.rows.selection(0);
            QVERIFY(shown.has_value());
            QCOMPARE(shown->budget, context / 3);
            for (std::int64_t token = 0; token < context; ++token)
                QCOMPARE(shown->labels[static_cast<std::size_t>(token)] == Label::kept, token % 3 == 1);
        }
        state.keepSets.need();
        QTRY_VERIFY(state.keepSets.keepSet(0));
        QCOMPARE(kept_a_row(*state.keepSets.keepSet(0)), static_cast<double>(context / 3));
        QVERIFY(state.errors.isEmpty());
    }

    void what_is_wrong_with_a_file_is_told_and_the_other_side_stays()
    {
        State state;
        state.choose(in("none.h5"));
        QVERIFY(!state.rows.selection(0) && state.rows.selection(1));
        QVERIFY2(state.errors.count() == 1 && state.errors[0][0].toString().contains("none.h5': there is no such file"),
            qPrintable(state.errors.value(0).value(0).toString()));
        state.choose(writeScores("longer.safetensors", 80));
        QVERIFY(!state.rows.selection(0) && state.rows.selection(1));
        QVERIFY(state.errors.last()[1].toString().contains("--context 80"));
        QVERIFY(state.wanted.isEmpty()); // no analysis would help
        state.choose(writeScores("right.safetensors"));
        QVERIFY(state.rows.selection(0).has_value());
    }
};

KEEPSET_TEST(TestFilePolicyView)
#include "tst_file_policy_view.moc"
