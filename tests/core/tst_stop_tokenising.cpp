#include "core/engine.h"
#include "core/files.h"
#include "tests/core/stop_after.h"
#include "tests/support/test_main.h"
#include "tst_tokenizer_golden.h"

#include <QTemporaryDir>
#include <QtTest>

#include <fstream>

using namespace keepset;
using namespace keepset::stopping;
using namespace tokenizer_golden;

/// Of a text of tens of megabytes every stage takes longer than a fifth of a second: normalising, cutting into words,
/// the model, and where each token lies in the text.
class TestStopTokenising : public QObject {
    Q_OBJECT

private:
    QTemporaryDir folder_;
    std::string plain_; ///< 32 MB of the demo's text
    std::string mixed_; ///< the same, with characters that normalising changes every now and then

    Tokenizer tokenizer_of(const QString& name)
    {
        const QJsonObject golden = read_json(folder + QStringLiteral("kinds.json"));
        for (const QJsonValue& kind : golden[QStringLiteral("kinds")].toArray()) {
            if (kind[QStringLiteral("name")].toString() != name)
                continue;
            const QJsonObject base
                = read_json(folder + kind[QStringLiteral("file")].toString() + QStringLiteral(".json"));
            QByteArray json = QJsonDocument(replaced(base, kind[QStringLiteral("replace")].toObject())).toJson();
            json.replace(
                "\"nmt_nfkc\"", '"' + qUncompress(read_file(folder + QStringLiteral("nmt_nfkc.z"))).toBase64() + '"');
            write_file(folder_.filePath(QStringLiteral("tokenizer.json")), json);
            return Tokenizer::load(folder_.filePath(QStringLiteral("tokenizer.json")).toStdString());
        }
        qFatal("no kind %s", qPrintable(name));
    }

private Q_SLOTS:
    void initTestCase()
    {
        const std::string once = read_text(KEEPSET_SOURCE_DIR "/resources/demo/heldout-books-test.txt").bytes;
        constexpr std::size_t size = 32'000'000;
        while (plain_.size() < size)
            plain_ += once;
        for (std::size_t at = 0, end = 0; end < once.size(); at = end) {
            end = std::min(once.find(' ', at + 128), once.size());
            mixed_ += once.substr(at, end - at) + " e\u0301 \uFB01 \u65E5\u672C ";
        }
        while (mixed_.size() < size)
            mixed_ += mixed_;
    }

    void every_kind_of_tokenizer_stops_within_a_fifth_of_a_second_data()
    {
        QTest::addColumn<QString>("kind");
        QTest::addColumn<bool>("mixed");
        QTest::addColumn<double>("after_s");
        for (const char* kind : { "llama2", "llama2 legacy", "mistral", "gemma", "unknown", "t5", "t5 converted",
                 "xlnet", "unigram whole", "wordlevel contiguous", "wordlevel merged", "bytes then split",
                 "letters normalizer", "llama3", "qwen2" }) {
            for (const double after_s : { 0.1, 0.4, 1.0 })
                QTest::addRow("%s after %.2f s", kind, after_s) << kind << (after_s > 0.2) << after_s;
        }
    }
    void every_kind_of_tokenizer_stops_within_a_fifth_of_a_second()
    {
        QFETCH(const QString, kind);
        QFETCH(const bool, mixed);
        QFETCH(const double, after_s);
        const Tokenizer tokenizer = tokenizer_of(kind);
        const Answer answer = stop_after(
            after_s, [&](const Task& task) { tokenizer.encode(mixed ? mixed_ : plain_, true, task.stop); });
        if (!answer.cancelled)
            QSKIP("it was done before it could be stopped");
        qInfo("%s", answer.text().c_str());
        QVERIFY2(answer.in_time(), answer.text().c_str());
    }

    void a_long_run_of_one_kind_of_character_stops_too_data()
    {
        QTest::addColumn<QString>("kind");
        QTest::addColumn<QString>("text");
        for (const char* kind : { "qwen2", "llama2", "unknown", "unigram whole", "letters normalizer" }) {
            for (const char* text : { "e", " ", "\u0301" })
                QTest::addRow("%s, %s", kind, text) << kind << text;
        }
    }
    void a_long_run_of_one_kind_of_character_stops_too()
    {
        QFETCH(const QString, kind);
        QFETCH(const QString, text);
        const Tokenizer tokenizer = tokenizer_of(kind);
        std::string bytes;
        while (bytes.size() < 16'000'000)
            bytes += text.toStdString();
        for (const double after_s : { 0.05, 0.4 }) {
            const Answer answer
                = stop_after(after_s, [&](const Task& task) { tokenizer.encode(bytes, true, task.stop); });
            if (!answer.cancelled)
                continue;
            qInfo("%s", answer.text().c_str());
            QVERIFY2(answer.in_time(), answer.text().c_str());
        }
    }

    void a_long_text_that_is_taken_in_stretches_gives_the_tokens_of_its_lines()
    {
        // What normalising joins, also over what the library's tables do not know, and all lengths of characters.
        const std::string line
            = "e\u0301a\u0323\u0307 \uFB01\u1112\u1161\u11AB \U0001F9D6\u0301 \U00013430x, o\u0308 1/2.\n";
        const Tokenizer tokenizer = tokenizer_of(QStringLiteral("qwen2"));
        const std::vector<Token> once = tokenizer.encode(line, false);
        std::string all;
        while (all.size() < 3'000'000)
            all += line;
        const std::vector<Token> tokens = tokenizer.encode(all, false);
        QCOMPARE(tokens.size(), once.size() * (all.size() / line.size()));
        for (std::size_t at = 0; at < tokens.size(); ++at) {
            const Token& expected = once[at % once.size()];
            const auto before = static_cast<std::int64_t>(at / once.size() * line.size());
            QVERIFY(tokens[at].id == expected.id && tokens[at].byte_begin == before + expected.byte_begin
                && tokens[at].byte_end == before + expected.byte_end && tokens[at].text == expected.text);
        }
    }

    void a_text_that_is_being_read_or_checked_is_left_when_asked()
    {
        std::stop_source stop;
        stop.request_stop();
        const std::string file = folder_.filePath(QStringLiteral("text.txt")).toStdString();
        std::ofstream(file) << "a text";
        QVERIFY_EXCEPTION_THROWN(read_text(file, stop.get_token()), Cancelled);
        QVERIFY_EXCEPTION_THROWN(
            tokenizer_of(QStringLiteral("qwen2")).encode(plain_, true, stop.get_token()), Cancelled);
        QVERIFY(is_utf8(plain_) && is_utf8(mixed_) && !is_utf8(plain_ + '\xE6') && !is_utf8(mixed_ + '\xE6'));
    }
};

KEEPSET_TEST(TestStopTokenising)
#include "tst_stop_tokenising.moc"
