#include "core/maximum.h"
#include "core/policy/definition.h"
#include "core/sweep/statistics.h"
#include "tests/core/golden_test.h"
#include "tests/core/run_case.h"
#include "tests/support/test_main.h"

#include <QTemporaryDir>

#include <cmath>
#include <fstream>

using namespace keepset;

namespace {

namespace fs = std::filesystem;

/// A copy of a golden folder in which every value of one tensor of the weights is multiplied.
fs::path scaled_copy(const fs::path& folder, const fs::path& to, const std::string& tensor, float factor)
{
    fs::copy(folder, to);
    std::string bytes = golden::read_bytes(to / "model.safetensors");
    std::uint64_t header = 0;
    std::memcpy(&header, bytes.data(), sizeof header);
    const auto entry = nlohmann::json::parse(bytes.substr(sizeof header, header)).at(tensor);
    if (entry.at("dtype") != "F32")
        throw std::runtime_error("the weights are not float32");
    const std::size_t begin = sizeof header + header;
    for (auto at = begin + entry.at("data_offsets").at(0).get<std::size_t>();
         at < begin + entry.at("data_offsets").at(1).get<std::size_t>(); at += sizeof(float)) {
        float value = 0;
        std::memcpy(&value, bytes.data() + at, sizeof value);
        value *= factor;
        std::memcpy(bytes.data() + at, &value, sizeof value);
    }
    fs::remove(to / "model.safetensors");
    std::ofstream(to / "model.safetensors", std::ios::binary) << bytes;
    return to;
}

SweepRequest small_sweep(const fs::path& text, const std::string& out)
{
    SweepRequest request;
    request.text = { "text.txt", golden::read_bytes(text) };
    request.policies = parse_policies("h2o,cab");
    request.sparsities = { 0.5 };
    request.context = 12;
    request.target = 4;
    request.windows = 6;
    request.out = out;
    request.command = "test";
    return request;
}

bool close(double a, double b) { return (std::isnan(a) && std::isnan(b)) || std::abs(a - b) <= 1e-12 * std::abs(b); }

} // namespace

class TestNotANumber : public QObject {
    Q_OBJECT

private:
    QTemporaryDir folder_;
    fs::path in(const char* name) const { return folder_.filePath(name).toStdString(); }
    const fs::path golden_ = golden_root / "gqa7";

    /// A sweep of the golden model, stopped after `stop_after` windows (0: not).
    std::shared_ptr<const Run> sweep(Engine& engine, const SweepRequest& request, int stop_after = 0) const
    {
        std::stop_source source;
        int windows = 0;
        std::shared_ptr<const Run> last;
        try {
            return engine.sweep(request, { source.get_token(), {} }, [&](std::shared_ptr<const Run> run) {
                last = std::move(run);
                if (++windows == stop_after)
                    source.request_stop();
            });
        } catch (const Cancelled&) {
            return last;
        }
    }

private Q_SLOTS:
    void the_maximum_keeps_a_nan_from_either_side()
    {
        const double nan = std::nan("");
        QVERIFY(std::isnan(maximum(nan, 1)) && std::isnan(maximum(1, nan)) && std::isnan(maximum(nan, nan)));
        QCOMPARE(maximum(1, 2), 2.0);
        QCOMPARE(maximum(2, 1), 2.0);
        QCOMPARE(maximum(-INFINITY, 1), 1.0);
    }

    void a_nan_in_any_head_of_a_group_is_refused_data()
    {
        QTest::addColumn<int>("gqa");
        QTest::addColumn<int>("head");
        for (const auto gqa : { GqaReduction::mean, GqaReduction::max, GqaReduction::sum }) {
            for (int head = 0; head < 3; ++head)
                QTest::addRow("%s, head %d", name_of(gqa).c_str(), head) << int(gqa) << head;
        }
    }
    void a_nan_in_any_head_of_a_group_is_refused()
    {
        QFETCH(int, gqa);
        QFETCH(int, head);
        std::vector<float> importance { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 }; // (1 layer, 3 heads, 4 tokens)
        importance[static_cast<std::size_t>(head * 4 + 1)] = NAN;
        for (const auto granularity : { Granularity::head, Granularity::layer, Granularity::model }) {
            const auto rows = policy::score_rows(
                { importance, 1, 3, 1, 4 }, { granularity, Importance::cumulative, static_cast<GqaReduction>(gqa) });
            QVERIFY(std::isnan(rows.scores[1]));
            SelectRequest request;
            request.policy = parse_policy("h2o");
            request.budget = 2;
            QVERIFY_EXCEPTION_THROWN(policy::select(rows, request), Error);
        }
    }

    void a_divergence_from_overflowed_logits_is_not_0()
    {
        // The last norm alone overflows: attention and keep sets are right, every loss is NaN.
        Engine engine;
        engine.open_model(
            scaled_copy(golden_, in("overflow"), "model.norm.weight", 3e38F), { "cpu", Dtype::float32, 1 });
        const auto run = sweep(engine, small_sweep(golden_ / "text.txt", ""));
        QCOMPARE(run->windows_done(), 6);
        for (std::size_t point = 0; point < run->points.size(); ++point) {
            QVERIFY(std::isnan(run->window_nll[point * 6]));
            QVERIFY2(std::isnan(run->points[point].kl), qPrintable(QString::number(run->points[point].kl)));
            // Two rows of NaN do not agree.
            QVERIFY2(std::isnan(run->points[point].top1_agreement),
                qPrintable(QString::number(run->points[point].top1_agreement)));
            QVERIFY(std::isfinite(run->points[point].kept_mass));
        }
        QVERIFY(!findings(*run, "h2o").at(0).decided);
        for (const Check& check : run->audit.checks) {
            const bool depends = check.name == "baseline" || check.name == "distinct" || check.name == "causality"
                || check.name == "plausible";
            if (depends)
                QVERIFY2(check.status == CheckStatus::undecided || check.status == CheckStatus::not_applicable,
                    (check.name + ": " + check.detail).c_str());
        }
    }

