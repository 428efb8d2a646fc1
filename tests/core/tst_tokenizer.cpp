#include "core/engine.h"
#include "tests/support/test_main.h"
#include "tst_tokenizer_golden.h"

#include <QtTest>

#include <QTemporaryDir>

#include <array>
#include <span>
#include <thread>

using namespace keepset;
using namespace tokenizer_golden;

namespace {

/// Golden tokenizers that drop parts of a text.
const QStringList droppers { QStringLiteral("removed"), QStringLiteral("inverted"), QStringLiteral("few") };

/// A part of tokenizer.json that Keepset does not read, and what the refusal must name.
struct Refused {
    const char* replace; ///< JSON: parts of the file, as file_with() takes them
    const char* field;
    const char* value;
};

const Refused refused[] = {
    { R"({"model.type": "WordPiece"})", "model.type", "WordPiece" },
    { R"({"model.byte_fallback": true, "model.end_of_word_suffix": "</w>"})", "model.byte_fallback", "true" },
    { R"({"model.dropout": 0.1})", "model.dropout", "0.1" },
    { R"({"model.continuing_subword_prefix": "##"})", "model.merges[", "continuing_subword_prefix" },
    { R"({"model.unk_token": "<none>"})", "model.unk_token", "not in model.vocab" },
    { R"({"model.vocab": {"a": -1}})", "model.vocab.a", "-1" },
    { R"({"model.vocab": {"a": 4000000000}})", "model.vocab.a", "4000000000" },
    { R"({"model.vocab": {"a": 1.5}})", "model.vocab.a", "1.5" },
    { R"({"model.vocab": ["a"]})", "model.vocab", "a" },
    { R"({"model.merges": ["a b c"]})", "model.merges[0]", "a b c" },
    { R"({"model.merges": [["a", "b"], ["a", "<none>"]]})", "model.merges[", "not in model.vocab" },
    { R"({"model.merges": [["a"]]})", "model.merges[0]", "1 tokens" },
    { R"({"model.merges": 7})", "model.merges", "7" },
    { R"({"model": null})", "model", "null" },
    { R"({"normalizer": {"type": "BertNormalizer"}})", "normalizer", "BertNormalizer" },
    { R"({"normalizer": {"type": "Sequence", "normalizers": [{"type": "NFC"}, {"type": "Fold"}]}})",
        "normalizer.normalizers[1]", "Fold" },
    { R"({"pre_tokenizer": {"type": "BertPreTokenizer"}})", "pre_tokenizer", "BertPreTokenizer" },
    { R"({"pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "Split", "pattern": {"Regex": "(a"},
                "behavior": "Isolated", "invert": false}, {"type": "ByteLevel"}]}})",
        "pre_tokenizer", "(a" },
    { R"({"pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "Split", "pattern": {"Regex": "\\h+"},
                "behavior": "Isolated", "invert": false}, {"type": "ByteLevel"}]}})",
        "pre_tokenizer", "\\h" },
    { R"({"pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "Split", "pattern": {"Regex": "a"},
                "behavior": "Sideways", "invert": false}, {"type": "ByteLevel"}]}})",
        "pre_tokenizer.pretokenizers[0].behavior", "Sideways" },
    { R"({"post_processor": {"type": "RobertaProcessing"}})", "post_processor", "'cls'" },
    { R"({"added_tokens": [{"id": 5000, "content": "<x>"}]})", "added_tokens[0]", "5000" },
    { R"({"added_tokens": [{"content": "<x>"}]})", "added_tokens[0]", "'id'" },
    { R"({"added_tokens": {}})", "added_tokens", "{}" },
};

} // namespace

class TestTokenizer : public QObject {
    Q_OBJECT

private:
    QTemporaryDir folder_;
    QJsonObject golden_;
    std::vector<std::string> texts_;

    /// The base file of a golden tokenizer with some of its parts replaced, as tests/reference/tokenizer.py replaced
    /// them.
    QString file_with(const QString& base, const QJsonObject& replace)
    {
        const QJsonObject json = replaced(read_json(source + base), replace);
        const QString path = folder_.filePath(QStringLiteral("tokenizer.json"));
        write_file(path, QJsonDocument(json).toJson(QJsonDocument::Compact));
        return path;
    }

