#pragma once

#include "core/engine.h"
#include "core/trace/run_arrays.h"

#include <algorithm>
#include <cstring>
#include <string>

/// Results with unlike values everywhere, for the tests of files.
namespace samples {

inline keepset::Provenance provenance()
{
    return { "2026-11-22T10:00:00Z", "keepset 0.1.0 (abc)", "модель", "LlamaForCausalLM", std::string(64, 'a'), nullptr,
        std::string(64, 'b'), "Büch 漢字.txt", std::string(64, 'c'), "cpu", "float32", 18446744073709551615ULL,
        "keepset-cli analyze 'x y' 🙂" };
}

inline keepset::KeepSet keep_set(const keepset::Analysis& analysis, const std::string& policy)
{
    keepset::KeepSet keep;
    keep.policy = policy + "(local=0.3)";
    keep.request.policy = { policy, { { "local", "0.3" }, { "bridge", "median" } } };
    keep.request.sparsity = 0.9;
    keep.request.budget = 7;
    keep.request.granularity = keepset::Granularity::layer;
    keep.request.importance = keepset::Importance::mean_received;
    keep.request.gqa = keepset::GqaReduction::max;
    keep.request.rounding = keepset::Rounding::kvpress;
    keep.request.seed = 1ULL << 63U;
    keep.request.window = 3;
    keep.budget = 1;
    keep.layers = analysis.layers;
    keep.kv_heads = analysis.kv_heads;
    keep.context = analysis.context;
    for (std::int64_t index = 0; index < keep.layers * keep.kv_heads * keep.context; ++index)
        keep.labels.push_back(static_cast<keepset::Label>(index % 6));
    keep.kept_mass = 0.625;
    return keep;
}

/// `context` tokens; the second is a zero byte, the third a piece of a character.
inline keepset::Analysis analysis(std::int64_t context)
{
    keepset::Analysis made;
    made.provenance = provenance();
    made.layers = 3;
    made.heads = 4;
    made.kv_heads = 2;
    made.context = context;
    made.offset = 17;
    made.bos = true;
    made.windows = { 0, 5, 0 };
    made.seconds = 1.25;
    made.tokens.push_back({ 1, 100, 100, "<s>" });
    for (std::int64_t position = 1; position < context; ++position) {
        const std::string text = position == 1 ? std::string(1, '\0') : position == 2 ? "\xEF\xBF\xBD" : "é";
        const std::string bytes = position == 2 ? "\xC3" : text;
        const auto begin = 100 + static_cast<std::int64_t>(made.text.size());
        made.text += bytes;
        made.tokens.push_back({ static_cast<std::int32_t>(position * 7), begin,
            100 + static_cast<std::int64_t>(made.text.size()), text });
    }
    for (std::int64_t index = 0; index < made.layers * made.heads * context; ++index) {
        made.importance.push_back(static_cast<float>(index) * 0.1F);
        made.row_lse.push_back(-static_cast<float>(index) * 0.3F);
    }
    made.by_last_queries[keepset::Importance::last_query]
        = std::make_shared<const std::vector<float>>(made.importance.rbegin(), made.importance.rend());
    made.keep_sets = { keep_set(made, "h2o"), keep_set(made, "cab") };
    made.keep_sets[1].file_sha256 = std::string(64, 'd');
    made.audit.checks
        = { { "mass", keepset::CheckStatus::pass, "Alles gut: é" }, { "finite", keepset::CheckStatus::warning, "" },
              { "baseline", keepset::CheckStatus::not_applicable, std::string(700, 'x') } };
    return made;
}

inline constexpr std::int64_t target = 5;

/// A run of `points` points and `windows` windows of which none is done.
inline keepset::Run empty_run(std::int64_t points, std::int64_t windows, bool per_token)
{
    keepset::Run run;
    run.provenance = provenance();
    run.granularity = keepset::Granularity::model;
    run.gqa = keepset::GqaReduction::sum;
    run.positions = keepset::Positions::repacked;
    run.context = 16;
    run.target = target;
    run.offset = 3;
    run.layers = 3;
    run.kv_heads = 2;
    run.vocabulary = 1000;
    run.bos = true;
    run.unigram_perplexity = 321.5;
    run.key_tokens = { 5, 0.75, 3.5 };
    run.windows = windows;
    run.files = { { "a/mine, é.h5", std::string(64, 'd') }, { "b.npz", std::string(64, 'e') } };
    for (std::int64_t row = 0; row < points; ++row) {
        keepset::SweepPoint point;
        point.policy = row == 0 ? "dense" : "cab(local=0." + std::to_string(row) + ")";
        point.sparsity = row == 0 ? 0 : 0.1 * static_cast<double>(row);
        point.budget = 16 - row;
        run.points.push_back(point);
    }
    keepset::trace::empty_arrays(run, per_token);
    return run;
}

/// Does window `window`: every number follows from point and window alone.
inline void do_window(keepset::Run& run, std::int64_t window)
{
    const auto at = static_cast<std::size_t>(window);
    for (std::size_t row = 0; row < run.points.size(); ++row) {
        const std::size_t cell = row * static_cast<std::size_t>(run.windows) + at;
        run.window_nll[cell] = 3.0 + 0.01 * static_cast<double>(cell);
        run.keep_hash[cell] = 1000 + cell;
        run.definition_hash[cell] = 500 + cell;
        run.kept_entries[cell] = static_cast<std::int64_t>(10 + cell);
        run.budget_entries[cell] = static_cast<std::int64_t>(20 + cell);
        run.target_hash[cell] = (1ULL << 63U) + at;
        for (std::size_t token = 0; !run.token_nll.empty() && token < target - 1; ++token)
            run.token_nll[cell * (target - 1) + token] = static_cast<float>(cell) + 0.125F * static_cast<float>(token);
        run.window_kl[cell] = 0.5 + static_cast<double>(cell);
        run.window_top1[cell] = 1.0 / static_cast<double>(cell + 1);
        run.window_kept_mass[cell] = 0.75;
        run.window_seconds[cell] = 0.1;
        run.selected_hash[cell] = 700 + cell;
        run.first_kept[cell] = static_cast<std::int64_t>(cell % 4);
        run.last_kept[cell] = static_cast<std::int64_t>(cell % 5);
        run.evicted_everywhere[cell] = static_cast<std::int64_t>(2 * cell);
        double value = static_cast<double>(cell);
        for (auto* measured : { &run.window_delta_p50, &run.window_delta_p95, &run.window_delta_p99, &run.window_kl_p50,
                 &run.window_kl_p95, &run.window_kl_p99, &run.window_over_one_nat, &run.window_key_nll,
                 &run.window_key_count, &run.window_near_nll, &run.window_middle_nll })
            (*measured)[cell] = value += 0.125; // window_far_nll stays NaN: the target is short
        run.tied_rows[cell] = static_cast<std::int64_t>(cell % 3);
        run.flat_rows[cell] = static_cast<std::int64_t>(cell % 2);
    }
    for (std::size_t token = 0; !run.short_nll.empty() && token < target - 1; ++token)
        run.short_nll[at * (target - 1) + token] = static_cast<float>(at) + 0.25F * static_cast<float>(token);
    run.done[at] = 1;
    run.mass_error[at] = 1e-6 * static_cast<double>(window);
    run.last_key_importance[at] = 0.25;
    run.window_begin[at] = 21 * window;
    run.read_hash[at] = run.text_read_hash[at] = 31 + at;
    run.text_target_hash[at] = (1ULL << 63U) + at;
    run.least_importance[at] = 0.001;
    run.largest_hidden[at] = 7;
    refresh_points(run);
}

/// A run of which the first `done` windows are done.
inline keepset::Run run(std::int64_t points, std::int64_t windows, std::int64_t done, bool per_token)
{
    keepset::Run made = empty_run(points, windows, per_token);
    for (std::int64_t window = 0; window < done; ++window)
        do_window(made, window);
    return made;
}

/// Bytes compared, so that NaN equals NaN.
template <typename T> bool same_bits(const std::vector<T>& a, const std::vector<T>& b)
{
    return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0);
}

