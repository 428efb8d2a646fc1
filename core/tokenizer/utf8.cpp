#include "core/tokenizer/utf8.h"

#include "core/error.h"
#include "core/tokenizer/stop_look.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>

namespace keepset {

namespace {

    struct Sequence {
        std::size_t length = 1; ///< of the character, or of the ill-formed piece
        bool well_formed = true;
    };

    struct LeadByte {
        std::size_t length = 0; ///< 0: no lead byte
        unsigned char second_low = 0x80;
        unsigned char second_high = 0xBF;
    };

    constexpr LeadByte lead_byte(unsigned char byte)
    {
        if (byte < 0xC2 || byte > 0xF4)
            return {};
        if (byte < 0xE0)
            return { 2 };
        if (byte < 0xF0)
            return { 3, static_cast<unsigned char>(byte == 0xE0 ? 0xA0 : 0x80),
                static_cast<unsigned char>(byte == 0xED ? 0x9F : 0xBF) };
        return { 4, static_cast<unsigned char>(byte == 0xF0 ? 0x90 : 0x80),
            static_cast<unsigned char>(byte == 0xF4 ? 0x8F : 0xBF) };
    }

    /// The sequence that starts at `at`; an ill-formed piece is as long as it could have been the start of a character.
    Sequence sequence_at(std::string_view bytes, std::size_t at)
    {
        const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
        if (byte(at) < 0x80)
            return {};
        const LeadByte lead = lead_byte(byte(at));
        if (lead.length == 0)
            return { 1, false };
        for (std::size_t i = 1; i < lead.length; ++i) {
            const unsigned char low = i == 1 ? lead.second_low : 0x80;
            const unsigned char high = i == 1 ? lead.second_high : 0xBF;
            if (at + i >= bytes.size() || byte(at + i) < low || byte(at + i) > high)
                return { i, false };
        }
        return { lead.length, true };
    }

    /// Most text is ASCII: eight bytes at a time.
    std::size_t skip_ascii(std::string_view bytes, std::size_t at)
    {
        std::uint64_t eight = 0;
        while (at + sizeof eight <= bytes.size()) {
            std::memcpy(&eight, bytes.data() + at, sizeof eight);
            if ((eight & 0x8080808080808080U) != 0)
                break;
            at += sizeof eight;
        }
        return at;
    }

    bool is_printable_letter(std::size_t byte) { return (byte > 0x20 && byte < 0x7F) || (byte > 0xA0 && byte != 0xAD); }

    /// Code point of a letter → byte: printable Latin-1 spells itself, the other bytes are U+0100 and on, in order.
    std::array<std::int16_t, 0x180> make_letter_bytes()
    {
        std::array<std::int16_t, 0x180> bytes {};
        bytes.fill(-1);
        std::size_t next = 0x100;
        for (std::size_t byte = 0; byte < 0x100; ++byte) {
            bytes[is_printable_letter(byte) ? byte : next++] = static_cast<std::int16_t>(byte);
        }
        return bytes;
    }

    std::array<std::string, 0x100> make_byte_letters()
    {
        std::array<std::string, 0x100> letters;
        char32_t next = 0x100;
        for (std::size_t byte = 0; byte < letters.size(); ++byte)
            letters[byte] = utf8_of(is_printable_letter(byte) ? static_cast<char32_t>(byte) : next++);
        return letters;
    }

