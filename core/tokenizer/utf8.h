#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace keepset {

/// Offset of the first byte that is no part of a well-formed UTF-8 sequence (overlong forms, surrogates and truncated
/// sequences are ill-formed: The Unicode Standard, table 3-7); nothing where the bytes are UTF-8.
std::optional<std::int64_t> find_invalid_utf8(std::string_view bytes);

/// Throws Error{input} with the offset where `bytes` are no UTF-8; `name` says whose bytes they are.
void check_utf8(std::string_view bytes, const std::string& name);

/// The bytes for showing: every ill-formed piece becomes one U+FFFD, whole characters stay.
std::string shown_utf8(std::string_view bytes);

/// Bytes that a byte-level vocabulary entry stands for: GPT-2 spells each byte as one printable letter ("Ġ" is the
/// space). Nothing where `token` has a character that spells no byte.
std::optional<std::string> bytes_of_letters(std::string_view token);

} // namespace keepset
