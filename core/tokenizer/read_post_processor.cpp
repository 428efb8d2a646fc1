#include "core/tokenizer/tokenizer_parts.h"

namespace keepset {

namespace {

    /// Ids that a template puts before the text and behind it.
    struct Template {
        std::vector<std::int32_t> front;
        std::vector<std::int32_t> behind;
    };

    Template read_template(const JsonPlace& place)
    {
        Template ids;
        bool text = false;
        const JsonPlace single = place["single"];
        for (std::size_t i = 0; i < single.size(); ++i) {
            if (single[i].absent("SpecialToken")) {
                if (text)
                    single.refuse("has two Sequences, so that the text would come twice.");
                text = true;
                continue;
            }
            const std::string name = single[i]["SpecialToken"]["id"].string();
            const JsonPlace list = place["special_tokens"][name.c_str()]["ids"];
            for (std::size_t k = 0; k < list.size(); ++k)
                (text ? ids.behind : ids.front).push_back(list[k].id());
        }
        if (!text)
            single.refuse("has no Sequence, so that the text would be left out.");
        return ids;
    }

    /// The id of ["[SEP]", 102].
    std::int32_t id_in(const JsonPlace& pair)
    {
        if (pair.size() != 2)
            pair.refuse("is not a token and its id.");
        return pair[1].id();
    }

    void read(const JsonPlace& place, Specials& specials, int depth = 0)
    {
        const std::string type = place.type();
        if (type == "ByteLevel")
            return; // It trims offsets only.
        if (type == "Sequence" && depth < deepest_sequence) {
            const JsonPlace list = place["processors"];
            for (std::size_t i = 0; i < list.size(); ++i)
                read(list[i], specials, depth + 1);
        } else if (type == "TemplateProcessing") {
            const Template ids = read_template(place);
            if (ids.front.size() + (specials.bos ? 1 : 0) > 1)
                place.refuse("puts more than one token before the text, which Keepset does not do.");
            if (!ids.front.empty())
                specials.bos = ids.front.front();
            specials.behind.insert(specials.behind.end(), ids.behind.begin(), ids.behind.end());
        } else if (type == "BertProcessing" || type == "RobertaProcessing") {
            if (specials.bos)
                place.refuse("puts a second token before the text, which Keepset does not do.");
            specials.bos = id_in(place["cls"]);
            if (!place.absent("sep"))
                specials.behind.push_back(id_in(place["sep"]));
        } else {
            place.refuse_value("null, ByteLevel, TemplateProcessing, BertProcessing, RobertaProcessing, Sequence");
        }
    }

} // namespace

Specials read_specials(const JsonPlace& place)
{
    Specials specials;
    read(place, specials, 0);
    return specials;
}

} // namespace keepset
