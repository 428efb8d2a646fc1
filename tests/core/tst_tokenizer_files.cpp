#include "core/error.h"
#include "core/tokens.h"
#include "tests/support/test_main.h"
#include "tst_tokenizer_golden.h"

#include <QtTest>

#include <QTemporaryDir>

#include <random>

using namespace keepset;
using namespace tokenizer_golden;

namespace {

/// A part of a tokenizer.json that is refused, and what the refusal must name.
struct Refused {
    const char* base; ///< golden file
    const char* parts; ///< JSON: what replaces its parts
    const char* field;
    const char* value;
};

const Refused refused[] = {
    { "unigram", R"({"model.vocab": {"a": 1}})", "model.vocab", "array" },
    { "unigram", R"({"model.vocab": "a"})", "model.vocab", "array" },
    { "unigram", R"({"model.vocab": []})", "model.vocab", "empty" },
    { "unigram", R"({"model.vocab": [["a"]]})", "model.vocab[0]", "1 values" },
    { "unigram", R"({"model.vocab": [["a", 0.5], ["b", "low"]]})", "model.vocab[1][1]", "low" },
    { "unigram", R"({"model.vocab": [["a", null]]})", "model.vocab[0][1]", "null" },
    { "unigram", R"({"model.vocab": [[7, 0.5]]})", "model.vocab[0][0]", "7" },
    { "unigram", R"({"model.unk_id": 5000})", "model.unk_id", "5000" },
    { "unigram", R"({"model.unk_id": -1})", "model.unk_id", "-1" },
    { "unigram", R"({"model.unk_id": "<unk>"})", "model.unk_id", "<unk>" },
    { "unigram", R"({"model.byte_fallback": 1})", "model.byte_fallback", "1" },
    { "wordlevel", R"({"model.vocab": ["a"]})", "model.vocab", "a" },
    { "wordlevel", R"({"model.vocab": {"a": -3}})", "model.vocab.a", "-3" },
    { "wordlevel", R"({"model.unk_token": 5})", "model.unk_token", "5" },
    { "characters", R"({"model.merges": {"a": "b"}})", "model.merges", "array" },
    { "characters", R"({"model.unk_token": "<none>"})", "model.unk_token", "<none>" },
    { "characters", R"({"normalizer": {"type": "Replace", "pattern": {"String": ""}, "content": "x"}})",
        "normalizer.pattern.String", "empty" },
    { "characters", R"({"normalizer": {"type": "Replace", "pattern": {"Regex": "(a"}, "content": "x"}})",
        "normalizer.pattern.Regex", "(a" },
    { "characters", R"({"normalizer": {"type": "Replace", "pattern": {"Regex": "\\h"}, "content": "x"}})",
        "normalizer.pattern.Regex", "\\h" },
    { "characters", R"({"normalizer": {"type": "Replace", "pattern": {}, "content": "x"}})", "normalizer.pattern",
        "Regex" },
    { "characters", R"({"normalizer": {"type": "Replace", "pattern": {"String": "a"}}})", "normalizer", "content" },
    { "characters", R"({"normalizer": {"type": "Prepend"}})", "normalizer", "prepend" },
    { "characters", R"({"normalizer": {"type": "Strip", "strip_left": "yes", "strip_right": true}})",
        "normalizer.strip_left", "yes" },
    { "unigram", R"({"normalizer": {"type": "Precompiled", "precompiled_charsmap": null}})",
        "normalizer.precompiled_charsmap", "null" },
    { "unigram", R"({"normalizer": {"type": "Precompiled", "precompiled_charsmap": ""}})",
        "normalizer.precompiled_charsmap", "truncated" },
    { "unigram", R"({"normalizer": {"type": "Precompiled", "precompiled_charsmap": "AAA"}})",
        "normalizer.precompiled_charsmap", "base64" },
    { "unigram", R"({"normalizer": {"type": "Precompiled", "precompiled_charsmap": "A*AA"}})",
        "normalizer.precompiled_charsmap", "character 1" },
    { "unigram", R"({"normalizer": {"type": "Precompiled", "precompiled_charsmap": "BAAAAAAAAIBh"}})",
        "normalizer.precompiled_charsmap", "no end" },
    { "unigram", R"({"normalizer": {"type": "Precompiled", "precompiled_charsmap": "BAAAAAUAAIBhAA=="}})",
        "normalizer.precompiled_charsmap", "byte 5 of 2" },
    { "characters", R"({"pre_tokenizer": {"type": "Metaspace"}})", "pre_tokenizer", "replacement" },
    { "characters", R"({"pre_tokenizer": {"type": "Metaspace", "replacement": "__"}})", "pre_tokenizer.replacement",
        "__" },
    { "characters", R"({"pre_tokenizer": {"type": "Metaspace", "replacement": ""}})", "pre_tokenizer.replacement",
        "not one character" },
    { "characters", R"({"pre_tokenizer": {"type": "Metaspace", "replacement": "_", "prepend_scheme": "last"}})",
        "pre_tokenizer.prepend_scheme", "last" },
    { "characters",
        R"({"pre_tokenizer": {"type": "Metaspace", "replacement": "_", "prepend_scheme": "first", "add_prefix_space": false}})",
        "pre_tokenizer.prepend_scheme", "add_prefix_space" },
    { "characters", R"({"pre_tokenizer": {"type": "Punctuation", "behavior": "Sideways"}})", "pre_tokenizer.behavior",
        "Sideways" },
    { "characters", R"({"pre_tokenizer": {"type": "UnicodeScripts"}})", "pre_tokenizer", "UnicodeScripts" },
    { "characters", R"({"post_processor": {"type": "BertProcessing", "cls": ["<s>"]}})", "post_processor.cls", "id" },
    { "characters", R"({"post_processor": {"type": "BertProcessing", "cls": ["<s>", 70000]}})", "post_processor",
        "70000" },
};

} // namespace

class TestTokenizerFiles : public QObject {
    Q_OBJECT

private:
    QTemporaryDir folder_;

