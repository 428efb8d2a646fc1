#include "core/trace/table.h"

#include "core/tokenizer/utf8.h"

#include <algorithm>
#include <cassert>
#include <cstring>

namespace keepset::h5 {

namespace {

    constexpr std::size_t number_bytes = 8;

    Handle member_type(const Table::Column& column)
    {
        if (column.kind == Table::Kind::text)
            return string_type(column.text_bytes);
        const hid_t number = column.kind == Table::Kind::integer ? H5T_NATIVE_INT64 : H5T_NATIVE_DOUBLE;
        return { H5Tcopy(number), H5Tclose, "column " + column.name };
    }

    /// Checks a column of the file against what is expected and takes over the length of its text.
    void match(hid_t compound, Table::Column& column, const std::string& path)
    {
        const int index = H5Tget_member_index(compound, column.name.c_str());
        if (index < 0)
            throw Failure(path + " has no column " + column.name);
        const Handle member(H5Tget_member_type(compound, static_cast<unsigned>(index)), H5Tclose, path);
        const H5T_class_t found = H5Tget_class(member);
        const bool text = column.kind == Table::Kind::text;
        const H5T_class_t wanted = text ? H5T_STRING : column.kind == Table::Kind::integer ? H5T_INTEGER : H5T_FLOAT;
        if (found != wanted || (text && H5Tis_variable_str(member) != 0))
            throw Failure("column " + column.name + " of " + path + " has values of another type than it should");
        if (text)
            column.text_bytes = H5Tget_size(member);
    }

} // namespace

Table::Table(std::vector<Column> columns, std::size_t rows)
    : columns_(std::move(columns))
    , rows_(rows)
{
    for (std::size_t column = 0; column < columns_.size(); ++column)
        row_bytes_ += width(column);
    bytes_.assign(rows_ * row_bytes_, '\0');
}

Table Table::read(hid_t file, const std::string& path, std::vector<Column> columns)
{
    const Handle dataset = open_dataset(file, path);
    const std::vector<hsize_t> shape = shape_of(dataset);
    if (shape.size() != 1)
        throw Failure(path + " is not a table of one dimension");
    expect(dataset, shape, path);
    expect_class(dataset, H5T_COMPOUND, path);
    const Handle compound(H5Dget_type(dataset), H5Tclose, path);
    for (Column& column : columns)
        match(compound, column, path);
    Table table(std::move(columns), shape[0]);
    const Handle memory = table.type();
    if (table.rows_ > 0)
        check(H5Dread(dataset, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, table.bytes_.data()), "reading " + path);
    return table;
}

Handle Table::type() const
{
    Handle compound(H5Tcreate(H5T_COMPOUND, row_bytes_), H5Tclose, "type of a table");
    for (std::size_t column = 0; column < columns_.size(); ++column) {
        const Handle member = member_type(columns_[column]);
        check(H5Tinsert(compound, columns_[column].name.c_str(), offset(0, column), member), "type of a table");
    }
    return compound;
}

void Table::write(hid_t dataset, const std::string& name) const
{
    const Handle memory = type();
    if (rows_ > 0)
        check(H5Dwrite(dataset, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes_.data()), "writing " + name);
}

std::size_t Table::width(std::size_t column) const
{
    const Column& described = columns_[column];
    return described.kind == Kind::text ? std::max<std::size_t>(described.text_bytes, 1) : number_bytes;
}

std::size_t Table::offset(std::size_t row, std::size_t column) const
{
    assert(row <= rows_ && column < columns_.size());
    std::size_t bytes = row * row_bytes_;
    for (std::size_t before = 0; before < column; ++before)
        bytes += width(before);
    return bytes;
}

void Table::set(std::size_t row, std::size_t column, const std::string& value)
{
    const std::string fitting = cut_with_mark(shown_utf8(value), width(column));
    char* place = bytes_.data() + offset(row, column);
    std::memset(place, 0, width(column));
    fitting.copy(place, fitting.size());
}

void Table::set(std::size_t row, std::size_t column, std::int64_t value)
{
    std::memcpy(bytes_.data() + offset(row, column), &value, number_bytes);
}

void Table::set(std::size_t row, std::size_t column, double value)
{
    std::memcpy(bytes_.data() + offset(row, column), &value, number_bytes);
}

std::string Table::text(std::size_t row, std::size_t column) const
{
    const char* place = bytes_.data() + offset(row, column);
    return { place, ::strnlen(place, width(column)) };
}

std::int64_t Table::integer(std::size_t row, std::size_t column) const
{
    std::int64_t value = 0;
    std::memcpy(&value, bytes_.data() + offset(row, column), number_bytes);
    return value;
}

double Table::real(std::size_t row, std::size_t column) const
{
    double value = 0;
    std::memcpy(&value, bytes_.data() + offset(row, column), number_bytes);
    return value;
}

} // namespace keepset::h5
