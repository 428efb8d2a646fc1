#include "core/error.h"
#include "core/policy/score_parts.h"
#include "core/words.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/argsort.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/softmax.h>

#include <algorithm>

namespace keepset::policy {

namespace {

    /// How a context is parted: sinks, then partitions of `lag`, each but the last of which is ranked.
    struct Parts {
        std::int64_t sinks = 0;
        std::int64_t ranked = 0; ///< positions of the partitions that are ranked; 0: the context is too short for one
        std::int64_t tail = 0; ///< positions behind them, kept

        Parts(const Settings& settings, std::int64_t context)
            : sinks(std::min(settings.count("sinks"), context))
        {
            const std::int64_t lag = settings.count("lag");
            ranked = std::max<std::int64_t>(0, ((context - sinks) / lag - 1) * lag);
            tail = context - sinks - ranked;
        }
    };

    /// x (kv_heads, context, dim): how far each position of a partition spreads by the range of the next one, as shares
    /// of its partition: (kv_heads, partitions, lag).
    at::Tensor spread(const at::Tensor& x, const Parts& parts, std::int64_t lag)
    {
        const at::Tensor all = x.to(at::kFloat)
                                   .slice(1, parts.sinks, parts.sinks + parts.ranked + lag)
                                   .unflatten(1, { -1, lag }); // (kv_heads, partitions + 1, lag, dim)
        const at::Tensor next = all.slice(1, 1);
        const at::Tensor least = next.amin(2, true);
        const at::Tensor scaled = (all.slice(1, 0, -1) - least) / (next.amax(2, true) - least);
        return at::softmax(scaled.std(-1), -1);
    }

    at::Tensor score(const LayerPass& layer, const Settings& settings)
    {
        const std::int64_t context = layer.k.size(1);
        const std::int64_t lag = settings.count("lag");
        const Parts parts(settings, context);
        if (parts.ranked == 0)
            return layer.k.new_zeros({ layer.k.size(0), context }, at::kFloat);
        const at::Tensor both = (spread(layer.k, parts, lag) + spread(layer.v, parts, lag)) / 2;
        const at::Tensor places = at::arange(lag, both.options()).div_(lag).expand_as(both);
        const at::Tensor ranks = at::empty_like(both).scatter_(-1, both.argsort(true, -1), places);
        return at::constant_pad_nd(ranks.flatten(1), { parts.sinks, parts.tail });
    }

    kernels::SelectPlan plan(const Share& share, const Settings& settings)
    {
        const Parts parts(settings, share.context);
        if (parts.ranked == 0) // too short to compare anything: sinks and recency
            return ends_and_highest(parts.sinks, share.budget, share.budget);
        if (parts.sinks + parts.tail > share.budget)
            throw Error(ErrorKind::usage,
                "lagkv always keeps its first " + grouped(parts.sinks) + " and last " + grouped(parts.tail)
                    + " tokens, more than the budget of " + grouped(share.budget) + " of "
                    + counted(share.context, "token") + ".",
                "Choose a lower sparsity or a smaller lag.");
        return ends_and_highest(parts.sinks, parts.tail, share.budget);
    }

} // namespace

Policy lagkv()
{
    return {
        .info = { .name = "lagkv",
            .title = "LagKV",
            .description = "Keeps the first tokens, the last ones and, of the rest, those whose keys and values stand "
                           "out most against the tokens that follow.",
            .parameters = { { .name = "sinks",
                                .description = "First tokens that are always kept",
                                .default_value = "4",
                                .kind = ParameterKind::whole,
                                .maximum = 1e6,
                                .of_score = true },
                { .name = "lag",
                    .description = "Tokens of a partition, each of which is compared with the next one",
                    .default_value = "128",
                    .kind = ParameterKind::whole,
                    .minimum = 2,
                    .maximum = 1e6,
                    .of_score = true } },
            .labels = { Label::sink, Label::local, Label::important },
            .ranks_by = ScoreOf::own,
            .score = "rank within its partition by the spread of key and value, scaled by the range of the next "
                     "partition; partitions have equal ranks, so that position decides among them",
            .source = "Liang et al., LagKV: Lag-Relative Information of the KV Cache (arXiv 2504.04704)" },
        .plan = plan,
        .score = score,
        .parts = { .keys = true, .values = true },
    };
}

} // namespace keepset::policy
