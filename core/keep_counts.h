#pragma once

#include "core/selection.h"

#include <array>
#include <cstdint>
#include <span>
#include <vector>

/// How many positions of keep sets are what: the numbers of legends and strips.
namespace keepset {

/// Positions by label. labels (context).
std::array<std::int64_t, label_count> label_counts(std::span<const Label> labels);
/// Share of the positions begin … end - 1 that has each label, by label; what is left of 1 is evicted, whose own entry
/// is 0. labels (context); what lies outside them is not looked at. All 0 where nothing is left.
std::array<double, label_count> label_shares(std::span<const Label> labels, std::int64_t begin, std::int64_t end);
/// Share of the budget that has each label, by label; 0 of evicted positions, which are not in it.
std::array<double, label_count> shares_of_budget(const RowSelection& selection);
/// Entries that every row of a keep set keeps: (layers, kv_heads).
std::vector<std::int64_t> kept_by_row(const KeepSet& set);
/// Whether all rows keep as many.
bool rows_are_alike(const KeepSet& set);
/// Positions by Membership, in the order of the enumeration. members (context).
std::array<std::int64_t, 4> membership_counts(std::span<const Membership> members);

} // namespace keepset
