#include "core/trace/run_file.h"

#include "core/error.h"
#include "core/result_files.h"
#include "core/trace/run_arrays.h"
#include "core/trace/run_schema.h"
#include "core/trace/trace.h"

#include <algorithm>
#include <utility>

namespace keepset::trace {

namespace {

    using h5::DatasetSpec;
    using Shape = std::vector<hsize_t>;

    constexpr std::size_t audit_rows = check_names.size();
    constexpr std::size_t detail_bytes = 4000;
    constexpr const char* overwrite_hint = "Add --force to overwrite it, or --resume to go on with it.";

    const std::vector<std::string> by_point { "point" };
    const std::vector<std::string> by_window { "window" };
    const std::vector<std::string> by_point_and_window { "point", "window" };

    hsize_t size_of(std::int64_t count) { return static_cast<hsize_t>(count); }

    /// Makes a dataset and fills it from `values`, or leaves it at `fill` where there are none yet.
    template <typename T> void make(hid_t file, const DatasetSpec& spec, T fill, const std::vector<T>& values)
    {
        DatasetSpec typed = spec;
        typed.type = h5::native<T>();
        typed.fill = &fill;
        std::size_t count = 1;
        for (const hsize_t extent : spec.shape)
            count *= extent;
        if (!values.empty() && values.size() != count)
            throw Error(
                ErrorKind::internal, "a run whose arrays do not fit one another was to be saved (" + spec.path + ")");
        const h5::Handle dataset = h5::create_dataset(file, typed);
        if (!values.empty())
            h5::check(
                H5Dwrite(dataset, typed.type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), "writing " + spec.path);
    }

    void make_window_arrays(hid_t file, const Run& run)
    {
        h5::create_group(file, "/sweep/window");
        make<std::uint8_t>(file,
            { "/sweep/window/done", -1, { size_of(run.windows) }, {}, nullptr, "1",
                "1 where the window is done, whatever its losses came out as; else 0", by_window },
            0, run.done);
        for_run_arrays([&](const auto& array) {
            const auto& values = run.*array.member;
            if (values.empty() && !array.always) // from a file of an earlier version
                return;
            Shape shape { size_of(run.windows) };
            if (array.by_point)
                shape.insert(shape.begin(), run.points.size());
            make(file,
                { array.path, -1, shape, {}, nullptr, array.units, array.description,
                    array.by_point ? by_point_and_window : by_window },
                array.fill, values);
        });
    }

    void make_token_nll(hid_t file, const Run& run)
    {
        h5::create_axis(file, "target", std::max<std::int64_t>(run.target - 1, 0), 1, "scored position in the target");
        const Shape shape { run.points.size(), size_of(run.windows),
            size_of(std::max<std::int64_t>(run.target - 1, 0)) };
        make<float>(file,
            { "/sweep/token_nll", -1, shape, {}, nullptr, "nats",
                "Negative log-likelihood of every scored token; NaN until its window is done",
                { "point", "window", "target" } },
            static_cast<float>(not_a_number), run.token_nll);
        if (!run.has_short_pass() || (run.short_nll.empty() && !run.token_nll.empty())) // of an earlier version
            return;
        make<float>(file,
            { "/sweep/short_nll", -1, { shape[1], shape[2] }, {}, nullptr, "nats",
                "Negative log-likelihood of every scored token where the model reads the last context tokens only",
                { "window", "target" } },
            static_cast<float>(not_a_number), run.short_nll);
    }

    void make_points(hid_t file, const Run& run)
    {
        const h5::Table table = table_of(run.points, policy_bytes_of(run.points));
        const h5::Handle type = table.type();
        const std::string units
            = "policy: name, sparsity: share, budget: entries, windows: windows, scored_tokens: tokens, "
              "nll_sum: nats, perplexity: 1, ci_low: 1, ci_high: 1, kl: nats, top1_agreement: share, "
              "kept_mass: share, seconds: s";
        for (const char* path : { "/sweep/points", "/sweep/points_before" }) {
            const std::string when = path == std::string("/sweep/points")
                ? "Every policy at every sparsity, over the windows done so far"
                : "The table of points as of the window before, which counts where a kill tore the other";
            const h5::Handle dataset
                = h5::create_dataset(file, { path, type, { run.points.size() }, {}, nullptr, units, when, by_point });
            table.write(dataset, path);
        }
    }

