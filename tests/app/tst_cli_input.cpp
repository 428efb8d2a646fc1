#include "tests/app/cli_process.h"
#include "tests/support/test_main.h"

#include <QTemporaryDir>

#include <nlohmann/json.hpp>

#include <cstring>
#include <functional>
#include <unistd.h>

using nlohmann::json;

namespace {

using Damage = std::function<bool(const QString& folder)>;

/// Changes the fields of a JSON file.
Damage edit(const char* file, const std::function<void(json&)>& change)
{
    return [=](const QString& folder) {
        const QString path = folder + "/" + file;
        json content = json::parse(cli::read(path).toStdString());
        change(content);
        return cli::write(path, QByteArray::fromStdString(content.dump()));
    };
}

/// Changes the header of the weights; the data behind it stay.
Damage edit_header(const std::function<void(json&)>& change)
{
    return [=](const QString& folder) {
        const QString path = folder + "/model.safetensors";
        const QByteArray bytes = cli::read(path);
        std::uint64_t size = 0;
        std::memcpy(&size, bytes.constData(), sizeof size);
        const auto length = static_cast<qsizetype>(size);
        json header = json::parse(bytes.mid(8, length).toStdString());
        change(header);
        const QByteArray text = QByteArray::fromStdString(header.dump());
        const auto new_size = static_cast<std::uint64_t>(text.size());
        QByteArray head(8, '\0');
        std::memcpy(head.data(), &new_size, sizeof new_size);
        return cli::write(path, head + text + bytes.mid(8 + length));
    };
}

Damage remove_file(const char* file)
{
    return [=](const QString& folder) { return QFile::remove(folder + "/" + file); };
}

Damage replace_file(const char* file, const QByteArray& bytes)
{
    return [=](const QString& folder) { return cli::write(folder + "/" + file, bytes); };
}

Damage cut(const char* file, double share)
{
    return [=](const QString& folder) {
        QFile target(folder + "/" + file);
        return target.resize(static_cast<qint64>(static_cast<double>(target.size()) * share));
    };
}

constexpr const char* some_tensor = "model.layers.1.mlp.up_proj.weight";

} // namespace

Q_DECLARE_METATYPE(Damage)

