#include "core/engine.h"
#include "tests/app/stop_time.h"
#include "tests/support/test_main.h"

#include <QTemporaryDir>

#include <nlohmann/json.hpp>

using namespace keepset;

namespace {

/// random(seed=1),random(seed=2),…
QString policies(int count)
{
    QStringList names;
    for (int seed = 1; seed <= count; ++seed)
        names << QString("random(seed=%1)").arg(seed);
    return names.join(',');
}

/// Runs it with 6 GiB of address space, which is more than the program with its libraries takes and far less than what
/// a size by mistake asks for. The address sanitizer takes 16 TiB of it for itself: with that there is no limit.
cli::Result run_in_little_memory(const QStringList& arguments)
{
    QProcess process;
#ifndef __SANITIZE_ADDRESS__
    process.setChildProcessModifier([] {
        const rlimit limit { rlim_t { 6 } << 30U, rlim_t { 6 } << 30U };
        setrlimit(RLIMIT_AS, &limit);
    });
#endif
    process.start(KEEPSET_CLI, arguments);
    process.closeWriteChannel();
    return cli::ended(process);
}

} // namespace

/// Many points cost as many times more as there are, and a size by mistake costs nothing.
class TestCliScale : public QObject {
    Q_OBJECT

private:
    QTemporaryDir folder_;

    QString in(const QString& name) const { return folder_.filePath(name); }
    QStringList sweep(const QString& name, int count, int windows) const
    {
        return { "sweep", cli::tiny_model(), "--text", cli::demo_text(), "--context", "48", "--target", "8",
            "--windows", QString::number(windows), "--policies", policies(count), "--sparsity", "0.5", "--threads", "1",
            "--quiet", "--out", in(name) };
    }
    /// Processor time, which other tests do not change.
    double seconds_of(int count)
    {
        const double begin = cli::children_seconds();
        const cli::Result result = cli::run(sweep(QString("many-%1.h5").arg(count), count, 5));
        if (result.status != 0)
            qWarning("%s", result.text().constData());
        return result.status == 0 ? cli::children_seconds() - begin : -1;
    }

private Q_SLOTS:
    void time_grows_with_the_number_of_points()
    {
        const double none = seconds_of(1); // to start and to open
        const double some = seconds_of(600) - none;
        const double many = seconds_of(2400) - none;
        qInfo("%.2f s for 600 policies, %.2f s for 2400", some, many);
        QVERIFY(none > 0 && some > 0 && many > 0);
        QVERIFY2(many < 8 * some + 1, "four times the points take far more than four times as long"); // 16: quadratic
    }

    void a_command_of_more_than_64_kb_is_kept_whole()
    {
        const QString file = in("many-4200.h5");
        const cli::Result result = cli::run(sweep("many-4200.h5", 4200, 1));
        QVERIFY2(result.status == 0, result.text());
        const auto run = load_run(file.toStdString());
        QVERIFY(run->provenance.command.size() > 70'000);
        QVERIFY(QString::fromStdString(run->provenance.command).contains("random(seed=4200)"));
        QCOMPARE(run->points.size(), std::size_t { 4201 });
        const cli::Result shown = cli::run({ "show", file });
        QVERIFY2(shown.status == 0 && shown.out.contains("random(seed=4200)"), shown.text());
    }

    void a_stop_is_answered_among_thousands_of_points_data()
    {
        QTest::addColumn<int>("after_ms");
        for (const int after_ms : { 0, 300, 1000, 2500 })
            QTest::addRow("after %d ms", after_ms) << after_ms;
    }
    void a_stop_is_answered_among_thousands_of_points()
    {
        QFETCH(const int, after_ms);
        QProcess process;
        process.start(KEEPSET_CLI, sweep(QString("stopped-%1.h5").arg(after_ms), 4200, 60));
        QVERIFY(process.waitForStarted());
        QTRY_VERIFY_WITH_TIMEOUT(cli::blocks_signals(process), 60000);
        QTest::qWait(after_ms);
        QVERIFY2(process.state() == QProcess::Running, "It was done before it could be stopped.");
        const cli::Stopped stopped = cli::stop(process);
        QVERIFY2(stopped.in_time() && stopped.result.status == 130, stopped.text());
    }

    void a_size_that_no_weights_have_is_refused_before_anything_is_made_by_it_data()
    {
        QTest::addColumn<QString>("field");
        QTest::addColumn<QString>("number");
        for (const char* field : { "num_hidden_layers", "hidden_size", "vocab_size", "num_attention_heads",
                 "num_key_value_heads", "intermediate_size", "head_dim" }) {
            for (const char* number : { "1000000000", "2147483647", "70000" })
                QTest::addRow("%s %s", field, number) << field << number;
        }
    }
    void a_size_that_no_weights_have_is_refused_before_anything_is_made_by_it()
    {
        QFETCH(const QString, field);
        QFETCH(const QString, number);
        const QString folder = in(field + number);
        QVERIFY(cli::copy_tiny_model(folder));
        nlohmann::json config = nlohmann::json::parse(cli::read(folder + "/config.json").toStdString());
        config[field.toStdString()] = number.toLongLong();
        QVERIFY(cli::write(folder + "/config.json", QByteArray::fromStdString(config.dump())));
        for (const QStringList& words : { QStringList { "info", folder },
                 QStringList { "logits", folder, "--text", cli::demo_text(), "--quiet" } }) {
            const cli::Result result = run_in_little_memory(words);
            QVERIFY2(result.status == 3 && result.is_one_sentence(), result.text());
            QVERIFY2(result.said("config.json") && result.said(field) && result.said(number), result.text());
        }
    }
    void a_mixture_of_a_billion_experts_is_refused_data()
    {
        QTest::addColumn<QString>("field");
        for (const char* field : { "num_local_experts", "num_experts_per_tok", "num_hidden_layers" })
            QTest::newRow(field) << field;
    }
    void a_mixture_of_a_billion_experts_is_refused()
    {
        QFETCH(const QString, field);
        const QString folder = in("experts-" + field);
        QVERIFY(cli::copy_tiny_model(folder));
        nlohmann::json config = nlohmann::json::parse(cli::read(folder + "/config.json").toStdString());
        config.update({ { "model_type", "mixtral" }, { "architectures", { "MixtralForCausalLM" } },
            { "num_local_experts", 8 }, { "num_experts_per_tok", 2 } });
        config.erase("attention_bias");
        config.erase("mlp_bias");
        config[field.toStdString()] = 1000000000;
        QVERIFY(cli::write(folder + "/config.json", QByteArray::fromStdString(config.dump())));
        const cli::Result result = run_in_little_memory({ "logits", folder, "--text", cli::demo_text(), "--quiet" });
        QVERIFY2(result.status == 3 && result.is_one_sentence() && result.said(field), result.text());
    }
};

KEEPSET_TEST(TestCliScale)
#include "tst_cli_scale.moc"
