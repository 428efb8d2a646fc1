#pragma once

#include "core/policy/select.h"

#include <functional>
#include <span>
#include <vector>

/// What policies keep by their definitions (SEMANTICS 4), made by whole sorts and on no device: what the audit holds
/// the results of a sweep against.
namespace keepset::policy {

/// hash_of the keep set that the definition of `request` gives on these scores. Two requests differ by definition on
/// the scores where theirs do. Throws Error{input} where a score is not finite, Cancelled by rows.stop.
std::uint64_t definition_hash(const ScoreRows& rows, const SelectRequest& request);
/// The same of every request, where `keep_hashes` are those of the keep sets that were selected for them. Only what
/// comes out equal at one budget below `context` is made anew, on what `make_rows` gives: sets that differ show that
/// the definitions do.
std::vector<std::uint64_t> definition_hashes(const std::function<ScoreRows()>& make_rows,
    std::span<const SelectRequest> requests, std::span<const std::uint64_t> keep_hashes, std::int64_t context);
/// Whether two requests keep the same positions of one row by their definitions. Throws Error{usage} for a policy that
/// ranks by attention itself.
bool same_by_definition(const RowScores& row, const SelectRequest& a, const SelectRequest& b);

} // namespace keepset::policy
