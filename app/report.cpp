#include "app/console.h"

#include "core/flat_rows.h"
#include "core/keep_counts.h"
#include "core/metrics.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <iostream>
#include <numeric>

/// Results as JSON (names of INTERFACES 2) and as tables for people.
namespace keepset::cli {

namespace {

    using nlohmann::json;

    /// JSON has no NaN: null.
    json real(double value) { return std::isfinite(value) ? json(value) : json(nullptr); }

    /// A point's columns of /sweep/points; what else there is of it comes behind.
    json to_json(const SweepPoint& point)
    {
        return { { "policy", point.policy }, { "sparsity", point.sparsity }, { "budget", point.budget },
            { "windows", point.windows }, { "scored_tokens", point.scored_tokens }, { "nll_sum", real(point.nll_sum) },
            { "perplexity", real(point.perplexity) }, { "ci_low", real(point.ci_low) },
            { "ci_high", real(point.ci_high) }, { "kl", real(point.kl) },
            { "top1_agreement", real(point.top1_agreement) }, { "kept_mass", real(point.kept_mass) },
            { "seconds", real(point.seconds) } };
    }

    /// The other metrics of all points, with their intervals: null where there is none.
    void add_other_metrics(const Run& run, json& points)
    {
        for (const Metric* const metric : metrics_beside_points()) {
            const std::vector<Interval> intervals = intervals_of(run, *metric);
            for (std::size_t i = 0; i < intervals.size(); ++i) {
                points[i][metric->name] = real(intervals[i].mean);
                points[i][metric->name + "_low"] = real(intervals[i].low);
                points[i][metric->name + "_high"] = real(intervals[i].high);
            }
        }
    }

    std::string interval(double low, double high)
    {
        return std::isnan(low) ? "-" : number(low, 4) + " - " + number(high, 4);
    }

    /// Metrics of the second table that `show` prints, with the words above them.
    struct Heading {
        const char* metric;
        const char* words;
    };
    constexpr std::array<Heading, 12> beyond_the_mean { { { "delta_p50", "p50" }, { "delta_p95", "p95" },
        { "delta_p99", "p99" }, { "over_one_nat", "> 1 nat" }, { "kl_p99", "KL p99" }, { "near_nll", "1-32" },
        { "middle_nll", "33-128" }, { "far_nll", "129-" }, { "evicted_everywhere", "gone" },
        { "first_kept", "token 0" }, { "last_kept", "newest" }, { "key_nll", "key tokens" } } };

    void print_beyond_the_mean(const Run& run)
    {
        if (run.window_delta_p50.empty())
            return;
        std::vector<std::string> head { "policy", "sparsity" };
        std::vector<std::vector<Interval>> columns; // (headings, points)
        for (const Heading& heading : beyond_the_mean) {
            head.emplace_back(heading.words);
            columns.push_back(intervals_of(run, find_metric(heading.metric)));
        }
        head.emplace_back("95% interval");
        std::vector<std::vector<std::string>> rows { head };
        for (std::size_t i = 0; i < run.points.size(); ++i) {
            rows.push_back({ run.points[i].policy, number(run.points[i].sparsity, 4) });
            for (const std::vector<Interval>& column : columns)
                rows.back().push_back(number(column[i].mean, 3));
            rows.back().push_back(interval(columns.back()[i].low, columns.back()[i].high));
        }
        std::cout
            << "\nBeyond the mean. \u0394NLL to dense: percentiles of tokens, share that lose over 1 nat, mean of "
               "the targets 1-32, 33-128, 129- and of key tokens. Gone: context tokens that no row keeps; token 0, "
               "newest: rows that hold it.\n\n";
        print_table(rows);
    }

    /// Entries that were kept, mean over rows and windows; what is to be kept before a window is done.
    std::string kept_in_a_row(const Run& run, std::size_t point)
    {
        const double kept = value_of(run, find_metric("kept_entries"), point);
        return std::isnan(kept) ? std::to_string(run.points[point].budget) : number(kept, 6);
    }

    /// What may be said against `reference`; empty: the first method behind dense.
    std::vector<Finding> findings_against(const Run& run, const std::string& reference)
    {
        const std::vector<std::string> names = methods(run);
        return findings(run, !reference.empty() ? reference : names.size() > 1 ? names[1] : "dense");
    }

    /// Entries that every row keeps, a list a layer.
    json by_layer(const KeepSet& set)
    {
        const std::vector<std::int64_t> kept = kept_by_row(set);
        json layers = json::array();
        for (auto layer = kept.begin(); layer != kept.end(); layer += set.kv_heads)
            layers.push_back(std::vector<std::int64_t>(layer, layer + set.kv_heads));
        return layers;
    }

