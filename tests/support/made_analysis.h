#pragma once

#include "core/analysis.h"

#include <cmath>
#include <cstdint>
#include <numeric>
#include <random>
#include <vector>

/// An analysis by chance, for tests of what is made from one.
namespace made {

struct AnalysisSizes {
    std::int64_t layers = 3;
    std::int64_t heads = 4;
    std::int64_t kv_heads = 2;
    std::int64_t context = 41;
};

/// Its attention is drawn query by query, so that what importance means can be told from P itself.
struct AnalysisByChance {
    keepset::Analysis analysis; ///< with scores of K-norm, drawn above 0
    std::vector<double> distance; ///< (layers, heads): Σ_i Σ_j P[i,j]·(i - j) / C
};

inline AnalysisByChance analysis_by_chance(const AnalysisSizes& sizes = {}, unsigned seed = 3)
{
    AnalysisByChance made;
    keepset::Analysis& a = made.analysis;
    a.layers = sizes.layers;
    a.heads = sizes.heads;
    a.kv_heads = sizes.kv_heads;
    a.context = sizes.context;
    std::mt19937 generator(seed);
    std::exponential_distribution<double> draw(1.0);
    for (std::int64_t row = 0; row < a.layers * a.heads; ++row) {
        std::vector<double> sums(static_cast<std::size_t>(a.context), 0.0);
        double distance = 0;
        for (std::int64_t i = 0; i < a.context; ++i) {
            std::vector<double> p(static_cast<std::size_t>(i + 1));
            for (double& value : p)
                value = std::pow(draw(generator), 1.0 + static_cast<double>(row % 5));
            const double all = std::accumulate(p.begin(), p.end(), 0.0);
            for (std::int64_t j = 0; j <= i; ++j) {
                const double share = p[static_cast<std::size_t>(j)] / all;
                sums[static_cast<std::size_t>(j)] += share;
                distance += share * static_cast<double>(i - j);
            }
        }
        for (const double sum : sums)
            a.importance.push_back(static_cast<float>(sum));
        made.distance.push_back(distance / static_cast<double>(a.context));
    }
    std::vector<float>& own = a.own_scores["knorm"];
    own.resize(static_cast<std::size_t>(a.layers * a.kv_heads * a.context));
    for (float& value : own)
        value = static_cast<float>(draw(generator));
    return made;
}

} // namespace made
