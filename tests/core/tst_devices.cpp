#include "core/device/cuda_choice.h"
#include "core/device/device.h"
#include "core/error.h"
#include "tests/support/test_main.h"

#include <QTest>

#include <c10/util/Exception.h>

#include <algorithm>
#include <filesystem>

using namespace keepset;

namespace {

const FoundDevice t4 { "Tesla T4", 75 };
const FoundDevice v100 { "Tesla V100-SXM2-16GB", 70 };
const FoundDevice a100 { "NVIDIA A100-SXM4-80GB", 80 };
const FoundDevice h200 { "NVIDIA H200", 90 };

/// Kind and sentence of the Error that a call throws.
template <typename Call> std::pair<ErrorKind, QString> error_of(const Call& call)
{
    try {
        call();
    } catch (const Error& error) {
        return { error.kind(), QString::fromStdString(error.sentence()) };
    }
    return { ErrorKind::internal, QStringLiteral("no error") };
}

at::Device gpu(int index) { return at::Device(at::kCUDA, static_cast<at::DeviceIndex>(index)); }

} // namespace

/// Which devices are taken, and what is said of those that are not. No test here needs a GPU.
class TestDevices : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void auto_leaves_out_a_device_that_is_too_old_with_its_name_and_the_reason()
    {
        const CudaChoice only = choose_cuda("auto", { t4 }, 80);
        QVERIFY(only.indices.empty()); // the CPU
        QCOMPARE(only.notes.size(), std::size_t { 1 });
        QCOMPARE(QString::fromStdString(only.notes[0]),
            QStringLiteral("cuda:0 (Tesla T4) has compute capability 7.5, and this build's kernels need 8.0 or newer: "
                           "it is left out."));
        const CudaChoice second = choose_cuda("auto", { t4, v100, h200, a100 }, 80);
        QCOMPARE(second.indices, std::vector<int> { 2 });
        QCOMPARE(second.notes.size(), std::size_t { 2 });
        QVERIFY(second.notes[1].find("cuda:1 (Tesla V100-SXM2-16GB) has compute capability 7.0") == 0);
    }

    void auto_takes_a_device_that_is_new_enough_without_a_word()
    {
        for (const FoundDevice& device : { a100, h200 }) {
            const CudaChoice choice = choose_cuda("auto", { device, t4 }, 80);
            QCOMPARE(choice.indices, std::vector<int> { 0 });
            QVERIFY(choice.notes.empty());
        }
        QVERIFY(choose_cuda("auto", { a100 }, 90).indices.empty()); // built for Hopper alone
        QVERIFY(choose_cuda("auto", {}, 80).indices.empty());
        QVERIFY(choose_cuda("auto", {}, 80).notes.empty());
    }

    void a_device_that_was_named_and_is_too_old_is_refused_in_one_sentence()
    {
        for (const char* asked : { "cuda:0", "cuda:1,cuda:0" }) {
            const auto [kind, words] = error_of([&] { choose_cuda(asked, { t4, h200 }, 80); });
            QVERIFY(kind == ErrorKind::device);
            QVERIFY2(words.startsWith("The device cuda:0 (Tesla T4) has compute capability 7.5, and this build's "
                                      "kernels need 8.0 or newer."),
                qPrintable(words));
        }
        const auto [kind, words] = error_of([] { choose_cuda("cuda", { t4, v100 }, 80); });
        QVERIFY(kind == ErrorKind::device);
        QVERIFY2(
            words.contains("cuda:0 (Tesla T4)") && words.contains("cuda:1 (Tesla V100-SXM2-16GB)"), qPrintable(words));
        QCOMPARE(choose_cuda("cuda", { t4, h200 }, 80).indices, std::vector<int> { 1 });
        QCOMPARE(choose_cuda("cuda:1", { t4, h200 }, 80).indices, std::vector<int> { 1 });
    }

    void devices_that_are_not_there_or_misspelled_are_told_apart()
    {
        QVERIFY(error_of([] { choose_cuda("cuda:2", { h200, h200 }, 80); }).first == ErrorKind::device);
        QVERIFY(error_of([] { choose_cuda("cuda:2", { h200, h200 }, 80); }).second.contains("this machine has 2"));
        for (const char* bad : { "gpu", "cuda:", "cuda:-1", "cuda:0,", "cuda:0,cuda:0", "CUDA", "cuda:9999999999" })
            QVERIFY2(error_of([&] { choose_cuda(bad, { h200 }, 80); }).first == ErrorKind::usage, bad);
    }

    void only_devices_that_can_be_used_are_offered_and_added()
    {
        QCOMPARE(usable_devices({ t4, h200, v100, a100 }, 80), (std::vector<int> { 1, 3 }));
        QVERIFY(usable_devices({ t4 }, 80).empty());
    }

    void an_old_driver_is_named_with_what_is_needed_data()
    {
        QTest::addColumn<int>("supports");
        QTest::addColumn<int>("devices");
        QTest::addColumn<QString>("problem");
        QTest::addColumn<QString>("version");
        QTest::addColumn<QString>("words");
        QTest::newRow("R535") << 12020 << 0 << "CUDA driver version is insufficient for CUDA runtime version"
                              << "535.104.05"
                              << "the NVIDIA driver 535.104.05 runs CUDA up to 12.2, and this build needs CUDA 13.0 "
                                 "(driver 580 or newer)";
        QTest::newRow("R550, version unknown")
            << 12040 << 0 << "insufficient"
            << ""
            << "the NVIDIA driver runs CUDA up to 12.4, and this build needs CUDA 13.0 (driver 580 or newer)";
        QTest::newRow("no driver") << 0 << 0 << "no driver"
                                   << ""
                                   << "there is no NVIDIA driver on this machine";
        QTest::newRow("a container without the driver's library")
            << 0 << 0 << "no driver"
            << "580.65.06"
            << "the NVIDIA driver 580.65.06 is installed, but its library libcuda.so.1 cannot be used";
        QTest::newRow("no device") << 13000 << 0 << "no CUDA-capable device is detected"
                                   << "580.65.06"
                                   << "no CUDA device was found (the NVIDIA driver 580.65.06: no CUDA-capable device "
                                      "is detected)";
        QTest::newRow("usable") << 13000 << 1 << ""
                                << "580.65.06"
                                << "";
        QTest::newRow("a newer minor version runs an older one") << 13020 << 1 << ""
                                                                 << "590.1"
                                                                 << "";
    }
    void an_old_driver_is_named_with_what_is_needed()
    {
        QFETCH(int, supports);
        QFETCH(int, devices);
        QFETCH(QString, problem);
        QFETCH(QString, version);
        kernels::CudaDriver driver;
        driver.supports = supports;
        driver.needs = 13000;
        driver.devices = devices;
        driver.problem = problem.toStdString();
        QTEST(QString::fromStdString(why_no_device(driver, version.toStdString())), "words");
    }

    void the_drivers_version_is_read_from_its_own_words()
    {
        QCOMPARE(
            driver_version_in("NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat Aug 19 01:15:15 UTC "
                              "2023\nGCC version:  gcc version 12.3.0"),
            std::string("535.104.05"));
        QCOMPARE(driver_version_in("NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.65.06  Release Build"),
            std::string("580.65.06"));
        QCOMPARE(driver_version_in(""), std::string());
        QCOMPARE(driver_version_in("NVRM version: none"), std::string());
    }

    void what_the_module_throws_becomes_a_sentence_of_the_device()
    {
        const auto [kind, words] = error_of([] {
            guarded(1, [] {
                throw std::runtime_error("cudaGetLastError() failed at select.cu:12: no kernel image is available for "
                                         "execution on the device");
            });
        });
        QVERIFY(kind == ErrorKind::device);
        QVERIFY2(words.startsWith("The device failed: cudaGetLastError() failed at select.cu:12: no kernel image"),
            qPrintable(words));
        const auto aten = error_of([] {
            guarded(
                1, [] { TORCH_CHECK(false, "CUDA error: an illegal memory access was encountered\nCompile with x"); });
        });
        QVERIFY(aten.first == ErrorKind::device);
        QVERIFY2(
            !aten.second.contains("Compile with") && aten.second.contains("illegal memory"), qPrintable(aten.second));
    }

    void errors_of_other_kinds_stay_what_they_are()
    {
        const auto [kind, words] = error_of([] { guarded(1, [] { throw Error(ErrorKind::input, "A file."); }); });
        QVERIFY(kind == ErrorKind::input);
        QCOMPARE(words, QStringLiteral("A file."));
        QVERIFY_EXCEPTION_THROWN(guarded(1, [] { static_cast<void>(std::filesystem::file_size("/nowhere/at/all")); }),
            std::filesystem::filesystem_error);
    }

    void the_first_devices_embedding_and_head_count_when_layers_are_shared_out()
    {
        // 80 layers of 1.7 GB on two devices of 80 GB, 4.2 GB of embedding and head: 38.8 layers' room beside 41.2.
        constexpr std::int64_t gb = 1'000'000'000;
        const auto room = room_for_layers({ 80 * gb, 80 * gb }, 4'200'000'000);
        QCOMPARE(room, (std::vector<std::int64_t> { 75'800'000'000, 80 * gb }));
        const auto placed = place_layers(80, { gpu(0), gpu(1) }, room);
        QCOMPARE(std::count(placed.begin(), placed.end(), gpu(0)), 39);
        QCOMPARE(std::count(placed.begin(), placed.end(), gpu(1)), 41);
        // A first device that has room for little else gets no layer, and nothing is divided by zero.
        const auto small = place_layers(4, { gpu(0), gpu(1) }, room_for_layers({ gb, 80 * gb }, 2 * gb));
        QCOMPARE(std::count(small.begin(), small.end(), gpu(1)), 4);
        QCOMPARE(room_for_layers({ 0, -1 }, 5), (std::vector<std::int64_t> { 1, 1 }));
    }
};

KEEPSET_TEST(TestDevices)
#include "tst_devices.moc"
