#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace keepset {

/// Lets a map of strings be asked with a string_view.
struct StringHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view> {}(text); }
};

/// Tokens and their ids.
using Vocabulary = std::unordered_map<std::string, std::int32_t, StringHash, std::equal_to<>>;

/// A token of a word: its id and its bytes within the word.
struct WordToken {
    std::int32_t id = 0;
    std::int32_t begin = 0;
    std::int32_t end = 0;
};

} // namespace keepset
