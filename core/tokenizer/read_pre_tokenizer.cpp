#include "core/error.h"
#include "core/tokenizer/tokenizer_parts.h"
#include "core/tokenizer/utf8.h"

namespace keepset {

namespace {

    SplitBehavior read_behavior(const JsonPlace& place)
    {
        const std::string name = place.string();
        if (name == "Isolated")
            return SplitBehavior::isolated;
        if (name == "Removed")
            return SplitBehavior::removed;
        if (name == "MergedWithPrevious")
            return SplitBehavior::merged_with_previous;
        if (name == "MergedWithNext")
            return SplitBehavior::merged_with_next;
        if (name == "Contiguous")
            return SplitBehavior::contiguous;
        place.refuse_value("Isolated, Removed, MergedWithPrevious, MergedWithNext, Contiguous");
    }

    SplitStep read_split(const JsonPlace& place)
    {
        SplitStep step;
        step.pattern = read_pattern(place["pattern"]);
        if (step.pattern.expression() != nullptr)
            step.known = known_pattern(step.pattern.text());
        step.behavior = read_behavior(place["behavior"]);
        step.invert = place.boolean("invert", false);
        return step;
    }

    ClassStep read_digits(const JsonPlace& place)
    {
        const bool individual = place.boolean("individual_digits", false);
        return { ClassStep::Kind::digits, individual ? SplitBehavior::isolated : SplitBehavior::contiguous };
    }

    ClassStep read_punctuation(const JsonPlace& place)
    {
        const bool absent = place.absent("behavior");
        return { ClassStep::Kind::punctuation, absent ? SplitBehavior::isolated : read_behavior(place["behavior"]) };
    }

    void read_byte_level(const JsonPlace& place, std::vector<PreTokenizerStep>& steps)
    {
        if (place.boolean("add_prefix_space", true))
            steps.emplace_back(PrefixSpaceStep {});
        if (place.boolean("use_regex", true)) {
            SplitStep step;
            step.pattern = SplitPattern::regex(byte_level_pattern);
            step.known = KnownPattern::gpt2;
            steps.emplace_back(std::move(step));
        }
        steps.emplace_back(ByteLettersStep {});
    }

    MetaspaceStep::Prepend read_prepend(const JsonPlace& place)
    {
        // Files of before 2023 have add_prefix_space instead of a scheme.
        const bool legacy_never = !place.boolean("add_prefix_space", true);
        if (place.absent("prepend_scheme"))
            return legacy_never ? MetaspaceStep::Prepend::never : MetaspaceStep::Prepend::always;
        const JsonPlace scheme = place["prepend_scheme"];
        const std::string name = scheme.string();
        if (legacy_never && name != "never")
            scheme.refuse("is '" + name + "', but add_prefix_space beside it is false.");
        if (name == "always")
            return MetaspaceStep::Prepend::always;
        if (name == "first")
            return MetaspaceStep::Prepend::first;
        if (name == "never")
            return MetaspaceStep::Prepend::never;
        scheme.refuse_value("always, first, never");
    }

    MetaspaceStep read_metaspace(const JsonPlace& place)
    {
        MetaspaceStep step;
        const JsonPlace replacement = place["replacement"];
        step.replacement = replacement.string();
        if (step.replacement.empty() || utf8_length(step.replacement.front()) != step.replacement.size())
            replacement.refuse("is '" + step.replacement + "', which is not one character.");
        step.prepend = read_prepend(place);
        step.split = place.boolean("split", true);
        return step;
    }

    void read(const JsonPlace& place, std::vector<PreTokenizerStep>& steps, int depth)
    {
        const std::string type = place.type();
        if (type == "Sequence" && depth < deepest_sequence) {
            const JsonPlace list = place["pretokenizers"];
            for (std::size_t i = 0; i < list.size(); ++i)
                read(list[i], steps, depth + 1);
        } else if (type == "ByteLevel")
            read_byte_level(place, steps);
        else if (type == "Metaspace")
            steps.emplace_back(read_metaspace(place));
        else if (type == "Split")
            steps.emplace_back(read_split(place));
        else if (type == "Digits")
            steps.emplace_back(read_digits(place));
        else if (type == "Punctuation")
            steps.emplace_back(read_punctuation(place));
        else if (type == "Whitespace")
            steps.emplace_back(ClassStep { ClassStep::Kind::words, SplitBehavior::removed });
        else if (type == "WhitespaceSplit")
            steps.emplace_back(ClassStep { ClassStep::Kind::white_space, SplitBehavior::removed });
        else
            place.refuse_value(
                "null, ByteLevel, Metaspace, Split, Digits, Punctuation, Whitespace, WhitespaceSplit, Sequence");
    }

} // namespace

SplitPattern read_pattern(const JsonPlace& place)
{
    const bool literal = !place.absent("String");
    const JsonPlace field = place[literal ? "String" : "Regex"];
    const std::string text = field.string();
    if (text.empty())
        field.refuse("is empty.");
    if (literal)
        return SplitPattern::literal(text);
    try {
        return SplitPattern::regex(text);
    } catch (const Error& error) {
        field.refuse(error.what(), error.hint());
    }
}

std::vector<PreTokenizerStep> read_pre_tokenizer(const JsonPlace& place)
{
    std::vector<PreTokenizerStep> steps;
    read(place, steps, 0);
    return steps;
}

} // namespace keepset
