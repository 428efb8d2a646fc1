#include "core/error.h"
#include "core/tokenizer/tokenizer_parts.h"

namespace keepset {

namespace {

    Charsmap read_charsmap(const JsonPlace& place)
    {
        const JsonPlace field = place["precompiled_charsmap"];
        try {
            return Charsmap::read(field.string());
        } catch (const Error& error) {
            if (error.hint().empty()) // the field is no string
                throw;
            field.refuse(error.what(), error.hint());
        }
    }

    void read(const JsonPlace& place, std::vector<NormalizerStep>& steps, int depth)
    {
        const std::string type = place.type();
        if (type == "NFC")
            steps.emplace_back(NormalForm::nfc);
        else if (type == "NFD")
            steps.emplace_back(NormalForm::nfd);
        else if (type == "NFKC")
            steps.emplace_back(NormalForm::nfkc);
        else if (type == "NFKD")
            steps.emplace_back(NormalForm::nfkd);
        else if (type == "Lowercase")
            steps.emplace_back(CharacterStep::lowercase);
        else if (type == "StripAccents")
            steps.emplace_back(CharacterStep::strip_accents);
        else if (type == "Nmt")
            steps.emplace_back(CharacterStep::nmt);
        else if (type == "ByteLevel")
            steps.emplace_back(CharacterStep::byte_letters);
        else if (type == "Strip")
            steps.emplace_back(StripStep { place["strip_left"].boolean(), place["strip_right"].boolean() });
        else if (type == "Prepend")
            steps.emplace_back(PrependStep { place["prepend"].string() });
        else if (type == "Replace")
            steps.emplace_back(ReplaceStep { read_pattern(place["pattern"]), place["content"].string() });
        else if (type == "Precompiled")
            steps.emplace_back(read_charsmap(place));
        else if (type == "Sequence" && depth < deepest_sequence) {
            const JsonPlace list = place["normalizers"];
            for (std::size_t i = 0; i < list.size(); ++i)
                read(list[i], steps, depth + 1);
        } else
            place.refuse_value(
                "null, NFC, NFD, NFKC, NFKD, Lowercase, StripAccents, Strip, Replace, Prepend, Precompiled, "
                "Nmt, ByteLevel, Sequence");
    }

} // namespace

std::vector<NormalizerStep> read_normalizer(const JsonPlace& place)
{
    std::vector<NormalizerStep> steps;
    read(place, steps, 0);
    return steps;
}

} // namespace keepset
