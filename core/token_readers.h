#pragma once

#include "core/analysis.h"
#include "core/selection.h"

#include <cstdint>
#include <vector>

/// Who gave a token its importance, of an analysis that keeps what P is made from (AnalysisRequest::keep_attention).
namespace keepset {

struct TokenReader {
    std::int64_t query = 0; ///< position
    double attention = 0; ///< P[query, token]: the mean over the scope's layers and query heads
};

struct TokenReaders {
    std::int64_t token = 0;
    Scope scope;
    double sum = 0; ///< over all queries that see the token: its cumulative importance (SEMANTICS 2), their mean
    std::int64_t queries = 0; ///< that see it in some layer
    std::vector<TokenReader> largest; ///< descending, earlier first among equals
    double share_of_largest = 0; ///< of `sum`
};

/// The `most` queries that attend to a token the most, in the layers and kv heads of a scope. Work: context · layers ·
/// heads · head_dim. Throws Error{usage} where the analysis keeps no queries and keys or the token is outside of it,
/// Cancelled.
TokenReaders token_readers(
    const Analysis& analysis, const Scope& scope, std::int64_t token, std::size_t most, const Task& task = {});

} // namespace keepset
