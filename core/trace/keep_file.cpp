#include "core/keep_file.h"

#include "core/model/safetensors.h"
#include "core/policy_files.h"
#include "core/sha256.h"
#include "core/trace/array_file.h"
#include "core/trace/trace.h"
#include "core/words.h"

#include <algorithm>
#include <cmath>

namespace keepset {

namespace {

    using trace::ArrayInfo;
    using trace::ArrayKind;

    std::string named(const std::filesystem::path& file)
    {
        std::string text = "'";
        text += file.string();
        text += '\'';
        return text;
    }

    bool has(const std::vector<std::string>& names, const std::string& name)
    {
        return std::ranges::find(names, name) != names.end();
    }

    /// Which of the two arrays a file has.
    std::string array_of(const std::vector<std::string>& names)
    {
        const bool scores = has(names, "scores");
        const bool keep = has(names, "keep");
        if (scores && keep)
            throw h5::Failure("it has scores and keep, and which of them is meant cannot be told: write one");
        if (!scores && !keep) {
            std::vector<std::string> first(
                names.begin(), names.begin() + std::min<std::ptrdiff_t>(6, std::ssize(names)));
            if (first.size() < names.size())
                first.emplace_back("…");
            throw h5::Failure("it has no array called scores or keep"
                + (names.empty() ? " and no other one" : " (it has: " + joined(first) + ")"));
        }
        return scores ? "scores" : "keep";
    }

    void check_array(const std::string& name, const ArrayInfo& info)
    {
        if (info.shape.size() != 3 && info.shape.size() != 4)
            throw h5::Failure(name + " has the dimensions " + trace::text_of(info.shape)
                + " where (layers, kv_heads, context), or of several windows (windows, layers, kv_heads, context), are "
                  "needed");
        if (std::ranges::any_of(info.shape, [](std::int64_t extent) { return extent < 1; }))
            throw h5::Failure(name + " is empty: its dimensions are " + trace::text_of(info.shape));
        if (name == "scores" && info.kind == ArrayKind::boolean)
            throw h5::Failure("scores holds true and false: an array of what is kept is called keep");
        if (name == "keep" && info.kind == ArrayKind::floating)
            throw h5::Failure("keep holds numbers with fractions where true and false are needed: an array that is "
                              "ranked is called scores");
    }

    /// tokens are those of the array's windows.
    void check_tokens(const ArrayInfo& tokens, const ArrayInfo& array)
    {
        std::vector<std::int64_t> wanted { array.shape.back() };
        if (array.shape.size() == 4)
            wanted.insert(wanted.begin(), array.shape.front());
        if (tokens.kind != ArrayKind::integer)
            throw h5::Failure("tokens are no whole numbers");
        if (tokens.shape != wanted)
            throw h5::Failure("tokens has the dimensions " + trace::text_of(tokens.shape) + " where the other array's "
                + trace::text_of(wanted) + " are needed");
    }

} // namespace

struct KeepFile::Impl {
    std::filesystem::path file;
    std::unique_ptr<trace::ArrayFile> arrays;
    std::string name; ///< "scores" or "keep"
    ArrayInfo info;
    bool tokens = false;

