#pragma once

#include "core/trace/output.h"
#include "core/types.h"

#include <filesystem>
#include <optional>
#include <string>

namespace keepset::trace {

/// The file of a sweep under way: written window by window, readable by others all the time (core/trace/trace.h).
/// It is open only while a window is written. A window is written in this order, each step flushed: its columns,
/// /sweep/points_before (the table that counts so far), /sweep/points. A reader therefore always finds one whole table
/// whose windows are all there, and a kill at any instant loses at most the window in progress.
class RunFile {
public:
    /// Makes the file with everything in it and nothing done, its whole size allocated. `empty_run` has the points
    /// and sizes; its window-wise arrays may be empty. `per_token` adds /sweep/token_nll. Holds the writer's lock from
    /// now on. Throws Error{usage} where the file exists and `force` is not set, Error{input} where it cannot be
    /// written.
    static RunFile create(const std::filesystem::path& file, const Run& empty_run, bool per_token, bool force);
    /// Goes on with a file; `there` gets what it holds. After a killed writer the file is made anew from what counts
    /// and renamed over the old one. Throws Error{input} where it cannot be read or another process writes it.
    static RunFile resume(const std::filesystem::path& file, Run& there);

    /// Adds window `window` of `run`, which is marked as done there; the points' means cover all that are.
    /// Throws Error{input}; what was written before stays readable.
    void write_window(const Run& run, std::int64_t window);
    /// Fills /audit when the run ends.
    void write_audit(const Run& run);
    /// Fills in the attribute model_sha256, which is empty until the weights are hashed; done with every window too.
    /// Nothing where the run does not know it yet or the file has it.
    void write_weights_hash(const Run& run);

private:
    RunFile(std::filesystem::path file, WriterLock lock, const Run& run);

    std::filesystem::path file_;
    WriterLock lock_;
    std::vector<SweepPoint> points_; ///< as last written: they become /sweep/points_before
    bool knows_weights_; ///< the file has model_sha256
};

/// Why a run cannot go on in a file of another one: the first setting that differs, with both values, or nothing.
/// Device, command and times may differ. The hash of the weights is compared where both know it.
std::optional<std::string> difference(const Run& in_file, const Run& asked);

} // namespace keepset::trace
