#include "core/attention/last_importance.h"
#include "core/flat_rows.h"
#include "core/keep_counts.h"
#include "core/policies.h"
#include "core/policy/select_parts.h"
#include "core/trace/labels.h"
#include "core/trace/output.h"
#include "core/trace/run_schema.h"
#include "core/trace/trace.h"

#include <algorithm>
#include <functional>
#include <set>
#include <utility>

namespace keepset {

namespace {

    using h5::DatasetSpec;
    using Shape = std::vector<hsize_t>;

    const std::vector<std::string> by_position { "position" };

    hsize_t size_of(std::int64_t count) { return static_cast<hsize_t>(count); }

    /// A file that is written once waits for the hash of the weights rather than lack it.
    Provenance known(Provenance provenance, const Task& task)
    {
        know_weights(provenance, task);
        return provenance;
    }

    /// One layer is one chunk, in pieces where a layer is larger than 256 MiB of float32.
    Shape layer_chunk(const Shape& shape)
    {
        constexpr hsize_t most = hsize_t { 64 } << 20; // elements
        Shape chunk { 1, shape[1], shape[2] };
        while (chunk[1] > 1 && chunk[1] * chunk[2] > most)
            chunk[1] = (chunk[1] + 1) / 2;
        return chunk;
    }

    /// Packing takes time, so a stop is looked for between pieces of some chunks along the first axis; throws
    /// Cancelled.
    void write_values(
        hid_t file, const DatasetSpec& spec, const void* values, std::size_t count, const std::stop_token& stop = {})
    {
        const h5::Handle dataset = h5::create_dataset(file, spec);
        if (count == 0)
            return;
        constexpr hsize_t piece = hsize_t { 1 } << 22; // elements: about a tenth of a second
        const hsize_t rows = std::max<hsize_t>(1, piece / (count / spec.shape[0]));
        Shape start(spec.shape.size(), 0);
        Shape part = spec.shape;
        const h5::Handle space(H5Dget_space(dataset), H5Sclose, spec.path);
        for (hsize_t begin = 0; begin < spec.shape[0]; begin += rows) {
            if (stop.stop_requested())
                throw Cancelled {};
            start[0] = begin;
            part[0] = std::min(rows, spec.shape[0] - begin);
            h5::check(
                H5Sselect_hyperslab(space, H5S_SELECT_SET, start.data(), nullptr, part.data(), nullptr), spec.path);
            // The selection is the same in memory, where the values lie in one piece as in the file.
            h5::check(H5Dwrite(dataset, spec.type, space, space, H5P_DEFAULT, values), "writing " + spec.path);
        }
    }

    template <typename Pick> std::vector<std::int64_t> column(const std::vector<Token>& tokens, const Pick& pick)
    {
        std::vector<std::int64_t> values;
        values.reserve(tokens.size());
        for (const Token& token : tokens)
            values.push_back(pick(token));
        return values;
    }

    void write_token_numbers(hid_t file, const std::vector<Token>& tokens)
    {
        const Shape shape { tokens.size() };
        std::vector<std::int32_t> ids;
        ids.reserve(tokens.size());
        for (const Token& token : tokens)
            ids.push_back(token.id);
        const auto begins = column(tokens, [](const Token& token) { return token.byte_begin; });
        const auto ends = column(tokens, [](const Token& token) { return token.byte_end; });
        write_values(file,
            { "/tokens/id", H5T_NATIVE_INT32, shape, shape, nullptr, "id", "Token id in the model's vocabulary",
                by_position },
            ids.data(), ids.size());
        write_values(file,
            { "/tokens/byte_begin", H5T_NATIVE_INT64, shape, shape, nullptr, "bytes",
                "First byte of the token in the user's text", by_position },
            begins.data(), begins.size());
        write_values(file,
            { "/tokens/byte_end", H5T_NATIVE_INT64, shape, shape, nullptr, "bytes",
                "Byte behind the token in the user's text; equal to byte_begin for a token that is not in the text",
                by_position },
            ends.data(), ends.size());
    }

    void write_tokens(hid_t file, const std::vector<Token>& tokens)
    {
        h5::create_group(file, "/tokens");
        write_token_numbers(file, tokens);
        const Shape shape { tokens.size() };
        std::size_t longest = 1;
        for (const Token& token : tokens)
            longest = std::max(longest, token.text.size());
        std::vector<char> texts(tokens.size() * longest, '\0'); // (context, longest)
        for (std::size_t position = 0; position < tokens.size(); ++position)
            std::ranges::copy(tokens[position].text, texts.begin() + static_cast<std::ptrdiff_t>(position * longest));
        const h5::Handle type = h5::string_type(longest);
        write_values(file,
            { "/tokens/text", type, shape, shape, nullptr, "text",
                "Text of the token; U+FFFD where it is a piece of a character", by_position },
            texts.data(), tokens.size());
    }

