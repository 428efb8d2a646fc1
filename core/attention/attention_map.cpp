#include "kernels/map/attention_map.h"

#include "core/attention/attention_source.h"
#include "core/attention_map.h"
#include "core/device/device.h"
#include "core/device/streams.h"
#include "core/error.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <c10/core/DeviceGuard.h>

#include <algorithm>
#include <string>

namespace keepset {

namespace {

    void check_range(const char* what, std::int64_t begin, std::int64_t end, std::int64_t context)
    {
        if (begin < 0 || begin >= end || end > context)
            throw Error(ErrorKind::usage,
                std::string(what) + " " + std::to_string(begin) + " to " + std::to_string(end)
                    + " are no range of the context of " + std::to_string(context) + " tokens.",
                "Ask for positions [begin, end) with 0 <= begin < end <= " + std::to_string(context) + ".");
    }

    void check(const Analysis& analysis, const AttentionMapRequest& request)
    {
        if (!analysis.attention && !analysis.no_attention.empty())
            throw Error(ErrorKind::usage,
                "The queries and keys of this analysis were not kept, for want of memory. " + analysis.no_attention,
                "Analyse a shorter context.");
        if (!analysis.attention)
            throw Error(ErrorKind::usage,
                "This analysis has no queries and keys to recompute attention from; a trace file has none either.",
                "Open the model and analyse the text here.");
        if (request.layer < 0 || request.layer >= analysis.layers)
            throw Error(ErrorKind::usage,
                "There is no layer " + std::to_string(request.layer) + ": the model has "
                    + std::to_string(analysis.layers) + ".");
        if (request.head < 0 || request.head >= analysis.heads)
            throw Error(ErrorKind::usage,
                "There is no query head " + std::to_string(request.head) + ": a layer has "
                    + std::to_string(analysis.heads) + ".");
        check_range("Queries", request.query_begin, request.query_end, analysis.context);
        check_range("Keys", request.key_begin, request.key_end, analysis.context);
        if (request.most_rows < 1 || request.most_columns < 1)
            throw Error(ErrorKind::usage, "An attention map has at least one row and one column of cells.");
    }

    kernels::AttentionMapInputs map_inputs(const kernels::ImportanceInputs& inputs, const AttentionMapRequest& request)
    {
        kernels::AttentionMapInputs map;
        map.attention = inputs;
        map.query_begin = request.query_begin;
        map.query_end = request.query_end;
        map.key_begin = request.key_begin;
        map.key_end = request.key_end;
        map.rows = std::min(request.most_rows, request.query_end - request.query_begin);
        map.columns = std::min(request.most_columns, request.key_end - request.key_begin);
        map.reduction
            = request.reduction == CellReduction::max ? kernels::CellReduction::max : kernels::CellReduction::mean;
        return map;
    }

    /// Rows of cells between two looks at the stop token: 2^24 products of a query and a key take about a tenth of a
    /// second on two cores.
    std::int64_t rows_at_once(const kernels::AttentionMapInputs& map)
    {
        const std::int64_t a_row = ((map.query_end - map.query_begin) / map.rows + 1) * (map.key_end - map.key_begin);
        return std::max<std::int64_t>(1, (1LL << 24) / a_row);
    }

    void fill_on_cpu(const kernels::AttentionMapInputs& map, std::vector<float>& cells, int threads, const Task& task)
    {
        const std::int64_t step = rows_at_once(map);
        for (std::int64_t row = 0; row < map.rows; row += step) {
            if (task.stop.stop_requested())
                throw Cancelled {};
            const std::int64_t end = std::min(row + step, map.rows);
            kernels::attention_map_cpu(map, row, end, cells.data(), threads);
            if (task.progress)
                task.progress({ "attention map", "rows", end, map.rows });
        }
    }

    /// `map` lies on `device`. All at once: 131072 tokens take less than a tenth of a second.
    void fill_on_cuda(kernels::AttentionMapInputs map, std::vector<float>& cells, const kernels::CudaModule& cuda,
        at::Device device, const Task& task)
    {
        if (task.stop.stop_requested())
            throw Cancelled {};
        const c10::DeviceGuard guard(device);
        const at::TensorOptions there = at::TensorOptions().device(device);
        const at::Tensor workspace = at::empty({ cuda.attention_map_workspace(map) }, there.dtype(at::kByte));
        const at::Tensor made = at::empty({ map.rows, map.columns }, there.dtype(at::kFloat));
        map.attention.workspace = workspace.mutable_data_ptr();
        cuda.attention_map(map, made.mutable_data_ptr<float>(), current_stream(made.device()));
        at::from_blob(cells.data(), made.sizes(), at::kFloat).copy_(made);
        if (task.progress)
            task.progress({ "attention map", "rows", map.rows, map.rows });
    }

} // namespace

AttentionMap attention_map(const Analysis& analysis, const AttentionMapRequest& request, const Task& task)
{
    check(analysis, request);
    const AttentionSource& source = *analysis.attention;
    AttentionMap result;
    result.request = request;
    guarded(source.backend.threads, [&] {
        const AttentionSource::Layer& layer = source.layers[static_cast<std::size_t>(request.layer)];
        const KernelInputs inputs = kernel_inputs(layer, request.head, request.head + 1);
        const kernels::AttentionMapInputs map = map_inputs(inputs.inputs, request);
        result.rows = map.rows;
        result.columns = map.columns;
        result.cells.resize(static_cast<std::size_t>(map.rows * map.columns));
        if (layer.q.is_cuda())
            fill_on_cuda(map, result.cells, *source.backend.cuda, layer.q.device(), task);
        else
            fill_on_cpu(map, result.cells, source.backend.threads, task);
    });
    return result;
}

std::optional<AttentionCell> cell_at(const AttentionMap& map, std::int64_t query, std::int64_t key)
{
    const AttentionMapRequest& range = map.request;
    if (query < range.query_begin || query >= range.query_end || key < range.key_begin || key >= range.key_end)
        return std::nullopt;
    const std::int64_t queries = range.query_end - range.query_begin;
    const std::int64_t keys = range.key_end - range.key_begin;
    AttentionCell cell;
    cell.row = kernels::part_of(queries, map.rows, query - range.query_begin);
    cell.column = kernels::part_of(keys, map.columns, key - range.key_begin);
    cell.query_begin = range.query_begin + kernels::part_begin(queries, map.rows, cell.row);
    cell.query_end = range.query_begin + kernels::part_begin(queries, map.rows, cell.row + 1);
    cell.key_begin = range.key_begin + kernels::part_begin(keys, map.columns, cell.column);
    cell.key_end = range.key_begin + kernels::part_begin(keys, map.columns, cell.column + 1);
    cell.value = map.cells[static_cast<std::size_t>(cell.row * map.columns + cell.column)];
    return cell;
}

} // namespace keepset
