#include "core/error.h"
#include "core/policy/choosing.h"
#include "core/policy/uneven.h"
#include "core/words.h"

#include <ATen/ops/cat.h>

#include <algorithm>
#include <cmath>

namespace keepset::policy {

namespace {

    /// Budgets that fall evenly from the bottom layer to the top one; the same for all where that does not fit.
    struct Slope {
        double first = 0;
        double last = 0;
        bool flat = true;

        /// `k` entries in the mean over layers, of which `window` are always kept (kvpress PyramidKVPress).
        Slope(double k, double window, double context, double beta)
        {
            last = k / beta;
            first = 2 * k - last;
            if (first >= context - window) {
                first = context - window;
                last = 2 * k - first;
            }
            flat = !(context >= first && first >= last && last >= window);
        }
        double at(std::int64_t layer, std::int64_t layers) const
        {
            return layers == 1 ? (first + last) / 2
                               : first - static_cast<double>(layer) * (first - last) / static_cast<double>(layers - 1);
        }
    };

    /// As Python rounds.
    std::int64_t rounded(double value) { return static_cast<std::int64_t>(std::nearbyint(value)); }

    std::int64_t at_least_one(std::int64_t count, std::int64_t context)
    {
        return std::clamp<std::int64_t>(count, std::min<std::int64_t>(1, context), context);
    }

    /// Entries of each row of a layer.
    std::vector<std::int64_t> layer_budgets(const Choosing& from, const Settings& settings, std::int64_t window)
    {
        const Share& share = from.point.share;
        const std::int64_t layers = from.table.layers;
        const auto context = static_cast<double>(share.context);
        const SelectRequest& request = from.point.request;
        const bool as_kvpress = request.rounding == Rounding::kvpress && request.budget == 0;
        const double k = as_kvpress ? context * (1 - request.sparsity) : static_cast<double>(share.budget);
        const Slope slope(k, static_cast<double>(window), context, settings.number("beta"));
        std::vector<std::int64_t> budgets;
        budgets.reserve(static_cast<std::size_t>(layers));
        double sum = 0;
        for (std::int64_t layer = 0; layer < layers; ++layer) {
            const double own = slope.flat ? k : slope.at(layer, layers);
            // kvpress rounds each layer; else they add up to k a layer to the entry.
            const std::int64_t count = as_kvpress ? rounded(own) : rounded(sum + own) - rounded(sum);
            sum += own;
            budgets.push_back(at_least_one(count, share.context));
        }
        return budgets;
    }

    at::Tensor choose(const Choosing& from, const Settings& settings)
    {
        const Inner of(from, settings);
        const std::vector<std::int64_t> budgets = layer_budgets(from, settings, of.kept_at_the_end());
        const std::int64_t rows = from.rows_of_layer();
        if (from.table.first_layer < 0) // all layers share the row
            return from.labels(of.scores, of.plan(from.point.share.budget));
        const auto budget_at
            = [&](std::int64_t row) { return budgets[static_cast<std::size_t>(from.table.first_layer + row / rows)]; };
        std::vector<at::Tensor> labels; // (rows, context) of layers one after another whose budgets are equal
        for (std::int64_t begin = 0, end = 0; begin < of.scores.size(0); begin = end) {
            while (end < of.scores.size(0) && budget_at(end) == budget_at(begin))
                end += rows;
            labels.push_back(from.labels(of.scores.slice(0, begin, end), of.plan(budget_at(begin))));
        }
        return at::cat(labels);
    }

} // namespace

Policy pyramid()
{
    return {
        .info = { .name = "pyramid",
            .title = "PyramidKV",
            .description
            = "Keeps what another policy keeps, with budgets that fall from the bottom layer to the top one.",
            .parameters = { { .name = "of",
                                .description = "Policy whose score is used",
                                .default_value = "snapkv",
                                .kind = ParameterKind::policy },
                { .name = "beta",
                    .description = "The top layer gets this part of the mean budget: 20 stands for a twentieth",
                    .default_value = "20",
                    .minimum = 1,
                    .maximum = 1e6 } },
            .labels = { Label::sink, Label::local, Label::important },
            .ranks_by = ScoreOf::own,
            .score = "the other policy's",
            .source = "Cai et al., PyramidKV: Dynamic KV Cache Compression based on Pyramidal Information Funneling "
                      "(arXiv 2406.02069), as kvpress PyramidKVPress has it: the window is part of the budget",
            .shares = Sharing::layer },
        .choose = choose,
        .explain = [](const Case& of) { return explain_uneven(of, "of its layer, whose budget is its own,"); },
        .check = [](const Settings& settings) { check_inner("pyramid", settings); },
    };
}

} // namespace keepset::policy
