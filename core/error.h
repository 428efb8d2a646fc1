#pragma once

#include <stdexcept>
#include <string>
#include <utility>

namespace keepset {

/// What went wrong, as far as a caller acts on it. The command line maps it to its exit status (INTERFACES 1).
enum class ErrorKind {
    usage, ///< the request itself is wrong or asks for something that is not built: exit status 2
    input, ///< a file or text cannot be used, or a result cannot be written: exit status 3
    device, ///< no such device, or it failed: exit status 4
    memory, ///< it does not fit: exit status 4
    internal, ///< a broken promise of our own code, shown with the numbers: exit status 4
};

/// One clear sentence for a user: `what` happened (file, numbers, where) and `hint`, what to do about it (may be
/// empty).
class Error : public std::runtime_error {
public:
    Error(ErrorKind kind, const std::string& what, std::string hint = {})
        : std::runtime_error(what)
        , kind_(kind)
        , hint_(std::move(hint))
    {
    }

    ErrorKind kind() const { return kind_; }
    const std::string& hint() const { return hint_; }
    /// `what` and, where there is one, the hint behind it.
    std::string sentence() const { return hint_.empty() ? what() : std::string(what()) + " " + hint_; }

private:
    ErrorKind kind_;
    std::string hint_;
};

/// Thrown where a stop was asked for. Not an Error: nothing is wrong, and everything finished is kept.
struct Cancelled { };

} // namespace keepset
