#include "core/policy/choosing.h"
#include "core/policy/uneven.h"
#include "core/words.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/where.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace keepset::policy {

namespace {

    /// Mean of x (layers, context) double over chunks of `size`, the last of which may be short: (layers, chunks)
    /// float32.
    at::Tensor chunk_means(const at::Tensor& x, std::int64_t size)
    {
        const std::int64_t whole = x.size(1) / size * size;
        std::vector<at::Tensor> parts;
        if (whole > 0)
            parts.push_back(x.slice(1, 0, whole).unflatten(1, { -1, size }).mean(2));
        if (whole < x.size(1))
            parts.push_back(x.slice(1, whole).mean(1, true));
        return at::cat(parts, 1).to(at::kFloat).contiguous();
    }

    std::int64_t chunks_kept(const Choosing& from, std::int64_t chunks)
    {
        const Share& share = from.point.share;
        const SelectRequest& request = from.point.request;
        if (request.budget > 0 || share.budget != from.point.budget) // a count, or what pins leave of it
            return std::clamp<std::int64_t>(chunks * share.budget / std::max<std::int64_t>(1, share.context),
                std::min<std::int64_t>(1, share.budget), chunks);
        return share.budget == share.context ? chunks : budget_of(request.sparsity, chunks, request.rounding);
    }

    /// Chunks with a token that `sink` or `recent` protect come before all others: means (layers, chunks).
    void protect(at::Tensor& means, const Choosing& from, std::int64_t size)
    {
        const kernels::SelectPlan& ends = from.point.plan;
        if (ends.sinks > 0)
            means.slice(1, 0, (ends.sinks + size - 1) / size).fill_(std::numeric_limits<float>::max());
        if (ends.local > 0)
            means.slice(1, (from.table.context - ends.local) / size).fill_(std::numeric_limits<float>::max());
    }

    at::Tensor choose(const Choosing& from, const Settings& settings)
    {
        const Inner of(from, settings);
        const std::int64_t context = from.table.context;
        const std::int64_t size = std::min(settings.count("chunk"), context);
        const at::Tensor ends = from.labels(of.scores, of.ends(context));
        // What is protected stands above every score of its layer.
        const at::Tensor by_layer = of.scores.view({ -1, from.rows_of_layer(), context }); // (layers, rows, context)
        const at::Tensor above = by_layer.amax({ 1, 2 }, true) + 1;
        // The mean over the heads ranks as their sum does.
        const at::Tensor scores = at::where(ends.ne(0).view_as(by_layer), above, by_layer).to(at::kDouble).mean(1);
        at::Tensor means = chunk_means(scores, size);
        protect(means, from, size);
        const at::Tensor chosen = from.labels(means, { .highest = chunks_kept(from, means.size(1)) });
        const at::Tensor kept = chosen.repeat_interleave(size, 1).slice(1, 0, context); // (layers, context)
        return kept.unsqueeze(1).expand_as(by_layer).reshape({ -1, context });
    }

} // namespace

Policy chunkkv()
{
    return {
        .info = { .name = "chunkkv",
            .title = "ChunkKV",
            .description = "Keeps whole chunks of the text, those that another policy ranks highest in the mean, the "
                           "same in all heads of a layer.",
            .parameters = { { .name = "of",
                                .description = "Policy whose score is used",
                                .default_value = "snapkv",
                                .kind = ParameterKind::policy },
                { .name = "chunk",
                    .description = "Tokens of a chunk",
                    .default_value = "20",
                    .kind = ParameterKind::whole,
                    .minimum = 1,
                    .maximum = 1e6 } },
            .labels = { Label::important },
            .ranks_by = ScoreOf::own,
            .score = "the other policy's, summed over the kv heads of a layer, mean over the chunk",
            .source = "Liu et al., ChunkKV: Semantic-Preserving KV Cache Compression for Efficient Long-Context LLM "
                      "Inference (arXiv 2502.00299), as kvpress ChunkKVPress has it",
            .shares = Sharing::layer },
        .choose = choose,
        .explain =
            [](const Case& of) {
                return std::string(of.label == Label::evicted ? "Evicted: its chunk is not" : "Kept: its chunk is one")
                    + " of those that " + of.title + " ranks highest in its layer.";
            },
        .check = [](const Settings& settings) { check_inner("chunkkv", settings); },
    };
}

} // namespace keepset::policy
