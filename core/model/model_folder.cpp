#include "core/model/model_folder.h"

#include "core/error.h"
#include "core/model_info.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <functional>
#include <set>
#include <system_error>
#include <vector>

namespace keepset {

namespace {

    namespace fs = std::filesystem;

    [[noreturn]] void refuse(const fs::path& path, const std::string& what, const std::string& hint)
    {
        throw Error(ErrorKind::input, "'" + path.string() + "' " + what, hint);
    }

    bool is_there(const fs::path& path)
    {
        std::error_code ignored;
        return fs::exists(path, ignored);
    }

    bool is_folder(const fs::path& path)
    {
        std::error_code ignored;
        return fs::is_directory(path, ignored);
    }

    /// Names of what lies in a folder and passes, sorted.
    std::vector<std::string> names_in(const fs::path& folder, const std::function<bool(const std::string&)>& passes)
    {
        std::vector<std::string> names;
        std::error_code ignored;
        for (const fs::directory_entry& entry : fs::directory_iterator(folder, ignored)) {
            if (std::string name = entry.path().filename().string(); passes(name))
                names.push_back(std::move(name));
        }
        std::ranges::sort(names);
        return names;
    }

    std::vector<std::string> names_ending(const fs::path& folder, const std::string& ending)
    {
        return names_in(folder, [&](const std::string& name) { return name.ends_with(ending); });
    }

    /// Weights that Python pickled, without what training leaves beside them.
    std::vector<std::string> pickles_in(const fs::path& folder)
    {
        return names_in(folder, [](const std::string& name) {
            static constexpr std::array training
                = { "training_args", "optimizer", "scheduler", "rng_state", "scaler", "adapter_model" };
            const bool pickled = name.ends_with(".bin") || name.ends_with(".pt") || name.ends_with(".pth")
                || name.ends_with(".ckpt") || name == "pytorch_model.bin.index.json";
            return pickled
                && std::ranges::none_of(training, [&](const char* begin) { return name.starts_with(begin); });
        });
    }

    bool has_weights(const fs::path& folder)
    {
        return !names_in(folder,
                   [](const std::string& name) {
                       return name.ends_with(".safetensors") && !name.starts_with("adapter_");
                   })
                    .empty()
            || !pickles_in(folder).empty();
    }

    std::string first_bytes(const fs::path& file, std::size_t count)
    {
        std::string bytes(count, '\0');
        std::ifstream stream(file, std::ios::binary);
        stream.read(bytes.data(), static_cast<std::streamsize>(count));
        bytes.resize(static_cast<std::size_t>(std::max<std::streamsize>(0, stream.gcount())));
        return bytes;
    }

    constexpr const char* no_gguf = "Keepset reads Hugging Face folders with safetensors weights; open the folder of "
                                    "the model that it was made from.";
    constexpr const char* wanted = "Give the folder that holds config.json, tokenizer.json and model.safetensors.";

    [[noreturn]] void refuse_file(const fs::path& given)
    {
        if (!is_there(given))
            refuse(given, "is not a model folder: there is nothing of that name.", wanted);
        if (given.extension() == ".gguf" || first_bytes(given, 4) == "GGUF")
            refuse(given, "is a GGUF file.", no_gguf);
        const fs::path folder = fs::absolute(given).parent_path();
        const bool inside = is_there(folder / "config.json");
        refuse(given, "is not a model folder but a file.",
            inside ? "Give the folder that it lies in: '" + folder.string() + "'." : wanted);
    }

    void refuse_adapter(const fs::path& folder)
    {
        if (is_there(folder / "adapter_config.json") && !has_weights(folder))
            refuse(folder, "is an adapter, not a model: it holds only what was learnt on top of one.",
                "Merge it first (in Python, with peft: AutoPeftModelForCausalLM.from_pretrained(…)"
                ".merge_and_unload().save_pretrained(…)), and open the merged folder.");
    }

    std::string first_line(const fs::path& file)
    {
        std::string line;
        std::ifstream stream(file);
        std::getline(stream, line);
        line.erase(line.find_last_not_of(" \r\n\t") + 1);
        return line;
    }

    /// The folders in <entry>/snapshots, the one written last in front.
    std::vector<fs::path> snapshots_of(const fs::path& entry)
    {
        std::vector<std::pair<fs::file_time_type, fs::path>> found;
        std::error_code ignored;
        for (const fs::directory_entry& snapshot : fs::directory_iterator(entry / "snapshots", ignored)) {
            if (snapshot.is_directory(ignored))
                found.emplace_back(snapshot.last_write_time(ignored), snapshot.path());
        }
        std::ranges::sort(found, std::greater {});
        std::vector<fs::path> folders;
        folders.reserve(found.size());
        for (auto& [time, folder] : found)
            folders.push_back(std::move(folder));
        return folders;
    }