    Tokenizer tokenizer_of(const QString& name, QJsonObject* entry = nullptr)
    {
        for (const QJsonValue& value : golden_[QStringLiteral("tokenizers")].toArray()) {
            const QJsonObject object = value.toObject();
            if (object[QStringLiteral("name")].toString() != name)
                continue;
            if (entry != nullptr)
                *entry = object;
            return Tokenizer::load(
                file_with(object[QStringLiteral("file")].toString(), object[QStringLiteral("replace")].toObject())
                    .toStdString());
        }
        qFatal("no golden tokenizer %s", qPrintable(name));
    }

    /// A row for every golden tokenizer but those in `without`.
    void name_rows(const QStringList& without = {})
    {
        QTest::addColumn<QString>("name");
        for (const QJsonValue& value : golden_[QStringLiteral("tokenizers")].toArray()) {
            const QString name = value[QStringLiteral("name")].toString();
            if (!without.contains(name))
                QTest::newRow(qPrintable(name)) << name;
        }
    }

    QString refusal(const QJsonObject& replace, const QString& base = QStringLiteral("words.json"))
    {
        return refusal_of(file_with(QStringLiteral("tests/reference/golden/tokenizer/") + base, replace));
    }

private Q_SLOTS:
    void initTestCase()
    {
        golden_ = read_json(folder + QStringLiteral("golden.json"));
        texts_ = stored_texts();
        QVERIFY(texts_.size() >= 500);
    }

    void ids_and_ranges_equal_the_tokenizers_library_data() { name_rows(); }
    void ids_and_ranges_equal_the_tokenizers_library()
    {
        QFETCH(QString, name);
        QJsonObject entry;
        const Tokenizer tokenizer = tokenizer_of(name, &entry);
        QCOMPARE(tokenizer.vocabulary(), static_cast<std::int64_t>(entry[QStringLiteral("size")].toInt()));
        int wrong = 0;
        for (const QJsonValue& value : entry[QStringLiteral("cases")].toArray()) {
            const QJsonArray golden = value.toArray();
            const std::string& text = texts_.at(static_cast<std::size_t>(golden[0].toInt()));
            const std::vector<Token> tokens = tokenizer.encode(text);
            const bool same
                = static_cast<int>(tokens.size()) == golden[1].toInt() && fnv(ids_of(tokens)) == golden[2].toString();
            const bool ranges = golden.size() < 4
                || fnv(whole_ranges(std::span(tokens).subspan(tokenizer.bos() ? 1 : 0), text)) == golden[3].toString();
            if ((!same || !ranges) && ++wrong <= 5)
                qWarning(
                    "text %d: %s differ: %s", golden[0].toInt(), same ? "ranges" : "ids", listed(tokens).constData());
        }
        QCOMPARE(wrong, 0);
    }

    void a_megabyte_without_a_space_is_tokenised_alike_data()
    {
        QTest::addColumn<QString>("name");
        for (const char* name : { "gpt2", "llama3", "qwen2", "smollm2", "demo" })
            QTest::newRow(name) << QString::fromLatin1(name);
    }
    void a_megabyte_without_a_space_is_tokenised_alike()
    {
        QFETCH(QString, name);
        QJsonObject entry;
        const Tokenizer tokenizer = tokenizer_of(name, &entry);
        const QJsonObject golden = entry[QStringLiteral("long")].toObject();
        const std::vector<Token> tokens = tokenizer.encode(long_text());
        QCOMPARE(static_cast<int>(tokens.size()), golden[QStringLiteral("count")].toInt());
        QCOMPARE(fnv(ids_of(tokens)), golden[QStringLiteral("ids")].toString());
    }

    void token_bytes_put_together_are_the_text_data() { name_rows(droppers); }
    void token_bytes_put_together_are_the_text()
    {
        QFETCH(QString, name);
        const Tokenizer tokenizer = tokenizer_of(name);
        for (const std::string& text : texts_) {
            std::int64_t done = 0;
            for (const Token& token : tokenizer.encode(text)) {
                QCOMPARE(token.byte_begin, done);
                QVERIFY(token.byte_end >= token.byte_begin);
                done = token.byte_end;
            }
            QCOMPARE(done, static_cast<std::int64_t>(text.size()));
        }
    }

