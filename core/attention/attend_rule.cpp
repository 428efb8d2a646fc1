#include "core/attention/attend_rule.h"

#include "core/error.h"
#include "kernels/score_rule.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/bmm.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <limits>

namespace keepset {

namespace {

    /// Scores that are in memory at once: on a CPU they stay in its caches, and a block is done in a few
    /// milliseconds; a GPU wants more work a call.
    constexpr std::int64_t cpu_cells = 1 << 20;
    constexpr std::int64_t cuda_cells = 1 << 26;
    constexpr std::int64_t most_rows = 256; ///< queries of a block: few beside the window that they reach back

    struct Range {
        std::int64_t begin = 0;
        std::int64_t end = 0;
    };

    /// The heads `range` of x (heads, …), or the rows of x (heads, rows, …).
    at::Tensor heads_of(const at::Tensor& x, const Range& range) { return x.slice(0, range.begin, range.end); }
    at::Tensor rows_of(const at::Tensor& x, const Range& range) { return x.slice(1, range.begin, range.end); }

    /// One sample's attention by a rule.
    struct Problem {
        at::Tensor q; // (heads, queries, head_dim)
        at::Tensor k; // (kv_heads, keys, head_dim)
        at::Tensor v; // (kv_heads, keys, head_dim)
        at::Tensor query_places = {}; // (1 or kv_heads, queries)
        at::Tensor key_places = {}; // (1 or kv_heads, keys)
        at::Tensor bias = {}; // (heads, keys) float32, or undefined
        bool in_order = false; ///< query i and key i both stand at i, so that a block needs the keys up to its own only

        std::int64_t group() const { return q.size(0) / k.size(0); }
        Range keys_of(const Range& queries, const ScoreRule& rule) const
        {
            if (!in_order)
                return { 0, k.size(1) };
            return { rule.window == 0 ? 0 : std::max<std::int64_t>(0, queries.begin - rule.window + 1), queries.end };
        }
    };

    /// The part of a problem that some kv heads have, keys and values in float32.
    Problem part_of(const Problem& all, const Range& kv)
    {
        const Range heads { kv.begin * all.group(), kv.end * all.group() };
        Problem part = all;
        part.q = heads_of(all.q, heads);
        part.k = heads_of(all.k, kv).to(at::kFloat);
        part.v = heads_of(all.v, kv).to(at::kFloat);
        if (all.query_places.size(0) > 1)
            part.query_places = heads_of(all.query_places, kv);
        if (all.key_places.size(0) > 1)
            part.key_places = heads_of(all.key_places, kv);
        if (all.bias.defined())
            part.bias = heads_of(all.bias, heads);
        return part;
    }

    /// Which keys these queries do not see: (1 or kv_heads, 1, queries, keys).
    at::Tensor hidden_keys(const Problem& part, const ScoreRule& rule, const Range& queries, const Range& keys)
    {
        const at::Tensor places = rows_of(part.query_places, queries).unsqueeze(2); // (1 or kv_heads, queries, 1)
        const at::Tensor back = places - rows_of(part.key_places, keys).unsqueeze(1); // how far back a key stands
        at::Tensor hidden = back.lt(0);
        if (rule.window > 0)
            hidden.logical_or_(back.ge(rule.window));
        return hidden.unsqueeze(1);
    }

    /// Gives -inf to the scores (kv_heads, group, queries, keys) of keys that a query does not see. In order these
    /// stand at the ends alone: beside the block's own keys, and before the last query's window.
    void hide_keys(
        const Problem& part, const ScoreRule& rule, const Range& queries, const Range& keys, const at::Tensor& scores)
    {
        const auto hide = [&](const Range& some) {
            if (some.begin < some.end)
                scores.slice(3, some.begin - keys.begin, some.end - keys.begin)
                    .masked_fill_(hidden_keys(part, rule, queries, some), -std::numeric_limits<double>::infinity());
        };
        if (!part.in_order)
            return hide(keys);
        hide({ std::max(keys.begin, queries.begin), keys.end });
        if (rule.window > 0)
            hide({ keys.begin, std::min(queries.begin, queries.end - rule.window) });
    }

    /// A block of scores before the softmax: (kv_heads, group, queries, keys) float32, -inf where a key is not seen.
    at::Tensor scores_of(const Problem& part, const ScoreRule& rule, const Range& queries, const Range& keys)
    {
        const std::int64_t kv_heads = part.k.size(0);
        // The query heads of a kv head are just more rows of it.
        const double scale = kernels::score_factor(rule.scale, rule.softcap);
        const at::Tensor q
            = rows_of(part.q, queries).to(at::kFloat).mul(scale).reshape({ kv_heads, -1, part.q.size(2) });
        at::Tensor scores = at::bmm(q, rows_of(part.k, keys).transpose(1, 2));
        if (rule.softcap != 0)
            scores.tanh_().mul_(rule.softcap);
        scores = scores.view({ kv_heads, part.group(), queries.end - queries.begin, keys.end - keys.begin });
        if (part.bias.defined())
            scores.add_(rows_of(part.bias, keys).view({ kv_heads, part.group(), 1, -1 }));
        hide_keys(part, rule, queries, keys, scores);
        return scores;
    }

