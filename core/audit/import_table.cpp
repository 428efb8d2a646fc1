#include "core/audit.h"
#include "core/audit/csv.h"
#include "core/error.h"
#include "core/words.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <optional>
#include <span>

namespace keepset {

namespace {

    using csv::lowered;
    using csv::Source;
    using csv::trimmed;

    constexpr const char* how_to_write_shares
        = "Write every sparsity as a share of the context evicted (0.9) or every one with its sign (90%).";

    /// A header's name without its unit: "Sparsity (%)" → "sparsity". `has_unit`: there was one, percent.
    std::string name_of_column(const std::string& field, bool& has_unit)
    {
        std::string name = lowered(trimmed(field));
        std::replace(name.begin(), name.end(), '_', ' ');
        has_unit = false;
        for (const std::string unit : { "(%)", "[%]", "in %", "(percent)", "percent", "%" }) {
            if (!has_unit && name.size() > unit.size() && name.ends_with(unit)) {
                name = trimmed(name.substr(0, name.size() - unit.size()));
                has_unit = true;
            }
        }
        return name;
    }

    struct Column {
        std::size_t index = 0;
        bool in_percent = false; ///< by its header
    };

    /// The first column with one of `names`, of which the first is shown. Throws Error{input} with what there is.
    Column find_column(const csv::Row& header, const std::vector<std::string>& names, const Source& source)
    {
        std::vector<std::string> found;
        std::string kept;
        for (std::size_t i = 0; i < header.fields.size(); ++i) {
            bool has_unit = false;
            const std::string name = name_of_column(header.fields[i], has_unit);
            if (std::find(names.begin(), names.end(), name) != names.end())
                return { i, has_unit };
            found.push_back("'" + header.fields[i] + "'");
            if (name.starts_with("kept") || name.starts_with("keep") || name.starts_with("retain"))
                kept = found.back();
        }
        if (names[0] == "sparsity" && !kept.empty())
            source.refuse(header.line, "there is no column 'sparsity'; found: " + joined(found) + ".",
                "Sparsity is the share that is evicted: where " + kept + " is the share kept, write 1 minus it.");
        source.refuse(header.line, "there is no column '" + names[0] + "'; found: " + joined(found) + ".",
            "The table needs the columns method (or policy), sparsity and perplexity, separated by commas, semicolons "
            "or tabs.");
    }

    /// Where a column that a table need not have stands.
    std::optional<std::size_t> optional_column(const csv::Row& header, const std::string& name)
    {
        const auto found = std::find_if(header.fields.begin(), header.fields.end(),
            [&](const std::string& field) { return lowered(trimmed(field)) == name; });
        return found == header.fields.end() ? std::nullopt : std::optional(found - header.fields.begin());
    }

    /// Text of numbers: no-break spaces, which spreadsheets put before % and between thousands, are spaces.
    std::string plain_spaces(std::string text)
    {
        for (const std::string space : { "\xC2\xA0", "\xE2\x80\xAF" }) {
            for (auto at = text.find(space); at != std::string::npos; at = text.find(space, at))
                text.replace(at, space.size(), " ");
        }
        return trimmed(text);
    }

    /// "1,234" or "12,345,678": may be thousands or a decimal comma. "0,234" is no thousands.
    bool looks_like_thousands(const std::string& text)
    {
        const auto first = text.find(',');
        if (first == std::string::npos || first == 0 || first > 3 || text[0] == '0')
            return false;
        for (std::size_t at = first; at < text.size(); at += 4) {
            const std::string group = text.substr(at + 1, 3);
            if (text[at] != ',' || group.size() != 3 || group.find_first_not_of("0123456789") != std::string::npos)
                return false;
        }
        return true;
    }

    /// Whether a comma is the decimal mark of a table's numbers, decided once for all of them: where semicolons stand
    /// between fields, or one number cannot be thousands. Throws Error{input} where nothing decides, or points and
    /// commas are mixed.
    bool has_decimal_commas(
        const std::vector<csv::Row>& rows, char separator, std::span<const Column> columns, const Source& source)
    {
        constexpr const char* hint = "Write numbers with a decimal point and without thousands separators.";
        std::string comma;
        std::string point;
        bool decided = separator == ';';
        for (std::size_t i = 1; i < rows.size(); ++i) {
            for (const Column& column : columns) {
                const std::string text
                    = column.index < rows[i].fields.size() ? plain_spaces(rows[i].fields[column.index]) : "";
                const bool has_comma = text.find(',') != std::string::npos;
                const bool has_point = text.find('.') != std::string::npos;
                if (has_comma == has_point) // a number with both is refused where it is read
                    continue;
                (has_comma ? comma : point) = text;
                decided = decided || (has_comma && !looks_like_thousands(text));
            }
        }
        if (!comma.empty() && !point.empty())
            throw Error(ErrorKind::input,
                source.file + ": '" + comma + "' and '" + point + "' have different decimal marks.", hint);
        if (!comma.empty() && !decided)
            throw Error(
                ErrorKind::input, source.file + ": '" + comma + "' may be thousands or have a decimal comma.", hint);
        return !comma.empty();
    }