    void write_source(hid_t file, const Analysis& analysis)
    {
        std::int64_t end = 0;
        for (const Token& token : analysis.tokens)
            end = std::max(end, token.byte_end);
        const auto bytes = static_cast<std::int64_t>(analysis.text.size());
        const h5::Handle type = h5::string_type(analysis.text.size());
        const h5::Handle dataset = h5::create_dataset(file,
            { "/tokens/source", type, {}, {}, nullptr, "text", "The piece of the user's text that the tokens cover",
                {} });
        h5::write_attribute(dataset, "bytes", bytes);
        h5::write_attribute(dataset, "byte_begin", std::max<std::int64_t>(end - bytes, 0));
        const void* text = analysis.text.empty() ? "\0" : analysis.text.data();
        h5::check(H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, text), "writing /tokens/source");
    }

    /// Importance by the last queries: what the analysis was made with, and what its keep sets were ranked by.
    void write_last_importance(hid_t file, const Analysis& analysis, const std::stop_token& stop)
    {
        std::set<Importance> modes;
        for (const auto& [mode, values] : analysis.by_last_queries)
            modes.insert(mode);
        for (const KeepSet& keep : analysis.keep_sets)
            modes.insert(keep.request.importance);
        const Shape shape { size_of(analysis.layers), size_of(analysis.heads), size_of(analysis.context) };
        for (const Importance& mode : modes) {
            const auto values = find_importance(analysis, mode);
            if (!values)
                continue;
            write_values(file,
                { "/importance/" + name_of(mode), H5T_NATIVE_FLOAT, shape, layer_chunk(shape), nullptr,
                    "attention mass",
                    "Attention that each key received from " + queries_of(mode)
                        + " of the context, after softmax; a row sums to " + std::to_string(mode.last_queries()),
                    { "layer", "head", "position" } },
                values->data(), values->size(), stop);
        }
    }

    void write_importance(hid_t file, const Analysis& analysis, const std::stop_token& stop)
    {
        const h5::Handle group = h5::create_group(file, "/importance");
        h5::write_attribute(group, "layers", analysis.layers);
        h5::write_attribute(group, "heads", analysis.heads);
        h5::write_attribute(group, "kv_heads", analysis.kv_heads);
        h5::write_attribute(group, "context", analysis.context);
        h5::write_attribute(group, "offset", analysis.offset);
        h5::write_attribute(group, "bos", analysis.bos);
        h5::write_attribute(group, "seconds", analysis.seconds);
        h5::write_attribute(group, "largest_hidden", analysis.largest_hidden);
        trace::write_perturbation(group, "context_change", analysis.perturbation);
        h5::create_group(file, "/attention");
        const Shape shape { size_of(analysis.layers), size_of(analysis.heads), size_of(analysis.context) };
        const std::vector<std::string> axes { "layer", "head", "position" };
        write_values(file,
            { "/importance/cumulative", H5T_NATIVE_FLOAT, shape, layer_chunk(shape), nullptr, "attention mass",
                "Attention that each key received from all context queries, after softmax; a row sums to the context "
                "length",
                axes },
            analysis.importance.data(), analysis.importance.size(), stop);
        write_last_importance(file, analysis, stop);
        if (!analysis.windows.empty()) {
            const Shape layers { size_of(analysis.layers) };
            write_values(file,
                { "/importance/windows", H5T_NATIVE_INT64, layers, layers, nullptr, "tokens",
                    "Positions that a query of a sliding layer sees, its own among them; 0: the layer does not slide",
                    { "layer" } },
                analysis.windows.data(), analysis.windows.size());
        }
        write_values(file,
            { "/attention/lse", H5T_NATIVE_FLOAT, shape, layer_chunk(shape), nullptr, "nats",
                "Natural log-sum-exp of the scores of every query, with which any attention row can be recomputed",
                axes },
            analysis.row_lse.data(), analysis.row_lse.size(), stop);
    }

