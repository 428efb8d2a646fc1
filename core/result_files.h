#pragma once

#include "core/analysis.h"
#include "core/run.h"

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

/// Traces and runs as files (INTERFACES 2).
namespace keepset {

/// What a .h5 file holds, without its arrays.
struct FileSummary {
    std::string kind; ///< "trace" or "run"
    std::string format_version;
    Provenance provenance;
};
FileSummary summary(const std::filesystem::path& file);
/// Writes and reads a trace (importance, lse, keep sets, audit) by INTERFACES 2. An existing file needs `force`. Where
/// model_sha256 is not known yet it is waited for: see know_weights. Cancelled: nothing is written.
void save(const Analysis& analysis, const std::filesystem::path& file, bool force, const Task& task = {});
void save(const LogitsResult& logits, const std::filesystem::path& file, bool force, const Task& task = {});
std::shared_ptr<const Analysis> load_analysis(const std::filesystem::path& file);
/// Writes a finished or partial run; reads one, also while another process writes it or after its writer was killed.
void save(const Run& run, const std::filesystem::path& file, bool force);
std::shared_ptr<const Run> load_run(const std::filesystem::path& file);
/// One run of the windows in several files of the same sweep, as --shard makes them, audited anew; a window that came
/// out the same in several counts once. `command` is for its provenance. Throws Error that names the file: another
/// sweep (settings and hashes are compared), a window with two results, a file of a version before 1.1.
std::shared_ptr<const Run> merge_runs(const std::vector<std::filesystem::path>& files, const std::string& command);

} // namespace keepset
