#include "app/commands.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <fstream>
#include <functional>
#include <iostream>
#include <memory>

#include <fcntl.h>
#include <unistd.h>

namespace keepset::cli {

namespace {

    struct BenchOptions {
        std::string what = "all";
        std::string folder;
        std::string text;
        std::int64_t context = 1024;
        std::int64_t target = 256;
        int turns = 5;
    };

    double seconds_of(const std::function<void()>& work)
    {
        const auto begin = std::chrono::steady_clock::now();
        work();
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    }

    double median(std::vector<double> values)
    {
        std::ranges::sort(values);
        const std::size_t middle = values.size() / 2;
        return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
    }

    struct Row {
        std::string what;
        double first_s = 0;
        double second_s = 0;
        double ratio = 0; ///< median of the turns' ratios
        std::string meaning;
    };

    /// Both in turns in one process, so that whatever else the machine does meets both alike.
    Row in_turns(
        const BenchOptions& options, const std::function<void()>& first, const std::function<void()>& second,
        const std::function<void()>& before = [] {})
    {
        first();
        second();
        std::vector<double> firsts;
        std::vector<double> seconds;
        std::vector<double> ratios;
        for (int turn = 0; turn < options.turns; ++turn) {
            before();
            firsts.push_back(seconds_of(first));
            before();
            seconds.push_back(seconds_of(second));
            ratios.push_back(firsts.back() / seconds.back());
        }
        Row row;
        row.first_s = median(firsts);
        row.second_s = median(seconds);
        row.ratio = median(ratios);
        return row;
    }

    Row bench_analysis(Engine& engine, const BenchOptions& options, const Text& text, const Task& task)
    {
        AnalysisRequest request;
        request.text = text;
        request.context = options.context;
        // The plain forward takes the same tokens: what stands behind the context is cut off first.
        const std::vector<Token> tokens = engine.tokenize(text);
        Text same = text;
        if (static_cast<std::int64_t>(tokens.size()) > options.context)
            same.bytes.resize(static_cast<std::size_t>(tokens[static_cast<std::size_t>(options.context)].byte_begin));
        request.text = same;
        request.context = 0;
        double attention_pass = 0;
        Row row = in_turns(
            options, [&] { attention_pass = engine.analyse(request, task)->seconds; },
            [&] { engine.logits(same, 1, 0, task); });
        row.what = "analysis";
        row.meaning = "analysis, causality check included, over a plain forward of the same "
            + std::to_string(options.context) + " tokens (attention pass alone " + seconds_text(attention_pass) + ")";
        return row;
    }

    Row bench_sweep(Engine& engine, const BenchOptions& options, const Text& text, const Task& task)
    {
        SweepRequest request;
        request.text = text;
        request.policies = parse_policies("h2o,cab,h2o(local=0.3),streaming-llm");
        request.sparsities = { 0, 0.5, 0.8, 0.9, 0.95 };
        request.context = options.context;
        request.target = options.target;
        request.windows = 1;
        std::size_t points = 0;
        const std::vector<Token> tokens = engine.tokenize(text);
        Text window = text;
        const std::int64_t length = options.context + options.target;
        if (static_cast<std::int64_t>(tokens.size()) > length)
            window.bytes.resize(static_cast<std::size_t>(tokens[static_cast<std::size_t>(length)].byte_begin));
        Row row = in_turns(
            options, [&] { points = engine.sweep(request, task)->points.size(); },
            [&] { engine.logits(window, options.target, 0, task); });
        row.second_s *= static_cast<double>(points);
        row.ratio /= static_cast<double>(points);
        row.what = "sweep";
        row.meaning = "one window of " + std::to_string(points) + " points over one full forward a point";
        return row;
    }

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

