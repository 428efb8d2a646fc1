#pragma once

#include "core/run.h"
#include "core/trace/output.h"

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace keepset::trace {

/// The file of a sweep under way: written window by window, readable by others all the time (core/trace/trace.h).
/// It is open only while a window is written. A window is written in this order: its columns, its flag in
/// /sweep/window/done, /sweep/points_before (the table as it was), /sweep/points. Columns are on the disk before the
/// flag is written, so that what is flagged counts; the table follows from the flagged windows, and one of the two is
/// whole at any instant. A kill or a power cut at any instant loses at most the window in progress.
class RunFile {
public:
    /// Makes the file with everything in it and nothing done, its whole size allocated. `empty_run` has the points,
    /// the sizes and all arrays (empty_arrays). `per_token` adds /sweep/token_nll. Holds the writer's lock from
    /// now on. A file that is there already stays until the first window is done: until then the new one is
    /// `<file>.new` and is removed where there never is a window. Throws Error{usage} where the file exists and
    /// `force` is not set, Error{input} where it cannot be written.
    static RunFile create(const std::filesystem::path& file, const Run& empty_run, bool per_token, bool force);
    /// Goes on with a file; `there` gets what it holds. After a killed writer the file is made anew from what counts
    /// and renamed over the old one. Throws Error{input} where it cannot be read or another process writes it,
    /// Error{usage} where it has another format than this build writes.
    static RunFile resume(const std::filesystem::path& file, Run& there);

    /// Notes in the file and in `there`, which it holds, that the build `generator` makes the windows from here on:
    /// "keepset 0.1.0 (a), from window 4 on keepset 0.2.0 (b)". Does nothing where that build made the last of them.
    void note_generator(const std::string& generator, Run& there);
    /// Adds windows of `run`, which are marked as done there; the points' means cover all that are. Several at once
    /// cost the disk no more than one. Throws Error{input}; what was written before stays readable.
    void write_windows(const Run& run, std::span<const std::int64_t> windows);
    void write_window(const Run& run, std::int64_t window) { write_windows(run, { &window, 1 }); }
    /// Fills /audit when the run ends.
    void write_audit(const Run& run);
    /// Fills in the attribute model_sha256, which is empty until the weights are hashed; done with every window too.
    /// Nothing where the run does not know it yet or the file has it.
    void write_weights_hash(const Run& run);

private:
    /// The new file beside the one that it will replace; removed where it never does.
    struct Pending {
        std::filesystem::path file; ///< empty: there is none
        Pending() = default;
        explicit Pending(std::filesystem::path name);
        ~Pending();
        Pending(Pending&& other) noexcept;
        Pending& operator=(Pending&& other) noexcept;
        Pending(const Pending&) = delete;
        Pending& operator=(const Pending&) = delete;
    };

    RunFile(std::filesystem::path target, WriterLock lock, const Run& run);
    /// Where the next window goes.
    const std::filesystem::path& file() const { return pending_.file.empty() ? target_ : pending_.file; }
    void publish();

    std::filesystem::path target_;
    WriterLock lock_;
    Pending pending_; ///< goes before the lock is given up
    std::vector<SweepPoint> points_; ///< as last written: they become /sweep/points_before
    bool knows_weights_; ///< the file has model_sha256
};

/// One of the settings that make a sweep this one, by name; the hash of the weights comes first and may be unknown.
struct Setting {
    std::string name;
    std::string value;
};
std::vector<Setting> settings_of(const Run& run);

/// How difference speaks of its two runs.
struct TwoRuns {
    std::string first = "in the file";
    std::string second = "here";
    bool shards_matter = true; ///< whether they must be the same shard
};
/// Why a run cannot go on in a file of another one: the first setting that differs, with both values, or nothing.
/// Device, command, build and times may differ, and the losses of tokens may be in the file without being asked for.
/// The hash of the weights is compared where both know it.
std::optional<std::string> difference(const Run& in_file, const Run& asked, const TwoRuns& words = {});

} // namespace keepset::trace
