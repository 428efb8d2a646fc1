#include "tests/core/model_copy.h"

#include "core/model/safetensors.h"
#include "tests/support/test_main.h"

#include <QTest>

#include <unistd.h>

using namespace keepset;
using namespace keepset::copies;

namespace {

constexpr const char* untied = "families/olmo2"; // its own lm_head, float32
constexpr const char* some_weight = "model.layers.1.mlp.up_proj.weight";

/// Log-probabilities behind every token of a folder's own text.
std::vector<float> log_probabilities(const ModelCopy& copy, const fs::path& folder, ModelInfo* info = nullptr)
{
    Engine engine;
    const ModelInfo found = open(engine, folder);
    if (info != nullptr)
        *info = found;
    return engine.logits(copy.text(), 0).log_prob;
}

golden::Tensor tensor(const char* dtype, std::vector<std::int64_t> shape, std::size_t bytes)
{
    return { dtype, std::move(shape), std::string(bytes, '\1') };
}

/// Every tensor under another name.
void rename(ModelCopy& copy, const std::function<std::string(const std::string&)>& to)
{
    std::map<std::string, golden::Tensor> renamed;
    for (auto& [name, value] : copy.tensors)
        renamed[to(name)] = std::move(value);
    copy.tensors = std::move(renamed);
}

/// Two shards and, if wanted, their index; each name has a {} for the number.
void write_shards(ModelCopy& copy, const std::string& name, bool index)
{
    copy.write();
    fs::remove(copy.folder / "model.safetensors");
    const auto file = [&](int shard) {
        std::string filled = name;
        return filled.replace(filled.find("{}"), 2, "0000" + std::to_string(shard));
    };
    std::map<std::string, golden::Tensor> shards[2];
    json map = json::object();
    for (const auto& [key, value] : copy.tensors) {
        const int shard = shards[0].size() < copy.tensors.size() / 2 ? 1 : 2;
        shards[shard - 1][key] = value;
        map[key] = file(shard);
    }
    for (const int shard : { 1, 2 })
        write_file(copy.folder / file(shard), packed(shards[shard - 1]));
    if (index)
        write_file(copy.folder / "model.safetensors.index.json", json { { "weight_map", map } }.dump());
}

} // namespace

using Change = std::function<void(ModelCopy&)>;
Q_DECLARE_METATYPE(Change)

