#include "core/error.h"
#include "core/model/json_file.h"
#include "core/model/model_folder.h"
#include "core/model/safetensors.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>
#include <string_view>
#include <system_error>
#include <utility>

namespace keepset {

namespace {

    namespace fs = std::filesystem;

    bool is_there(const fs::path& file)
    {
        std::error_code ignored;
        return fs::exists(file, ignored);
    }

    /// File names of the shards, sorted, each once.
    std::set<std::string> shard_names(const fs::path& index)
    {
        const nlohmann::json content = read_json(index);
        const auto refuse
            = [&](const std::string& what) { throw Error(ErrorKind::input, "'" + index.string() + "': " + what); };
        if (!content.contains("weight_map") || !content.at("weight_map").is_object()
            || content.at("weight_map").empty())
            refuse("the field 'weight_map' is missing or empty.");
        std::set<std::string> names;
        for (const auto& [tensor, file] : content.at("weight_map").items()) {
            if (!file.is_string() || file.get<std::string>().find('/') != std::string::npos)
                refuse("tensor '" + tensor + "' is not mapped to a file of this folder.");
            names.insert(file.get<std::string>());
        }
        return names;
    }

    std::optional<int> number_in(std::string_view digits)
    {
        int number = 0;
        const auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
        return problem == std::errc {} && end == digits.data() + digits.size() ? std::optional(number) : std::nullopt;
    }

    struct Shard {
        std::string set; ///< what all of a set have in their names: before the number, and how many there are
        int count = 0;
    };

    /// What "…-00001-of-00002.safetensors" says.
    std::optional<Shard> shard_of(const std::string& name)
    {
        static constexpr std::string_view ending = ".safetensors";
        const std::size_t of = name.rfind("-of-");
        if (!name.ends_with(ending) || of == std::string::npos || of == 0)
            return std::nullopt;
        const std::size_t dash = name.rfind('-', of - 1);
        if (dash == std::string::npos)
            return std::nullopt;
        const std::string_view whole = name;
        const auto index = number_in(whole.substr(dash + 1, of - dash - 1));
        const auto count = number_in(whole.substr(of + 4, whole.size() - ending.size() - of - 4));
        if (!index || !count || *index < 1 || *index > *count)
            return std::nullopt;
        return Shard { name.substr(0, dash) + name.substr(of), *count };
    }

    /// Shards that lie in a folder, by set.
    std::map<std::string, std::set<std::string>> shard_sets(const fs::path& folder)
    {
        std::map<std::string, std::set<std::string>> sets;
        std::error_code ignored;
        for (const fs::directory_entry& entry : fs::directory_iterator(folder, ignored)) {
            const std::string name = entry.path().filename().string();
            if (const auto shard = shard_of(name))
                sets[shard->set].insert(name);
        }
        return sets;
    }

    std::string in_words(const std::vector<std::string>& names)
    {
        std::string text;
        for (std::size_t i = 0; i < std::min<std::size_t>(names.size(), 3); ++i)
            text += (i == 0 ? "'" : ", '") + names[i] + "'";
        return text + (names.size() > 3 ? " and " + std::to_string(names.size() - 3) + " others" : "");
    }

    /// Throws where files that belong to a model are not there; `wanted_by` names who says that they do.
    void refuse_absent(const fs::path& folder, const std::set<std::string>& wanted, const std::string& wanted_by)
    {
        std::vector<std::string> missing;
        for (const std::string& name : wanted) {
            if (!is_there(folder / name))
                missing.push_back(name);
        }
        if (missing.empty())
            return;
        std::vector<std::string> others;
        for (const auto& [set, names] : shard_sets(folder)) {
            for (const std::string& name : names) {
                if (!wanted.contains(name))
                    others.push_back(name);
            }
        }
        throw Error(ErrorKind::input,
            "'" + folder.string() + "': " + std::to_string(missing.size()) + " of the " + std::to_string(wanted.size())
                + " weight files that " + wanted_by + " are missing: " + in_words(missing) + ".",
            others.empty() ? "The download is incomplete: repeat it, it goes on where it stopped."
                           : "There are " + in_words(others)
                    + " beside it: files of two versions are mixed. Download the folder anew.");
    }

    /// The one complete set of shards in a folder without an index.
    std::set<std::string> set_without_index(const fs::path& folder)
    {
        const auto sets = shard_sets(folder);
        if (sets.size() != 1)
            refuse_missing_weights(folder);
        const std::set<std::string>& names = sets.begin()->second;
        const std::string& first = *names.begin();
        std::set<std::string> wanted = names;
        const std::size_t of = first.rfind("-of-");
        const std::size_t dash = first.rfind('-', of - 1);
        for (int index = 1; index <= std::min(shard_of(first)->count, 10'000); ++index) {
            std::string number = std::to_string(index);
            number.insert(0, std::max(of - dash - 1, number.size()) - number.size(), '0');
            wanted.insert(first.substr(0, dash + 1) + number + first.substr(of));
        }
        refuse_absent(folder, wanted, "their names speak of");
        return names;
    }

    void add_file(WeightFiles& weights, const fs::path& file)
    {
        refuse_lfs_pointer(file);
        auto map = std::make_shared<MappedFile>(file);
        for (auto& [name, tensor] : read_header(*map, file.string())) {
            if (!weights.tensors.emplace(name, tensor).second)
                throw Error(
                    ErrorKind::input, "'" + file.string() + "': tensor '" + name + "' stands in another shard too.");
        }
        weights.bytes += static_cast<std::int64_t>(map->bytes());
        weights.maps.push_back(std::move(map));
        weights.files.push_back(file);
    }

} // namespace

WeightFiles open_weights(const fs::path& folder)
{
    WeightFiles weights;
    const fs::path index = folder / "model.safetensors.index.json";
    if (is_there(folder / "model.safetensors")) {
        add_file(weights, folder / "model.safetensors");
        return weights;
    }
    std::set<std::string> names;
    if (is_there(index)) {
        names = shard_names(index);
        refuse_absent(folder, names, index.filename().string() + " names");
    } else {
        names = set_without_index(folder);
    }
    for (const std::string& name : names)
        add_file(weights, folder / name);
    return weights;
}

} // namespace keepset
