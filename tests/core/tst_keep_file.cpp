#include "core/keep_file.h"
#include "tests/core/file_errors.h"
#include "tests/support/keep_files_h5.h"
#include "tests/support/test_main.h"

#include <QTemporaryDir>
#include <QtTest>

#include <array>
#include <bit>
#include <cmath>

using namespace keepset;
using keep_files::Array;

namespace {

constexpr std::int64_t layers = 2;
constexpr std::int64_t kv_heads = 3;
constexpr std::int64_t context = 5;
constexpr std::int64_t row = layers * kv_heads * context; // values of a window

std::vector<float> numbers(std::int64_t windows)
{
    std::vector<float> values;
    for (std::int64_t i = 0; i < windows * row; ++i)
        values.push_back(static_cast<float>(i) * 0.25F - 3);
    return values;
}

std::vector<std::uint8_t> truths(std::int64_t windows)
{
    std::vector<std::uint8_t> values;
    for (std::int64_t i = 0; i < windows * row; ++i)
        values.push_back(i % 3 == 0 ? 1 : 0);
    return values;
}

const std::vector<std::int64_t> ids { 11, 12, 13, 14, 15 };

KeepFilePlace place(std::int64_t window = 0) { return { layers, kv_heads, window, ids }; }

std::vector<float> part(const std::vector<float>& all, std::int64_t window)
{
    return { all.begin() + window * row, all.begin() + (window + 1) * row };
}

template <typename T> std::vector<float> as_floats(const std::vector<T>& values)
{
    return { values.begin(), values.end() };
}

} // namespace

/// Files of scores and keep sets, whatever wrote them: HDF5, safetensors, npz.
class TestKeepFile : public QObject {
    Q_OBJECT

private:
    QTemporaryDir folder_;
    std::filesystem::path in(const std::string& name) const { return folder_.path().toStdString() + "/" + name; }

    std::filesystem::path write(const std::string& format, const std::vector<Array>& arrays) const
    {
        const auto file = in("mine." + format); // its name says nothing
        if (format == "h5")
            keep_files::write_h5(file, arrays);
        else if (format == "bare.h5")
            keep_files::write_h5(file, arrays, "");
        else
            keep_files::write_bytes(file,
                format == "safetensors" ? keep_files::safetensors(arrays)
                                        : keep_files::npz(arrays, format == "packed.npz"));
        return file;
    }

    static void formats()
    {
        QTest::addColumn<QString>("format");
        for (const char* const format : { "h5", "bare.h5", "safetensors", "npz", "packed.npz" })
            QTest::newRow(format) << QString(format);
    }

private Q_SLOTS:
    void one_window_and_several_are_read_from_every_format_data() { formats(); }
    void one_window_and_several_are_read_from_every_format()
    {
        QFETCH(QString, format);
        const auto one = numbers(1);
        const KeepFile single(write(format.toStdString(), { keep_files::scores({ layers, kv_heads, context }, one) }));
        QVERIFY(!single.holds_keep_sets() && !single.has_tokens());
        QCOMPARE(single.windows(), 1);
        QCOMPARE(single.window(place()), one);

        const auto two = numbers(2);
        std::vector<std::int64_t> both { ids };
        both.insert(both.end(), ids.begin(), ids.end());
        const KeepFile several(write(format.toStdString(),
            { keep_files::scores({ 2, layers, kv_heads, context }, two), keep_files::tokens({ 2, context }, both) }));
        QVERIFY(several.has_tokens());
        QCOMPARE(several.windows(), 2);
        QCOMPARE(several.window(place(1)), part(two, 1));
        QCOMPARE(several.window(place(0)), part(two, 0));

        const auto kept = truths(2);
        const KeepFile sets(write(format.toStdString(), { keep_files::keep({ 2, layers, kv_heads, context }, kept) }));
        QVERIFY(sets.holds_keep_sets());
        QCOMPARE(sets.window(place(1)), part(as_floats(kept), 1));
    }

