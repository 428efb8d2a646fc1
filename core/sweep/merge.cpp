#include "core/audit.h"
#include "core/error.h"
#include "core/result_files.h"
#include "core/trace/run_arrays.h"
#include "core/trace/run_file.h"
#include "core/words.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace keepset {

namespace {

    struct Part {
        std::string name; ///< 'file' in quotes, for sentences
        std::shared_ptr<const Run> run;
    };

    Part read_part(const std::filesystem::path& file)
    {
        std::string name("'");
        name += file.string();
        name += '\'';
        Part part { std::move(name), load_run(file) };
        if (!trace::has_all_arrays(*part.run))
            throw Error(ErrorKind::input,
                part.name
                    + " was written by an earlier version and lacks what every window gave, so that its windows "
                      "cannot be joined with others.",
                "Run its sweep again with this Keepset.");
        return part;
    }

    void refuse_other_sweep(const Part& first, const Part& part)
    {
        auto different = trace::difference(*first.run, *part.run, { "in " + first.name, "in " + part.name, false });
        if (!different && first.run->token_nll.empty() != part.run->token_nll.empty())
            different = "only one of them has the losses of tokens (--per-token)";
        if (different)
            throw Error(ErrorKind::usage,
                part.name + " holds another sweep than " + first.name + ": " + *different + ".",
                "Files are merged that differ in nothing but their windows, as those of --shard do.");
    }

    /// Adds the windows of a part to `all`, whose window w came from from[w].
    void add_part(const Part& part, Run& all, std::vector<const Part*>& from)
    {
        for (const std::int64_t window : done_windows(*part.run)) {
            const Part*& other = from[static_cast<std::size_t>(window)];
            if (other != nullptr && !trace::same_window(*other->run, *part.run, window))
                throw Error(ErrorKind::input,
                    "Window " + grouped(window + 1) + " is in " + other->name + " and in " + part.name
                        + ", and its losses or keep sets differ.",
                    "Leave out the file that is wrong; windows that came out the same may be in several.");
            if (other != nullptr)
                continue;
            trace::copy_window(*part.run, window, all);
            other = &part;
        }
    }

    /// Every value once, in the order met.
    template <typename Pick> std::string each_once(const std::vector<Part>& parts, const Pick& pick)
    {
        std::vector<std::string> seen;
        for (const Part& part : parts) {
            const std::string& value = pick(part.run->provenance);
            if (std::ranges::find(seen, value) == seen.end())
                seen.push_back(value);
        }
        return joined(seen);
    }

    /// The worse of two: the larger change before a changed token, where both are equal the smaller from it on.
    Perturbation worse_of(const Perturbation& a, const Perturbation& b)
    {
        if (std::isnan(a.before) || std::isnan(b.before))
            return std::isnan(a.before) ? b : a;
        if (a.before != b.before)
            return a.before > b.before ? a : b;
        return a.after < b.after ? a : b;
    }

} // namespace

std::shared_ptr<const Run> merge_runs(const std::vector<std::filesystem::path>& files, const std::string& command)
{
    std::vector<Part> parts;
    parts.reserve(files.size());
    for (const std::filesystem::path& file : files)
        parts.push_back(read_part(file));
    if (parts.empty())
        throw Error(ErrorKind::usage, "No run is given to be merged.");
    Run all = *parts.front().run;
    all.shard = {};
    trace::empty_arrays(all, !all.token_nll.empty());
    std::vector<const Part*> from(static_cast<std::size_t>(all.windows), nullptr);
    for (const Part& part : parts) {
        refuse_other_sweep(parts.front(), part);
        add_part(part, all, from);
        all.context_change = worse_of(all.context_change, part.run->context_change);
        all.target_change = worse_of(all.target_change, part.run->target_change);
        if (all.provenance.model_sha256.empty())
            all.provenance.model_sha256 = part.run->provenance.model_sha256;
    }
    all.provenance.created = timestamp();
    all.provenance.generator = each_once(
        parts, [](const Provenance& of) -> auto& { return of.generator; });
    all.provenance.device = each_once(
        parts, [](const Provenance& of) -> auto& { return of.device; });
    all.provenance.command = command + "; the first of " + counted(static_cast<std::int64_t>(parts.size()), "run")
        + " is of: " + parts.front().run->provenance.command;
    refresh_points(all);
    all.audit = audit(all);
    return std::make_shared<const Run>(std::move(all));
}

} // namespace keepset
