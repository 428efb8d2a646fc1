#include "core/files.h"
#include "core/trace/output.h"
#include "core/trace/run_arrays.h"
#include "core/trace/run_schema.h"
#include "core/trace/trace.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <optional>
#include <thread>

namespace keepset {

namespace {

    using Shape = std::vector<hsize_t>;
    using Points = std::vector<SweepPoint>;

    Points read_points(hid_t file, const std::string& path)
    {
        return trace::points_of(h5::Table::read(file, path, trace::point_columns(1)));
    }

    /// All rows cover the same windows: what tells a whole table from one torn by a kill or read while it is written.
    bool is_whole(const Points& points, std::int64_t windows)
    {
        return std::ranges::all_of(points, [&](const SweepPoint& point) {
            return point.windows == points.front().windows && point.windows >= 0 && point.windows <= windows;
        });
    }

    using Flags = std::vector<std::uint8_t>; // (windows)

    /// The first `count` windows of those flagged; of all where fewer are, as in a file of an earlier version, which
    /// has no flags and did its windows in order.
    Flags first_of(const Flags& flags, std::int64_t count, std::int64_t windows)
    {
        const bool flagged = std::count(flags.begin(), flags.end(), 0) <= windows - count && !flags.empty();
        Flags done(static_cast<std::size_t>(windows), 0);
        for (std::size_t window = 0; window < done.size() && count > 0; ++window) {
            if (flagged && flags[window] == 0)
                continue;
            done[window] = 1;
            --count;
        }
        return done;
    }

    /// Every row's nll_sum is the sum of its windows' (relative 1e-6; not finite beside not finite).
    bool fits(const Points& points, const Flags& done, const Run& run)
    {
        for (std::size_t row = 0; row < points.size(); ++row) {
            double sum = 0;
            for (std::size_t window = 0; window < done.size(); ++window)
                sum += done[window] == 0 ? 0 : run.window_nll[row * done.size() + window];
            const double stored = points[row].nll_sum;
            const bool close = std::abs(sum - stored) <= 1e-6 * std::max(1.0, std::abs(sum));
            if (!close && (std::isfinite(sum) || std::isfinite(stored)))
                return false;
        }
        return true;
    }

    /// Which windows a table of format 1.0 covers. A window was flagged before the table covered it, so after a kill
    /// one flag may be too many: the last, or any where a gap was being filled. Nothing where no choice gives the
    /// table's sums.
    std::optional<Flags> covered_by(const Points& points, const Flags& flags, const Run& run)
    {
        const std::int64_t count = points.front().windows;
        Flags done = first_of(flags, count, run.windows);
        if (fits(points, done, run))
            return done;
        const auto flagged = static_cast<std::int64_t>(flags.size()) - std::count(flags.begin(), flags.end(), 0);
        const bool has_gap = !std::is_sorted(flags.begin(), flags.end(), std::greater<>());
        for (std::size_t without = 0; has_gap && flagged == count + 1 && without < flags.size(); ++without) {
            done = flags;
            done[without] = 0;
            if (flags[without] != 0 && fits(points, done, run))
                return done;
        }
        return std::nullopt;
    }

    /// The table that counts: /sweep/points, or the one before where a kill tore it.
    void choose_points(hid_t file, Run& run)
    {
        const Points now = read_points(file, "/sweep/points");
        if (now.empty())
            throw h5::Failure("its table of points is empty");
        const Points before
            = h5::exists(file, "/sweep/points_before") ? read_points(file, "/sweep/points_before") : Points {};
        const bool usable = before.size() == now.size() && is_whole(before, run.windows);
        if (is_whole(now, run.windows))
            run.points = now;
        else if (usable)
            run.points = before;
        else
            throw h5::Failure("its tables of points contradict themselves");
    }

