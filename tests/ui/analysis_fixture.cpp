#include "analysis_fixture.h"
#include "core/analysis.h"

#include <array>

namespace fixture {

using namespace keepset;

namespace {

    void fillImportance(Analysis& analysis)
    {
        analysis.layers = 4;
        analysis.heads = 4;
        analysis.kv_heads = 2;
        analysis.context = static_cast<std::int64_t>(analysis.tokens.size());
        const auto context = static_cast<std::size_t>(analysis.context);
        analysis.importance.resize(16 * context);
        for (std::size_t i = 0; i < analysis.importance.size(); ++i)
            analysis.importance[i] = 0.01F + static_cast<float>((i % context * 7919 + i / context * 31) % 997) / 100;
    }

} // namespace

Analysis analysisOf(const std::string& text, const std::vector<int>& lengths)
{
    Analysis analysis;
    analysis.text = text;
    std::int64_t begin = 0;
    const auto add = [&](std::int64_t end) {
        analysis.tokens.push_back(
            { 1, begin, end, text.substr(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin)) });
        begin = end;
    };
    for (const int length : lengths)
        add(begin + length);
    if (begin < static_cast<std::int64_t>(text.size()))
        add(static_cast<std::int64_t>(text.size()));
    fillImportance(analysis);
    return analysis;
}

std::shared_ptr<const Analysis> prose(std::int64_t tokens)
{
    static constexpr std::array words
        = { "No", " one", " would", " have", " believed", " in", " the", " last", " years", ",", " nineteenth", ".\n" };
    std::string text;
    std::vector<int> lengths;
    for (std::int64_t i = 0; i < tokens; ++i) {
        const std::string word = words[static_cast<std::size_t>(i * 5 + i / 7) % words.size()];
        text += word;
        lengths.push_back(static_cast<int>(word.size()));
    }
    auto analysis = std::make_shared<Analysis>(analysisOf(text, lengths));
    return analysis;
}

} // namespace fixture