    void ranges_ascend_inside_the_text_where_parts_are_dropped()
    {
        for (const QString& name : droppers) {
            const Tokenizer tokenizer = tokenizer_of(name);
            for (const std::string& text : texts_) {
                std::int64_t done = 0;
                for (const Token& token : tokenizer.encode(text)) {
                    QVERIFY(token.byte_begin >= done && token.byte_end > token.byte_begin);
                    done = token.byte_end;
                }
                QVERIFY(done <= static_cast<std::int64_t>(text.size()));
            }
        }
    }

    void a_piece_of_a_character_covers_its_bytes_and_shows_as_replacement()
    {
        const std::string text = "a\U000130FF"; // A hieroglyph is in no merge of the small vocabulary.
        const std::vector<Token> tokens = tokenizer_of(QStringLiteral("gpt2")).encode(text);
        QVERIFY(tokens.size() > 2);
        QCOMPARE(tokens[0].text, std::string("a"));
        for (std::size_t i = 1; i < tokens.size(); ++i) {
            QVERIFY(tokens[i].byte_end - tokens[i].byte_begin < 4);
            QVERIFY(tokens[i].text.starts_with("\uFFFD"));
        }
    }

    void the_bos_comes_first_with_its_name_and_no_bytes()
    {
        const Tokenizer tokenizer = tokenizer_of(QStringLiteral("llama3"));
        QVERIFY(tokenizer.bos().has_value());
        const std::vector<Token> tokens = tokenizer.encode("x");
        QCOMPARE(tokens.front().id, *tokenizer.bos());
        QCOMPARE(tokens.front().byte_begin, std::int64_t { 0 });
        QCOMPARE(tokens.front().byte_end, std::int64_t { 0 });
        QCOMPARE(tokens.front().text, std::string("<|endoftext|>"));
        QCOMPARE(tokenizer.encode("x", false).size(), tokens.size() - 1);
        QCOMPARE(tokenizer.encode("").size(), std::size_t { 1 });
    }

    void a_token_that_a_template_puts_behind_is_not_added()
    {
        const Tokenizer tokenizer = tokenizer_of(QStringLiteral("prefix")); // BOS and EOS in its template
        const std::vector<Token> tokens = tokenizer.encode("x");
        QCOMPARE(tokens.front().id, 0);
        QVERIFY(tokens.back().id != 0);
    }

    void normalised_text_maps_back_to_the_bytes_it_came_from()
    {
        const Tokenizer tokenizer = tokenizer_of(QStringLiteral("qwen2"));
        const std::vector<Token> tokens = tokenizer.encode("x e\u0301. y"); // NFC makes e + acute one character.
        for (const Token& token : tokens) {
            if (token.text == ".")
                QCOMPARE(token.byte_begin, std::int64_t { 5 });
        }
        QCOMPARE(tokens.back().byte_end, std::int64_t { 8 });
        QCOMPARE(tokens.back().text, std::string(" y"));
    }

