#pragma once

#include "core/attention/dense_pass.h"
#include "core/model/decoder.h"
#include "core/sweep/target_score.h"
#include "core/types.h"

#include <functional>
#include <span>
#include <string>
#include <vector>

namespace keepset {

/// Token ids of one window. The first target token is predicted from the last context token's dense logits, the same
/// for every method, so target.size() - 1 losses are scored.
struct Window {
    std::int64_t index = 0;
    std::vector<std::int64_t> context; ///< (context), BOS first where the tokenizer adds one
    std::vector<std::int64_t> target; ///< (target)
};

/// One point on one window.
struct WindowPoint {
    TargetScore score;
    double kept_mass = not_a_number;
    std::uint64_t keep_hash = 0;
    std::int64_t kept_entries = 0;
    double seconds = 0; ///< its share of the target pass, without the dense pass that all points share
};

struct WindowResult {
    std::vector<WindowPoint> points; ///< in the order of the plan
    double mass_error = 0; ///< largest |Σ A - C| / C over layers and heads
    double last_key_importance = 0; ///< largest A[C-1]
};

/// What a protocol works with. `plan` has the dense point first.
struct SweepStep {
    const Decoder& decoder;
    const Backend& backend;
    const SweepRequest& request;
    const std::vector<SelectRequest>& plan;
    std::stop_token stop;
    std::function<void(std::int64_t points_done)> point_done;
};

/// A way of measuring: one line of the protocol table.
struct ProtocolEntry {
    Protocol protocol;
    WindowResult (*run)(const SweepStep& step, const Window& window);
};
const ProtocolEntry& protocol_entry(Protocol protocol);

/// Dense pass over the context, keys and values evicted, targets scored over what is kept (SEMANTICS 5, prefill-evict).
WindowResult run_prefill_evict(const SweepStep& step, const Window& window);
/// Kept token ids fed again as a shorter text (SEMANTICS 5, token-drop).
WindowResult run_token_drop(const SweepStep& step, const Window& window);

/// Keep sets of every point of the plan from the importance, and the attention, of a dense pass, with what the audit
/// wants to know filled in.
std::vector<KeepSet> select_points(
    const SweepStep& step, const Window& window, const DensePass& pass, WindowResult& result);
/// Whether some point of the plan ranks by attention itself, so that the dense pass has to keep it.
bool needs_attention(const SweepStep& step);

/// ids on the decoder's device.
at::Tensor to_tensor(const Decoder& decoder, std::span<const std::int64_t> ids);

} // namespace keepset
