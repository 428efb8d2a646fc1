#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace keepset {

/// A token that is found in the text as it stands, before pre-tokenisation (tokenizer.json's added_tokens).
struct AddedToken {
    std::int32_t id = 0;
    std::string content;
    bool single_word = false; ///< only where no word character stands beside it
    bool lstrip = false; ///< takes the white space before it along
    bool rstrip = false; ///< takes the white space behind it along
    bool normalized = false; ///< looked for in the normalised text
    bool special = false;
    bool operator==(const AddedToken&) const = default;
};

/// A piece of a text: an added token, or text that has none (id -1). Byte offsets.
struct Piece {
    std::int64_t begin = 0;
    std::int64_t end = 0;
    std::int32_t id = -1;
};

/// Finds added tokens: the leftmost first, of those the longest.
class AddedTokenFinder {
public:
    AddedTokenFinder() = default;
    /// Of two tokens with one content the first is found.
    explicit AddedTokenFinder(std::vector<AddedToken> tokens);

    bool empty() const { return tokens_.empty(); }
    /// All of `text` (UTF-8) in pieces, ascending. Throws Cancelled.
    std::vector<Piece> split(std::string_view text, const std::stop_token& stop = {}) const;

private:
    struct Node {
        std::vector<std::pair<char, std::size_t>> children; ///< byte, node
        std::ptrdiff_t token = -1; ///< index of the token that ends here
    };

    std::size_t child(std::size_t node, char byte) const;
    const AddedToken* longest_at(std::string_view text, std::size_t at) const;

    std::vector<AddedToken> tokens_;
    std::vector<Node> nodes_;
    std::vector<std::size_t> first_; ///< (256): child of the root, 0 where there is none
};

} // namespace keepset
