#include "core/error.h"
#include "core/keep_summary.h"
#include "core/sha256.h"
#include "tests/core/file_errors.h"
#include "tests/core/trace_samples.h"
#include "tests/support/golden.h"
#include "tests/support/keep_files_h5.h"
#include "tests/support/test_main.h"

#include <QTemporaryDir>
#include <QtTest>

#include <cmath>

using namespace keepset;
using keep_files::Array;

/// What is said of files for file(path=…) before a model is opened.
class TestKeepSummary : public QObject {
    Q_OBJECT

private:
    QTemporaryDir folder_;
    std::filesystem::path in(const std::string& name) const { return folder_.path().toStdString() + "/" + name; }
    std::filesystem::path npz(const std::string& name, const std::vector<Array>& arrays) const
    {
        keep_files::write_bytes(in(name), keep_files::npz(arrays));
        return in(name);
    }
    std::filesystem::path h5(const std::string& name, const std::vector<Array>& arrays, const std::string& format) const
    {
        keep_files::write_h5(in(name), arrays, format);
        return in(name);
    }
    static void compare(const KeepLayer& layer, double least, double mean, double most)
    {
        QCOMPARE(layer.least, least);
        QCOMPARE(layer.mean, mean);
        QCOMPARE(layer.most, most);
    }

private Q_SLOTS:
    void scores_are_described_by_layer()
    {
        // (layers 2, kv heads 1, context 3), two windows
        const auto file = h5("scores.h5",
            { keep_files::scores({ 2, 2, 1, 3 }, { 1, 2, 3, -4, 0, 4, 5, 1, 0, 8, 8, 2 }),
                keep_files::tokens({ 2, 3 }, { 1, 2, 3, 4, 5, 6 }) },
            "keep");
        QVERIFY(is_keep_file(file));
        const KeepSummary found = describe_keep_file(file);
        QCOMPARE(found.problem, std::string());
        QCOMPARE(found.container, std::string("HDF5"));
        QCOMPARE(found.sha256, sha256(golden::read_bytes(file)));
        QCOMPARE(found.arrays.size(), std::size_t { 2 });
        QCOMPARE(found.arrays[0].name, std::string("scores"));
        QCOMPARE(found.arrays[0].holds, std::string("floating"));
        QCOMPARE(found.arrays[0].shape, (std::vector<std::int64_t> { 2, 2, 1, 3 }));
        QCOMPARE(found.arrays[1].holds, std::string("whole"));
        QVERIFY(!found.keep_sets && found.tokens && found.model_name.empty());
        QCOMPARE(found.windows, 2);
        QCOMPARE(found.layers, 2);
        QCOMPARE(found.kv_heads, 1);
        QCOMPARE(found.context, 3);
        QCOMPARE(found.by_layer.size(), std::size_t { 2 });
        compare(found.by_layer[0], 0, 2, 5);
        compare(found.by_layer[1], -4, 3, 8);
    }

    void keep_sets_are_described_by_what_rows_keep()
    {
        // (layers 2, kv heads 2, context 4)
        const auto file
            = npz("sets.npz", { keep_files::keep({ 2, 2, 4 }, { 1, 0, 0, 0, 1, 1, 1, 0, 1, 1, 0, 0, 0, 0, 1, 1 }) });
        const KeepSummary found = describe_keep_file(file);
        QCOMPARE(found.problem, std::string());
        QCOMPARE(found.container, std::string("npz"));
        QCOMPARE(found.arrays.front().holds, std::string("boolean"));
        QVERIFY(found.keep_sets && !found.tokens);
        QCOMPARE(found.windows, 1);
        compare(found.by_layer[0], 1, 2, 3);
        compare(found.by_layer[1], 2, 2, 2);
    }

    void the_first_problem_is_said_with_the_rest()
    {
        const auto hole = npz("hole.npz", { keep_files::scores({ 1, 1, 3 }, { 1, std::nanf(""), 2 }) });
        const KeepSummary of_hole = describe_keep_file(hole);
        QVERIFY2(of_hole.problem.find("scores[0, 0, 1]") != std::string::npos, of_hole.problem.c_str());
        QCOMPARE(of_hole.context, 3);
        QVERIFY(of_hole.by_layer.empty());
        const auto other
            = npz("other.npz", { keep_files::array("attention", "F32", { 1, 1, 2 }, std::vector { 1.F, 2.F }) });
        QVERIFY(is_keep_file(other)); // no result is an npz file
        const KeepSummary of_other = describe_keep_file(other);
        QVERIFY2(of_other.problem.find("no array called scores or keep (it has: attention)") != std::string::npos,
            of_other.problem.c_str());
        QCOMPARE(of_other.arrays.front().name, std::string("attention"));
        QCOMPARE(of_other.layers, 0);
        const auto tokens = h5(
            "tokens.h5", { keep_files::scores({ 1, 1, 3 }, { 1, 2, 3 }), keep_files::tokens({ 2 }, { 1, 2 }) }, "");
        QVERIFY(describe_keep_file(tokens).problem.find("tokens has the dimensions [2]") != std::string::npos);
    }

    void results_and_weights_are_told_from_them()
    {
        save(samples::analysis(8), in("trace.h5"), true);
        save(samples::run(2, 3, 1, false), in("run.h5"), true);
        keep_files::write_bytes(in("notes.txt"), "PKK");
        for (const auto& file : { in("trace.h5"), in("run.h5"), in("notes.txt"), in("none.h5"),
                 std::filesystem::path(KEEPSET_SOURCE_DIR) / "tests/reference/golden/gqa7/model.safetensors" }) {
            QVERIFY2(!is_keep_file(file), file.c_str());
            refuse_keep_file(file);
        }
        const auto plain = h5("plain.h5", { keep_files::scores({ 1, 1, 2 }, { 1, 2 }) }, "");
        const auto refused = errors::of([&] { refuse_keep_file(plain); });
        QVERIFY2(refused.is(ErrorKind::input, "give it this path: file(path=" + plain.string() + ")"), refused.text());
        QVERIFY(errors::of([&] { summary(h5("keep.h5", {}, "keep")); }).is(ErrorKind::input, "choose the policy File"));
        QVERIFY(errors::of([&] { describe_keep_file(in("notes.txt")); }).is(ErrorKind::input, "notes.txt"));
    }
};

KEEPSET_TEST(TestKeepSummary)
#include "tst_keep_summary.moc"