/// Bad files: status 3 (a full disk, too), one sentence that names the file and what is wrong, and nothing lost.
class TestCliInput : public QObject {
    Q_OBJECT

private:
    QTemporaryDir folder_;
    QString in(const QString& name) const { return folder_.filePath(name); }
    QStringList logits(const QString& model, const QString& text) const
    {
        return { "logits", model, "--text", text, "--threads", "1", "--quiet" };
    }
    QStringList sweep(const QString& text, const QString& out, const QString& windows = "2") const
    {
        return { "sweep", cli::tiny_model(), "--text", text, "--context", "64", "--target", "16", "--windows", windows,
            "--sparsity", "0.5", "--threads", "1", "--quiet", "--out", out };
    }

private Q_SLOTS:
    void a_damaged_model_is_refused_by_name_data()
    {
        QTest::addColumn<Damage>("damage");
        QTest::addColumn<QStringList>("words");
        const auto row = [](const char* name, const Damage& damage, const QStringList& words) {
            QTest::newRow(name) << damage << words;
        };
        row("no config.json", remove_file("config.json"), { "config.json" });
        row("wrong JSON", replace_file("config.json", "{ \"hidden_size\": 35, "), { "config.json", "at byte" });
        row("JSON of another kind", replace_file("config.json", "[1]"), { "config.json", "object" });
        row("unknown architecture", edit("config.json", [](json& c) { c["model_type"] = "mamba"; }),
            { "config.json", "'mamba'", "Known: gpt2" });
        row("unsupported field", edit("config.json", [](json& c) { c["sliding_window"] = 128; }),
            { "config.json", "'sliding_window'", "128" });
        row("unsupported rope",
            edit("config.json",
                [](json& c) {
                    c["rope_scaling"] = { { "type", "spiral" } };
                }),
            { "config.json", "rope_scaling", "yarn" });
        row("missing field", edit("config.json", [](json& c) { c.erase("hidden_size"); }),
            { "model.embed_tokens.weight", "4096" }); // the default of its family's configuration
        row("absurd field", edit("config.json", [](json& c) { c["num_hidden_layers"] = -3; }),
            { "config.json", "'num_hidden_layers'", "-3" });
        row("no weights", remove_file("model.safetensors"), { "model.safetensors" });
        row("empty weights", replace_file("model.safetensors", ""), { "model.safetensors", "empty" });
        row("truncated weights", cut("model.safetensors", 0.9), { "model.safetensors", "tensor '", "complete" });
        row("truncated header", cut("model.safetensors", 0.003), { "model.safetensors", "header" });
        row("overlapping weights", edit_header([](json& h) {
            h["model.norm.weight"]["data_offsets"] = h["model.layers.0.input_layernorm.weight"]["data_offsets"];
        }),
            { "model.safetensors", "'model.norm.weight'", "overlap" });
        row("weights outside the file", edit_header([](json& h) {
            h[some_tensor]["data_offsets"] = { 1'000'000'000, 1'000'006'720 };
        }),
            { "model.safetensors", some_tensor, "outside" });
        row("wrong shape",
            edit_header([](json& h) { std::swap(h[some_tensor]["shape"][0], h[some_tensor]["shape"][1]); }),
            { some_tensor, "35", "48" });
        row("wrong size", edit_header([](json& h) { h[some_tensor]["shape"][0] = 47; }),
            { "model.safetensors", some_tensor, "bytes" });
        row("unknown dtype", edit_header([](json& h) { h[some_tensor]["dtype"] = "F7"; }),
            { "model.safetensors", some_tensor, "'F7'" });
        row("missing tensor", edit_header([](json& h) {
            h["another"] = h[some_tensor]; // its bytes have an owner, as the format demands
            h.erase(some_tensor);
        }),
            { some_tensor });
        row("trailing bytes",
            [](const QString& folder) {
                QFile file(folder + "/model.safetensors");
                return file.open(QIODevice::Append) && file.write("tail") == 4;
            },
            { "model.safetensors", "4 bytes at the end" });
        row("a pointer of Git LFS", replace_file("model.safetensors", "version https://git-lfs.github.com/spec/v1\n"),
            { "model.safetensors", "git lfs pull" });
        row("pickled weights only",
            [](const QString& folder) {
                return QFile::rename(folder + "/model.safetensors", folder + "/pytorch_model.bin");
            },
            { "pytorch_model.bin", "run code", "Convert" });
        row("no tokenizer", remove_file("tokenizer.json"), { "tokenizer.json" });
        row("wrong tokenizer", replace_file("tokenizer.json", "{"), { "tokenizer.json" });
        row("tokenizer of another model", edit("config.json", [](json& c) { c["vocab_size"] = 100; }),
            { "model.embed_tokens.weight", "100" });
    }
    void a_damaged_model_is_refused_by_name()
    {
        QFETCH(const Damage, damage);
        QFETCH(const QStringList, words);
        const QTemporaryDir place;
        const QString model = place.filePath("model");
        QVERIFY(cli::copy_tiny_model(model) && damage(model));
        const cli::Result result = cli::run(logits(model, cli::demo_text()));
        QVERIFY2(result.status == 3 && result.is_one_sentence(), result.text());
        QVERIFY2(result.said(model), result.text());
        for (const QString& word : words)
            QVERIFY2(result.said(word), (word.toUtf8() + ": " + result.text()));
    }

    void a_model_folder_that_is_none_is_refused()
    {
        for (const QString& model : { in("nowhere"), cli::demo_text() }) {
            for (const QStringList& arguments : { QStringList { "info", model }, logits(model, cli::demo_text()) }) {
                const cli::Result result = cli::run(arguments);
                QVERIFY2(result.status == 3 && result.is_one_sentence() && result.said(model), result.text());
            }
        }
    }

