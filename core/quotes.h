#pragma once

#include <string>

/// Texts within the lists in which policies are spelled.
namespace keepset {

/// Tells which characters of a list stand in double quotes, read from its beginning on. A quote opens behind '=' only,
/// so that one within a word is a character like others; a backslash in quotes takes the next character as it is.
class Quotes {
public:
    /// Whether the next character is part of a quoted text, its quotes included.
    bool holds(char c);
    bool open() const { return open_; }

private:
    bool open_ = false;
    bool escaped_ = false;
    char before_ = ' '; ///< the last character that is no space
};
/// A parameter's text as it stands in a list: in double quotes where it has commas, parentheses, quotes or spaces at
/// its ends, else as it is.
std::string quoted_value(const std::string& text);
/// The text behind such a spelling.
std::string unquoted_value(const std::string& spelled);

} // namespace keepset
