#pragma once

#include "core/analysis.h"
#include "core/keep_file.h"
#include "core/policy/prepared.h"
#include "core/policy/select.h"

#include <ATen/core/Tensor.h>

#include <map>
#include <span>
#include <string>
#include <vector>

/// Scores and keep sets that policies take from files (SEMANTICS 4b), beside the scores that are made here.
namespace keepset::policy {

/// Whether a policy ranks by the scores, or takes the keep sets, of the file that its parameter `path` names.
bool reads_file(const Policy& policy);
/// Whether each row is ranked by Prepared::score for itself, so that it has a cut of its own.
bool ranks_each_row(const Prepared& point);

/// Under which name keep sets stand beside the scores of a policy: where this name is there, these scores are 1 and 0
/// and no ranking.
std::string keep_sets_of(const std::string& score);

/// (layers, kv_heads, context) float32 on `device`, by scores_of, and once more by keep_sets_of where they are keep
/// sets. Throws Error{input, usage}.
std::map<std::string, at::Tensor> given_scores(
    std::span<const PolicySpec> policies, const KeepFilePlace& place, at::Device device);

/// The one of a policy's scores that a file holds, spelled as a policy; empty: none.
std::string file_score_of(const PolicySpec& policy);
/// given_scores of a policy for the tokens of an analysis, in the host's memory.
std::map<std::string, std::vector<float>> given_of(const Analysis& analysis, const PolicySpec& policy);
/// Reads for the rows of an analysis what a policy takes from a file, where it is not among its scores already.
void add_given(ScoreRows& rows, const Analysis& analysis, const PolicySpec& policy);

} // namespace keepset::policy
