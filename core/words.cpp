#include "core/words.h"

#include "core/quotes.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace keepset {

std::string grouped(std::int64_t count)
{
    std::string digits = std::to_string(count);
    const std::size_t first = count < 0 ? 1 : 0;
    for (std::size_t end = digits.size(); end > first + 3; end -= 3)
        digits.insert(end - 3, 1, ',');
    return digits;
}

std::string counted(std::int64_t count, const std::string& thing)
{
    return grouped(count) + " " + thing + (count == 1 ? "" : "s");
}

std::string shortest(double value)
{
    std::array<char, 32> buffer {};
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
    return { buffer.data(), end };
}

std::string significant(double value, int digits)
{
    if (std::abs(value) >= 1 && std::abs(value) < 1e15) // no exponent where the whole part is longer
        digits = std::max(digits, static_cast<int>(std::log10(std::abs(value))) + 1);
    std::array<char, 40> buffer {};
    const auto end = std::to_chars(
        buffer.data(), buffer.data() + buffer.size(), std::abs(value), std::chars_format::general, digits)
                         .ptr;
    return (value < 0 ? "\u2212" : "") + std::string(buffer.data(), end);
}

std::string percent(double share) { return shortest(std::round(share * 1e8) / 1e6) + "%"; }

std::string joined(const std::vector<std::string>& parts)
{
    std::string text;
    for (const std::string& part : parts)
        text += (text.empty() ? "" : ", ") + part;
    return text;
}

std::string listed(const std::vector<std::string>& parts)
{
    if (parts.size() < 2)
        return joined(parts);
    return joined({ parts.begin(), parts.end() - 1 }) + " and " + parts.back();
}

std::string trimmed(std::string_view text)
{
    const auto first = text.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos)
        return {};
    return std::string(text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1));
}

std::vector<std::string> split_outside_parentheses(std::string_view text, char separator)
{
    std::vector<std::string> parts;
    int depth = 0;
    std::size_t begin = 0;
    Quotes quotes;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (quotes.holds(text[i]))
            continue;
        depth += text[i] == '(' ? 1 : text[i] == ')' ? -1 : 0;
        if (text[i] == separator && depth == 0) {
            parts.push_back(trimmed(text.substr(begin, i - begin)));
            begin = i + 1;
        }
    }
    parts.push_back(trimmed(text.substr(begin)));
    return parts;
}

bool Quotes::holds(char c)
{
    if (!open_) {
        open_ = c == '"' && before_ == '=';
        before_ = c == ' ' ? before_ : c;
        return open_;
    }
    const bool closes = c == '"' && !escaped_;
    escaped_ = c == '\\' && !escaped_;
    open_ = !closes;
    before_ = c;
    return true;
}

std::string quoted_value(const std::string& text)
{
    const bool plain = text.find_first_of(",()\"") == std::string::npos && trimmed(text) == text;
    if (plain)
        return text;
    std::string quoted = "\"";
    for (const char c : text)
        quoted += c == '"' || c == '\\' ? std::string("\\") + c : std::string(1, c);
    return quoted + '"';
}

std::string unquoted_value(const std::string& spelled)
{
    if (spelled.size() < 2 || spelled.front() != '"' || spelled.back() != '"')
        return spelled;
    std::string text;
    for (std::size_t i = 1; i + 1 < spelled.size(); ++i) {
        if (spelled[i] == '\\' && i + 2 < spelled.size())
            ++i;
        text += spelled[i];
    }
    return text;
}

} // namespace keepset
