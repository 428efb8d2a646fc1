#include "core/tokenizer/normal_form.h"

#include "core/error.h"
#include "core/tokenizer/utf16.h"
#include "core/tokenizer/utf8.h"

#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/uniset.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <memory>

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
    icu::UnicodeString decomposed(const icu::UnicodeString& segment, NormalForm form, StopLook& look)
    {
        const icu::Normalizer2& decompose = decomposer(form);
        icu::UnicodeString all;
        icu::UnicodeString one;
        for (std::int32_t i = 0; i < segment.length(); i = segment.moveIndex32(i, 1)) {
            look.step();
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
            std::stable_sort(first, begin, [&look](UChar32 a, UChar32 b) {
                look.step();
                return u_getCombiningClass(a) < u_getCombiningClass(b);
            });
        }
        return icu::UnicodeString::fromUTF32(characters.data(), static_cast<std::int32_t>(characters.size()));
    }

    icu::UnicodeString normalized(const icu::UnicodeString& segment, NormalForm form, StopLook& look)
    {
        constexpr std::int32_t long_segment = 64;
        UErrorCode status = U_ZERO_ERROR;
        icu::UnicodeString result;
        if (segment.length() > long_segment)
            instance(form).normalize(decomposed(segment, form, look), result, status);
        else
            instance(form).normalize(segment, result, status);
        check(status);
        return result;
    }

    std::int64_t utf8_size(const icu::UnicodeString& text, std::int32_t begin, std::int32_t end)
    {
        std::int64_t bytes = 0;
        for (std::int32_t i = begin; i < end; ++i) {
            const char16_t unit = text.charAt(i);
            bytes += unit < 0x80 ? 1 : unit < 0x800 || U16_IS_SURROGATE(unit) ? 2 : 3; // A pair of surrogates is four.
        }
        return bytes;
    }

    /// End of the piece that starts at `begin` and can be normalised by itself.
    std::int32_t segment_end(
        const icu::UnicodeString& text, std::int32_t begin, const icu::Normalizer2& normalizer, StopLook& look)
    {
        std::int32_t end = text.moveIndex32(begin, 1);
        for (; end < text.length() && !normalizer.hasBoundaryBefore(text.char32At(end)); end = text.moveIndex32(end, 1))
            look.step();
        return end;
    }

    std::string utf8_of(const icu::UnicodeString& text)
    {
        std::string utf8;
        return text.toUTF8String(utf8);
    }

    /// A character of a segment: what it becomes by itself, and where it ends.
    struct SingleForm {
        std::string utf8;
        std::int64_t end = 0;
    };

    std::vector<SingleForm> single_forms(
        const icu::UnicodeString& segment, std::int64_t begin, NormalForm form, StopLook& look)
    {
        std::vector<SingleForm> forms;
        for (std::int32_t at = 0; at < segment.length();) {
            look.step();
            const std::int32_t next = segment.moveIndex32(at, 1);
            begin += utf8_size(segment, at, next);
            forms.push_back({ utf8_of(normalized(segment.tempSubStringBetween(at, next), form, look)), begin });
            at = next;
        }
        return forms;
    }

    /// Puts the normal form of a segment in its place, which begins at `begin`; returns the offset behind it. At both
    /// ends of the segment it can often be told which character became what; between them it is the whole that changed.
    std::int64_t replace_segment(TextEdit& edit, std::int64_t begin, const icu::UnicodeString& segment, NormalForm form)
    {
        const std::string after = utf8_of(normalized(segment, form, edit.look()));
        const std::vector<SingleForm> forms = single_forms(segment, begin, form, edit.look());
        const auto replace = [&](std::int64_t end, std::string_view with) {
            edit.replace(begin, end, with);
            begin = end;
        };
        std::size_t first = 0; // of those between the ends
        std::size_t from = 0; // in `after`
        for (; first < forms.size() && after.compare(from, forms[first].utf8.size(), forms[first].utf8) == 0; ++first) {
            from += forms[first].utf8.size();
            replace(forms[first].end, forms[first].utf8);
        }
        std::size_t last = forms.size();
        std::size_t to = after.size();
        for (; last > first + 1 && std::string_view(after).substr(from, to - from).ends_with(forms[last - 1].utf8);
             --last)
            to -= forms[last - 1].utf8.size();
        if (first < last)
            replace(forms[last - 1].end, std::string_view(after).substr(from, to - from));
        for (; last < forms.size(); ++last)
            replace(forms[last].end, forms[last].utf8);
        return begin;
    }

    /// Normalises `units`, which begin at the byte `done`; returns the byte behind it.
    std::int64_t normalize_run(TextEdit& edit, std::int64_t done, const icu::UnicodeString& units, NormalForm form)
    {
        const icu::Normalizer2& normalizer = instance(form);
        UErrorCode status = U_ZERO_ERROR;
        for (std::int32_t at = 0; at < units.length();) {
            const std::int32_t unchanged = normalizer.spanQuickCheckYes(units.tempSubString(at), status);
            check(status);
            done += utf8_size(units, at, at + unchanged);
            at += unchanged;
            if (at == units.length())
                break;
            const std::int32_t end = segment_end(units, at, normalizer, edit.look());
            done = replace_segment(edit, done, units.tempSubStringBetween(at, end), form);
            at = end;
        }
        return done;
    }

    /// End of a stretch of some ten thousand units from `begin` on that can be normalised by itself.
    std::int32_t stretch_end(
        const icu::UnicodeString& units, std::int32_t begin, const icu::Normalizer2& normalizer, StopLook& look)
    {
        constexpr std::int32_t stretch = 1 << 15;
        if (units.length() - begin <= stretch)
            return units.length();
        return segment_end(units, units.getChar32Start(begin + stretch), normalizer, look);
    }

    /// Characters that the library's tables know: those of Unicode 9. It takes newer ones to stay as they are.
    const icu::UnicodeSet& known_characters()
    {
        static const std::unique_ptr<const icu::UnicodeSet> known = [] {
            UErrorCode status = U_ZERO_ERROR;
            auto set = std::make_unique<icu::UnicodeSet>(u"[:age=9.0:]", status);
            check(status);
            set->freeze();
            return set;
        }();
        return *known;
    }

    /// Normalises what the library's tables know of `units`, which begin at the byte `done`; returns the byte behind
    /// it.
    std::int64_t normalize_stretch(TextEdit& edit, std::int64_t done, const icu::UnicodeString& units, NormalForm form)
    {
        const icu::UnicodeSet& known = known_characters();
        for (std::int32_t at = 0; at < units.length();) {
            const std::int32_t behind_known = known.span(units, at, USET_SPAN_CONTAINED);
            done = normalize_run(edit, done, units.tempSubStringBetween(at, behind_known), form);
            at = known.span(units, behind_known, USET_SPAN_NOT_CONTAINED);
            done += utf8_size(units, behind_known, at);
        }
        return done;
    }

} // namespace

void normalize(AlignedText& text, NormalForm form, const std::stop_token& stop)
{
    const std::string_view utf8 = text.utf8();
    if (is_ascii(utf8))
        return; // Every form leaves it as it is.
    TextEdit edit(utf8, stop);
    const icu::UnicodeString units = utf16_of(utf8, edit.look());
    std::int64_t done = 0; // (bytes) of `begin`
    for (std::int32_t begin = 0; begin < units.length();) {
        edit.look().look();
        const std::int32_t end = stretch_end(units, begin, instance(form), edit.look());
        done = normalize_stretch(edit, done, units.tempSubStringBetween(begin, end), form);
        begin = end;
    }
    text.apply(std::move(edit));
}

} // namespace keepset
