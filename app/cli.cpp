#include "app/commands.h"

#include "core/command.h"

#include <algorithm>
#include <csignal>
#include <cstring>
#include <iostream>
#include <new>
#include <utility>

namespace {

using namespace keepset;
using namespace keepset::cli;

std::string whole_command(int count, char** words)
{
    std::string text = "keepset-cli";
    for (int index = 1; index < count; ++index)
        text += " " + quoted_for_shell(words[index]);
    return text;
}

int status_of(ErrorKind kind)
{
    switch (kind) {
    case ErrorKind::usage:
        return 2;
    case ErrorKind::input:
        return 3;
    case ErrorKind::device:
    case ErrorKind::memory:
    case ErrorKind::internal:
        return 4;
    }
    return 4;
}

struct Subcommand {
    const char* name;
    const char* description;
    Runner (*add)(CLI::App&, Common&);
};

constexpr Subcommand subcommands[] = {
    { "info", "Architecture, sizes and dtype of a model folder", add_info },
    { "tokenize", "Tokens of a text with their byte ranges", add_tokenize },
    { "logits", "Log-probabilities, for checks against other engines", add_logits },
    { "analyze", "Importance of every token and the keep sets of policies, as a trace file", add_analyze },
    { "policies", "Every eviction policy: what it keeps, what it ranks by, its source", add_policies },
    { "sweep", "Perplexity under cache eviction over sparsity, as a table and a run file", add_sweep },
    { "merge", "One run of the windows of several, as --shard makes them", add_merge },
    { "show", "Summary of a trace or run file", add_show },
    { "audit", "Checks a run, a trace or a results table for the defects that make a benchmark meaningless",
        add_audit },
    { "bench", "Ratios of speed, measured in turns", add_bench },
};

/// A first word that is no subcommand is named, which the parser does not do.
void refuse_unknown_subcommand(int count, char** words)
{
    if (count < 2 || words[1][0] == '-')
        return;
    std::string known;
    for (const Subcommand& subcommand : subcommands) {
        if (std::strcmp(subcommand.name, words[1]) == 0)
            return;
        known += (known.empty() ? "" : ", ") + std::string(subcommand.name);
    }
    throw Error(ErrorKind::usage, "'" + std::string(words[1]) + "' is no subcommand.", "Choose one of: " + known + ".");
}

/// `--sparsity ''` asks for nothing, and is not the same as leaving the option out.
void refuse_empty_values(const CLI::App& command)
{
    for (const CLI::Option* option : command.get_options()) {
        for (const std::string& value : option->results()) {
            if (value.empty())
                throw Error(ErrorKind::usage, option->get_name() + " is given without a value.");
        }
    }
}

int run(int count, char** words)
{
    refuse_unknown_subcommand(count, words);
    CLI::App app("Keepset: which tokens KV-cache eviction keeps, why, and at what cost.", "keepset-cli");
    app.set_version_flag("--version", "keepset-cli " + version() + " (" + commit() + ")");
    app.require_subcommand(1);
    app.footer("Exit status: 0 done, 1 a check failed, 2 bad usage, 3 bad input, 4 device or memory, 130 interrupted.");
    Common common;
    common.command = whole_command(count, words);
    std::vector<std::pair<CLI::App*, Runner>> runners;
    for (const Subcommand& subcommand : subcommands) {
        CLI::App* command = app.add_subcommand(subcommand.name, subcommand.description);
        runners.emplace_back(command, subcommand.add(*command, common));
    }
    try {
        app.parse(count, words);
    } catch (const CLI::ParseError& problem) {
        if (problem.get_exit_code() == 0)
            return app.exit(problem); // --help, --version
        std::cerr << "keepset-cli: " << problem.what() << "\nTry 'keepset-cli --help'.\n";
        return 2;
    }
    for (const auto& [command, runner] : runners)
        refuse_empty_values(*command);
    const StopOnSignal stop;
    for (const auto& [command, runner] : runners) {
        if (command->parsed())
            return runner(common, stop);
    }
    return 2;
}

} // namespace

int main(int count, char** words)
{
    std::signal(SIGXFSZ, SIG_IGN); // a file-size limit is then a failed write, told in a sentence like a full disk
    try {
        const int status = run(count, words);
        std::cout.flush();
        if (!std::cout) {
            std::cerr << "keepset-cli: the result could not be written to standard output.\n";
            return 3;
        }
        return status;
    } catch (const keepset::Error& error) {
        std::cerr << "keepset-cli: " << error.sentence() << '\n';
        return status_of(error.kind());
    } catch (const keepset::Cancelled&) {
        std::cerr << "keepset-cli: stopped. Nothing was written.\n";
        return 130;
    } catch (const std::bad_alloc&) {
        std::cerr << "keepset-cli: There is not enough memory for this.\n";
        return 4;
    } catch (const std::exception& error) {
        std::cerr << "keepset-cli: " << error.what() << '\n';
        return 4;
    }
}