    bool by_window() const { return info.shape.size() == 4; }
    std::int64_t part(std::int64_t window) const { return by_window() ? window : -1; }
    /// "scores[2, 0, 1, 17]" and what the numbers are.
    std::string place_of(std::size_t index, std::int64_t window) const
    {
        const auto at = static_cast<std::int64_t>(index);
        const std::int64_t context = info.shape.back();
        const std::int64_t kv_heads = info.shape[info.shape.size() - 2];
        std::vector<std::int64_t> numbers { at / context / kv_heads, at / context % kv_heads, at % context };
        if (by_window())
            numbers.insert(numbers.begin(), window);
        return name + trace::text_of(numbers) + " (" + (by_window() ? "window, " : "") + "layer, kv head, position)";
    }
    void check_window(std::int64_t window) const;
    void check_sizes(const KeepFilePlace& place) const;
    void check_ids(const KeepFilePlace& place) const;
    void check_values(const std::vector<float>& values, std::int64_t window) const;
};

void KeepFile::Impl::check_window(std::int64_t window) const
{
    const std::int64_t windows = by_window() ? info.shape.front() : 1;
    if (window >= windows)
        throw Error(ErrorKind::input,
            named(file) + " holds " + counted(windows, "window") + ", and number " + grouped(window)
                + " (from 0) is asked for.",
            by_window()
                ? "Write one for each window of the sweep, or ask for fewer: --windows " + std::to_string(windows) + "."
                : "Write " + name + " as (windows, layers, kv_heads, context), or sweep one window: --windows 1.");
}

void KeepFile::Impl::check_sizes(const KeepFilePlace& place) const
{
    const auto context = static_cast<std::int64_t>(place.ids.size());
    const std::vector<std::int64_t> found(info.shape.end() - 3, info.shape.end());
    const std::vector<std::int64_t> wanted { place.layers, place.kv_heads, context };
    if (found == wanted)
        return;
    std::string hint = "Layers and kv heads are those of the model; of query heads write one row for each kv head.";
    if (found[0] == wanted[0] && found[1] == wanted[1])
        hint = "Use the context that the file was made for, " + counted(found[2], "token") + " (--context "
            + std::to_string(found[2]) + ").";
    throw Error(ErrorKind::input,
        named(file) + ": " + name + " is for (layers, kv_heads, context) = " + trace::text_of(found) + " where "
            + trace::text_of(wanted) + " are needed.",
        hint);
}

void KeepFile::Impl::check_ids(const KeepFilePlace& place) const
{
    const std::vector<std::int64_t> theirs = arrays->integers("tokens", part(place.window));
    const auto [mine, other] = std::ranges::mismatch(place.ids, theirs);
    if (mine == place.ids.end())
        return;
    const auto at = mine - place.ids.begin();
    std::string hint = "Write it for the same text, tokenizer, context and offset.";
    if (at == 0 && place.ids.size() > 1 && std::equal(place.ids.begin() + 1, place.ids.end(), theirs.begin()))
        hint = "Its tokens lack the BOS that every window begins with here.";
    else if (at == 0 && theirs.size() > 1 && std::equal(theirs.begin() + 1, theirs.end(), place.ids.begin()))
        hint = "Its tokens begin with a BOS, and this tokenizer.json puts none in front.";
    throw Error(ErrorKind::input,
        named(file) + " is for another text: token " + grouped(at) + " of window " + grouped(place.window)
            + " is number " + std::to_string(*other) + " there and " + std::to_string(*mine) + " here.",
        hint);
}

void KeepFile::Impl::check_values(const std::vector<float>& values, std::int64_t window) const
{
    const bool keep = name == "keep";
    const auto wrong = std::ranges::find_if(
        values, [keep](float value) { return keep ? value != 0 && value != 1 : !std::isfinite(value); });
    if (wrong != values.end())
        throw Error(ErrorKind::input,
            named(file) + ": " + place_of(static_cast<std::size_t>(wrong - values.begin()), window)
                + (keep ? " is " + shortest(static_cast<double>(*wrong)) + " where 1 (kept) or 0 is needed."
                        : std::string(" is not a finite number in float32, so that nothing can be ranked by it.")),
            keep ? "" : "What must stay gets a number above all others, what must go one below.");
    if (keep && std::ranges::find(values, 1.0F) == values.end())
        throw Error(
            ErrorKind::input, named(file) + ": keep has nothing that is kept in window " + grouped(window) + ".");
}

KeepFile::KeepFile(const std::filesystem::path& file)
    : impl_(std::make_unique<Impl>())
{
    if (file.empty())
        throw Error(ErrorKind::usage, "The policy file needs the path of a file.", "Write file(path=mine.h5).");
    trace::reading(file, [&] {
        impl_->file = file;
        impl_->arrays = trace::open_arrays(file);
        if (const std::string kind = impl_->arrays->attribute("keepset_format"); !kind.empty() && kind != "keep")
            throw h5::Failure("it is a " + kind + ", and a file of scores or keep sets is needed here");
        const std::vector<std::string> names = impl_->arrays->names();
        impl_->name = array_of(names);
        impl_->info = impl_->arrays->info(impl_->name);
        check_array(impl_->name, impl_->info);
        impl_->tokens = has(names, "tokens");
        if (impl_->tokens)
            check_tokens(impl_->arrays->info("tokens"), impl_->info);
    });
}

KeepFile::~KeepFile() = default;
KeepFile::KeepFile(KeepFile&&) noexcept = default;

bool KeepFile::holds_keep_sets() const { return impl_->name == "keep"; }
std::int64_t KeepFile::windows() const { return impl_->by_window() ? impl_->info.shape.front() : 1; }
bool KeepFile::has_tokens() const { return impl_->tokens; }
std::vector<std::int64_t> KeepFile::shape() const { return { impl_->info.shape.end() - 3, impl_->info.shape.end() }; }

std::vector<float> KeepFile::values(std::int64_t window) const
{
    return trace::reading(impl_->file, [&] {
        std::vector<float> values = impl_->arrays->floats(impl_->name, impl_->part(window));
        impl_->check_values(values, window);
        return values;
    });
}

std::vector<float> KeepFile::window(const KeepFilePlace& place) const
{
    return trace::reading(impl_->file, [&] {
        impl_->check_window(place.window);
        impl_->check_sizes(place);
        if (impl_->tokens)
            impl_->check_ids(place);
        return values(place.window);
    });
}

bool takes_keep_sets(const PolicySpec& policy)
{
    const auto files = files_of(policy);
    return policy.name == "file" && KeepFile(files.empty() ? std::string() : files.front()).holds_keep_sets();
}

std::vector<HashedFile> hashes_of(const std::vector<PolicySpec>& policies, const std::stop_token& stop)
{
    std::vector<HashedFile> files;
    for (const PolicySpec& policy : policies) {
        for (const std::string& path : files_of(policy)) {
            if (std::ranges::find(files, path, &HashedFile::path) != files.end())
                continue;
            const MappedFile map(path);
            files.push_back({ path, sha256({ map.data(), map.bytes() }, stop) });
            map.refuse_cut();
        }
    }
    return files;
}

void check_policy_files(const std::vector<PolicySpec>& policies)
{
    for (const PolicySpec& policy : policies) {
        (void)takes_keep_sets(policy);
        for (const std::string& file : files_of(policy)) {
            if (KeepFile(file).holds_keep_sets() && policy.name != "file")
                throw Error(ErrorKind::usage,
                    title(policy) + " ranks by scores, and " + named(file) + " holds keep sets.",
                    "Write scores, or use the keep sets as they are: " + canonical({ "file", { { "path", file } } })
                        + ".");
        }
    }
}

} // namespace keepset
