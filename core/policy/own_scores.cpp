#include "core/policy/own_scores.h"

#include "core/device/tensors.h"
#include "core/error.h"
#include "core/policy/given_scores.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/stack.h>

#include <algorithm>
#include <utility>

namespace keepset::policy {

namespace {

    /// Queries, keys and values of layers that go together, beside the one that reaches it.
    constexpr std::int64_t bytes_together = std::int64_t { 1 } << 29U;

    /// Whether two layers differ in nothing but their weights.
    bool alike(const LayerConfig& a, const LayerConfig& b)
    {
        return a.scale == b.scale && a.window == b.window && a.rope == b.rope;
    }

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
            const PolicySpec of = parse_policy(name);
            const Policy& policy_of = find(of.name);
            if (std::ranges::any_of(sources_, known) || reads_file(policy_of))
                continue;
            sources_.push_back({ name, of, policy_of.replay != nullptr, {} });
            const ScoreParts& parts = policy_of.parts;
            needs_.keys = needs_.keys || parts.keys;
            needs_.values = needs_.values || parts.values;
            if (parts.queries != nullptr)
                needs_.queries = std::max(needs_.queries, parts.queries(Settings(policy_of, of)));
        }
    }
}

OwnScores::Parts OwnScores::parts_of(const LayerPass& layer) const
{
    const auto last = [this](const at::Tensor& rows) {
        return needs_.queries == 0 ? at::Tensor() : rows.slice(1, -std::min(needs_.queries, rows.size(1)));
    };
    return { last(layer.q), needs_.keys ? layer.k : at::Tensor(), needs_.values ? layer.v : at::Tensor(),
        layer.importance, last(layer.row_lse) };
}

void OwnScores::attempt(const Source& source, const std::function<void()>& make)
{
    if (missing_.contains(source.name))
        return;
    try {
        make();
    } catch (const Error& error) {
        if (!patient_ || error.kind() != ErrorKind::usage)
            throw;
        missing_.emplace(source.name, std::pair(error.what(), error.hint()));
    }
}

std::function<void(const LayerPass&)> OwnScores::look()
{
    if (std::ranges::all_of(sources_, &Source::is_replay))
        return {};
    return [this](const LayerPass& layer) {
        if (layer.k.is_cuda())
            add(layer);
        else
            make_scores(parts_of(layer), layer, 1);
    };
}

/// A GPU waits for each of many small steps longer than it takes: layers that are alike take them together.
void OwnScores::add(const LayerPass& layer)
{
    const std::vector<LayerConfig>& configs = layer.decoder.config().per_layer;
    const auto index = static_cast<std::size_t>(layer.layer);
    group_.layers.push_back(parts_of(layer));
    for (const at::Tensor& part : { layer.q, layer.k, layer.v }) // views of one piece, which stays
        group_.bytes += static_cast<std::int64_t>(part.nbytes());
    const bool more = index + 1 < configs.size() && alike(configs[index], configs[index + 1])
        && layer.decoder.devices().size() == 1;
    if (more && group_.bytes < bytes_together)
        return;
    const Group group = std::exchange(group_, {});
    const auto all = [&](at::Tensor Parts::*part) {
        std::vector<at::Tensor> tensors;
        for (const Parts& one : group.layers) {
            if ((one.*part).defined())
                tensors.push_back(one.*part);
        }
        return tensors.empty() ? at::Tensor() : at::cat(tensors);
    };
    make_scores({ all(&Parts::q), all(&Parts::k), all(&Parts::v), all(&Parts::importance), all(&Parts::row_lse) },
        layer, static_cast<std::int64_t>(group.layers.size()));
}

/// `parts` of some layers, the last of which is `last`.
void OwnScores::make_scores(const Parts& parts, const LayerPass& last, std::int64_t count)
{
    ScoreRule rule = last.rule;
    if (rule.alibi_slopes.defined() && count > 1)
        rule.alibi_slopes = rule.alibi_slopes.repeat({ count });
    const LayerPass layers { last.decoder, last.backend, last.layer - count + 1, parts.q, parts.k, parts.v,
        parts.importance, parts.row_lse, rule, last.rotations, last.length, last.stop, count };
    for (Source& source : sources_) {
        if (layers.stop.stop_requested())
            throw Cancelled {};
        if (source.is_replay)
            continue;
        attempt(source, [&] {
            const Policy& policy = find(source.policy.name);
            const at::Tensor made = policy.score(layers, Settings(policy, source.policy));
            for (const at::Tensor& layer : made.unflatten(0, { layers.layers, -1 }).unbind(0))
                source.layers.push_back(layer);
        });
    }
}

bool OwnScores::needs_replay() const { return std::ranges::any_of(sources_, &Source::is_replay); }

void OwnScores::replay(const Replay& from)
{
    for (Source& source : sources_) {
        if (!source.is_replay)
            continue;
        attempt(source, [&] {
            const Policy& policy = find(source.policy.name);
            source.layers = policy.replay(from, Settings(policy, source.policy)).unbind(0);
        });
    }
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

at::Tensor shared_rows(const at::Tensor& all, Granularity granularity, const std::vector<std::int64_t>& evicting)
{
    const at::Tensor scores = evicting.empty() ? all : all.index_select(0, to_device(evicting, all.device()));
    const std::int64_t context = scores.size(2);
    return granularity == Granularity::head ? scores.reshape({ -1, context }).contiguous()
        : granularity == Granularity::layer ? mean_over(scores, { 1 })
                                            : mean_over(scores, { 0, 1 }).unsqueeze(0);
}

std::vector<float> shared_rows(const std::vector<float>& scores, const ImportanceView& of, Granularity granularity,
    const std::vector<std::int64_t>& evicting)
{
    return granularity == Granularity::head && evicting.empty()
        ? scores
        : to_vector(shared_rows(borrowed(scores, of), granularity, evicting));
}

std::vector<float> mean_of_scope(const std::vector<float>& scores, const ImportanceView& of, const Scope& scope,
    const std::vector<std::int64_t>& evicting)
{
    at::Tensor rows = borrowed(scores, of);
    if (scope.layer < 0 && !evicting.empty())
        rows = rows.index_select(0, to_device(evicting, at::kCPU));
    if (scope.layer >= 0)
        rows = rows.slice(0, scope.layer, scope.layer + 1);
    if (scope.kv_head >= 0)
        rows = rows.slice(1, scope.kv_head, scope.kv_head + 1);
    return to_vector(mean_over(rows, { 0, 1 }));
}

} // namespace keepset::policy
