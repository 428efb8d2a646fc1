#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// Numbers and lists in the sentences of core.
namespace keepset {

/// "1,024".
std::string grouped(std::int64_t count);
/// "1 token", "1,024 tokens".
std::string counted(std::int64_t count, const std::string& thing);
/// Shortest decimal text that reads back as the same number: "0.3".
std::string shortest(double value);
/// `digits` significant digits, with a true minus sign: "−0.0312".
std::string significant(double value, int digits = 3);
/// A share as percent, no more decimals than it needs: 0.9 → "90%", 0.125 → "12.5%".
std::string percent(double share);
/// "a, b, c".
std::string joined(const std::vector<std::string>& parts);
/// "a, b and c".
std::string listed(const std::vector<std::string>& parts);
/// Without white space at both ends.
std::string trimmed(std::string_view text);
/// Parts between `separator`s that stand outside parentheses, trimmed; one at least.
std::vector<std::string> split_outside_parentheses(std::string_view text, char separator);

} // namespace keepset
