#include "core/error.h"
#include "core/files.h"
#include "core/trace/output.h"

#include <algorithm>
#include <array>

/// Which files of a command are one and the same.
namespace keepset {

namespace {

    namespace fs = std::filesystem;

    std::string quoted(const fs::path& file)
    {
        std::string text = "'";
        text += file.string();
        text += '\'';
        return text;
    }

    /// The one spelling of a file that may not exist yet: links of its folder and its own followed.
    fs::path settled(const fs::path& file)
    {
        const fs::path target = trace::resolved(file);
        std::error_code error;
        const fs::path folder = fs::weakly_canonical(target.has_parent_path() ? target.parent_path() : ".", error);
        return error ? target : folder / target.filename();
    }

    /// The output and the names in use while it is written.
    std::vector<fs::path> names_of(const fs::path& output)
    {
        const fs::path target = trace::resolved(output);
        std::vector<fs::path> names { target };
        for (const char* ending : { ".lock", ".part", ".new", ".new.part" }) {
            names.push_back(target);
            names.back() += ending;
        }
        return names;
    }

    void refuse_clash(const NamedFile& output, const NamedFile& other, bool other_is_output)
    {
        std::vector<fs::path> others { other.path };
        if (other_is_output)
            others = names_of(other.path);
        const std::vector<fs::path> ours = names_of(output.path);
        if (is_same_file(output.path, other.path))
            throw Error(ErrorKind::usage,
                output.role + " and " + other.role + " are one file, " + quoted(output.path) + ".",
                other_is_output ? "Give each its own name." : "Nothing was written; choose another name.");
        for (const fs::path& mine : ours) {
            for (const fs::path& theirs : others) {
                if (is_same_file(mine, theirs))
                    throw Error(ErrorKind::usage,
                        quoted(theirs) + " is in use while " + output.role + " " + quoted(output.path)
                            + " is written, and belongs to " + other.role + " " + quoted(other.path) + " too.",
                        "Choose another name for one of them.");
            }
        }
    }

    /// Files that a model is read from by what their names end in; results may lie beside them.
    bool is_of_model(const fs::path& file)
    {
        constexpr std::array<const char*, 9> endings { ".json", ".safetensors", ".bin", ".model", ".jinja", ".py",
            ".pt", ".pth", ".gguf" };
        const std::string ending = file.extension().string();
        return std::ranges::any_of(endings, [&](const char* known) { return ending == known; })
            || file.filename() == "merges.txt" || file.filename() == "vocab.txt";
    }

    void refuse_file_of_model(const NamedFile& output, const fs::path& model)
    {
        const auto refuse = [&](const fs::path& file) {
            throw Error(ErrorKind::usage,
                output.role + " " + quoted(output.path) + " is a file of the model, " + quoted(file) + ".",
                "Choose another name.");
        };
        std::error_code error;
        const fs::path target = settled(output.path);
        if (is_of_model(target) && fs::equivalent(target.parent_path(), model, error))
            refuse(model / target.filename());
        for (fs::directory_iterator entry(model, error), end; !error && entry != end; entry.increment(error)) {
            if (is_of_model(entry->path()) && is_same_file(target, entry->path()))
                refuse(entry->path());
        }
    }

} // namespace

bool is_same_file(const fs::path& a, const fs::path& b)
{
    std::error_code error;
    if (fs::exists(a, error) && fs::exists(b, error))
        return fs::equivalent(a, b, error);
    return settled(a) == settled(b);
}

void check_files(const std::vector<NamedFile>& outputs, const std::vector<NamedFile>& inputs, const fs::path& model)
{
    for (std::size_t index = 0; index < outputs.size(); ++index) {
        for (std::size_t other = index + 1; other < outputs.size(); ++other)
            refuse_clash(outputs[index], outputs[other], true);
        for (const NamedFile& input : inputs)
            refuse_clash(outputs[index], input, false);
        if (!model.empty())
            refuse_file_of_model(outputs[index], model);
    }
}

} // namespace keepset