    void numbers_of_other_widths_are_read()
    {
        const std::vector<std::int64_t> shape { layers, kv_heads, context };
        const auto values = numbers(1); // quarters: exact in all of them
        std::vector<std::uint16_t> half;
        std::vector<std::uint16_t> brain;
        for (const float value : values) {
            const auto bits = std::bit_cast<std::uint32_t>(value);
            brain.push_back(static_cast<std::uint16_t>(bits >> 16U));
            const std::uint32_t exponent = (bits >> 23U & 255U) - 112;
            half.push_back(value == 0
                    ? 0
                    : static_cast<std::uint16_t>((bits >> 31U) << 15U | exponent << 10U | (bits >> 13U & 1023U)));
        }
        const std::vector<double> wide(values.begin(), values.end());
        const std::vector<std::int64_t> whole { wide.begin(), wide.end() };
        QCOMPARE(KeepFile(write("safetensors", { keep_files::array("scores", "F16", shape, half) })).window(place()),
            values);
        QCOMPARE(KeepFile(write("npz", { keep_files::array("scores", "F16", shape, half) })).window(place()), values);
        QCOMPARE(KeepFile(write("safetensors", { keep_files::array("scores", "BF16", shape, brain) })).window(place()),
            values);
        for (const char* const format : { "h5", "safetensors", "npz" }) {
            QCOMPARE(
                KeepFile(write(format, { keep_files::array("scores", "F64", shape, wide) })).window(place()), values);
            QCOMPARE(KeepFile(write(format, { keep_files::array("scores", "I64", shape, whole) })).window(place()),
                as_floats(whole));
            QCOMPARE(KeepFile(write(format, { keep_files::array("keep", "U8", shape, truths(1)) })).window(place()),
                as_floats(truths(1)));
        }
        // The smallest half, and the largest.
        std::vector<std::uint16_t> ends(static_cast<std::size_t>(row), 0x0001);
        ends[1] = 0xFBFF;
        const auto read
            = KeepFile(write("safetensors", { keep_files::array("scores", "F16", shape, ends) })).window(place());
        QCOMPARE(read[0], std::ldexp(1.0F, -24));
        QCOMPARE(read[1], -65504.0F);
    }

