#include "tests/kernels/importance_device_case.h"
#include "tests/support/test_main.h"

#include <QCoreApplication>
#include <QTest>

#include <cmath>
#include <limits>
#include <memory>
#include <stdexcept>

using namespace keepset::kernels;
using namespace keepset::kernels::test;

namespace {

constexpr double exponential_error = 3e-7; // expf: at most 2 units in the last place
constexpr double tangent_error = 3e-7; // tanhf: the same

/// Runs the module's kernel on the case rounded to `type` as it is. Returns (heads, keys).
std::vector<float> cuda_sums_as_is(
    const CudaModule& module, ImportanceCase& values, ElementType type, ImportancePath path)
{
    const DeviceCase device(module, values, type, path);
    device.add();
    return device.sums();
}

/// The same with the log-sum-exp of the rounded case.
std::vector<float> cuda_sums(const CudaModule& module, ImportanceCase& values, ElementType type, ImportancePath path)
{
    round_to(type, values);
    values.normalise();
    return cuda_sums_as_is(module, values, type, path);
}

/// Empty where every sum is within the bound of the reference, else a sentence.
QString first_disagreement(const ImportanceCase& values, const std::vector<float>& sums)
{
    return QString::fromStdString(test::first_disagreement(values, sums, exponential_error, tangent_error));
}

/// Whether the kernel of a path takes a head_dim; the strides of Rows::aligned are taken by all.
bool takes(ImportancePath path, std::int64_t head_dim)
{
    return path != ImportancePath::mma || (head_dim % 16 == 0 && head_dim <= 256);
}

} // namespace

class TestImportanceCuda : public QObject {
    Q_OBJECT

    LoadedModule loaded_;
    std::mt19937 random_;

private Q_SLOTS:
    void initTestCase()
    {
        loaded_ = load_cuda_module(QCoreApplication::applicationDirPath().toStdString());
        if (loaded_.module == nullptr)
            QSKIP(loaded_.reason.c_str());
        const unsigned seed = std::random_device {}();
        random_.seed(seed);
        qInfo("seed %u", seed);
    }

    void the_module_has_the_version_of_its_header() { QCOMPARE(loaded_.module->version, cuda_module_version); }

    void the_module_tells_the_driver_and_the_devices_it_runs_on()
    {
        QCOMPARE(loaded_.module->bytes, sizeof(CudaModule));
        const CudaDriver driver = loaded_.module->driver();
        QVERIFY(driver.devices > 0 && driver.problem.empty());
        QVERIFY(driver.supports / 1000 >= driver.needs / 1000 && driver.needs >= 12000);
        QVERIFY(loaded_.module->minimum_capability >= 50);
        QVERIFY(loaded_.module->capability(0) >= loaded_.module->minimum_capability);
        QVERIFY(cudaGetLastError() == cudaSuccess);
    }

    void the_kernel_agrees_with_the_reference_data() { path_rows(); }
    void the_kernel_agrees_with_the_reference()
    {
        QFETCH(ElementType, type);
        QFETCH(ImportancePath, path);
        QFETCH(Rows, rows);
        for (int round = 0; round < 15; ++round) {
            ImportanceCase values = random_case(random_, rows);
            const std::vector<float> sums = cuda_sums(*loaded_.module, values, type, path);
            const QString wrong = first_disagreement(values, sums);
            QVERIFY2(wrong.isEmpty(), qPrintable(wrong));
        }
    }

    void every_rule_agrees_with_the_reference_data() { path_rows(); }
    void every_rule_agrees_with_the_reference()
    {
        QFETCH(ElementType, type);
        QFETCH(ImportancePath, path);
        QFETCH(Rows, rows);
        for (int round = 0; round < 30; ++round) {
            ImportanceCase values = random_rule_case(random_, rows);
            const std::vector<float> sums = cuda_sums(*loaded_.module, values, type, path);
            const QString wrong = first_disagreement(values, sums);
            QVERIFY2(wrong.isEmpty(), qPrintable(wrong));
        }
    }

    void packed_sequences_agree_with_the_reference_data() { path_rows(); }
    void packed_sequences_agree_with_the_reference()
    {
        QFETCH(ElementType, type);
        QFETCH(ImportancePath, path);
        QFETCH(Rows, rows);
        for (int round = 0; round < 20; ++round) {
            ImportanceCase values = random_packed_case(random_, rows);
            const std::vector<float> sums = cuda_sums(*loaded_.module, values, type, path);
            const QString wrong = first_disagreement(values, sums);
            QVERIFY2(wrong.isEmpty(), qPrintable(wrong));
        }
    }

