#include "core/model/json_file.h"

#include "core/error.h"
#include "core/model/model_folder.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <limits>
#include <set>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace keepset {

namespace {

    using nlohmann::json;

    /// What the parser cannot read goes through it as a string that begins with this control character, which JSON
    /// text cannot hold.
    constexpr char mark = '\x01';

    struct Literal {
        std::string_view text;
        std::string_view through; ///< stands for it while it is parsed
        double value;
    };
    constexpr std::array literals {
        Literal { "-Infinity", R"("\u0001-Infinity")", -std::numeric_limits<double>::infinity() },
        Literal { "Infinity", R"("\u0001Infinity")", std::numeric_limits<double>::infinity() },
        Literal { "NaN", R"("\u0001NaN")", std::numeric_limits<double>::quiet_NaN() },
    };

    std::string bytes_of(const std::filesystem::path& file)
    {
        std::error_code ignored;
        if (!std::filesystem::exists(file, ignored))
            throw Error(ErrorKind::input, "'" + file.string() + "' is missing.",
                "A model folder has config.json, tokenizer.json and model.safetensors.");
        if (std::filesystem::is_directory(file, ignored))
            throw Error(ErrorKind::input, "'" + file.string() + "' is a folder, not a JSON file.");
        std::ifstream stream(file, std::ios::binary);
        if (!stream)
            throw Error(ErrorKind::input, "'" + file.string() + "' cannot be read: " + std::strerror(errno) + ".");
        return std::string(std::istreambuf_iterator<char>(stream), {});
    }

    /// Refuses what is no JSON text at all, by what it is.
    void refuse_other_files(const std::filesystem::path& file, std::string_view bytes)
    {
        refuse_lfs_pointer(file);
        const bool marked = bytes.starts_with("\xff\xfe") || bytes.starts_with("\xfe\xff");
        if (marked || bytes.substr(0, 4).find('\0') != std::string_view::npos)
            throw Error(ErrorKind::input, "'" + file.string() + "' is UTF-16 or UTF-32 text, where UTF-8 is needed.",
                "Save it again as UTF-8.");
    }

    /// Length of the number that begins at `begin`.
    std::size_t number_length(std::string_view text, std::size_t begin)
    {
        const std::size_t end = text.find_first_not_of("+-.0123456789eE", begin);
        return std::min(end, text.size()) - begin;
    }

    /// What stands for the value at `begin` (outside strings) while it is parsed, and how long it is in the text; a
    /// length of 0: it is read as it stands.
    std::pair<std::string_view, std::size_t> replacement(const std::string& text, std::size_t begin)
    {
        const std::string_view rest = std::string_view(text).substr(begin);
        for (const Literal& literal : literals) {
            if (rest.starts_with(literal.text))
                return { literal.through, literal.text.size() };
        }
        const std::size_t length = number_length(text, begin);
        const bool exponent = rest.substr(0, length).find_first_of("eE") != std::string_view::npos;
        if (!exponent || !std::isinf(std::strtod(text.substr(begin, length).c_str(), nullptr)))
            return { {}, 0 };
        return { literals[rest.front() == '-' ? 0 : 1].through, length };
    }

    /// The text with everything replaced that only Python reads.
    std::string readable(const std::string& text)
    {
        std::string result;
        result.reserve(text.size());
        bool in_string = false;
        for (std::size_t i = 0; i < text.size();) {
            const char letter = text[i];
            if (in_string && letter == '\\' && i + 1 < text.size()) {
                result.append(text, i, 2);
                i += 2;
                continue;
            }
            if (letter == '"')
                in_string = !in_string;
            const bool may_begin = letter == 'N' || letter == 'I' || letter == '-' || (letter >= '0' && letter <= '9');
            if (!in_string && may_begin) {
                const auto [through, length] = replacement(text, i);
                const std::size_t taken = length > 0 ? length : std::max<std::size_t>(1, number_length(text, i));
                result += length > 0 ? through : std::string_view(text).substr(i, taken);
                i += taken;
                continue;
            }
            result += letter;
            ++i;
        }
        return result;
    }

    /// Puts the numbers back for which strings stand.
    void restore(json& value)
    {
        if (value.is_structured()) {
            for (json& part : value)
                restore(part);
        } else if (value.is_string()) {
            const std::string& text = value.get_ref<const std::string&>();
            if (text.empty() || text.front() != mark)
                return;
            for (const Literal& literal : literals) {
                if (std::string_view(text).substr(1) == literal.text) {
                    value = literal.value;
                    return;
                }
            }
        }
    }

    /// Notes the first name that stands twice in one object.
    class NamesTwice {
    public:
        bool operator()(int /*depth*/, json::parse_event_t event, json& parsed)
        {
            if (event == json::parse_event_t::object_start)
                open_.emplace_back();
            else if (event == json::parse_event_t::object_end)
                open_.pop_back();
            else if (event == json::parse_event_t::key && !open_.back().insert(parsed.get<std::string>()).second
                && twice.empty())
                twice = parsed.get<std::string>();
            return true;
        }
        std::string twice;

    private:
        std::vector<std::set<std::string>> open_;
    };

} // namespace

nlohmann::json read_json(const std::filesystem::path& file)
{
    const std::string bytes = bytes_of(file);
    refuse_other_files(file, bytes);
    try {
        NamesTwice names;
        json value = json::parse(readable(bytes), std::ref(names));
        if (!value.is_object())
            throw Error(ErrorKind::input, "'" + file.string() + "' does not hold a JSON object.");
        if (!names.twice.empty())
            throw Error(ErrorKind::input, "'" + file.string() + "': '" + names.twice + "' stands twice in one object.",
                "Which of the two is meant? Delete the other.");
        restore(value);
        return value;
    } catch (const json::parse_error& fault) {
        throw Error(ErrorKind::input,
            "'" + file.string() + "' is not valid JSON at byte " + std::to_string(fault.byte) + ".",
            "Is the file complete?");
    } catch (const json::exception& fault) {
        throw Error(ErrorKind::input, "'" + file.string() + "' cannot be read as JSON: " + fault.what() + ".");
    }
}

std::string json_text(const nlohmann::json& value)
{
    if (value.is_number_float() && !std::isfinite(value.get<double>()))
        return std::isnan(value.get<double>()) ? "NaN" : value.get<double>() > 0 ? "Infinity" : "-Infinity";
    if (!value.is_structured())
        return value.dump(-1, ' ', false, json::error_handler_t::replace);
    std::string text;
    for (const auto& [name, part] : value.items())
        text += (text.empty() ? "" : ",") + (value.is_object() ? json(name).dump() + ":" : std::string())
            + json_text(part);
    return value.is_object() ? "{" + text + "}" : "[" + text + "]";
}

} // namespace keepset
