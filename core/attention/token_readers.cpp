#include "core/token_readers.h"

#include "core/attention_map.h"

#include <algorithm>

namespace keepset {

namespace {

    struct Range {
        std::int64_t begin = 0;
        std::int64_t end = 0;
    };

    Range range_of(std::int64_t chosen, std::int64_t all)
    {
        return chosen < 0 ? Range { 0, all } : Range { chosen, chosen + 1 };
    }

} // namespace

TokenReaders token_readers(
    const Analysis& analysis, const Scope& scope, std::int64_t token, std::size_t most, const Task& task)
{
    const std::int64_t group = analysis.heads / analysis.kv_heads;
    const Range layers = range_of(scope.layer, analysis.layers);
    const Range kv_heads = range_of(scope.kv_head, analysis.kv_heads);
    const std::int64_t queries = analysis.context - token;
    const Task column { task.stop, {} };
    std::vector<double> sums(
        static_cast<std::size_t>(std::max<std::int64_t>(0, queries))); // by query, from the token on
    std::vector<bool> sees(sums.size());
    double rows = 0;
    for (std::int64_t layer = layers.begin; layer < layers.end; ++layer) {
        for (std::int64_t head = kv_heads.begin * group; head < kv_heads.end * group; ++head) {
            const AttentionMap map = attention_map(
                analysis, { layer, head, token, analysis.context, token, token + 1, queries, 1 }, column);
            ++rows;
            for (std::size_t query = 0; query < sums.size(); ++query) {
                if (map.cells[query] < 0) // a window hides the token from it
                    continue;
                sums[query] += static_cast<double>(map.cells[query]);
                sees[query] = true;
            }
        }
        if (task.progress)
            task.progress({ "who reads a token", "layers", layer - layers.begin + 1, layers.end - layers.begin });
    }
    TokenReaders result;
    result.token = token;
    result.scope = scope;
    result.queries = std::ranges::count(sees, true);
    for (std::size_t query = 0; query < sums.size(); ++query) {
        result.sum += sums[query] / rows;
        if (sees[query])
            result.largest.push_back({ token + static_cast<std::int64_t>(query), sums[query] / rows });
    }
    std::ranges::stable_sort(result.largest, std::ranges::greater(), &TokenReader::attention);
    result.largest.resize(std::min(result.largest.size(), most));
    for (const TokenReader& reader : result.largest)
        result.share_of_largest += reader.attention / result.sum;
    return result;
}

} // namespace keepset
