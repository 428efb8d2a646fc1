#pragma once

#include "core/selection.h"

#include <cstdint>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

namespace keepset::policy {

/// What attention itself says about a row, for criteria that importance cannot answer (SEMANTICS 4). P is the mean over
/// the query heads, and layers, that share the row; -1 in a scope stands for all.
class BridgeSource {
public:
    using Scores = std::shared_ptr<const std::vector<double>>; // (context)

    virtual ~BridgeSource() = default;
    /// from(j) · to(j) of every position (context), for `important` ascending. Throws Error, Cancelled.
    virtual Scores flow(const Scope& scope, std::span<const std::int32_t> important, const std::stop_token& stop) = 0;
    /// Curvature of every position (context) in the graph of strong attention. Throws Error, Cancelled.
    virtual Scores curvature(const Scope& scope, const std::stop_token& stop) = 0;
};

/// Throws Error{usage} where a context is too long for bridges by "flow" or "curvature".
void refuse_long_context(const std::string& criterion, std::int64_t context);

} // namespace keepset::policy
