#include "tests/kernels/attention_map_case.h"
#include "tests/kernels/cuda_device.h"
#include "tests/kernels/cuda_rows.h"
#include "tests/support/test_main.h"

#include <QCoreApplication>
#include <QTest>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

using namespace keepset::kernels;
using namespace keepset::kernels::test;

namespace {

constexpr std::size_t guard_bytes = 4096; // behind what a kernel may write
constexpr int poison = 0xff; // NaN as floats

/// A poisoned buffer on the device of `bytes`, and some behind it that must stay as they are.
class GuardedBuffer {
public:
    explicit GuardedBuffer(std::size_t bytes)
        : bytes_(bytes)
        , host_(bytes + guard_bytes, static_cast<unsigned char>(poison))
        , device_(host_.data(), host_.size())
    {
    }
    void* data() const { return device_.data(); }
    bool guard_holds()
    {
        device_.copy_to(host_.data(), host_.size());
        return std::all_of(host_.begin() + static_cast<std::ptrdiff_t>(bytes_), host_.end(),
            [](unsigned char byte) { return byte == poison; });
    }
    std::vector<float> floats() const
    {
        std::vector<float> values(bytes_ / sizeof(float));
        device_.copy_to(values.data(), bytes_);
        return values;
    }

private:
    std::size_t bytes_;
    std::vector<unsigned char> host_;
    DeviceBuffer device_;
};

/// Head `head` of a case that was rounded to `type`, on the device.
class DeviceMap {
public:
    DeviceMap(const ImportanceCase& values, const AttentionMapInputs& map, std::int64_t head, ElementType type)
        : DeviceMap(ImportanceCase(values), map, head, type)
    {
    }

    /// Cells of the module's kernel; empty where it wrote what it must not.
    std::vector<float> cells(const CudaModule& module)
    {
        GuardedBuffer workspace(static_cast<std::size_t>(module.attention_map_workspace(map_)));
        GuardedBuffer out(static_cast<std::size_t>(map_.rows * map_.columns) * sizeof(float));
        map_.attention.workspace = workspace.data();
        KEEPSET_CHECK_CUDA(cudaDeviceSynchronize());
        module.attention_map(map_, static_cast<float*>(out.data()), nullptr);
        KEEPSET_CHECK_CUDA(cudaDeviceSynchronize());
        return workspace.guard_holds() && out.guard_holds() ? out.floats() : std::vector<float>();
    }

private:
    DeviceMap(ImportanceCase&& values, const AttentionMapInputs& map, std::int64_t head, ElementType type)
        : typed_(round_to(type, values))
        , map_(map)
        , q_(typed_.q.data(), typed_.q.size())
        , k_(typed_.k.data(), typed_.k.size())
        , lse_(values.lse.data(), values.lse.size() * sizeof(float))
        , bias_(values.bias.data(), values.bias.size() * sizeof(float))
    {
        const AttentionShape& shape = values.shape;
        const std::int64_t element_bytes = type == ElementType::float32 ? 4 : 2;
        map_.attention.type = type;
        map_.attention.q = static_cast<const char*>(q_.data()) + head * shape.q_head_stride * element_bytes;
        map_.attention.k = static_cast<const char*>(k_.data())
            + head / (shape.heads / shape.kv_heads) * shape.k_head_stride * element_bytes;
        map_.attention.row_lse = static_cast<const float*>(lse_.data()) + head * shape.queries;
        if (!values.bias.empty())
            map_.attention.key_bias = static_cast<const float*>(bias_.data()) + head * shape.keys;
    }

    TypedInputs typed_;
    AttentionMapInputs map_;
    DeviceBuffer q_;
    DeviceBuffer k_;
    DeviceBuffer lse_;
    DeviceBuffer bias_;
};

} // namespace

class TstAttentionMapCuda : public QObject {
    Q_OBJECT

    LoadedModule loaded_;
    std::mt19937 random_;

    std::int64_t pick(std::int64_t low, std::int64_t high)
    {
        return std::uniform_int_distribution<std::int64_t>(low, high)(random_);
    }