    void write_run(const std::filesystem::path& file, const Run& run, bool per_token)
    {
        writing(file, [&] {
            h5::MemoryFile memory;
            const hid_t id = memory.id();
            write_root(id, "run", run.provenance);
            h5::create_group(id, "/axes");
            h5::create_axis(id, "point", static_cast<std::int64_t>(run.points.size()), 0, "row of /sweep/points");
            h5::create_axis(id, "window", run.windows, 0, "window of the text");
            write_sweep_attributes(h5::create_group(id, "/sweep"), run);
            write_files(id, run.files);
            make_points(id, run);
            make_window_arrays(id, run);
            if (per_token)
                make_token_nll(id, run);
            create_audit(id, std::max(audit_rows, run.audit.checks.size()), detail_bytes);
            trace::write_audit(id, run.audit);
            const auto [data, bytes] = memory.finish();
            write_whole(file, data, bytes);
        });
    }

    /// Writes the elements of one window of a dataset whose windows are on `axis`.
    template <typename T> void write_column(
        hid_t file, const std::string& path, const std::vector<T>& values, std::int64_t window, std::size_t axis)
    {
        const h5::Handle dataset = h5::open_dataset(file, path);
        const Shape shape = h5::shape_of(dataset);
        std::size_t total = 1;
        for (const hsize_t extent : shape)
            total *= extent;
        if (values.size() != total || size_of(window) >= shape[axis])
            throw Error(ErrorKind::internal, "a window of a run does not fit " + path + " of its file");
        Shape start(shape.size(), 0);
        Shape count = shape;
        start[axis] = size_of(window);
        count[axis] = 1;
        const h5::Handle space(H5Dget_space(dataset), H5Sclose, path);
        h5::check(H5Sselect_hyperslab(space, H5S_SELECT_SET, start.data(), nullptr, count.data(), nullptr), path);
        h5::check(H5Dwrite(dataset, h5::native<T>(), space, space, H5P_DEFAULT, values.data()), "writing " + path);
    }

    /// Whether an audit of today fits its table; one of an earlier version had fewer checks.
    bool has_room_for_audit(const std::filesystem::path& file)
    {
        return reading(file, [&] {
            const h5::Handle open = h5::open_for_reading(file);
            return h5::shape_of(h5::open_dataset(open, "/audit")).at(0) >= audit_rows;
        });
    }

    void write_points(hid_t file, const std::string& path, const std::vector<SweepPoint>& points)
    {
        const h5::Handle dataset = h5::open_dataset(file, path);
        const h5::Handle type(H5Dget_type(dataset), H5Tclose, path);
        const h5::Handle policy(H5Tget_member_type(type, 0), H5Tclose, path);
        if (h5::shape_of(dataset) != Shape { points.size() })
            throw Error(ErrorKind::internal, "the points of a run are not those of its file");
        table_of(points, H5Tget_size(policy)).write(dataset, path);
        h5::check(H5Fflush(file, H5F_SCOPE_GLOBAL), "flushing " + path);
    }

