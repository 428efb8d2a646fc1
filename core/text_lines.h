#pragma once

#include "core/analysis.h"
#include "core/choices.h"

#include <array>
#include <cstdint>
#include <span>
#include <vector>

/// A long text line by line, so that what is kept of it can be overlooked.
namespace keepset {

/// The tokens [begin, end) of a line of the text, or of a sentence where the line is long; positions in the analysis.
struct TextLine {
    std::int64_t begin = 0;
    std::int64_t end = 0;
    bool operator==(const TextLine&) const = default;
};

/// A line with more tokens than this is cut into its sentences.
inline constexpr std::int64_t longest_line = 64;

/// Cuts the text behind every line break. A line of more than `longest` tokens is cut into sentences by the rules of
/// Unicode (UAX 29), and a sentence of more, as in a text without full stops, behind every `longest` tokens. A token
/// belongs to where its first character is that is not white space; lines of white space alone belong to the one before
/// them. Every token is in one line, in the order of the text.
std::vector<TextLine> text_lines(const Analysis& analysis, std::int64_t longest = longest_line);

/// Mean of the scores (context) of each line's tokens: (lines).
std::vector<double> line_means(std::span<const TextLine> lines, std::span<const float> scores);

/// Share of each line's tokens that has each label, of labels (context): (lines, label_count), each adds up to 1.
using LabelShares = std::array<double, label_count>;
std::vector<LabelShares> line_shares(std::span<const TextLine> lines, std::span<const Label> labels);

} // namespace keepset
