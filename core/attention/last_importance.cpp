#include "core/attention/last_importance.h"

#include "core/attention/attention_source.h"
#include "core/device/device.h"
#include "core/error.h"
#include "core/preflight.h"
#include "core/task.h"
#include "core/words.h"

#include <ATen/ops/from_blob.h>

#include <utility>

namespace keepset {

namespace {

    using Words = std::pair<std::string, std::string>;

    Words too_long(const Importance& importance, std::int64_t context)
    {
        return { "Importance '" + name_of(importance) + "' sums over " + queries_of(importance) + ", and a context of "
                + counted(context, "token") + " has no more than " + grouped(context) + ".",
            "Choose a window of at most " + grouped(context) + ", or a longer context." };
    }

    Words no_attention(const Analysis& analysis, const Importance& importance)
    {
        const std::string missing = "This result does not hold the importance '" + name_of(importance) + "', and ";
        const std::string hint = "Analyse the text with this importance chosen.";
        if (!analysis.no_attention.empty())
            return { missing + "its queries and keys were not kept, for want of memory. " + analysis.no_attention,
                hint };
        return { missing + "has no queries and keys to make it from; a trace file has none.", hint };
    }

    /// (heads, context) of one layer.
    at::Tensor of_layer(const AttentionSource& source, std::size_t index, std::int64_t queries, const Task& task)
    {
        const AttentionSource::Layer& layer = source.layers[index];
        const std::int64_t first = layer.q.size(1) - queries;
        return column_sums(
            layer.q.slice(1, first), layer.k, layer.row_lse.slice(1, first), layer.rule, source.backend, { task.stop });
    }

} // namespace

std::shared_ptr<const std::vector<float>> find_importance(const Analysis& analysis, const Importance& importance)
{
    if (importance.last_queries() == 0)
        return nullptr;
    if (const auto found = analysis.by_last_queries.find(importance); found != analysis.by_last_queries.end())
        return found->second;
    return analysis.attention ? analysis.attention->made->find(importance) : nullptr;
}

std::shared_ptr<const std::vector<float>> importance_of(const Analysis& analysis, const Importance& importance)
{
    auto found = find_importance(analysis, importance);
    if (found || importance.last_queries() == 0)
        return found;
    const auto [words, hint] = no_importance(analysis, importance);
    if (words.empty())
        throw Error(ErrorKind::usage, "The importance '" + name_of(importance) + "' was not made of this result.",
            "Analyse the text with this importance chosen.");
    throw Error(ErrorKind::usage, words, hint);
}

void refuse_long_window(const Importance& importance, std::int64_t context)
{
    if (importance.last_queries() <= context)
        return;
    const auto [words, hint] = too_long(importance, context);
    throw Error(ErrorKind::usage, words, hint);
}

bool has_importance(const Analysis& analysis, const Importance& importance)
{
    return importance.last_queries() == 0 || find_importance(analysis, importance) != nullptr;
}

std::pair<std::string, std::string> no_importance(const Analysis& analysis, const Importance& importance)
{
    if (has_importance(analysis, importance))
        return {};
    if (importance.last_queries() > analysis.context)
        return too_long(importance, analysis.context);
    return analysis.attention ? Words() : no_attention(analysis, importance);
}

void make_importance(const Analysis& analysis, const Importance& importance, const Task& task)
{
    if (has_importance(analysis, importance))
        return;
    if (const auto [words, hint] = no_importance(analysis, importance); !words.empty())
        throw Error(ErrorKind::usage, words, hint);
    const AttentionSource& source = *analysis.attention;
    std::vector<float> values(analysis.importance.size());
    guarded(source.backend.threads, [&] {
        const std::int64_t layers = analysis.layers;
        const std::int64_t size = analysis.heads * analysis.context;
        for (std::int64_t layer = 0; layer < layers; ++layer) {
            if (task.stop.stop_requested())
                throw Cancelled {};
            const at::Tensor sums = of_layer(source, static_cast<std::size_t>(layer), importance.last_queries(), task);
            at::from_blob(values.data() + layer * size, sums.sizes(), at::kFloat).copy_(sums);
            if (task.progress)
                task.progress({ "attention of the last queries", "layers", layer + 1, layers });
        }
    });
    source.made->keep(importance, std::make_shared<const std::vector<float>>(std::move(values)));
}

} // namespace keepset
