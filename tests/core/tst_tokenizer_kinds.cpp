#include "core/error.h"
#include "core/tokens.h"
#include "tests/support/test_main.h"
#include "tst_tokenizer_golden.h"

#include <QtTest>

#include <QElapsedTimer>
#include <QTemporaryDir>

using namespace keepset;
using namespace tokenizer_golden;

namespace {

/// Kinds whose tokens cover every byte of every text: nothing is left out.
const QStringList covering { QStringLiteral("llama2"), QStringLiteral("llama2 legacy"), QStringLiteral("mistral"),
    QStringLiteral("metaspace never"), QStringLiteral("gemma"), QStringLiteral("unknown"),
    QStringLiteral("unknown fused"), QStringLiteral("byte lacking"), QStringLiteral("byte lacking, no fusing"),
    QStringLiteral("unigram"), QStringLiteral("unigram bytes"), QStringLiteral("bytes then digits"),
    QStringLiteral("bytes then split"), QStringLiteral("bytes, a space in front"), QStringLiteral("letters normalizer"),
    QStringLiteral("letters of a few"), QStringLiteral("words of bytes"), QStringLiteral("llama3"),
    QStringLiteral("qwen2"), QStringLiteral("gpt2") };

} // namespace

class TestTokenizerKinds : public QObject {
    Q_OBJECT

private:
    QTemporaryDir folder_;
    QJsonObject golden_;
    std::vector<std::string> texts_;

    QJsonObject kind(const QString& name) const
    {
        for (const QJsonValue& value : golden_[QStringLiteral("kinds")].toArray()) {
            if (value[QStringLiteral("name")].toString() == name)
                return value.toObject();
        }
        qFatal("no kind %s", qPrintable(name));
    }

    Tokenizer tokenizer_of(const QJsonObject& kind)
    {
        const QJsonObject base = read_json(folder + kind[QStringLiteral("file")].toString() + QStringLiteral(".json"));
        QByteArray json
            = QJsonDocument(replaced(base, kind[QStringLiteral("replace")].toObject())).toJson(QJsonDocument::Compact);
        if (json.contains("\"nmt_nfkc\""))
            json.replace(
                "\"nmt_nfkc\"", '"' + qUncompress(read_file(folder + QStringLiteral("nmt_nfkc.z"))).toBase64() + '"');
        const QString path = folder_.filePath(QStringLiteral("tokenizer.json"));
        write_file(path, json);
        return Tokenizer::load(path.toStdString());
    }

    Tokenizer tokenizer_of(const char* name) { return tokenizer_of(kind(QString::fromLatin1(name))); }

    void name_rows(const QStringList& names = {})
    {
        QTest::addColumn<QString>("name");
        for (const QJsonValue& value : golden_[QStringLiteral("kinds")].toArray()) {
            const QString name = value[QStringLiteral("name")].toString();
            if (names.isEmpty() || names.contains(name))
                QTest::newRow(qPrintable(name)) << name;
        }
    }

private Q_SLOTS:
    void initTestCase()
    {
        golden_ = read_json(folder + QStringLiteral("kinds.json"));
        texts_ = stored_texts();
        const QJsonArray pools = golden_[QStringLiteral("pools")].toArray();
        const QJsonArray pieces = golden_[QStringLiteral("pieces")].toArray();
        for (int seed = 1; seed <= golden_[QStringLiteral("generated")].toInt(); ++seed)
            texts_.push_back(generated_text(static_cast<std::uint64_t>(seed), pools, pieces));
        QVERIFY(texts_.size() >= 2500);
    }

    void ids_and_ranges_equal_the_tokenizers_library_data() { name_rows(); }
    void ids_and_ranges_equal_the_tokenizers_library()
    {
        QFETCH(QString, name);
        const QJsonObject entry = kind(name);
        const Tokenizer tokenizer = tokenizer_of(entry);
        QCOMPARE(tokenizer.vocabulary(), static_cast<std::int64_t>(entry[QStringLiteral("size")].toInt()));
        const QString golden_ids = entry[QStringLiteral("ids")].toString();
        const QString golden_ranges = entry[QStringLiteral("ranges")].toString();
        const QString told = entry[QStringLiteral("told")].toString(); // a bit a text: its ranges are compared
        const auto batch = static_cast<std::size_t>(golden_[QStringLiteral("batch")].toInt());
        int wrong = 0;
        for (std::size_t begin = 0; begin < texts_.size(); begin += batch) {
            std::vector<std::int64_t> ids;
            std::vector<std::int64_t> edges;
            for (std::size_t i = begin; i < std::min(begin + batch, texts_.size()); ++i) {
                const std::string& text = texts_[i];
                const std::vector<Token> tokens = tokenizer.encode(text, false);
                ids.push_back(static_cast<std::int64_t>(tokens.size()));
                for (const Token& token : tokens)
                    ids.push_back(token.id);
                const int bits = told.mid(static_cast<int>(i / 4), 1).toInt(nullptr, 16);
                const std::vector<std::int64_t> ranges = whole_ranges(tokens, text);
                if ((bits >> (3 - i % 4) & 1) != 0)
                    edges.insert(edges.end(), ranges.begin(), ranges.end());
            }
            const int place = static_cast<int>(begin / batch) * 10;
            const bool same = fnv(ids) == golden_ids.mid(place, 10);
            if ((!same || fnv(edges) != golden_ranges.mid(place, 10)) && ++wrong <= 5)
                qWarning("batch from text %zu: %s differ", begin, same ? "ranges" : "ids");
        }
        QCOMPARE(wrong, 0);
    }

