#pragma once

#include "core/run.h"

#include <cstdint>
#include <span>
#include <vector>

/// The arrays of a run by window, each named once for everything that stores, reads or merges them. Run::done,
/// Run::token_nll and Run::short_nll are not among them: the flag decides what counts, and losses of tokens have an
/// axis more.
namespace keepset::trace {

/// One array: (points, windows), or (windows).
template <typename T> struct RunArray {
    const char* path; ///< in a file
    bool by_point;
    bool always; ///< every version has it; else it may be empty in a run
    T fill; ///< where a window is not done
    const char* units;
    const char* description;
    std::vector<T> Run::*member;

    std::size_t size(const Run& run) const
    {
        return (by_point ? run.points.size() : 1) * static_cast<std::size_t>(run.windows);
    }
};

std::span<const RunArray<double>> run_measures();
std::span<const RunArray<std::uint64_t>> run_hashes();
std::span<const RunArray<std::int64_t>> run_counts();

/// Calls `use` with every array of all three kinds.
template <typename Use> void for_run_arrays(const Use& use)
{
    for (const auto& array : run_measures())
        use(array);
    for (const auto& array : run_hashes())
        use(array);
    for (const auto& array : run_counts())
        use(array);
}

/// Gives all arrays of a run with points and windows their size, nothing done; the losses of tokens where `per_token`.
void empty_arrays(Run& run, bool per_token);
/// What is not done is as if it had not begun.
void clear_unfinished(Run& run);
/// Whether a run has everything that today's windows have, so that more can be added.
bool has_all_arrays(const Run& run);
/// One window of an array: (rows); empty where the array is.
template <typename T> std::vector<T> column_of(const Run& run, const RunArray<T>& array, std::int64_t window)
{
    const std::vector<T>& values = run.*array.member;
    std::vector<T> column;
    for (auto at = static_cast<std::size_t>(window); at < values.size(); at += static_cast<std::size_t>(run.windows))
        column.push_back(values[at]);
    return column;
}
/// The other way round. Throws std::out_of_range where there are fewer values than rows.
template <typename T>
void set_column(Run& run, const RunArray<T>& array, std::int64_t window, const std::vector<T>& column)
{
    std::vector<T>& values = run.*array.member;
    std::size_t row = 0;
    for (auto at = static_cast<std::size_t>(window); at < values.size(); at += static_cast<std::size_t>(run.windows))
        values[at] = column.at(row++);
}
/// The same of Run::token_nll and, behind it, Run::short_nll: (points [+ 1], target - 1).
std::vector<float> token_nll_of(const Run& run, std::int64_t window);
void set_token_nll(Run& run, std::int64_t window, const std::vector<float>& losses);

/// Copies one window that is done in `from` to a run of the same points and windows, and flags it. refresh_points is
/// left to the caller.
void copy_window(const Run& from, std::int64_t window, Run& to);
/// Whether a window has the same losses, keep sets and targets in two runs of the same points and windows, bit for bit.
bool same_window(const Run& a, const Run& b, std::int64_t window);

} // namespace keepset::trace
