#include "core/text_lines.h"
#include "tests/support/test_main.h"

#include <QTest>

#include <cmath>
#include <numeric>

using namespace keepset;

namespace {

/// An analysis of a text that is cut at the bytes given; nothing but its tokens and text is looked at.
Analysis cut(const std::string& text, const std::vector<std::size_t>& at)
{
    Analysis analysis;
    analysis.text = text;
    std::size_t begin = 0;
    const auto add = [&](std::size_t end) {
        analysis.tokens.push_back(
            { 1, static_cast<std::int64_t>(begin), static_cast<std::int64_t>(end), text.substr(begin, end - begin) });
        begin = end;
    };
    for (const std::size_t end : at)
        add(end);
    add(text.size());
    return analysis;
}

/// As most tokenizers do: a token a word, with the space before it; line breaks and full stops alone.
Analysis words(const std::string& text)
{
    std::vector<std::size_t> at;
    for (std::size_t i = 1; i < text.size(); ++i) {
        const bool alone = text[i] == '\n' || text[i] == '.' || text[i - 1] == '\n';
        if (alone || (text[i] == ' ' && text[i - 1] != ' '))
            at.push_back(i);
    }
    return cut(text, at);
}

std::vector<std::string> linesOf(const Analysis& analysis, std::int64_t longest = longest_line)
{
    std::vector<std::string> found;
    for (const TextLine& line : text_lines(analysis, longest)) {
        std::string text;
        for (std::int64_t i = line.begin; i < line.end; ++i)
            text += analysis.tokens[static_cast<std::size_t>(i)].text;
        found.push_back(text);
    }
    return found;
}

using Strings = std::vector<std::string>;

} // namespace

class TestTextLines : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void a_line_ends_with_its_break()
    {
        QCOMPARE(linesOf(words("One two.\nThree four.\nFive")), (Strings { "One two.\n", "Three four.\n", "Five" }));
        QCOMPARE(linesOf(words("One\r\nTwo\r\n")), (Strings { "One\r\n", "Two\r\n" }));
    }

    void blank_lines_belong_to_the_one_before_them()
    {
        QCOMPARE(linesOf(words("One.\n\n  \nTwo.")), (Strings { "One.\n\n  \n", "Two." }));
        QCOMPARE(linesOf(words("\n\nTwo.")), (Strings { "\n\n", "Two." }));
    }

    void a_long_line_is_cut_into_its_sentences()
    {
        const Analysis analysis = words("Mr Smith paid 3.50 for it. He left. Then nothing.\nShort. Line.\n");
        QCOMPARE(linesOf(analysis, 8),
            (Strings { "Mr Smith paid 3.50 for it.", " He left.", " Then nothing.\n", "Short. Line.\n" }));
        QCOMPARE(
            linesOf(analysis), (Strings { "Mr Smith paid 3.50 for it. He left. Then nothing.\n", "Short. Line.\n" }));
    }

    void sentences_of_other_scripts_are_known()
    {
        const std::string first = "これは文です。";
        const std::string second = "次の文です。";
        std::vector<std::size_t> at; // three tokens a character, so that they are pieces of one
        for (std::size_t i = 1; i < first.size() + second.size(); ++i)
            at.push_back(i);
        const auto lines = text_lines(cut(first + second, at), 30);
        QCOMPARE(lines.size(), std::size_t { 2 });
        QCOMPARE(lines[0], (TextLine { 0, static_cast<std::int64_t>(first.size()) }));
    }

    void a_text_without_full_stops_is_cut_by_number()
    {
        std::string text;
        for (int i = 0; i < 150; ++i)
            text += " word";
        const auto lines = text_lines(words(text));
        QCOMPARE(lines, (std::vector<TextLine> { { 0, 64 }, { 64, 128 }, { 128, 150 } }));
    }

    void a_token_over_a_break_belongs_to_where_its_letters_are()
    {
        QCOMPARE(linesOf(cut("One\nTwo", { 3 })), (Strings { "One", "\nTwo" }));
        QCOMPARE(linesOf(cut("One\n\nTwo", { 1, 5 })), (Strings { "One\n\n", "Two" }));
    }

    void every_token_is_in_one_line_data()
    {
        QTest::addColumn<std::string>("text");
        QTest::newRow("prose") << std::string("It was. It is not.\n\nWhat?  No!\n . \n\t\n...\nEnd");
        QTest::newRow("not UTF-8") << std::string("\xE3\x81 a \xFF. \x80\n\xF0\x9F b");
        QTest::newRow("one byte") << std::string("a");
        QTest::newRow("breaks alone") << std::string("\n\n\n");
    }
    void every_token_is_in_one_line()
    {
        QFETCH(std::string, text);
        for (const bool bytes : { false, true }) {
            std::vector<std::size_t> every(text.size() - 1);
            std::iota(every.begin(), every.end(), std::size_t { 1 });
            Analysis analysis = bytes ? cut(text, every) : words(text);
            analysis.tokens.insert(analysis.tokens.begin(), Token { 0, 0, 0, "<s>" });
            for (const bool whole : { true, false }) {
                if (!whole)
                    analysis.text.clear(); // as a file without it
                for (const std::int64_t longest : { 1, 3, 64 }) {
                    std::int64_t next = 0;
                    for (const TextLine& line : text_lines(analysis, longest)) {
                        QCOMPARE(line.begin, next);
                        QVERIFY(line.end > line.begin);
                        next = line.end;
                    }
                    QCOMPARE(next, static_cast<std::int64_t>(analysis.tokens.size()));
                }
            }
        }
        QCOMPARE(text_lines(Analysis {}).size(), std::size_t { 0 });
    }

    void means_and_shares_are_of_the_tokens_of_a_line()
    {
        const std::vector<TextLine> lines { { 0, 3 }, { 3, 4 } };
        const std::vector<float> scores { 1, 2, 6, 5 };
        QCOMPARE(line_means(lines, scores), (std::vector<double> { 3, 5 }));
        const std::vector<Label> labels { Label::bridge, Label::evicted, Label::bridge, Label::sink };
        const auto shares = line_shares(lines, labels);
        QCOMPARE(shares.size(), std::size_t { 2 });
        QCOMPARE(shares[0][static_cast<std::size_t>(Label::bridge)], 2.0 / 3);
        QCOMPARE(shares[0][static_cast<std::size_t>(Label::evicted)], 1.0 / 3);
        QCOMPARE(shares[1][static_cast<std::size_t>(Label::sink)], 1.0);
        for (const LabelShares& one : shares)
            QVERIFY(std::abs(std::accumulate(one.begin(), one.end(), 0.0) - 1) < 1e-12);
    }

    void a_long_text_is_cut_at_once()
    {
        std::string text;
        for (int i = 0; i < 8192; ++i)
            text += "It is curious to recall some of the mental habits of those. ";
        const Analysis analysis = words(text); // one line of more than 100,000 tokens
        std::size_t lines = 0;
        QBENCHMARK { lines = text_lines(analysis).size(); }
        QCOMPARE(lines, std::size_t { 8192 });
    }
};

KEEPSET_TEST(TestTextLines)
#include "tst_text_lines.moc"
