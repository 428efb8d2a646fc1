#include "tests/core/model_copy.h"

#include "core/tokenizer/tokenizer.h"
#include "tests/support/test_main.h"

#include <QTest>

#include <chrono>
#include <ctime>
#include <thread>

using namespace keepset;
using namespace keepset::copies;

namespace {

/// What tests/reference/specials.py found with transformers.
const json& reference()
{
    static const json found = json::parse(golden::read_bytes(golden_root / "tokenizer/specials.json"));
    return found;
}

/// A folder of tokenizer files.
class TokenizerFolder {
public:
    explicit TokenizerFolder(const std::string& post_processor, const json& config = {})
    {
        write_file(path() / "tokenizer.json", reference().at("tokenizers_json").at(post_processor).dump());
        if (!config.is_null())
            write_file(path() / "tokenizer_config.json", config.dump());
    }
    fs::path path() const { return dir_.path().toStdString(); }
    std::vector<std::string> notes() const { return Tokenizer::load(path() / "tokenizer.json").notes(); }
    std::vector<std::string> notes_about(const std::string& text) const
    {
        return Tokenizer::load(path() / "tokenizer.json").notes_about(text);
    }

private:
    QTemporaryDir dir_;
};

} // namespace

/// What is put before and behind a text, and what a user is told about a text.
class TestTextNotes : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void tokens_with_what_a_template_adds_are_those_of_transformers()
    {
        for (const json& one : reference().at("cases")) {
            const TokenizerFolder folder(one.at("post_processor"), one.at("config"));
            const Text text { "text", one.at("text") };
            const TokenizedText found = tokenize(folder.path(), text);
            QVERIFY2(ids_of(found.tokens) == one.at("ids").get<std::vector<std::int64_t>>(), one.dump().c_str());
            std::int64_t end = 0;
            for (const Token& token : found.tokens) {
                QVERIFY(token.byte_begin >= end && token.byte_end >= token.byte_begin);
                end = token.byte_end;
            }
            QCOMPARE(end, static_cast<std::int64_t>(text.bytes.size()));
        }
    }

    void special_tokens_and_line_ends_of_a_text_give_the_ids_of_the_library()
    {
        const fs::path demo = fs::path(KEEPSET_SOURCE_DIR) / "resources/demo/model";
        for (const json& one : reference().at("demo")) {
            const auto found = ids_of(tokenize(demo, { "text", one.at("text") }).tokens);
            QVERIFY2(found == one.at("ids").get<std::vector<std::int64_t>>(), one.dump().c_str());
        }
    }

    void what_comes_behind_is_shown_by_tokenize_alone()
    {
        const TokenizerFolder folder("both");
        const auto tokens = tokenize(folder.path(), { "text", "ab" }).tokens;
        QCOMPARE(tokens.back().text, std::string("</s>"));
        QCOMPARE(tokens.back().byte_begin, std::int64_t { 2 });
        const Tokenizer tokenizer = Tokenizer::load(folder.path() / "tokenizer.json");
        QCOMPARE(ids_of(tokenizer.encode("ab")), (std::vector<std::int64_t> { 10, 7, 4 }));
        QVERIFY(has_note(tokenizer.notes_about("ab"), "puts '</s>' behind a text"));
        QVERIFY(tokenizer.notes_about("ab").size() == 1 && TokenizerFolder("front").notes_about("ab").empty());
    }

    void two_bos_tokens_are_told_of()
    {
        const std::string told = "begins with two BOS tokens";
        for (const char* const processor : { "front", "both", "roberta", "sequence" }) {
            const TokenizerFolder folder(processor);
            QVERIFY(has_note(folder.notes_about("<s>ab"), told) && has_note(folder.notes_about("<s>"), told));
            QVERIFY(has_note(tokenize(folder.path(), { "text", "<s>ab" }).notes, told));
            QVERIFY(!has_note(folder.notes_about("ab<s>"), told) && !has_note(folder.notes_about(""), told));
            std::string long_text = "<s>";
            for (int i = 0; i < 3000; ++i)
                long_text += "\u20AC"; // three bytes, so that the part looked at ends inside of one
            QVERIFY(has_note(folder.notes_about(long_text), told));
        }
        QVERIFY(!has_note(TokenizerFolder("none").notes_about("<s>ab"), told));
    }

    void files_that_disagree_about_the_bos_are_told_of_data()
    {
        QTest::addColumn<QString>("processor");
        QTest::addColumn<QByteArray>("config");
        QTest::addColumn<QString>("told"); // empty: nothing
        const auto row = [](const char* name, const char* processor, const char* config, const char* told) {
            QTest::newRow(name) << processor << QByteArray(config) << told;
        };
        const char* const none = "asks for a BOS token in front (";
        const char* const one = "asks for no BOS token in front (add_bos_token false)";
        row("asked, none", "none", R"({"add_bos_token": true})", none);
        row("asked, passed through", "pass", R"({"add_bos_token": true, "tokenizer_class": "PreTrainedTokenizerFast"})",
            none);
        row("asked, only an EOS", "behind", R"({"add_bos_token": true})", none);
        row("asked, there", "front", R"({"add_bos_token": true})", "");
        row("not asked, there", "both", R"({"add_bos_token": false})", one);
        row("not asked, none", "none", R"({"add_bos_token": false})", "");
        row("Llama's class, none", "none", R"({"tokenizer_class": "LlamaTokenizerFast"})",
            "(tokenizer_class LlamaTokenizerFast)");
        row("Gemma's class, none", "pass", R"({"tokenizer_class": "GemmaTokenizer"})",
            "(tokenizer_class GemmaTokenizer)");
        row("Llama's class, told not to", "none", R"({"tokenizer_class": "LlamaTokenizer", "add_bos_token": false})",
            "");
        row("Llama's class, there", "front", R"({"tokenizer_class": "LlamaTokenizer"})", "");
        row("another class", "none", R"({"tokenizer_class": "GPT2TokenizerFast"})", "");
        row("null", "none", R"({"add_bos_token": null, "tokenizer_class": null})", "");
        row("no field", "front", "{}", "");
        row("broken", "front", "{", "looked up in tokenizer.json alone");
        row("LFS", "front", "version https://git-lfs.github.com/spec/v1\n", "Git LFS pointer");
    }
    void files_that_disagree_about_the_bos_are_told_of()
    {
        QFETCH(QString, processor);
        QFETCH(QByteArray, config);
        QFETCH(QString, told);
        const TokenizerFolder folder(processor.toStdString());
        write_file(folder.path() / "tokenizer_config.json", config.toStdString());
        const std::vector<std::string> notes = folder.notes();
        QCOMPARE(notes.empty(), told.isEmpty());
        if (notes.empty())
            return;
        VERIFY_SAYS(notes.front(), told.toStdString());
        if (told.startsWith("asks"))
            VERIFY_SAYS(notes.front(), "tokenizer.json is followed, as by transformers 5");
    }

    void an_opened_model_tells_of_both()
    {
        ModelCopy copy("families/llama-saved");
        write_file(copy.write() / "tokenizer_config.json", R"({"add_bos_token": true})");
        Engine engine;
        const ModelInfo info = open(engine, copy.folder);
        QCOMPARE(has_note(info.notes, "asks for a BOS token"), !info.adds_bos);
        QCOMPARE(describe_model(copy.folder).notes.front(), info.notes.front());
        QVERIFY(has_note(engine.text_notes({ "text", "a\r\n" }), "line end of Windows"));
    }

    void a_byte_order_mark_and_windows_line_ends_are_told_of()
    {
        const TokenizerFolder folder("none");
        QVERIFY(has_note(folder.notes_about("\uFEFFab"), "byte-order mark"));
        QVERIFY(folder.notes_about("ab\uFEFF").empty());
        QVERIFY(has_note(folder.notes_about("a\r\nb\r\n"), "2 line ends of Windows"));
        QVERIFY(has_note(folder.notes_about("\r\n"), "1 line end of Windows"));
        QVERIFY(folder.notes_about("a\nb\rc\n\r").empty());
    }

    void an_added_token_of_another_id_is_refused_with_what_to_do()
    {
        const TokenizerFolder folder("none");
        json changed = reference().at("tokenizers_json").at("none");
        changed["added_tokens"][1]["id"] = 12;
        write_file(folder.path() / "tokenizer.json", changed.dump());
        const std::string said = refusal([&] { folder.notes(); });
        VERIFY_SAYS(said, "gives '</s>' the id 12, but the next free id is 11");
        VERIFY_SAYS(said, "The tokenizers library would use 11");
    }

    void a_megabyte_without_a_space_takes_seconds_data()
    {
        QTest::addColumn<QString>("folder");
        QTest::addColumn<QString>("text");
        for (const char* folder : { "words", "characters", "unigram" }) {
            for (const char* text : { "a", "-", " ", "\u20AC" })
                QTest::addRow("%s %s", folder, text) << folder << text;
        }
    }
    void a_megabyte_without_a_space_takes_seconds()
    {
        QFETCH(QString, folder);
        QFETCH(QString, text);
        const std::string piece = text.toStdString();
        std::string bytes;
        while (bytes.size() < 1'000'000)
            bytes += piece;
        const Tokenizer tokenizer = Tokenizer::load(golden_root / "tokenizer" / (folder.toStdString() + ".json"));
        const std::clock_t begin = std::clock(); // of the processor: others may be at work
        std::vector<Token> tokens;
        try {
            tokens = tokenizer.encode(bytes);
        } catch (const Error&) {
            QSKIP("this vocabulary has no token for the text");
        }
        const double seconds = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
        qInfo("%.2f s", seconds);
        QVERIFY2(seconds < 10, qPrintable(QString("%1 s").arg(seconds))); // quadratic work would take hours
        if (tokens.empty())
            QSKIP("this vocabulary drops the text");
        QCOMPARE(tokens.back().byte_end, static_cast<std::int64_t>(bytes.size()));
    }

    void a_long_word_is_cancelled_at_once_data()
    {
        QTest::addColumn<QString>("folder");
        for (const char* folder : { "words", "unigram", "characters" })
            QTest::newRow(folder) << folder;
    }
    void a_long_word_is_cancelled_at_once()
    {
        QFETCH(QString, folder);
        const Tokenizer tokenizer = Tokenizer::load(golden_root / "tokenizer" / (folder.toStdString() + ".json"));
        const std::string bytes(50'000'000, 'e');
        std::stop_source stop;
        std::chrono::steady_clock::time_point asked;
        std::thread asker([&] {
            std::this_thread::sleep_for(std::chrono::milliseconds(300));
            asked = std::chrono::steady_clock::now();
            stop.request_stop();
        });
        bool cancelled = false;
        try {
            tokenizer.encode(bytes, true, stop.get_token());
        } catch (const Cancelled&) {
            cancelled = true;
        }
        const auto ended = std::chrono::steady_clock::now();
        asker.join();
        QVERIFY(cancelled);
        const double seconds = std::chrono::duration<double>(ended - asked).count();
        qInfo("answered after %.3f s", seconds);
        QVERIFY2(seconds < 2, qPrintable(QString("%1 s").arg(seconds))); // a tenth on an idle machine
    }
};

KEEPSET_TEST(TestTextNotes)
#include "tst_text_notes.moc"
