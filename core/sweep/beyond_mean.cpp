#include "core/sweep/beyond_mean.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace keepset {

namespace {

    // Number of the last target of each distance, counted from 1 behind the context; the first is not scored.
    constexpr std::size_t near_end = 32;
    constexpr std::size_t middle_end = 128;

    /// Of ascending values, at a share of the way from the first to the last. Interpolated from the nearer side, as
    /// numpy does.
    double at_share(std::span<const double> sorted, double share)
    {
        const double place = share * static_cast<double>(sorted.size() - 1);
        const auto below = static_cast<std::size_t>(place);
        const double a = sorted[below];
        const double b = sorted[std::min(below + 1, sorted.size() - 1)];
        const double t = place - std::floor(place);
        return t < 0.5 ? a + (b - a) * t : b - (b - a) * (1 - t);
    }

    double mean_of(std::span<const double> values)
    {
        return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
    }

    /// Mean of those of the targets `first` to `last`, counted from 1 behind the context, that are scored and there.
    double mean_of_targets(std::span<const double> values, std::size_t first, std::size_t last)
    {
        const std::size_t begin = std::min(first < 2 ? 0 : first - 2, values.size());
        return mean_of(values.subspan(begin, std::min(last - 1, values.size()) - begin));
    }

} // namespace

Percentiles percentiles(std::vector<double> values)
{
    const auto is_nan = [](double value) { return std::isnan(value); };
    if (values.empty() || std::ranges::any_of(values, is_nan))
        return {};
    std::ranges::sort(values);
    return { at_share(values, 0.5), at_share(values, 0.95), at_share(values, 0.99) };
}

std::vector<std::uint8_t> key_tokens(
    std::span<const float> short_nll, std::span<const float> dense_nll, const KeyTokenRule& rule)
{
    std::vector<std::uint8_t> key(dense_nll.size());
    for (std::size_t i = 0; i < key.size(); ++i) {
        const bool needs = short_nll[i] - dense_nll[i] > static_cast<float>(rule.gain);
        key[i] = needs && dense_nll[i] < static_cast<float>(rule.loss) ? 1 : 0;
    }
    return key;
}

BeyondMean beyond_mean(const TokenLosses& losses, std::span<const std::uint8_t> key)
{
    std::vector<double> delta(losses.nll.size());
    for (std::size_t i = 0; i < delta.size(); ++i)
        delta[i] = static_cast<double>(losses.nll[i]) - static_cast<double>(losses.dense[i]);
    BeyondMean found;
    found.delta = percentiles(delta);
    found.kl = percentiles({ losses.kl.begin(), losses.kl.end() });
    if (!std::isnan(found.delta.p50))
        found.over_one_nat = static_cast<double>(std::ranges::count_if(delta, [](double d) { return d > 1; }))
            / static_cast<double>(delta.size());
    found.near_nll = mean_of_targets(delta, 1, near_end);
    found.middle_nll = mean_of_targets(delta, near_end + 1, middle_end);
    found.far_nll = mean_of_targets(delta, middle_end + 1, delta.size() + 1);
    if (key.empty())
        return found;
    std::vector<double> of_key;
    of_key.reserve(key.size());
    for (std::size_t i = 0; i < key.size(); ++i) {
        if (key[i] != 0)
            of_key.push_back(delta[i]);
    }
    found.key_count = static_cast<double>(of_key.size());
    found.key_nll = mean_of(of_key); // of none NaN
    return found;
}

} // namespace keepset
