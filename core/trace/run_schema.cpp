#include "core/trace/run_schema.h"

#include "core/error.h"
#include "core/run.h"

#include <algorithm>
#include <array>

namespace keepset::trace {

namespace {

    using Table = h5::Table;

    struct SizeField {
        const char* name;
        std::int64_t Run::*member;
    };
    constexpr std::array<SizeField, 7> size_fields { { { "context", &Run::context }, { "target", &Run::target },
        { "offset", &Run::offset }, { "windows", &Run::windows }, { "layers", &Run::layers },
        { "kv_heads", &Run::kv_heads }, { "vocabulary", &Run::vocabulary } } };

    struct RealColumn {
        const char* name;
        double SweepPoint::*member;
    };
    struct IntegerColumn {
        const char* name;
        std::int64_t SweepPoint::*member;
    };
    // Columns in the order of the table: policy, sparsity, then these two lists.
    constexpr std::array<IntegerColumn, 3> integer_columns { { { "budget", &SweepPoint::budget },
        { "windows", &SweepPoint::windows }, { "scored_tokens", &SweepPoint::scored_tokens } } };
    constexpr std::array<RealColumn, 8> real_columns { { { "nll_sum", &SweepPoint::nll_sum },
        { "perplexity", &SweepPoint::perplexity }, { "ci_low", &SweepPoint::ci_low },
        { "ci_high", &SweepPoint::ci_high }, { "kl", &SweepPoint::kl },
        { "top1_agreement", &SweepPoint::top1_agreement }, { "kept_mass", &SweepPoint::kept_mass },
        { "seconds", &SweepPoint::seconds } } };
    constexpr std::size_t first_integer = 2;
    constexpr std::size_t first_real = first_integer + integer_columns.size();

    template <typename T> void read_name(hid_t group, const char* name, T& value)
    {
        from_name(h5::read_string(group, name), value);
    }

    KeyTokenRule read_key_tokens(hid_t group)
    {
        if (H5Aexists(group, "short_context") <= 0) // of an earlier version: none were looked for
            return { .short_context = 0 };
        return { h5::read_int(group, "short_context"), h5::read_double(group, "key_gain"),
            h5::read_double(group, "key_loss") };
    }

    /// In earlier versions all layers evicted.
    void read_sliding(hid_t group, Run& run)
    {
        run.sliding = Sliding::evict;
        run.evicting_layers = run.layers;
        if (H5Aexists(group, "sliding") <= 0)
            return;
        read_name(group, "sliding", run.sliding);
        run.evicting_layers = h5::read_int(group, "evicting_layers");
        if (run.evicting_layers < 1 || run.evicting_layers > run.layers)
            throw h5::Failure("its attribute evicting_layers is not from 1 to its layers");
    }

    std::string read_pins(hid_t group)
    {
        const std::string pins = h5::read_string(group, "pins");
        try {
            return spelled(parse_pins(pins));
        } catch (const Error&) {
            throw h5::Failure("its attribute pins is unreadable");
        }
    }

} // namespace

void write_perturbation(hid_t group, const std::string& name, const Perturbation& found)
{
    h5::write_attribute(group, (name + "_before").c_str(), found.before);
    h5::write_attribute(group, (name + "_after").c_str(), found.after);
}

Perturbation read_perturbation(hid_t group, const std::string& name)
{
    const std::string before = name + "_before";
    if (H5Aexists(group, before.c_str()) <= 0)
        return {};
    return { h5::read_double(group, before.c_str()), h5::read_double(group, (name + "_after").c_str()) };
}

void write_sweep_attributes(hid_t group, const Run& run)
{
    h5::write_attribute(group, "protocol", name_of(run.protocol));
    h5::write_attribute(group, "granularity", name_of(run.granularity));
    h5::write_attribute(group, "importance", name_of(run.importance));
    h5::write_attribute(group, "gqa", name_of(run.gqa));
    h5::write_attribute(group, "positions", name_of(run.positions));
    h5::write_attribute(group, "rounding", name_of(run.rounding));
    h5::write_attribute(group, "sliding", name_of(run.sliding));
    h5::write_attribute(group, "evicting_layers", run.layers_that_evict());
    for (const SizeField& field : size_fields)
        h5::write_attribute(group, field.name, run.*field.member);
    h5::write_attribute(group, "shard", run.shard.number);
    h5::write_attribute(group, "shards", run.shard.count);
    if (!run.pins.empty())
        h5::write_attribute(group, "pins", run.pins);
    if (run.reach > 0)
        h5::write_attribute(group, "reach", run.reach);
    h5::write_attribute(group, "bos", run.bos);
    h5::write_attribute(group, "unigram_perplexity", run.unigram_perplexity);
    h5::write_attribute(group, "short_context", run.key_tokens.short_context);
    h5::write_attribute(group, "key_gain", run.key_tokens.gain);
    h5::write_attribute(group, "key_loss", run.key_tokens.loss);
    write_perturbation(group, "context_change", run.context_change);
    write_perturbation(group, "target_change", run.target_change);
}

void read_sweep_attributes(hid_t group, Run& run)
{
    read_name(group, "protocol", run.protocol);
    read_name(group, "granularity", run.granularity);
    read_name(group, "importance", run.importance);
    read_name(group, "gqa", run.gqa);
    read_name(group, "positions", run.positions);
    read_name(group, "rounding", run.rounding);
    for (const SizeField& field : size_fields) {
        run.*field.member = h5::read_int(group, field.name);
        if (run.*field.member < 0)
            throw h5::Failure(std::string("its attribute ") + field.name + " is below 0");
    }
    read_sliding(group, run);
    if (H5Aexists(group, "shards") > 0) // since 1.1
        run.shard = { h5::read_int(group, "shard"), h5::read_int(group, "shards") };
    if (run.shard.number < 1 || run.shard.number > run.shard.count)
        throw h5::Failure("its shard is impossible");
    if (H5Aexists(group, "pins") > 0)
        run.pins = read_pins(group);
    if (H5Aexists(group, "reach") > 0)
        run.reach = h5::read_int(group, "reach");
    if (run.reach < 0 || run.reach >= std::max<std::int64_t>(1, run.context))
        throw h5::Failure("its attribute reach is not within the context");
    run.bos = h5::read_bool(group, "bos");
    run.unigram_perplexity = h5::read_double(group, "unigram_perplexity");
    run.key_tokens = read_key_tokens(group);
    run.context_change = read_perturbation(group, "context_change");
    run.target_change = read_perturbation(group, "target_change");
}

namespace {

