#include "tests/kernels/select_case.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace keepset::kernels::test {

namespace {

    float any_finite(std::mt19937& random)
    {
        float value = NAN;
        while (!std::isfinite(value))
            value = std::bit_cast<float>(static_cast<std::uint32_t>(random()));
        return value;
    }

    float score(ScoreKind kind, float early, std::mt19937& random)
    {
        std::exponential_distribution<float> exponential(1);
        std::normal_distribution<float> normal;
        const auto below = [&](unsigned count) { return static_cast<unsigned>(random() % count); };
        switch (kind) {
        case ScoreKind::importance:
            return exponential(random) * early;
        case ScoreKind::all_equal:
            return 0.25F;
        case ScoreKind::both_zeros:
            return below(2) == 0 ? 0.0F : -0.0F;
        case ScoreKind::few_values:
            return std::floor(3 * exponential(random));
        case ScoreKind::denormal:
            return std::bit_cast<float>(below(1000) | below(2) << 31U);
        case ScoreKind::any_bits:
            return any_finite(random);
        case ScoreKind::many_scales:
            return normal(random) * std::pow(10.0F, static_cast<float>(below(60)) - 30.0F);
        case ScoreKind::close:
            break;
        }
        return 1 + 1e-7F * static_cast<float>(below(5));
    }

} // namespace

std::string SelectCase::describe() const
{
    std::string text = std::to_string(rows) + " rows of " + std::to_string(context);
    for (const SelectPlan& plan : plans)
        text += ", plan " + std::to_string(plan.sinks) + "/" + std::to_string(plan.local) + "/"
            + std::to_string(plan.highest) + "/" + std::to_string(plan.median);
    return text;
}

std::vector<float> make_scores(ScoreKind kind, std::int64_t rows, std::int64_t context, std::mt19937& random)
{
    std::vector<float> scores;
    scores.reserve(static_cast<std::size_t>(rows * context));
    for (std::int64_t index = 0; index < rows * context; ++index) {
        const auto position = static_cast<float>(index % context);
        scores.push_back(score(kind, 1 + std::log(static_cast<float>(context) / (position + 1)), random));
    }
    return scores;
}

SelectPlan random_plan(std::int64_t context, std::mt19937& random)
{
    const auto some = [&](std::int64_t most) {
        const std::int64_t few = random() % 3 == 0 ? 3 : most;
        return static_cast<std::int64_t>(random()) % few;
    };
    SelectPlan plan;
    plan.sinks = some(random() % 4 == 0 ? context + 2 : 3);
    plan.local = some(context / 2 + 2);
    plan.highest = some(context / 2 + 2);
    plan.median = some(context / 2 + 2);
    return plan;
}

SelectPlan cab_plan(std::int64_t budget)
{
    SelectPlan plan;
    plan.local = std::max<std::int64_t>(1, budget * 3 / 10);
    plan.median = budget / 5;
    plan.highest = budget - plan.local - plan.median;
    return plan;
}

SelectCase random_case(ScoreKind kind, std::int64_t rows, std::int64_t context, int plans, std::mt19937& random)
{
    SelectCase values { make_scores(kind, rows, context, random), rows, context, {} };
    for (int plan = 0; plan < plans; ++plan)
        values.plans.push_back(random_plan(context, random));
    return values;
}

std::string difference(const SelectCase& values, const SelectResult& result, const SelectResult& expected)
{
    if (result.first_bad != expected.first_bad)
        return values.describe() + ": first score that is not finite at " + std::to_string(result.first_bad) + ", not "
            + std::to_string(expected.first_bad);
    for (std::size_t plan = 0; plan < expected.labels.size() && expected.first_bad < 0; ++plan) {
        const auto [got, wanted] = std::ranges::mismatch(result.labels[plan], expected.labels[plan]);
        if (got != result.labels[plan].end())
            return values.describe() + ": plan " + std::to_string(plan) + " labels "
                + std::to_string(got - result.labels[plan].begin()) + " as " + std::to_string(*got) + ", not "
                + std::to_string(*wanted);
    }
    return {};
}

} // namespace keepset::kernels::test
