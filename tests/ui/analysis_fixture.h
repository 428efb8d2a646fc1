#pragma once

#include "core/analysis.h"

#include <memory>
#include <string>
#include <vector>

/// Analyses for tests of views, made by hand: words as tokens, importance from a formula.
namespace fixture {

/// Cuts at the given byte lengths; what is left is one token.
keepset::Analysis analysisOf(const std::string& text, const std::vector<int>& lengths);
/// `tokens` words of different lengths in paragraphs; 4 layers, 4 heads, 2 kv heads.
std::shared_ptr<const keepset::Analysis> prose(std::int64_t tokens);

} // namespace fixture
