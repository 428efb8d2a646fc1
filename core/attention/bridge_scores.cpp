#include "core/attention/bridge_scores.h"

#include "core/attention/bridge_rows.h"
#include "core/device/device.h"
#include "core/error.h"
#include "core/selection.h"
#include "core/words.h"
#include "kernels/bridges/bridges.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <map>
#include <mutex>
#include <tuple>
#include <utility>

namespace keepset {

namespace policy {

    void refuse_long_context(const std::string& criterion, std::int64_t context)
    {
        const std::int64_t longest = criterion == "flow" ? kernels::max_flow_context : kernels::max_curvature_context;
        if (context > longest)
            throw Error(ErrorKind::usage,
                "Bridges by " + criterion + " are for contexts of up to " + grouped(longest) + " tokens; this one has "
                    + grouped(context) + ".",
                "Choose a smaller context or another bridge criterion.");
    }

} // namespace policy

namespace {

    using Scores = policy::BridgeSource::Scores;

    constexpr std::int64_t kept_bytes = std::int64_t { 256 } << 20;

    /// What a row's scores depend on.
    struct RowKey {
        std::int64_t layer = 0;
        std::int64_t kv_head = 0;
        bool by_flow = false;
        std::vector<std::int32_t> important; ///< of flow

        bool operator<(const RowKey& other) const
        {
            return std::tie(layer, kv_head, by_flow, important)
                < std::tie(other.layer, other.kv_head, other.by_flow, other.important);
        }
        std::int64_t bytes() const { return static_cast<std::int64_t>(important.size() * sizeof(std::int32_t)); }
    };

    /// Rows that were made, the oldest dropped when they take too much.
    class MadeRows {
    public:
        Scores find(const RowKey& key)
        {
            const std::scoped_lock lock(mutex_);
            const auto found = rows_.find(key);
            return found == rows_.end() ? nullptr : found->second;
        }

        Scores keep(RowKey key, std::vector<double> scores)
        {
            const std::scoped_lock lock(mutex_);
            const auto [row, is_new] = rows_.try_emplace(key, nullptr);
            if (!is_new) // another thread was faster
                return row->second;
            const Scores made = std::make_shared<const std::vector<double>>(std::move(scores));
            row->second = made;
            bytes_ += bytes_of(key, *made);
            order_.push_back(std::move(key));
            while (bytes_ > kept_bytes && order_.size() > 1) {
                const auto oldest = rows_.find(order_.front());
                bytes_ -= bytes_of(oldest->first, *oldest->second);
                rows_.erase(oldest);
                order_.pop_front();
            }
            return made;
        }

    private:
        static std::int64_t bytes_of(const RowKey& key, const std::vector<double>& scores)
        {
            return 2 * key.bytes() + static_cast<std::int64_t>(scores.size() * sizeof(double));
        }

        std::mutex mutex_;
        std::map<RowKey, Scores> rows_;
        std::deque<RowKey> order_; // the oldest first
        std::int64_t bytes_ = 0;
    };

    class AttentionBridges : public policy::BridgeSource {
    public:
        explicit AttentionBridges(std::shared_ptr<const AttentionSource> attention)
            : attention_(std::move(attention))
        {
        }

        Scores flow(const Scope& scope, std::span<const std::int32_t> important, const std::stop_token& stop) override
        {
            policy::refuse_long_context("flow", context());
            RowKey key { scope.layer, scope.kv_head, true, { important.begin(), important.end() } };
            if (Scores made = made_.find(key))
                return made;
            std::vector<double> scores;
            guarded(attention_->backend.threads, [&] { scores = new_flow(scope, important, stop); });
            return made_.keep(std::move(key), std::move(scores));
        }