inline bool same(double a, double b) { return a == b || (a != a && b != b); }

inline bool same(const keepset::Provenance& a, const keepset::Provenance& b)
{
    return a.created == b.created && a.generator == b.generator && a.model_name == b.model_name
        && a.model_architecture == b.model_architecture && a.model_sha256 == b.model_sha256
        && a.tokenizer_sha256 == b.tokenizer_sha256 && a.text_name == b.text_name && a.text_sha256 == b.text_sha256
        && a.device == b.device && a.dtype == b.dtype && a.seed == b.seed && a.command == b.command;
}

inline bool same(const keepset::AuditReport& a, const keepset::AuditReport& b)
{
    return std::ranges::equal(a.checks, b.checks, [](const keepset::Check& x, const keepset::Check& y) {
        return x.name == y.name && x.status == y.status && x.detail == y.detail;
    });
}

inline bool same(const keepset::SweepPoint& a, const keepset::SweepPoint& b)
{
    return a.policy == b.policy && a.sparsity == b.sparsity && a.budget == b.budget && a.windows == b.windows
        && a.scored_tokens == b.scored_tokens && same(a.nll_sum, b.nll_sum) && same(a.perplexity, b.perplexity)
        && same(a.ci_low, b.ci_low) && same(a.ci_high, b.ci_high) && same(a.kl, b.kl)
        && same(a.top1_agreement, b.top1_agreement) && same(a.kept_mass, b.kept_mass) && same(a.seconds, b.seconds);
}

