#include "core/command.h"
#include "core/compare_runs.h"
#include "core/preflight.h"
#include "core/sweep/plan.h"
#include "core/sweep_cost.h"
#include "tests/support/test_main.h"

#include <QTest>

#include <cmath>

using namespace keepset;

class TestCommand : public QObject {
    Q_OBJECT

private:
    /// A run as the plan of a request makes it, without results.
    static Run run_of(const SweepRequest& request)
    {
        Run run;
        run.context = request.context;
        run.target = request.target;
        run.windows = request.windows;
        run.granularity = request.granularity;
        run.rounding = request.rounding;
        run.offset = request.offset;
        run.pins = spelled(request.pins);
        for (const SelectRequest& point : plan_points(request)) {
            SweepPoint row;
            row.policy = canonical(point.policy);
            row.sparsity = point.sparsity;
            row.windows = request.windows;
            row.budget = point.budget > 0 ? point.budget : budget_of(point.sparsity, request.context, request.rounding);
            run.points.push_back(row);
        }
        return run;
    }

    static SweepRequest request()
    {
        SweepRequest request;
        request.policies = parse_policies("dense,h2o,cab(bridge_ratio=0.1,local=0.2),h2o(local=0.5)");
        request.sparsities = { 0, 0.5, 0.937 };
        request.context = 100;
        request.target = 16;
        request.windows = 7;
        return request;
    }

private Q_SLOTS:
    void words_survive_a_shell_data()
    {
        QTest::addColumn<QByteArray>("word");
        for (const char* word : { "plain", "", "two words", "it's", "a\"b", "$HOME", "tab\there", "new\nline",
                 "caf\xC3\xA9 x", "\xFF bad", "back\\slash", "h2o(local=0.5)", "*", "a;b|c" })
            QTest::newRow(word) << QByteArray(word);
    }

    void words_survive_a_shell()
    {
        QFETCH(QByteArray, word);
        const std::string line = "keepset-cli " + quoted_for_shell(word.toStdString()) + " last";
        const auto words = words_of_shell(line);
        QVERIFY(words.has_value());
        QCOMPARE(*words, (std::vector<std::string> { "keepset-cli", word.toStdString(), "last" }));
        QVERIFY(line.find('\n') == std::string::npos);
    }

    void an_open_quote_is_no_command() { QVERIFY(!words_of_shell("keepset-cli 'sweep")); }

    void what_no_shell_reads_is_no_command()
    {
        for (const char* const line : { "keepset-cli sweep $'\\xZZ' --text t", "keepset-cli sweep $'\\x4' --text t",
                 "keepset-cli sweep $'\\x", "keepset-cli sweep $'\\" }) {
            QVERIFY2(!words_of_shell(line), line);
            QVERIFY2(!place_of_command(line), line);
        }
    }

    void a_command_names_what_differs_from_the_preset()
    {
        SweepRequest asked = request();
        asked.offset = 12;
        asked.key_tokens = { 32, 0.5, 2 };
        asked.out = "my run.h5";
        const std::string line = sweep_command(asked, { "models/a b", "text.txt", {} });
        QCOMPARE(QString::fromStdString(line),
            QStringLiteral("keepset-cli sweep 'models/a b' --text text.txt --policies "
                           "'dense,h2o,cab(local=0.2,bridge_ratio=0.1),h2o(local=0.5)' --sparsity 0,0.5,0.937 "
                           "--context 100 --target 16 --windows 7 --granularity head --offset 12 --short 32 "
                           "--key-gain 0.5 --out 'my run.h5'"));
        const auto place = place_of_command(line);
        QVERIFY(place.has_value());
        QCOMPARE(place->model, std::string("models/a b"));
        QCOMPARE(place->text, std::string("text.txt"));
        QVERIFY(!place_of_command("keepset-cli analyze model --text a.txt"));
    }

    void pins_are_in_the_command_and_in_what_goes_on()
    {
        SweepRequest asked = request();
        asked.pins = { { 120, 180, true }, { 300, 320, false } };
        const auto words = words_of_shell(sweep_command(asked, { "model", "text.txt", {} }));
        QVERIFY(words.has_value());
        const auto option = std::ranges::find(*words, "--pin");
        QVERIFY(option != words->end());
        QCOMPARE(parse_pins(*(option + 1)), asked.pins);
        QCOMPARE(request_of(run_of(asked)).pins, asked.pins);
        QVERIFY(place_of_command(sweep_command(asked, { "model", "text.txt", {} })).has_value());
    }