    void read_through(const std::vector<std::filesystem::path>& files)
    {
        std::vector<char> buffer(std::size_t { 8 } << 20U);
        for (const auto& file : files) {
            std::ifstream stream(file, std::ios::binary);
            while (stream.read(buffer.data(), static_cast<std::streamsize>(buffer.size())) || stream.gcount() > 0) { }
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

    Row bench_load(const BenchOptions& options, const Common& common, const Task& task)
    {
        const auto files = weight_files(options.folder);
        const std::int64_t at_rest = anonymous_memory();
        std::int64_t peak = at_rest;
        const Task watched { task.stop, [&](const Progress& progress) {
                                peak = std::max(peak, anonymous_memory());
                                if (task.progress)
                                    task.progress(progress);
                            } };
        Row row = in_turns(
            options, [&] { Engine().open_model(options.folder, common.open_options(), watched); },
            [&] { read_through(files); }, [&] { forget(files); });
        row.what = "load";
        row.meaning
            = "opening the model over reading its weight files once, both from the disk where the system forgets a "
              "file when asked (own memory meanwhile "
            + number(static_cast<double>(peak - at_rest) / 1e9, 2) + " GB)";
        return row;
    }

    int run(const BenchOptions& options, const Common& common, const StopOnSignal& stop)
    {
        ProgressLine line(common.quiet);
        const Task task = task_of(line, stop);
        std::vector<Row> rows;
        if (options.what == "load" || options.what == "all")
            rows.push_back(bench_load(options, common, task));
        Engine engine;
        const ModelInfo info = engine.open_model(options.folder, common.open_options(), task);
        if (options.what == "analysis" || options.what == "all")
            rows.push_back(bench_analysis(engine, options, read_text(options.text), task));
        if (options.what == "sweep" || options.what == "all")
            rows.push_back(bench_sweep(engine, options, read_text(options.text), task));
        line.clear();
        nlohmann::json list = nlohmann::json::array();
        std::vector<std::vector<std::string>> table { { "what", "ratio", "ours", "other", "meaning" } };
        for (const Row& row : rows) {
            list.push_back({ { "what", row.what }, { "ratio", row.ratio }, { "seconds", row.first_s },
                { "other_seconds", row.second_s }, { "meaning", row.meaning } });
            table.push_back(
                { row.what, number(row.ratio, 3), seconds_text(row.first_s), seconds_text(row.second_s), row.meaning });
        }
        const nlohmann::json all { { "model", info.name }, { "device", info.device_name }, { "dtype", info.dtype },
            { "context", options.context }, { "target", options.target }, { "turns", options.turns },
            { "rows", list } };
        if (common.json) {
            print_json(all);
        } else {
            std::cout << info.name << " · " << info.device_name << " · " << info.dtype << " · median of "
                      << options.turns << " turns\n\n";
            print_table(table);
        }
        return 0;
    }

} // namespace

Runner add_bench(CLI::App& command, Common& common)
{
    const auto options = std::make_shared<BenchOptions>();
    add_common(command, common, true);
    command.add_option("WHAT", options->what, "analysis, sweep, load or all (kernels and select are not built yet)")
        ->capture_default_str()
        ->check([](const std::string& what) {
            if (what == "kernels" || what == "select")
                return "bench " + what + " is not built yet; analysis, sweep and load are.";
            return what == "analysis" || what == "sweep" || what == "load" || what == "all"
                ? std::string()
                : "bench knows analysis, sweep, load and all, not '" + what + "'.";
        });
    command.add_option("--model", options->folder, "Hugging Face model folder")->required();
    command.add_option("--text", options->text, "UTF-8 text file of at least context + target tokens; load needs none");
    command.add_option("--context", options->context)->capture_default_str()->check(CLI::PositiveNumber);
    command.add_option("--target", options->target)->capture_default_str()->check(CLI::PositiveNumber);
    command.add_option("--turns", options->turns, "How often both are measured")
        ->capture_default_str()
        ->check(CLI::PositiveNumber);
    return [options](Common& shared, const StopOnSignal& stop) {
        if (options->text.empty() && options->what != "load")
            throw Error(ErrorKind::usage, "bench " + options->what + " needs a text.", "Give one with --text FILE.");
        return run(*options, shared, stop);
    };
}

} // namespace keepset::cli