    void read_arrays(hid_t file, Run& run)
    {
        const auto points = static_cast<hsize_t>(run.points.size());
        const auto windows = static_cast<hsize_t>(run.windows);
        trace::for_run_arrays([&]<typename T>(const trace::RunArray<T>& array) {
            const Shape shape = array.by_point ? Shape { points, windows } : Shape { windows };
            if (array.always || h5::exists(file, array.path))
                run.*array.member = h5::read_numbers<T>(file, array.path, shape);
        });
        if (h5::exists(file, "/sweep/token_nll")) {
            const auto scored = static_cast<hsize_t>(std::max<std::int64_t>(run.target - 1, 0));
            run.token_nll = h5::read_numbers<float>(file, "/sweep/token_nll", { points, windows, scored });
            if (h5::exists(file, "/sweep/short_nll"))
                run.short_nll = h5::read_numbers<float>(file, "/sweep/short_nll", { windows, scored });
        }
    }

    /// Flags of windows, empty in files of an early version.
    Flags read_flags(hid_t file, const Run& run)
    {
        if (!h5::exists(file, "/sweep/window") || !h5::exists(file, "/sweep/window/done"))
            return {};
        return h5::read_numbers<std::uint8_t>(file, "/sweep/window/done", { static_cast<hsize_t>(run.windows) });
    }

    /// Format 1.0: the table decides which windows count.
    void count_by_table(hid_t file, const Flags& flags, Run& run)
    {
        auto covered = covered_by(run.points, flags, run);
        if (!covered && h5::exists(file, "/sweep/points_before")) {
            const Points before = read_points(file, "/sweep/points_before");
            if (before.size() == run.points.size() && is_whole(before, run.windows))
                covered = covered_by(before, flags, run);
            if (covered)
                run.points = before;
        }
        if (!covered)
            throw h5::Failure("its tables of points contradict the losses of its windows");
        run.done = *covered;
    }

    /// Since 1.1: the flags decide, and the table, which a kill may have left behind them, follows.
    void count_by_flags(const Flags& flags, Run& run)
    {
        run.done = flags;
        const auto done = static_cast<std::int64_t>(done_windows(run).size());
        const std::int64_t listed = run.points.front().windows;
        const bool behind = listed < done;
        if (listed > done || (!behind && !fits(run.points, flags, run)))
            throw h5::Failure("its tables of points contradict the losses of its windows");
        if (behind)
            refresh_points(run);
    }

    std::shared_ptr<Run> read_run(hid_t file)
    {
        const FileSummary root = trace::read_root(file);
        trace::expect_kind(root, "run");
        auto run = std::make_shared<Run>();
        run->provenance = root.provenance;
        trace::read_sweep_attributes(h5::open_group(file, "/sweep"), *run);
        run->files = trace::read_files(file);
        const Flags flags = read_flags(file, *run); // before the arrays: a window may be flagged meanwhile
        choose_points(file, *run);
        read_arrays(file, *run);
        if (run->window_kl.empty())
            count_by_table(file, flags, *run);
        else
            count_by_flags(flags, *run);
        trace::clear_unfinished(*run);
        run->audit = trace::read_audit(file);
        return run;
    }

} // namespace

std::shared_ptr<const Run> load_run(const std::filesystem::path& file)
{
    // A slow reader can meet one table in one window and the other in the next, both half written: while somebody
    // writes, what does not fit is looked at again. Nobody writes a damaged file, so that costs no time there.
    constexpr int tries = 20;
    constexpr auto pause = std::chrono::milliseconds(20);
    return trace::reading(file, [&] {
        for (int attempt = 1;; ++attempt) {
            const trace::FileState before = trace::state_of(file);
            try {
                return std::shared_ptr<const Run>(read_run(h5::open_for_reading(file)));
            } catch (const h5::Failure&) {
                const bool moving = (is_hdf5(file) && !h5::is_closed(file)) || trace::state_of(file) != before;
                if (attempt == tries || !moving)
                    throw;
            }
            std::this_thread::sleep_for(pause);
        }
    });
}

} // namespace keepset