    void a_sweep_whose_dense_losses_are_nan_resumes_and_counts_nothing_twice_data()
    {
        QTest::addColumn<int>("stop_after");
        QTest::newRow("after the first") << 1;
        QTest::newRow("in the middle") << 3;
        QTest::newRow("all done") << 6;
    }
    void a_sweep_whose_dense_losses_are_nan_resumes_and_counts_nothing_twice()
    {
        QFETCH(int, stop_after);
        const std::string model = "nan" + std::to_string(stop_after);
        Engine engine;
        engine.open_model(
            scaled_copy(golden_, in(model.c_str()), "model.norm.weight", 3e38F), { "cpu", Dtype::float32, 1 });
        const auto whole = sweep(engine, small_sweep(golden_ / "text.txt", ""));
        SweepRequest request = small_sweep(golden_ / "text.txt", in((model + ".h5").c_str()).string());
        sweep(engine, request, stop_after);
        QCOMPARE(load_run(request.out)->windows_done(), stop_after);
        request.resume = true;
        int redone = 0;
        engine.sweep(request, {}, [&](const std::shared_ptr<const Run>&) { ++redone; });
        QCOMPARE(redone, 6 - stop_after);
        const auto resumed = load_run(request.out);
        QCOMPARE(resumed->done, std::vector<std::uint8_t>(6, 1));
        for (std::size_t point = 0; point < whole->points.size(); ++point) {
            QCOMPARE(resumed->points[point].windows, 6);
            QVERIFY(close(resumed->points[point].kept_mass, whole->points[point].kept_mass));
            QVERIFY(close(resumed->points[point].top1_agreement, whole->points[point].top1_agreement));
        }
    }

    void a_single_window_with_a_nan_is_done_all_the_same()
    {
        // The flag says it, not the values: window 2 has no finite loss and no hash.
        Run run = make_run({ { "dense", 0, [](std::int64_t) { return 3.0; } } }, 4);
        run.window_nll[2] = not_a_number;
        run.target_hash[2] = 0;
        QVERIFY(window_done(run, 2));
        run.done[1] = 0; // has a loss and a hash
        QVERIFY(!window_done(run, 1));
        QCOMPARE(done_windows(run), (std::vector<std::int64_t> { 0, 2, 3 }));
        refresh_points(run);
        QCOMPARE(run.points[0].windows, 3);
    }

    void windows_may_be_done_in_any_order()
    {
        Run run = make_run({ { "dense", 0, [](std::int64_t w) { return 3.0 + double(w); } },
                               { "h2o", 0.5, [](std::int64_t w) { return 4.0 + double(w); } } },
            5);
        for (const std::size_t w : { 0U, 3U }) {
            run.done[w] = 0;
            run.window_nll[w] = run.window_nll[5 + w] = not_a_number;
            run.target_hash[w] = run.target_hash[5 + w] = run.keep_hash[w] = run.keep_hash[5 + w] = 0;
            run.kept_entries[w] = run.kept_entries[5 + w] = 0;
            run.mass_error[w] = run.last_key_importance[w] = not_a_number;
        }
        refresh_points(run);
        save(run, in("gaps.h5"), true);
        const auto found = load_run(in("gaps.h5"));
        QCOMPARE(found->done, run.done);
        QCOMPARE(found->points[1].nll_sum, run.points[1].nll_sum);
        QCOMPARE(found->window_nll[4], run.window_nll[4]);
    }

    void a_file_of_the_first_format_opens_and_goes_on()
    {
        const fs::path old = source_root / "tests/core/files/run-1.0.h5";
        const auto run = load_run(old);
        QCOMPARE(run->done, std::vector<std::uint8_t>(6, 1));
        QCOMPARE(run->windows_done(), 6);
        QVERIFY(run->definition_hash.empty());
        QVERIFY(!audit(*run).failed());
        save(*run, in("old.h5"), true);
        QCOMPARE(load_run(in("old.h5"))->window_nll, run->window_nll);
    }

    void definitions_are_compared_on_the_real_scores()
    {
        // One keep set for the model that evicts one token: h2o and h2o(local=0.3) both drop token 1.
        std::vector<float> importance(20, 5.0F); // (1 layer, 1 head, 20 tokens)
        importance[1] = 0.1F;
        const auto rows = policy::score_rows({ importance, 1, 1, 1, 20 }, { Granularity::model });
        const auto request = [](const char* policy, std::int64_t budget) {
            SelectRequest made;
            made.policy = parse_policy(policy);
            made.budget = budget;
            return made;
        };
        const std::vector<SelectRequest> alike { request("h2o", 19), request("h2o(local=0.3)", 19),
            request("recent", 19) };
        std::vector<std::uint64_t> hashes;
        for (const SelectRequest& r : alike)
            hashes.push_back(policy::definition_hash(rows, r));
        QVERIFY(hashes[0] == hashes[1] && hashes[0] != hashes[2]);
        // What was selected for all is what `recent` keeps: the definitions tell that it should not have been.
        const std::vector<std::uint64_t> broken(3, hashes[2]);
        QCOMPARE(policy::definition_hashes([&] { return rows; }, alike, broken, 20), hashes);
        QCOMPARE(policy::definition_hashes([&] { return rows; }, alike, hashes, 20), hashes);
    }
};

KEEPSET_TEST(TestNotANumber)
#include "tst_not_a_number.moc"
