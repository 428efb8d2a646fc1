#include "core/trace/run_schema.h"
#include "core/trace/trace.h"

#include <algorithm>
#include <chrono>
#include <cmath>
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

    /// Every row's nll_sum is the sum of its windows' (relative 1e-6; not finite beside not finite).
    bool fits(const Points& points, const Run& run)
    {
        for (std::size_t row = 0; row < points.size(); ++row) {
            double sum = 0;
            for (std::int64_t window = 0; window < points[row].windows; ++window)
                sum += run.window_nll[row * static_cast<std::size_t>(run.windows) + static_cast<std::size_t>(window)];
            const double stored = points[row].nll_sum;
            const bool close = std::abs(sum - stored) <= 1e-6 * std::max(1.0, std::abs(sum));
            if (!close && (std::isfinite(sum) || std::isfinite(stored)))
                return false;
        }
        return true;
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

    template <typename T> void clear_from(std::vector<T>& values, const Run& run, std::size_t inner, T value)
    {
        const auto windows = static_cast<std::size_t>(run.windows);
        const auto done = static_cast<std::size_t>(run.points.front().windows);
        for (std::size_t index = 0; index < values.size(); ++index) {
            if (index / inner % windows >= done)
                values[index] = value;
        }
    }

    void read_arrays(hid_t file, Run& run)
    {
        const auto points = static_cast<hsize_t>(h5::shape_of(h5::open_dataset(file, "/sweep/points")).at(0));
        const Shape all { points, static_cast<hsize_t>(run.windows) };
        const Shape windows { static_cast<hsize_t>(run.windows) };
        run.window_nll = h5::read_numbers<double>(file, "/sweep/window_nll", all);
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
        clear_from(run.window_nll, run, 1, not_a_number);
        clear_from<std::uint64_t>(run.keep_hash, run, 1, 0);
        clear_from<std::int64_t>(run.kept_entries, run, 1, 0);
        clear_from<std::uint64_t>(run.target_hash, run, 1, 0);
        clear_from(run.mass_error, run, 1, not_a_number);
        clear_from(run.last_key_importance, run, 1, not_a_number);
        trace::for_evidence([&](const auto& array) { clear_from(run.evidence.*array.member, run, 1, array.fill); });
        const auto scored = static_cast<std::size_t>(std::max<std::int64_t>(run.target - 1, 1));
        clear_from(run.token_nll, run, scored, static_cast<float>(not_a_number));
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
        if (!fits(run->points, *run) && h5::exists(file, "/sweep/points_before")) {
            const Points before = read_points(file, "/sweep/points_before");
            if (before.size() == run->points.size() && is_whole(before, run->windows) && fits(before, *run))
                run->points = before;
        }
        clear_unfinished(*run);
        run->audit = trace::read_audit(file);
        return run;
    }

} // namespace

std::shared_ptr<const Run> load_run(const std::filesystem::path& file)
{
    return trace::reading(file, [&] { return read_run(h5::open_for_reading(file)); });
}

} // namespace keepset
