#include "core/engine.h"
#include "core/policy/words.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>
#include <sstream>

#include <unicode/ustring.h>

namespace keepset {

namespace {

    constexpr std::uintmax_t largest_table = 64U << 20U; // bytes: more is not a results table

    struct CsvRow {
        std::int64_t line = 0; ///< in the file, from 1
        std::vector<std::string> fields;
    };

    /// Where errors of one file come from.
    struct Source {
        std::string file;
        [[noreturn]] void refuse(std::int64_t line, const std::string& what, const std::string& hint = {}) const
        {
            throw Error(ErrorKind::input, file + ", line " + std::to_string(line) + ": " + what, hint);
        }
    };

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

    void check_text(const std::string& bytes, const std::string& name)
    {
        UErrorCode status = U_ZERO_ERROR;
        std::int32_t units = 0; // only counted
        u_strFromUTF8(nullptr, 0, &units, bytes.data(), static_cast<std::int32_t>(bytes.size()), &status);
        if (status == U_INVALID_CHAR_FOUND || bytes.find('\0') != std::string::npos)
            throw Error(ErrorKind::input, name + " is not a text file in UTF-8.", "Save the table as CSV in UTF-8.");
    }

    std::string trimmed(const std::string& text)
    {
        const auto first = text.find_first_not_of(" \t");
        return first == std::string::npos ? std::string()
                                          : text.substr(first, text.find_last_not_of(" \t") - first + 1);
    }

    std::string lowered(std::string text)
    {
        std::transform(text.begin(), text.end(), text.begin(),
            [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
        return text;
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

    /// Rows of RFC 4180 text; lines end in LF, CRLF or CR; empty lines are left out.
    std::vector<CsvRow> parse_csv(const std::string& text, const Source& source)
    {
        std::vector<CsvRow> rows;
        std::int64_t line = 1;
        for (std::size_t at = 0; at < text.size();) {
            CsvRow row { line, {} };
            while (true) {
                std::string field;
                const bool quoted = at < text.size() && text[at] == '"';
                if (quoted)
                    field = quoted_field(text, at, line, source);
                const auto end = std::min(text.find_first_of(",\r\n", at), text.size());
                if (quoted && !trimmed(text.substr(at, end - at)).empty())
                    source.refuse(line, "text stands behind the closing quote of a field.");
                row.fields.push_back(quoted ? field : trimmed(text.substr(at, end - at)));
                at = end + 1;
                if (end == text.size() || text[end] != ',')
                    break;
            }
            if (at <= text.size() && text[at - 1] == '\r' && at < text.size() && text[at] == '\n')
                ++at;
            ++line;
            if (row.fields.size() > 1 || !row.fields[0].empty())
                rows.push_back(std::move(row));
        }
        return rows;
    }

    std::size_t find_column(const CsvRow& header, const std::vector<std::string>& names, const Source& source)
    {
        std::vector<std::string> found;
        for (std::size_t i = 0; i < header.fields.size(); ++i) {
            const std::string field = lowered(trimmed(header.fields[i]));
            if (std::find(names.begin(), names.end(), field) != names.end())
                return i;
            found.push_back("'" + header.fields[i] + "'");
        }
        source.refuse(header.line, "there is no column '" + names[0] + "'; found: " + joined(found) + ".",
            "The table needs the columns method (or policy), sparsity and perplexity, separated by commas.");
    }

    std::optional<std::size_t> optional_column(const CsvRow& header, const std::string& name)
    {
        const auto found = std::find_if(header.fields.begin(), header.fields.end(),
            [&](const std::string& field) { return lowered(trimmed(field)) == name; });
        return found == header.fields.end() ? std::nullopt : std::optional(found - header.fields.begin());
    }

    double parse_number(std::string text, const std::string& column, std::int64_t line, const Source& source)
    {
        const std::string shown = text;
        if (!text.empty() && text[0] == '+')
            text.erase(0, 1);
        double value = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        if (error != std::errc() || end != text.data() + text.size())
            source.refuse(line, "the " + column + " '" + shown + "' is not a number.");
        return value;
    }

    /// Entries kept, from a column that tables of other programs may fill with anything: 0 where it is no count.
    std::int64_t count_in(const std::string& text)
    {
        std::int64_t count = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
        return error == std::errc() && end == text.data() + text.size() && count > 0 ? count : 0;
    }

    /// A sparsity as written, and whether it has a % sign, which is taken off.
    bool take_percent_sign(std::string& text)
    {
        if (text.empty() || text.back() != '%')
            return false;
        text = trimmed(text.substr(0, text.size() - 1));
        return true;
    }

    /// Shares from shares or percents, each in [0, 1).
    void to_shares(ImportedTable& table, bool in_percent, const std::vector<CsvRow>& rows, const Source& source)
    {
        for (std::size_t i = 0; i < table.rows.size(); ++i) {
            double& sparsity = table.rows[i].sparsity;
            const std::string shown = shortest(sparsity);
            sparsity = in_percent ? sparsity / 100 : sparsity;
            if (!(sparsity >= 0 && sparsity < 1))
                source.refuse(rows[i + 1].line,
                    "the sparsity " + shown + " is out of range, from 0 to below " + (in_percent ? "100%." : "1."));
            for (std::size_t earlier = 0; earlier < i; ++earlier) {
                if (table.rows[earlier].method == table.rows[i].method && table.rows[earlier].sparsity == sparsity)
                    source.refuse(rows[i + 1].line,
                        "'" + table.rows[i].method + "' at this sparsity was already given in line "
                            + std::to_string(rows[earlier + 1].line) + ".",
                        "Keep one row for each method and sparsity.");
            }
        }
    }

} // namespace

ImportedTable import_table(const std::filesystem::path& file)
{
    const Source source { file.string() };
    std::string text = read_bytes(file);
    check_text(text, source.file);
    if (text.rfind("\xEF\xBB\xBF", 0) == 0)
        text.erase(0, 3);
    const std::vector<CsvRow> rows = parse_csv(text, source);
    if (rows.empty())
        throw Error(ErrorKind::input, source.file + " is empty.", "A table needs a header line and a row a result.");

    const std::size_t method = find_column(rows[0], { "method", "policy" }, source);
    const std::size_t sparsity = find_column(rows[0], { "sparsity" }, source);
    const std::size_t perplexity = find_column(rows[0], { "perplexity" }, source);
    const auto budget = optional_column(rows[0], "budget");
    ImportedTable table { file.filename().string(), {} };
    bool in_percent = false;
    for (std::size_t i = 1; i < rows.size(); ++i) {
        const auto& [line, fields] = rows[i];
        if (fields.size() != rows[0].fields.size())
            source.refuse(line,
                std::to_string(fields.size()) + " fields where the header has " + std::to_string(rows[0].fields.size())
                    + ".");
        std::string share = trimmed(fields[sparsity]);
        const bool has_sign = take_percent_sign(share);
        ImportedTable::Row row { trimmed(fields[method]), parse_number(share, "sparsity", line, source),
            parse_number(trimmed(fields[perplexity]), "perplexity", line, source),
            budget ? count_in(trimmed(fields[*budget])) : 0 };
        if (row.method.empty())
            source.refuse(line, "the method has no name.");
        in_percent = in_percent || has_sign || row.sparsity > 1;
        table.rows.push_back(std::move(row));
    }
    if (table.rows.empty())
        throw Error(ErrorKind::input, source.file + " has a header line and no rows.");
    to_shares(table, in_percent, rows, source);
    return table;
}

} // namespace keepset
