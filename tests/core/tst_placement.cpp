#include "core/device/device.h"
#include "core/engine.h"
#include "tests/support/test_main.h"

#include <QTest>

#include <algorithm>
#include <cmath>

using namespace keepset;

namespace {

const std::filesystem::path demo = std::filesystem::path(KEEPSET_SOURCE_DIR) / "resources/demo";

at::Device gpu(int index) { return at::Device(at::kCUDA, static_cast<at::DeviceIndex>(index)); }

SweepRequest request()
{
    SweepRequest request;
    request.text = read_text((demo / "demo.txt").string());
    request.policies = parse_policies("h2o,cab,streaming-llm");
    request.sparsities = { 0, 0.5, 0.9 };
    request.context = 256;
    request.target = 64;
    request.windows = 2;
    return request;
}

/// Largest relative difference of two lists of one length.
template <typename Number> double difference(const std::vector<Number>& a, const std::vector<Number>& b)
{
    double largest = a.size() == b.size() && !a.empty() ? 0 : 1;
    for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
        const auto wanted = static_cast<double>(a[i]);
        largest = std::max(largest, std::abs(wanted - static_cast<double>(b[i])) / std::max(std::abs(wanted), 1e-9));
    }
    return largest;
}

} // namespace

/// A model's layers on several devices.
class TestPlacement : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void layers_lie_in_order_by_the_room_of_each_device()
    {
        const std::vector<at::Device> two { gpu(0), gpu(1) };
        QCOMPARE(place_layers(4, two, { 100, 100 }), (std::vector<at::Device> { gpu(0), gpu(0), gpu(1), gpu(1) }));
        QCOMPARE(place_layers(4, two, { 300, 100 }), (std::vector<at::Device> { gpu(0), gpu(0), gpu(0), gpu(1) }));
        QCOMPARE(place_layers(1, two, { 100, 100 }), (std::vector<at::Device> { gpu(0) }));
        QCOMPARE(place_layers(3, { gpu(2), gpu(0), gpu(1) }, { 9, 9, 9 }),
            (std::vector<at::Device> { gpu(2), gpu(0), gpu(1) }));
        QCOMPARE(place_layers(2, { at::kCPU }, { 1 }), (std::vector<at::Device> { at::kCPU, at::kCPU }));
    }

    void devices_that_cannot_be_are_refused()
    {
        for (const char* bad : { "cuda:x", "cuda:0,", "cuda:0,cpu", "gpu", "cuda:0,cuda:0" })
            QVERIFY_EXCEPTION_THROWN(choose_device({ bad, Dtype::automatic, 1 }), Error);
    }

    void two_gpus_give_the_numbers_of_one()
    {
        if (devices().size() < 3)
            QSKIP("needs two NVIDIA GPUs");
        AnalysisRequest passage;
        passage.text = request().text;
        passage.context = 512;
        for (const Dtype dtype : { Dtype::float32, Dtype::float16 }) {
            Engine one;
            Engine both;
            one.open_model(demo / "model", { "cuda:1", dtype, 0 });
            const ModelInfo info = both.open_model(demo / "model", { "cuda:0,cuda:1", dtype, 0 });
            QCOMPARE(info.device, std::string("cuda:0,cuda:1"));
            QVERIFY(difference(one.analyse(passage)->importance, both.analyse(passage)->importance) <= 1e-4);
            QVERIFY(difference(one.sweep(request())->window_nll, both.sweep(request())->window_nll) <= 1e-4);
        }
    }
};

KEEPSET_TEST(TestPlacement)
#include "tst_placement.moc"
