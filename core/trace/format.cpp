#include "core/files.h"
#include "core/trace/table.h"
#include "core/trace/trace.h"

#include <algorithm>
#include <array>
#include <fstream>

namespace keepset::trace {

namespace {

    struct TextField {
        const char* name;
        std::string Provenance::*member;
    };

    constexpr std::array<TextField, 11> text_fields { {
        { "created", &Provenance::created },
        { "generator", &Provenance::generator },
        { "model_name", &Provenance::model_name },
        { "model_architecture", &Provenance::model_architecture },
        { "model_sha256", &Provenance::model_sha256 },
        { "tokenizer_sha256", &Provenance::tokenizer_sha256 },
        { "text_name", &Provenance::text_name },
        { "text_sha256", &Provenance::text_sha256 },
        { "device", &Provenance::device },
        { "dtype", &Provenance::dtype },
        { "command", &Provenance::command },
    } };

    using Table = h5::Table;

    std::vector<Table::Column> audit_columns(std::size_t detail_bytes)
    {
        constexpr std::size_t name_bytes = 32;
        return { { "check", Table::Kind::text, name_bytes }, { "status", Table::Kind::text, name_bytes },
            { "detail", Table::Kind::text, detail_bytes } };
    }

    CheckStatus status_of(const std::string& name)
    {
        for (const CheckStatus status : { CheckStatus::pass, CheckStatus::warning, CheckStatus::fail,
                 CheckStatus::undecided, CheckStatus::not_applicable }) {
            if (name_of(status) == name)
                return status;
        }
        throw h5::Failure("its audit has the unknown status '" + name + "'");
    }

} // namespace

void write_root(hid_t file, const std::string& kind, const Provenance& provenance)
{
    h5::write_attribute(file, "keepset_format", kind);
    h5::write_attribute(file, "format_version", format_version);
    constexpr std::size_t sha256_digits = 64; // room for the weights' hash, which may come later
    for (const TextField& field : text_fields)
        h5::write_attribute(
            file, field.name, provenance.*field.member, field.member == &Provenance::model_sha256 ? sha256_digits : 1);
    h5::write_attribute(file, "seed", provenance.seed);
}

FileSummary read_root(hid_t file)
{
    if (H5Aexists(file, "keepset_format") <= 0)
        throw h5::Failure("it is an HDF5 file, but not one that Keepset wrote");
    FileSummary summary;
    summary.kind = h5::read_string(file, "keepset_format");
    if (summary.kind == "keep")
        throw h5::Failure(
            "it holds scores or keep sets of a method of one's own, and no result: choose the policy File, "
            "file(path=\u2026), and give it this path");
    summary.format_version = h5::read_string(file, "format_version");
    const std::string major = summary.format_version.substr(0, summary.format_version.find('.'));
    if (major != "1") {
        throw h5::Failure("it has the format version " + summary.format_version
            + ", and this Keepset reads version 1 (a newer Keepset may read it)");
    }
    if (summary.kind != "trace" && summary.kind != "run")
        throw h5::Failure("it is of the unknown kind '" + summary.kind + "'");
    for (const TextField& field : text_fields)
        summary.provenance.*field.member = h5::read_string(file, field.name);
    summary.provenance.seed = h5::read_uint(file, "seed");
    return summary;
}

void expect_kind(const FileSummary& found, const std::string& kind)
{
    if (found.kind != kind)
        throw h5::Failure("it is a " + found.kind + ", and a " + kind + " is needed here");
}

void create_audit(hid_t file, std::size_t rows, std::size_t detail_bytes)
{
    h5::create_axis(file, "check", static_cast<std::int64_t>(rows), 0, "row of the audit");
    const Table empty(audit_columns(detail_bytes), rows);
    const h5::Handle type = empty.type();
    const h5::Handle dataset = h5::create_dataset(file,
        { "/audit", type, { rows }, {}, nullptr, "text",
            "What the checks of the result found; rows without a check are not filled yet", { "check" } });
    empty.write(dataset, "/audit");
}

void write_audit(hid_t file, const AuditReport& report)
{
    const Table before = Table::read(file, "/audit", audit_columns(1));
    if (report.checks.size() > before.rows())
        throw Error(ErrorKind::internal, "an audit of more checks than its table has rows");
    const h5::Handle dataset = h5::open_dataset(file, "/audit");
    const h5::Handle type(H5Dget_type(dataset), H5Tclose, "/audit");
    const h5::Handle detail(H5Tget_member_type(type, 2), H5Tclose, "/audit");
    Table table(audit_columns(H5Tget_size(detail)), before.rows());
    for (std::size_t row = 0; row < report.checks.size(); ++row) {
        table.set(row, 0, report.checks[row].name);
        table.set(row, 1, name_of(report.checks[row].status));
        table.set(row, 2, report.checks[row].detail);
    }
    table.write(dataset, "/audit");
}

AuditReport read_audit(hid_t file)
{
    AuditReport report;
    const Table table = Table::read(file, "/audit", audit_columns(1));
    for (std::size_t row = 0; row < table.rows(); ++row) {
        if (!table.text(row, 0).empty())
            report.checks.push_back({ table.text(row, 0), status_of(table.text(row, 1)), table.text(row, 2) });
    }
    return report;
}

} // namespace keepset::trace

namespace keepset {

bool is_hdf5(const std::filesystem::path& file)
{
    // Not through the HDF5 library, which one thread has to itself (HDF5 file format 3.0, superblock: at byte 0, 512,
    // 1024, 2048, …).
    constexpr std::array<char, 8> signature { '\x89', 'H', 'D', 'F', '\r', '\n', '\x1A', '\n' };
    std::error_code error;
    if (!std::filesystem::is_regular_file(file, error))
        return false;
    std::ifstream stream(file, std::ios::binary);
    std::array<char, 8> head {};
    for (std::streamoff at = 0; stream.seekg(at) && stream.read(head.data(), head.size());
         at = at == 0 ? 512 : at * 2) {
        if (head == signature)
            return true;
    }
    return false;
}

bool holds_logits(const std::filesystem::path& file)
{
    return trace::reading(file, [&] {
        const h5::Handle open = h5::open_for_reading(file);
        return trace::read_root(open).kind == "trace" && h5::exists(open, "/logits");
    });
}

FileSummary summary(const std::filesystem::path& file)
{
    return trace::reading(file, [&] { return trace::read_root(h5::open_for_reading(file)); });
}

} // namespace keepset
