#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

/// Text of tables from elsewhere, as spreadsheets and programs save it: into rows of fields.
namespace keepset::csv {

struct Row {
    std::int64_t line = 0; ///< in the file, from 1
    std::vector<std::string> fields; ///< trimmed; quoted ones as they stand
};

/// Where errors of one file come from.
struct Source {
    std::string file;
    /// Throws Error{input} that names the file and the line.
    [[noreturn]] void refuse(std::int64_t line, const std::string& what, const std::string& hint = {}) const;
};

/// A file's text as UTF-8 without byte order mark; UTF-16 is read where it has its mark. Throws Error{input} where it
/// is no text, no file or too large for a table.
std::string read_table_text(const std::filesystem::path& file);

/// Rows of RFC 4180 text with fields separated by `separator`; lines end in LF, CRLF or CR; lines whose fields are all
/// empty are left out. Throws Error{input} where quotes do not match.
std::vector<Row> parse(const std::string& text, char separator, const Source& source);

/// What stands between fields: by a first line `sep=;`, which is blanked in `text`, else what the first line has most
/// of outside quotes: semicolons, tabs, or commas, which also stand for none.
char take_separator(std::string& text);

std::string trimmed(const std::string& text);
/// ASCII letters in lower case.
std::string lowered(std::string text);

} // namespace keepset::csv
