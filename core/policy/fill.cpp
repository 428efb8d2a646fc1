#include "core/policy/fill.h"

#include <cmath>

namespace keepset::policy {

void take_recent(std::span<Label> labels, std::int64_t count, Label label)
{
    for (std::size_t position = labels.size(); position-- > 0 && count > 0;) {
        if (labels[position] != Label::evicted)
            continue;
        labels[position] = label;
        --count;
    }
}

void take_highest(std::span<const float> scores, std::span<Label> labels, std::int64_t count, Label label)
{
    take_lowest(labels, count, label, [&](std::size_t position) { return -scores[position]; });
}

void take_median(std::span<const float> scores, std::span<Label> labels, std::int64_t count, Label label)
{
    std::vector<float> rest; // (positions still evicted)
    for (std::size_t position = 0; position < labels.size(); ++position) {
        if (labels[position] == Label::evicted)
            rest.push_back(scores[position]);
    }
    if (rest.empty() || count <= 0)
        return;
    const auto middle = rest.begin() + static_cast<std::ptrdiff_t>((rest.size() - 1) / 2);
    std::nth_element(rest.begin(), middle, rest.end());
    // In double a difference of two float32 scores makes no ties of its own.
    const double median = *middle;
    take_lowest(labels, count, label, [&](std::size_t position) { return std::abs(scores[position] - median); });
}

} // namespace keepset::policy
