#include "core/pass/kept_positions.h"

#include "core/device/tensors.h"
#include "core/error.h"
#include "core/words.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <functional>
#include <numeric>
#include <utility>

namespace keepset {

namespace {

    /// The counts of a point, with `rows` only where these differ.
    PointCounts checked(PointCounts counts, const KeptPositions& kept)
    {
        if (counts.rows.empty() && kept.rows() > 0)
            counts.rows.push_back(counts.budget);
        else if (static_cast<std::int64_t>(counts.rows.size()) != kept.rows())
            throw Error(ErrorKind::internal,
                "A point has " + grouped(static_cast<std::int64_t>(counts.rows.size())) + " counts for "
                    + counted(kept.rows(), "row") + ".");
        for (const std::int64_t count : counts.rows) {
            if (count < 0 || count > kept.context)
                throw Error(ErrorKind::internal,
                    "A row is to keep " + grouped(count) + " of " + counted(kept.context, "position") + ".");
        }
        if (std::ranges::adjacent_find(counts.rows, std::not_equal_to {}) == counts.rows.end())
            counts = { counts.rows.empty() ? 0 : counts.rows.front(), {} };
        return counts;
    }

} // namespace

KeptPositions::KeptPositions(std::int64_t all_layers, std::int64_t all_kv_heads, std::int64_t all_context,
    std::vector<PointCounts> all_counts, at::Device device)
    : layers(all_layers)
    , kv_heads(all_kv_heads)
    , context(all_context)
    , counts(std::move(all_counts))
{
    std::int64_t all = 0;
    begins.reserve(counts.size());
    for (std::size_t point = 0; point < counts.size(); ++point) {
        counts[point] = checked(std::move(counts[point]), *this);
        begins.push_back(all);
        all += entries(point);
    }
    positions = at::zeros({ all }, at::TensorOptions(at::kInt).device(device));
}

bool KeptPositions::alike(std::size_t point, std::int64_t layer) const
{
    if (alike(point))
        return true;
    const auto first = counts[point].rows.begin() + layer * kv_heads;
    return std::adjacent_find(first, first + kv_heads, std::not_equal_to {}) == first + kv_heads;
}

std::int64_t KeptPositions::count(std::size_t point, std::int64_t row) const
{
    return alike(point) ? counts[point].budget : counts[point].rows[static_cast<std::size_t>(row)];
}

std::int64_t KeptPositions::most(std::size_t point) const
{
    return alike(point) ? counts[point].budget : std::ranges::max(counts[point].rows);
}

std::int64_t KeptPositions::most(std::size_t point, std::int64_t layer) const
{
    if (alike(point))
        return counts[point].budget;
    const auto first = counts[point].rows.begin() + layer * kv_heads;
    return *std::max_element(first, first + kv_heads);
}

std::int64_t KeptPositions::begin_of(std::size_t point, std::int64_t row) const
{
    if (alike(point))
        return begins[point] + counts[point].budget * row;
    const auto first = counts[point].rows.begin();
    return std::accumulate(first, first + row, begins[point]);
}

std::int64_t KeptPositions::entries(std::size_t point) const
{
    if (alike(point))
        return counts[point].budget * rows();
    return std::accumulate(counts[point].rows.begin(), counts[point].rows.end(), std::int64_t { 0 });
}

at::Tensor KeptPositions::of(std::size_t point) const
{
    return positions.slice(0, begins[point], begins[point] + entries(point));
}

at::Tensor KeptPositions::of(std::size_t point, std::int64_t row, std::int64_t some) const
{
    const std::int64_t begin = begin_of(point, row);
    const std::int64_t each = count(point, row);
    return positions.slice(0, begin, begin + some * each).view({ some, each });
}

KeptPositions KeptPositions::of_layers(const std::vector<std::int64_t>& some) const
{
    std::vector<PointCounts> theirs;
    std::vector<at::Tensor> parts;
    theirs.reserve(counts.size());
    parts.reserve(counts.size() * some.size());
    for (std::size_t point = 0; point < counts.size(); ++point) {
        PointCounts& own = theirs.emplace_back();
        for (const std::int64_t layer : some) {
            std::int64_t entries = 0;
            for (std::int64_t row = layer * kv_heads; row < (layer + 1) * kv_heads; ++row) {
                own.rows.push_back(count(point, row));
                entries += own.rows.back();
            }
            const std::int64_t begin = begin_of(point, layer * kv_heads);
            parts.push_back(positions.slice(0, begin, begin + entries));
        }
    }
    KeptPositions found(
        static_cast<std::int64_t>(some.size()), kv_heads, context, std::move(theirs), positions.device());
    found.positions = at::cat(parts);
    return found;
}

at::Tensor KeptPositions::starts(const std::vector<std::size_t>& points) const
{
    const at::Device device = positions.device();
    const auto is_alike = [&](std::size_t point) { return alike(point); };
    std::vector<std::int64_t> first;
    first.reserve(points.size());
    if (std::ranges::all_of(points, is_alike)) {
        for (const std::size_t point : points)
            first.push_back(begins[point]);
        const at::Tensor row = at::arange(rows(), at::TensorOptions(at::kLong).device(device));
        return to_device(first, device).unsqueeze(1) + row_counts(points) * row;
    }
    for (const std::size_t point : points) {
        std::int64_t begin = begins[point];
        for (std::int64_t row = 0; row < rows(); ++row) {
            first.push_back(begin);
            begin += count(point, row);
        }
    }
    return to_device(first, device).view({ -1, rows() });
}

at::Tensor KeptPositions::row_counts(const std::vector<std::size_t>& points) const
{
    const at::Device device = positions.device();
    const auto is_alike = [&](std::size_t point) { return alike(point); };
    const bool all_alike = std::ranges::all_of(points, is_alike);
    const std::int64_t told = all_alike ? 1 : rows();
    std::vector<std::int64_t> found;
    found.reserve(points.size() * static_cast<std::size_t>(told));
    for (const std::size_t point : points) {
        for (std::int64_t row = 0; row < told; ++row)
            found.push_back(count(point, row));
    }
    return to_device(found, device).view({ static_cast<std::int64_t>(points.size()), -1 }).expand({ -1, rows() });
}

at::Tensor KeptPositions::places(const std::vector<std::size_t>& points) const
{
    at::Tensor found = at::empty_like(positions);
    const auto from_0 = [&](std::int64_t end) { return at::arange(end, positions.options()); };
    for (const std::size_t point : points) {
        const std::int64_t all = entries(point);
        const at::Tensor own = found.slice(0, begins[point], begins[point] + all);
        if (alike(point)) {
            own.view({ rows(), counts[point].budget }).copy_(from_0(counts[point].budget));
            continue;
        }
        std::vector<std::int32_t> ahead; // (rows): what makes of the place in the point that in the row
        ahead.reserve(counts[point].rows.size());
        std::int64_t begin = 0;
        for (const std::int64_t count : counts[point].rows) {
            ahead.push_back(static_cast<std::int32_t>(most(point) - count - begin));
            begin += count;
        }
        const at::Tensor repeats = row_counts({ point })[0];
        own.copy_(from_0(all) + to_device(ahead, positions.device()).repeat_interleave(repeats, {}, all));
    }
    return found;
}

} // namespace keepset