    void write_keep_attributes(hid_t group, const KeepSet& keep, const Analysis& analysis)
    {
        h5::write_attribute(group, "policy", keep.policy);
        h5::write_attribute(group, "policy_asked", trace::spelled(keep.request.policy));
        h5::write_attribute(group, "sparsity", keep.request.sparsity);
        h5::write_attribute(group, "budget", keep.budget);
        h5::write_attribute(group, "budget_asked", keep.request.budget);
        h5::write_attribute(group, "granularity", name_of(keep.request.granularity));
        h5::write_attribute(group, "importance", name_of(keep.request.importance));
        h5::write_attribute(group, "gqa", name_of(keep.request.gqa));
        h5::write_attribute(group, "sliding", name_of(keep.request.sliding));
        h5::write_attribute(group, "rounding", name_of(keep.request.rounding));
        h5::write_attribute(group, "seed", keep.request.seed);
        h5::write_attribute(group, "window", keep.request.window);
        h5::write_attribute(group, "context", keep.context);
        h5::write_attribute(group, "offset", analysis.offset);
        h5::write_attribute(group, "bos", analysis.bos);
        h5::write_attribute(group, "kept_mass", keep.kept_mass);
        if (!keep.file_sha256.empty())
            h5::write_attribute(group, "file_sha256", keep.file_sha256);
        if (const std::int64_t flat = flat_rows(analysis, keep); flat > 0)
            h5::write_attribute(group, "flat_rows", flat);
    }

    /// What each row keeps, where they differ.
    void write_budgets(hid_t file, const std::string& path, const KeepSet& keep)
    {
        if (rows_are_alike(keep))
            return;
        const std::vector<std::int64_t> kept = kept_by_row(keep);
        const Shape shape { size_of(keep.layers), size_of(keep.kv_heads) };
        write_values(file,
            { path + "/budgets", H5T_NATIVE_INT64, shape, shape, nullptr, "entries",
                "Entries that each row keeps; absent where all keep as many", { "layer", "kv_head" } },
            kept.data(), kept.size());
    }

    void write_keep_sets(hid_t file, const Analysis& analysis, const std::stop_token& stop)
    {
        h5::create_group(file, "/keep");
        const h5::Handle type = trace::label_type();
        for (std::size_t n = 0; n < analysis.keep_sets.size(); ++n) {
            const KeepSet& keep = analysis.keep_sets[n];
            const std::string path = "/keep/" + std::to_string(n);
            write_keep_attributes(h5::create_group(file, path), keep, analysis);
            const Shape shape { size_of(keep.layers), size_of(keep.kv_heads), size_of(keep.context) };
            write_values(file,
                { path + "/label", type, shape, layer_chunk(shape), nullptr, "label",
                    "Role of every position in the keep set; shared keep sets are repeated",
                    { "layer", "kv_head", "position" } },
                keep.labels.data(), keep.labels.size(), stop);
            write_budgets(file, path, keep);
        }
    }

    /// Writes a dataset of scores and hands it out.
    using WriteScores = std::function<h5::Handle(const std::string& source, const std::vector<float>& values)>;

    /// What some keep sets rank by where that is importance, by kv head, each once.
    void write_importance_scores(const Analysis& analysis, const WriteScores& write)
    {
        std::set<std::pair<Importance, GqaReduction>> written;
        for (const KeepSet& keep : analysis.keep_sets) {
            const auto line = std::ranges::find(policies(), keep.request.policy.name, &PolicyInfo::name);
            const bool ranks = line != policies().end() && line->ranks_by == ScoreOf::importance;
            if (!ranks || !written.emplace(keep.request.importance, keep.request.gqa).second)
                continue;
            const policy::ScoreRows rows = policy::score_rows(policy::view_of(analysis, keep.request.importance),
                { Granularity::head, keep.request.importance, keep.request.gqa, Sliding::evict }); // all layers
            const h5::Handle dataset = write("importance", rows.scores);
            h5::write_attribute(dataset, "importance", name_of(keep.request.importance));
            h5::write_attribute(dataset, "gqa", name_of(keep.request.gqa));
        }
    }

    /// Scores of every policy that was asked for, as they are ranked at granularity head.
    void write_scores(hid_t file, const Analysis& analysis, const std::stop_token& stop)
    {
        h5::create_group(file, "/scores");
        const Shape shape { size_of(analysis.layers), size_of(analysis.kv_heads), size_of(analysis.context) };
        std::size_t count = 0;
        const WriteScores write = [&](const std::string& source, const std::vector<float>& values) {
            const std::string path = "/scores/" + std::to_string(count++);
            write_values(file,
                { path, H5T_NATIVE_FLOAT, shape, layer_chunk(shape), nullptr, "score",
                    "What a policy ranks by, higher stays; source: importance, or whose score it is",
                    { "layer", "kv_head", "position" } },
                values.data(), values.size(), stop);
            h5::Handle dataset = h5::open_dataset(file, path);
            h5::write_attribute(dataset, "source", source);
            return dataset;
        };
        write_importance_scores(analysis, write);
        for (const auto& [name, scores] : analysis.own_scores)
            write(name, scores);
    }

