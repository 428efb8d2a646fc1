#include "core/tokenizer/added_tokens.h"

#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include <algorithm>

namespace keepset {

namespace {

    /// The character that ends before `at`; its first byte's offset goes to `begin`. at > 0, text is UTF-8.
    UChar32 character_before(std::string_view text, std::size_t at, std::size_t& begin)
    {
        begin = at - 1;
        while (begin > 0 && (static_cast<unsigned char>(text[begin]) & 0xC0U) == 0x80U)
            --begin;
        return icu::UnicodeString::fromUTF8(
            icu::StringPiece(text.data() + begin, static_cast<std::int32_t>(at - begin)))
            .char32At(0);
    }

    /// The character that begins at `at`; the offset behind it goes to `end`. at < text.size().
    UChar32 character_at(std::string_view text, std::size_t at, std::size_t& end)
    {
        end = at + 1;
        while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U)
            ++end;
        return icu::UnicodeString::fromUTF8(icu::StringPiece(text.data() + at, static_cast<std::int32_t>(end - at)))
            .char32At(0);
    }

    /// \w of UTS 18, annex C.
    bool is_word(UChar32 character)
    {
        constexpr std::uint32_t classes = U_GC_M_MASK | U_GC_ND_MASK | U_GC_PC_MASK;
        return u_hasBinaryProperty(character, UCHAR_ALPHABETIC) != 0 || (U_GET_GC_MASK(character) & classes) != 0
            || u_hasBinaryProperty(character, UCHAR_JOIN_CONTROL) != 0;
    }

    bool stands_alone(std::string_view text, std::size_t begin, std::size_t end)
    {
        std::size_t unused = 0;
        return (begin == 0 || !is_word(character_before(text, begin, unused)))
            && (end == text.size() || !is_word(character_at(text, end, unused)));
    }

    /// Start of the white space that ends at `begin`, not before `limit`.
    std::size_t white_space_before(std::string_view text, std::size_t begin, std::size_t limit)
    {
        std::size_t previous = begin;
        while (begin > limit && u_isUWhiteSpace(character_before(text, begin, previous)))
            begin = previous;
        return begin;
    }

    std::size_t white_space_behind(std::string_view text, std::size_t end)
    {
        std::size_t next = end;
        while (end < text.size() && u_isUWhiteSpace(character_at(text, end, next)))
            end = next;
        return end;
    }

} // namespace

AddedTokenFinder::AddedTokenFinder(std::vector<AddedToken> tokens)
    : tokens_(std::move(tokens))
    , nodes_(1)
    , first_(256, 0)
{
    for (std::size_t i = 0; i < tokens_.size(); ++i) {
        std::size_t node = 0;
        for (const char byte : tokens_[i].content) {
            std::size_t next = child(node, byte);
            if (next == 0) {
                next = nodes_.size();
                nodes_.emplace_back();
                nodes_[node].children.emplace_back(byte, next);
                if (node == 0)
                    first_[static_cast<unsigned char>(byte)] = next;
            }
            node = next;
        }
        if (nodes_[node].token < 0)
            nodes_[node].token = static_cast<std::ptrdiff_t>(i);
    }
}

std::size_t AddedTokenFinder::child(std::size_t node, char byte) const
{
    if (node == 0)
        return first_[static_cast<unsigned char>(byte)];
    const auto& children = nodes_[node].children;
    const auto found
        = std::find_if(children.begin(), children.end(), [byte](const auto& c) { return c.first == byte; });
    return found == children.end() ? 0 : found->second;
}

const AddedToken* AddedTokenFinder::longest_at(std::string_view text, std::size_t at) const
{
    const AddedToken* longest = nullptr;
    std::size_t node = 0;
    for (; at < text.size(); ++at) {
        node = child(node, text[at]);
        if (node == 0)
            break;
        if (nodes_[node].token >= 0)
            longest = &tokens_[static_cast<std::size_t>(nodes_[node].token)];
    }
    return longest;
}

std::vector<AddedSplit> AddedTokenFinder::split(std::string_view text) const
{
    std::vector<AddedSplit> splits;
    std::size_t done = 0;
    const auto push = [&](std::size_t begin, std::size_t end, std::int32_t id) {
        splits.push_back({ static_cast<std::int64_t>(begin), static_cast<std::int64_t>(end), id });
    };
    for (std::size_t at = 0; !tokens_.empty() && at < text.size();) {
        const AddedToken* token = longest_at(text, at);
        if (token == nullptr) {
            ++at;
            continue;
        }
        std::size_t begin = at;
        std::size_t end = at + token->content.size();
        at = end; // A match that is no single word is passed over as a whole, as in the tokenizers library.
        if (token->single_word && !stands_alone(text, begin, end))
            continue;
        if (token->lstrip)
            begin = std::max(white_space_before(text, begin, std::min(done, begin)), done);
        if (token->rstrip)
            end = white_space_behind(text, end);
        if (done < begin)
            push(done, begin, -1);
        push(begin, end, token->id);
        done = end;
    }
    if (done < text.size())
        push(done, text.size(), -1);
    return splits;
}

} // namespace keepset
