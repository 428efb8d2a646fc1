#include "tests/core/model_copy.h"

#include "core/model/model_folder.h"
#include "tests/support/test_main.h"

#include <QProcess>
#include <QTest>

using namespace keepset;
using namespace keepset::copies;

namespace {

const std::string lfs_pointer = "version https://git-lfs.github.com/spec/v1\n"
                                "oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\n"
                                "size 30\n";
constexpr const char* some_model = "families/qwen2";

/// A place of its own for one test.
class Place {
public:
    fs::path path() const { return dir_.path().toStdString(); }
    fs::path file(const std::string& name, const std::string& bytes = "x") const
    {
        fs::create_directories((path() / name).parent_path());
        write_file(path() / name, bytes);
        return path() / name;
    }
    fs::path folder(const std::string& name) const
    {
        fs::create_directories(path() / name);
        return path() / name;
    }
    /// A whole model in this folder.
    fs::path model(const std::string& name) const
    {
        ModelCopy copy(some_model);
        fs::copy(copy.write(), folder(name), fs::copy_options::recursive);
        return path() / name;
    }

private:
    QTemporaryDir dir_;
};

/// Sets an environment variable (null: takes it away) until the end of a test.
class Variable {
public:
    Variable(const char* name, const char* value)
        : name_(name)
        , before_(qgetenv(name))
        , was_set_(qEnvironmentVariableIsSet(name))
    {
        value == nullptr ? qunsetenv(name) : qputenv(name, value);
    }
    ~Variable() { was_set_ ? qputenv(name_, before_) : qunsetenv(name_); }
    Variable(const Variable&) = delete;
    Variable& operator=(const Variable&) = delete;

private:
    const char* name_;
    QByteArray before_;
    bool was_set_;
};

} // namespace

using Make = std::function<fs::path(const Place&)>;
Q_DECLARE_METATYPE(Make)

