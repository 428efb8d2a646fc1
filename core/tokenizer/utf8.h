#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

namespace keepset {

/// Bytes of the character that `lead` begins, in well-formed UTF-8.
constexpr std::size_t utf8_length(char lead)
{
    const auto byte = static_cast<unsigned char>(lead);
    return byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
}

/// The character that begins at `at`, which moves behind it. at < text.size(); `text` is UTF-8.
char32_t next_character(std::string_view text, std::size_t& at);

/// The character that ends before `at`, which moves to its first byte. at > 0; `text` is UTF-8.
char32_t previous_character(std::string_view text, std::size_t& at);

/// A character as UTF-8.
std::string utf8_of(char32_t character);

bool is_ascii(std::string_view bytes);

/// Offset of the first byte that is no part of a well-formed UTF-8 sequence (overlong forms, surrogates and truncated
/// sequences are ill-formed: The Unicode Standard, table 3-7); nothing where the bytes are UTF-8. Throws Cancelled.
std::optional<std::int64_t> find_invalid_utf8(std::string_view bytes, const std::stop_token& stop = {});

/// Throws Error{input} with the offset where `bytes` are no UTF-8; `name` says whose bytes they are. Throws Cancelled.
void check_utf8(std::string_view bytes, const std::string& name, const std::stop_token& stop = {});

/// The bytes for showing: every ill-formed piece becomes one U+FFFD, whole characters stay.
std::string shown_utf8(std::string_view bytes);

/// Bytes that a byte-level vocabulary entry stands for: GPT-2 spells each byte as one printable letter ("Ġ" is the
/// space). Nothing where `token` has a character that spells no byte.
std::optional<std::string> bytes_of_letters(std::string_view token);

/// GPT-2's letter for a byte, as UTF-8.
std::string_view letter_of_byte(char byte);

/// The byte that a byte-fallback token stands for ("<0x0A>"); nothing for other tokens.
std::optional<char> fallback_byte(std::string_view token);

/// The byte-fallback token of a byte.
std::string fallback_token(char byte);

} // namespace keepset
