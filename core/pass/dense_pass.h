#pragma once

#include "core/attention/attention_source.h"
#include "core/model/decoder.h"
#include "core/task.h"

#include <functional>
#include <memory>
#include <stop_token>
#include <vector>

namespace keepset {

/// What a pass over a context leaves behind. Keys and values stay on the device of their layer, the rest on the
/// decoder's.
struct DensePass {
    at::Tensor hidden; ///< (context, hidden): after the last layer, before the final norm
    at::Tensor importance; ///< (layers, heads, context) float32: cumulative, SEMANTICS 2; undefined unless asked for
    at::Tensor row_lse; ///< (layers, heads, context) float32; undefined unless asked for
    at::Tensor last_importance; ///< as `importance`: what the last queries alone gave; undefined unless asked for
    std::vector<at::Tensor> keys; ///< a layer each, (kv_heads, context, head_dim), rotated; empty unless asked for
    std::vector<at::Tensor> values;
    std::shared_ptr<const AttentionSource> attention; ///< empty unless asked for
};

/// One layer of a pass under way, for whoever looks on: scores of policies are made from it. All on the layer's device.
/// Consecutive layers that differ in nothing but their weights may go together: then heads and kv heads are those of
/// all of them, layer by layer. What no score needs may be left out, undefined, and of the queries the first ones.
struct LayerPass {
    const Decoder& decoder;
    const Backend& backend;
    std::int64_t layer = 0; ///< the first
    at::Tensor q; ///< (heads, queries, head_dim), rotated: the last ones of the context
    at::Tensor k; ///< (kv_heads, context, head_dim), rotated
    at::Tensor v; ///< (kv_heads, context, head_dim)
    at::Tensor importance; ///< (heads, context) float32: cumulative; undefined unless the pass makes it
    at::Tensor row_lse; ///< (heads, queries) float32: natural log-sum-exp of each query's visible scores
    const ScoreRule& rule;
    const Rotations& rotations; ///< of the context's positions
    std::int64_t length = 0; ///< DensePassOptions::length, or the context
    std::stop_token stop = {};
    std::int64_t layers = 1; ///< that go together
};

struct DensePassOptions {
    bool importance = false;
    std::int64_t last_queries = 0; ///< of the context, up to its length, whose attention is summed up, too; 0: none
    bool cache = false; ///< keep keys and values
    bool attention = false; ///< keep what P can be recomputed from: attention_source_bytes of memory
    std::int64_t length = 0; ///< tokens of the text that the pass is a part of; 0: it is the whole
    bool every_expert = false; ///< see FinishOptions
    std::function<void(const LayerPass&)> look = {}; ///< called after each layer's attention; may be absent
};

/// A GPU is only told what to do. In passes of many rows, where a layer takes milliseconds, the host waits for each:
/// else a stop would find all layers queued, seconds before the last is done, and the progress would be that of the
/// queue. hidden (rows, hidden) of a layer just queued.
void wait_for_long(const at::Tensor& hidden);

/// Causal forward pass over ids (context) int64, memory O(context). Throws Cancelled between layers.
DensePass dense_pass(const Decoder& decoder, const at::Tensor& ids, const DensePassOptions& options,
    const Backend& backend, const Task& task);

} // namespace keepset
