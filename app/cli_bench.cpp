#include "app/bench.h"
#include "app/commands.h"

#include "core/bench.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <fstream>
#include <functional>
#include <iostream>
#include <iterator>
#include <memory>
#include <optional>

#include <fcntl.h>
#include <unistd.h>

namespace keepset::cli {

namespace {

    std::string time_text(double seconds)
    {
        return seconds < 1 ? number(seconds * 1e3, 3) + " ms" : seconds_text(seconds);
    }

} // namespace

double median(std::vector<double> values)
{
    std::ranges::sort(values);
    const std::size_t middle = values.size() / 2;
    return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

double seconds_of(const std::function<void()>& work)
{
    const auto begin = std::chrono::steady_clock::now();
    work();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

std::vector<std::vector<double>> times_in_turns(
    const BenchRun& run, const std::vector<std::function<void()>>& works, const std::function<void()>& before)
{
    std::vector<std::vector<double>> times(works.size());
    for (int turn = -1; turn < run.options.turns; ++turn) {
        for (std::size_t index = 0; index < works.size(); ++index) {
            if (run.task.stop.stop_requested())
                throw Cancelled {};
            before();
            const double seconds = seconds_of(works[index]);
            if (turn >= 0)
                times[index].push_back(seconds);
        }
    }
    return times;
}

BenchRow row_of(const std::vector<double>& times, const std::vector<double>& other)
{
    std::vector<double> ratios;
    for (std::size_t turn = 0; turn < times.size(); ++turn)
        ratios.push_back(times[turn] / other[turn]);
    BenchRow row;
    row.first_s = median(times);
    row.second_s = median(other);
    row.ratio = median(ratios);
    return row;
}

BenchRow in_turns(const BenchRun& run, const std::function<void()>& first, const std::function<void()>& second,
    const std::function<void()>& before)
{
    const auto times = times_in_turns(run, { first, second }, before);
    return row_of(times[0], times[1]);
}

namespace {

    std::vector<std::filesystem::path> weight_files(const std::string& folder)
    {
        std::vector<std::filesystem::path> files;
        for (const auto& entry : std::filesystem::directory_iterator(folder)) {
            if (entry.path().extension() == ".safetensors")
                files.push_back(entry.path());
        }
        return files;
    }

    /// Asks the system to forget what it holds of the files, so that they are read from the disk again.
    void forget(const std::vector<std::filesystem::path>& files)
    {
        for (const auto& file : files) {
            const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
            if (descriptor < 0)
                continue;
            ::posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED);
            ::close(descriptor);
        }
    }

    void read_through(const std::vector<std::filesystem::path>& files, const std::stop_token& stop)
    {
        std::vector<char> buffer(std::size_t { 8 } << 20U);
        for (const auto& file : files) {
            std::ifstream stream(file, std::ios::binary);
            while (stream.read(buffer.data(), static_cast<std::streamsize>(buffer.size())) || stream.gcount() > 0) {
                if (stop.stop_requested())
                    throw Cancelled {};
            }
        }
    }

    /// Memory of this process that is no file's, in bytes.
    std::int64_t anonymous_memory()
    {
        std::ifstream status("/proc/self/status");
        std::int64_t kilobytes = 0;
        for (std::string word; status >> word;) {
            if (word == "RssAnon:" && status >> kilobytes)
                break;
        }
        return kilobytes * 1024;
    }

    std::vector<BenchRow> bench_load(const BenchRun& run)
    {
        const BenchOptions& options = run.options;
        const Task& task = run.task;
        const auto files = weight_files(options.folder);
        const std::int64_t at_rest = anonymous_memory();
        std::int64_t peak = at_rest;
        const Task watched { task.stop, [&](const Progress& progress) {
                                peak = std::max(peak, anonymous_memory());
                                if (task.progress)
                                    task.progress(progress);
                            } };
        BenchRow row = in_turns(
            run, [&] { Engine().open_model(options.folder, run.common.open_options(), watched); },
            [&] { read_through(files, task.stop); }, [&] { forget(files); });
        row.what = "load";
        row.meaning
            = "opening the model over reading its weight files once, both from the disk where the system forgets a "
              "file when asked (own memory meanwhile "
            + number(static_cast<double>(peak - at_rest) / 1e9, 2) + " GB)";
        return { row };
    }

    /// A line of the table: what bench can be asked for.
    struct Group {
        const char* name;
        bool model; ///< needs one
        bool text; ///< needs one
        bool of_all; ///< part of "all"
        std::vector<BenchRow> (*run)(const BenchRun& run);
    };
    constexpr Group groups[] = {
        { "load", true, false, true, bench_load },
        { "analysis", true, true, true, bench_analysis },
        { "sweep", true, true, true, bench_sweep },
        { "scores", true, true, false, bench_scores },
        { "kernels", false, false, false, bench_kernels },
        { "select", false, false, false, bench_select },
        { "map", false, false, false, bench_map },
        { "bridges", false, false, false, bench_bridges },
    };

    bool is_asked(const Group& group, const BenchOptions& options)
    {
        return options.what == group.name || (options.what == "all" && group.of_all);
    }

    std::string known_groups()
    {
        std::string names;
        for (const Group& group : groups)
            names += std::string(group.name) + ", ";
        return names + "all";
    }

    /// Empty, or why there is no such group.
    std::string group_problem(const std::string& what)
    {
        const bool known = what == "all" || std::ranges::any_of(groups, [&](const Group& g) { return what == g.name; });
        return known ? std::string() : "bench knows " + known_groups() + ", not '" + what + "'.";
    }

    /// Throws where a group lacks what it needs. Returns whether any needs a model.
    bool check_inputs(const BenchOptions& options)
    {
        bool model = false;
        for (const Group& group : groups) {
            if (!is_asked(group, options))
                continue;
            model = model || group.model;
            if (group.model && options.folder.empty() && options.shape.empty())
                throw Error(ErrorKind::usage, "bench " + options.what + " needs a model.",
                    "Give one with --model DIR, or a shape with --shape.");
            if (group.text && options.text.empty() && options.shape.empty())
                throw Error(ErrorKind::usage, "bench " + options.what + " needs a text.", "Give one with --text FILE.");
        }
        return model;
    }

    void print(const BenchOptions& options, const ModelInfo& info, const std::vector<BenchRow>& rows,
        const std::vector<std::string>& notes, bool json)
    {
        nlohmann::json list = nlohmann::json::array();
        std::vector<std::vector<std::string>> table { { "what", "ratio", "ours", "other", "meaning" } };
        for (const BenchRow& row : rows) {
            list.push_back({ { "what", row.what }, { "ratio", row.ratio }, { "seconds", row.first_s },
                { "other_seconds", row.second_s }, { "meaning", row.meaning } });
            if (row.operations_s > 0)
                list.back().update(
                    { { "operations_per_second", row.operations_s }, { "share_of_ceiling", row.ceiling_share } });
            if (row.attention_pass_s > 0)
                list.back()["attention_pass_seconds"] = row.attention_pass_s;
            if (row.points > 0)
                list.back().update({ { "windows_per_second", row.windows_s }, { "points", row.points },
                    { "peak_bytes", row.peak_bytes } });
            table.push_back(
                { row.what, number(row.ratio, 3), time_text(row.first_s), time_text(row.second_s), row.meaning });
        }
        nlohmann::json all { { "turns", options.turns }, { "rows", list }, { "notes", notes } };
        std::string head;
        if (!info.name.empty()) {
            all.update({ { "model", info.name }, { "device", info.device_name }, { "dtype", info.dtype },
                { "context", options.context }, { "target", options.target } });
            head = info.name + " · " + info.device_name + " · " + info.dtype + " · ";
        }
        if (json) {
            print_json(all);
            return;
        }
        std::cout << head << "median of " << options.turns << " turns\n\n";
        print_table(table);
        for (const std::string& note : notes)
            std::cout << (&note == &notes.front() ? "\n" : "") << note << "\n";
    }

    /// A call that is measured cannot be cut in two, and there is nothing to keep.
    void end_at_once(const std::optional<ShapeFolder>& made)
    {
        if (made)
            made->remove();
        const std::string text
            = std::string(::isatty(STDERR_FILENO) != 0 ? "\r\033[K" : "") + "keepset-cli: stopped.\n";
        [[maybe_unused]] const ssize_t ignored = ::write(STDERR_FILENO, text.data(), text.size());
        ::_exit(130);
    }

    int run(BenchOptions options, const Common& common, const StopOnSignal& stop)
    {
        const bool needs_model = check_inputs(options);
        std::optional<ShapeFolder> made;
        if (!options.shape.empty() && needs_model)
            options.folder = made.emplace(options.shape).path().string();
        const std::stop_callback on_stop(stop.token(), [&made] { end_at_once(made); });
        if (made)
            made->fill();
        ProgressLine line(common.quiet);
        const Task task = task_of(line, stop);
        Engine engine;
        ModelInfo info;
        if (needs_model)
            info = engine.open_model(options.folder, common.open_options(), task);
        std::vector<BenchRow> rows;
        std::vector<std::string> notes;
        for (const Group& group : groups) {
            if (is_asked(group, options))
                std::ranges::move(group.run({ options, common, engine, task, notes }), std::back_inserter(rows));
        }
        line.clear();
        print(options, info, rows, notes, common.json);
        return 0;
    }

} // namespace

Runner add_bench(CLI::App& command, Common& common)
{
    const auto options = std::make_shared<BenchOptions>();
    add_common(command, common, true);
    command.add_option("WHAT", options->what, known_groups() + " (load, analysis and sweep)")
        ->capture_default_str()
        ->check(group_problem);
    auto* model = command.add_option(
        "--model", options->folder, "Hugging Face model folder, for load, analysis, sweep and scores");
    command
        .add_option("--shape", options->shape,
            "Instead of --model: random weights of smollm2-135m, qwen2-0.5b, llama-3.2-1b, gemma2-2b, gemma2-2b-plain "
            "(without windows and caps) or mixtral-tiny, made on the spot")
        ->excludes(model);
    command.add_option("--text", options->text,
        "UTF-8 text file of at least context + target tokens, for analysis, sweep and scores; with --shape one is made "
        "up");
    command.add_option("--context", options->context)->capture_default_str()->check(at_least(1));
    command.add_option("--target", options->target)->capture_default_str()->check(at_least(1));
    command.add_option("--in-flight", options->in_flight, "Windows of a sweep at a time on a GPU, as in sweep")
        ->capture_default_str()
        ->check(at_least(0));
    command.add_option("--turns", options->turns, "How often both are measured")
        ->capture_default_str()
        ->check(at_least(1));
    return [options](Common& shared, const StopOnSignal& stop) { return run(*options, shared, stop); };
}

} // namespace keepset::cli
