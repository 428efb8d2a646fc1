#include "tests/core/broken_sweep.h"
#include "tests/support/test_main.h"

#include <QTemporaryDir>

#include <cmath>
#include <cstring>
#include <fstream>

using namespace keepset;

namespace {

/// A golden folder whose float32 down projections are `times` as large.
std::filesystem::path scaled(const QTemporaryDir& parent, float times)
{
    const std::filesystem::path folder = parent.filePath("scaled").toStdString();
    std::filesystem::copy(golden_root / "biases", folder);
    std::string bytes = golden::read_bytes(folder / "model.safetensors");
    std::uint64_t length = 0;
    std::memcpy(&length, bytes.data(), sizeof length);
    const auto header = nlohmann::json::parse(bytes.substr(8, length));
    for (const auto& [name, tensor] : header.items()) {
        if (name.find("down_proj.weight") == std::string::npos)
            continue;
        const auto offsets = tensor.at("data_offsets").get<std::vector<std::size_t>>();
        for (std::size_t at = 8 + length + offsets[0]; at < 8 + length + offsets[1]; at += sizeof(float)) {
            float value = 0;
            std::memcpy(&value, &bytes[at], sizeof value);
            value *= times;
            std::memcpy(&bytes[at], &value, sizeof value);
        }
    }
    std::filesystem::remove(folder / "model.safetensors");
    std::ofstream(folder / "model.safetensors", std::ios::binary) << bytes;
    return folder;
}

} // namespace

