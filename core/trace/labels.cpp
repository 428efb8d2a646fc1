#include "core/trace/labels.h"

#include "core/policies.h"
#include "core/quotes.h"
#include "core/words.h"

#include <algorithm>

namespace keepset::trace {

h5::Handle label_type()
{
    h5::Handle type(H5Tenum_create(H5T_NATIVE_UINT8), H5Tclose, "type of labels");
    for (std::uint8_t value = 0; value < label_count; ++value)
        h5::check(H5Tenum_insert(type, name_of(static_cast<Label>(value)).c_str(), &value), "type of labels");
    return type;
}

namespace {

    /// Whether a parameter takes any text, which may need quotes; a policy within does not.
    bool is_text(const std::string& policy, const std::string& parameter)
    {
        const auto line = std::ranges::find(policies(), policy, &PolicyInfo::name);
        if (line == policies().end())
            return false;
        const auto found = std::ranges::find(line->parameters, parameter, &PolicyParameter::name);
        return found != line->parameters.end() && found->kind == ParameterKind::text;
    }

} // namespace

std::string spelled(const PolicySpec& policy)
{
    std::string inside;
    for (const auto& [name, value] : policy.parameters)
        inside += (inside.empty() ? "" : ",") + name + "=" + (is_text(policy.name, name) ? quoted_value(value) : value);
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
        policy.parameters[part.substr(0, equal)] = unquoted_value(part.substr(equal + 1));
    }
    return policy;
}

} // namespace keepset::trace