    QString path() const { return folder_.filePath(QStringLiteral("tokenizer.json")); }

    static QJsonObject base(const char* name)
    {
        return read_json(folder + QString::fromLatin1(name) + QStringLiteral(".json"));
    }

    QString refusal_of_json(const QByteArray& json) const
    {
        write_file(path(), json);
        return refusal_of(path());
    }

    /// Unigram with all that a file can hold.
    static QByteArray rich_file(const QByteArray& charsmap)
    {
        const char* const parts = R"({"normalizer": {"type": "Sequence", "normalizers": [{"type": "Precompiled",
            "precompiled_charsmap": "CHARSMAP"}, {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": "_"},
            {"type": "Strip", "strip_left": true, "strip_right": false}, {"type": "NFKC"}, {"type": "Prepend", "prepend": "x"}]},
            "pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "Split", "pattern": {"String": "e"},
            "behavior": "MergedWithNext", "invert": true}, {"type": "Punctuation", "behavior": "Contiguous"},
            {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "first", "split": true}]}})";
        const QJsonObject json = replaced(base("unigram"), QJsonDocument::fromJson(parts).object());
        return QJsonDocument(json).toJson(QJsonDocument::Compact).replace("CHARSMAP", charsmap.toBase64());
    }

private Q_SLOTS:
    void what_is_not_read_is_refused_with_field_and_value_data()
    {
        QTest::addColumn<QByteArray>("name");
        QTest::addColumn<QByteArray>("parts");
        QTest::addColumn<QString>("field");
        QTest::addColumn<QString>("value");
        for (const Refused& part : refused)
            QTest::newRow(part.parts) << QByteArray(part.base) << QByteArray(part.parts) << QString(part.field)
                                      << QString(part.value);
    }
    void what_is_not_read_is_refused_with_field_and_value()
    {
        QFETCH(QByteArray, name);
        QFETCH(QByteArray, parts);
        QFETCH(QString, field);
        QFETCH(QString, value);
        const QJsonDocument json = QJsonDocument::fromJson(parts);
        QVERIFY(json.isObject());
        const QString sentence = refusal_of_json(
            QJsonDocument(replaced(base(name.constData()), json.object())).toJson(QJsonDocument::Compact));
        QVERIFY2(sentence.startsWith(path()), qPrintable(sentence));
        QVERIFY2(sentence.contains(field) && sentence.contains(value), qPrintable(sentence));
        QVERIFY2(!sentence.contains(QLatin1Char('\n')), qPrintable(sentence));
    }

    void a_score_that_no_number_holds_is_refused()
    {
        const QByteArray json = R"({"model": {"type": "Unigram", "unk_id": 0, "vocab": [["a", 1e999]]}})";
        const QString sentence = refusal_of_json(json);
        QVERIFY2(sentence.startsWith(path()) && sentence.contains(QStringLiteral("1e999")), qPrintable(sentence));
    }

    void a_truncated_charsmap_is_refused()
    {
        const QByteArray whole = qUncompress(read_file(folder + QStringLiteral("nmt_nfkc.z")));
        QCOMPARE(refusal_of_json(rich_file(whole)), QStringLiteral("nothing was refused"));
        for (const int size : { 0, 3, 4, 5, 1000, 100000, static_cast<int>(whole.size()) - 1 }) {
            const QString sentence = refusal_of_json(rich_file(whole.left(size)));
            QVERIFY2(sentence.contains(QStringLiteral("precompiled_charsmap")), qPrintable(sentence));
        }
    }

    void files_of_before_2021_name_no_type()
    {
        for (const char* name : { "characters", "unigram" }) {
            QJsonObject json = base(name);
            write_file(path(), QJsonDocument(json).toJson());
            const std::vector<std::int64_t> expected = ids_of(Tokenizer::load(path().toStdString()).encode("a text"));
            QJsonObject model = json[QStringLiteral("model")].toObject();
            model.remove(QStringLiteral("type"));
            json[QStringLiteral("model")] = model;
            write_file(path(), QJsonDocument(json).toJson());
            QCOMPARE(ids_of(Tokenizer::load(path().toStdString()).encode("a text")), expected);
        }
    }

    void the_first_token_of_a_bert_like_post_processor_is_the_bos()
    {
        for (const char* type : { "BertProcessing", "RobertaProcessing" }) {
            const QJsonObject processor { { QStringLiteral("type"), QString::fromLatin1(type) },
                { QStringLiteral("sep"), QJsonArray { QStringLiteral("</s>"), 2 } },
                { QStringLiteral("cls"), QJsonArray { QStringLiteral("<s>"), 1 } } };
            write_file(path(),
                QJsonDocument(replaced(base("characters"), { { QStringLiteral("post_processor"), processor } }))
                    .toJson());
            const Tokenizer tokenizer = Tokenizer::load(path().toStdString());
            QCOMPARE(tokenizer.bos(), std::optional<std::int32_t>(1));
            QCOMPARE(tokenizer.encode("x").front().id, 1);
            QVERIFY(tokenizer.encode("x").back().id != 2);
        }
    }

    void damaged_files_are_refused_or_read_but_never_crash_data()
    {
        QTest::addColumn<QByteArray>("json");
        QTest::addColumn<int>("tries");
        for (const char* name : { "words", "characters", "affixes", "unigram", "wordlevel" })
            QTest::newRow(name) << read_file(folder + QString::fromLatin1(name) + QStringLiteral(".json")) << 150;
        QTest::newRow("rich") << rich_file(qUncompress(read_file(folder + QStringLiteral("nmt_nfkc.z")))) << 150;
    }
    void damaged_files_are_refused_or_read_but_never_crash()
    {
        QFETCH(QByteArray, json);
        QFETCH(int, tries);
        const std::string text = "The caf\u00E9 <s> \uFB01\u2122 e\u0301  \r\n 12 '' \U0001F600.";
        std::mt19937 random(7); // NOLINT(cert-msc51-cpp): the same damage every time
        int read = 0;
        for (int i = 0; i < tries; ++i) {
            QByteArray damaged = json;
            for (auto left = 1 + random() % 3; left > 0; --left) {
                const int at = static_cast<int>(random() % static_cast<std::size_t>(damaged.size()));
                if (i % 2 == 0) // a bit, or a digit for a digit, which leaves the JSON whole more often
                    damaged[at] = static_cast<char>(damaged[at] ^ (1 << random() % 7));
                else if (damaged[at] >= '0' && damaged[at] <= '9')
                    damaged[at] = static_cast<char>('0' + random() % 10);
                else if (QChar::fromLatin1(damaged[at]).isLetter())
                    damaged[at] = static_cast<char>('a' + random() % 26);
            }
            write_file(path(), damaged);
            try {
                const Tokenizer tokenizer = Tokenizer::load(path().toStdString());
                std::int64_t done = 0;
                for (const Token& token : tokenizer.encode(text)) {
                    QVERIFY(token.byte_begin >= done && token.byte_end >= token.byte_begin);
                    done = token.byte_end;
                }
                ++read;
            } catch (const Error& error) {
                QVERIFY2(error.kind() == ErrorKind::input, error.what());
            }
        }
        QVERIFY2(read > 0, "every damaged file was refused: the damage tries nothing behind the JSON reader");
    }
};

KEEPSET_TEST(TestTokenizerFiles)
#include "tst_tokenizer_files.moc"
