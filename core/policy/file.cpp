#include "core/error.h"
#include "core/policy/choosing.h"
#include "core/policy/given_scores.h"
#include "core/policy/score_parts.h"
#include "core/words.h"

#include <ATen/TensorOperators.h>

#include <cmath>

namespace keepset::policy {

namespace {

    void refuse_protection(const Settings& settings)
    {
        if (settings.number("sink") > 0 || settings.number("recent") > 0 || ranks_together(settings))
            throw Error(ErrorKind::usage,
                "'" + settings.text("path") + "' holds keep sets, which are taken as they are: sink, recent and "
                    + "uniform are of policies that rank.",
                "Leave them out, or write scores.");
    }

    /// Where a view shows the mean of several rows: what most of them keep, as many as they keep in the mean.
    at::Tensor kept_by_most(const Choosing& from, const at::Tensor& shares)
    {
        const auto kept = static_cast<std::int64_t>(std::llround(shares.sum().item<double>()));
        return from.labels(shares, { .highest = kept }).ne(0).to(at::kByte);
    }

    at::Tensor choose(const Choosing& from, const Settings& settings)
    {
        const at::Tensor& values = from.table.of(from.point.score); // (score rows, context)
        if (!from.table.scores.contains(keep_sets_of(from.point.score)))
            return ranks_together(settings) ? best_of_all_rows(from, settings) : from.labels(values, from.point.plan);
        refuse_protection(settings);
        const at::Tensor kept = values.eq(1);
        if (kept.logical_or(values.eq(0)).all().item<bool>())
            return kept.to(at::kByte); // Label::kept
        if (from.table.reduction.granularity == Granularity::head)
            return kept_by_most(from, values);
        throw Error(ErrorKind::usage,
            "The keep sets of '" + settings.text("path") + "' differ between rows that would share one at granularity "
                + name_of(from.table.reduction.granularity) + ".",
            "Use granularity head.");
    }

    /// Whether the labels come from a keep set: such a one gives nothing out but `kept`.
    bool is_keep_set(const Case& of)
    {
        const auto count = [&](Label label) { return of.counts[static_cast<std::size_t>(label)]; };
        return count(Label::important) + count(Label::sink) + count(Label::local) == 0;
    }

    std::string explain(const Case& of)
    {
        if (is_keep_set(of))
            return of.score == 1 ? "Kept: the file's keep set has it."
                : of.score == 0  ? "Evicted: the file's keep set leaves it out."
                                 : std::string(of.label == Label::kept ? "Kept" : "Evicted") + ": the keep sets of "
                    + percent(std::round(of.score * 1000) / 1000) + " of the rows in the file have it, and shown is "
                    + "what most rows keep.";
        Case own = of;
        own.score_word = "score from the file";
        if (of.label == Label::evicted && std::isfinite(of.cut_off))
            return "Evicted: " + below_cut_off(own) + ".";
        if (of.label == Label::important)
            return "Kept: its score from the file, " + significant(of.score) + ", is rank " + grouped(of.rank) + " of "
                + grouped(of.context) + ", among the highest that " + of.title + " takes.";
        return {};
    }

} // namespace

Policy file()
{
    return {
        .info = { .name = "file",
            .title = "File",
            .description = "Keeps what a file says: the tokens of its highest scores, or the keep sets that it holds.",
            .parameters = { { .name = "path",
                .description = "HDF5, safetensors or npz file with scores or keep, (layers, kv_heads, context)",
                .default_value = "",
                .kind = ParameterKind::text,
                .of_score = true } },
            .labels = { Label::kept, Label::important },
            .ranks_by = ScoreOf::own,
            .score = "read from the file: a method of your own",
            .shares = Sharing::layer },
        .plan = [](const Share& share, const Settings&) { return ends_and_highest(0, 0, share.budget); },
        .choose = choose,
        .explain = explain,
    };
}

} // namespace keepset::policy