    /// A block of queries, into the rows of output (heads, queries, head_dim) and row_lse (heads, queries).
    void attend_block(const Problem& part, const ScoreRule& rule, const Range& queries, const Attended& out)
    {
        const Range keys = part.keys_of(queries, rule);
        at::Tensor weights = scores_of(part, rule, queries, keys);
        const at::Tensor largest = weights.amax(-1, true); // (kv_heads, group, queries, 1)
        weights.sub_(largest).exp_();
        const at::Tensor sums = weights.sum(-1, true); // (kv_heads, group, queries, 1)
        const std::int64_t kv_heads = weights.size(0);
        const at::Tensor output = at::bmm(weights.view({ kv_heads, -1, weights.size(3) }), rows_of(part.v, keys))
                                      .div_(sums.view({ kv_heads, -1, 1 }));
        at::Tensor rows = rows_of(out.output, queries);
        rows.copy_(output.view(rows.sizes()));
        at::Tensor lse = rows_of(out.row_lse, queries);
        lse.copy_(sums.log().add_(largest).view(lse.sizes()));
    }

    /// All of a sample, some kv heads and queries at a time, into output (heads, queries, head_dim) and row_lse (heads,
    /// queries).
    void attend_sample(const Problem& all, const ScoreRule& rule, const Attended& out, const std::stop_token& stop,
        const ShareFn& share)
    {
        const std::int64_t queries = all.q.size(1);
        const std::int64_t kv_heads = all.k.size(0);
        const std::int64_t cells = all.q.is_cuda() ? cuda_cells : cpu_cells;
        const bool windowed = all.in_order && rule.window > 0;
        const std::int64_t reach = windowed ? std::min(all.k.size(1), rule.window + most_rows) : all.k.size(1);
        const std::int64_t least_rows = std::max<std::int64_t>(1, 16 / all.group());
        const std::int64_t rows = std::clamp(cells / (all.group() * reach), least_rows, most_rows);
        const std::int64_t heads = std::clamp<std::int64_t>(cells / (all.group() * rows * reach), 1, kv_heads);
        for (std::int64_t first = 0; first < kv_heads; first += heads) {
            const Range kv { first, std::min(first + heads, kv_heads) };
            const Problem part = part_of(all, kv);
            const Range own { kv.begin * all.group(), kv.end * all.group() };
            const Attended part_out { heads_of(out.output, own), heads_of(out.row_lse, own) };
            for (std::int64_t begin = 0; begin < queries; begin += rows) {
                if (stop.stop_requested())
                    throw Cancelled {};
                const std::int64_t end = std::min(begin + rows, queries);
                attend_block(part, rule, { begin, end }, part_out);
                if (share && queries > rows)
                    share((static_cast<double>(first)
                              + static_cast<double>(kv.end - first) * share_of_cells(end, queries, queries, rule))
                        / static_cast<double>(kv_heads));
            }
        }
    }

    /// `all` of q, k and v with a batch in front of their axes.
    Attended attend_samples(
        const Problem& all, const ScoreRule& rule, const std::stop_token& stop, const ShareFn& share = {})
    {
        const at::Tensor& q = all.q;
        Attended result { at::empty(q.sizes(), q.options()),
            at::empty({ q.size(0), q.size(1), q.size(2) }, q.options().dtype(at::kFloat)) };
        Problem problem = all;
        for (std::int64_t sample = 0; sample < q.size(0); ++sample) {
            problem.q = all.q[sample];
            problem.k = all.k[sample];
            problem.v = all.v[sample];
            attend_sample(problem, rule, { result.output[sample], result.row_lse[sample] }, stop, share);
        }
        return result;
    }

} // namespace

Attended attend_at(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const ScoreRule& rule,
    const Places& places, const std::stop_token& stop)
{
    Problem problem { q, k, v };
    const auto by_head = [](const at::Tensor& x) { return x.dim() == 1 ? x.unsqueeze(0) : x; };
    problem.query_places = by_head(places.queries);
    problem.key_places = by_head(places.keys);
    problem.bias = rule.key_bias(places.keys);
    return attend_samples(problem, rule, stop);
}

Attended attend_by_rule(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const ScoreRule& rule,
    const std::stop_token& stop, const ShareFn& share)
{
    const at::Tensor places = at::arange(q.size(2), q.options().dtype(at::kLong));
    Problem problem { q, k, v };
    problem.query_places = places.unsqueeze(0);
    problem.key_places = problem.query_places;
    problem.bias = rule.key_bias(places);
    problem.in_order = true;
    return attend_samples(problem, rule, stop, share);
}

} // namespace keepset