    void the_model_is_found_wherever_it_stands()
    {
        const auto place
            = place_of_command("keepset-cli sweep --quiet --text=a.txt --device cuda:1 --dtype float16 model --resume");
        QVERIFY(place.has_value());
        QCOMPARE(place->model, std::string("model"));
        QCOMPARE(place->text, std::string("a.txt"));
        QCOMPARE(place->options.device, std::string("cuda:1"));
        QCOMPARE(place->options.dtype, Dtype::float16);
    }

    void a_run_gives_back_the_plan_it_was_made_by_data()
    {
        QTest::addColumn<bool>("budgets");
        QTest::newRow("sparsities") << false;
        QTest::newRow("budgets") << true;
    }

    void a_run_gives_back_the_plan_it_was_made_by()
    {
        QFETCH(bool, budgets);
        SweepRequest asked = request();
        if (budgets) {
            asked.budgets = { 3, 33, 99 };
            asked.sparsities.clear();
        }
        const Run run = run_of(asked);
        const Run again = run_of(request_of(run));
        QCOMPARE(again.points.size(), run.points.size());
        for (std::size_t row = 0; row < run.points.size(); ++row) {
            QCOMPARE(again.points[row].policy, run.points[row].policy);
            QCOMPARE(again.points[row].sparsity, run.points[row].sparsity);
            QCOMPARE(again.points[row].budget, run.points[row].budget);
        }
        QCOMPARE(again.windows, run.windows);
    }

    void windows_are_those_that_the_text_has_room_for()
    {
        SweepRequest asked = request(); // 116 tokens
        QCOMPARE(windows_in(asked, 1160, false), std::int64_t { 10 });
        QCOMPARE(windows_in(asked, 1159, false), std::int64_t { 9 });
        QCOMPARE(windows_in(asked, 1 + 1150, true), std::int64_t { 10 }); // each begins with the one BOS
        asked.offset = 2000;
        QCOMPARE(windows_in(asked, 1160, false), std::int64_t { 0 });
    }

    void the_work_of_a_window_is_its_context_and_a_target_for_every_point()
    {
        SweepRequest asked;
        asked.context = 1000;
        asked.target = 100;
        asked.policies = parse_policies("dense,h2o,cab");
        asked.sparsities = { 0, 0.5, 0.9 };
        QCOMPARE(work_of_window(asked), 1000 + 100 * 7.0); // dense is one point
        QCOMPARE(seconds_per_work(asked, 4, 34), 0.005);
        QCOMPARE(expected_seconds(asked, 8, 0.005), 68.0);
        QVERIFY(std::isnan(expected_seconds(asked, 8, not_a_number)));
        asked.sparsities.clear();
        asked.budgets = { 10, 20 };
        QCOMPARE(work_of_window(asked), 1000 + 100 * 5.0);
        asked.policies = parse_policies("h2o,cab"); // dense is added
        QCOMPARE(work_of_window(asked), 1000 + 100 * 5.0);
    }

    void what_should_be_known_before_a_start_is_said()
    {
        SweepRequest asked = request();
        asked.policies = parse_policies("dense,h2o,cab");
        const auto sentences = advice(asked, 4);
        QCOMPARE(sentences.size(), std::size_t { 3 });
        QVERIFY(sentences[0].starts_with("4 windows give no interval"));
        QVERIFY(sentences[1].find("control H2O (local 0.3) is missing") != std::string::npos);
        QVERIFY(sentences[2].starts_with("Without random(sink=4,recent=0.1) it stays open what a score adds"));
        asked.policies = parse_policies("dense,h2o,cab,h2o(local=0.3),random(recent=9,sink=2)");
        QVERIFY(advice(asked, 8).empty());
        asked.policies = parse_policies("dense,recent,streaming-llm"); // no score
        QVERIFY(advice(asked, 8).empty());
    }

    void runs_beside_one_another_say_what_differs()
    {
        Run shown = run_of(request());
        shown.provenance.text_name = "a.txt";
        shown.provenance.text_sha256 = "1";
        Run other = shown;
        QVERIFY(compare_runs(shown, other).differs.empty());
        other.provenance.text_name = "b.txt";
        other.provenance.text_sha256 = "2";
        other.context = 512;
        const RunComparison found = compare_runs(shown, other);
        QCOMPARE(
            found.differs, (std::vector<std::string> { "text b.txt instead of a.txt", "context 512 instead of 100" }));
        QVERIFY(found.refusal.empty());
        other.provenance.tokenizer_sha256 = "3";
        QVERIFY(compare_runs(shown, other).refusal.find("tokenizer") != std::string::npos);
        other = shown;
        other.points.front().windows = 0;
        QVERIFY(!compare_runs(shown, other).refusal.empty());
    }
};

KEEPSET_TEST(TestCommand)
#include "tst_command.moc"
