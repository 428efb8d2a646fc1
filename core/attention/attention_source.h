#pragma once

#include "core/attention/column_sums.h"
#include "core/choices.h"
#include "core/model/score_rule.h"
#include "core/model_info.h"
#include "kernels/importance/importance.h"

#include <ATen/core/Tensor.h>

#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace keepset {

/// Importance by the last queries that was made from an attention source, (layers, heads, context) a mode: what was
/// made last, and what somebody holds. Safe from any thread.
class MadeImportance {
public:
    using Values = std::shared_ptr<const std::vector<float>>;

    /// Null: there is none of this mode.
    Values find(const Importance& mode) const
    {
        const std::scoped_lock lock(mutex_);
        const auto found = made_.find(mode);
        return found == made_.end() ? nullptr : found->second.lock();
    }
    void keep(const Importance& mode, Values values)
    {
        const std::scoped_lock lock(mutex_);
        made_[mode] = values;
        last_ = std::move(values);
    }

private:
    mutable std::mutex mutex_;
    std::map<Importance, std::weak_ptr<const std::vector<float>>> made_;
    Values last_;
};

/// What a dense pass leaves behind so that P can be recomputed, in blocks, at any time: P itself is never stored whole
/// (SEMANTICS 4). Everything of a layer lies on the layer's device, queries and keys in the dtype of the pass.
struct AttentionSource {
    struct Layer {
        at::Tensor q; ///< (heads, context, head_dim), rotated
        at::Tensor k; ///< (kv_heads, context, head_dim), rotated
        at::Tensor
            row_lse; ///< (heads, context) float32, contiguous: natural log-sum-exp of each query's visible scores
        ScoreRule rule;
    };
    std::vector<Layer> layers;
    Backend backend; ///< what the pass ran on, so that P is recomputed there
    std::shared_ptr<MadeImportance> made = std::make_shared<MadeImportance>();
};

/// What kernels read of one layer, and the tensors that hold it: valid as long as these are.
struct KernelInputs {
    kernels::ImportanceInputs inputs; ///< key_bias is nullptr where the rule has no bias
    std::vector<at::Tensor> held;
};

/// Inputs of kernels for queries against keys in the order of the text, all on one device: q (heads, queries,
/// head_dim), k (kv_heads, keys, head_dim), row_lse (heads, queries) float32. The first query stands at position 0: a
/// caller that gives later ones sets inputs.shape.query_begin. The kernels of the CPU take float32, so that there
/// other dtypes are converted. Throws Error{internal} for a dtype that no kernel takes.
KernelInputs kernel_inputs(const at::Tensor& q, const at::Tensor& k, const at::Tensor& row_lse, const ScoreRule& rule);

/// The same for one layer, all its query heads and its whole context. `layer` in [0, layers).
KernelInputs kernel_inputs(const AttentionSource& source, std::int64_t layer);

/// The same for query heads [begin, end) of one layer: one query head, or all those of some kv heads.
KernelInputs kernel_inputs(const AttentionSource::Layer& layer, std::int64_t begin, std::int64_t end);

/// Bytes that a pass keeps for its source: queries and keys of every layer.
std::int64_t attention_source_bytes(const ModelInfo& info, std::int64_t context, std::int64_t element_bytes);

} // namespace keepset
