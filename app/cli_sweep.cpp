#include "app/commands.h"

#include "core/flat_rows.h"
#include "core/keep_file.h"
#include "core/policy_files.h"
#include "core/preflight.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <optional>
#include <thread>

namespace keepset::cli {

namespace {

    struct SweepOptions {
        std::string folder;
        std::string text;
        std::string policies = "dense,h2o,cab,h2o(local=0.3)";
        std::string sparsity;
        std::string budget;
        std::string protocol = "prefill-evict";
        std::string windows = "all";
        std::string granularity;
        std::string importance = "cumulative";
        std::string gqa = "mean";
        std::string positions = "original";
        std::string rounding = "floor";
        std::string sliding = "keep";
        std::string pins;
        std::string csv;
        std::string shard;
        SweepRequest request;
    };

    std::int64_t whole_number(std::string_view text, const char* what)
    {
        std::int64_t value = 0;
        const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
        if (problem != std::errc {} || end != text.data() + text.size() || value < 1)
            throw Error(ErrorKind::usage,
                std::string(what) + " must be a positive whole number, not '" + std::string(text) + "'.");
        return value;
    }

    std::vector<std::int64_t> budgets_of(std::string_view text)
    {
        std::vector<std::int64_t> budgets;
        for (std::size_t begin = 0, comma = 0; comma != std::string_view::npos; begin = comma + 1) {
            comma = text.find(',', begin);
            budgets.push_back(whole_number(text.substr(begin, comma - begin), "--budget"));
        }
        return budgets;
    }

    Shard shard_of(const std::string& text)
    {
        const std::size_t slash = text.find('/');
        if (slash == std::string::npos)
            throw Error(ErrorKind::usage, "--shard must be I/N, such as 2/8, not '" + text + "'.");
        const Shard shard { whole_number(std::string_view(text).substr(0, slash), "The number of --shard"),
            whole_number(std::string_view(text).substr(slash + 1), "The count of --shard") };
        if (shard.number > shard.count)
            throw Error(ErrorKind::usage,
                "--shard " + text + ": there is no shard " + std::to_string(shard.number) + " of "
                    + std::to_string(shard.count) + ".");
        return shard;
    }

    SweepRequest request_of(const SweepOptions& options, const Common& common)
    {
        SweepRequest request = options.request;
        request.policies = parse_policies(options.policies);
        if (options.budget.empty())
            request.sparsities = parse_sparsities(options.sparsity.empty() ? "0,0.5,0.8,0.9,0.95" : options.sparsity);
        else
            request.budgets = budgets_of(options.budget);
        from_name(options.protocol, request.protocol);
        from_name(options.importance, request.importance);
        from_name(options.gqa, request.gqa);
        from_name(options.positions, request.positions);
        from_name(options.rounding, request.rounding);
        from_name(options.sliding, request.sliding);
        // token-drop has one keep set; another granularity is refused only where it was asked for.
        const bool one_set = request.protocol == Protocol::token_drop;
        from_name(
            options.granularity.empty() ? (one_set ? "model" : "head") : options.granularity, request.granularity);
        request.windows = options.windows == "all" ? 0 : whole_number(options.windows, "--windows");
        if (!options.shard.empty())
            request.shard = shard_of(options.shard);
        request.offset = common.offset;
        request.pins = parse_pins(options.pins);
        request.force = common.force;
        request.command = common.command;
        check_request(request); // throws where they do not fit one another
        return request;
    }

    bool is_device(const std::string& file)
    {
        std::error_code ignored;
        return std::filesystem::is_character_file(file, ignored)
            || std::filesystem::is_fifo(file, ignored); // such as /dev/stderr, and <(a pipe)
    }

    void write_csv(const std::string& file, const Run& run)
    {
        if (file == "-") {
            std::cout << to_csv(run);
            return;
        }
        if (!is_device(file)) {
            write_text(file, to_csv(run));
            return;
        }
        std::ofstream stream(file, std::ios::binary);
        stream << to_csv(run);
        stream.flush();
        if (!stream)
            throw Error(ErrorKind::input, "'" + file + "' could not be written: " + std::strerror(errno) + ".");
    }

