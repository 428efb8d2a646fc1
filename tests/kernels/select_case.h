#pragma once

#include "kernels/select/select.h"

#include <cstdint>
#include <random>
#include <string>
#include <vector>

/// Rows of scores with plans, shared by the CPU and the CUDA test.
namespace keepset::kernels::test {

/// What the scores of a case are like; each is hard on another part of a selection.
enum class ScoreKind : std::uint8_t {
    importance, ///< exponential, larger for early positions
    all_equal,
    both_zeros, ///< 0 and -0
    few_values,
    denormal,
    any_bits, ///< every finite float
    many_scales, ///< both signs, sixty powers of ten: distances to the median round to ties
    close, ///< a few units in the last place apart
};
inline constexpr int score_kinds = 8;

struct SelectCase {
    std::vector<float> scores; ///< (rows, context)
    std::int64_t rows = 0;
    std::int64_t context = 0;
    std::vector<SelectPlan> plans; ///< without labels

    std::string describe() const;
};

std::vector<float> make_scores(ScoreKind kind, std::int64_t rows, std::int64_t context, std::mt19937& random);
/// Any counts, some beyond the context, some 0.
SelectPlan random_plan(std::int64_t context, std::mt19937& random);
/// CAB's plan of SEMANTICS 4 for a budget.
SelectPlan cab_plan(std::int64_t budget);
SelectCase random_case(ScoreKind kind, std::int64_t rows, std::int64_t context, int plans, std::mt19937& random);

/// What a selection gives: a plan's labels (rows, context) each, poisoned before.
struct SelectResult {
    std::int64_t first_bad = -2;
    std::vector<std::vector<std::uint8_t>> labels; ///< (plans)
};
/// Runs select(inputs) on the case with labels on the host.
template <typename Select> SelectResult result_of(const SelectCase& values, const Select& select)
{
    SelectResult result;
    std::vector<SelectPlan> plans = values.plans;
    for (std::size_t plan = 0; plan < plans.size(); ++plan)
        result.labels.emplace_back(values.scores.size(), std::uint8_t { 0xaa });
    for (std::size_t plan = 0; plan < plans.size(); ++plan)
        plans[plan].labels = result.labels[plan].data();
    result.first_bad = select(SelectInputs {
        values.scores.data(), values.rows, values.context, plans.data(), static_cast<std::int64_t>(plans.size()) });
    return result;
}
/// Empty where both are the same, else a sentence.
std::string difference(const SelectCase& values, const SelectResult& result, const SelectResult& expected);

} // namespace keepset::kernels::test
