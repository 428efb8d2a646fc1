#include "core/pass/dense_pass.h"

#include "core/attention/attend.h"
#include "core/error.h"
#include "core/task.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/stack.h>

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

} // namespace

DensePass dense_pass(const Decoder& decoder, const at::Tensor& ids, const DensePassOptions& options,
    const Backend& backend, const Task& task)
{
    const auto begin = std::chrono::steady_clock::now();
    const std::int64_t layers = decoder.config().layers;
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
        const Attended attended = attend(parts.q, parts.k, parts.v, rule, task.stop);
        if (options.importance) {
            row_lse.push_back(attended.row_lse[0]);
            importance.push_back(column_sums(parts.q[0], parts.k[0], row_lse.back(), rule, backend, task.stop));
        }
        if (options.last_queries > 0)
            last_importance.push_back(column_sums(parts.q[0].slice(1, first_of_last), parts.k[0],
                attended.row_lse[0].slice(1, first_of_last), rule, backend, task.stop));
        if (options.look)
            options.look({ decoder, backend, layer, parts.q[0], parts.k[0], parts.v[0],
                options.importance ? importance.back() : at::Tensor(), rule, rotations, length, task.stop });
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
        if (task.progress) {
            const double elapsed = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
            task.progress({ "attention pass", "layers", layer + 1, layers, elapsed,
                elapsed * static_cast<double>(layers - layer - 1) / static_cast<double>(layer + 1) });
        }
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