    /// An Analysis whose parts contradict one another is a bug of ours and never reaches a file.
    void check_sizes(const Analysis& analysis)
    {
        const auto sized = [](std::size_t size, std::int64_t a, std::int64_t b, std::int64_t c) {
            return a > 0 && b > 0 && c > 0 && size == static_cast<std::size_t>(a * b * c);
        };
        bool good = sized(analysis.importance.size(), analysis.layers, analysis.heads, analysis.context)
            && analysis.row_lse.size() == analysis.importance.size()
            && analysis.tokens.size() == static_cast<std::size_t>(analysis.context) && analysis.kv_heads > 0
            && (analysis.windows.empty() || analysis.windows.size() == size_of(analysis.layers));
        for (const auto& [mode, values] : analysis.by_last_queries)
            good = good && mode.last_queries() > 0 && values->size() == analysis.importance.size();
        for (const auto& [name, scores] : analysis.own_scores)
            good = good && sized(scores.size(), analysis.layers, analysis.kv_heads, analysis.context);
        for (const KeepSet& keep : analysis.keep_sets) {
            good = good && keep.layers == analysis.layers && keep.kv_heads == analysis.kv_heads
                && keep.context == analysis.context
                && sized(keep.labels.size(), keep.layers, keep.kv_heads, keep.context);
        }
        if (!good)
            throw Error(ErrorKind::internal, "an analysis whose arrays do not fit one another was to be saved");
    }

    void write_trace_audit(hid_t file, const AuditReport& report)
    {
        std::size_t longest = 1;
        for (const Check& check : report.checks)
            longest = std::max(longest, check.detail.size());
        trace::create_audit(file, report.checks.size(), longest);
        trace::write_audit(file, report);
    }

    /// Checks, locks, fills a file in memory and writes it as a whole.
    template <typename Fill> void save_file(const std::filesystem::path& asked, bool force, const Fill& fill)
    {
        const std::filesystem::path file = trace::resolved(asked);
        const std::string hint = "Add --force to overwrite it, or choose another name.";
        check_output(file, force, hint);
        const trace::WriterLock lock(file);
        check_output(file, force, hint);
        trace::writing(file, [&] {
            h5::MemoryFile memory;
            h5::create_group(memory.id(), "/axes");
            fill(memory.id());
            const auto [data, bytes] = memory.finish();
            trace::write_whole(file, data, bytes);
        });
    }

} // namespace

void save(const Analysis& analysis, const std::filesystem::path& file, bool force, const Task& task)
{
    check_sizes(analysis);
    save_file(file, force, [&](hid_t id) {
        trace::write_root(id, "trace", known(analysis.provenance, task));
        h5::create_axis(id, "position", analysis.context, 0, "position in the context");
        h5::create_axis(id, "layer", analysis.layers, 0, "layer of the model");
        h5::create_axis(id, "head", analysis.heads, 0, "query head");
        h5::create_axis(id, "kv_head", analysis.kv_heads, 0, "key/value head");
        write_tokens(id, analysis.tokens);
        write_source(id, analysis);
        write_importance(id, analysis, task.stop);
        write_scores(id, analysis, task.stop);
        write_keep_sets(id, analysis, task.stop);
        write_trace_audit(id, analysis.audit);
    });
}

void save(const LogitsResult& logits, const std::filesystem::path& file, bool force, const Task& task)
{
    const Shape shape { size_of(logits.positions), size_of(logits.vocabulary) };
    if (logits.log_prob.size() != shape[0] * shape[1] || logits.tokens.size() != shape[0] || logits.log_prob.empty())
        throw Error(ErrorKind::internal, "logits whose arrays do not fit one another were to be saved");
    save_file(file, force, [&](hid_t id) {
        trace::write_root(id, "trace", known(logits.provenance, task));
        h5::create_axis(
            id, "position", logits.positions, 0, "position among those of the file, the last ones of the text");
        h5::create_axis(id, "vocabulary", logits.vocabulary, 0, "token id in the model's vocabulary");
        write_tokens(id, logits.tokens);
        h5::create_group(id, "/logits");
        write_values(id,
            { "/logits/log_prob", H5T_NATIVE_FLOAT, shape, { 1, shape[1] }, nullptr, "nats",
                "Natural log of the probability of every token of the vocabulary to come after the position",
                { "position", "vocabulary" } },
            logits.log_prob.data(), logits.log_prob.size(), task.stop);
    });
}

} // namespace keepset
