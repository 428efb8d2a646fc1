#include "app/console.h"

#include <csignal>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <iostream>

namespace keepset::cli {

namespace {

    sigset_t stop_signals()
    {
        sigset_t signals {};
        ::sigemptyset(&signals);
        ::sigaddset(&signals, SIGINT);
        ::sigaddset(&signals, SIGTERM);
        ::sigaddset(&signals, SIGUSR1); // ours: the program ends
        return signals;
    }

    std::string rate_text(const Progress& progress)
    {
        if (progress.elapsed_s <= 0 || progress.done <= 0)
            return {};
        const bool bytes = progress.unit == "bytes";
        const double rate
            = (static_cast<double>(progress.done) + progress.part) / progress.elapsed_s / (bytes ? 1e6 : 1);
        return ", " + number(rate, 3) + (bytes ? " MB" : " " + progress.unit) + "/s";
    }

    /// More than any machine has cores; the system refuses far more in words of its own.
    constexpr std::int64_t most_threads = 4096;

    std::string bar(double share)
    {
        constexpr int width = 24;
        const int filled = static_cast<int>(share * width);
        std::string text;
        for (int cell = 0; cell < width; ++cell)
            text += cell < filled ? "█" : "░";
        return text;
    }

} // namespace

OpenOptions Common::open_options() const
{
    OpenOptions options;
    options.device = device;
    from_name(dtype, options.dtype);
    options.threads = threads;
    return options;
}

namespace {

    /// A leading zero would be read as octal by the parser behind us.
    template <typename Number> bool is_whole(const std::string& text, Number& value)
    {
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        return error == std::errc() && end == text.data() + text.size() && (text.size() == 1 || text.front() != '0');
    }

} // namespace

CLI::Validator at_least(std::int64_t least, std::int64_t most)
{
    const auto problem = [least, most](const std::string& text) -> std::string {
        std::int64_t value = 0;
        const bool digits = !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
        const bool whole = is_whole(text, value);
        if (whole && value >= least && value <= most)
            return {};
        if ((whole && value > most) || (digits && text.front() != '0' && !whole))
            return "must be at most " + std::to_string(most) + ", not '" + text + "'.";
        return "must be a whole number of at least " + std::to_string(least) + ", not '" + text + "'.";
    };
    return { problem, "" };
}

CLI::Validator seed_number()
{
    const auto problem = [](const std::string& text) {
        std::uint64_t value = 0;
        return is_whole(text, value) ? std::string()
                                     : "must be a whole number from 0 to 18446744073709551615, not '" + text + "'.";
    };
    return { problem, "" };
}

void add_common(CLI::App& command, Common& common, bool model)
{
    command.add_flag("--json", common.json, "Print the result as JSON");
    command.add_flag("--quiet", common.quiet, "No progress");
    if (!model)
        return;
    command.add_option("--device", common.device, "auto, cpu, cuda, cuda:N or several, as cuda:0,cuda:1")
        ->capture_default_str();
    command
        .add_option("--dtype", common.dtype,
            "auto, float32, bfloat16 or float16 (auto: float32 on the CPU, the checkpoint's on CUDA)")
        ->capture_default_str();
    command.add_option("--threads", common.threads, "CPU threads; 0: all cores")
        ->capture_default_str()
        ->check(at_least(0, most_threads));
}

StopOnSignal::StopOnSignal()
{
    const sigset_t signals = stop_signals();
    ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    waiter_ = std::jthread([source = source_]() mutable {
        const sigset_t wanted = stop_signals();
        int received = 0;
        while (::sigwait(&wanted, &received) == 0 && received != SIGUSR1) {
            if (source.stop_requested())
                ::_exit(130);
            source.request_stop();
        }
    });
}

StopOnSignal::~StopOnSignal() { ::pthread_kill(waiter_.native_handle(), SIGUSR1); }

ProgressLine::ProgressLine(bool quiet)
    : quiet_(quiet)
    , terminal_(::isatty(STDERR_FILENO) != 0)
{
}

ProgressLine::~ProgressLine() { clear(); }

void ProgressLine::show(const Progress& progress)
{
    const auto now = std::chrono::steady_clock::now();
    const bool finished = progress.total > 0 && progress.done >= progress.total;
    const auto pause = terminal_ ? std::chrono::milliseconds(100) : std::chrono::milliseconds(5000);
    const bool fresh = terminal_ && progress.stage != stage_;
    if (quiet_ || (!finished && !fresh && now - last_ < pause))
        return;
    last_ = now;
    stage_ = progress.stage;
    const double share = progress.share();
    std::string text = progress.stage + "  " + (terminal_ ? bar(share) + " " : "")
        + std::to_string(static_cast<int>(std::floor(share * 100))) + "%" + rate_text(progress);
    if (!finished && std::isfinite(progress.left_s))
        text += ", " + seconds_text(progress.left_s) + " left";
    std::cerr << (terminal_ ? "\r\033[K" : "") << text << (terminal_ ? "" : "\n") << std::flush;
    open_ = terminal_;
}

void ProgressLine::clear()
{
    if (open_)
        std::cerr << "\r\033[K" << std::flush;
    open_ = false;
}

Task task_of(ProgressLine& line, const StopOnSignal& stop)
{
    return { stop.token(), [&line](const Progress& progress) { line.show(progress); } };
}

void refuse_output(const std::string& file, bool force, const std::string& hint) { check_output(file, force, hint); }

void refuse_shared_files(std::vector<NamedFile> outputs, std::vector<NamedFile> inputs, const std::string& folder)
{
    for (NamedFile& input : inputs)
        input.path = input.path == "-" ? "/dev/stdin" : input.path;
    struct stat state { };
    if (::fstat(STDOUT_FILENO, &state) == 0 && S_ISREG(state.st_mode))
        outputs.push_back({ "standard output", "/dev/stdout" });
    check_files(outputs, inputs, folder);
}

std::string number(double value, int digits)
{
    if (!std::isfinite(value))
        return std::isnan(value) ? "-" : (value > 0 ? "inf" : "-inf");
    std::array<char, 64> text {}; // not printf: its decimal sign is the user's
    const auto end
        = std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::general, digits).ptr;
    return { text.data(), end };
}

