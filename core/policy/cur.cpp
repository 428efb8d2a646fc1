#include "core/policy/score_parts.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/constant_pad_nd.h>

namespace keepset::policy {

namespace {

    /// ‖x‖² of each position, as a share of its block of `window`; the last block may be short.
    at::Tensor share_of_block(const at::Tensor& x, std::int64_t window)
    {
        const at::Tensor squares = norms(x).square(); // (kv_heads, context)
        const std::int64_t context = squares.size(1);
        const at::Tensor blocks = at::constant_pad_nd(squares, { 0, (window - context % window) % window })
                                      .view({ squares.size(0), -1, window });
        return (blocks / blocks.sum(-1, true)).flatten(1).slice(1, 0, context);
    }

    at::Tensor score(const LayerPass& layer, const Settings& settings)
    {
        const std::int64_t window = settings.count("window");
        const at::Tensor both = share_of_block(layer.k, window) * share_of_block(layer.v, window);
        return both / both.sum(-1, true);
    }

} // namespace

Policy cur()
{
    return {
        .info = { .name = "cur",
            .title = "CurDKV",
            .description = "Keeps the first tokens and, of the rest, those whose keys and values are longest among "
                           "their neighbours.",
            .parameters = { { .name = "window",
                                .description = "Neighbouring positions among which lengths are compared",
                                .default_value = "16",
                                .kind = ParameterKind::whole,
                                .minimum = 1,
                                .maximum = 1e6,
                                .of_score = true },
                { .name = "sinks",
                    .description = "First tokens that are always kept",
                    .default_value = "4",
                    .kind = ParameterKind::whole,
                    .maximum = 1e6 } },
            .labels = { Label::sink, Label::important },
            .ranks_by = ScoreOf::own,
            .score = "squared lengths of key and value, each as a share of its block's, multiplied",
            .source = "Sengupta et al., Value-Guided KV Compression for LLMs via Approximated CUR Decomposition (arXiv "
                      "2509.15038), as kvpress CURPress has it" },
        .plan = [](const Share& share,
                    const Settings& settings) { return ends_and_highest(settings.count("sinks"), 0, share.budget); },
        .score = score,
        .parts = { .keys = true, .values = true },
    };
}

} // namespace keepset::policy
