#include "core/tokenizer/charsmap.h"

#include "core/error.h"
#include "core/tokenizer/grapheme.h"
#include "core/tokenizer/utf8.h"

namespace keepset {

namespace {

    [[noreturn]] void refuse(const std::string& problem)
    {
        throw Error(ErrorKind::input, problem, "Get the model's tokenizer.json again.");
    }

    std::string decode_base64(std::string_view text)
    {
        constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        constexpr std::uint32_t digit_bits = 6;
        if (text.size() % 4 != 0)
            refuse("is not base64: it has " + std::to_string(text.size()) + " characters, no multiple of 4.");
        const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
        std::string bytes;
        bytes.reserve(text.size() / 4 * 3);
        std::uint32_t bits = 0;
        std::uint32_t count = 0;
        for (std::size_t at = 0; at + padding < text.size(); ++at) {
            const std::size_t digit = digits.find(text[at]);
            if (digit == std::string_view::npos)
                refuse("is not base64: character " + std::to_string(at) + " is no digit of it.");
            bits = bits << digit_bits | static_cast<std::uint32_t>(digit);
            count += digit_bits;
            if (count >= 8) {
                count -= 8;
                bytes += static_cast<char>(static_cast<unsigned char>(bits >> count & 0xFFU));
            }
        }
        return bytes;
    }

    std::uint32_t little_endian(std::string_view bytes, std::size_t at)
    {
        std::uint32_t value = 0;
        for (std::size_t i = 4; i-- > 0;)
            value = value << 8U | static_cast<unsigned char>(bytes[at + i]);
        return value;
    }

    // Fields of a unit.
    constexpr std::uint32_t value_bit = 1U << 31U; ///< the unit is a value, no node
    bool has_leaf(std::uint32_t unit) { return (unit >> 8U & 1U) != 0; }
    std::uint32_t label_of(std::uint32_t unit) { return unit & (value_bit | 0xFFU); }
    std::uint32_t offset_of(std::uint32_t unit) { return (unit >> 10U) << ((unit & 1U << 9U) >> 6U); }

} // namespace

Charsmap Charsmap::read(std::string_view base64)
{
    constexpr std::size_t word = 4;
    const std::string bytes = decode_base64(base64);
    const std::size_t rest = bytes.size() < word ? 0 : bytes.size() - word;
    const std::uint32_t trie_bytes = rest == 0 ? 0 : little_endian(bytes, 0);
    if (trie_bytes < word || trie_bytes % word != 0 || trie_bytes > rest)
        refuse("is truncated: it has " + std::to_string(bytes.size()) + " bytes and tells of a table of "
            + std::to_string(trie_bytes) + ".");
    Charsmap map;
    map.texts_ = bytes.substr(word + trie_bytes);
    if (find_invalid_utf8(map.texts_))
        refuse("holds replacements that are not UTF-8.");
    if (!map.texts_.empty() && map.texts_.back() != '\0')
        refuse("is truncated: its last replacement has no end.");
    map.units_.reserve(trie_bytes / word);
    for (std::size_t at = word; at < word + trie_bytes; at += word) {
        const std::uint32_t unit = little_endian(bytes, at);
        const std::size_t value = unit & ~value_bit;
        const bool is_value = (unit & value_bit) != 0;
        if (is_value
            && (value >= map.texts_.size() || (static_cast<unsigned char>(map.texts_[value]) & 0xC0U) == 0x80U))
            refuse("is damaged: it points at replacement byte " + std::to_string(value) + " of "
                + std::to_string(map.texts_.size()) + ".");
        map.units_.push_back(unit);
    }
    return map;
}

std::optional<std::string_view> Charsmap::replacement_of(std::string_view piece) const
{
    std::size_t node = offset_of(units_[0]);
    for (const char character : piece) {
        const auto byte = static_cast<unsigned char>(character);
        node ^= byte;
        if (byte == 0 || node >= units_.size() || label_of(units_[node]) != byte)
            return std::nullopt;
        const std::uint32_t unit = units_[node];
        node ^= offset_of(unit);
        if (!has_leaf(unit))
            continue;
        const std::size_t text = node < units_.size() ? units_[node] & ~value_bit : texts_.size();
        if (text >= texts_.size())
            return std::nullopt;
        return std::string_view(texts_.c_str() + text);
    }
    return std::nullopt;
}

void Charsmap::apply(AlignedText& text, const std::stop_token& stop) const
{
    constexpr std::size_t longest_cluster = 5;
    const std::string_view utf8 = text.utf8();
    TextEdit edit(utf8, stop);
    std::size_t left_out = 0; // bytes at the very front that became nothing
    // As in the library, what is left out in front belongs to the first character that stays.
    const auto replace = [&](std::size_t begin, std::size_t end, std::string_view with) {
        if (begin == left_out && with.empty()) {
            left_out = end;
            return;
        }
        edit.replace(static_cast<std::int64_t>(begin == left_out ? 0 : begin), static_cast<std::int64_t>(end), with);
    };
    const auto take = [&](std::size_t begin, std::size_t end) {
        const std::string_view piece = utf8.substr(begin, end - begin);
        const std::optional<std::string_view> with = replacement_of(piece);
        if (with)
            replace(begin, end, *with);
        return with.has_value();
    };
    for (std::size_t begin = 0; begin < utf8.size();) {
        edit.step();
        const std::size_t end = grapheme_end(utf8, begin);
        if (end - begin <= longest_cluster && take(begin, end)) {
            begin = end;
            continue;
        }
        while (begin < end) {
            edit.step();
            std::size_t behind = begin;
            next_character(utf8, behind);
            if (!take(begin, behind) && begin == left_out && begin > 0)
                replace(begin, behind, utf8.substr(begin, behind - begin));
            begin = behind;
        }
    }
    if (left_out == utf8.size())
        edit.replace(0, static_cast<std::int64_t>(left_out), {});
    text.apply(std::move(edit));
}

} // namespace keepset