std::string seconds_text(double seconds)
{
    const auto two = [](long value) { return (value < 10 ? "0" : "") + std::to_string(value); };
    const auto whole = static_cast<long>(std::llround(seconds));
    if (seconds < 10) {
        std::array<char, 64> text {};
        const auto end
            = std::to_chars(text.data(), text.data() + text.size(), seconds, std::chars_format::fixed, 1).ptr;
        return std::string(text.data(), end) + " s";
    }
    if (whole < 60)
        return std::to_string(whole) + " s";
    if (whole < 3600)
        return std::to_string(whole / 60) + ":" + two(whole % 60) + " min";
    return std::to_string(whole / 3600) + ":" + two(whole / 60 % 60) + " h";
}

namespace {

    /// Columns a UTF-8 text takes, for the characters that we print.
    std::size_t width_of(const std::string& text)
    {
        return static_cast<std::size_t>(std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; }));
    }

    bool is_number(const std::string& text)
    {
        return !text.empty()
            && (std::isdigit(static_cast<unsigned char>(text.front())) != 0 || text.front() == '-'
                || text.front() == '+');
    }

} // namespace

void print_notes(const std::vector<std::string>& notes, bool quiet)
{
    for (const std::string& note : notes) {
        if (!quiet)
            std::cerr << "keepset-cli: note: " << note << (note.ends_with('.') || note.ends_with('\'') ? "" : ".")
                      << '\n';
    }
}

void print_table(const std::vector<std::vector<std::string>>& rows)
{
    if (rows.empty())
        return;
    std::vector<std::size_t> widths(rows.front().size(), 0);
    for (const auto& row : rows) {
        for (std::size_t column = 0; column < row.size(); ++column)
            widths[column] = std::max(widths[column], width_of(row[column]));
    }
    for (const auto& row : rows) {
        std::string line;
        for (std::size_t column = 0; column < row.size(); ++column) {
            const std::string space(widths[column] - width_of(row[column]), ' ');
            const bool right = rows.size() > 1 && is_number(rows[1][column]);
            const bool last = column + 1 == row.size();
            line += (column > 0 ? "  " : "") + (right ? space + row[column] : row[column] + (last ? "" : space));
        }
        std::cout << line << '\n';
    }
}

} // namespace keepset::cli
