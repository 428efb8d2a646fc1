#include "core/tokenizer/pre_tokenizer.h"
#include "tests/support/test_main.h"
#include "tst_tokenizer_golden.h"

#include <QtTest>

#include <algorithm>
#include <random>

using namespace keepset;
using namespace tokenizer_golden;

namespace {

const char* const llama3
    = R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
const char* const qwen2
    = R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

std::string as_utf8(char32_t character) { return QString::fromUcs4(&character, 1).toStdString(); }

/// Any characters of Unicode but surrogates, and more of those on which the patterns turn.
std::string random_text(std::mt19937& random)
{
    static const std::vector<std::string> turning { "'", "'s", "'S", "'t", "'T", "'re", "'RE", "'Ve", "'m", "'LL",
        "'lL", "'d", "'\u017F", "'l", "'r", " ", "  ", "\n", "\r\n", "\r", "\t", "a", "Z", "\u00E9", "\u4E00", "1",
        "22", "\u0661", "\u00B2", "!", "...", "\u0301", "\u00A0", "\u0085", "\u2028", "\u3000", "\u200B", "\u180E",
        "\U0001F600", "_", "-" };
    std::string text;
    for (auto left = random() % 40; left > 0; --left) {
        if (random() % 4 != 0) {
            text += turning[random() % turning.size()];
            continue;
        }
        const char32_t character = static_cast<char32_t>(random() % (random() % 2 == 0 ? 0x110000U : 0x3000U));
        if (character < 0xD800 || character > 0xDFFF)
            text += as_utf8(character);
    }
    return text;
}

std::vector<std::pair<std::int64_t, std::int64_t>> words_of(const PreTokenizer& pre_tokenizer, const std::string& text)
{
    AlignedText aligned(text);
    std::vector<Piece> pieces;
    if (!text.empty())
        pieces.push_back({ 0, static_cast<std::int64_t>(text.size()) });
    pre_tokenizer.run(aligned, 0, pieces, {});
    std::vector<std::pair<std::int64_t, std::int64_t>> words;
    for (const Piece& piece : pieces)
        words.emplace_back(piece.begin, piece.end);
    return words;
}

} // namespace

class TestTokenizerPatterns : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void a_recogniser_cuts_as_its_pattern_does_data()
    {
        QTest::addColumn<QByteArray>("pattern");
        QTest::newRow("GPT-2") << QByteArray(byte_level_pattern);
        QTest::newRow("Llama 3") << QByteArray(llama3);
        QTest::newRow("Qwen2") << QByteArray(qwen2);
    }
    void a_recogniser_cuts_as_its_pattern_does()
    {
        QFETCH(QByteArray, pattern);
        SplitStep step;
        step.pattern = SplitPattern::regex(pattern.toStdString());
        const PreTokenizer by_expression({ step });
        step.known = known_pattern(pattern.toStdString());
        QVERIFY(step.known.has_value());
        const PreTokenizer by_recogniser({ step });
        std::vector<std::string> texts = stored_texts();
        for (const char* file : { "resources/demo/demo.txt", "tests/core/tst_tokenizer.cpp" })
            texts.push_back(read_file(source + QString::fromLatin1(file)).toStdString());
        std::mt19937 random(20261125); // NOLINT(cert-msc51-cpp): the same texts every time
        for (int i = 0; i < 20000; ++i)
            texts.push_back(random_text(random));
        for (const std::string& text : texts)
            QVERIFY2(words_of(by_recogniser, text) == words_of(by_expression, text), text.c_str());
    }

    void every_character_is_classed_as_its_pattern_does()
    {
        SplitStep step;
        step.pattern = SplitPattern::regex(llama3);
        const PreTokenizer by_expression({ step });
        step.known = KnownPattern::llama3;
        const PreTokenizer by_recogniser({ step });
        for (char32_t first = 0; first < 0x110000; first += 0x80) {
            std::string text;
            for (char32_t character = first; character < first + 0x80; ++character) {
                if (character < 0xD800 || character > 0xDFFF)
                    text += "a" + as_utf8(character) + " 1" + as_utf8(character) + as_utf8(character);
            }
            QVERIFY2(
                words_of(by_recogniser, text) == words_of(by_expression, text), qPrintable(QString::number(first, 16)));
        }
    }

    void another_pattern_is_not_taken_for_a_known_one()
    {
        QVERIFY(!known_pattern(R"(\s+)"));
        QVERIFY(!known_pattern(std::string(llama3) + "|x"));
        QVERIFY(!known_pattern(""));
    }
};

KEEPSET_TEST(TestTokenizerPatterns)
#include "tst_tokenizer_patterns.moc"
