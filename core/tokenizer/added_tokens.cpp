#include "core/tokenizer/added_tokens.h"

#include "core/tokenizer/stop_look.h"
#include "core/tokenizer/unicode_classes.h"
#include "core/tokenizer/utf8.h"

#include <algorithm>

namespace keepset {

namespace {

    bool stands_alone(std::string_view text, std::size_t begin, std::size_t end)
    {
        return (begin == 0 || !is_word(previous_character(text, begin)))
            && (end == text.size() || !is_word(next_character(text, end)));
    }

    /// Start of the white space that ends at `begin`, not before `limit`.
    std::size_t white_space_before(std::string_view text, std::size_t begin, std::size_t limit, StopLook& look)
    {
        for (std::size_t at = begin; at > limit && is_white_space(previous_character(text, at));) {
            look.step();
            begin = at;
        }
        return begin;
    }

    std::size_t white_space_behind(std::string_view text, std::size_t end, StopLook& look)
    {
        for (std::size_t at = end; at < text.size() && is_white_space(next_character(text, at));) {
            look.step();
            end = at;
        }
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

std::vector<Piece> AddedTokenFinder::split(std::string_view text, const std::stop_token& stop) const
{
    StopLook look(stop);
    std::vector<Piece> splits;
    std::size_t done = 0;
    const auto push = [&](std::size_t begin, std::size_t end, std::int32_t id) {
        splits.push_back({ static_cast<std::int64_t>(begin), static_cast<std::int64_t>(end), id });
    };
    for (std::size_t at = 0; !tokens_.empty() && at < text.size();) {
        look.step();
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
            begin = std::max(white_space_before(text, begin, std::min(done, begin), look), done);
        if (token->rstrip)
            end = white_space_behind(text, end, look);
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
