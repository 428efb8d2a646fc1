#include "core/device/tensors.h"
#include "core/error.h"
#include "core/pass/target_pass.h"
#include "core/policy/replay.h"
#include "core/policy/score_parts.h"
#include "core/policy/uneven.h"
#include "core/words.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <limits>

namespace keepset::policy {

namespace {

    /// Cells of P at a time: 256 MB on a GPU; on a CPU what its cache holds, which takes half the time.
    std::int64_t cells_at_once(at::Device device) { return std::int64_t { 1 } << (device.is_cuda() ? 26U : 18U); }
    /// Tokens of the chunk before that a later prompt ends with.
    constexpr std::int64_t reminder = 8;

    /// Part of the context that the model is to say again.
    struct Chunk {
        std::int64_t begin = 0;
        std::int64_t end = 0;
        std::int64_t sinks = 0; ///< first positions of the context that are looked at beside it
    };

    /// What the model reads to say a chunk again: (rows) int64.
    at::Tensor replay_ids(const Replay& from, const Chunk& chunk)
    {
        const auto tensor = [&](const std::string& text) { return to_device(from.encode(text), from.ids.device()); };
        std::vector<at::Tensor> parts;
        if (chunk.begin == 0) {
            parts.push_back(tensor("\n\nRepeat the previous context exactly."));
        } else {
            parts.push_back(tensor("\n\nRepeat the part of the previous context exactly, starting with"));
            parts.push_back(from.ids.slice(0, std::max<std::int64_t>(0, chunk.begin - reminder), chunk.begin));
        }
        parts.push_back(tensor("\n"));
        parts.push_back(from.ids.slice(0, chunk.begin, chunk.end));
        return at::cat(parts);
    }

    /// Keys of a kv head that replay queries may look at: sinks, the chunk, and those of the replay itself.
    struct Looked {
        at::Tensor keys; ///< (keys, head_dim)
        at::Tensor bias; ///< (query heads of the kv head, keys) float32, or undefined
        std::int64_t before = 0; ///< keys of the context among them
        double scale = 1;
        double softcap = 0;
    };

    /// max over replay queries q (query heads, rows, head_dim), from row `first` on, of P over what they may look at,
    /// as far as it is of the context: (keys before the replay) float32.
    at::Tensor most_attention(const at::Tensor& q, std::int64_t first, const Looked& looked)
    {
        const std::int64_t rows = q.size(1);
        const at::Tensor keys = looked.keys.slice(0, 0, looked.before + first + rows); // the last row sees no more
        at::Tensor logits = at::matmul(q, keys.t()).to(at::kFloat).mul_(looked.scale); // (heads, rows, keys)
        if (looked.softcap > 0)
            logits.div_(looked.softcap).tanh_().mul_(looked.softcap);
        if (looked.bias.defined())
            logits += looked.bias.slice(1, 0, keys.size(0)).unsqueeze(1);
        const auto options = at::TensorOptions(at::kLong).device(q.device());
        const at::Tensor own = at::arange(rows, options); // all see the replay's rows before these
        logits.slice(2, keys.size(0) - rows)
            .masked_fill_(own.gt(own.unsqueeze(1)), -std::numeric_limits<float>::infinity());
        return logits.softmax(-1).slice(2, 0, looked.before).amax({ 0, 1 });
    }

    /// Scores of the chunk's positions in one layer: (kv_heads, chunk).
    at::Tensor chunk_scores(const Replay& from, std::int64_t layer, const Projected& parts, const Chunk& chunk)
    {
        const at::Tensor& context = from.pass.keys[static_cast<std::size_t>(layer)]; // (kv_heads, context, head_dim)
        const std::int64_t rows = parts.q.size(2);
        const std::int64_t group = parts.q.size(1) / context.size(0);
        const ScoreRule rule = from.decoder.rule(layer);
        const auto options = at::TensorOptions(at::kLong).device(context.device());
        const at::Tensor positions
            = at::cat({ at::arange(chunk.sinks, options), at::arange(chunk.begin, chunk.end, options),
                at::arange(context.size(1), context.size(1) + rows, options) });
        const at::Tensor bias = rule.alibi_slopes.defined() ? rule.key_bias(positions) : at::Tensor();
        const std::int64_t together
            = std::clamp<std::int64_t>(cells_at_once(context.device()) / (group * positions.numel()), 1, rows);
        std::vector<at::Tensor> scores;
        for (std::int64_t head = 0; head < context.size(0); ++head) {
            const at::Tensor own = context[head];
            Looked looked {
                at::cat({ own.slice(0, 0, chunk.sinks), own.slice(0, chunk.begin, chunk.end), parts.k[0][head] }), {},
                chunk.sinks + chunk.end - chunk.begin, rule.scale, rule.softcap
            };
            if (bias.defined())
                looked.bias = bias.slice(0, head * group, (head + 1) * group);
            const at::Tensor q = parts.q[0].slice(0, head * group, (head + 1) * group);
            at::Tensor most;
            for (std::int64_t first = 0; first < rows; first += together) {
                if (from.stop.stop_requested())
                    throw Cancelled {};
                const at::Tensor part = most_attention(q.slice(1, first, first + together), first, looked);
                most = most.defined() ? most.maximum(part) : part;
            }
            scores.push_back(most.slice(0, chunk.sinks, looked.before));
        }
        return at::stack(scores);
    }

