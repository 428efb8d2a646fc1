#include "core/policy/own_scores.h"

#include "core/error.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/stack.h>

#include <algorithm>

namespace keepset::policy {

namespace {

    /// (layers, kv_heads, context), borrowed.
    at::Tensor borrowed(const std::vector<float>& scores, const ImportanceView& of)
    {
        return at::from_blob(const_cast<float*>(scores.data()), // only read
            { of.layers, of.kv_heads, of.context }, at::kFloat);
    }

    std::vector<float> to_vector(const at::Tensor& tensor)
    {
        const at::Tensor here = tensor.contiguous();
        return { here.const_data_ptr<float>(), here.const_data_ptr<float>() + here.numel() };
    }

    at::Tensor mean_over(const at::Tensor& rows, at::IntArrayRef over)
    {
        return rows.to(at::kDouble).mean(over).to(at::kFloat);
    }

} // namespace

OwnScores::OwnScores(std::span<const PolicySpec> policies, bool patient)
    : patient_(patient)
{
    for (const PolicySpec& policy : policies) {
        for (const std::string& name : scores_of(policy)) {
            const auto known = [&](const Source& source) { return source.name == name; };
            if (std::ranges::none_of(sources_, known))
                sources_.push_back({ name, parse_policy(name), {} });
        }
    }
}

std::function<void(const LayerPass&)> OwnScores::look()
{
    if (sources_.empty())
        return {};
    return [this](const LayerPass& layer) {
        for (Source& source : sources_) {
            if (layer.stop.stop_requested())
                throw Cancelled {};
            if (missing_.contains(source.name))
                continue;
            const Policy& policy = find(source.policy.name);
            try {
                source.layers.push_back(policy.score(layer, Settings(policy, source.policy)));
            } catch (const Error& error) {
                if (!patient_ || error.kind() != ErrorKind::usage)
                    throw;
                missing_.emplace(source.name, std::pair(error.what(), error.hint()));
            }
        }
    };
}

std::map<std::string, at::Tensor> OwnScores::take(at::Device device)
{
    std::map<std::string, at::Tensor> scores;
    for (Source& source : sources_) {
        if (missing_.contains(source.name))
            continue;
        for (at::Tensor& layer : source.layers)
            layer = layer.to(device, at::kFloat);
        scores.emplace(source.name, at::stack(source.layers));
        source.layers.clear();
    }
    return scores;
}

at::Tensor shared_rows(const at::Tensor& scores, Granularity granularity)
{
    const std::int64_t context = scores.size(2);
    return granularity == Granularity::head ? scores.reshape({ -1, context }).contiguous()
        : granularity == Granularity::layer ? mean_over(scores, { 1 })
                                            : mean_over(scores, { 0, 1 }).unsqueeze(0);
}

std::vector<float> shared_rows(const std::vector<float>& scores, const ImportanceView& of, Granularity granularity)
{
    return granularity == Granularity::head ? scores : to_vector(shared_rows(borrowed(scores, of), granularity));
}

std::vector<float> mean_of_scope(const std::vector<float>& scores, const ImportanceView& of, const Scope& scope)
{
    at::Tensor rows = borrowed(scores, of);
    if (scope.layer >= 0)
        rows = rows.slice(0, scope.layer, scope.layer + 1);
    if (scope.kv_head >= 0)
        rows = rows.slice(1, scope.kv_head, scope.kv_head + 1);
    return to_vector(mean_over(rows, { 0, 1 }));
}

} // namespace keepset::policy
