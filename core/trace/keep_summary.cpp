#include "core/keep_summary.h"

#include "core/keep_file.h"
#include "core/policy_files.h"
#include "core/trace/array_file.h"
#include "core/trace/trace.h"

#include <algorithm>

namespace keepset {

namespace {

    using trace::ArrayFile;
    using trace::ArrayKind;

    bool has_array(const ArrayFile& file, const std::string& name)
    {
        const std::vector<std::string> names = file.names();
        return std::ranges::find(names, name) != names.end();
    }

    KeepArray describe_array(const ArrayFile& file, const std::string& name)
    {
        try {
            const trace::ArrayInfo info = file.info(name);
            return { name,
                info.kind == ArrayKind::floating      ? "floating"
                    : info.kind == ArrayKind::boolean ? "boolean"
                                                      : "whole",
                info.shape };
        } catch (const h5::Failure&) { // a group, or text
            return { name, "", {} };
        }
    }

    /// What is to be said of one layer at a time: of keep sets a number a row, of scores each of them.
    struct Numbers {
        KeepLayer layer;
        std::int64_t count = 0;

        void add(double value)
        {
            layer.least = count == 0 ? value : std::min(layer.least, value);
            layer.most = count == 0 ? value : std::max(layer.most, value);
            layer.mean += value;
            ++count;
        }
        KeepLayer whole() const { return { layer.least, layer.mean / static_cast<double>(count), layer.most }; }
    };

    void add_window(const std::vector<float>& values, const KeepSummary& of, std::vector<Numbers>& layers)
    {
        const auto rows = of.layers * of.kv_heads;
        for (std::int64_t row = 0; row < rows; ++row) {
            Numbers& layer = layers[static_cast<std::size_t>(row / of.kv_heads)];
            const auto first = values.begin() + row * of.context;
            if (of.keep_sets)
                layer.add(static_cast<double>(std::count(first, first + of.context, 1.0F)));
            else
                std::for_each(first, first + of.context, [&](float score) { layer.add(static_cast<double>(score)); });
        }
    }

    /// Fills in what the policy would make of the file, until something is wrong.
    void describe_values(const std::filesystem::path& file, const std::stop_token& stop, KeepSummary& found)
    {
        const KeepFile policy(file);
        const std::vector<std::int64_t> shape = policy.shape();
        found.keep_sets = policy.holds_keep_sets();
        found.tokens = policy.has_tokens();
        found.windows = policy.windows();
        found.layers = shape[0];
        found.kv_heads = shape[1];
        found.context = shape[2];
        std::vector<Numbers> layers(static_cast<std::size_t>(found.layers));
        for (std::int64_t window = 0; window < found.windows; ++window) {
            if (stop.stop_requested())
                throw Cancelled {};
            add_window(policy.values(window), found, layers);
        }
        for (const Numbers& layer : layers)
            found.by_layer.push_back(layer.whole());
    }

} // namespace

bool is_keep_file(const std::filesystem::path& file)
{
    try {
        return trace::reading(file, [&] {
            const auto arrays = trace::open_arrays(file);
            const std::string format = arrays->attribute("keepset_format");
            const bool named = has_array(*arrays, "scores") || has_array(*arrays, "keep");
            return format == "keep" || (format.empty() && (named || arrays->container() == "npz"));
        });
    } catch (const Error&) { // whoever opens it says what it is instead
        return false;
    }
}

KeepSummary describe_keep_file(const std::filesystem::path& file, const std::stop_token& stop)
{
    KeepSummary found;
    trace::reading(file, [&] {
        const auto arrays = trace::open_arrays(file);
        found.container = arrays->container();
        found.model_name = arrays->attribute("model_name");
        found.text_name = arrays->attribute("text_name");
        for (const std::string& name : arrays->names())
            found.arrays.push_back(describe_array(*arrays, name));
    });
    found.sha256 = hashes_of({ { "file", { { "path", file.string() } } } }, stop).front().sha256;
    try {
        describe_values(file, stop, found);
    } catch (const Error& error) {
        found.problem = error.sentence();
    }
    return found;
}

void refuse_keep_file(const std::filesystem::path& file)
{
    if (is_keep_file(file))
        throw Error(ErrorKind::input,
            "'" + file.string() + "' holds scores or keep sets of a method of one's own, and no result.",
            "Choose the policy File and give it this path: " + canonical({ "file", { { "path", file.string() } } })
                + ".");
}

} // namespace keepset
