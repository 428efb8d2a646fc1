#pragma once

#include "core/trace/h5.h"

#include <cstdint>
#include <string>
#include <vector>

namespace keepset::h5 {

/// Rows of text and numbers, as an HDF5 compound with fixed-length text, which may be read while it is written.
class Table {
public:
    enum class Kind : std::uint8_t { text, integer, real };
    struct Column {
        std::string name;
        Kind kind = Kind::real;
        std::size_t text_bytes = 0; ///< of Kind::text: most bytes of a value
    };

    /// Rows of empty text, 0 and 0.0.
    Table(std::vector<Column> columns, std::size_t rows);
    /// Reads `path` (one dimension); further columns there are passed over. Text is as long as the file says.
    /// Throws Failure where a column is missing or of another kind.
    static Table read(hid_t file, const std::string& path, std::vector<Column> columns);

    std::size_t rows() const { return rows_; }
    void set(std::size_t row, std::size_t column, const std::string& value); ///< too long: cut, ends in …
    void set(std::size_t row, std::size_t column, std::int64_t value);
    void set(std::size_t row, std::size_t column, double value);
    std::string text(std::size_t row, std::size_t column) const;
    std::int64_t integer(std::size_t row, std::size_t column) const;
    double real(std::size_t row, std::size_t column) const;

    /// The compound type of a row.
    Handle type() const;
    /// Writes all rows to a dataset made with type().
    void write(hid_t dataset, const std::string& name) const;

private:
    std::size_t offset(std::size_t row, std::size_t column) const;
    std::size_t width(std::size_t column) const;

    std::vector<Column> columns_;
    std::size_t rows_ = 0;
    std::size_t row_bytes_ = 0;
    std::vector<char> bytes_; ///< (rows, row_bytes)
};

} // namespace keepset::h5