        Scores curvature(const Scope& scope, const std::stop_token& stop) override
        {
            policy::refuse_long_context("curvature", context());
            RowKey key { scope.layer, scope.kv_head, false, {} };
            if (Scores made = made_.find(key))
                return made;
            std::vector<double> scores;
            guarded(attention_->backend.threads, [&] { scores = new_curvature(scope, stop); });
            return made_.keep(std::move(key), std::move(scores));
        }

    private:
        std::int64_t context() const { return attention_->layers.front().q.size(1); }

        /// The query heads that share the row of a scope.
        std::vector<LayerHeads> row_of(const Scope& scope) const
        {
            std::vector<LayerHeads> row;
            const auto layers = static_cast<std::int64_t>(attention_->layers.size());
            const std::int64_t end = scope.layer < 0 ? layers : scope.layer + 1;
            for (std::int64_t index = std::max<std::int64_t>(scope.layer, 0); index < end; ++index) {
                const AttentionSource::Layer& layer = attention_->layers[static_cast<std::size_t>(index)];
                const std::int64_t heads = layer.q.size(0);
                const std::int64_t group = heads / layer.k.size(0);
                if (scope.kv_head < 0)
                    row.push_back({ &layer, 0, heads });
                else
                    row.push_back({ &layer, scope.kv_head * group, (scope.kv_head + 1) * group });
            }
            return row;
        }

        static bool on_cuda(const std::vector<LayerHeads>& row) { return row.front().layer->q.is_cuda(); }

        std::vector<double> new_flow(
            const Scope& scope, std::span<const std::int32_t> important, const std::stop_token& stop) const
        {
            const std::vector<LayerHeads> row = row_of(scope);
            const FlowSums sums = on_cuda(row) ? flow_sums_on_cuda(row, important, attention_->backend, stop)
                                               : flow_sums_on_cpu(row, important, attention_->backend, stop);
            double heads = 0;
            for (const LayerHeads& part : row)
                heads += static_cast<double>(part.end - part.begin);
            std::vector<double> flow;
            for (std::size_t j = 0; j < sums.from.size(); ++j) {
                flow.push_back((sums.from[j] / heads) * (sums.to[j] / heads));
                if (!std::isfinite(flow.back()))
                    refuse_attention(static_cast<std::int64_t>(j));
            }
            return flow;
        }

        std::vector<double> new_curvature(const Scope& scope, const std::stop_token& stop) const
        {
            const std::vector<LayerHeads> row = row_of(scope);
            return on_cuda(row) ? curvature_on_cuda(row, attention_->backend, stop)
                                : curvature_on_cpu(row, attention_->backend, stop);
        }

        std::shared_ptr<const AttentionSource> attention_;
        MadeRows made_;
    };

    class NoBridges : public policy::BridgeSource {
    public:
        explicit NoBridges(std::string reason)
            : reason_(std::move(reason))
        {
        }

        Scores flow(const Scope&, std::span<const std::int32_t>, const std::stop_token&) override { refuse("flow"); }
        Scores curvature(const Scope&, const std::stop_token&) override { refuse("curvature"); }

    private:
        [[noreturn]] void refuse(const std::string& criterion) const
        {
            throw Error(ErrorKind::usage,
                "Bridges by " + criterion
                    + " need the queries and keys of the attention, which were not kept: " + reason_,
                "Choose a smaller context or another bridge criterion.");
        }

        std::string reason_;
    };

} // namespace

void refuse_attention(std::int64_t position)
{
    throw Error(ErrorKind::input,
        "The attention at position " + grouped(position) + " is not a finite number, so no bridge can be found by it.",
        "Try float32: the model may overflow in its dtype.");
}

std::shared_ptr<policy::BridgeSource> bridge_source(std::shared_ptr<const AttentionSource> attention)
{
    if (!attention || attention->layers.empty())
        return nullptr;
    return std::make_shared<AttentionBridges>(std::move(attention));
}

std::shared_ptr<policy::BridgeSource> no_bridge_source(std::string reason)
{
    return std::make_shared<NoBridges>(std::move(reason));
}

} // namespace keepset