/// What people give for a model folder: it opens, or a sentence says what it is and what to do.
class TestModelFolders : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void a_git_lfs_pointer_is_named_data()
    {
        QTest::addColumn<QString>("file");
        for (const char* file : { "config.json", "tokenizer.json", "model.safetensors", "model.safetensors.index.json",
                 "model-00002-of-00002.safetensors" })
            QTest::newRow(file) << file;
    }
    void a_git_lfs_pointer_is_named()
    {
        QFETCH(QString, file);
        const Place place;
        const fs::path folder = place.model("model");
        if (file.startsWith("model") && file != "model.safetensors") {
            fs::rename(folder / "model.safetensors", folder / "model-00001-of-00002.safetensors");
            write_file(folder / "model.safetensors.index.json",
                R"({"weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}})");
        }
        write_file(folder / file.toStdString(), lfs_pointer);
        for (const std::string& said : { refusal_of(folder), refusal([&] { describe_model(folder); }) }) {
            VERIFY_SAYS(said, file.toStdString() + "' is a Git LFS pointer, not the file");
            VERIFY_SAYS(said, "git lfs pull");
        }
    }

    void what_is_no_model_is_told_by_what_it_is_data()
    {
        QTest::addColumn<Make>("make");
        QTest::addColumn<QStringList>("words");
        const auto row = [](const char* name, const Make& make, const QStringList& words) {
            QTest::newRow(name) << make << words;
        };
        row("nothing there", [](const Place& p) { return p.path() / "nowhere"; }, { "nowhere", "not a model folder" });
        row("empty", [](const Place& p) { return p.folder("m"); }, { "m' is empty" });
        row("a GGUF file", [](const Place& p) { return p.file("m.gguf", "GGUF\3"); }, { "m.gguf' is a GGUF file" });
        row("a GGUF file of another name", [](const Place& p) { return p.file("blob", "GGUF\3"); },
            { "is a GGUF file" });
        row("a folder of GGUF", [](const Place& p) { return p.file("m/q4.gguf").parent_path(); }, { "GGUF" });
        row("GGUF with a config",
            [](const Place& p) {
                const fs::path model = p.model("m");
                fs::remove(model / "model.safetensors");
                write_file(model / "q4.gguf", "GGUF");
                return model;
            },
            { "GGUF" });
        row("a file of the folder", [](const Place& p) { return p.model("m") / "model.safetensors"; },
            { "but a file", "Give the folder", "/m'" });
        row("a folder of models", [](const Place& p) { return p.model("a/b").parent_path(); },
            { "There is a model in it", "a/b" });
        row("a cache",
            [](const Place& p) {
                return p.model("hub/models--o--n/snapshots/1").parent_path().parent_path().parent_path();
            },
            { "There is a model in it", "models--o--n" });
        row("Meta's own format",
            [](const Place& p) {
                p.file("m/params.json", "{}");
                return p.file("m/consolidated.00.pth").parent_path();
            },
            { "params.json", "Hugging Face version" });
        row("no config", [](const Place& p) { return p.file("m/model.safetensors").parent_path(); },
            { "config.json' is missing" });
        row("only training's pickles",
            [](const Place& p) {
                const fs::path model = p.model("m");
                fs::rename(model / "model.safetensors", model / "training_args.bin");
                return model;
            },
            { "no model.safetensors" });
        for (const char* name :
            { "pytorch_model.bin", "pytorch_model-00001-of-00002.bin", "consolidated.00.pth", "model.ckpt" })
            row(name,
                [name](const Place& p) {
                    const fs::path model = p.model("m");
                    fs::rename(model / "model.safetensors", model / name);
                    return model;
                },
                { name, "run code", "AutoModelForCausalLM", "AutoTokenizer" });
        row("weights of another name",
            [](const Place& p) {
                const fs::path model = p.model("m");
                fs::rename(model / "model.safetensors", model / "weights.safetensors");
                return model;
            },
            { "no model.safetensors", "weights.safetensors" });
        row("a link to nothing",
            [](const Place& p) {
                const fs::path model = p.model("m");
                fs::remove(model / "model.safetensors");
                fs::create_symlink("../blobs/1234", model / "model.safetensors");
                return model;
            },
            { "model.safetensors' is a link", "incomplete" });
        row("no tokenizer.json",
            [](const Place& p) {
                const fs::path model = p.model("m");
                fs::remove(model / "tokenizer.json");
                return model;
            },
            { "tokenizer.json does not exist", "AutoTokenizer" });
    }
    void what_is_no_model_is_told_by_what_it_is()
    {
        QFETCH(Make, make);
        QFETCH(QStringList, words);
        const Place place;
        const fs::path given = make(place);
        for (const std::string& said : { refusal_of(given), refusal([&] { describe_model(given); }) }) {
            for (const QString& word : words)
                VERIFY_SAYS(said, word.toStdString());
        }
    }

    void an_adapter_is_no_model()
    {
        const Place place;
        const fs::path alone = place.file("alone/adapter_config.json", "{}").parent_path();
        place.file("alone/adapter_model.safetensors");
        const fs::path with_config = place.model("with_config");
        fs::rename(with_config / "model.safetensors", with_config / "adapter_model.bin");
        write_file(with_config / "adapter_config.json", "{}");
        for (const fs::path& folder : { alone, with_config }) {
            VERIFY_SAYS(refusal_of(folder), "is an adapter, not a model");
            VERIFY_SAYS(refusal_of(folder), "Merge it first");
        }
        // Merged weights beside what is left of the adapter are a model.
        const fs::path merged = place.model("merged");
        write_file(merged / "adapter_config.json", "{}");
        Engine engine;
        QCOMPARE(open(engine, merged).layers, std::int64_t { 2 });
    }

    void the_root_of_a_cache_entry_is_its_snapshot()
    {
        const Place place;
        const fs::path root = place.path() / "models--owner--name";
        VERIFY_SAYS(refusal_of(place.folder("models--owner--none/snapshots").parent_path()), "nothing was downloaded");
        place.model("models--owner--name/snapshots/aaa");
        QCOMPARE(model_folder(root), root / "snapshots" / "aaa");
        place.file("models--owner--name/refs/main", "gone"); // an update that never came
        QCOMPARE(model_folder(root), root / "snapshots" / "aaa");
        place.model("models--owner--name/snapshots/bbb");
        fs::last_write_time(root / "snapshots" / "aaa", fs::file_time_type::clock::now() + std::chrono::hours(1));
        VERIFY_SAYS(refusal_of(root), "has 2 snapshots");
        VERIFY_SAYS(refusal_of(root), "the newest is '" + (root / "snapshots" / "aaa").string() + "'");
        place.file("models--owner--name/refs/main", "bbb\n");
        Engine engine;
        const ModelInfo info = open(engine, root);
        QCOMPARE(info.path, (root / "snapshots" / "bbb").string());
        QCOMPARE(info.name, std::string("owner/name"));
        QCOMPARE(describe_model(root).path, info.path);
        QCOMPARE(tokenize(root, { "t", "abc" }).tokens.size(), std::size_t { 3 } + (info.adds_bos ? 1 : 0));
    }

    void the_conversion_line_survives_a_shell_data()
    {
        QTest::addColumn<QString>("name");
        for (const char* name :
            { "plain", "it's", "two  spaces", "a\"b", "$HOME `id` \\n", "; echo no", "über\n", "-v" })
            QTest::newRow(name) << QString(name);
    }
    void the_conversion_line_survives_a_shell()
    {
        QFETCH(QString, name);
        const Place place;
        const fs::path python = place.file("bin/python3", "#!/bin/sh\nprintf '%s\\0' \"$@\"\n");
        fs::permissions(python, fs::perms::owner_all);
        const std::string folder = (place.path() / name.toStdString()).string();
        for (const std::string& line : { conversion_line(folder), tokenizer_line(folder) }) {
            QProcess shell;
            QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
            environment.insert(
                "PATH", QString::fromStdString(python.parent_path().string()) + ":" + environment.value("PATH"));
            shell.setProcessEnvironment(environment);
            shell.start("/bin/sh", { "-c", QString::fromStdString(line) });
            QVERIFY(shell.waitForFinished());
            const QList<QByteArray> given = shell.readAllStandardOutput().split('\0');
            QCOMPARE(given.size(), 4); // the last is empty
            QCOMPARE(given[0], QByteArray("-c"));
            QVERIFY(given[1].contains("AutoTokenizer") && given[1].contains("save_pretrained(p)"));
            QCOMPARE(given[2].toStdString(), folder);
        }
    }

    void the_cache_is_looked_for_where_hugging_face_looks_data()
    {
        QTest::addColumn<QStringList>("set");
        QTest::addColumn<QString>("hub");
        QTest::newRow("home") << QStringList {} << ".cache/huggingface/hub";
        QTest::newRow("XDG") << QStringList { "XDG_CACHE_HOME=@/xdg" } << "xdg/huggingface/hub";
        QTest::newRow("HF_HOME") << QStringList { "HF_HOME=@/hf", "XDG_CACHE_HOME=@/xdg" } << "hf/hub";
        QTest::newRow("old name") << QStringList { "HUGGINGFACE_HUB_CACHE=@/old", "HF_HOME=@/hf" } << "old";
        QTest::newRow("HF_HUB_CACHE") << QStringList { "HF_HUB_CACHE=@/new", "HUGGINGFACE_HUB_CACHE=@/old" } << "new";
        QTest::newRow("tilde") << QStringList { "HF_HUB_CACHE=~/tilde" } << "tilde";
        QTest::newRow("variable") << QStringList { "HF_HOME=$HOME/a/${USER_X}" } << "a/x/hub";
        QTest::newRow("unset variable") << QStringList { "HF_HUB_CACHE=@/$NOT_SET_X" } << "$NOT_SET_X";
    }
    void the_cache_is_looked_for_where_hugging_face_looks()
    {
        QFETCH(QStringList, set);
        QFETCH(QString, hub);
        const Place place;
        const std::string home = place.path().string();
        std::vector<std::unique_ptr<Variable>> variables;
        for (const char* name : { "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME" })
            variables.push_back(std::make_unique<Variable>(name, nullptr));
        variables.push_back(std::make_unique<Variable>("HOME", home.c_str()));
        variables.push_back(std::make_unique<Variable>("USER_X", "x"));
        for (const QString& one : set) {
            const QByteArray name = one.section('=', 0, 0).toLatin1();
            const QByteArray value = one.section('=', 1).replace("@", QString::fromStdString(home)).toLatin1();
            qputenv(name, value);
        }
        const fs::path snapshot = place.model(hub.toStdString() + "/models--o--n/snapshots/1");
        const std::vector<fs::path> found = cached_models();
        QCOMPARE(found.size(), std::size_t { 1 });
        QCOMPARE(found.front(), snapshot);
    }
};

KEEPSET_TEST(TestModelFolders)
#include "tst_model_folders.moc"