    /// One NaN or infinity in q, k or the log-sum-exp of head 0.
    void spoil(ImportanceCase& values)
    {
        const float bad
            = pick(0, 1) == 0 ? std::numeric_limits<float>::quiet_NaN() : std::numeric_limits<float>::infinity();
        const std::int64_t where = pick(0, 2);
        if (where == 0)
            values.q_at(0, pick(0, values.shape.queries - 1), pick(0, values.shape.head_dim - 1)) = bad;
        else if (where == 1)
            values.k_at(0, pick(0, values.shape.keys - 1), pick(0, values.shape.head_dim - 1)) = -bad;
        else
            values.lse[static_cast<std::size_t>(pick(0, values.shape.queries - 1))] = bad;
    }

    void compare(const ImportanceCase& values, const AttentionMapInputs& map, std::int64_t head, ElementType type)
    {
        const std::vector<float> cells = DeviceMap(values, map, head, type).cells(*loaded_.module);
        QVERIFY2(!cells.empty(), "memory behind the cells or the workspace was written");
        const QString wrong = first_disagreement(values, map, cells);
        QVERIFY2(wrong.isEmpty(), qPrintable(wrong));
    }

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

    void any_range_of_any_shape_is_that_of_the_reference_data() { type_rows(); }
    void any_range_of_any_shape_is_that_of_the_reference()
    {
        QFETCH(ElementType, type);
        QFETCH(Rows, rows);
        for (int round = 0; round < 60 && !QTest::currentTestFailed(); ++round) {
            ImportanceCase values = round % 2 == 0 ? random_case(random_, rows) : random_rule_case(random_, rows);
            round_to(type, values);
            values.normalise();
            const std::int64_t head = pick(0, values.shape.heads - 1);
            AttentionMapInputs map = map_of(values, head);
            choose_range(map, random_);
            compare(values, map, head, type);
        }
    }

    void what_is_not_finite_shows_in_its_cells_and_nowhere_else_data() { type_rows(); }
    void what_is_not_finite_shows_in_its_cells_and_nowhere_else()
    {
        QFETCH(ElementType, type);
        QFETCH(Rows, rows);
        for (int round = 0; round < 40 && !QTest::currentTestFailed(); ++round) {
            ImportanceCase values = random_rule_case(random_, rows);
            round_to(type, values);
            values.normalise();
            spoil(values);
            AttentionMapInputs map = map_of(values, 0);
            choose_range(map, random_);
            compare(values, map, 0, type);
        }
    }

    void cells_of_many_strips_and_tiles_are_those_of_the_reference_data() { type_rows(); }
    void cells_of_many_strips_and_tiles_are_those_of_the_reference()
    {
        QFETCH(ElementType, type);
        QFETCH(Rows, rows);
        for (int round = 0; round < 6 && !QTest::currentTestFailed(); ++round) {
            AttentionShape shape;
            shape.heads = shape.kv_heads = 1;
            shape.head_dim = round % 2 == 0 ? 80 : 64;
            shape.queries = pick(300, 700);
            shape.query_begin = round % 3 == 0 ? 200 : 0;
            shape.keys = shape.queries + shape.query_begin + pick(-20, 20);
            shape.window = round == 4 ? pick(20, 300) : 0;
            ImportanceCase values = round == 5 ? biased_case(shape, random_, rows) : normal_case(shape, random_, rows);
            round_to(type, values);
            values.normalise();
            AttentionMapInputs map = map_of(values, 0);
            if (round < 2) {
                map.rows = map.columns = 1 + round; // sums over many tiles
                map.reduction = CellReduction::mean;
            } else if (round > 2) {
                choose_range(map, random_);
            }
            compare(values, map, 0, type);
        }
    }

    void a_second_run_changes_no_bit_data() { type_rows(); }
    void a_second_run_changes_no_bit()
    {
        QFETCH(ElementType, type);
        AttentionShape shape;
        shape.heads = shape.kv_heads = 1;
        shape.head_dim = 64;
        shape.queries = shape.keys = 2000;
        ImportanceCase values = long_case(shape, random_);
        round_to(type, values);
        AttentionMapInputs map = map_of(values, 0);
        map.rows = 33;
        map.columns = 47;
        map.reduction = CellReduction::mean;
        DeviceMap device(values, map, 0, type);
        const std::vector<float> first = device.cells(*loaded_.module);
        const std::vector<float> second = device.cells(*loaded_.module);
        QVERIFY(!first.empty() && first.size() == second.size());
        QVERIFY(std::memcmp(first.data(), second.data(), first.size() * sizeof(float)) == 0);
    }
};

KEEPSET_TEST(TstAttentionMapCuda)
#include "tst_attention_map_cuda.moc"
