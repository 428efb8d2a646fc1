#include "core/pass/dense_pass.h"

#include "core/attention/attend.h"
#include "core/error.h"
#include "core/task.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/stack.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace keepset {

void wait_for_long(const at::Tensor& hidden)
{
    constexpr std::int64_t long_pass = 8192; // rows
    if (hidden.is_cuda() && hidden.size(0) >= long_pass)
        hidden.slice(0, 0, 1).cpu();
}

namespace {

    /// What every layer gave on its device, (…) each: (layers, …) on `device`; undefined where nothing was asked for.
    at::Tensor joined(std::vector<at::Tensor>& layers, at::Device device)
    {
        for (at::Tensor& layer : layers)
            layer = layer.to(device);
        return layers.empty() ? at::Tensor() : at::stack(layers);
    }

    /// Tells how far a pass is; also within a layer, whose attention takes nearly all of the time where a layer takes
    /// long, and the sums of it a third of that.
    class Telling {
    public:
        Telling(const ProgressFn& progress, std::int64_t layers, bool sums)
            : progress_(progress)
            , layers_(layers)
            , attention_(sums ? 0.75 : 1)
        {
        }
        ShareFn of_attention(std::int64_t layer) const { return part(layer, 0, attention_); }
        ShareFn of_sums(std::int64_t layer) const { return part(layer, attention_, 1 - attention_); }
        void tell(std::int64_t layer, double part) const
        {
            const double elapsed = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
            Progress progress { "attention pass", "layers", layer, layers_, elapsed, not_a_number, part };
            if (layer > 0 || part > 0.05) // before that it is what came before the attention that took the time
                progress.left_s = elapsed * (1 / progress.share() - 1);
            progress_(progress);
        }

    private:
        ShareFn part(std::int64_t layer, double before, double share) const
        {
            if (!progress_)
                return {};
            return [=, this](double done) { tell(layer, std::min(before + share * done, 0.99)); };
        }

        std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
        const ProgressFn& progress_;
        std::int64_t layers_ = 0;
        double attention_ = 1;
    };

} // namespace

DensePass dense_pass(const Decoder& decoder, const at::Tensor& ids, const DensePassOptions& options,
    const Backend& backend, const Task& task)
{
    const std::int64_t layers = decoder.config().layers;
    const Telling telling(task.progress, layers, options.importance);
    const at::Tensor positions = at::arange(ids.size(0), ids.options());
    const std::int64_t length = options.length > 0 ? options.length : ids.size(0);
    const Rotations rotations = decoder.rotations(positions, length);
    DensePass pass;
    AttentionSource source { {}, backend };
    pass.hidden = decoder.embed(ids, positions);
    std::vector<at::Tensor> importance; // a layer each, (heads, context)
    std::vector<at::Tensor> row_lse;
    std::vector<at::Tensor> last_importance;
    const std::int64_t first_of_last = ids.size(0) - options.last_queries;
    for (std::int64_t layer = 0; layer < layers; ++layer) {
        if (task.stop.stop_requested())
            throw Cancelled {};
        pass.hidden = decoder.moved(pass.hidden, layer);
        const Projected parts = decoder.project(layer, pass.hidden, 1, rotations, task.stop);
        const ScoreRule rule = decoder.rule(layer);
        const Attended attended = attend(parts.q, parts.k, parts.v, rule, task.stop, telling.of_attention(layer));
        if (options.importance) {
            row_lse.push_back(attended.row_lse[0]);
            importance.push_back(column_sums(
                parts.q[0], parts.k[0], row_lse.back(), rule, backend, { task.stop, telling.of_sums(layer) }));
        }
        if (options.last_queries > 0)
            last_importance.push_back(column_sums(parts.q[0].slice(1, first_of_last), parts.k[0],
                attended.row_lse[0].slice(1, first_of_last), rule, backend, { task.stop }));
        if (options.look)
            options.look({ decoder, backend, layer, parts.q[0], parts.k[0], parts.v[0],
                options.importance ? importance.back() : at::Tensor(), attended.row_lse[0], rule, rotations, length,
                task.stop });
        if (options.attention)
            source.layers.push_back({ parts.q[0], parts.k[0], attended.row_lse[0].contiguous(), rule });
        if (options.cache) {
            // On a GPU they are views of queries, keys and values in one piece, which would stay with them.
            const auto alone = [](const at::Tensor& x) { return x.is_cuda() ? x.contiguous() : x; };
            pass.keys.push_back(alone(parts.k[0]));
            pass.values.push_back(alone(parts.v[0]));
        }
        decoder.finish(layer, pass.hidden, attended.output, { task.stop, options.every_expert });
        wait_for_long(pass.hidden);
        if (task.progress)
            telling.tell(layer + 1, 0);
    }
    decoder.refuse_cut_weights();
    pass.hidden = decoder.moved(pass.hidden, layers);
    pass.importance = joined(importance, decoder.device());
    pass.row_lse = joined(row_lse, decoder.device());
    pass.last_importance = joined(last_importance, decoder.device());
    if (options.attention)
        pass.attention = std::make_shared<const AttentionSource>(std::move(source));
    return pass;
}

} // namespace keepset
