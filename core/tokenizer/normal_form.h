#pragma once

#include "core/tokenizer/aligned_text.h"

#include <cstdint>
#include <stop_token>

namespace keepset {

/// Unicode normalisation forms (UAX 15).
enum class NormalForm : std::uint8_t { nfc, nfd, nfkc, nfkd };

/// Normalises `text`, in time that is linear in its length. Throws Cancelled.
void normalize(AlignedText& text, NormalForm form, const std::stop_token& stop);

} // namespace keepset
