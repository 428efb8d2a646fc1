#include "kernels/bridges/bridges_cuda.h"
#include "kernels/bridges/bridges_kernel.h"
#include "kernels/bridges/graph_kernel.h"
#include "kernels/cuda_check.h"
#include "kernels/importance/importance_paths.h"

namespace keepset::kernels {

namespace {

    using tiles::HeadInputs;
    using tiles::Plain;
    using tiles::TensorCores;

    unsigned blocks_of(std::int64_t count, int each) { return static_cast<unsigned>((count + each - 1) / each); }

    HeadInputs head_inputs(const ImportanceInputs& inputs, const HeadRange& heads)
    {
        if (!tiles::fit_ints(inputs.shape))
            throw std::runtime_error("bridges on CUDA take less than 2^30 tokens");
        return { inputs, static_cast<int>(heads.begin), static_cast<int>(heads.end) };
    }

    /// Calls run with the products' class for these inputs.
    template <typename Run> void with_products(const ImportanceInputs& inputs, const Run& run)
    {
        const bool tensor_cores = tiles::takes_tensor_cores(inputs, device_limits().capability);
        if (inputs.type == ElementType::float32)
            run.template operator()<Plain<float>>();
        else if (inputs.type == ElementType::bfloat16)
            tensor_cores ? run.template operator()<TensorCores<__nv_bfloat16>>()
                         : run.template operator()<Plain<__nv_bfloat16>>();
        else
            tensor_cores ? run.template operator()<TensorCores<__half>>() : run.template operator()<Plain<__half>>();
    }

    struct FlowLaunch {
        HeadInputs inputs;
        tiles::Picked picked;
        double* from = nullptr;
        double* to = nullptr;
        cudaStream_t stream = nullptr;

        template <typename Products, bool received> void queue(double* out) const
        {
            const int bytes = Products::bytes(inputs.all.shape.head_dim);
            const dim3 grid(blocks_of(inputs.all.shape.keys, tiles::tile),
                static_cast<unsigned>(inputs.end_head - inputs.first_head));
            KEEPSET_CHECK_CUDA(cudaFuncSetAttribute(
                tiles::sum_flow<Products, received>, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes));
            tiles::sum_flow<Products, received><<<grid, tiles::threads, bytes, stream>>>(inputs, picked, out);
            KEEPSET_CHECK_CUDA(cudaGetLastError());
        }

        template <typename Products> void operator()() const
        {
            queue<Products, true>(from);
            queue<Products, false>(to);
        }
    };

    struct AddLaunch {
        HeadInputs inputs;
        QueryRange queries;
        float* sums = nullptr;
        cudaStream_t stream = nullptr;

        template <typename Products> void operator()() const
        {
            const int bytes = Products::bytes(inputs.all.shape.head_dim);
            const dim3 grid(blocks_of(queries.end, tiles::tile), blocks_of(queries.end - queries.begin, tiles::tile));
            KEEPSET_CHECK_CUDA(
                cudaFuncSetAttribute(tiles::add_tile<Products>, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes));
            tiles::add_tile<Products><<<grid, tiles::threads, bytes, stream>>>(inputs, queries, sums);
            KEEPSET_CHECK_CUDA(cudaGetLastError());
        }
    };

} // namespace

void flow_cuda(const ImportanceInputs& inputs, const HeadRange& heads, const ImportantTokens& important, double* from,
    double* to, void* stream)
{
    const tiles::Picked picked { important.positions, static_cast<int>(important.count) };
    with_products(
        inputs, FlowLaunch { head_inputs(inputs, heads), picked, from, to, static_cast<cudaStream_t>(stream) });
}

void add_probabilities_cuda(
    const ImportanceInputs& inputs, const HeadRange& heads, const QueryRange& queries, float* sums, void* stream)
{
    with_products(inputs, AddLaunch { head_inputs(inputs, heads), queries, sums, static_cast<cudaStream_t>(stream) });
}

void add_edges_cuda(const AttentionShape& shape, const EdgeSums& edges, const QueryRange& queries,
    const AttentionGraph& graph, void* stream)
{
    const auto cuda_stream = static_cast<cudaStream_t>(stream);
    KEEPSET_CHECK_CUDA(cudaMemsetAsync(edges.first_bad, 0xff, sizeof(std::int64_t), cuda_stream)); // -1
    graph::join_rows<<<static_cast<unsigned>(queries.end - queries.begin), graph::threads, 0, cuda_stream>>>(
        shape, edges.sums, edges.count, queries.begin, graph, edges.first_bad);
    KEEPSET_CHECK_CUDA(cudaGetLastError());
}

void curvature_cuda(const AttentionGraph& graph, double* curvature, void* workspace, void* stream)
{
    if (graph.nodes > max_curvature_context || device_limits().capability < 80)
        throw std::runtime_error("curvature on CUDA takes at most 16384 tokens, and compute capability 8.0");
    const auto cuda_stream = static_cast<cudaStream_t>(stream);
    auto* degrees = static_cast<int*>(workspace); // (nodes)
    auto* triangles = reinterpret_cast<unsigned*>(degrees + graph.nodes); // (nodes)
    const unsigned rows = blocks_of(graph.nodes, graph::warp);
    graph::mirror<<<dim3(blocks_of(rows, graph::warps), rows), graph::threads, 0, cuda_stream>>>(graph);
    KEEPSET_CHECK_CUDA(cudaGetLastError());
    const unsigned nodes = blocks_of(graph.nodes, graph::warps);
    graph::count_neighbours<<<nodes, graph::threads, 0, cuda_stream>>>(graph, degrees, triangles);
    KEEPSET_CHECK_CUDA(cudaGetLastError());
    const unsigned squares = blocks_of(graph.nodes, graph::square);
    constexpr int bytes = 2 * graph::stage_bytes;
    KEEPSET_CHECK_CUDA(
        cudaFuncSetAttribute(graph::count_triangles, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes));
    graph::count_triangles<<<dim3(squares, squares), graph::threads, bytes, cuda_stream>>>(graph, triangles);
    KEEPSET_CHECK_CUDA(cudaGetLastError());
    graph::finish_curvature<<<nodes, graph::threads, 0, cuda_stream>>>(graph, degrees, triangles, curvature);
    KEEPSET_CHECK_CUDA(cudaGetLastError());
}

std::int64_t curvature_cuda_workspace(std::int64_t nodes)
{
    return nodes * static_cast<std::int64_t>(sizeof(int) + sizeof(unsigned));
}

} // namespace keepset::kernels
