#include "core/tokenizer/normalizer.h"

#include "core/error.h"

#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include <algorithm>

namespace keepset {

namespace {

    void check(UErrorCode status)
    {
        if (U_FAILURE(status))
            throw Error(ErrorKind::internal, std::string("Unicode normalisation failed: ") + u_errorName(status) + ".");
    }

    const icu::Normalizer2& instance(NormalForm form)
    {
        UErrorCode status = U_ZERO_ERROR;
        const icu::Normalizer2* found = nullptr;
        switch (form) {
        case NormalForm::nfc:
            found = icu::Normalizer2::getNFCInstance(status);
            break;
        case NormalForm::nfd:
            found = icu::Normalizer2::getNFDInstance(status);
            break;
        case NormalForm::nfkc:
            found = icu::Normalizer2::getNFKCInstance(status);
            break;
        case NormalForm::nfkd:
            found = icu::Normalizer2::getNFKDInstance(status);
            break;
        }
        check(status);
        return *found;
    }

    const icu::Normalizer2& decomposer(NormalForm form)
    {
        const bool compatible = form == NormalForm::nfkc || form == NormalForm::nfkd;
        return instance(compatible ? NormalForm::nfkd : NormalForm::nfd);
    }

    /// Full decomposition in canonical order. ICU inserts marks one by one, which is quadratic in a run of marks; a
    /// stable sort by combining class gives the same order.
    icu::UnicodeString decomposed(const icu::UnicodeString& segment, NormalForm form)
    {
        const icu::Normalizer2& decompose = decomposer(form);
        icu::UnicodeString all;
        icu::UnicodeString one;
        for (std::int32_t i = 0; i < segment.length(); i = segment.moveIndex32(i, 1)) {
            const UChar32 character = segment.char32At(i);
            if (decompose.getDecomposition(character, one))
                all.append(one);
            else
                all.append(character);
        }
        std::vector<UChar32> characters(static_cast<std::size_t>(all.countChar32()));
        UErrorCode status = U_ZERO_ERROR;
        all.toUTF32(characters.data(), static_cast<std::int32_t>(characters.size()), status);
        check(status == U_STRING_NOT_TERMINATED_WARNING ? U_ZERO_ERROR : status);
        for (auto begin = characters.begin(); begin != characters.end();) {
            const auto is_starter = [](UChar32 c) { return u_getCombiningClass(c) == 0; };
            const auto first = std::find_if_not(begin, characters.end(), is_starter);
            begin = std::find_if(first, characters.end(), is_starter);
            std::stable_sort(
                first, begin, [](UChar32 a, UChar32 b) { return u_getCombiningClass(a) < u_getCombiningClass(b); });
        }
        return icu::UnicodeString::fromUTF32(characters.data(), static_cast<std::int32_t>(characters.size()));
    }

    icu::UnicodeString normalized(const icu::UnicodeString& segment, NormalForm form)
    {
        constexpr std::int32_t long_segment = 64;
        UErrorCode status = U_ZERO_ERROR;
        icu::UnicodeString result;
        if (segment.length() > long_segment)
            instance(form).normalize(decomposed(segment, form), result, status);
        else
            instance(form).normalize(segment, result, status);
        check(status);
        return result;
    }

    /// End of the piece that starts at `begin` and can be normalised by itself.
    std::int32_t segment_end(const icu::UnicodeString& text, std::int32_t begin, const icu::Normalizer2& normalizer)
    {
        std::int32_t end = text.moveIndex32(begin, 1);
        while (end < text.length() && !normalizer.hasBoundaryBefore(text.char32At(end)))
            end = text.moveIndex32(end, 1);
        return end;
    }

} // namespace

NormalizedText::NormalizedText(std::string_view source, const std::vector<NormalForm>& forms)
    : utf8_(source)
{
    for (const NormalForm form : forms)
        join(apply(form), source);
}

/// Normalises utf8_ and tells what changed in it.
std::vector<NormalizedText::Change> NormalizedText::apply(NormalForm form)
{
    const icu::Normalizer2& normalizer = instance(form);
    UErrorCode status = U_ZERO_ERROR;
    const icu::UnicodeString text = icu::UnicodeString::fromUTF8(utf8_);
    if (normalizer.spanQuickCheckYes(text, status) == text.length())
        return {};
    check(status);
    std::string result;
    std::string before;
    std::string after;
    std::vector<Change> changes;
    std::int64_t source = 0;
    for (std::int32_t at = 0; at < text.length();) {
        const std::int32_t unchanged = normalizer.spanQuickCheckYes(text.tempSubString(at), status);
        check(status);
        const std::size_t size = result.size();
        text.tempSubString(at, unchanged).toUTF8String(result);
        source += static_cast<std::int64_t>(result.size() - size);
        at += unchanged;
        if (at == text.length())
            break;
        const std::int32_t end = segment_end(text, at, normalizer);
        const icu::UnicodeString segment = text.tempSubStringBetween(at, end);
        before.clear();
        after.clear();
        segment.toUTF8String(before);
        normalized(segment, form).toUTF8String(after);
        const auto begin = static_cast<std::int64_t>(result.size());
        const auto source_end = source + static_cast<std::int64_t>(before.size());
        if (before != after)
            changes.push_back({ begin, begin + static_cast<std::int64_t>(after.size()), source, source_end });
        result += after;
        source = source_end;
        at = end;
    }
    utf8_ = std::move(result);
    return changes;
}

/// Changes of the last form, which count from the text before it, joined with those made so far. Where forms undo one
/// another nothing changed.
void NormalizedText::join(const std::vector<Change>& next, std::string_view source)
{
    std::vector<Change> joined;
    std::int64_t to_source = 0; // from an unchanged offset between the two forms
    std::int64_t to_result = 0;
    auto first = changes_.begin();
    auto second = next.begin();
    while (first != changes_.end() || second != next.end()) {
        const bool first_leads
            = second == next.end() || (first != changes_.end() && first->begin < second->source_begin);
        const std::int64_t begin = first_leads ? first->begin : second->source_begin;
        Change change { begin + to_result, 0, begin + to_source, 0 };
        for (std::int64_t end = begin + 1;;
             change = { change.begin, end + to_result, change.source_begin, end + to_source }) {
            if (first != changes_.end() && first->begin < end) {
                end = std::max(end, first->end);
                to_source = first->source_end - first->end;
                ++first;
            } else if (second != next.end() && second->source_begin < end) {
                end = std::max(end, second->source_end);
                to_result = second->end - second->source_end;
                ++second;
            } else {
                break;
            }
        }
        const auto bytes = [](std::string_view text, std::int64_t from, std::int64_t to) {
            return text.substr(static_cast<std::size_t>(from), static_cast<std::size_t>(to - from));
        };
        if (bytes(utf8_, change.begin, change.end) != bytes(source, change.source_begin, change.source_end))
            joined.push_back(change);
    }
    changes_ = std::move(joined);
}

std::int64_t NormalizedText::source_of(std::int64_t offset) const
{
    auto change = std::upper_bound(
        changes_.begin(), changes_.end(), offset, [](std::int64_t at, const Change& c) { return at < c.begin; });
    if (change == changes_.begin())
        return offset;
    --change;
    if (offset >= change->end)
        return offset + change->source_end - change->end;
    const std::int64_t bytes = change->end - change->begin;
    const std::int64_t source_bytes = change->source_end - change->source_begin;
    return change->source_begin + ((offset - change->begin) * source_bytes + bytes - 1) / bytes;
}

} // namespace keepset