/// Weight files as they are published, damaged and cut: they open with the right numbers, or a sentence says why not.
class TestModelWeights : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void quantised_weights_are_refused_with_the_way_out_data()
    {
        QTest::addColumn<Change>("change");
        QTest::addColumn<QString>("kind");
        const std::string stem = "model.layers.1.mlp.up_proj";
        const auto beside
            = [&](const char* name, const std::string& ending, const golden::Tensor& value, const char* kind) {
                  const Change change = [=](ModelCopy& copy) { copy.tensors[stem + ending] = value; };
                  QTest::newRow(name) << change << kind;
              };
        const auto instead
            = [&](const char* name, const std::string& ending, const golden::Tensor& value, const char* kind) {
                  const Change change = [=](ModelCopy& copy) {
                      copy.tensors.erase(some_weight);
                      copy.tensors[stem + ending] = value;
                  };
                  QTest::newRow(name) << change << kind;
              };
        instead("qweight", ".qweight", tensor("I32", { 4, 40 }, 640), "GPTQ or AWQ");
        instead("packed", ".weight_packed", tensor("I32", { 40, 4 }, 640), "compressed-tensors");
        instead("F8 weight", ".weight", tensor("F8_E4M3", { 40, 32 }, 1280), "FP8");
        instead("U8 weight", ".weight", tensor("U8", { 640, 1 }, 640), "bitsandbytes");
        instead("MLX weight", ".weight", tensor("U32", { 40, 4 }, 640), "MLX");
        beside("FP8 scale", ".weight_scale_inv", tensor("F32", { 1, 1 }, 4), "FP8");
        beside("scale", ".weight_scale", tensor("F32", { 1 }, 4), "compressed-tensors");
        beside("int8", ".SCB", tensor("F32", { 40 }, 160), "bitsandbytes");
        beside("nf4", ".weight.quant_state.bitsandbytes__nf4", tensor("U8", { 90 }, 90), "bitsandbytes");
        beside("MLX scales", ".scales", tensor("F16", { 40, 1 }, 80), "MLX");
    }
    void quantised_weights_are_refused_with_the_way_out()
    {
        QFETCH(Change, change);
        QFETCH(QString, kind);
        for (const char* const wrapper : { "", "module." }) {
            ModelCopy copy(untied);
            change(copy);
            rename(copy, [&](const std::string& name) { return wrapper + name; });
            copy.write();
            for (const std::string& said : { refusal_of(copy.folder), refusal([&] { describe_model(copy.folder); }) }) {
                VERIFY_SAYS(said, "is of quantised weights (" + kind.toStdString());
                VERIFY_SAYS(said, wrapper + std::string("model.layers.1.mlp.up_proj"));
                VERIFY_SAYS(said, "Open the model that it was made from");
            }
        }
    }

    void a_config_that_tells_of_quantisation_is_refused_data()
    {
        QTest::addColumn<QByteArray>("field");
        QTest::addColumn<QString>("words");
        QTest::newRow("gptq") << QByteArray(
            R"({"quantization_config": {"quant_method": "gptq", "bits": 4, "group_size": 128}})")
                              << "GPTQ, 4 bits";
        QTest::newRow("awq") << QByteArray(R"({"quantization_config": {"quant_method": "awq", "bits": 4}})")
                             << "AWQ, 4 bits";
        QTest::newRow("bnb") << QByteArray(
            R"({"quantization_config": {"quant_method": "bitsandbytes", "load_in_4bit": true}})")
                             << "bitsandbytes, 4 bits";
        QTest::newRow("fp8") << QByteArray(
            R"({"quantization_config": {"quant_method": "fp8", "weight_block_size": [128, 128]}})")
                             << "FP8)";
        QTest::newRow("mlx") << QByteArray(R"({"quantization": {"bits": 4, "group_size": 64}})") << "MLX, 4 bits";
        QTest::newRow("unnamed") << QByteArray(R"({"quantization_config": {"zero_point": true}})")
                                 << "method not named";
    }
    void a_config_that_tells_of_quantisation_is_refused()
    {
        QFETCH(QByteArray, field);
        QFETCH(QString, words);
        ModelCopy copy(untied);
        copy.config.update(json::parse(field.toStdString()));
        const std::string said = refusal_of(copy.write());
        VERIFY_SAYS(said, "config.json': the weights are quantised");
        VERIFY_SAYS(said, words.toStdString());
        VERIFY_SAYS(said, "Open the model that it was made from");
    }

    void an_adapter_in_the_weights_is_refused()
    {
        ModelCopy copy(untied);
        rename(copy, [](const std::string& name) {
            return "base_model.model." + (name == some_weight ? "model.layers.1.mlp.up_proj.base_layer.weight" : name);
        });
        copy.tensors["base_model.model.model.layers.1.mlp.up_proj.lora_A.default.weight"]
            = tensor("F32", { 1, 40 }, 160);
        VERIFY_SAYS(refusal_of(copy.write()), "adapter that was not merged");
    }

    void shards_open_whatever_they_are_called_data()
    {
        QTest::addColumn<QString>("name");
        QTest::addColumn<bool>("index");
        QTest::newRow("usual") << "model-{}-of-00002.safetensors" << true;
        QTest::newRow("two endings") << "model.safetensors-{}-of-00002.safetensors" << true;
        QTest::newRow("anything") << "part {}.st" << true;
        QTest::newRow("no index") << "model-{}-of-00002.safetensors" << false;
        QTest::newRow("two endings, no index") << "model.safetensors-{}-of-00002.safetensors" << false;
    }
    void shards_open_whatever_they_are_called()
    {
        QFETCH(QString, name);
        QFETCH(bool, index);
        ModelCopy whole(untied);
        ModelCopy copy(untied);
        write_shards(copy, name.toStdString(), index);
        QCOMPARE(log_probabilities(copy, copy.folder), log_probabilities(whole, whole.write()));
    }

    void a_missing_shard_is_named()
    {
        for (const bool index : { true, false }) {
            ModelCopy copy(untied);
            write_shards(copy, "model-{}-of-00002.safetensors", index);
            fs::remove(copy.folder / "model-00002-of-00002.safetensors");
            VERIFY_SAYS(refusal_of(copy.folder), "1 of the 2 weight files");
            VERIFY_SAYS(refusal_of(copy.folder), "'model-00002-of-00002.safetensors'");
            VERIFY_SAYS(refusal_of(copy.folder), "download is incomplete");
        }
        ModelCopy stale(untied);
        write_shards(stale, "model-{}-of-00002.safetensors", true);
        write_file(stale.folder / "model.safetensors.index.json",
            R"({"weight_map": {"a": "model-00001-of-00004.safetensors", "b": "model-00002-of-00004.safetensors",
                "c": "model-00003-of-00004.safetensors", "d": "model-00004-of-00004.safetensors"}})");
        VERIFY_SAYS(refusal_of(stale.folder), "4 of the 4 weight files");
        VERIFY_SAYS(refusal_of(stale.folder), "and 1 others");
        VERIFY_SAYS(refusal_of(stale.folder),
            "'model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors' beside it");
    }

    void bytes_of_no_tensor_are_refused()
    {
        ModelCopy copy(untied);
        const fs::path file = copy.write() / "model.safetensors";
        const std::string bytes = golden::read_bytes(file);
        write_file(file, bytes + std::string(100, '\0'));
        VERIFY_SAYS(refusal_of(copy.folder), "100 bytes at the end of the file belong to no tensor");
        write_file(file, bytes.substr(0, bytes.size() - 10));
        VERIFY_SAYS(refusal_of(copy.folder), "lies outside the file");
        write_file(file,
            packed(R"({"a": {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]},
                "b": {"dtype": "U8", "shape": [1], "data_offsets": [3, 4]}})",
                "abcd"));
        VERIFY_SAYS(refusal_of(copy.folder), "2 bytes before tensor 'b' belong to no tensor");
        write_file(file, packed("{}", "abcd"));
        VERIFY_SAYS(refusal_of(copy.folder), "4 bytes at the end");
    }

    void a_name_that_comes_twice_in_a_header_is_refused()
    {
        ModelCopy copy(untied);
        const fs::path file = copy.write() / "model.safetensors";
        write_file(file,
            packed(R"({"a": {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]},
                "a": {"dtype": "U8", "shape": [1], "data_offsets": [1, 2]}})",
                "ab"));
        VERIFY_SAYS(refusal_of(copy.folder), "the header names tensor 'a' twice");
    }

    void what_nobody_takes_may_be_of_any_dtype_data()
    {
        QTest::addColumn<QString>("dtype");
        QTest::addColumn<int>("bytes");
        for (const auto& [dtype, bytes] : std::initializer_list<std::pair<const char*, int>> { { "F8_E4M3", 16 },
                 { "F8_E5M2", 16 }, { "F8_E8M0", 16 }, { "F8_E4M3FNUZ", 16 }, { "F4", 8 }, { "F6_E2M3", 12 },
                 { "F6_E3M2", 12 }, { "C64", 128 }, { "F7", 5 }, { "I4", 8 } })
            QTest::newRow(dtype) << dtype << bytes;
    }
    void what_nobody_takes_may_be_of_any_dtype()
    {
        QFETCH(QString, dtype);
        QFETCH(int, bytes);
        ModelCopy copy(untied);
        const std::string name = dtype.toStdString();
        copy.tensors["vision.scale"] = tensor(name.c_str(), { 4, 4 }, static_cast<std::size_t>(bytes));
        Engine engine;
        const ModelInfo info = open(engine, copy.write());
        QVERIFY(has_note(info.notes, "vision.scale"));
        copy.tensors.erase("vision.scale");
        copy.tensors["lm_head.weight"].dtype = name;
        copy.tensors["lm_head.weight"].bytes.resize(257 * 40 * 8); // sizes are another's concern
        const std::string said = refusal_of(copy.write());
        QVERIFY2(said.find("lm_head.weight") != std::string::npos, said.c_str());
    }

    void a_tensor_that_is_taken_is_refused_by_its_dtype()
    {
        ModelCopy copy(untied);
        golden::Tensor& head = copy.tensors["lm_head.weight"];
        head.dtype = "F7";
        VERIFY_SAYS(refusal_of(copy.write()), "'lm_head.weight' has dtype 'F7'; F64, F32, BF16 and F16 are read");
    }

    void weights_of_double_precision_are_read()
    {
        ModelCopy plain(untied);
        ModelCopy copy(untied);
        for (auto& [name, value] : copy.tensors) {
            const std::vector<float> floats = value.values<float>();
            const std::vector<double> doubles(floats.begin(), floats.end());
            value.dtype = "F64";
            value.bytes.assign(reinterpret_cast<const char*>(doubles.data()), doubles.size() * sizeof(double));
        }
        ModelInfo info;
        QCOMPARE(log_probabilities(copy, copy.write(), &info), log_probabilities(plain, plain.write()));
        QCOMPARE(info.checkpoint_dtype, std::string("float64"));
    }

    void names_that_a_wrapper_left_are_read_without_it_data()
    {
        QTest::addColumn<QString>("model");
        QTest::addColumn<QString>("wrapper");
        QTest::addColumn<QString>("who");
        for (const char* model : { untied, "families/gemma", "families/gpt_neox", "families/phi", "families/opt" }) {
            const auto row = [&](const char* wrapper, const char* who) {
                QTest::addRow("%s %s", model, wrapper) << model << wrapper << who;
            };
            row("_orig_mod.", "torch.compile");
            row("module.", "DataParallel");
            row("base_model.model.", "PEFT");
            row("module._orig_mod.", "torch.compile, DataParallel");
            row("_orig_mod.module.base_model.model.", "torch.compile, DataParallel, PEFT");
        }
    }
    void names_that_a_wrapper_left_are_read_without_it()
    {
        QFETCH(QString, model);
        QFETCH(QString, wrapper);
        QFETCH(QString, who);
        ModelCopy plain(qPrintable(model));
        ModelCopy copy(qPrintable(model));
        rename(copy, [&](const std::string& name) { return wrapper.toStdString() + name; });
        ModelInfo info;
        QCOMPARE(log_probabilities(copy, copy.write(), &info), log_probabilities(plain, plain.write()));
        QVERIFY(has_note(info.notes, "(" + who.toStdString() + ")"));
    }

    void a_head_that_the_config_ties_but_the_file_does_not_is_used()
    {
        ModelCopy plain(untied);
        ModelCopy copy(untied);
        copy.config["tie_word_embeddings"] = true;
        ModelInfo info;
        QCOMPARE(log_probabilities(copy, copy.write(), &info), log_probabilities(plain, plain.write()));
        QVERIFY(has_note(info.notes, "hold two different ones"));
        copy.tensors["lm_head.weight"] = copy.tensors["model.embed_tokens.weight"];
        log_probabilities(copy, copy.write(), &info);
        QVERIFY(!has_note(info.notes, "hold two different ones"));
    }

    void a_missing_head_is_the_embedding_only_where_the_config_ties_them()
    {
        ModelCopy copy(untied);
        copy.tensors["lm_head.weight"] = copy.tensors["model.embed_tokens.weight"];
        const std::vector<float> wanted = log_probabilities(copy, copy.write());
        copy.config["tie_word_embeddings"] = true;
        copy.tensors.erase("lm_head.weight");
        QCOMPARE(log_probabilities(copy, copy.write()), wanted);
        // Only the head is there: it is the embedding too.
        copy.tensors["lm_head.weight"] = copy.tensors["model.embed_tokens.weight"];
        copy.tensors.erase("model.embed_tokens.weight");
        QCOMPARE(log_probabilities(copy, copy.write()), wanted);
        copy.tensors["model.embed_tokens.weight"] = copy.tensors["lm_head.weight"];
        copy.tensors.erase("lm_head.weight");
        for (const bool said : { true, false }) { // olmo2's default is false
            copy.config["tie_word_embeddings"] = false;
            if (!said)
                copy.config.erase("tie_word_embeddings");
            VERIFY_SAYS(refusal_of(copy.write()), "'lm_head.weight' is missing from the weights");
            VERIFY_SAYS(refusal_of(copy.folder), "\"tie_word_embeddings\": true");
        }
    }

    void a_map_of_a_file_that_was_cut_reads_as_zeros_and_says_so()
    {
        const QTemporaryDir place;
        const fs::path file = fs::path(place.path().toStdString()) / "file";
        const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
        write_file(file, std::string(4 * page, 'x'));
        const MappedFile other(file);
        const MappedFile map(file);
        map.refuse_cut();
        QCOMPARE(::truncate(file.c_str(), static_cast<off_t>(page)), 0);
        QCOMPARE(map.data()[0], std::byte { 'x' });
        QCOMPARE(map.data()[3 * page], std::byte { 0 }); // SIGBUS without the guard
        VERIFY_SAYS(refusal([&] { map.refuse_cut(); }), "was cut or written anew while it was in use");
        // Written again at full length: what was read in between is lost all the same.
        write_file(file, std::string(4 * page, 'y'));
        VERIFY_SAYS(refusal([&] { map.refuse_cut(); }), "was cut or written anew while it was in use");
        other.refuse_cut();
    }

    void a_model_whose_file_is_cut_answers_with_a_sentence_data()
    {
        QTest::addColumn<int>("left"); // of a hundred
        for (const int left : { 0, 30, 99 })
            QTest::addRow("%d%%", left) << left;
    }
    void a_model_whose_file_is_cut_answers_with_a_sentence()
    {
        QFETCH(int, left);
        ModelCopy copy(untied);
        const fs::path file = copy.write() / "model.safetensors";
        Engine engine;
        open(engine, copy.folder);
        const auto bytes = static_cast<off_t>(fs::file_size(file));
        QCOMPARE(::truncate(file.c_str(), bytes * left / 100), 0);
        const std::string cut = "was cut or written anew while it was in use";
        VERIFY_SAYS(refusal([&] { engine.logits(copy.text(), 0); }), cut);
        AnalysisRequest analysis;
        analysis.text = copy.text();
        VERIFY_SAYS(refusal([&] { engine.analyse(analysis); }), cut);
        SweepRequest sweep;
        sweep.text = copy.text();
        sweep.policies = parse_policies("h2o");
        sweep.sparsities = { 0.5 };
        sweep.context = 16;
        sweep.target = 8;
        int windows = 0;
        VERIFY_SAYS(refusal([&] { engine.sweep(sweep, {}, [&](const auto&) { ++windows; }); }), cut);
        QCOMPARE(windows, 0);
    }

    void a_file_that_is_cut_while_it_is_opened_is_refused()
    {
        ModelCopy copy(untied);
        const fs::path file = copy.write() / "model.safetensors";
        Engine engine;
        const Task task { {}, [&](const Progress&) {
                             if (::truncate(file.c_str(), 2000) != 0)
                                 qFatal("no truncate");
                         } };
        VERIFY_SAYS(refusal([&] { open(engine, copy.folder, task); }), "was cut or written anew while it was in use");
    }
};

KEEPSET_TEST(TestModelWeights)
#include "tst_model_weights.moc"
