#pragma once

#include "core/pass/dense_pass.h"
#include "core/policy/policy.h"
#include "core/policy/replay.h"
#include "core/policy/select.h"

#include <ATen/core/Tensor.h>

#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

/// Scores of policies' own (SEMANTICS 4b), made while a dense pass runs.
namespace keepset::policy {

/// Makes, layer by layer, every score that some policies rank by, each once, however many points use it.
class OwnScores {
public:
    /// `patient`: what cannot be made of this context is left out, and told by `missing`; else it is refused.
    explicit OwnScores(std::span<const PolicySpec> policies, bool patient = false);

    /// What the pass must call; empty where there is nothing to make. Refers to this.
    std::function<void(const LayerPass&)> look();
    /// Whether some scores need the model once more after the pass, which then must keep its keys and values.
    bool needs_replay() const;
    /// Makes these. After the pass.
    void replay(const Replay& from);
    /// (layers, kv_heads, context) float32 on `device`, by scores_of. After the pass.
    std::map<std::string, at::Tensor> take(at::Device device);
    /// Why scores are missing: an Error's words and hint, by scores_of.
    const std::map<std::string, std::pair<std::string, std::string>>& missing() const { return missing_; }

private:
    struct Source {
        std::string name;
        PolicySpec policy;
        bool is_replay = false;
        std::vector<at::Tensor> layers; ///< (kv_heads, context) each
    };
    /// What the scores need, all together.
    struct Needs {
        bool keys = false;
        bool values = false;
        std::int64_t queries = 0; ///< of the last
    };
    /// What is needed of a layer: LayerPass's tensors, undefined where no score looks at them.
    struct Parts {
        at::Tensor q;
        at::Tensor k;
        at::Tensor v;
        at::Tensor importance;
        at::Tensor row_lse;
    };
    /// Layers of a pass that go together; on a CPU each goes alone.
    struct Group {
        std::vector<Parts> layers;
        std::int64_t bytes = 0;
    };
    Parts parts_of(const LayerPass& layer) const;
    void add(const LayerPass& layer);
    void make_scores(const Parts& parts, const LayerPass& last, std::int64_t count);
    /// Runs `make`; what cannot be made is remembered where patient.
    void attempt(const Source& source, const std::function<void()>& make);

    std::vector<Source> sources_;
    Needs needs_;
    Group group_;
    std::map<std::string, std::pair<std::string, std::string>> missing_;
    bool patient_ = false;
};

/// Scores (layers, kv_heads, context) of the rows that share a keep set: (score rows, context), means in double.
/// `evicting`: evicting_layers, those that are looked at.
at::Tensor shared_rows(const at::Tensor& scores, Granularity granularity, const std::vector<std::int64_t>& evicting);
/// The same in the host's memory.
std::vector<float> shared_rows(const std::vector<float>& scores, const ImportanceView& of, Granularity granularity,
    const std::vector<std::int64_t>& evicting);
/// Mean over the rows of a scope: (context); of the whole model over the layers that evict.
std::vector<float> mean_of_scope(const std::vector<float>& scores, const ImportanceView& of, const Scope& scope,
    const std::vector<std::int64_t>& evicting);

} // namespace keepset::policy
