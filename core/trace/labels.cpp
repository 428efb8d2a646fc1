#include "core/trace/labels.h"

#include "core/policies.h"
#include "core/words.h"

namespace keepset::trace {

h5::Handle label_type()
{
    h5::Handle type(H5Tenum_create(H5T_NATIVE_UINT8), H5Tclose, "type of labels");
    for (std::uint8_t value = 0; value < label_count; ++value)
        h5::check(H5Tenum_insert(type, name_of(static_cast<Label>(value)).c_str(), &value), "type of labels");
    return type;
}

std::string spelled(const PolicySpec& policy)
{
    std::string inside;
    for (const auto& [name, value] : policy.parameters)
        inside += (inside.empty() ? "" : ",") + name + "=" + value;
    return inside.empty() ? policy.name : policy.name + "(" + inside + ")";
}

PolicySpec unspelled(const std::string& text)
{
    const std::size_t open = text.find('(');
    PolicySpec policy { text.substr(0, open), {} };
    if (open == std::string::npos)
        return policy;
    if (text.back() != ')')
        throw h5::Failure("it has the unreadable policy '" + text + "'");
    const std::string inside = text.substr(open + 1, text.size() - open - 2);
    for (const std::string& part : split_outside_parentheses(inside, ',')) {
        const std::size_t equal = part.find('=');
        if (equal == std::string::npos)
            throw h5::Failure("it has the unreadable policy '" + text + "'");
        policy.parameters[part.substr(0, equal)] = part.substr(equal + 1);
    }
    return policy;
}

} // namespace keepset::trace