    void awkward_windows_agree_with_the_reference_data() { path_rows(); }
    void awkward_windows_agree_with_the_reference()
    {
        QFETCH(ElementType, type);
        QFETCH(ImportancePath, path);
        QFETCH(Rows, rows);
        for (const AttentionShape& shape : awkward_windows()) {
            if (!takes(path, shape.head_dim))
                continue;
            ImportanceCase values = normal_case(shape, random_, rows);
            const std::vector<float> sums = cuda_sums(*loaded_.module, values, type, path);
            const QString wrong = first_disagreement(values, sums);
            QVERIFY2(wrong.isEmpty(), qPrintable(wrong));
        }
    }

    void awkward_shapes_agree_with_the_reference_data() { path_rows(); }
    void awkward_shapes_agree_with_the_reference()
    {
        QFETCH(ElementType, type);
        QFETCH(ImportancePath, path);
        QFETCH(Rows, rows);
        for (const auto& [label, shape] : awkward_shapes()) {
            if (!takes(path, shape.head_dim))
                continue;
            ImportanceCase values = normal_case(shape, random_, rows);
            const std::vector<float> sums = cuda_sums(*loaded_.module, values, type, path);
            const QString wrong = first_disagreement(values, sums);
            QVERIFY2(wrong.isEmpty(), qPrintable(wrong));
        }
    }

    void the_error_stays_below_1e_5_over_32768_queries_data() { path_rows(); }
    void the_error_stays_below_1e_5_over_32768_queries()
    {
        QFETCH(ElementType, type);
        QFETCH(ImportancePath, path);
        QFETCH(Rows, rows);
        ImportanceCase values = normal_case({ 1, 1, 16, 32768, 70 }, random_, rows);
        const std::vector<float> sums = cuda_sums(*loaded_.module, values, type, path);
        const std::vector<double> expected = reference_sums(values);
        double largest = 0;
        for (std::size_t at = 0; at < sums.size(); ++at)
            largest = std::max(largest, std::abs(static_cast<double>(sums[at]) - expected[at]) / expected[at]);
        qInfo("largest relative error %.2g", largest);
        QVERIFY(largest < 1e-5);
    }

    void a_second_run_changes_no_bit_data() { path_rows(); }
    void a_second_run_changes_no_bit()
    {
        QFETCH(ElementType, type);
        QFETCH(ImportancePath, path);
        QFETCH(Rows, rows);
        ImportanceCase values = normal_case({ 6, 2, 64, 700, 700 }, random_, rows);
        const std::vector<float> first = cuda_sums(*loaded_.module, values, type, path);
        QCOMPARE(cuda_sums(*loaded_.module, values, type, path), first);
    }

    void what_is_not_finite_shows_in_every_sum_it_touches_and_no_other_data() { path_rows(); }
    void what_is_not_finite_shows_in_every_sum_it_touches_and_no_other()
    {
        QFETCH(ElementType, type);
        QFETCH(ImportancePath, path);
        QFETCH(Rows, rows);
        const float infinity = std::numeric_limits<float>::infinity();
        for (const bool ruled : { false, true }) {
            for (const float value : { std::numeric_limits<float>::quiet_NaN(), infinity, -infinity }) {
                for (const char* where : { "query", "key", "lse", "bias" }) {
                    AttentionShape shape { 4, 2, 32, 350, 350 };
                    shape.softcap = ruled ? 5 : 0;
                    shape.window = ruled ? 90 : 0;
                    ImportanceCase values
                        = ruled ? biased_case(shape, random_, rows) : normal_case(shape, random_, rows);
                    const std::vector<float> clean = cuda_sums(*loaded_.module, values, type, path);
                    poison(values, where, value);
                    const std::vector<float> sums = cuda_sums_as_is(*loaded_.module, values, type, path);
                    const std::vector<double> expected = reference_sums(values);
                    for (std::size_t at = 0; at < sums.size(); ++at)
                        QVERIFY2(std::isnan(expected[at]) ? std::isnan(sums[at]) : sums[at] == clean[at],
                            qPrintable(QString("%1 %2, sum %3").arg(where).arg(double { value }).arg(at)));
                }
            }
        }
    }

