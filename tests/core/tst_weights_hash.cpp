#include "core/engine.h"
#include "core/model/weights_hash.h"
#include "core/sha256.h"
#include "core/trace/run_file.h"
#include "tests/core/trace_samples.h"
#include "tests/support/test_main.h"

#include <QTemporaryDir>
#include <QtTest>

#include <atomic>
#include <chrono>
#include <fstream>
#include <thread>

using namespace keepset;

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

/// Waits for its stop, as a disk that gives nothing would make it.
std::string never(const MappedFile&, const std::stop_token& stop)
{
    while (!stop.stop_requested())
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    throw Cancelled {};
}

} // namespace

class TestWeightsHash : public QObject {
    Q_OBJECT

private:
    QTemporaryDir folder_;

    std::filesystem::path in(const std::string& name) const { return folder_.path().toStdString() + "/" + name; }
    void add(WeightFiles& weights, const std::string& name, const std::string& bytes) const
    {
        std::filesystem::create_directories(in(name).parent_path());
        std::ofstream(in(name), std::ios::binary) << bytes;
        add_existing(weights, name);
    }
    void add_existing(WeightFiles& weights, const std::string& name) const
    {
        weights.maps.push_back(std::make_shared<MappedFile>(in(name)));
        weights.files.push_back(in(name));
        weights.bytes += static_cast<std::int64_t>(weights.maps.back()->bytes());
    }

private Q_SLOTS:
    void one_file_has_its_own_hash_and_shards_that_of_their_sorted_lines()
    {
        WeightFiles one;
        add(one, "one", "abc");
        const std::string abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"; // FIPS 180-2, B.1
        QCOMPARE(WeightsHash(one).wait({}), abc);
        WeightFiles shards;
        add(shards, "a", "third"); // sorted by their hashes, not by their names
        add(shards, "b", "abc");
        add(shards, "c", "second");
        std::vector<std::string> lines { sha256(std::string("third")) + " a\n", abc + " b\n",
            sha256(std::string("second")) + " c\n" };
        std::ranges::sort(lines);
        QCOMPARE(WeightsHash(shards).wait({}), sha256(lines[0] + lines[1] + lines[2]));
    }

    void a_wait_is_stopped_at_once_and_the_work_behind_it_ends_with_its_object()
    {
        WeightFiles weights;
        add(weights, "slow", "abc");
        auto hash = std::make_unique<WeightsHash>(weights, never);
        QVERIFY(!hash->ready());
        std::stop_source stop;
        std::jthread stopper([&] {
            std::this_thread::sleep_for(std::chrono::milliseconds(150));
            stop.request_stop();
        });
        const auto begin = Clock::now();
        QVERIFY_EXCEPTION_THROWN(hash->wait({ stop.get_token(), {} }), Cancelled);
        QVERIFY2(seconds_since(begin) < 0.15 + 0.2 + 0.5, "half a second for a machine that is busy"); // 0.2: promised
        const auto end = Clock::now();
        hash.reset();
        QVERIFY(seconds_since(end) < 0.2 + 0.5);
    }

    void a_result_waits_for_nothing_and_takes_the_hash_when_it_is_there()
    {
        WeightFiles weights;
        add(weights, "gated", "abc");
        std::atomic<bool> open = false;
        Provenance provenance;
        provenance.weights_hash = std::make_shared<const WeightsHash>(weights, [&](const MappedFile&, const auto&) {
            open.wait(false);
            return std::string("the hash");
        });
        take_weights_hash(provenance);
        QCOMPARE(provenance.model_sha256, std::string());
        open = true;
        open.notify_all();
        know_weights(provenance);
        QCOMPARE(provenance.model_sha256, std::string("the hash"));
    }

    void what_goes_wrong_is_thrown_to_whoever_asks()
    {
        WeightFiles weights;
        add(weights, "bad", "abc");
        const WeightsHash hash(weights,
            [](const MappedFile&, const auto&) -> std::string { throw Error(ErrorKind::input, "the disk is gone"); });
        QVERIFY_EXCEPTION_THROWN(hash.wait({}), Error);
        QVERIFY_EXCEPTION_THROWN(hash.ready(), Error);
    }

    void a_blob_of_the_hub_is_known_by_its_name_and_nothing_else_is()
    {
        const std::string digits(64, 'e');
        const auto named = [&](const std::string& blob) {
            const std::string link = "hub/snapshots/1/" + std::to_string(std::hash<std::string> {}(blob));
            std::filesystem::create_directories(in(link).parent_path());
            std::filesystem::create_directories(in("hub/" + blob).parent_path());
            std::ofstream(in("hub/" + blob)) << "abc";
            std::filesystem::create_symlink("../../" + blob, in(link));
            return hash_in_name(in(link));
        };
        QCOMPARE(named("blobs/" + digits).value_or("none"), digits);
        QVERIFY(!named("blobs/" + std::string(40, 'e'))); // SHA-1
        QVERIFY(!named("blobs/" + std::string(64, 'E')));
        QVERIFY(!named("blobs/" + digits + ".incomplete"));
        QVERIFY(!named("elsewhere/" + digits));
        QVERIFY(!hash_in_name(in("hub/blobs/" + digits))); // no link
        WeightFiles weights;
        std::filesystem::create_symlink("../../blobs/" + digits, in("hub/snapshots/1/model.safetensors"));
        add_existing(weights, "hub/snapshots/1/model.safetensors");
        QCOMPARE(WeightsHash(weights, never).wait({}), digits);
    }

    void the_run_file_gets_it_with_the_next_window()
    {
        const std::string hash(64, '7');
        Run run = samples::empty_run(5, 3, false);
        run.provenance.model_sha256.clear();
        trace::RunFile file = trace::RunFile::create(in("late.h5"), run, false, false);
        samples::do_window(run, 0);
        file.write_window(run, 0);
        QCOMPARE(load_run(in("late.h5"))->provenance.model_sha256, std::string());
        run.provenance.model_sha256 = hash;
        samples::do_window(run, 1);
        file.write_window(run, 1);
        const auto there = load_run(in("late.h5"));
        QCOMPARE(there->provenance.model_sha256, hash);
        QVERIFY(samples::same(*there, run));
    }

    void runs_are_compared_by_it_where_both_know_it()
    {
        const Run known = samples::run(5, 3, 1, false);
        Run unknown = known;
        unknown.provenance.model_sha256.clear();
        QVERIFY(!trace::difference(unknown, known) && !trace::difference(known, unknown));
        Run other = known;
        other.provenance.model_sha256 = std::string(64, '8');
        QVERIFY(trace::difference(other, known));
    }
};

KEEPSET_TEST(TestWeightsHash)
#include "tst_weights_hash.moc"
