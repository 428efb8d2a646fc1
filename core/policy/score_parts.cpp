#include "core/policy/score_parts.h"

#include "core/attention/column_sums.h"
#include "core/attention/last_rows.h"
#include "core/error.h"
#include "core/words.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/avg_pool1d.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/linalg_vector_norm.h>

#include <algorithm>
#include <vector>

namespace keepset::policy {

namespace {
    /// Cells of P at a time: 256 MB.
    constexpr std::int64_t cells_at_once = std::int64_t { 1 } << 26U;

    void refuse_short(std::int64_t context, std::int64_t queries, const std::string& policy)
    {
        if (context <= queries)
            throw Error(ErrorKind::usage,
                policy + " ranks by the attention of the last " + counted(queries, "token") + ", and a context of "
                    + counted(context, "token") + " has no more.",
                "Give a longer context, or the policy a smaller window.");
    }
}

at::Tensor from_last_rows(const LayerPass& layer, std::int64_t queries, const std::string& policy,
    const std::function<at::Tensor(const at::Tensor& p, std::int64_t first_kv_head)>& make)
{
    const std::int64_t context = layer.k.size(1);
    refuse_short(context, queries, policy);
    const std::int64_t kv_heads = layer.k.size(0);
    const std::int64_t group = layer.q.size(0) / kv_heads;
    const std::int64_t together = std::clamp<std::int64_t>(cells_at_once / (group * queries * context), 1, kv_heads);
    std::vector<at::Tensor> rows;
    for (std::int64_t begin = 0; begin < kv_heads; begin += together) {
        if (layer.stop.stop_requested())
            throw Cancelled {};
        const std::int64_t end = std::min(begin + together, kv_heads);
        ScoreRule rule = layer.rule;
        if (rule.alibi_slopes.defined())
            rule.alibi_slopes = rule.alibi_slopes.slice(0, begin * group, end * group);
        rows.push_back(
            make(last_rows(layer.q.slice(0, begin * group, end * group), layer.k.slice(0, begin, end), rule, queries),
                begin));
    }
    return rows.size() == 1 ? rows.front() : at::cat(rows);
}

at::Tensor mean_of_last_rows(const LayerPass& layer, std::int64_t queries, const std::string& policy)
{
    const std::int64_t context = layer.k.size(1);
    refuse_short(context, queries, policy);
    const std::int64_t first = layer.q.size(1) - queries;
    const at::Tensor sums = column_sums(
        layer.q.slice(1, first), layer.k, layer.row_lse.slice(1, first), layer.rule, layer.backend, { layer.stop });
    return group_mean(sums, layer.k.size(0)).div_(queries);
}

at::Tensor group_mean(const at::Tensor& by_head, std::int64_t kv_heads)
{
    return by_head.unflatten(0, { kv_heads, by_head.size(0) / kv_heads }).mean(1);
}

at::Tensor average_pooled(const at::Tensor& rows, std::int64_t kernel)
{
    return at::avg_pool1d(rows.unsqueeze(0), kernel, 1, kernel / 2)[0];
}

at::Tensor norms(const at::Tensor& x) { return at::linalg_vector_norm(x, 2, { -1 }, false, at::kFloat); }

void check_kernel(const std::string& policy, std::int64_t kernel)
{
    if (kernel % 2 == 0)
        throw Error(ErrorKind::usage, policy + ": a kernel of " + grouped(kernel) + " has no middle.",
            "Give an odd number, such as 5.");
}

kernels::SelectPlan ends_and_highest(std::int64_t first, std::int64_t last, std::int64_t budget)
{
    const std::int64_t sinks = std::min(first, budget);
    const std::int64_t local = std::min(last, budget - sinks);
    return { .sinks = sinks, .local = local, .highest = budget - sinks - local };
}

} // namespace keepset::policy