    /// Lines that are wrong in one way: the first ones are named, the others counted.
    class Problems {
    public:
        void add(std::int64_t line, const std::string& what) { lines_.emplace_back(line, what); }
        void refuse_any(const Source& source, const std::string& hint) const
        {
            if (lines_.empty())
                return;
            constexpr std::size_t shown = 3;
            std::vector<std::string> others;
            for (std::size_t i = 1; i < std::min(shown, lines_.size()); ++i)
                others.push_back("line " + std::to_string(lines_[i].first) + ": " + lines_[i].second);
            std::string what = lines_[0].second;
            for (const std::string& other : others)
                what += "; " + other;
            if (lines_.size() > shown)
                what += "; and " + counted(static_cast<std::int64_t>(lines_.size() - shown), "more line");
            source.refuse(lines_[0].first, what + ".", hint);
        }

    private:
        std::vector<std::pair<std::int64_t, std::string>> lines_;
    };

    /// The number, whatever the locale; where it is none, what is wrong goes to `problem`.
    double parse_number(const std::string& shown, const std::string& column, bool decimal_commas, std::string& problem)
    {
        std::string text = shown;
        if (!text.empty() && text[0] == '+')
            text.erase(0, 1);
        const bool both = text.find(',') != std::string::npos && text.find('.') != std::string::npos;
        if (decimal_commas && !both && std::count(text.begin(), text.end(), ',') == 1)
            text.replace(text.find(','), 1, ".");
        double value = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        if (error != std::errc() || end != text.data() + text.size())
            problem += (problem.empty() ? "the " : " and the ") + column + " '" + shown + "' is not a number"
                + (both ? " as it stands: write it without thousands separators" : "");
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

    /// A row of the table with what the file said of it.
    struct WrittenRow {
        std::int64_t line = 0;
        bool has_sign = false;
        std::string sparsity; ///< as written
    };

    /// Whether sparsities without a sign are percents: where one is above 1. Throws Error{input} where some could be
    /// either: 0.5 beside 90% or beside 50.
    bool in_percent(
        const ImportedTable& table, const std::vector<WrittenRow>& written, bool by_header, const Source& source)
    {
        const auto first_where = [&](const auto& matches) {
            for (std::size_t i = 0; i < written.size(); ++i) {
                if (matches(written[i], table.rows[i].sparsity))
                    return i;
            }
            return written.size();
        };
        const std::size_t none = written.size();
        const std::size_t sign = first_where([](const WrittenRow& row, double) { return row.has_sign; });
        const std::size_t large = first_where([](const WrittenRow& row, double s) { return !row.has_sign && s > 1; });
        const std::size_t fraction
            = first_where([](const WrittenRow& row, double s) { return !row.has_sign && s > 0 && s < 1; });
        const bool percent_known = sign != none || large != none;
        if (fraction != none && by_header && !percent_known)
            source.refuse(written[fraction].line,
                "the header says percent, and no sparsity is above 1: is " + written[fraction].sparsity + " a share or "
                    + written[fraction].sparsity + "%?",
                how_to_write_shares);
        if (fraction != none && !by_header && percent_known) {
            const std::size_t other = sign != none ? sign : large;
            source.refuse(written[fraction].line,
                "the sparsity " + written[fraction].sparsity + " may be a share or a percentage: line "
                    + std::to_string(written[other].line) + " has " + written[other].sparsity + ".",
                how_to_write_shares);
        }
        return by_header || large != none;
    }

    /// Shares from shares or percents, each in [0, 1).
    void to_shares(
        ImportedTable& table, bool unsigned_in_percent, const std::vector<WrittenRow>& written, const Source& source)
    {
        for (std::size_t i = 0; i < table.rows.size(); ++i) {
            double& sparsity = table.rows[i].sparsity;
            const bool percent = unsigned_in_percent || written[i].has_sign;
            const std::string shown = shortest(sparsity);
            const bool all = sparsity == (percent ? 100 : 1);
            sparsity = percent ? sparsity / 100 : sparsity;
            if (!(sparsity >= 0 && sparsity < 1))
                source.refuse(written[i].line,
                    "the sparsity " + shown + " is out of range, from 0 to below " + (percent ? "100%." : "1."),
                    all ? "Sparsity is the share that is evicted: where the column is the share kept, write 1 minus it."
                        : "");
        }
    }

    void refuse_repeated(const ImportedTable& table, const std::vector<WrittenRow>& written, const csv::Row& header,
        const Source& source)
    {
        std::map<std::pair<std::string, double>, std::int64_t> lines; // of method and sparsity
        for (std::size_t i = 0; i < table.rows.size(); ++i) {
            const ImportedTable::Row& row = table.rows[i];
            const auto [earlier, is_new] = lines.emplace(std::pair(row.method, row.sparsity), written[i].line);
            if (is_new)
                continue;
            std::string hint = "Keep one row for each method and sparsity.";
            for (const std::string& field : header.fields) {
                const std::string name = lowered(trimmed(field));
                if (name == "seed" || name == "run" || name == "trial" || name == "repeat" || name == "fold")
                    hint = "The column '" + field
                        + "' is not read: keep one row for each method and sparsity, such as the mean, or write the "
                        + name + " into the method's name.";
            }
            source.refuse(written[i].line,
                "'" + row.method + "' at this sparsity was already given in line " + std::to_string(earlier->second)
                    + ".",
                hint);
        }
    }

    /// Where the columns that are read stand, and how their numbers are written.
    struct Columns {
        Column method;
        Column sparsity;
        Column perplexity;
        std::optional<std::size_t> budget;
        bool decimal_commas = false;
    };

    Columns find_columns(const std::vector<csv::Row>& rows, char separator, const Source& source)
    {
        Columns columns { find_column(rows[0], { "method", "policy" }, source),
            find_column(rows[0], { "sparsity", "compression ratio" }, source),
            find_column(rows[0], { "perplexity", "ppl" }, source), optional_column(rows[0], "budget") };
        columns.decimal_commas
            = has_decimal_commas(rows, separator, std::array { columns.sparsity, columns.perplexity }, source);
        return columns;
    }

    void check_width(const csv::Row& row, const csv::Row& header, char separator, const Source& source)
    {
        if (row.fields.size() != header.fields.size())
            source.refuse(row.line,
                std::to_string(row.fields.size()) + " fields where the header has "
                    + std::to_string(header.fields.size()) + ".",
                separator == ',' && row.fields.size() > header.fields.size()
                    ? "Where numbers have a decimal comma, put them in quotes or separate fields by semicolons."
                    : "");
    }

} // namespace

ImportedTable import_table(const std::filesystem::path& file)
{
    const Source source { file.string() };
    std::string text = csv::read_table_text(file);
    const char separator = csv::take_separator(text);
    const std::vector<csv::Row> rows = csv::parse(text, separator, source);
    if (rows.empty())
        throw Error(ErrorKind::input, source.file + " is empty.", "A table needs a header line and a row a result.");
    const Columns columns = find_columns(rows, separator, source);
    ImportedTable table { file.filename().string(), {} };
    std::vector<WrittenRow> written;
    Problems problems;
    for (std::size_t i = 1; i < rows.size(); ++i) {
        const auto& [line, fields] = rows[i];
        check_width(rows[i], rows[0], separator, source);
        WrittenRow row { line, false, plain_spaces(fields[columns.sparsity.index]) };
        std::string share = row.sparsity;
        row.has_sign = take_percent_sign(share);
        std::string problem;
        ImportedTable::Row result { trimmed(fields[columns.method.index]),
            parse_number(share, "sparsity", columns.decimal_commas, problem),
            parse_number(plain_spaces(fields[columns.perplexity.index]), "perplexity", columns.decimal_commas, problem),
            columns.budget ? count_in(trimmed(fields[*columns.budget])) : 0 };
        if (result.method.empty())
            source.refuse(line, "the method has no name.");
        if (!problem.empty())
            problems.add(line, problem);
        table.rows.push_back(std::move(result));
        written.push_back(std::move(row));
    }
    problems.refuse_any(source, "Leave out rows without a result.");
    if (table.rows.empty())
        throw Error(ErrorKind::input, source.file + " has a header line and no rows.");
    to_shares(table, in_percent(table, written, columns.sparsity.in_percent, source), written, source);
    refuse_repeated(table, written, rows[0], source);
    return table;
}

} // namespace keepset
