#include "core/marks.h"
#include "tests/support/test_main.h"

#include <QTest>

#include <random>

using namespace keepset;

namespace {

using Pins = std::vector<Pin>;
using Spans = std::vector<PinnedSpan>;

/// Tokens of `length` bytes each, the first of them at a byte of the text.
std::vector<Token> tokensFrom(std::int64_t byte, std::int64_t count, std::int64_t length)
{
    std::vector<Token> tokens;
    for (std::int64_t i = 0; i < count; ++i, byte += length)
        tokens.push_back({ 1, byte, byte + length, "x" });
    return tokens;
}

} // namespace

class TestMarks : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void a_later_one_rules_where_they_meet()
    {
        QCOMPARE(with_pin({}, { 3, 5, true }), (Pins { { 3, 5, true } }));
        QCOMPARE(
            with_pin({ { 3, 9, true } }, { 5, 6, false }), (Pins { { 3, 5, true }, { 5, 6, false }, { 6, 9, true } }));
        QCOMPARE(with_pin({ { 3, 5, true }, { 7, 9, false } }, { 0, 20, true }), (Pins { { 0, 20, true } }));
        QCOMPARE(with_pin({ { 3, 5, true }, { 7, 9, true } }, { 5, 7, true }), (Pins { { 3, 9, true } }));
        QCOMPARE(with_pin({ { 3, 5, true } }, { 5, 7, false }), (Pins { { 3, 5, true }, { 5, 7, false } }));
        QCOMPARE(with_pin({ { 3, 5, true } }, { 4, 4, false }), (Pins { { 3, 5, true } }));
    }

    void what_each_token_is_marked_as_is_what_was_said_last_of_it()
    {
        constexpr int tokens = 40;
        std::minstd_rand random(7);
        for (int trial = 0; trial < 200; ++trial) {
            Pins pins;
            std::vector<int> said(tokens, -1);
            for (int i = 0; i < 12; ++i) {
                const auto begin = static_cast<std::int64_t>(random() % tokens);
                const auto end = begin + static_cast<std::int64_t>(random() % 8);
                const bool stays = random() % 2 == 0;
                pins = with_pin(pins, { begin, std::min<std::int64_t>(end, tokens), stays });
                for (auto at = begin; at < std::min<std::int64_t>(end, tokens); ++at)
                    said[static_cast<std::size_t>(at)] = stays ? 1 : 0;
            }
            std::vector<int> found(tokens, -1);
            std::int64_t last = 0;
            for (const Pin& pin : pins) {
                QVERIFY(pin.begin >= last && pin.end > pin.begin);
                last = pin.end;
                for (auto at = pin.begin; at < pin.end; ++at)
                    found[static_cast<std::size_t>(at)] = pin.stays ? 1 : 0;
            }
            QCOMPARE(found, said);
        }
    }

    void thousands_are_marked_one_by_one_at_once()
    {
        Pins pins;
        QBENCHMARK
        {
            pins.clear();
            for (std::int64_t i = 0; i < 6000; ++i)
                pins = with_pin(std::move(pins), { i * 20, i * 20 + 1, true });
        }
        QCOMPARE(pins.size(), std::size_t { 6000 });
    }

    void spans_find_their_tokens_whatever_the_passage_and_the_tokenizer()
    {
        const std::vector<Token> whole = tokensFrom(0, 100, 3);
        const Spans spans = spans_of(whole, Pins { { 10, 20, true }, { 20, 21, false } });
        QCOMPARE(spans, (Spans { { 30, 60, true }, { 60, 63, false } }));
        QCOMPARE(pins_in(whole, spans), (Pins { { 10, 20, true }, { 20, 21, false } }));
        QCOMPARE(pins_in(tokensFrom(45, 50, 3), spans), (Pins { { 0, 5, true }, { 5, 6, false } }));
        QCOMPARE(pins_in(tokensFrom(0, 100, 4), spans), (Pins { { 7, 15, true }, { 15, 16, false } }));
        QCOMPARE(pins_in(tokensFrom(90, 5, 3), spans), Pins());
        QCOMPARE(pins_in({}, spans), Pins());
    }

    void what_the_passage_does_not_reach_stays_kept()
    {
        const Spans before { { 0, 12, true }, { 30, 60, true }, { 100, 320, false } };
        const std::vector<Token> passage = tokensFrom(9, 97, 3); // bytes 9 to 300
        QCOMPARE(spans_of(passage, {}, before), (Spans { { 0, 9, true }, { 300, 320, false } }));
        QCOMPARE(spans_of(passage, Pins { { 0, 1, false } }, before),
            (Spans { { 0, 9, true }, { 9, 12, false }, { 300, 320, false } }));
    }

    void a_token_without_bytes_is_not_kept()
    {
        std::vector<Token> tokens = tokensFrom(0, 4, 2);
        tokens.insert(tokens.begin(), Token { 0, 0, 0, "<s>" });
        QCOMPARE(spans_of(tokens, Pins { { 0, 1, true } }), Spans());
        QCOMPARE(pins_in(tokens, spans_of(tokens, Pins { { 0, 2, true } })), (Pins { { 1, 2, true } }));
    }
};

KEEPSET_TEST(TestMarks)
#include "tst_marks.moc"
