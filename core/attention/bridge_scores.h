#pragma once

#include "core/attention/attention_source.h"
#include "core/attention/bridge_source.h"

#include <memory>

namespace keepset {

/// Flow and curvature of the rows of one pass, recomputed from its queries and keys where they lie: on a GPU, or on CPU
/// threads. What was made is kept for as long as the source lives, up to 256 MiB. Safe from several threads. Throws
/// Cancelled between blocks of a tenth of a second or less, Error{usage} for a context that is too long and
/// Error{input} where attention is not finite. An empty `attention` gives an empty pointer.
std::shared_ptr<policy::BridgeSource> bridge_source(std::shared_ptr<const AttentionSource> attention);

/// A source that says why there is no attention, when it is asked.
std::shared_ptr<policy::BridgeSource> no_bridge_source(std::string reason);

} // namespace keepset
