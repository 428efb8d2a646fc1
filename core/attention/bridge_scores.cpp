#include "core/attention/bridge_scores.h"

#include "core/error.h"
#include "core/model/device.h"
#include "core/policy/words.h"
#include "kernels/bridges.h"

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
    constexpr double products_at_once = 5e8; // a tenth of a second or less

    [[noreturn]] void refuse_score(std::int64_t position)
    {
        throw Error(ErrorKind::input,
            "The attention at position " + grouped(position)
                + " is not a finite number, so no bridge can be found by it.",
            "Try float32: the model may overflow in its dtype.");
    }

    void check(const std::stop_token& stop)
    {
        if (stop.stop_requested())
            throw Cancelled {};
    }

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

    /// The query heads of a scope in one layer, on the host, all of them sharing the row.
    KernelInputs inputs_of(const AttentionSource::Layer& layer, const Scope& scope)
    {
        const std::int64_t heads = layer.q.size(0);
        const std::int64_t group = heads / layer.k.size(0);
        return scope.kv_head < 0 ? host_kernel_inputs(layer, 0, heads)
                                 : host_kernel_inputs(layer, scope.kv_head * group, (scope.kv_head + 1) * group);
    }

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
            guarded(threads(), [&] { scores = new_flow(scope, important, stop); });
            return made_.keep(std::move(key), std::move(scores));
        }

        Scores curvature(const Scope& scope, const std::stop_token& stop) override
        {
            policy::refuse_long_context("curvature", context());
            RowKey key { scope.layer, scope.kv_head, false, {} };
            if (Scores made = made_.find(key))
                return made;
            std::vector<double> scores;
            guarded(threads(), [&] { scores = new_curvature(scope, stop); });
            return made_.keep(std::move(key), std::move(scores));
        }

    private:
        std::int64_t context() const { return attention_->layers.front().q.size(1); }
        int threads() const { return attention_->backend.threads; }

        /// Calls work(inputs) for every layer of the scope.
        template <typename Work>
        void for_each_layer(const Scope& scope, const std::stop_token& stop, const Work& work) const
        {
            const auto layers = static_cast<std::int64_t>(attention_->layers.size());
            const std::int64_t end = scope.layer < 0 ? layers : scope.layer + 1;
            for (std::int64_t layer = std::max<std::int64_t>(scope.layer, 0); layer < end; ++layer) {
                check(stop);
                const KernelInputs host = inputs_of(attention_->layers[static_cast<std::size_t>(layer)], scope);
                work(host.inputs);
            }
        }

        std::vector<double> new_flow(
            const Scope& scope, std::span<const std::int32_t> important, const std::stop_token& stop) const
        {
            const auto length = static_cast<std::size_t>(context());
            std::vector<double> from(length, 0.0); // (context)
            std::vector<double> to(length, 0.0); // (context)
            std::vector<double> part_from(length);
            std::vector<double> part_to(length);
            double heads = 0;
            for_each_layer(scope, stop, [&](const kernels::ImportanceInputs& inputs) {
                heads += static_cast<double>(inputs.shape.heads);
                // Both are sums over important tokens, so that these may come piece by piece.
                const auto piece = static_cast<std::size_t>(
                    std::max(64.0, products_at_once / static_cast<double>(inputs.shape.keys * inputs.shape.head_dim)));
                for (std::int64_t head = 0; head < inputs.shape.heads; ++head) {
                    for (std::size_t begin = 0; begin < important.size(); begin += piece) {
                        check(stop);
                        const auto some = important.subspan(begin, std::min(piece, important.size() - begin));
                        kernels::flow_cpu(
                            inputs, { head, head + 1 }, some, part_from.data(), part_to.data(), threads());
                        for (std::size_t j = 0; j < length; ++j) {
                            from[j] += part_from[j];
                            to[j] += part_to[j];
                        }
                    }
                }
            });
            std::vector<double> flow;
            for (std::size_t j = 0; j < length; ++j) {
                flow.push_back((from[j] / heads) * (to[j] / heads));
                if (!std::isfinite(flow.back()))
                    refuse_score(static_cast<std::int64_t>(j));
            }
            return flow;
        }

        std::vector<double> new_curvature(const Scope& scope, const std::stop_token& stop) const
        {
            const std::int64_t nodes = context();
            std::vector<std::uint64_t> bits(static_cast<std::size_t>(nodes * kernels::graph_words(nodes)));
            const kernels::AttentionGraph graph { nodes, kernels::graph_words(nodes), bits.data() };
            // 16 MiB of sums at a time.
            const std::int64_t piece
                = std::clamp<std::int64_t>((1LL << 22) / nodes, 48, std::max<std::int64_t>(nodes, 48));
            for (std::int64_t begin = 0; begin < nodes; begin += piece)
                join({ begin, std::min(begin + piece, nodes) }, scope, graph, stop);
            std::vector<double> curvature(static_cast<std::size_t>(nodes));
            kernels::curvature_cpu(graph, curvature.data(), threads(), stop);
            check(stop);
            return curvature;
        }

        /// Edges of some queries to earlier tokens, by the mean over all that shares the row.
        void join(const kernels::QueryRange& queries, const Scope& scope, const kernels::AttentionGraph& graph,
            const std::stop_token& stop) const
        {
            std::vector<float> sums(static_cast<std::size_t>((queries.end - queries.begin) * graph.nodes));
            std::int64_t heads = 0;
            kernels::AttentionShape shape;
            for_each_layer(scope, stop, [&](const kernels::ImportanceInputs& inputs) {
                // A layer with a window adds nothing where it does not see.
                std::vector<float> own(inputs.shape.window > 0 ? sums.size() : 0);
                for (std::int64_t head = 0; head < inputs.shape.heads; ++head) {
                    check(stop);
                    kernels::add_probabilities_cpu(
                        inputs, { head, head + 1 }, queries, own.empty() ? sums.data() : own.data(), threads());
                }
                add_seen(inputs.shape, queries, own, sums);
                heads += inputs.shape.heads;
                shape = inputs.shape;
            });
            shape.window = 0; // what a window hides is 0 in the sums
            const std::int64_t bad = kernels::add_edges_cpu(shape, sums.data(), heads, queries, graph, threads());
            if (bad >= 0)
                refuse_score(bad);
        }

        /// Adds `own` where a query sees a key; both (queries of the range, context), or `own` empty.
        static void add_seen(const kernels::AttentionShape& shape, const kernels::QueryRange& queries,
            const std::vector<float>& own, std::vector<float>& sums)
        {
            for (std::int64_t query = queries.begin; query < queries.end && !own.empty(); ++query) {
                const std::int64_t row = (query - queries.begin) * shape.keys;
                for (std::int64_t key = kernels::first_key_of(shape, query); key <= query; ++key)
                    sums[static_cast<std::size_t>(row + key)] += own[static_cast<std::size_t>(row + key)];
            }
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