inline bool same(const keepset::Run& a, const keepset::Run& b)
{
    const bool points = std::ranges::equal(
        a.points, b.points, [](const keepset::SweepPoint& x, const keepset::SweepPoint& y) { return same(x, y); });
    bool arrays = true;
    keepset::trace::for_run_arrays(
        [&](const auto& array) { arrays = arrays && same_bits(a.*array.member, b.*array.member); });
    return points && same(a.provenance, b.provenance) && a.protocol == b.protocol && a.granularity == b.granularity
        && a.importance == b.importance && a.gqa == b.gqa && a.positions == b.positions && a.rounding == b.rounding
        && a.context == b.context && a.target == b.target && a.offset == b.offset && a.layers == b.layers
        && a.kv_heads == b.kv_heads && a.vocabulary == b.vocabulary && a.bos == b.bos && a.windows == b.windows
        && same(a.unigram_perplexity, b.unigram_perplexity) && a.shard == b.shard && arrays
        && same_bits(a.token_nll, b.token_nll) && same_bits(a.short_nll, b.short_nll) && a.key_tokens == b.key_tokens
        && same_bits(a.done, b.done) && same(a.audit, b.audit) && a.files == b.files;
}

inline bool same(const keepset::KeepSet& a, const keepset::KeepSet& b)
{
    const keepset::SelectRequest& x = a.request;
    const keepset::SelectRequest& y = b.request;
    return x.policy == y.policy && x.sparsity == y.sparsity && x.budget == y.budget && x.granularity == y.granularity
        && x.importance == y.importance && x.gqa == y.gqa && x.rounding == y.rounding && x.seed == y.seed
        && x.window == y.window && a.policy == b.policy && a.budget == b.budget && a.layers == b.layers
        && a.kv_heads == b.kv_heads && a.context == b.context && a.labels == b.labels && same(a.kept_mass, b.kept_mass)
        && a.file_sha256 == b.file_sha256;
}

inline bool same(const keepset::Analysis& a, const keepset::Analysis& b)
{
    const bool tokens = std::ranges::equal(a.tokens, b.tokens, [](const keepset::Token& x, const keepset::Token& y) {
        return x.id == y.id && x.byte_begin == y.byte_begin && x.byte_end == y.byte_end && x.text == y.text;
    });
    const bool keep_sets = std::ranges::equal(
        a.keep_sets, b.keep_sets, [](const keepset::KeepSet& x, const keepset::KeepSet& y) { return same(x, y); });
    return tokens && keep_sets && same(a.provenance, b.provenance) && a.layers == b.layers && a.heads == b.heads
        && a.kv_heads == b.kv_heads && a.context == b.context && a.offset == b.offset && a.bos == b.bos
        && same_bits(a.importance, b.importance) && same_bits(a.row_lse, b.row_lse) && same(a.audit, b.audit)
        && a.windows == b.windows && a.seconds == b.seconds && a.text == b.text
        && std::ranges::equal(a.by_last_queries, b.by_last_queries,
            [](const auto& x, const auto& y) { return x.first == y.first && same_bits(*x.second, *y.second); });
}

} // namespace samples