    void a_bad_text_is_refused_by_name_data()
    {
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<QString>("words");
        QTest::newRow("empty") << QByteArray("") << "0 tokens";
        QTest::newRow("shorter than context + target") << QByteArray(79, 'a') << "79 tokens";
        QTest::newRow("invalid UTF-8") << QByteArray("caf\xC3\xA9 \xFF") + QByteArray(100, 'a') << "6";
        QTest::newRow("cut UTF-8") << QByteArray(100, 'a') + "\xE2\x82"
                                   << "100";
    }
    void a_bad_text_is_refused_by_name()
    {
        QFETCH(const QByteArray, bytes);
        QFETCH(const QString, words);
        QVERIFY(cli::write(in("bad.txt"), bytes));
        const cli::Result result = cli::run(sweep(in("bad.txt"), in("x.h5")));
        QVERIFY2(result.status == 3 && result.is_one_sentence(), result.text());
        QVERIFY2(result.said("bad.txt") && result.said(words), result.text());
        QVERIFY(!QFile::exists(in("x.h5")) && !QFile::exists(in("x.h5.lock")));
    }

    void a_text_that_cannot_be_read_is_refused_by_name()
    {
        for (const QString& text : { in("nothing.txt"), folder_.path() }) {
            for (const QStringList& arguments : { logits(cli::tiny_model(), text),
                     QStringList { "tokenize", cli::tiny_model(), "--text", text }, sweep(text, in("x.h5")) }) {
                const cli::Result result = cli::run(arguments);
                QVERIFY2(result.status == 3 && result.is_one_sentence() && result.said(text), result.text());
            }
        }
        if (::geteuid() == 0)
            QSKIP("The user may read everything.");
        QVERIFY(cli::write(in("locked.txt"), "text"));
        QVERIFY(QFile::setPermissions(in("locked.txt"), {}));
        const cli::Result result = cli::run(logits(cli::tiny_model(), in("locked.txt")));
        QVERIFY2(result.status == 3 && result.is_one_sentence() && result.said("locked.txt"), result.text());
    }

    void an_offset_behind_the_text_is_refused()
    {
        const QStringList offset { "--offset", "100000" };
        for (const QStringList& arguments :
            { logits(cli::tiny_model(), cli::demo_text()), sweep(cli::demo_text(), in("x.h5")),
                QStringList { "tokenize", cli::tiny_model(), "--text", cli::demo_text() } }) {
            const cli::Result result = cli::run(arguments + offset);
            QVERIFY2(result.status == 3 && result.is_one_sentence() && result.said("demo.txt"), result.text());
        }
    }

    void an_output_that_cannot_be_is_refused_before_the_work()
    {
        // The model is not there either: the output is looked at first.
        const QStringList analyze { "analyze", "no-model", "--text", cli::demo_text(), "--out" };
        const QStringList sweep { "sweep", "no-model", "--text", cli::demo_text(), "--out" };
        const QStringList logits { "logits", "no-model", "--text", cli::demo_text(), "--out" };
        for (const QStringList& command : { analyze, sweep, logits }) {
            for (const QString& out : { in("missing/x.h5"), folder_.path(), QStringLiteral("/dev/full") }) {
                const cli::Result result = cli::run(command + QStringList { out });
                QVERIFY2(result.status == 3 && result.is_one_sentence() && result.said(out), result.text());
            }
        }
        const cli::Result csv = cli::run(sweep + QStringList { in("x.h5"), "--csv", in("missing/x.csv") });
        QVERIFY2(csv.status == 3 && csv.is_one_sentence() && csv.said("x.csv"), csv.text());
    }

    void a_full_disk_is_told_and_nothing_is_left_over()
    {
        const QStringList analyze { "analyze", cli::tiny_model(), "--text", cli::demo_text(), "--context", "64",
            "--threads", "1", "--quiet", "--out", in("full.h5") };
        for (const QStringList& arguments : { analyze, sweep(cli::demo_text(), in("full.h5")) }) {
            const cli::Result result = cli::run(arguments, 4096);
            QVERIFY2(result.status == 3 && result.is_one_sentence() && result.said("full.h5"), result.text());
            QCOMPARE(QDir(folder_.path()).entryList({ "full.h5*" }), QStringList {});
        }
    }