    /// The snapshot that the root of a Hugging Face cache entry stands for.
    fs::path snapshot_of(const fs::path& entry)
    {
        const std::vector<fs::path> snapshots = snapshots_of(entry);
        if (snapshots.empty())
            refuse(entry, "is a model in a Hugging Face cache of which nothing was downloaded.", "Download it again.");
        const std::string main = first_line(entry / "refs" / "main");
        if (!main.empty() && is_folder(entry / "snapshots" / main))
            return entry / "snapshots" / main;
        if (snapshots.size() > 1)
            refuse(entry, "has " + std::to_string(snapshots.size()) + " snapshots, and refs/main names none of them.",
                "Give one of them; the newest is '" + snapshots.front().string() + "'.");
        return snapshots.front();
    }

    [[noreturn]] void refuse_without_config(const fs::path& folder)
    {
        std::error_code ignored;
        if (fs::is_empty(folder, ignored))
            refuse(folder, "is empty.", wanted);
        if (!names_ending(folder, ".gguf").empty())
            refuse(folder, "has no config.json, but a GGUF file.", no_gguf);
        const auto below = names_in(folder, [&](const std::string& name) {
            return is_there(folder / name / "config.json") || is_folder(folder / name / "snapshots");
        });
        if (!below.empty())
            refuse(folder, "has no config.json, so it is not the folder of a model.",
                (below.size() == 1 ? "There is a model in it: '" : "There are models in it: give one, such as '")
                    + (folder / below.front()).string() + "'.");
        if (is_there(folder / "params.json") && !pickles_in(folder).empty())
            refuse(folder, "has no config.json, but params.json and pickled weights: the original format of Llama.",
                "Take the Hugging Face version of the model, or convert it with transformers' "
                "convert_llama_weights_to_hf.py.");
        throw Error(ErrorKind::input, "'" + (folder / "config.json").string() + "' is missing.",
            "A model folder has config.json, tokenizer.json and model.safetensors. Is the download complete?");
    }

} // namespace

fs::path model_folder(const fs::path& given)
{
    if (!is_folder(given))
        refuse_file(given);
    if (is_there(given / "config.json") || fs::is_symlink(fs::symlink_status(given / "config.json"))) {
        refuse_adapter(given);
        return given;
    }
    if (is_folder(given / "snapshots"))
        return model_folder(snapshot_of(given));
    refuse_adapter(given);
    refuse_without_config(given);
}

void refuse_lfs_pointer(const fs::path& file)
{
    static const std::string begin = "version https://git-lfs.github.com/spec/";
    if (first_bytes(file, begin.size()) == begin)
        refuse(file, "is a Git LFS pointer, not the file: git left it in place of the contents.",
            "Run git lfs pull in its folder, or download the file again.");
}

void refuse_missing_weights(const fs::path& folder)
{
    refuse_adapter(folder);
    for (const std::string& name : names_ending(folder, ".safetensors")) {
        if (!is_there(folder / name))
            refuse(folder / name, "is a link to a file that is not there.", "The download is incomplete: repeat it.");
    }
    if (const auto pickles = pickles_in(folder); !pickles.empty())
        refuse(folder, "has only pickled weights (" + pickles.front() + "), which can run code when they are read.",
            "Convert them, if you trust where they come from: " + conversion_line(folder));
    if (!names_ending(folder, ".gguf").empty())
        refuse(folder, "has its weights in a GGUF file.", no_gguf);
    const auto others = names_ending(folder, ".safetensors");
    refuse(folder,
        "has no model.safetensors and no model.safetensors.index.json"
            + (others.empty() ? std::string(".") : ", but '" + others.front() + "'."),
        others.empty() ? "Is the download complete? Weights must be in the safetensors format."
                       : "Keepset opens model.safetensors, the shards of an index, and complete sets named "
                         "…-00001-of-00002.safetensors.");
}

std::string shell_quoted(const std::string& text)
{
    std::string quoted = "'";
    for (const char letter : text)
        quoted += letter == '\'' ? std::string("'\\''") : std::string(1, letter);
    return quoted + "'";
}

std::string conversion_line(const fs::path& folder)
{
    return "python3 -c \"import sys; from transformers import AutoModelForCausalLM as M, AutoTokenizer as T; "
           "p = sys.argv[1]; M.from_pretrained(p).save_pretrained(p); T.from_pretrained(p).save_pretrained(p)\" "
        + shell_quoted(folder.string()) + " # writes model.safetensors and tokenizer.json there.";
}

std::string tokenizer_line(const fs::path& folder)
{
    return "python3 -c \"import sys; from transformers import AutoTokenizer as T; "
           "p = sys.argv[1]; T.from_pretrained(p).save_pretrained(p)\" "
        + shell_quoted(folder.string()) + " # writes tokenizer.json there.";
}

} // namespace keepset