    void invalid_utf8_is_refused_with_its_offset_data()
    {
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<int>("offset");
        QTest::newRow("lone continuation") << QByteArray("abc\x80") << 3;
        QTest::newRow("overlong slash") << QByteArray("\xC0\xAF") << 0;
        QTest::newRow("overlong in three") << QByteArray("x\xE0\x80\xAF") << 1;
        QTest::newRow("overlong in four") << QByteArray("xy\xF0\x80\x80\xAF") << 2;
        QTest::newRow("surrogate") << QByteArray("a long first part \xED\xA0\x80") << 18;
        QTest::newRow("above U+10FFFF") << QByteArray("\xF4\x90\x80\x80") << 0;
        QTest::newRow("no such lead byte") << QByteArray("ok\xF5") << 2;
        QTest::newRow("truncated at the end") << QByteArray("\xE2\x82\xAC ok \xE2\x82") << 7;
        QTest::newRow("truncated in the middle") << QByteArray("\xF0\x9F\x98 ") << 0;
        QTest::newRow("behind a valid character") << QByteArray("\xC3\xA9\xFF") << 2;
        QTest::newRow("Latin-1") << QByteArray("caf\xE9 noir") << 3;
    }
    void invalid_utf8_is_refused_with_its_offset()
    {
        QFETCH(QByteArray, bytes);
        QFETCH(int, offset);
        const std::string part = "offset " + std::to_string(offset) + ".";
        const Tokenizer tokenizer = tokenizer_of(QStringLiteral("gpt2"));
        const QString path = folder_.filePath(QStringLiteral("text.txt"));
        write_file(path, bytes);
        for (const bool from_file : { false, true }) {
            try {
                from_file ? static_cast<void>(read_text(path.toStdString()))
                          : static_cast<void>(tokenizer.encode(bytes.toStdString()));
                QFAIL("nothing was refused");
            } catch (const Error& error) {
                QCOMPARE(error.kind(), ErrorKind::input);
                QVERIFY2(std::string(error.what()).ends_with(part), error.what());
                QVERIFY2(!from_file || std::string(error.what()).starts_with(path.toStdString()), error.what());
            }
        }
    }

    void a_text_file_is_read_byte_by_byte_data()
    {
        QTest::addColumn<QByteArray>("bytes");
        QTest::newRow("empty") << QByteArray();
        QTest::newRow("byte order mark and line ends") << QByteArray("\xEF\xBB\xBFone\r\ntwo\n");
        QTest::newRow("NUL") << QByteArray("a\0b", 3);
        QTest::newRow("larger than a block") << QByteArray(200001, 'x');
    }
    void a_text_file_is_read_byte_by_byte()
    {
        QFETCH(QByteArray, bytes);
        const QString path = folder_.filePath(QStringLiteral("text.txt"));
        write_file(path, bytes);
        const Text text = read_text(path.toStdString());
        QCOMPARE(text.name, std::string("text.txt"));
        QVERIFY(QByteArray::fromStdString(text.bytes) == bytes);
    }

    void a_text_that_cannot_be_read_is_refused_by_name()
    {
        for (const QString& path : { folder_.filePath(QStringLiteral("none.txt")), folder_.path() }) {
            try {
                read_text(path.toStdString());
                QFAIL("nothing was refused");
            } catch (const Error& error) {
                QCOMPARE(error.kind(), ErrorKind::input);
                QVERIFY2(std::string(error.what()).find(path.toStdString()) != std::string::npos, error.what());
            }
        }
    }

    void what_is_not_read_is_refused_with_field_and_value_data()
    {
        QTest::addColumn<QByteArray>("replace");
        QTest::addColumn<QString>("field");
        QTest::addColumn<QString>("value");
        for (const Refused& part : refused)
            QTest::newRow(part.replace) << QByteArray(part.replace) << QString(part.field) << QString(part.value);
    }
    void what_is_not_read_is_refused_with_field_and_value()
    {
        QFETCH(QByteArray, replace);
        QFETCH(QString, field);
        QFETCH(QString, value);
        const QJsonDocument json = QJsonDocument::fromJson(replace);
        QVERIFY(json.isObject());
        const QString sentence = refusal(json.object());
        QVERIFY2(sentence.startsWith(folder_.filePath(QStringLiteral("tokenizer.json"))), qPrintable(sentence));
        QVERIFY2(sentence.contains(field) && sentence.contains(value), qPrintable(sentence));
        QVERIFY2(!sentence.contains(QLatin1Char('\n')), qPrintable(sentence));
    }