    void a_full_disk_under_the_table_is_told()
    {
        const cli::Result result
            = cli::run(sweep(cli::demo_text(), in("good.h5")) + QStringList { "--csv", "/dev/full" });
        QVERIFY2(result.status == 3 && result.is_one_sentence() && result.said("/dev/full"), result.text());
        QCOMPARE(cli::run({ "show", in("good.h5") }).status, 0);
    }

    void a_sweep_takes_all_its_room_first_so_that_a_disk_cannot_fill_under_it()
    {
        const QStringList arguments = sweep(cli::demo_text(), in("room.h5"), "40");
        const cli::Result whole = cli::run(arguments);
        QVERIFY2(whole.status == 0, whole.text());
        const auto size = static_cast<rlim_t>(QFile(in("room.h5")).size());
        QVERIFY(QFile::remove(in("room.h5")));
        const cli::Result refused = cli::run(arguments, size - 1);
        QVERIFY2(refused.status == 3 && refused.is_one_sentence() && refused.said("room.h5"), refused.text());
        QCOMPARE(QDir(folder_.path()).entryList({ "room.h5*" }), QStringList {});
        const cli::Result fits = cli::run(arguments, size);
        QVERIFY2(fits.status == 0, fits.text());
    }

    void a_damaged_result_file_is_refused_by_name()
    {
        const cli::Result made = cli::run(sweep(cli::demo_text(), in("result.h5")));
        QVERIFY2(made.status == 0, made.text());
        const QByteArray good = cli::read(in("result.h5"));
        QByteArray noisy = good;
        for (qsizetype at = 200; at < noisy.size(); at += 7)
            noisy[at] = static_cast<char>(noisy[at] ^ 0x5A);
        const QList<QByteArray> damaged { {}, "text", good.left(good.size() / 2), good.left(100), noisy };
        for (const QByteArray& bytes : damaged) {
            QVERIFY(cli::write(in("damaged.h5"), bytes));
            for (const char* command : { "show", "audit" }) {
                const cli::Result result = cli::run({ command, in("damaged.h5") });
                QVERIFY2(result.status == 3 && result.is_one_sentence() && result.said("damaged.h5"), result.text());
            }
        }
        for (const QString& file : { in("none.h5"), folder_.path() }) {
            for (const char* command : { "show", "audit" }) {
                const cli::Result result = cli::run({ command, file });
                QVERIFY2(result.status == 3 && result.is_one_sentence() && result.said(file), result.text());
            }
        }
    }

    void a_bad_table_is_refused_by_line()
    {
        QVERIFY(cli::write(in("table.csv"), "method,sparsity,perplexity\ndense,0,8.8\nh2o,half,9\n"));
        const cli::Result result = cli::run({ "audit", in("table.csv") });
        QVERIFY2(result.status == 3 && result.is_one_sentence() && result.said("line 3"), result.text());
    }

    void a_context_too_long_for_a_policy_is_refused_before_the_pass()
    {
        const QString model = in("long");
        QVERIFY(cli::copy_tiny_model(model));
        QVERIFY(edit("config.json", [](json& c) { c["max_position_embeddings"] = 20000; })(model));
        const cli::Result result = cli::run({ "analyze", model, "--text",
            cli::source("resources/demo/heldout-books-test.txt"), "--context", "16400", "--policies",
            "h2o,cab(bridge=curvature)", "--out", in("long.h5"), "--device", "cpu", "--threads", "2" });
        QCOMPARE(result.status, 2);
        QVERIFY2(result.text().contains("up to 16,384 tokens; this one has 16,400"), result.text());
        QVERIFY2(!result.text().contains("attention pass"), result.text());
        QVERIFY(!QFile::exists(in("long.h5")));
    }
};

KEEPSET_TEST(TestCliInput)
#include "tst_cli_input.moc"
