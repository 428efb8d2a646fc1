#pragma once

#include "core/engine.h"
#include "core/files.h"
#include "core/keep_summary.h"
#include "core/preflight.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json_fwd.hpp>

#include <atomic>
#include <chrono>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

/// What the subcommands share: common options, progress on stderr, tables on stdout, stopping on Ctrl-C and SIGTERM.
namespace keepset::cli {

/// Options that stand in front of the result of every subcommand (INTERFACES 1).
struct Common {
    std::string device = "auto";
    std::string dtype = "auto";
    int threads = 0;
    std::int64_t offset = 0;
    bool json = false;
    bool quiet = false;
    bool force = false;
    std::string command; ///< the whole line, quoted so that a shell repeats it

    OpenOptions open_options() const;
};

/// Adds --json and --quiet, and with `model` also --device, --dtype and --threads.
void add_common(CLI::App& command, Common& common, bool model);

/// More tokens than any text has: sums and products of sizes below it do not overflow.
inline constexpr std::int64_t most_tokens = 10'000'000'000;
/// Refuses in words what is no whole number from `least` to `most`.
CLI::Validator at_least(std::int64_t least, std::int64_t most = most_tokens);
/// Refuses in words what is no whole number from 0 to 18446744073709551615.
CLI::Validator seed_number();

/// Waits for SIGINT and SIGTERM on a thread of its own and asks for a stop; a second signal ends the process at once.
/// Make it before any other thread, so that they inherit the blocked signals.
class StopOnSignal {
public:
    StopOnSignal();
    ~StopOnSignal();
    StopOnSignal(const StopOnSignal&) = delete;
    StopOnSignal& operator=(const StopOnSignal&) = delete;
    std::stop_token token() const { return source_.get_token(); }

private:
    std::stop_source source_;
    std::jthread waiter_;
};

/// A bar with rate and time left on a terminal, a plain line now and then elsewhere, nothing when quiet.
class ProgressLine {
public:
    explicit ProgressLine(bool quiet);
    ~ProgressLine();
    ProgressLine(const ProgressLine&) = delete;
    ProgressLine& operator=(const ProgressLine&) = delete;
    void show(const Progress& progress);
    void clear();

private:
    bool quiet_;
    bool terminal_;
    bool open_ = false;
    std::string stage_;
    std::chrono::steady_clock::time_point last_;
};

/// Task that shows its progress on `line` and stops on a signal.
Task task_of(ProgressLine& line, const StopOnSignal& stop);

/// Sentences for the user on stderr, a line each, unless quiet.
void print_notes(const std::vector<std::string>& notes, bool quiet);

/// Rows of equal length, the first one the head; columns that hold numbers are aligned right.
void print_table(const std::vector<std::vector<std::string>>& rows);

/// Shortest decimal that reads well: `digits` significant ones, "-" for NaN.
std::string number(double value, int digits = 5);
std::string seconds_text(double seconds);

/// Throws before the long work begins where `file` cannot become a result: it exists and `force` is not given, it is a
/// folder or a device, or its folder is missing.
void refuse_output(const std::string& file, bool force,
    const std::string& hint = "Use --force to overwrite it, or choose another name.");

/// Throws where writing one of `outputs` would destroy another, an input (a file, or "-": standard input) or a file of
/// the model folder; standard output counts where it goes into a file.
void refuse_shared_files(std::vector<NamedFile> outputs, std::vector<NamedFile> inputs, const std::string& folder);

nlohmann::json to_json(const ModelInfo& info);
nlohmann::json to_json(const MemoryNeed& need);
nlohmann::json to_json(const Token& token, std::size_t index);
nlohmann::json to_json(const AuditReport& report);
nlohmann::json to_json(const Provenance& provenance);
/// `reference`: the method that findings are told against; empty: the first one behind dense.
nlohmann::json to_json(const Run& run, const std::string& reference = {});
nlohmann::json to_json(const Analysis& analysis);
nlohmann::json to_json(const LogitsResult& logits);
nlohmann::json to_json(const KeepSummary& file);
void print_json(const nlohmann::json& json);

/// The five most likely tokens behind each position, one line each.
void print_logits(const LogitsResult& result, bool json);
void print_audit(const AuditReport& report);
/// Table of points, findings and failed checks of a run, for people.
void print_run(const Run& run, const std::string& reference = {});

} // namespace keepset::cli