    void long_texts_are_tokenised_alike_data() { name_rows(); }
    void long_texts_are_tokenised_alike()
    {
        QFETCH(QString, name);
        const QJsonObject entry = kind(name);
        const Tokenizer tokenizer = tokenizer_of(entry);
        const std::string demo = read_file(source + QStringLiteral("resources/demo/demo.txt")).toStdString();
        for (const auto& [key, text] : { std::pair("long", long_text(100000)), std::pair("demo", demo) }) {
            std::vector<std::int64_t> ids = ids_of(tokenizer.encode(text, false));
            ids.insert(ids.begin(), static_cast<std::int64_t>(ids.size()));
            QCOMPARE(fnv(ids), entry[QString::fromLatin1(key)].toString());
        }
    }

    void ranges_ascend_and_tile_the_text_where_nothing_is_left_out_data() { name_rows(); }
    void ranges_ascend_and_tile_the_text_where_nothing_is_left_out()
    {
        QFETCH(QString, name);
        const Tokenizer tokenizer = tokenizer_of(kind(name));
        const bool tiles = covering.contains(name);
        for (const std::string& text : texts_) {
            std::int64_t done = 0;
            for (const Token& token : tokenizer.encode(text)) {
                QVERIFY(token.byte_begin >= done && token.byte_end >= token.byte_begin);
                QVERIFY2(!tiles || token.byte_begin == done, text.c_str());
                done = token.byte_end;
            }
            QVERIFY(done <= static_cast<std::int64_t>(text.size()));
            QVERIFY2(!tiles || done == static_cast<std::int64_t>(text.size()), text.c_str());
        }
    }

    void a_token_covers_what_it_stands_for_data()
    {
        name_rows({ QStringLiteral("metaspace never"), QStringLiteral("llama2"), QStringLiteral("llama2 legacy"),
            QStringLiteral("unigram bytes"), QStringLiteral("gpt2"), QStringLiteral("llama3") });
    }
    void a_token_covers_what_it_stands_for()
    {
        QFETCH(QString, name);
        const Tokenizer tokenizer = tokenizer_of(kind(name));
        const std::string replacement = "\uFFFD";
        for (const std::string& text : texts_) {
            if (text.find("\u2581") != std::string::npos || text.find('<') != std::string::npos)
                continue; // The first stands for a space as well; "<0x0A>" in a text may be the token of that name.
            for (const Token& token : tokenizer.encode(text, false)) {
                const std::string own = tokenizer.token_text(token.id);
                const bool in_front = token.byte_begin == 0 && own == " " + token.text;
                const bool no_bytes = token.byte_begin == token.byte_end && own == " ";
                QVERIFY2(own == token.text || in_front || no_bytes || token.text.find(replacement) != std::string::npos
                        || own == "<unk>",
                    (text + ": '" + own + "' covers '" + token.text + "'").c_str());
            }
        }
    }

    void bytes_that_stand_for_a_character_cover_it_one_by_one()
    {
        for (const char* name : { "metaspace never", "unigram bytes" }) {
            const std::vector<Token> tokens = tokenizer_of(name).encode("e\U000130FFe", false);
            QVERIFY(tokens.size() >= 6);
            for (std::size_t i = 0; i < 4; ++i) {
                const Token& token = tokens[tokens.size() - 5 + i];
                QCOMPARE(token.byte_begin, static_cast<std::int64_t>(1 + i));
                QCOMPARE(token.byte_end, static_cast<std::int64_t>(2 + i));
            }
        }
    }

