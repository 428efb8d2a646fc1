#include "tests/kernels/cuda_device.h"
#include "tests/kernels/importance_case.h"

#include <QCoreApplication>
#include <QTest>

#include <cmath>
#include <limits>
#include <stdexcept>

using namespace keepset::kernels;
using namespace keepset::kernels::test;

namespace {

constexpr double exponential_error = 3e-7; // expf: at most 2 units in the last place
constexpr double tangent_error = 3e-7; // tanhf: the same

struct Stream {
    cudaStream_t handle = nullptr;
    Stream() { KEEPSET_CHECK_CUDA(cudaStreamCreateWithFlags(&handle, cudaStreamNonBlocking)); }
    ~Stream() { cudaStreamDestroy(handle); }
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;
};

/// Rounds the case to `type` and runs the module's kernel on a stream of its own. Returns (heads, keys).
std::vector<float> cuda_sums(const CudaModule& module, ImportanceCase& values, ElementType type)
{
    const TypedInputs typed = round_to(type, values);
    const Stream stream;
    const DeviceBuffer q(typed.q.data(), typed.q.size());
    const DeviceBuffer k(typed.k.data(), typed.k.size());
    const DeviceBuffer lse(values.lse.data(), values.lse.size() * sizeof(float));
    const DeviceBuffer bias(values.bias.data(), values.bias.size() * sizeof(float));
    std::vector<float> sums(static_cast<std::size_t>(values.shape.heads * values.shape.keys));
    const DeviceBuffer device_sums(sums.size() * sizeof(float));
    ImportanceInputs inputs = values.inputs();
    inputs.type = type;
    inputs.q = q.data();
    inputs.k = k.data();
    inputs.row_lse = static_cast<const float*>(lse.data());
    inputs.key_bias = values.bias.empty() ? nullptr : static_cast<const float*>(bias.data());
    const std::vector<std::byte> poison(
        static_cast<std::size_t>(module.importance_workspace(inputs)), std::byte { 0xff }); // NaN as floats
    const DeviceBuffer workspace(poison.data(), poison.size());
    inputs.workspace = workspace.data();
    KEEPSET_CHECK_CUDA(cudaDeviceSynchronize());
    module.importance(inputs, static_cast<float*>(device_sums.data()), stream.handle);
    KEEPSET_CHECK_CUDA(cudaStreamSynchronize(stream.handle));
    device_sums.copy_to(sums.data(), sums.size() * sizeof(float));
    return sums;
}

/// Empty where every sum is within the bound of the reference, else a sentence.
QString first_disagreement(const ImportanceCase& values, const std::vector<float>& sums)
{
    const std::vector<double> expected = reference_sums(values);
    const std::vector<double> bounds = error_bound(values, exponential_error, tangent_error);
    for (std::size_t at = 0; at < expected.size(); ++at) {
        const double difference = std::abs(static_cast<double>(sums[at]) - expected[at]);
        if (!(difference <= bounds[at]))
            return QString("%1: sum %2 is %3, the reference %4, bound %5")
                .arg(QString::fromStdString(values.describe()))
                .arg(at)
                .arg(static_cast<double>(sums[at]), 0, 'g', 9)
                .arg(expected[at], 0, 'g', 12)
                .arg(bounds[at]);
    }
    return {};
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

    void the_kernel_agrees_with_the_reference_data() { type_rows(); }
    void the_kernel_agrees_with_the_reference()
    {
        QFETCH(ElementType, type);
        for (int round = 0; round < 30; ++round) {
            ImportanceCase values = random_case(random_);
            const std::vector<float> sums = cuda_sums(*loaded_.module, values, type);
            const QString wrong = first_disagreement(values, sums);
            QVERIFY2(wrong.isEmpty(), qPrintable(wrong));
        }
    }

    void every_rule_agrees_with_the_reference_data() { type_rows(); }
    void every_rule_agrees_with_the_reference()
    {
        QFETCH(ElementType, type);
        for (int round = 0; round < 60; ++round) {
            ImportanceCase values = random_rule_case(random_);
            const std::vector<float> sums = cuda_sums(*loaded_.module, values, type);
            const QString wrong = first_disagreement(values, sums);
            QVERIFY2(wrong.isEmpty(), qPrintable(wrong));
        }
    }

    void packed_sequences_agree_with_the_reference_data() { type_rows(); }
    void packed_sequences_agree_with_the_reference()
    {
        QFETCH(ElementType, type);
        for (int round = 0; round < 40; ++round) {
            ImportanceCase values = random_packed_case(random_);
            const std::vector<float> sums = cuda_sums(*loaded_.module, values, type);
            const QString wrong = first_disagreement(values, sums);
            QVERIFY2(wrong.isEmpty(), qPrintable(wrong));
        }
    }

    void awkward_windows_agree_with_the_reference_data() { type_rows(); }
    void awkward_windows_agree_with_the_reference()
    {
        QFETCH(ElementType, type);
        const std::vector<AttentionShape> shapes = {
            { 2, 1, 8, 300, 300 },
            { 2, 2, 16, 63, 300, 237 },
            { 14, 2, 64, 1, 200, 199 },
            { 2, 1, 16, 5, 90, 3 },
            { 3, 1, 8, 200, 3 },
        };
        for (AttentionShape shape : shapes) {
            for (const std::int64_t window : { 1, 2, 6, 16, 63, 64, 65, 199, 1000 }) {
                shape.window = window;
                ImportanceCase values = normal_case(shape, random_);
                const std::vector<float> sums = cuda_sums(*loaded_.module, values, type);
                const QString wrong = first_disagreement(values, sums);
                QVERIFY2(wrong.isEmpty(), qPrintable(wrong));
            }
        }
    }

    void what_is_not_finite_shows_under_every_rule_data() { type_rows(); }
    void what_is_not_finite_shows_under_every_rule()
    {
        QFETCH(ElementType, type);
        const float infinity = std::numeric_limits<float>::infinity();
        for (const float value : { std::numeric_limits<float>::quiet_NaN(), infinity, -infinity }) {
            AttentionShape shape { 2, 1, 17, 150, 150 };
            shape.softcap = 5;
            shape.window = 40;
            ImportanceCase values = biased_case(shape, random_);
            values.q_at(1, 83, 3) = value;
            values.bias[20] = value;
            const std::vector<float> sums = cuda_sums(*loaded_.module, values, type);
            const std::vector<double> expected = reference_sums(values);
            for (std::size_t at = 0; at < sums.size(); ++at)
                QCOMPARE(std::isnan(sums[at]), std::isnan(expected[at]));
            QVERIFY(std::isnan(expected[20]) && std::isnan(expected[150 + 83]) && !std::isnan(expected[150 + 84]));
        }
    }

    void awkward_shapes_agree_with_the_reference_data() { type_rows(); }
    void awkward_shapes_agree_with_the_reference()
    {
        QFETCH(ElementType, type);
        const std::vector<AttentionShape> shapes = {
            { 1, 1, 1, 1, 1 },
            { 7, 1, 33, 130, 130 },
            { 4, 2, 80, 129, 129 },
            { 2, 1, 256, 97, 97 },
            { 14, 2, 64, 1, 200, 199 },
            { 2, 2, 16, 63, 300, 237 },
            { 2, 1, 16, 5, 90, 3 },
            { 3, 1, 8, 200, 3 },
        };
        for (const AttentionShape& shape : shapes) {
            ImportanceCase values = normal_case(shape, random_);
            const std::vector<float> sums = cuda_sums(*loaded_.module, values, type);
            const QString wrong = first_disagreement(values, sums);
            QVERIFY2(wrong.isEmpty(), qPrintable(wrong));
        }
    }

    void the_error_stays_below_1e_5_over_32768_queries_data() { type_rows(); }
    void the_error_stays_below_1e_5_over_32768_queries()
    {
        QFETCH(ElementType, type);
        ImportanceCase values = normal_case({ 1, 1, 16, 32768, 70 }, random_);
        const std::vector<float> sums = cuda_sums(*loaded_.module, values, type);
        const std::vector<double> expected = reference_sums(values);
        double largest = 0;
        for (std::size_t at = 0; at < sums.size(); ++at)
            largest = std::max(largest, std::abs(static_cast<double>(sums[at]) - expected[at]) / expected[at]);
        qInfo("largest relative error %.2g", largest);
        QVERIFY(largest < 1e-5);
    }

    void a_second_run_changes_no_bit_data() { type_rows(); }
    void a_second_run_changes_no_bit()
    {
        QFETCH(ElementType, type);
        ImportanceCase values = normal_case({ 6, 2, 64, 700, 700 }, random_);
        const std::vector<float> first = cuda_sums(*loaded_.module, values, type);
        QCOMPARE(cuda_sums(*loaded_.module, values, type), first);
    }

    void what_is_not_finite_shows_in_every_sum_it_touches_and_no_other_data() { type_rows(); }
    void what_is_not_finite_shows_in_every_sum_it_touches_and_no_other()
    {
        QFETCH(ElementType, type);
        const float infinity = std::numeric_limits<float>::infinity();
        for (const float value : { std::numeric_limits<float>::quiet_NaN(), infinity, -infinity }) {
            ImportanceCase values = normal_case({ 2, 1, 17, 150, 150 }, random_);
            values.q_at(1, 83, 3) = value; // normalise() makes that row's lse NaN too
            const std::vector<float> sums = cuda_sums(*loaded_.module, values, type);
            const std::vector<double> expected = reference_sums(values);
            for (std::size_t at = 0; at < sums.size(); ++at) {
                QCOMPARE(std::isnan(expected[at]), at >= 150 && at - 150 <= 83);
                QCOMPARE(std::isnan(sums[at]), std::isnan(expected[at]));
            }
        }
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
    static void type_rows()
    {
        QTest::addColumn<ElementType>("type");
        QTest::newRow("float32") << ElementType::float32;
        QTest::newRow("bfloat16") << ElementType::bfloat16;
        QTest::newRow("float16") << ElementType::float16;
    }
};

QTEST_GUILESS_MAIN(TestImportanceCuda)
#include "tst_importance_cuda.moc"
