#pragma once

#include "core/tokenizer/stop_look.h"

#include <cstdint>
#include <deque>
#include <stop_token>
#include <string>
#include <string_view>

namespace keepset {

/// A piece that one step changed: [begin, end) of the result is [source_begin, source_end) of what was before it.
/// Either may be empty: bytes put in, bytes left out.
struct Change {
    std::int64_t begin = 0;
    std::int64_t end = 0;
    std::int64_t source_begin = 0;
    std::int64_t source_end = 0;
};

/// One pass over a text that writes a new one: what is not named is copied. Throws Cancelled.
class TextEdit {
public:
    explicit TextEdit(std::string_view before, const std::stop_token& stop = {})
        : before_(before)
        , look_(stop)
    {
    }

    /// A character was looked at. Throws Cancelled, now and then.
    void step() { look_.step(); }
    StopLook& look() { return look_; }
    /// Copies everything up to `offset` of the text before.
    void copy_to(std::int64_t offset);
    /// Copies up to `begin` and puts `with` in place of [begin, end).
    void replace(std::int64_t begin, std::int64_t end, std::string_view with);
    /// Bytes written so far: where the next piece will begin.
    std::int64_t size() const { return static_cast<std::int64_t>(text_.size()); }
    /// Whether the result differs from the text before.
    bool changed() const { return changed_; }

private:
    friend class AlignedText;
    std::string_view before_;
    StopLook look_;
    std::string text_;
    /// Ascending, disjoint; only those that move bytes. Millions in a long text: a vector that grows would copy them
    /// all at once, longer than a stop may wait.
    std::deque<Change> changes_;
    std::int64_t done_ = 0; ///< of the text before
    bool changed_ = false;
};

/// A text that steps have changed, and where in the user's text each of its bytes comes from.
class AlignedText {
public:
    /// `source` must outlive the text.
    explicit AlignedText(std::string_view source)
        : source_(source)
    {
    }

    std::string_view utf8() const { return changed_ ? std::string_view(text_) : source_; }
    /// Takes over the result of an edit of utf8(). Throws Cancelled.
    void apply(TextEdit edit);

    /// Offset in the source at which the byte at `offset` begins; what was left out before that byte lies before it.
    /// Where a piece changed its size, its bytes are shared out in proportion, so that ranges still ascend and leave no
    /// gap; unchanged bytes are met exactly.
    std::int64_t source_begin(std::int64_t offset) const;
    /// Offset in the source behind the byte before `offset`; what was left out behind that byte lies behind it.
    std::int64_t source_end(std::int64_t offset) const;

private:
    void join(const TextEdit& edit);

    std::string_view source_;
    std::string text_;
    bool changed_ = false;
    std::deque<Change> changes_; ///< from the source to text_; between them bytes are one to one
};

} // namespace keepset