    /// All that is written, before the long work begins: what cannot be must not cost minutes.
    void refuse_outputs(const SweepOptions& options, const Common& common)
    {
        const std::string& out = options.request.out;
        std::vector<NamedFile> outputs;
        if (options.csv == "-" && common.json)
            throw Error(ErrorKind::usage, "--csv - and --json would both go to standard output.",
                "Give --csv the name of a file.");
        if (!out.empty() && !options.request.resume)
            refuse_output(out, common.force, "Use --force to overwrite it, or --resume to go on with it.");
        if (!out.empty())
            outputs.push_back({ "--out", out });
        if (!options.csv.empty() && options.csv != "-" && !is_device(options.csv)) {
            refuse_output(options.csv, options.request.resume || common.force);
            outputs.push_back({ "--csv", options.csv });
        }
        refuse_shared_files(outputs, inputs_of(options.text, parse_policies(options.policies)), options.folder);
    }

    /// When a file was last written; nothing where there is none.
    std::optional<std::filesystem::file_time_type> time_of(const std::string& file)
    {
        std::error_code error;
        const auto time = std::filesystem::last_write_time(file, error);
        return error ? std::nullopt : std::optional(time);
    }

    /// What a stopped sweep leaves; `before`: when the file was written before it.
    int stopped(const std::string& file, std::optional<std::filesystem::file_time_type> before)
    {
        const auto now = time_of(file);
        std::cerr << "keepset-cli: stopped. ";
        if (file.empty())
            std::cerr << "Nothing is kept, because there is no --out.\n";
        else if (!now)
            std::cerr << "No window was begun.\n";
        else if (now == before)
            std::cerr << "No window was finished, and '" << file << "' is as it was.\n";
        else
            std::cerr << "Every finished window is in '" << file << "'; --resume goes on from there.\n";
        return 130;
    }

    /// Windows of several builds in one file may differ in more than the text: that is said.
    void note_builds(const std::string& file, const Run& run)
    {
        if (run.provenance.generator.find(", from window ") != std::string::npos)
            std::cerr << "keepset-cli: note: the windows of '" << file
                      << "' were made by several builds: " << run.provenance.generator << ".\n";
    }

    /// The device and the threads of one process of a group, where the user leaves them open: the GPU of its number on
    /// this machine, and its share of the cores.
    OpenOptions options_of_rank(OpenOptions options, const GroupPlace& place)
    {
        const auto gpus = std::ranges::count_if(devices(), [](const auto& device) { return device.first != "cpu"; });
        if ((options.device == "auto" && gpus > 0) || options.device == "cuda") {
            if (place.local_rank >= gpus && gpus > 1)
                throw Error(ErrorKind::usage,
                    "Rank " + std::to_string(place.rank) + " is number " + std::to_string(place.local_rank)
                        + " (LOCAL_RANK) on a machine with " + std::to_string(gpus) + " GPUs.",
                    "Start as many processes on a machine as it has GPUs.");
            // Where each process is shown one GPU only, that is its own.
            options.device = "cuda:" + std::to_string(gpus > 1 ? place.local_rank : 0);
        }
        const int cores = static_cast<int>(std::thread::hardware_concurrency());
        if (options.threads == 0 && place.local_size > 0)
            options.threads = std::max(1, cores / place.local_size);
        options.hash_weights = place.rank == 0;
        return options;
    }

    int run(const SweepOptions& options, const Common& common, const StopOnSignal& stop)
    {
        SweepRequest request = request_of(options, common);
        request.group = group_of_environment();
        if (request.group && request.group->size > 1 && options.text == "-")
            throw Error(ErrorKind::usage, "A group of processes cannot share standard input as its text.",
                "Give --text the name of a file.");
        const bool speaks = !request.group || request.group->rank == 0;
        if (speaks && !(request.group && request.group->restart > 0)) // a group that starts again has its file already
            refuse_outputs(options, common);
        check_policy_files(request.policies);
        check_positions(options.folder, request.context, request.target);
        if (speaks && request.out.empty() && options.csv.empty())
            std::cerr << "keepset-cli: without --out and --csv the table is printed and nothing is kept.\n";
        const auto before = time_of(request.out);
        ProgressLine line(common.quiet || !speaks);
        Engine engine;
        std::shared_ptr<const Run> result;
        try {
            request.text = read_text(options.text, stop.token());
            const OpenOptions wanted = common.open_options();
            const ModelInfo info = engine.open_model(
                options.folder, request.group ? options_of_rank(wanted, *request.group) : wanted, task_of(line, stop));
            line.clear();
            print_notes(info.notes, common.quiet || !speaks);
            print_notes(engine.text_notes(request.text), common.quiet || !speaks);
            result = engine.sweep(request, task_of(line, stop));
        } catch (const Cancelled&) {
            line.clear();
            return speaks ? stopped(request.out, before) : 130;
        }
        if (!result) // rank 0 tells
            return 0;
        line.clear();
        if (!options.csv.empty())
            write_csv(options.csv, *result);
        note_builds(request.out, *result);
        print_notes(notes_about(*result), common.quiet);
        if (common.json)
            print_json(to_json(*result));
        else if (options.csv != "-")
            print_run(*result);
        return result->audit.failed() ? 1 : 0;
    }