    constexpr const char* files_path = "/sweep/files";

    std::vector<Table::Column> file_columns(std::size_t path_bytes)
    {
        constexpr std::size_t digits = 64;
        return { { "path", Table::Kind::text, path_bytes }, { "sha256", Table::Kind::text, digits } };
    }

} // namespace

void write_files(hid_t file, const std::vector<HashedFile>& files)
{
    if (files.empty())
        return;
    std::size_t longest = 1;
    for (const HashedFile& read : files)
        longest = std::max(longest, read.path.size());
    Table table(file_columns(longest), files.size());
    for (std::size_t row = 0; row < files.size(); ++row) {
        table.set(row, 0, files[row].path);
        table.set(row, 1, files[row].sha256);
    }
    h5::create_axis(file, "file", static_cast<std::int64_t>(files.size()), 0, "row of /sweep/files");
    const h5::Handle type = table.type();
    table.write(
        h5::create_dataset(file,
            { files_path, type, { files.size() }, {}, nullptr, "text",
                "Files that policies read, as these name them, and the SHA-256 of what they held", { "file" } }),
        files_path);
}

std::vector<HashedFile> read_files(hid_t file)
{
    std::vector<HashedFile> files;
    if (!h5::exists(file, files_path))
        return files;
    const Table table = Table::read(file, files_path, file_columns(1));
    for (std::size_t row = 0; row < table.rows(); ++row)
        files.push_back({ table.text(row, 0), table.text(row, 1) });
    return files;
}

std::vector<Table::Column> point_columns(std::size_t policy_bytes)
{
    std::vector<Table::Column> columns { { "policy", Table::Kind::text, policy_bytes },
        { "sparsity", Table::Kind::real, 0 } };
    for (const IntegerColumn& column : integer_columns)
        columns.push_back({ column.name, Table::Kind::integer, 0 });
    for (const RealColumn& column : real_columns)
        columns.push_back({ column.name, Table::Kind::real, 0 });
    return columns;
}

std::size_t policy_bytes_of(const std::vector<SweepPoint>& points)
{
    std::size_t bytes = 32;
    for (const SweepPoint& point : points)
        bytes = std::max(bytes, point.policy.size());
    return bytes;
}

Table table_of(const std::vector<SweepPoint>& points, std::size_t policy_bytes)
{
    Table table(point_columns(policy_bytes), points.size());
    for (std::size_t row = 0; row < points.size(); ++row) {
        table.set(row, 0, points[row].policy);
        table.set(row, 1, points[row].sparsity);
        for (std::size_t column = 0; column < integer_columns.size(); ++column)
            table.set(row, first_integer + column, points[row].*integer_columns[column].member);
        for (std::size_t column = 0; column < real_columns.size(); ++column)
            table.set(row, first_real + column, points[row].*real_columns[column].member);
    }
    return table;
}

std::vector<SweepPoint> points_of(const Table& table)
{
    std::vector<SweepPoint> points(table.rows());
    for (std::size_t row = 0; row < points.size(); ++row) {
        points[row].policy = table.text(row, 0);
        points[row].sparsity = table.real(row, 1);
        for (std::size_t column = 0; column < integer_columns.size(); ++column)
            points[row].*integer_columns[column].member = table.integer(row, first_integer + column);
        for (std::size_t column = 0; column < real_columns.size(); ++column)
            points[row].*real_columns[column].member = table.real(row, first_real + column);
    }
    return points;
}

} // namespace keepset::trace
