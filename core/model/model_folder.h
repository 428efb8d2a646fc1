#pragma once

#include <filesystem>
#include <string>

/// What lies in a folder that a user gives for a model. The way in, model_folder(), is declared in core/engine.h.
namespace keepset {

/// Throws Error{input} where a file is the few lines that Git leaves in place of a large file (Git LFS).
void refuse_lfs_pointer(const std::filesystem::path& file);

/// Throws Error{input} for a folder without weights that Keepset reads, saying what it has instead: pickles with the
/// line that converts them, an adapter, GGUF files, links to files that never came.
[[noreturn]] void refuse_missing_weights(const std::filesystem::path& folder);

/// A word for a POSIX shell, whatever it holds.
std::string shell_quoted(const std::string& text);

/// A line for a shell that writes model.safetensors and tokenizer.json into a folder of older files with transformers.
std::string conversion_line(const std::filesystem::path& folder);
/// The same for tokenizer.json alone.
std::string tokenizer_line(const std::filesystem::path& folder);

} // namespace keepset
