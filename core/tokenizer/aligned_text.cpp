#include "core/tokenizer/aligned_text.h"

#include <algorithm>

namespace keepset {

namespace {

    std::string_view slice(std::string_view text, std::int64_t begin, std::int64_t end)
    {
        return text.substr(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin));
    }

    /// `offset` lies in or behind `change`.
    std::int64_t source_of(const Change& change, std::int64_t offset)
    {
        if (offset >= change.end)
            return offset + change.source_end - change.end;
        const std::int64_t bytes = change.end - change.begin;
        const std::int64_t source_bytes = change.source_end - change.source_begin;
        return change.source_begin + ((offset - change.begin) * source_bytes + bytes - 1) / bytes;
    }

} // namespace

void TextEdit::copy_to(std::int64_t offset)
{
    constexpr auto block = static_cast<std::int64_t>(bytes_between_looks);
    // Room for every byte to become three, as a blank does that turns into U+2581: memory that is not written to costs
    // nothing, and a string that grows copies all of a long text at once, longer than a stop may wait.
    if (text_.empty())
        text_.reserve(3 * before_.size());
    for (; offset - done_ > block; done_ += block) {
        look_.look();
        text_ += slice(before_, done_, done_ + block);
    }
    text_ += slice(before_, done_, offset);
    done_ = offset;
}

void TextEdit::replace(std::int64_t begin, std::int64_t end, std::string_view with)
{
    step();
    copy_to(begin);
    const std::int64_t at = size();
    if (slice(before_, begin, end) != with)
        changed_ = true;
    text_ += with;
    done_ = end;
    if (size() - at != end - begin)
        changes_.push_back({ at, size(), begin, end });
}

void AlignedText::apply(TextEdit edit)
{
    if (!edit.changed_)
        return;
    edit.copy_to(static_cast<std::int64_t>(edit.before_.size()));
    if (changes_.empty())
        changes_ = std::move(edit.changes_);
    else if (!edit.changes_.empty())
        join(edit);
    text_ = std::move(edit.text_);
    changed_ = true;
}

/// Changes of the last step, which count from the text before it, joined with those made so far. Where steps undo one
/// another nothing changed.
void AlignedText::join(const TextEdit& edit)
{
    const std::deque<Change>& next = edit.changes_;
    StopLook look = edit.look_;
    std::deque<Change> joined;
    std::int64_t to_source = 0; // from an unchanged offset between the two
    std::int64_t to_result = 0;
    auto first = changes_.begin();
    auto second = next.begin();
    // At one offset, what the first left out comes before what the second puts in, and that before a changed piece.
    const auto first_leads = [&] {
        if (second == next.end() || first == changes_.end())
            return first != changes_.end();
        if (first->begin != second->source_begin)
            return first->begin < second->source_begin;
        return first->begin == first->end || second->source_begin < second->source_end;
    };
    while (first != changes_.end() || second != next.end()) {
        look.step();
        const bool leads = first_leads();
        const std::int64_t begin = leads ? first->begin : second->source_begin;
        std::int64_t end = leads ? first->end : second->source_end;
        Change change { begin + to_result, 0, begin + to_source, 0 };
        for (bool take_first = leads, take_second = !leads; take_first || take_second;) {
            look.step();
            if (take_first) {
                end = std::max(end, first->end);
                to_source = first->source_end - first->end;
                ++first;
            } else {
                end = std::max(end, second->source_end);
                to_result = second->end - second->source_end;
                ++second;
            }
            take_first = first != changes_.end() && first->begin < end;
            take_second = !take_first && second != next.end() && second->source_begin < end;
        }
        change.end = end + to_result;
        change.source_end = end + to_source;
        if (slice(edit.text_, change.begin, change.end) != slice(source_, change.source_begin, change.source_end))
            joined.push_back(change);
    }
    changes_ = std::move(joined);
}

std::int64_t AlignedText::source_begin(std::int64_t offset) const
{
    const auto behind = std::upper_bound(changes_.begin(), changes_.end(), offset,
        [](std::int64_t at, const Change& change) { return at < change.begin; });
    return behind == changes_.begin() ? offset : source_of(*(behind - 1), offset);
}

std::int64_t AlignedText::source_end(std::int64_t offset) const
{
    const auto behind = std::lower_bound(changes_.begin(), changes_.end(), offset,
        [](const Change& change, std::int64_t at) { return change.begin < at; });
    return behind == changes_.begin() ? offset : source_of(*(behind - 1), offset);
}

} // namespace keepset