    void a_file_that_is_no_tokenizer_is_refused_with_the_place()
    {
        const QString path = folder_.filePath(QStringLiteral("tokenizer.json"));
        for (const QByteArray& bytes :
            { QByteArray(), QByteArray("{\n \"model\": {,"), QByteArray("{\n\"model\": \"\xFF\"}") }) {
            write_file(path, bytes);
            const QString sentence = refusal_of(path);
            QVERIFY2(sentence.contains(path) && sentence.contains(QStringLiteral("line ")), qPrintable(sentence));
        }
        write_file(path, "[]");
        QVERIFY2(refusal_of(path).contains(QStringLiteral("instead of an object")), qPrintable(refusal_of(path)));
        write_file(path, "{}");
        QVERIFY2(refusal_of(path).contains(QStringLiteral("'model'")), qPrintable(refusal_of(path)));
        QVERIFY(refusal_of(folder_.filePath(QStringLiteral("none.json"))).contains(QStringLiteral("does not exist")));
        QVERIFY(refusal_of(folder_.path()).contains(QStringLiteral("is a directory")));
    }

    void both_spellings_of_merges_give_the_same_ids()
    {
        const QJsonObject words = read_json(folder + QStringLiteral("words.json"));
        QJsonArray merges;
        for (const QJsonValue& pair : words[QStringLiteral("model")][QStringLiteral("merges")].toArray())
            merges.append(pair[0].toString() + QLatin1Char(' ') + pair[1].toString());
        QVERIFY(merges.size() > 100);
        const QString base = QStringLiteral("tests/reference/golden/tokenizer/words.json");
        const Tokenizer pairs = Tokenizer::load(file_with(base, {}).toStdString());
        const Tokenizer strings
            = Tokenizer::load(file_with(base, { { QStringLiteral("model.merges"), merges } }).toStdString());
        for (const std::string& text : texts_)
            QCOMPARE(ids_of(strings.encode(text)), ids_of(pairs.encode(text)));
    }

    void threads_that_share_a_tokenizer_get_the_same_tokens()
    {
        const Tokenizer tokenizer = tokenizer_of(QStringLiteral("qwen2"));
        const std::string text = read_text((source + QStringLiteral("resources/demo/demo.txt")).toStdString()).bytes;
        const std::vector<std::int64_t> expected = ids_of(tokenizer.encode(text));
        std::array<std::vector<std::int64_t>, 4> found;
        std::vector<std::jthread> threads;
        for (auto& ids : found)
            threads.emplace_back([&ids, &tokenizer, &text] { ids = ids_of(tokenizer.encode(text)); });
        threads.clear();
        for (const auto& ids : found)
            QCOMPARE(ids, expected);
    }

    void hostile_runs_take_linear_time_data()
    {
        QTest::addColumn<QByteArray>("piece");
        QTest::newRow("spaces") << QByteArray(" ");
        QTest::newRow("line ends") << QByteArray("\n");
        QTest::newRow("one letter") << QByteArray("a");
        QTest::newRow("marks that change places") << QByteArray("\xCC\x81\xCC\xA3"); // acute, dot below
        QTest::newRow("jamo") << QByteArray("\xE1\x85\xA1");
        QTest::newRow("digits") << QByteArray("7");
        QTest::newRow("starts of an added token") << QByteArray("<|endoftex");
        QTest::newRow("spaces and added tokens") << QByteArray(" <mask> ");
    }
    void hostile_runs_take_linear_time()
    {
        QFETCH(QByteArray, piece);
        const std::string text = piece.repeated(1000000 / static_cast<int>(piece.size())).toStdString();
        for (const char* name : { "qwen2", "llama3" }) {
            const Tokenizer tokenizer = tokenizer_of(QString::fromLatin1(name));
            QElapsedTimer timer;
            timer.start();
            const std::vector<Token> tokens = tokenizer.encode(text);
            QCOMPARE(tokens.back().byte_end, static_cast<std::int64_t>(text.size()));
            // Quadratic work on a megabyte takes minutes; this leaves room for sanitizers and busy machines.
            QVERIFY2(timer.elapsed() < 30000, qPrintable(QString::number(timer.elapsed())));
        }
    }

    void tokenising_stops_when_asked()
    {
        std::stop_source stop;
        stop.request_stop();
        const Tokenizer tokenizer = tokenizer_of(QStringLiteral("gpt2"));
        QVERIFY_EXCEPTION_THROWN(tokenizer.encode("a text", true, stop.get_token()), Cancelled);
    }
};

KEEPSET_TEST(TestTokenizer)
#include "tst_tokenizer.moc"
