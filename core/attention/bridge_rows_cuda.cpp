#include "core/attention/bridge_rows.h"
#include "core/device/streams.h"
#include "core/error.h"
#include "kernels/bridges/bridges_cuda.h"
#include "kernels/cuda_module.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/zeros.h>
#include <c10/core/DeviceGuard.h>

#include <algorithm>

namespace keepset {

namespace {

    constexpr std::int64_t sums_at_once = 1LL << 26; // 256 MiB

    void check(const std::stop_token& stop)
    {
        if (stop.stop_requested())
            throw Cancelled {};
    }

    /// Adds the sum of `made` (heads, context) over its heads.
    void add_heads(const at::Tensor& made, std::vector<double>& sums)
    {
        const at::Tensor total = made.sum(0).cpu();
        for (std::size_t j = 0; j < sums.size(); ++j)
            sums[j] += total.const_data_ptr<double>()[j];
    }

    /// Adds P of one layer's part of the row to sums (queries of the range, context), which go where the layer lies.
    void add_layer(
        const LayerHeads& part, const kernels::QueryRange& queries, at::Tensor& sums, const kernels::CudaModule& cuda)
    {
        const c10::DeviceGuard guard(part.layer->q.device());
        sums = sums.to(part.layer->q.device());
        const KernelInputs made = kernel_inputs(*part.layer, part.begin, part.end);
        cuda.add_probabilities(made.inputs, { 0, made.inputs.shape.heads }, queries, sums.mutable_data_ptr<float>(),
            current_stream(sums.device()));
    }

    /// Edges of some queries to earlier tokens, by the mean over all that shares the row.
    void join(const kernels::QueryRange& queries, std::span<const LayerHeads> row, const kernels::AttentionGraph& graph,
        const kernels::CudaModule& cuda, const std::stop_token& stop)
    {
        const at::Device device = row.front().layer->q.device(); // has the graph
        at::Tensor sums // (queries of the range, context); what no layer sees stays 0
            = at::zeros({ queries.end - queries.begin, graph.nodes }, at::TensorOptions(device).dtype(at::kFloat));
        std::int64_t heads = 0;
        for (const LayerHeads& part : row) {
            check(stop);
            add_layer(part, queries, sums, cuda);
            heads += part.end - part.begin;
        }
        sums = sums.to(device);
        const c10::DeviceGuard guard(device);
        const at::Tensor first_bad = at::empty({}, sums.options().dtype(at::kLong));
        kernels::AttentionShape shape;
        shape.queries = shape.keys = graph.nodes;
        cuda.add_edges(shape, { sums.const_data_ptr<float>(), heads, first_bad.mutable_data_ptr<std::int64_t>() },
            queries, graph, current_stream(device));
        const auto bad = first_bad.item<std::int64_t>();
        if (bad >= 0)
            refuse_attention(bad);
    }

} // namespace

FlowSums flow_sums_on_cuda(std::span<const LayerHeads> row, std::span<const std::int32_t> important,
    const Backend& backend, const std::stop_token& stop)
{
    const std::int64_t context = row.front().layer->q.size(1);
    FlowSums sums { std::vector<double>(static_cast<std::size_t>(context), 0.0), {} };
    sums.to = sums.from;
    // ATen takes memory that can be written to, but only reads this.
    const at::Tensor positions = at::from_blob(
        const_cast<std::int32_t*>(important.data()), { static_cast<std::int64_t>(important.size()) }, at::kInt);
    for (const LayerHeads& part : row) {
        check(stop);
        const c10::DeviceGuard guard(part.layer->q.device());
        const KernelInputs made = kernel_inputs(*part.layer, part.begin, part.end);
        const at::Tensor there = positions.to(part.layer->q.device()); // (important)
        const at::TensorOptions sum = there.options().dtype(at::kDouble);
        const at::Tensor from = at::empty({ part.end - part.begin, context }, sum); // (heads, context)
        const at::Tensor to = at::empty(from.sizes(), sum); // (heads, context)
        backend.cuda->flow(made.inputs, { 0, made.inputs.shape.heads },
            { there.const_data_ptr<std::int32_t>(), there.numel() }, from.mutable_data_ptr<double>(),
            to.mutable_data_ptr<double>(), current_stream(to.device()));
        add_heads(from, sums.from);
        add_heads(to, sums.to);
    }
    return sums;
}

std::vector<double> curvature_on_cuda(
    std::span<const LayerHeads> row, const Backend& backend, const std::stop_token& stop)
{
    const std::int64_t nodes = row.front().layer->q.size(1);
    const at::TensorOptions there(row.front().layer->q.device());
    const c10::DeviceGuard guard(there.device());
    const at::Tensor bits = at::empty({ nodes, kernels::graph_words(nodes) }, there.dtype(at::kLong));
    const kernels::AttentionGraph graph { nodes, bits.size(1),
        reinterpret_cast<std::uint64_t*>(bits.mutable_data_ptr<std::int64_t>()) };
    const std::int64_t piece = std::clamp<std::int64_t>(sums_at_once / nodes, 1, nodes);
    for (std::int64_t begin = 0; begin < nodes; begin += piece)
        join({ begin, std::min(begin + piece, nodes) }, row, graph, *backend.cuda, stop);
    check(stop);
    const at::Tensor curvature = at::empty({ nodes }, there.dtype(at::kDouble));
    const at::Tensor workspace = at::empty({ backend.cuda->curvature_workspace(nodes) }, there.dtype(at::kByte));
    backend.cuda->curvature(
        graph, curvature.mutable_data_ptr<double>(), workspace.mutable_data_ptr(), current_stream(workspace.device()));
    const at::Tensor on_host = curvature.cpu();
    return { on_host.const_data_ptr<double>(), on_host.const_data_ptr<double>() + nodes };
}

} // namespace keepset
