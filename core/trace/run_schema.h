#pragma once

#include "core/run.h"
#include "core/trace/table.h"

#include <span>
#include <string>
#include <vector>

/// What the writer and the reader of run files share.
namespace keepset::trace {

/// What a changed token changed, as the attributes <name>_before and <name>_after; read as not tried where absent.
void write_perturbation(hid_t group, const std::string& name, const Perturbation& found);
Perturbation read_perturbation(hid_t group, const std::string& name);

/// The attributes of /sweep.
void write_sweep_attributes(hid_t group, const Run& run);
/// Takes over the attributes of /sweep. Throws Failure where sizes are impossible, Error{usage} for unknown names.
void read_sweep_attributes(hid_t group, Run& run);

/// /sweep/files, where there are any; with its axis. Earlier versions wrote none.
void write_files(hid_t file, const std::vector<HashedFile>& files);
std::vector<HashedFile> read_files(hid_t file);

/// Columns of /sweep/points; a policy's name takes up to `policy_bytes`.
std::vector<h5::Table::Column> point_columns(std::size_t policy_bytes);
/// Bytes of the longest policy name, at least 32.
std::size_t policy_bytes_of(const std::vector<SweepPoint>& points);
h5::Table table_of(const std::vector<SweepPoint>& points, std::size_t policy_bytes);
std::vector<SweepPoint> points_of(const h5::Table& table);

} // namespace keepset::trace