    void what_cannot_be_meant_is_refused_with_the_place_data()
    {
        QTest::addColumn<QString>("what");
        QTest::addColumn<QString>("words");
        const auto line
            = [](const char* what, const char* words) { QTest::newRow(what) << QString(what) << QString(words); };
        line("nothing", "it has no array called scores or keep (it has: other)");
        line("both", "scores and keep, and which of them is meant");
        line("flat", "scores has the dimensions [30] where (layers, kv_heads, context)");
        line("empty", "scores is empty");
        line("true scores", "an array of what is kept is called keep");
        line("broken keep", "keep holds numbers with fractions");
        line("layers", "is for (layers, kv_heads, context) = [3, 2, 5] where [2, 3, 5] are needed");
        line("query heads", "of query heads write one row for each kv head");
        line("context", "Use the context that the file was made for, 6 tokens (--context 6).");
        line("windows", "holds 2 windows, and number 2 (from 0) is asked for");
        line("one window", "sweep one window: --windows 1");
        line("tokens", "token 3 of window 0 is number 99 there and 14 here");
        line("no bos", "lack the BOS");
        line("a bos", "begin with a BOS");
        line("token shape", "tokens has the dimensions [4] where the other array's [5]");
        line("token type", "tokens are no whole numbers");
        line("nan", "scores[1, 0, 2] (layer, kv head, position) is not a finite number");
        line("infinity", "scores[1, 0, 1, 2] (window, layer, kv head, position) is not a finite number");
        line("too wide", "not a finite number in float32");
        line("two", "keep[0, 1, 3] (layer, kv head, position) is 2 where 1 (kept) or 0");
        line("keeps nothing", "nothing that is kept in window 0");
        line("type", "values of type C64");
    }
    void what_cannot_be_meant_is_refused_with_the_place()
    {
        QFETCH(QString, what);
        QFETCH(QString, words);
        using keep_files::array;
        const std::vector<std::int64_t> shape { layers, kv_heads, context };
        const std::vector<std::int64_t> two { 2, layers, kv_heads, context };
        auto values = numbers(1);
        auto kept = truths(1);
        std::vector<Array> arrays;
        std::int64_t window = 0;
        const auto with_tokens = [&](const std::vector<std::int64_t>& own) {
            arrays = { keep_files::scores(shape, values),
                keep_files::tokens({ static_cast<std::int64_t>(own.size()) }, own) };
        };
        if (what == "nothing")
            arrays = { array("other", "F32", shape, values) };
        else if (what == "both")
            arrays = { keep_files::scores(shape, values), keep_files::keep(shape, kept) };
        else if (what == "flat")
            arrays = { keep_files::scores({ row }, values) };
        else if (what == "empty")
            arrays = { keep_files::scores({ 2, 0, 5 }, {}) };
        else if (what == "true scores")
            arrays = { array("scores", "BOOL", shape, kept) };
        else if (what == "broken keep")
            arrays = { array("keep", "F32", shape, values) };
        else if (what == "layers")
            arrays = { keep_files::scores({ 3, 2, 5 }, values) };
        else if (what == "query heads")
            arrays = { keep_files::scores({ 2, 6, 5 }, std::vector<float>(60, 1.0F)) };
        else if (what == "context")
            arrays = { keep_files::scores({ 2, 3, 6 }, std::vector<float>(36, 1.0F)) };
        else if (what == "windows") {
            arrays = { keep_files::scores(two, numbers(2)) };
            window = 2;
        } else if (what == "one window") {
            arrays = { keep_files::scores(shape, values) };
            window = 1;
        } else if (what == "tokens")
            with_tokens({ 11, 12, 13, 99, 15 });
        else if (what == "no bos")
            with_tokens({ 12, 13, 14, 15, 16 });
        else if (what == "a bos")
            with_tokens({ 0, 11, 12, 13, 14 });
        else if (what == "token shape")
            with_tokens({ 11, 12, 13, 14 });
        else if (what == "token type")
            arrays = { keep_files::scores(shape, values), array("tokens", "F32", { 5 }, std::vector<float>(5, 1.0F)) };
        else if (what == "nan") {
            values[17] = NAN;
            arrays = { keep_files::scores(shape, values) };
        } else if (what == "infinity") {
            auto more = numbers(2);
            more[static_cast<std::size_t>(row) + 7] = -INFINITY;
            arrays = { keep_files::scores(two, more) };
            window = 1;
        } else if (what == "too wide")
            arrays = { array("scores", "F64", shape, std::vector<double>(static_cast<std::size_t>(row), 1e300)) };
        else if (what == "two") {
            kept[8] = 2;
            arrays = { array("keep", "U8", shape, kept) };
        } else if (what == "keeps nothing")
            arrays = { keep_files::keep(shape, std::vector<std::uint8_t>(static_cast<std::size_t>(row), 0)) };
        else
            arrays = { array("scores", "C64", shape, std::vector<double>(static_cast<std::size_t>(row), 1)) };
        for (const std::string format : { "safetensors", "npz", "h5" }) {
            if (what == "type" && format != "safetensors")
                continue;
            if (what == "empty" && format == "h5")
                continue; // HDF5 has nothing to allocate there, and says so
            const auto file = write(format, arrays);
            const auto refused = errors::of([&] { (void)KeepFile(file).window(place(window)); });
            QVERIFY2(refused.is(ErrorKind::input, words.toStdString()), (format + ": " + refused.text()).c_str());
            QVERIFY2(refused.is(ErrorKind::input, "'" + file.string() + "'"), refused.text());
        }
    }

    void what_is_no_such_file_is_refused_by_name_data()
    {
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<QString>("words");
        const auto npy = keep_files::npy(keep_files::scores({ layers, kv_heads, context }, numbers(1)));
        QTest::newRow("one array") << QByteArray::fromStdString(npy) << "np.savez";
        QTest::newRow("text") << QByteArray("scores: 1, 2, 3, and more of them") << "no HDF5, safetensors or npz file";
        QTest::newRow("nothing") << QByteArray() << "the file is empty";
        QTest::newRow("a pickle in a zip")
            << QByteArray::fromStdString(keep_files::npz({ { "archive/data.pkl", "U8", { 1 }, "x" } }))
            << "it has: archive/data.pkl";
        QTest::newRow("cut zip") << QByteArray("PK\x03\x04 and no more of it than this here") << "cut off or damaged";
    }
    void what_is_no_such_file_is_refused_by_name()
    {
        QFETCH(QByteArray, bytes);
        QFETCH(QString, words);
        const auto file = in("any");
        keep_files::write_bytes(file, bytes.toStdString());
        const auto refused = errors::of([&] { (void)KeepFile(file); });
        QVERIFY2(refused.is(ErrorKind::input, words.toStdString()), refused.text());
        QVERIFY2(refused.is(ErrorKind::input, "any"), refused.text());
    }