    void the_hopper_kernel_agrees_with_the_reference_data() { hopper_rows(); }
    void the_hopper_kernel_agrees_with_the_reference()
    {
        QFETCH(ElementType, type);
        QFETCH(std::int64_t, head_dim);
        std::vector<AttentionShape> shapes = {
            { 7, 1, head_dim, 333, 500, 167 }, // seven query heads a kv head, queries that begin after the keys
            { 4, 2, head_dim, 1000, 1000 },
            { 140, 20, head_dim, 140, 260, 120 }, // more works than an H100 or H200 has multiprocessors
            { 1, 1, head_dim, 1, 1 },
            { 2, 1, head_dim, 5, 90, 3 },
            { 3, 1, head_dim, 200, 3 },
            { 2, 1, head_dim, 130, 100, -40 },
        };
        for (const std::int64_t window : { 1, 65, 300 }) {
            shapes.push_back({ 2, 2, head_dim, 611, 611 });
            shapes.back().window = window;
        }
        if (head_dim == 64) { // from about 3000 queries on it takes other tiles
            shapes.push_back({ 1, 1, head_dim, 3100, 3111, 11 });
            shapes.push_back({ 2, 1, head_dim, 3333, 3000 });
            shapes.back().window = 700;
        }
        for (const AttentionShape& shape : shapes) {
            ImportanceCase values = normal_case(shape, random_, Rows::aligned);
            const std::vector<float> sums = cuda_sums(*loaded_.module, values, type, ImportancePath::hopper);
            const QString wrong = first_disagreement(values, sums);
            QVERIFY2(wrong.isEmpty(), qPrintable(wrong));
            QCOMPARE(cuda_sums_as_is(*loaded_.module, values, type, ImportancePath::hopper), sums);
        }
    }

    void the_hopper_kernel_shows_what_is_not_finite_data() { hopper_rows(); }
    void the_hopper_kernel_shows_what_is_not_finite()
    {
        QFETCH(ElementType, type);
        QFETCH(std::int64_t, head_dim);
        const float infinity = std::numeric_limits<float>::infinity();
        for (const float value : { std::numeric_limits<float>::quiet_NaN(), infinity, -infinity }) {
            for (const char* where : { "query", "key", "lse" }) {
                ImportanceCase values = normal_case({ 4, 2, head_dim, 350, 350 }, random_, Rows::aligned);
                const std::vector<float> clean = cuda_sums(*loaded_.module, values, type, ImportancePath::hopper);
                poison(values, where, value);
                if (QLatin1String(where) == QLatin1String("query"))
                    values.normalise(); // the kernel takes such a row's log-sum-exp to show it
                const std::vector<float> sums = cuda_sums_as_is(*loaded_.module, values, type, ImportancePath::hopper);
                const std::vector<double> expected = reference_sums(values);
                for (std::size_t at = 0; at < sums.size(); ++at)
                    QVERIFY2(std::isnan(expected[at]) ? std::isnan(sums[at]) : sums[at] == clean[at],
                        qPrintable(QString("%1 %2, sum %3").arg(where).arg(double { value }).arg(at)));
            }
        }
    }

    void launches_side_by_side_do_not_touch_one_another_data() { hopper_rows(); }
    void launches_side_by_side_do_not_touch_one_another()
    {
        QFETCH(ElementType, type);
        QFETCH(std::int64_t, head_dim);
        ImportanceCase values = normal_case({ 40, 8, head_dim, 700, 700 }, random_, Rows::aligned);
        round_to(type, values);
        values.normalise();
        constexpr int launches = 20;
        const DeviceCase alone(*loaded_.module, values, type, ImportancePath::hopper);
        for (int i = 0; i < launches; ++i)
            alone.add();
        const std::vector<float> expected = alone.sums();
        std::vector<std::unique_ptr<DeviceCase>> together;
        for (int i = 0; i < 4; ++i)
            together.push_back(std::make_unique<DeviceCase>(*loaded_.module, values, type, ImportancePath::hopper));
        for (int i = 0; i < launches; ++i)
            for (const auto& device : together)
                device->add();
        for (const auto& device : together)
            QCOMPARE(device->sums(), expected);
    }

    void a_key_that_no_query_sees_is_left_alone_data() { path_rows(); }
    void a_key_that_no_query_sees_is_left_alone()
    {
        QFETCH(ElementType, type);
        QFETCH(ImportancePath, path);
        QFETCH(Rows, rows);
        AttentionShape shape { 1, 1, 16, 10, 40, 25 };
        shape.window = 4;
        ImportanceCase values = biased_case(shape, random_, rows);
        const std::vector<float> clean = cuda_sums(*loaded_.module, values, type, path);
        values.k_at(0, 21, 0) = std::numeric_limits<float>::quiet_NaN(); // the first query sees keys 22 … 25
        values.bias[35] = std::numeric_limits<float>::quiet_NaN(); // the last one keys 31 … 34
        const std::vector<float> sums = cuda_sums_as_is(*loaded_.module, values, type, path);
        QCOMPARE(sums, clean);
        for (std::size_t key = 0; key < 40; ++key)
            QCOMPARE(sums[key] > 0, key >= 22 && key < 35);
    }

