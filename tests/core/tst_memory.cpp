#include "core/engine.h"
#include "core/preflight.h"
#include "tests/support/test_main.h"

#include <QTest>

#include <fstream>
#include <limits>

#include <sys/resource.h>

using namespace keepset;

namespace {

const std::filesystem::path demo = std::filesystem::path(KEEPSET_SOURCE_DIR) / "resources/demo";
const OpenOptions on_cpu { "cpu", Dtype::automatic, 1 };

/// Leaves the process `bytes` of address space until it goes out of scope.
class AddressSpace {
public:
    explicit AddressSpace(std::int64_t bytes)
    {
        getrlimit(RLIMIT_AS, &before_);
        std::ifstream status("/proc/self/statm");
        std::int64_t pages = 0;
        status >> pages;
        rlimit limit = before_;
        limit.rlim_cur = static_cast<rlim_t>(pages * 4096 + bytes);
        setrlimit(RLIMIT_AS, &limit);
    }
    ~AddressSpace() { setrlimit(RLIMIT_AS, &before_); }
    AddressSpace(const AddressSpace&) = delete;
    AddressSpace& operator=(const AddressSpace&) = delete;

private:
    rlimit before_ {};
};

} // namespace

/// What a model needs, told before it is loaded, and refused where it is not there.
class TestMemory : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void the_need_of_the_demo_model_is_what_its_shapes_say()
    {
        const MemoryNeed need = memory_need(demo / "model", on_cpu, 1000);
        QCOMPARE(need.device, std::string("cpu"));
        QCOMPARE(need.dtype, std::string("float32"));
        QCOMPARE(need.context, 1000);
        QCOMPARE(need.weights, 12'539'200LL * 4); // its card says how many
        QCOMPARE(need.cache, 2LL * 8 * 5 * 64 * 1000 * 4); // keys and values, layers, kv heads, head_dim, tokens
        QVERIFY(need.work > 8LL * 5 * 1000 * 4 * 2); // importance and log-sum-exp are in it
        QVERIFY(need.free > 0 && need.free <= need.total);
        QVERIFY(need.fits());
        QCOMPARE(memory_need(demo / "model", on_cpu, 0).context, 2048); // all the model allows
        OpenOptions half = on_cpu;
        half.dtype = Dtype::bfloat16;
        const MemoryNeed smaller = memory_need(demo / "model", half, 1000);
        QCOMPARE(smaller.weights, need.weights / 2);
        QCOMPARE(smaller.cache, need.cache / 2);
    }

    void words_have_the_numbers_and_the_verdict()
    {
        const std::string fits = sentence(memory_need(demo / "model", on_cpu, 1000));
        QVERIFY(fits.find("weights 0.05 GB, cache of 1000 tokens 0.02 GB") != std::string::npos);
        QVERIFY(fits.ends_with("it fits."));
        const std::string too_large = sentence(memory_need(demo / "model", on_cpu, 4'000'000'000));
        QVERIFY(too_large.ends_with("it does not fit."));
        // Nothing wraps around to a small number.
        QVERIFY(!memory_need(demo / "model", on_cpu, std::numeric_limits<std::int64_t>::max()).fits());
    }

    void a_limit_of_the_address_space_counts()
    {
        const AddressSpace limit(30'000'000);
        const MemoryNeed need = memory_need(demo / "model", on_cpu, 2048);
        QVERIFY2(need.free <= 30'000'000, qPrintable(QString::number(need.free)));
        QVERIFY(!need.fits());
    }

    void an_analysis_beyond_the_memory_is_refused_before_it_starts()
    {
        Engine engine;
        engine.open_model(demo / "model", on_cpu);
        AnalysisRequest request;
        request.text = read_text((demo / "demo.txt").string());
        request.text.bytes += request.text.bytes;
        request.context = 2048;
        bool started = false;
        const Task task { {}, [&](const Progress&) { started = true; } };
        QString words;
        {
            const AddressSpace limit(30'000'000);
            try {
                engine.analyse(request, task);
            } catch (const Error& error) {
                QCOMPARE(error.kind(), ErrorKind::memory);
                words = QString::fromUtf8(error.what());
            }
        }
        QVERIFY2(words.contains("it does not fit"), qPrintable(words));
        QVERIFY(!started);
        QCOMPARE(engine.analyse(request, task)->context, 2048);
    }

    void a_sweep_that_keeps_queries_and_keys_for_bridges_counts_them()
    {
        Engine engine;
        engine.open_model(demo / "model", on_cpu);
        SweepRequest request;
        request.text = read_text((demo / "demo.txt").string());
        request.policies = parse_policies("cab(bridge=flow)");
        request.sparsities = { 0.5 };
        request.context = 1024;
        request.target = 64;
        request.windows = 1;
        MemoryNeed need = memory_need(demo / "model", on_cpu, 1088);
        need.loaded = true;
        const AddressSpace limit(need.needed() + 20'000'000); // enough for all but the queries and keys
        try {
            engine.sweep(request);
            QFAIL("no error");
        } catch (const Error& error) {
            QCOMPARE(error.kind(), ErrorKind::memory);
            QVERIFY2(std::string(error.what()).find("queries and keys") != std::string::npos, error.what());
        }
    }

    void logits_take_the_same_room_however_many_targets_are_scored()
    {
        // The card of the demo model: 8 layers, 5 kv heads, 8192 tokens known.
        const auto work = [](std::int64_t context) { return memory_need(demo / "model", on_cpu, context).work; };
        QCOMPARE(work(1200) - work(1100), work(1100) - work(1000));
    }
};

KEEPSET_TEST(TestMemory)
#include "tst_memory.moc"
