#include "core/tokenizer/tokenizer_parts.h"

namespace keepset {

namespace {

    /// Ids that a template puts before the text.
    std::vector<std::int32_t> read_template(const JsonPlace& place)
    {
        std::vector<std::int32_t> front;
        const JsonPlace single = place["single"];
        for (std::size_t i = 0; i < single.size(); ++i) {
            if (single[i].absent("SpecialToken"))
                return front;
            const std::string name = single[i]["SpecialToken"]["id"].string();
            const JsonPlace ids = place["special_tokens"][name.c_str()]["ids"];
            for (std::size_t k = 0; k < ids.size(); ++k)
                front.push_back(ids[k].id());
        }
        single.refuse("has no Sequence, so that the text would be left out.");
    }

    void read(const JsonPlace& place, std::optional<std::int32_t>& bos, int depth = 0)
    {
        const std::string type = place.type();
        if (type == "ByteLevel")
            return; // It trims offsets only.
        if (type == "Sequence" && depth < deepest_sequence) {
            const JsonPlace list = place["processors"];
            for (std::size_t i = 0; i < list.size(); ++i)
                read(list[i], bos, depth + 1);
        } else if (type == "TemplateProcessing") {
            const std::vector<std::int32_t> front = read_template(place);
            if (front.size() + (bos ? 1 : 0) > 1)
                place.refuse("puts more than one token before the text, which Keepset does not do.");
            if (!front.empty())
                bos = front.front();
        } else if (type == "BertProcessing" || type == "RobertaProcessing") {
            if (bos)
                place.refuse("puts a second token before the text, which Keepset does not do.");
            const JsonPlace first = place["cls"];
            if (first.size() != 2)
                first.refuse("is not a token and its id.");
            bos = first[1].id();
        } else {
            place.refuse_value("null, ByteLevel, TemplateProcessing, BertProcessing, RobertaProcessing, Sequence");
        }
    }

} // namespace

std::optional<std::int32_t> read_bos(const JsonPlace& place)
{
    std::optional<std::int32_t> bos;
    read(place, bos, 0);
    return bos;
}

} // namespace keepset