    void add_key_tokens(CLI::App& command, KeyTokenRule& rule)
    {
        command
            .add_option("--short", rule.short_context,
                "Last context tokens of the short pass, by which key tokens are found: those that need the rest; 0: "
                "none are looked for")
            ->capture_default_str()
            ->check(at_least(0));
        command
            .add_option("--key-gain", rule.gain, "Nats that a key token's dense loss is below that of the short pass")
            ->capture_default_str();
        command.add_option("--key-loss", rule.loss, "Nats that a key token's dense loss is below")
            ->capture_default_str();
    }

    void add_options(CLI::App& command, SweepOptions& options, Common& common)
    {
        command.add_option("MODEL_DIR", options.folder, "Hugging Face model folder")->required();
        command.add_option("--text", options.text, "UTF-8 text file, - for standard input")->required();
        command
            .add_option("--policies", options.policies, "Such as dense,h2o,cab(local=0.3); dense is always measured")
            ->capture_default_str();
        auto* sparsity
            = command.add_option("--sparsity", options.sparsity, "Shares, 0,0.5,0.9 or 0:0.9:0.1 (both ends included)");
        command.add_option("--budget", options.budget, "Entries kept, 64,128,…, instead of --sparsity")
            ->excludes(sparsity);
        command.add_option("--protocol", options.protocol, "prefill-evict or token-drop")->capture_default_str();
        command.add_option("--context", options.request.context, "Tokens whose keys and values may be evicted")
            ->capture_default_str()
            ->check(at_least(1));
        command.add_option("--target", options.request.target, "Tokens behind them; all but the first are scored")
            ->capture_default_str()
            ->check(at_least(0));
        command.add_option("--windows", options.windows, "How many, or all")->capture_default_str();
        command.add_option("--shard", options.shard,
            "I/N: every N-th window from the I-th on, so that N commands share a sweep; merge joins their files");
        command
            .add_option("--in-flight", options.request.in_flight,
                "Windows at a time on a GPU: more memory and speed, the same numbers; 0: as many as pay and have room")
            ->capture_default_str()
            ->check(at_least(0));
        command.add_option("--offset", common.offset, "Skip the first N tokens of the text")->check(at_least(0));
        command.add_option("--granularity", options.granularity, "head (default), layer or model");
        command.add_option("--importance", options.importance, importance_help)->capture_default_str();
        command.add_option("--gqa", options.gqa, "mean, max or sum over the query heads of a kv head")
            ->capture_default_str();
        command.add_option("--positions", options.positions, "original or repacked")->capture_default_str();
        command.add_option("--rounding", options.rounding, "floor or kvpress")->capture_default_str();
        command
            .add_option("--sliding", options.sliding,
                "keep or evict: whether layers whose own sliding window is shorter than the context keep all of it")
            ->capture_default_str();
        command.add_option("--pin", options.pins,
            "BEGIN-END,…: bytes of the text that every policy keeps where they lie in a window's context; !BEGIN-END: "
            "that every policy drops");
        command.add_option("--seed", options.request.seed, "Of the random policy")
            ->capture_default_str()
            ->check(seed_number());
        add_key_tokens(command, options.request.key_tokens);
        auto* out = command.add_option("--out", options.request.out,
            "Run file (HDF5), written window by window; without it and --csv the table is printed and nothing is kept");
        command.add_flag("--per-token", options.request.per_token, "Store the loss of every token in --out")
            ->needs(out);
        command.add_option("--csv", options.csv, "Table of points as CSV; - for standard output (not with --json)");
        auto* resume
            = command.add_flag("--resume", options.request.resume, "Go on with the windows that the file lacks")
                  ->needs(out);
        command
            .add_flag("--force", common.force,
                "Overwrite the output files; a run file stays until the first window of the new one is done")
            ->excludes(resume);
    }

} // namespace

Runner add_sweep(CLI::App& command, Common& common)
{
    const auto options = std::make_shared<SweepOptions>();
    add_common(command, common, true);
    add_options(command, *options, common);
    return [options](Common& shared, const StopOnSignal& stop) { return run(*options, shared, stop); };
}

} // namespace keepset::cli