    /// Token, and the five most likely behind it, best first.
    json top_five(const LogitsResult& result, std::size_t position)
    {
        const auto vocabulary = static_cast<std::size_t>(result.vocabulary);
        const float* row = result.log_prob.data() + position * vocabulary;
        std::vector<std::size_t> order(vocabulary);
        std::iota(order.begin(), order.end(), std::size_t { 0 });
        const std::size_t top = std::min<std::size_t>(5, vocabulary);
        std::ranges::partial_sort(order, order.begin() + static_cast<std::ptrdiff_t>(top), std::greater {},
            [&](std::size_t id) { return row[id]; });
        json line { { "token", cli::to_json(result.tokens[position], position) }, { "top", json::array() } };
        for (std::size_t rank = 0; rank < top; ++rank)
            line["top"].push_back(
                { { "id", order[rank] }, { "log_prob", real(static_cast<double>(row[order[rank]])) } });
        return line;
    }

} // namespace

json to_json(const ModelInfo& info)
{
    return { { "path", info.path }, { "name", info.name }, { "architecture", info.architecture },
        { "model_type", info.model_type }, { "layers", info.layers }, { "heads", info.heads },
        { "kv_heads", info.kv_heads }, { "head_dim", info.head_dim }, { "hidden_size", info.hidden_size },
        { "intermediate_size", info.intermediate_size }, { "vocabulary", info.vocabulary },
        { "context", info.max_context }, { "tied_embeddings", info.tied_embeddings },
        { "dtype", info.checkpoint_dtype }, { "parameters", info.parameters }, { "bytes", info.bytes },
        { "adds_bos", info.adds_bos }, { "endless", info.endless }, { "positions", info.positions },
        { "experts", info.experts }, { "experts_per_token", info.experts_per_token }, { "window", info.window },
        { "sliding_layers", info.sliding_layers }, { "notes", info.notes } };
}

json to_json(const MemoryNeed& need)
{
    return { { "device", need.device }, { "device_name", need.device_name }, { "dtype", need.dtype },
        { "context", need.context }, { "weights", need.weights }, { "cache", need.cache }, { "work", need.work },
        { "needed", need.needed() }, { "free", need.free }, { "total", need.total }, { "fits", need.fits() } };
}

json to_json(const Token& token, std::size_t index)
{
    return { { "index", index }, { "id", token.id }, { "byte_begin", token.byte_begin }, { "byte_end", token.byte_end },
        { "text", token.text } };
}

json to_json(const AuditReport& report)
{
    json checks = json::array();
    for (const Check& check : report.checks)
        checks.push_back({ { "check", check.name }, { "status", name_of(check.status) }, { "detail", check.detail } });
    return checks;
}

json to_json(const Provenance& from)
{
    return { { "created", from.created }, { "generator", from.generator }, { "model_name", from.model_name },
        { "model_architecture", from.model_architecture }, { "model_sha256", from.model_sha256 },
        { "tokenizer_sha256", from.tokenizer_sha256 }, { "text_name", from.text_name },
        { "text_sha256", from.text_sha256 }, { "device", from.device }, { "dtype", from.dtype }, { "seed", from.seed },
        { "command", from.command } };
}

json to_json(const Run& run, const std::string& reference)
{
    json points = json::array();
    for (const SweepPoint& point : run.points)
        points.push_back(to_json(point));
    add_other_metrics(run, points);
    json files = json::array();
    for (const HashedFile& file : run.files)
        files.push_back({ { "path", file.path }, { "sha256", file.sha256 } });
    json sentences = json::array();
    for (const Finding& finding : findings_against(run, reference))
        sentences.push_back(finding.sentence);
    return { { "kind", "run" }, { "provenance", to_json(run.provenance) }, { "protocol", name_of(run.protocol) },
        { "granularity", name_of(run.granularity) }, { "importance", name_of(run.importance) },
        { "gqa", name_of(run.gqa) }, { "positions", name_of(run.positions) }, { "rounding", name_of(run.rounding) },
        { "sliding", name_of(run.sliding) }, { "evicting_layers", run.layers_that_evict() }, { "context", run.context },
        { "target", run.target }, { "offset", run.offset }, { "bos", run.bos }, { "windows", run.windows },
        { "shard", run.shard.number }, { "shards", run.shard.count }, { "windows_done", run.windows_done() },
        { "unigram_perplexity", real(run.unigram_perplexity) },
        { "key_tokens",
            { { "short", run.key_tokens.short_context }, { "gain", run.key_tokens.gain },
                { "loss", run.key_tokens.loss }, { "count", real(key_tokens_of(run)) } } },
        { "files", files }, { "points", points }, { "findings", sentences },
        { "audit", to_json(run.audit.checks.empty() ? audit(run) : run.audit) } };
}

json to_json(const Analysis& analysis)
{
    json sets = json::array();
    for (const KeepSet& set : analysis.keep_sets) {
        sets.push_back({ { "policy", set.policy }, { "sparsity", set.request.sparsity }, { "budget", set.budget },
            { "kept", kept_a_row(set) }, { "granularity", name_of(set.request.granularity) },
            { "importance", name_of(set.request.importance) }, { "gqa", name_of(set.request.gqa) },
            { "sliding", name_of(set.request.sliding) }, { "seed", set.request.seed },
            { "kept_mass", real(set.kept_mass) } });
        if (!set.file_sha256.empty())
            sets.back()["file_sha256"] = set.file_sha256;
        if (!rows_are_alike(set))
            sets.back()["budgets"] = by_layer(set);
    }
    return { { "kind", "trace" }, { "provenance", to_json(analysis.provenance) }, { "layers", analysis.layers },
        { "heads", analysis.heads }, { "kv_heads", analysis.kv_heads }, { "context", analysis.context },
        { "offset", analysis.offset }, { "bos", analysis.bos }, { "seconds", real(analysis.seconds) }, { "keep", sets },
        { "notes", notes_about(analysis) }, { "audit", to_json(analysis.audit) } };
}

json to_json(const LogitsResult& logits)
{
    json rows = json::array();
    for (std::size_t position = 0; position < logits.tokens.size(); ++position)
        rows.push_back(top_five(logits, position));
    return { { "kind", "logits" }, { "provenance", to_json(logits.provenance) }, { "positions", logits.positions },
        { "vocabulary", logits.vocabulary }, { "logits", rows } };
}

json to_json(const KeepSummary& file)
{
    json arrays = json::array();
    for (const KeepArray& array : file.arrays)
        arrays.push_back({ { "name", array.name }, { "holds", array.holds }, { "shape", array.shape } });
    json layers = json::array();
    for (const KeepLayer& layer : file.by_layer)
        layers.push_back(
            { { "least", real(layer.least) }, { "mean", real(layer.mean) }, { "most", real(layer.most) } });
    return { { "kind", "keep" }, { "container", file.container }, { "sha256", file.sha256 },
        { "model_name", file.model_name }, { "text_name", file.text_name }, { "arrays", arrays },
        { "holds",
            file.layers == 0     ? ""
                : file.keep_sets ? "keep"
                                 : "scores" },
        { "tokens", file.tokens }, { "windows", file.windows }, { "layers", file.layers },
        { "kv_heads", file.kv_heads }, { "context", file.context }, { "by_layer", layers },
        { "problem", file.problem } };
}

void print_logits(const LogitsResult& result, bool json_lines)
{
    for (std::size_t position = 0; position < result.tokens.size(); ++position) {
        const json line = top_five(result, position);
        std::string text = std::to_string(result.tokens[position].id);
        for (const json& entry : line.at("top")) {
            const json& value = entry.at("log_prob");
            text
                += "\t" + entry.at("id").dump() + ":" + number(value.is_null() ? not_a_number : value.get<double>(), 6);
        }
        std::cout << (json_lines ? line.dump(-1, ' ', false, json::error_handler_t::replace) : text) << '\n';
    }
}

void print_json(const json& value) { std::cout << value.dump(2, ' ', false, json::error_handler_t::replace) << '\n'; }

void print_audit(const AuditReport& report)
{
    std::vector<std::vector<std::string>> rows { { "check", "status", "detail" } };
    for (const Check& check : report.checks)
        rows.push_back({ check.name, name_of(check.status), check.detail });
    print_table(rows);
}

void print_run(const Run& run, const std::string& reference)
{
    std::cout << run.provenance.model_name << " · " << run.provenance.text_name << " · " << name_of(run.protocol)
              << " · context " << run.context << " · target " << run.target << " · granularity "
              << name_of(run.granularity) << " · " << run.windows_done() << " of " << run.windows_of_shard()
              << " windows";
    if (run.shard.count > 1)
        std::cout << " of shard " << run.shard.number << "/" << run.shard.count;
    if (run.importance != Importance::cumulative)
        std::cout << " · importance " << name_of(run.importance);
    if (run.layers_that_evict() < run.layers)
        std::cout << " · evicts in " << run.layers_that_evict() << " of " << run.layers
                  << " layers, the others slide and keep all";
    std::cout << "\n\n";
    std::vector<std::vector<std::string>> rows { { "policy", "sparsity", "kept", "perplexity", "95% interval",
        "ratio to dense", "KL", "top-1", "kept mass", "seconds" } };
    const double dense = run.points.empty() ? not_a_number : run.points.front().perplexity;
    for (std::size_t index = 0; index < run.points.size(); ++index) {
        const SweepPoint& point = run.points[index];
        rows.push_back(
            { point.policy, number(point.sparsity, 4), kept_in_a_row(run, index), number(point.perplexity, 6),
                interval(point.ci_low, point.ci_high), number(point.perplexity / dense, 5), number(point.kl, 4),
                number(point.top1_agreement, 4), number(point.kept_mass, 4), number(point.seconds, 3) });
    }
    print_table(rows);
    print_beyond_the_mean(run);
    std::cout << '\n';
    if (std::isnan(key_tokens_of(run)) && !run.window_delta_p50.empty())
        std::cout << about_key_tokens(run) << '\n';
    for (const Finding& finding : findings_against(run, reference))
        std::cout << finding.sentence << '\n';
    const AuditReport report = run.audit.checks.empty() ? audit(run) : run.audit;
    for (const Check& check : report.checks) {
        if (check.status == CheckStatus::fail || check.status == CheckStatus::warning
            || check.status == CheckStatus::undecided)
            std::cout << "audit, " << name_of(check.status) << ": " << check.name << ": " << check.detail << '\n';
    }
    if (!report.failed() && !report.warned())
        std::cout << "audit: every check that applies passes\n";
}

} // namespace keepset::cli