    void no_file_a_folder_and_a_result_are_refused()
    {
        QVERIFY(errors::of([] { (void)KeepFile(""); }).is(ErrorKind::usage, "needs the path of a file"));
        const auto none = errors::of([&] { (void)KeepFile(in("none.h5")); });
        QVERIFY2(none.is(ErrorKind::input, "none.h5': there is no such file"), none.text());
        const auto folder = errors::of([&] { (void)KeepFile(folder_.path().toStdString()); });
        QVERIFY2(folder.is(ErrorKind::input, "not a file"), folder.text());
        keep_files::write_h5(in("run.h5"), { keep_files::scores({ layers, kv_heads, context }, numbers(1)) }, "run");
        const auto run = errors::of([&] { (void)KeepFile(in("run.h5")); });
        QVERIFY2(run.is(ErrorKind::input, "it is a run, and a file of scores or keep sets is needed"), run.text());
    }

    void arrays_in_fortran_order_are_refused_with_the_way_out()
    {
        const Array array = keep_files::scores({ layers, kv_heads, context }, numbers(1));
        std::string file = keep_files::npz({ array });
        const std::size_t at = file.find("'fortran_order': False");
        QVERIFY(at != std::string::npos);
        file.replace(at + 17, 5, "True ");
        keep_files::write_bytes(in("f.npz"), file);
        const auto damaged = errors::of([&] { (void)KeepFile(in("f.npz")); });
        QVERIFY2(damaged.is(ErrorKind::input, "checksum"), damaged.text()); // nobody wrote that
        const std::string turned = keep_files::npy(array, true);
        std::string whole = keep_files::npz({ array });
        const std::string plain = keep_files::npy(array);
        const auto crc = [](const std::string& bytes) {
            return keep_files::little(static_cast<std::uint32_t>(
                crc32(0, reinterpret_cast<const Bytef*>(bytes.data()), static_cast<uInt>(bytes.size()))));
        };
        QCOMPARE(turned.size(), plain.size());
        whole.replace(whole.find(plain), plain.size(), turned);
        for (std::size_t found = whole.find(crc(plain)); found != std::string::npos; found = whole.find(crc(plain)))
            whole.replace(found, 4, crc(turned));
        keep_files::write_bytes(in("f.npz"), whole);
        const auto refused = errors::of([&] { (void)KeepFile(in("f.npz")); });
        QVERIFY2(refused.is(ErrorKind::input, "np.ascontiguousarray(scores)"), refused.text());
    }

    void damaged_files_are_refused_or_read_right_data()
    {
        QTest::addColumn<QString>("format");
        for (const char* const format : { "safetensors", "npz", "packed.npz" })
            QTest::newRow(format) << QString(format);
    }
    void damaged_files_are_refused_or_read_right()
    {
        QFETCH(QString, format);
        const auto values = numbers(1);
        const std::vector<Array> arrays { keep_files::scores({ layers, kv_heads, context }, values),
            keep_files::tokens({ context }, ids) };
        const auto file = write(format.toStdString(), arrays);
        const std::string good = errors::bytes_of(file);
        int refused = 0;
        const auto look = [&](const std::string& bytes) {
            keep_files::write_bytes(file, bytes);
            const auto caught = errors::of([&] { (void)KeepFile(file).window(place()); });
            QVERIFY2(caught.none() || caught.error->kind() == ErrorKind::input, caught.text());
            refused += caught.none() ? 0 : 1;
        };
        for (std::size_t size = 0; size < good.size(); ++size) {
            look(good.substr(0, size));
            if (QTest::currentTestFailed())
                return;
        }
        QCOMPARE(refused, static_cast<int>(good.size())); // a part is never taken for the whole
        for (std::size_t at = 0; at < good.size(); ++at) {
            std::string bytes = good;
            constexpr std::array flips { 0xFF, 0x01, 0x80 };
            bytes[at] = static_cast<char>(static_cast<unsigned char>(bytes[at]) ^ flips[at % flips.size()]);
            look(bytes);
            if (QTest::currentTestFailed())
                return;
        }
    }
};

KEEPSET_TEST(TestKeepFile)
#include "tst_keep_file.moc"
