#pragma once

#include <cstddef>
#include <string_view>

namespace keepset {

/// End of the extended grapheme cluster that begins at `begin` (UAX 29, without rule 9c: it joins only clusters of more
/// bytes than anyone here looks at whole). begin < text.size(); `text` is UTF-8.
std::size_t grapheme_end(std::string_view text, std::size_t begin);

} // namespace keepset