    constexpr std::string_view fallback_digits = "0123456789ABCDEF";

} // namespace

char32_t next_character(std::string_view text, std::size_t& at)
{
    const auto byte = [&](std::size_t i) { return static_cast<char32_t>(static_cast<unsigned char>(text[at + i])); };
    const char32_t lead = byte(0);
    char32_t character = lead;
    const std::size_t length = utf8_length(text[at]);
    if (length == 2)
        character = (lead & 0x1FU) << 6U | (byte(1) & 0x3FU);
    else if (length == 3)
        character = (lead & 0x0FU) << 12U | (byte(1) & 0x3FU) << 6U | (byte(2) & 0x3FU);
    else if (length == 4)
        character = (lead & 0x07U) << 18U | (byte(1) & 0x3FU) << 12U | (byte(2) & 0x3FU) << 6U | (byte(3) & 0x3FU);
    at += length;
    return character;
}

char32_t previous_character(std::string_view text, std::size_t& at)
{
    do
        --at;
    while (at > 0 && (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U);
    std::size_t end = at;
    return next_character(text, end);
}

std::string utf8_of(char32_t character)
{
    const auto byte = [](char32_t bits) { return static_cast<char>(static_cast<unsigned char>(bits)); };
    const auto tail = [&](unsigned shift) { return byte(0x80U | (character >> shift & 0x3FU)); };
    if (character < 0x80)
        return { byte(character) };
    if (character < 0x800)
        return { byte(0xC0U | character >> 6U), tail(0) };
    if (character < 0x10000)
        return { byte(0xE0U | character >> 12U), tail(6), tail(0) };
    return { byte(0xF0U | character >> 18U), tail(12), tail(6), tail(0) };
}

bool is_ascii(std::string_view bytes)
{
    return std::all_of(bytes.begin() + static_cast<std::ptrdiff_t>(skip_ascii(bytes, 0)), bytes.end(),
        [](char byte) { return static_cast<unsigned char>(byte) < 0x80; });
}

std::optional<std::int64_t> find_invalid_utf8(std::string_view bytes, const std::stop_token& stop)
{
    StopLook look(stop);
    for (std::size_t at = 0; at < bytes.size();) {
        const std::size_t begin = at;
        at = skip_ascii(bytes.substr(0, begin + bytes_between_looks), begin);
        if (at - begin > bytes_between_looks / 2)
            look.look();
        if (at >= bytes.size())
            break;
        look.step();
        const Sequence sequence = sequence_at(bytes, at);
        if (!sequence.well_formed)
            return static_cast<std::int64_t>(at);
        at += sequence.length;
    }
    return std::nullopt;
}

void check_utf8(std::string_view bytes, const std::string& name, const std::stop_token& stop)
{
    const std::optional<std::int64_t> offset = find_invalid_utf8(bytes, stop);
    if (!offset)
        return;
    char byte[8];
    std::snprintf(byte, sizeof byte, "0x%02X", static_cast<unsigned char>(bytes[static_cast<std::size_t>(*offset)]));
    throw Error(ErrorKind::input,
        name + " is not valid UTF-8: byte " + byte + " at offset " + std::to_string(*offset) + ".",
        "Save the text as UTF-8.");
}

std::string shown_utf8(std::string_view bytes)
{
    if (is_ascii(bytes))
        return std::string(bytes);
    std::string shown;
    shown.reserve(bytes.size());
    for (std::size_t at = 0; at < bytes.size();) {
        const Sequence sequence = sequence_at(bytes, at);
        shown += sequence.well_formed ? bytes.substr(at, sequence.length) : std::string_view("\xEF\xBF\xBD");
        at += sequence.length;
    }
    return shown;
}

std::optional<std::string> bytes_of_letters(std::string_view token)
{
    static const std::array<std::int16_t, 0x180> letter_bytes = make_letter_bytes();
    std::string bytes;
    bytes.reserve(token.size());
    for (std::size_t at = 0; at < token.size();) {
        const Sequence sequence = sequence_at(token, at);
        if (!sequence.well_formed || sequence.length > 2)
            return std::nullopt;
        auto letter = static_cast<std::size_t>(static_cast<unsigned char>(token[at]));
        if (sequence.length == 2)
            letter = (letter & 0x1FU) << 6U | (static_cast<unsigned char>(token[at + 1]) & 0x3FU);
        if (letter >= letter_bytes.size() || letter_bytes[letter] < 0)
            return std::nullopt;
        bytes += static_cast<char>(letter_bytes[letter]);
        at += sequence.length;
    }
    return bytes;
}

std::string_view letter_of_byte(char byte)
{
    static const std::array<std::string, 0x100> letters = make_byte_letters();
    return letters[static_cast<unsigned char>(byte)];
}

std::optional<char> fallback_byte(std::string_view token)
{
    if (token.size() != 6 || !token.starts_with("<0x") || token[5] != '>')
        return std::nullopt;
    const std::size_t high = fallback_digits.find(token[3]);
    const std::size_t low = fallback_digits.find(token[4]);
    if (high == std::string_view::npos || low == std::string_view::npos)
        return std::nullopt;
    return static_cast<char>(static_cast<unsigned char>(high * 16 + low));
}

std::string fallback_token(char byte)
{
    const auto value = static_cast<unsigned char>(byte);
    return { '<', '0', 'x', fallback_digits[value / 16], fallback_digits[value % 16], '>' };
}

} // namespace keepset
