#include "core/error.h"
#include "core/files.h"
#include "core/tokenizer/stop_look.h"
#include "core/tokenizer/utf8.h"
#include "core/tokens.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>

namespace keepset {

namespace {

    std::string read_all(std::FILE* file, const std::string& name, const std::stop_token& stop)
    {
        const StopLook look(stop);
        constexpr std::size_t block = std::size_t { 1 } << 16U;
        std::string bytes;
        for (std::size_t size = 0;;) {
            look.look();
            bytes.resize(size + block);
            const std::size_t got = std::fread(bytes.data() + size, 1, block, file);
            size += got;
            if (got < block) {
                bytes.resize(size);
                break;
            }
        }
        if (std::ferror(file) != 0)
            throw Error(ErrorKind::input, name + " cannot be read: " + std::strerror(errno) + ".");
        return bytes;
    }

    std::string read_file(const std::string& path, const std::stop_token& stop)
    {
        std::error_code ignored;
        if (std::filesystem::is_directory(path, ignored))
            throw Error(ErrorKind::input, path + " is a directory, not a text.", "Name a text file.");
        const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"), &std::fclose);
        if (!file && errno == ENOENT)
            throw Error(ErrorKind::input, "The text " + path + " does not exist.");
        if (!file)
            throw Error(ErrorKind::input, path + " cannot be read: " + std::strerror(errno) + ".");
        return read_all(file.get(), path, stop);
    }

} // namespace

bool is_utf8(const std::string& bytes) { return !find_invalid_utf8(bytes); }

Text read_text(const std::string& path) { return read_text(path, {}); }

Text read_text(const std::string& path, const std::stop_token& stop)
{
    Text text;
    const bool standard_input = path == "-";
    text.name = standard_input ? "standard input" : shown_utf8(std::filesystem::path(path).filename().string());
    text.bytes = standard_input ? read_all(stdin, text.name, stop) : read_file(path, stop);
    check_utf8(text.bytes, standard_input ? text.name : path, stop);
    return text;
}

} // namespace keepset
