#include "core/files.h"
#include "core/trace/output.h"
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

    /// Which windows a table covers. A window is flagged before the table covers it, so after a kill one flag may be
    /// too many: the last, or any where a gap was being filled. Nothing where no choice gives the table's sums.
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

    template <typename T> void clear_open(std::vector<T>& values, const Run& run, std::size_t inner, T value)
    {
        for (std::size_t index = 0; index < values.size(); ++index) {
            if (run.done[index / inner % run.done.size()] == 0)
                values[index] = value;
        }
    }

    void read_arrays(hid_t file, Run& run)
    {
        const auto points = static_cast<hsize_t>(h5::shape_of(h5::open_dataset(file, "/sweep/points")).at(0));
        const Shape all { points, static_cast<hsize_t>(run.windows) };
        const Shape windows { static_cast<hsize_t>(run.windows) };
        run.window_nll = h5::read_numbers<double>(file, "/sweep/window_nll", all);
        if (h5::exists(file, "/sweep/window") && h5::exists(file, "/sweep/window/done"))
            run.done = h5::read_numbers<std::uint8_t>(file, "/sweep/window/done", windows);
        if (h5::exists(file, "/sweep/definition_hash"))
            run.definition_hash = h5::read_numbers<std::uint64_t>(file, "/sweep/definition_hash", all);
        run.keep_hash = h5::read_numbers<std::uint64_t>(file, "/sweep/keep_hash", all);
        run.kept_entries = h5::read_numbers<std::int64_t>(file, "/sweep/kept_entries", all);
        run.target_hash = h5::read_numbers<std::uint64_t>(file, "/sweep/target_hash", all);
        run.mass_error = h5::read_numbers<double>(file, "/sweep/mass_error", windows);
        run.last_key_importance = h5::read_numbers<double>(file, "/sweep/last_key_importance", windows);
        trace::for_evidence([&]<typename T>(const trace::EvidenceArray<T>& array) {
            if (h5::exists(file, array.path))
                run.evidence.*array.member = h5::read_numbers<T>(file, array.path, array.by_point ? all : windows);
        });
        if (h5::exists(file, "/sweep/token_nll")) {
            const auto scored = static_cast<hsize_t>(std::max<std::int64_t>(run.target - 1, 0));
            run.token_nll = h5::read_numbers<float>(file, "/sweep/token_nll", { points, windows[0], scored });
        }
    }

    /// A window in progress is as if it had not begun.
    void clear_unfinished(Run& run)
    {
        clear_open(run.window_nll, run, 1, not_a_number);
        clear_open<std::uint64_t>(run.keep_hash, run, 1, 0);
        clear_open<std::uint64_t>(run.definition_hash, run, 1, 0);
        clear_open<std::int64_t>(run.kept_entries, run, 1, 0);
        clear_open<std::uint64_t>(run.target_hash, run, 1, 0);
        clear_open(run.mass_error, run, 1, not_a_number);
        clear_open(run.last_key_importance, run, 1, not_a_number);
        trace::for_evidence([&](const auto& array) { clear_open(run.evidence.*array.member, run, 1, array.fill); });
        const auto scored = static_cast<std::size_t>(std::max<std::int64_t>(run.target - 1, 1));
        clear_open(run.token_nll, run, scored, static_cast<float>(not_a_number));
    }

    std::shared_ptr<Run> read_run(hid_t file)
    {
        const FileSummary root = trace::read_root(file);
        trace::expect_kind(root, "run");
        auto run = std::make_shared<Run>();
        run->provenance = root.provenance;
        trace::read_sweep_attributes(h5::open_group(file, "/sweep"), *run);
        choose_points(file, *run);
        read_arrays(file, *run);
        const Flags flags = std::move(run->done);
        auto covered = covered_by(run->points, flags, *run);
        if (!covered && h5::exists(file, "/sweep/points_before")) {
            const Points before = read_points(file, "/sweep/points_before");
            if (before.size() == run->points.size() && is_whole(before, run->windows))
                covered = covered_by(before, flags, *run);
            if (covered)
                run->points = before;
        }
        if (!covered)
            throw h5::Failure("its tables of points contradict the losses of its windows");
        run->done = *covered;
        clear_unfinished(*run);
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
