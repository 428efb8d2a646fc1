#include "core/policy/given_scores.h"

#include "core/error.h"
#include "core/policy/own_scores.h"
#include "core/policy/policy.h"
#include "core/policy/select_parts.h"
#include "core/policy_files.h"

#include <ATen/ops/from_blob.h>

#include <algorithm>

namespace keepset::policy {

namespace {

    struct Given {
        std::vector<float> values; ///< (layers, kv_heads, context)
        bool keep_sets = false;
    };

    Given read(const std::string& name, const PolicySpec& policy, const KeepFilePlace& place)
    {
        check_policy_files({ policy });
        const KeepFile file(parse_policy(name).parameters["path"]);
        return { file.window(place), file.holds_keep_sets() };
    }

} // namespace

bool reads_file(const Policy& policy) { return std::ranges::any_of(policy.info.parameters, is_path); }

bool ranks_each_row(const Prepared& point)
{
    return point.choose == nullptr || (reads_file(point.policy) && point.shares != Sharing::model);
}

std::string file_score_of(const PolicySpec& policy)
{
    for (const std::string& name : scores_of(policy)) {
        if (reads_file(find(parse_policy(name).name)))
            return name;
    }
    return {};
}

std::string keep_sets_of(const std::string& score) { return score + " keep sets"; }

std::map<std::string, at::Tensor> given_scores(
    std::span<const PolicySpec> policies, const KeepFilePlace& place, at::Device device)
{
    std::map<std::string, at::Tensor> all;
    for (const PolicySpec& policy : policies) {
        const std::string name = file_score_of(policy);
        if (name.empty())
            continue;
        Given given = read(name, policy, place);
        const auto context = static_cast<std::int64_t>(place.ids.size());
        const at::Tensor values
            = at::from_blob(given.values.data(), { place.layers, place.kv_heads, context }, at::kFloat)
                  .clone()
                  .to(device);
        all.emplace(name, values);
        if (given.keep_sets)
            all.emplace(keep_sets_of(name), values);
    }
    return all;
}

std::map<std::string, std::vector<float>> given_of(const Analysis& analysis, const PolicySpec& policy)
{
    const std::vector<std::int64_t> ids = ids_of(analysis.tokens);
    std::map<std::string, std::vector<float>> given;
    for (const auto& [name, values] :
        given_scores(std::span(&policy, 1), { analysis.layers, analysis.kv_heads, 0, ids }, at::kCPU)) {
        const at::Tensor here = values.contiguous();
        given[name].assign(here.const_data_ptr<float>(), here.const_data_ptr<float>() + here.numel());
    }
    return given;
}

void add_given(ScoreRows& rows, const Analysis& analysis, const PolicySpec& policy)
{
    const std::string name = file_score_of(policy);
    if (name.empty() || rows.own.contains(name))
        return;
    for (const auto& [score, values] : given_of(analysis, policy))
        rows.own.emplace(score, shared_rows(values, view_of(analysis), rows.reduction.granularity, rows.evicting));
}

} // namespace keepset::policy
