#include "core/bench.h"
#include "core/model/config.h"
#include "core/model_info.h"
#include "tests/core/file_errors.h"
#include "tests/support/test_main.h"

#include <QtTest>

using namespace keepset;

/// Models with random weights that benchmarks make on the spot.
class TestShapeFolder : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void a_shape_is_a_model_folder_while_it_lives()
    {
        std::filesystem::path folder;
        {
            const ShapeFolder made("smollm2-135m");
            folder = made.path();
            made.fill();
            const ModelInfo info = describe_model(folder);
            QCOMPARE(info.parameters, 134515008); // as SmolLM2-135M says of itself
            QCOMPARE(info.checkpoint_dtype, std::string("bfloat16"));
            QCOMPARE(info.heads, 9);
            QCOMPARE(info.kv_heads, 3);
            QCOMPARE(info.tokens_known, 256);
        }
        QVERIFY(!std::filesystem::exists(folder.parent_path()));
    }

    void a_shape_that_is_not_known_is_refused_with_those_that_are()
    {
        const auto refused = errors::of([] { ShapeFolder made("gpt-5"); });
        QVERIFY2(refused.is(ErrorKind::usage, "There is no shape 'gpt-5'"), refused.text());
        QVERIFY(refused.error->hint().find("gemma2-2b") != std::string::npos);
    }

    void every_shape_has_a_config_that_opens_data()
    {
        QTest::addColumn<QString>("shape");
        for (const char* shape :
            { "smollm2-135m", "qwen2-0.5b", "llama-3.2-1b", "gemma2-2b", "gemma2-2b-plain", "mixtral-tiny" })
            QTest::newRow(shape) << QString(shape);
    }
    void every_shape_has_a_config_that_opens()
    {
        QFETCH(QString, shape);
        const ShapeFolder made(shape.toStdString());
        const errors::SmallFiles small(1 << 20); // gigabytes of weights are not needed for it
        QVERIFY(errors::of([&] { made.fill(); }).error);
        const DecoderConfig config = read_config(made.path());
        QCOMPARE(config.attention_softcap != 0, shape == "gemma2-2b");
        QCOMPARE(config.experts > 0, shape == "mixtral-tiny");
    }

    void a_disk_that_is_full_is_told_with_what_is_needed()
    {
        const ShapeFolder made("smollm2-135m");
        const errors::SmallFiles small(1 << 20);
        const auto refused = errors::of([&] { made.fill(); });
        QVERIFY2(refused.is(ErrorKind::input, "269 MB are needed there"), refused.text());
    }
};

KEEPSET_TEST(TestShapeFolder)
#include "tst_shape_folder.moc"