    void refuse_beyond_learned(const Replay& from, std::int64_t rows)
    {
        const DecoderConfig& config = from.decoder.config();
        const std::int64_t all = from.ids.size(0) + rows + 1;
        if (config.positions == PositionKind::learned && all > config.max_context)
            throw Error(ErrorKind::usage,
                "kvzip lets the model say its context again, which takes " + counted(all, "position") + " here, and "
                    + "the model has learned " + grouped(config.max_context) + ".",
                "Give a shorter context, or kvzip a smaller chunk.");
    }

    at::Tensor replay(const Replay& from, const Settings& settings)
    {
        const DecoderConfig& config = from.decoder.config();
        const std::int64_t context = from.ids.size(0);
        const at::Device device = from.decoder.device();
        KeptPositions whole(config.layers, config.kv_heads, context, { { context } }, device);
        whole.positions.view({ -1, context }).copy_(at::arange(context, whole.positions.options()));
        at::Tensor scores
            = at::zeros({ config.layers, config.kv_heads, context }, at::TensorOptions(at::kFloat).device(device));
        const std::vector<std::size_t> points { 0 };
        for (Chunk chunk; chunk.end < context; chunk.begin = chunk.end) {
            chunk.end = std::min(context, chunk.begin + settings.count("chunk"));
            chunk.sinks = std::min(settings.count("sinks"), chunk.begin);
            const at::Tensor ids = replay_ids(from, chunk);
            refuse_beyond_learned(from, ids.size(0));
            TargetJob job { from.decoder, from.backend, from.pass, ids, whole, points };
            job.stop = from.stop;
            job.look = [&](std::int64_t layer, const Projected& parts) {
                scores[layer].slice(1, chunk.begin, chunk.end).copy_(chunk_scores(from, layer, parts, chunk));
            };
            target_pass(job);
        }
        return scores;
    }

} // namespace

Policy kvzip()
{
    return {
        .info = { .name = "kvzip",
            .title = "KVzip",
            .description
            = "Keeps what the model looks at when it is told to say its context again, whatever layer and "
              "head it is in: a ceiling for policies that do not know the question, for reading the context "
              "once more.",
            .parameters = { { .name = "chunk",
                                .description = "Context tokens that the model says again at a time",
                                .default_value = "2048",
                                .kind = ParameterKind::whole,
                                .minimum = 1,
                                .maximum = 1e6,
                                .of_score = true },
                { .name = "sinks",
                    .description = "First tokens that are kept whatever their scores are",
                    .default_value = "4",
                    .kind = ParameterKind::whole,
                    .maximum = 1e6,
                    .of_score = true },
                { .name = "uniform",
                    .description = "true: every row keeps its budget; false: the lowest scores of all layers and kv "
                                   "heads together go",
                    .default_value = "false",
                    .kind = ParameterKind::choice,
                    .choices = { "true", "false" } } },
            .labels = { Label::sink, Label::important },
            .ranks_by = ScoreOf::own,
            .score = "most attention of a query that says the context again, over the query heads of the kv head",
            .source
            = "Kim et al., KVzip: Query-Agnostic KV Cache Compression with Context Reconstruction, NeurIPS 2025 "
              "(arXiv 2505.23416), as kvpress KVzipPress has it for a model without a chat template" },
        .plan = [](const Share& share,
                    const Settings& settings) { return ends_and_highest(settings.count("sinks"), 0, share.budget); },
        .replay = replay,
    };
}

} // namespace keepset::policy
