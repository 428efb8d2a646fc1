#pragma once

#include "core/maximum.h"
#include "core/model/decoder.h"
#include "core/pass/dense_pass.h"
#include "core/selection.h"

#include <cstdint>
#include <span>
#include <vector>

/// What the audit is told of a window: taken from what was really done, not from the plan (SEMANTICS 8).
namespace keepset {

/// FNV-1a over the eight bytes of every id, low ones first. Hashes can be continued: hash_of_ids(b, hash_of_ids(a)).
std::uint64_t hash_of_ids(std::span<const std::int64_t> ids, std::uint64_t begin = 0xcbf29ce484222325U);
/// The same of ids (n) int64 on any device.
std::uint64_t hash_of_ids(const at::Tensor& ids, std::uint64_t begin = 0xcbf29ce484222325U);

/// Largest magnitude in a tensor of hidden states; NaN where one is not a number. () on the tensor's device.
at::Tensor largest_magnitude_of(const at::Tensor& hidden);
double largest_magnitude(const at::Tensor& hidden);

/// The invariants of SEMANTICS 2 on the importance of one window, over all layers and heads: of cumulative importance,
/// n = C, and beside it of that by the last n queries where a sweep ranks by it. All are NaN where a value is.
struct ImportanceFacts {
    double mass_error = 0; ///< largest |Σ A - n| / n
    double last_key = 0; ///< largest A[C-1]
    double least = 0; ///< smallest A
    double most_of_visible = 0; ///< largest A[j] / most of these queries that can see j
    double first_token_mass = 0; ///< cumulative A[0] / C, mean over layers and heads
};
/// Of the importance and last_importance of a pass; the decoder's rules say which queries see a key. Returns the
/// members of ImportanceFacts in their order, (5) float64 on the importance's device.
at::Tensor measure_importance(const DensePass& pass, const Decoder& decoder, const Importance& mode);
ImportanceFacts importance_facts(const at::Tensor& measured);

} // namespace keepset
