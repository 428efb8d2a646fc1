#pragma once

#include "core/error.h"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <sys/resource.h>

/// Read by the leak checker where there is one: HDF5 1.10.8 loses memory of its own over a damaged file.
extern "C" inline __attribute__((used, visibility("default"))) const char* __lsan_default_suppressions()
{
    return "leak:libhdf5";
}

/// What the tests of files need to look at errors and to provoke them.
namespace errors {

/// What an action threw, if anything.
struct Caught {
    std::optional<keepset::Error> error;
    bool none() const { return !error; }
    bool is(keepset::ErrorKind kind, const std::string& words) const
    {
        return error && error->kind() == kind && error->sentence().find(words) != std::string::npos;
    }
    const char* text() const { return error ? error->what() : "no error"; }
};

template <typename Action> Caught of(const Action& action)
{
    try {
        action();
    } catch (const keepset::Error& error) {
        return { error };
    }
    return {};
}

inline std::string bytes_of(const std::filesystem::path& file)
{
    std::ifstream stream(file, std::ios::binary);
    return { std::istreambuf_iterator<char>(stream), {} };
}

/// While it lives no file of this process can grow beyond `bytes`: a write fails as on a full disk.
class SmallFiles {
public:
    explicit SmallFiles(rlim_t bytes)
    {
        handler_ = std::signal(SIGXFSZ, SIG_IGN);
        getrlimit(RLIMIT_FSIZE, &before_);
        const rlimit small { bytes, before_.rlim_max };
        setrlimit(RLIMIT_FSIZE, &small);
    }
    ~SmallFiles()
    {
        setrlimit(RLIMIT_FSIZE, &before_);
        std::signal(SIGXFSZ, handler_);
    }
    SmallFiles(const SmallFiles&) = delete;
    SmallFiles& operator=(const SmallFiles&) = delete;

private:
    rlimit before_ {};
    void (*handler_)(int) = nullptr;
};

} // namespace errors