    void a_long_context_is_good_to_1e_5_data()
    {
        QTest::addColumn<ElementType>("type");
        QTest::addColumn<std::int64_t>("head_dim");
        for (const std::int64_t head_dim : { 64, 80, 96, 128, 256 }) {
            QTest::addRow("bfloat16, head_dim %d", static_cast<int>(head_dim)) << ElementType::bfloat16 << head_dim;
            QTest::addRow("float16, head_dim %d", static_cast<int>(head_dim)) << ElementType::float16 << head_dim;
        }
    }
    void a_long_context_is_good_to_1e_5()
    {
        QFETCH(ElementType, type);
        QFETCH(std::int64_t, head_dim);
        ImportanceCase values = long_case({ 2, 1, head_dim, 8192, 8192 }, random_);
        const std::vector<float> sums = cuda_sums_as_is(*loaded_.module, values, type, ImportancePath::automatic);
        double squares = 0;
        double errors = 0;
        double worst = 0;
        std::uniform_int_distribution<std::int64_t> any(0, 8191);
        for (std::int64_t at = 0; at < 60; ++at) { // the first keys, the last, and any
            const std::int64_t key = at < 10 ? at : at < 20 ? 8191 - at + 10 : any(random_);
            const double expected = reference_sum(values, 1, key);
            const double off = static_cast<double>(sums[static_cast<std::size_t>(8192 + key)]) - expected;
            squares += expected * expected;
            errors += off * off;
            worst = std::max(worst, std::abs(off) / expected);
        }
        qInfo("relative error: L2 %.2g, worst column %.2g", std::sqrt(errors / squares), worst);
        QVERIFY(std::sqrt(errors / squares) <= 1e-5);
        QVERIFY(worst <= 1e-4);
    }

    void a_path_that_does_not_take_the_inputs_is_an_error()
    {
        ImportanceCase values = normal_case({ 1, 1, 17, 4, 4 }, random_);
        QVERIFY_EXCEPTION_THROWN(
            cuda_sums(*loaded_.module, values, ElementType::bfloat16, ImportancePath::mma), std::runtime_error);
    }

    void nothing_to_sum_is_no_error()
    {
        ImportanceInputs inputs;
        inputs.shape = { 2, 1, 8, 0, 4 };
        loaded_.module->importance(inputs, nullptr, nullptr);
        KEEPSET_CHECK_CUDA(cudaDeviceSynchronize());
    }

    void a_launch_that_fails_says_where()
    {
        ImportanceInputs inputs;
        inputs.shape = { 70000, 1, 8, 4, 4 }; // a grid's second side ends at 65535
        try {
            loaded_.module->importance(inputs, nullptr, nullptr);
            QFAIL("no exception");
        } catch (const std::runtime_error& error) {
            QVERIFY2(QString(error.what()).contains("importance_simple.cu"), error.what());
        }
    }

private:
    static void path_rows()
    {
        QTest::addColumn<ElementType>("type");
        QTest::addColumn<ImportancePath>("path");
        QTest::addColumn<Rows>("rows");
        QTest::newRow("float32") << ElementType::float32 << ImportancePath::automatic << Rows::any;
        for (const auto& [name, type] :
            { std::pair("bfloat16", ElementType::bfloat16), std::pair("float16", ElementType::float16) }) {
            QTest::addRow("%s, any rows", name) << type << ImportancePath::automatic << Rows::any;
            QTest::addRow("%s, aligned rows", name) << type << ImportancePath::automatic << Rows::aligned;
            QTest::addRow("%s, simple", name) << type << ImportancePath::simple << Rows::any;
            QTest::addRow("%s, mma", name) << type << ImportancePath::mma << Rows::aligned;
        }
    }

    /// Skips where the device has no Hopper kernel.
    void hopper_rows()
    {
        QTest::addColumn<ElementType>("type");
        QTest::addColumn<std::int64_t>("head_dim");
        cudaDeviceProp properties {};
        KEEPSET_CHECK_CUDA(cudaGetDeviceProperties(&properties, 0));
        if (properties.major != 9 || properties.minor != 0)
            QSKIP("the device is not of compute capability 9.0");
        for (const std::int64_t head_dim : { 64, 80, 96, 128 }) {
            QTest::addRow("bfloat16, head_dim %d", static_cast<int>(head_dim)) << ElementType::bfloat16 << head_dim;
            QTest::addRow("float16, head_dim %d", static_cast<int>(head_dim)) << ElementType::float16 << head_dim;
        }
    }

    /// Puts a value into what position 183 has of query head 1.
    static void poison(ImportanceCase& values, const QString& where, float value)
    {
        const auto row = static_cast<std::size_t>(values.shape.keys + 183);
        if (where == "query")
            values.q_at(1, 183, 3) = value;
        else if (where == "key")
            values.k_at(0, 183, 3) = value;
        else if (where == "lse" || values.bias.empty())
            values.lse[row] = value;
        else
            values.bias[row] = value;
    }
};

KEEPSET_TEST(TestImportanceCuda)
#include "tst_importance_cuda.moc"