    void what_is_put_in_front_has_no_bytes_and_comes_first_only()
    {
        const Tokenizer tokenizer = tokenizer_of("mistral"); // prepend_scheme first
        const std::vector<Token> front = tokenizer.encode("\n", false);
        QCOMPARE(front.front().text, std::string(" "));
        QCOMPARE(front.front().byte_end, std::int64_t { 0 });
        const std::vector<Token> behind = tokenizer.encode("<s>\n", false);
        QCOMPARE(behind.size(), std::size_t { 2 });
        QCOMPARE(behind.back().text, std::string("\n"));
    }

    void what_a_charsmap_changes_maps_back_to_its_bytes()
    {
        const std::vector<Token> tokens = tokenizer_of("t5").encode("a \uFB01\u2122 b", false); // ﬁ and ™
        QCOMPARE(tokens.front().byte_begin, std::int64_t { 0 });
        QCOMPARE(tokens.back().text, std::string(" b"));
        QCOMPARE(tokens.back().byte_begin, std::int64_t { 8 });
        for (std::size_t i = 1; i < tokens.size(); ++i)
            QCOMPARE(tokens[i].byte_begin, tokens[i - 1].byte_end);
    }

    void truncation_and_padding_are_ignored_with_a_note()
    {
        QJsonObject entry = kind(QStringLiteral("llama2"));
        QVERIFY(tokenizer_of(entry).notes().empty());
        QJsonObject parts = entry[QStringLiteral("replace")].toObject();
        parts[QStringLiteral("truncation")] = QJsonObject { { QStringLiteral("max_length"), 4 } };
        parts[QStringLiteral("padding")] = QJsonObject { { QStringLiteral("pad_id"), 0 } };
        entry[QStringLiteral("replace")] = parts;
        const Tokenizer tokenizer = tokenizer_of(entry);
        QCOMPARE(tokenizer.notes().size(), std::size_t { 2 });
        QCOMPARE(
            tokenizer.notes().front(), std::string("truncation to 4 tokens is ignored: Keepset reads whole texts"));
        QVERIFY(tokenizer.encode("The quick brown fox jumps over the lazy dog.").size() > 4);
    }

    void a_word_that_nothing_stands_for_is_refused_by_name()
    {
        for (const auto& [name, field] :
            { std::pair("wordlevel", "model.unk_token"), std::pair("unigram", "model.unk_id") }) {
            QJsonObject entry = kind(QString::fromLatin1(name));
            QJsonObject parts = entry[QStringLiteral("replace")].toObject();
            const bool words = QByteArray(name) == "wordlevel";
            parts[QString::fromLatin1(field)] = words ? QJsonValue(QStringLiteral("<none>")) : QJsonValue();
            entry[QStringLiteral("replace")] = parts;
            try {
                tokenizer_of(entry).encode("\u1681\u1682");
                QFAIL("nothing was refused");
            } catch (const Error& error) {
                QCOMPARE(error.kind(), ErrorKind::input);
                QVERIFY2(QString::fromUtf8(error.what()).contains(QStringLiteral("\u1681")), error.what());
            }
        }
    }

    void hostile_runs_take_linear_time_data()
    {
        QTest::addColumn<QString>("name");
        QTest::addColumn<QByteArray>("piece");
        for (const char* name : { "llama2 legacy", "gemma", "t5", "xlnet", "unigram whole", "wordlevel split" }) {
            const auto row = [&](const char* what, const QByteArray& piece) {
                QTest::newRow((QByteArray(name) + ": " + what).constData()) << QString::fromLatin1(name) << piece;
            };
            row("one letter", "a");
            row("spaces", " ");
            row("no space", {});
            row("marks that change places", "\xCC\x81\xCC\xA3"); // acute, dot below
        }
        QTest::newRow("starts of an added token") << QStringLiteral("mistral") << QByteArray("<mas");
        QTest::newRow("spaces and added tokens") << QStringLiteral("mistral") << QByteArray(" <mask>");
    }
    void hostile_runs_take_linear_time()
    {
        QFETCH(QString, name);
        QFETCH(QByteArray, piece);
        const std::string text
            = piece.isEmpty() ? long_text() : piece.repeated(1000000 / static_cast<int>(piece.size())).toStdString();
        const Tokenizer tokenizer = tokenizer_of(kind(name));
        QElapsedTimer timer;
        timer.start();
        const std::vector<Token> tokens = tokenizer.encode(text);
        // Quadratic work on a megabyte takes minutes; this leaves room for sanitizers and busy machines.
        QVERIFY2(timer.elapsed() < 30000, qPrintable(QString::number(timer.elapsed())));
        for (std::size_t i = 1; i < tokens.size(); ++i)
            QVERIFY(tokens[i].byte_begin >= tokens[i - 1].byte_end);
    }
};

KEEPSET_TEST(TestTokenizerKinds)
#include "tst_tokenizer_kinds.moc"
