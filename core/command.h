#pragma once

#include "core/model_info.h"
#include "core/run.h"

#include <optional>
#include <string>
#include <vector>

/// A sweep as the command that makes it, and back: what a saved run is repeated or gone on with by.
namespace keepset {

/// A word quoted for a POSIX shell where it has to be; what bash cannot print in quotes stands in $'…'.
std::string quoted_for_shell(const std::string& word);
/// The words of a line that quoted_for_shell made; nothing where a quote is never closed or \x has no two
/// hexadecimal digits.
std::optional<std::vector<std::string>> words_of_shell(const std::string& line);

/// The files that a sweep reads and where it computes.
struct SweepPlace {
    std::string model; ///< folder
    std::string text; ///< file
    OpenOptions options;
};
/// Arguments of keepset-cli, "sweep" first, that do what `request` asks for; what has its default there is left out,
/// but for the sizes and the granularity. request.out empty: without --out.
std::vector<std::string> sweep_arguments(const SweepRequest& request, const SweepPlace& place);
/// The same as a line for a shell: "keepset-cli sweep …".
std::string sweep_command(const SweepRequest& request, const SweepPlace& place);
/// Model folder, text, device and dtype of a line that keepset-cli or sweep_command made; nothing where it is no sweep.
std::optional<SweepPlace> place_of_command(const std::string& command);
/// What a run was asked for, without its text and file, so that a partial one can go on.
SweepRequest request_of(const Run& run);

} // namespace keepset
