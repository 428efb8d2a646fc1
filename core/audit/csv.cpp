#include "core/audit/csv.h"

#include "core/error.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <sstream>

#include <unicode/ustring.h>

namespace keepset::csv {

namespace {

    constexpr std::uintmax_t largest_table = 64U << 20U; // bytes: more is not a results table

    std::string read_bytes(const std::filesystem::path& file)
    {
        const std::string name = file.string();
        std::error_code error;
        const auto status = std::filesystem::status(file, error);
        if (!std::filesystem::exists(status))
            throw Error(ErrorKind::input, name + " does not exist.");
        if (std::filesystem::is_directory(status))
            throw Error(ErrorKind::input, name + " is a directory, not a table.", "Name a CSV file.");
        if (std::filesystem::is_regular_file(status) && std::filesystem::file_size(file, error) > largest_table)
            throw Error(ErrorKind::input, name + " is larger than 64 MB, too large for a table of results.");
        std::ifstream stream(file, std::ios::binary);
        std::ostringstream bytes;
        bytes << stream.rdbuf();
        if (!stream)
            throw Error(ErrorKind::input, name + " cannot be read.");
        return std::move(bytes).str();
    }

    [[noreturn]] void refuse_text(const std::string& name)
    {
        throw Error(
            ErrorKind::input, name + " is not a text file in UTF-8 or UTF-16.", "Save the table as CSV in UTF-8.");
    }

    /// `bytes` behind the mark, two a unit, the more significant one first where `big_endian`.
    std::string from_utf16(const std::string& bytes, bool big_endian, const std::string& name)
    {
        std::u16string units;
        for (std::size_t at = 2; at + 1 < bytes.size(); at += 2) {
            const auto first = static_cast<unsigned char>(bytes[at]);
            const auto second = static_cast<unsigned char>(bytes[at + 1]);
            units += static_cast<char16_t>(big_endian ? first * 256U + second : second * 256U + first);
        }
        UErrorCode status = U_ZERO_ERROR;
        std::string text(3 * units.size() + 1, '\0'); // the most that a unit takes
        std::int32_t length = 0;
        u_strToUTF8(text.data(), static_cast<std::int32_t>(text.size()), &length, units.data(),
            static_cast<std::int32_t>(units.size()), &status);
        if (U_FAILURE(status) || bytes.size() % 2 != 0)
            refuse_text(name);
        text.resize(static_cast<std::size_t>(length));
        return text;
    }

    bool is_utf8(const std::string& bytes)
    {
        UErrorCode status = U_ZERO_ERROR;
        std::int32_t units = 0; // only counted
        u_strFromUTF8(nullptr, 0, &units, bytes.data(), static_cast<std::int32_t>(bytes.size()), &status);
        return status != U_INVALID_CHAR_FOUND;
    }

    /// Reads one quoted field that begins at `at`; leaves `at` behind its closing quote.
    std::string quoted_field(const std::string& text, std::size_t& at, std::int64_t& line, const Source& source)
    {
        const std::int64_t first_line = line;
        std::string field;
        for (++at; at < text.size(); ++at) {
            if (text[at] == '"' && (at + 1 == text.size() || text[at + 1] != '"')) {
                ++at;
                return field;
            }
            if (text[at] == '"')
                ++at; // a doubled quote is one
            line += text[at] == '\n' ? 1 : 0;
            field += text[at];
        }
        source.refuse(first_line, "a quoted field is never closed.");
    }

} // namespace

void Source::refuse(std::int64_t line, const std::string& what, const std::string& hint) const
{
    throw Error(ErrorKind::input, file + ", line " + std::to_string(line) + ": " + what, hint);
}

std::string trimmed(const std::string& text)
{
    const auto first = text.find_first_not_of(" \t");
    return first == std::string::npos ? std::string() : text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::string lowered(std::string text)
{
    std::transform(text.begin(), text.end(), text.begin(),
        [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return text;
}

std::string read_table_text(const std::filesystem::path& file)
{
    std::string bytes = read_bytes(file);
    const bool little = bytes.rfind("\xFF\xFE", 0) == 0;
    if (little || bytes.rfind("\xFE\xFF", 0) == 0)
        bytes = from_utf16(bytes, !little, file.string());
    else if (bytes.rfind("\xEF\xBB\xBF", 0) == 0)
        bytes.erase(0, 3);
    if (!is_utf8(bytes) || bytes.find('\0') != std::string::npos)
        refuse_text(file.string());
    return bytes;
}

char take_separator(std::string& text)
{
    const std::size_t begin = text.find_first_not_of("\r\n"); // empty lines may stand above
    if (begin == std::string::npos)
        return ',';
    const std::size_t end = std::min(text.find_first_of("\r\n", begin), text.size());
    const std::string first = text.substr(begin, end - begin);
    const std::string asked = lowered(trimmed(first));
    const bool is_tab = first.size() > 4 && lowered(first).rfind("sep=\t", 0) == 0;
    if (asked.rfind("sep=", 0) == 0 && (asked.size() == 5 || is_tab)) {
        std::fill(
            text.begin() + static_cast<std::ptrdiff_t>(begin), text.begin() + static_cast<std::ptrdiff_t>(end), ' ');
        return is_tab ? '\t' : asked[4];
    }
    std::array<std::size_t, 3> counts {};
    constexpr std::array separators { ',', ';', '\t' };
    bool quoted = false;
    for (const char c : first) {
        quoted = c == '"' ? !quoted : quoted;
        for (std::size_t i = 0; i < separators.size() && !quoted; ++i)
            counts.at(i) += c == separators.at(i) ? 1 : 0;
    }
    return separators.at(static_cast<std::size_t>(std::max_element(counts.begin(), counts.end()) - counts.begin()));
}

std::vector<Row> parse(const std::string& text, char separator, const Source& source)
{
    const std::string stops = std::string(1, separator) + "\r\n";
    std::vector<Row> rows;
    std::int64_t line = 1;
    for (std::size_t at = 0; at < text.size();) {
        Row row { line, {} };
        while (true) {
            std::string field;
            const std::size_t start = std::min(text.find_first_not_of(' ', at), text.size());
            const bool quoted = start < text.size() && text[start] == '"';
            if (quoted) {
                at = start;
                field = quoted_field(text, at, line, source);
            }
            const auto end = std::min(text.find_first_of(stops, at), text.size());
            if (quoted && !trimmed(text.substr(at, end - at)).empty())
                source.refuse(line, "text stands behind the closing quote of a field.");
            row.fields.push_back(quoted ? field : trimmed(text.substr(at, end - at)));
            at = end + 1;
            if (end == text.size() || text[end] != separator)
                break;
        }
        if (at <= text.size() && text[at - 1] == '\r' && at < text.size() && text[at] == '\n')
            ++at;
        ++line;
        if (std::any_of(row.fields.begin(), row.fields.end(), [](const std::string& f) { return !f.empty(); }))
            rows.push_back(std::move(row));
    }
    return rows;
}

} // namespace keepset::csv
