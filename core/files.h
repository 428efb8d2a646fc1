#pragma once

#include "core/analysis.h"

#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

/// Files as a command names them: what they are, whether they fit one another, and how text is written.
namespace keepset {

/// A file that a command reads or writes, and what it is there: { "--out", "run.h5" }.
struct NamedFile {
    std::string role;
    std::filesystem::path path;
};
/// Whether two names lead to one file, by links of either kind, "./" or otherwise; also where it is not there yet.
bool is_same_file(const std::filesystem::path& a, const std::filesystem::path& b);
/// Throws Error{usage} where writing `outputs` would destroy another of them, one of `inputs` or a file of the model
/// folder `model` (empty: none is read). The names used while an output is written (.lock, .part, .new) count too.
void check_files(
    const std::vector<NamedFile>& outputs, const std::vector<NamedFile>& inputs, const std::filesystem::path& model);
/// Throws Error{usage} where context and target exceed the positions that the config of a model folder tells of, with
/// the context that fits. Target 0: there is none. No weight is read.
void check_positions(const std::filesystem::path& folder, std::int64_t context, std::int64_t target);

/// Whether a file begins as HDF5 files do, whatever its name ends in. False where there is none or it cannot be read.
bool is_hdf5(const std::filesystem::path& file);
/// Whether a process that lives is writing a result of this name: it holds `<file>.lock`, which the system takes from
/// one that was killed. Where the file system cannot tell, the lock file's being there counts.
bool is_being_written(const std::filesystem::path& file);
/// Whether a trace is one of `logits --out`: log-probabilities instead of an analysis. Throws Error{input}.
bool holds_logits(const std::filesystem::path& file);
/// Reads such a file. Throws Error{input}.
std::shared_ptr<const LogitsResult> load_logits(const std::filesystem::path& file);

/// read_text() that a stop ends with Cancelled; of a pipe, once it has brought something.
Text read_text(const std::string& path, const std::stop_token& stop);
/// Writes a text file as a whole or, where that fails, leaves what is there as it was. Throws Error{input}.
void write_text(const std::filesystem::path& file, const std::string& text);
/// Whether bytes, such as those of a file's name, are UTF-8.
bool is_utf8(const std::string& bytes);

} // namespace keepset