/// Models that overflow: the audit names that first, and does not blame the policies for what follows from it.
class TestAuditOverflow : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void a_sweep_that_overflows_fails_finite_and_nothing_else_data()
    {
        QTest::addColumn<float>("times");
        QTest::addColumn<int>("dtype");
        QTest::newRow("float32") << 1e30F << int(Dtype::float32);
        QTest::newRow("bfloat16") << 1e30F << int(Dtype::bfloat16);
    }
    void a_sweep_that_overflows_fails_finite_and_nothing_else()
    {
        QFETCH(float, times);
        QFETCH(int, dtype);
        QTemporaryDir parent;
        Engine engine;
        engine.open_model(scaled(parent, times), { .device = "cpu", .dtype = static_cast<Dtype>(dtype), .threads = 2 });
        SweepRequest request = RealSweep::request();
        request.text = { "text.txt", golden::read_bytes(golden_root / "biases/text.txt") };
        const auto run = engine.sweep(request);
        const Check& first = run->audit.checks.front();
        QCOMPARE(first.name, std::string("finite"));
        QVERIFY2(first.status == CheckStatus::fail, first.detail.c_str());
        QVERIFY2(QString::fromStdString(first.detail).contains("its dtype overflowed"), first.detail.c_str());
        for (const Check& check : run->audit.checks) {
            const bool independent = check.name == "budget" || check.name == "same targets";
            if (&check != &first)
                QVERIFY2((check.status == CheckStatus::pass) == independent
                        && (check.status == CheckStatus::undecided) != independent,
                    (check.name + ": " + check.detail).c_str());
        }
    }

    void a_sweep_whose_importance_overflows_in_float16_is_recorded_and_fails_finite_data()
    {
        QTest::addColumn<int>("protocol");
        QTest::newRow("prefill-evict") << int(Protocol::prefill_evict);
        QTest::newRow("token-drop") << int(Protocol::token_drop);
    }
    void a_sweep_whose_importance_overflows_in_float16_is_recorded_and_fails_finite()
    {
        QFETCH(int, protocol);
        QTemporaryDir parent;
        Engine engine;
        engine.open_model(scaled(parent, 1e7F), { .device = "cpu", .dtype = Dtype::float16, .threads = 2 });
        SweepRequest request = RealSweep::request();
        request.text = { "text.txt", golden::read_bytes(golden_root / "biases/text.txt") };
        request.protocol = static_cast<Protocol>(protocol);
        if (request.protocol == Protocol::token_drop)
            request.granularity = Granularity::model;
        request.out = parent.filePath("run.h5").toStdString();
        const auto run = engine.sweep(request);
        QCOMPARE(run->windows_done(), request.windows);
        const auto windows = static_cast<std::size_t>(run->windows);
        for (std::size_t point = 0; point < run->points.size(); ++point) {
            QVERIFY(std::isnan(run->window_nll[point * windows]) && std::isnan(run->points[point].top1_agreement));
            const bool whole = run->points[point].sparsity == 0;
            QCOMPARE(run->keep_hash[point * windows] != 0, whole); // nothing was chosen by NaN
            QCOMPARE(run->kept_entries[point * windows] > 0, whole);
        }
        QVERIFY(run->audit.failed());
        const Check& first = run->audit.checks.front();
        QVERIFY2(first.name == "finite" && first.status == CheckStatus::fail
                && first.detail.find("computed in float16") != std::string::npos,
            first.detail.c_str());
        for (const Check& check : run->audit.checks) {
            if (&check != &first)
                QVERIFY2(check.status == CheckStatus::undecided || check.status == CheckStatus::not_applicable,
                    (check.name + ": " + check.detail).c_str());
        }
        const AuditReport again = audit(*load_run(request.out));
        for (std::size_t n = 0; n < again.checks.size(); ++n)
            QCOMPARE(again.checks[n].detail, run->audit.checks[n].detail);
    }

    void a_selection_by_importance_that_overflowed_is_an_error_that_names_the_dtype()
    {
        QTemporaryDir parent;
        Engine engine;
        engine.open_model(scaled(parent, 1e7F), { .device = "cpu", .dtype = Dtype::float16, .threads = 2 });
        AnalysisRequest passage;
        passage.text = { "text.txt", golden::read_bytes(golden_root / "biases/text.txt") };
        const auto analysis = engine.analyse(passage);
        SelectRequest request;
        request.policy = parse_policy("h2o");
        request.sparsity = 0.5;
        try {
            select(*analysis, request);
            QFAIL("no error");
        } catch (const Error& error) {
            QVERIFY(error.kind() == ErrorKind::input);
            QVERIFY2(QString::fromStdString(error.what()).contains("not a finite number"), error.what());
            QVERIFY2(QString::fromStdString(error.hint()).contains("dtype"), error.hint().c_str());
        }
    }

    void an_analysis_that_overflows_fails_finite()
    {
        QTemporaryDir parent;
        Engine engine;
        engine.open_model(scaled(parent, 1e30F), { .device = "cpu", .dtype = Dtype::float32, .threads = 2 });
        AnalysisRequest request;
        request.text = { "text.txt", golden::read_bytes(golden_root / "biases/text.txt") };
        const auto analysis = engine.analyse(request);
        QVERIFY2(
            analysis->audit.checks.front().status == CheckStatus::fail, analysis->audit.checks.front().detail.c_str());
        QVERIFY(check_of(analysis->audit, "mass").status == CheckStatus::undecided);
        QVERIFY(check_of(analysis->audit, "causality").status == CheckStatus::undecided);
    }

    void another_token_changes_nothing_before_it_in_a_mixture_in_16_bits_data()
    {
        QTest::addColumn<QString>("model");
        QTest::addColumn<int>("dtype");
        for (const char* model : { "families/mixtral", "families/qwen3_moe", "biases" }) {
            for (const Dtype dtype : { Dtype::float32, Dtype::bfloat16, Dtype::float16 })
                QTest::addRow("%s, %s", model, name_of(dtype).c_str()) << model << static_cast<int>(dtype);
        }
    }
    void another_token_changes_nothing_before_it_in_a_mixture_in_16_bits()
    {
        QFETCH(QString, model);
        QFETCH(int, dtype);
        if (!has_test_device())
            QSKIP("no such device here");
        const Golden golden = read_golden(golden_root / model.toStdString());
        Engine engine;
        engine.open_model(golden.model, { .device = test_device(), .dtype = static_cast<Dtype>(dtype), .threads = 2 });
        AnalysisRequest request;
        request.text = golden.text;
        const auto analysis = engine.analyse(request);
        QCOMPARE(analysis->perturbation.before, 0.0); // passes of equal shapes: to the last bit
        QVERIFY(analysis->perturbation.after > 0);
        QVERIFY(check_of(analysis->audit, "causality").status == CheckStatus::pass);
    }

    void keep_sets_that_come_later_are_audited_with_the_analysis()
    {
        const Golden golden = read_golden(golden_root / "biases");
        Engine engine;
        engine.open_model(golden.model, { .device = "cpu", .dtype = Dtype::float32, .threads = 2 });
        AnalysisRequest passage;
        passage.text = golden.text;
        Analysis analysis = *engine.analyse(passage);
        QVERIFY(check_of(analysis.audit, "budget").status == CheckStatus::not_applicable);
        SelectRequest request;
        request.policy = parse_policy("h2o");
        request.sparsity = 0.5;
        const std::string causality = check_of(analysis.audit, "causality").detail;
        add_keep_sets(analysis, { select(analysis, request) });
        QVERIFY(check_of(analysis.audit, "budget").status == CheckStatus::pass);
        QCOMPARE(check_of(analysis.audit, "causality").detail, causality);
        QTemporaryDir folder;
        const std::string file = folder.filePath("trace.h5").toStdString();
        save(analysis, file, false);
        const auto loaded = load_analysis(file);
        const AuditReport again = audit(*loaded);
        for (std::size_t n = 0; n < again.checks.size(); ++n) {
            QCOMPARE(loaded->audit.checks[n].detail, analysis.audit.checks[n].detail);
            QCOMPARE(again.checks[n].detail, analysis.audit.checks[n].detail);
        }
    }
};

KEEPSET_TEST(TestAuditOverflow)
#include "tst_audit_overflow.moc"