    /// The flags go last: what they speak of is on the disk before.
    void write_columns(
        hid_t file, const std::filesystem::path& path, const Run& run, std::span<const std::int64_t> windows)
    {
        for (const std::int64_t window : windows) {
            for_run_arrays([&](const auto& array) {
                write_column(file, array.path, run.*array.member, window, array.by_point ? 1 : 0);
            });
            if (h5::exists(file, "/sweep/token_nll"))
                write_column(file, "/sweep/token_nll", run.token_nll, window, 1);
            if (h5::exists(file, "/sweep/short_nll"))
                write_column(file, "/sweep/short_nll", run.short_nll, window, 0);
        }
        h5::check(H5Fflush(file, H5F_SCOPE_GLOBAL), "flushing the window");
        sync_file(path);
        for (const std::int64_t window : windows)
            write_column(file, "/sweep/window/done", run.done, window, 0);
        h5::check(H5Fflush(file, H5F_SCOPE_GLOBAL), "flushing the window's flag");
    }

} // namespace

RunFile::Pending::Pending(std::filesystem::path name)
    : file(std::move(name))
{
}

RunFile::Pending::~Pending()
{
    std::error_code ignored;
    if (!file.empty())
        std::filesystem::remove(file, ignored);
}

RunFile::Pending::Pending(Pending&& other) noexcept
    : file(std::exchange(other.file, {}))
{
}

RunFile::Pending& RunFile::Pending::operator=(Pending&& other) noexcept
{
    std::swap(file, other.file);
    return *this;
}

RunFile::RunFile(std::filesystem::path target, WriterLock lock, const Run& run)
    : target_(std::move(target))
    , lock_(std::move(lock))
    , points_(run.points)
    , knows_weights_(!run.provenance.model_sha256.empty())
{
}

RunFile RunFile::create(const std::filesystem::path& file, const Run& empty_run, bool per_token, bool force)
{
    const std::filesystem::path target = resolved(file);
    check_output(target, force, overwrite_hint);
    WriterLock lock(target);
    check_output(target, force, overwrite_hint); // another writer may have finished meanwhile
    RunFile made(target, std::move(lock), empty_run);
    std::error_code error;
    if (std::filesystem::exists(target, error))
        made.pending_ = Pending(target.string() + ".new");
    if (!has_all_arrays(empty_run))
        throw Error(ErrorKind::internal, "a run without room for its windows was to be written");
    write_run(made.file(), empty_run, per_token);
    return made;
}

RunFile RunFile::resume(const std::filesystem::path& file, Run& there)
{
    const std::filesystem::path target = resolved(file);
    std::error_code error;
    if (!std::filesystem::is_regular_file(target, error))
        load_run(target); // says what it is instead
    WriterLock lock(target);
    there = *load_run(target);
    if (const std::string version = summary(target).format_version; version != format_version)
        throw Error(ErrorKind::usage,
            "'" + file.string() + "' has the format " + version + ", and this Keepset writes " + format_version
                + ", so that its windows cannot be added to that file.",
            "Go on with the Keepset that began it, or choose another file.");
    if (!has_all_arrays(there))
        throw Error(ErrorKind::usage,
            "'" + file.string() + "' was made from a file of an earlier version and lacks what every window of today "
                + "has, so that none can be added.",
            "Begin a new file.");
    if (!h5::is_closed(target) || !has_room_for_audit(target))
        write_run(target, there, !there.token_nll.empty());
    return { target, std::move(lock), there };
}

void RunFile::note_generator(const std::string& generator, Run& there)
{
    std::string& made_by = there.provenance.generator;
    if (made_by.ends_with(generator))
        return;
    const std::int64_t done = there.windows_done();
    made_by = done == 0 ? generator : made_by + ", from window " + std::to_string(done + 1) + " on " + generator;
    write_run(target_, there, !there.token_nll.empty()); // attributes cannot grow in a file that is read live
}

void RunFile::write_windows(const Run& run, std::span<const std::int64_t> windows)
{
    const auto done = std::ranges::count_if(run.done, [](std::uint8_t flag) { return flag != 0; });
    const auto complete = [done](const SweepPoint& point) { return point.windows == done; };
    const bool flagged = std::ranges::all_of(windows, [&](std::int64_t window) { return window_done(run, window); });
    if (run.points.empty() || !flagged || !std::ranges::all_of(run.points, complete))
        throw Error(ErrorKind::internal, "the points of a run do not cover the windows written");
    writing(file(), [&] {
        h5::Handle open = h5::open_for_live_writing(file());
        write_columns(open, file(), run, windows);
        write_points(open, "/sweep/points_before", points_);
        sync_file(file());
        write_points(open, "/sweep/points", run.points);
        open.close("closing it");
        sync_file(file());
    });
    points_ = run.points;
    publish();
    write_weights_hash(run);
}

void RunFile::write_weights_hash(const Run& run)
{
    if (knows_weights_ || run.provenance.model_sha256.empty())
        return;
    writing(file(), [&] {
        h5::Handle open = h5::open_for_live_writing(file());
        h5::rewrite_attribute(open, "model_sha256", run.provenance.model_sha256);
        h5::check(H5Fflush(open, H5F_SCOPE_GLOBAL), "flushing the hash of the weights");
        open.close("closing it");
    });
    knows_weights_ = true;
}

void RunFile::write_audit(const Run& run)
{
    writing(file(), [&] {
        h5::Handle open = h5::open_for_live_writing(file());
        trace::write_audit(open, run.audit);
        h5::check(H5Fflush(open, H5F_SCOPE_GLOBAL), "flushing the audit");
        open.close("closing it");
        sync_file(file());
    });
    publish();
}

void RunFile::publish()
{
    if (pending_.file.empty())
        return;
    rename_whole(pending_.file, target_);
    pending_.file.clear();
}

} // namespace keepset::trace

namespace keepset {

void save(const Run& run, const std::filesystem::path& file, bool force)
{
    const bool waits = run.provenance.model_sha256.empty() && run.provenance.weights_hash;
    Run known = waits ? run : Run {};
    know_weights(known.provenance);
    const Run& whole = waits ? known : run;
    const std::filesystem::path target = trace::resolved(file);
    check_output(target, force, trace::overwrite_hint);
    const trace::WriterLock lock(target);
    check_output(target, force, trace::overwrite_hint); // another writer may have finished meanwhile
    trace::write_run(target, whole, !run.token_nll.empty());
}

} // namespace keepset
