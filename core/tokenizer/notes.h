#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

/// What a user should know before tokens are compared with other people's.
namespace keepset {

/// A sentence without a full stop where tokenizer_config.json asks for a BOS that tokenizer.json does not put in front,
/// or the other way round; `has_bos`: tokenizer.json does. tokenizer.json is followed, as by transformers 5
/// (transformers 4 followed the other for the classes of Llama, Gemma and Cohere).
std::string bos_note(const std::filesystem::path& folder, bool has_bos);

/// About a text as a file: a byte-order mark, Windows' line ends.
std::vector<std::string> format_notes(std::string_view utf8);

/// The first bytes of a text, at most `most`, that end with a whole character.
std::string_view cut_utf8(std::string_view utf8, std::size_t most);

} // namespace keepset
