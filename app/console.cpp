#include "app/console.h"

#include <csignal>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
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
        const double rate = static_cast<double>(progress.done) / progress.elapsed_s / (bytes ? 1e6 : 1);
        return ", " + number(rate, 3) + (bytes ? " MB" : " " + progress.unit) + "/s";
    }

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

CLI::Validator at_least(std::int64_t least)
{
    const auto problem = [least](const std::string& text) {
        std::int64_t value = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        const bool whole = error == std::errc() && end == text.data() + text.size();
        return whole && value >= least
            ? std::string()
            : "must be a whole number of at least " + std::to_string(least) + ", not '" + text + "'.";
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
    command.add_option("--threads", common.threads, "CPU threads; 0: all cores")->capture_default_str();
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
    const double share
        = progress.total > 0 ? static_cast<double>(progress.done) / static_cast<double>(progress.total) : 0;
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

std::string number(double value, int digits)
{
    if (!std::isfinite(value))
        return std::isnan(value) ? "-" : (value > 0 ? "inf" : "-inf");
    char text[64] = {};
    std::snprintf(text, sizeof text, "%.*g", digits, value);
    return text;
}

std::string seconds_text(double seconds)
{
    char text[64] = {};
    const auto whole = static_cast<long>(std::llround(seconds));
    if (seconds < 10)
        std::snprintf(text, sizeof text, "%.1f s", seconds);
    else if (whole < 60)
        std::snprintf(text, sizeof text, "%ld s", whole);
    else if (whole < 3600)
        std::snprintf(text, sizeof text, "%ld:%02ld min", whole / 60, whole % 60);
    else
        std::snprintf(text, sizeof text, "%ld:%02ld h", whole / 3600, whole / 60 % 60);
    return text;
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
