#include "core/error.h"
#include "core/files.h"
#include "core/keep_counts.h"
#include "core/policy/select.h"
#include "core/trace/labels.h"
#include "core/trace/run_schema.h"
#include "core/trace/trace.h"

#include <algorithm>
#include <cstring>

namespace keepset {

namespace {

    using Shape = std::vector<hsize_t>;

    void read_texts(hid_t file, std::vector<Token>& tokens)
    {
        const h5::Handle dataset = h5::open_dataset(file, "/tokens/text");
        h5::expect(dataset, { tokens.size() }, "/tokens/text");
        h5::expect_class(dataset, H5T_STRING, "/tokens/text");
        const h5::Handle type(H5Dget_type(dataset), H5Tclose, "/tokens/text");
        if (H5Tis_variable_str(type) != 0)
            throw h5::Failure("/tokens/text is not text of fixed length");
        const std::size_t width = H5Tget_size(type);
        std::vector<char> texts(tokens.size() * width); // (context, width)
        h5::check(H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, texts.data()), "reading /tokens/text");
        for (std::size_t position = 0; position < tokens.size(); ++position) {
            const char* text = texts.data() + position * width;
            tokens[position].text.assign(text, ::strnlen(text, width));
        }
    }

    /// Ranges are used to cut the text: they must ascend and lie within it.
    void check_ranges(const std::vector<Token>& tokens, std::int64_t source_begin, std::int64_t source_bytes)
    {
        std::int64_t end = 0;
        for (const Token& token : tokens) {
            if (token.byte_begin < 0 || token.byte_end < token.byte_begin)
                throw h5::Failure("the byte ranges of its tokens are impossible");
            if (token.byte_begin == token.byte_end)
                continue;
            const bool outside
                = source_bytes > 0 && (token.byte_begin < source_begin || token.byte_end - source_begin > source_bytes);
            if (token.byte_begin < end || outside)
                throw h5::Failure("the byte ranges of its tokens overlap or reach out of its text");
            end = token.byte_end;
        }
    }

    /// The text of a token that ends in U+0000 was cut there by the padding: the source has it whole.
    void restore_zeros(Token& token, const std::string& source, std::int64_t source_begin)
    {
        const auto bytes = static_cast<std::size_t>(token.byte_end - token.byte_begin);
        if (source.empty() || token.text.size() >= bytes)
            return;
        const std::string whole = source.substr(static_cast<std::size_t>(token.byte_begin - source_begin), bytes);
        const bool same = whole.compare(0, token.text.size(), token.text) == 0;
        if (same && whole.find_first_not_of('\0', token.text.size()) == std::string::npos)
            token.text = whole;
    }

    void read_source(hid_t file, Analysis& analysis)
    {
        const h5::Handle dataset = h5::open_dataset(file, "/tokens/source");
        h5::expect(dataset, {}, "/tokens/source");
        h5::expect_class(dataset, H5T_STRING, "/tokens/source");
        const h5::Handle type(H5Dget_type(dataset), H5Tclose, "/tokens/source");
        const std::int64_t bytes = h5::read_int(dataset, "bytes");
        const std::int64_t begin = h5::read_int(dataset, "byte_begin");
        std::string text(H5Tget_size(type), '\0');
        if (H5Tis_variable_str(type) != 0 || bytes < 0 || static_cast<std::size_t>(bytes) > text.size() || begin < 0)
            throw h5::Failure("/tokens/source is not text of the length it claims");
        h5::check(H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, text.data()), "reading /tokens/source");
        text.resize(static_cast<std::size_t>(bytes));
        check_ranges(analysis.tokens, begin, bytes);
        for (Token& token : analysis.tokens)
            restore_zeros(token, text, begin);
        analysis.text = std::move(text);
    }

    std::vector<Token> read_tokens(hid_t file, std::int64_t count)
    {
        const Shape shape { static_cast<hsize_t>(count) };
        const auto ids = h5::read_numbers<std::int32_t>(file, "/tokens/id", shape);
        const auto begins = h5::read_numbers<std::int64_t>(file, "/tokens/byte_begin", shape);
        const auto ends = h5::read_numbers<std::int64_t>(file, "/tokens/byte_end", shape);
        std::vector<Token> tokens(ids.size());
        for (std::size_t position = 0; position < ids.size(); ++position)
            tokens[position] = { ids[position], begins[position], ends[position], {} };
        read_texts(file, tokens);
        return tokens;
    }

    /// Importance by the last queries, of all modes that a file holds; other builds may have others.
    void read_last_importance(hid_t file, const Shape& shape, Analysis& analysis)
    {
        for (const std::string& name : h5::names_in(h5::open_group(file, "/importance"))) {
            Importance mode;
            try {
                from_name(name, mode);
            } catch (const Error&) { // of another version, or the windows of sliding layers
                continue;
            }
            if (mode.last_queries() == 0 || name_of(mode) != name)
                continue;
            if (mode.last_queries() > analysis.context)
                throw h5::Failure("/importance/" + name + " sums over more queries than its context has");
            analysis.by_last_queries[mode] = std::make_shared<const std::vector<float>>(
                h5::read_numbers<float>(file, "/importance/" + name, shape));
        }
    }

    void read_importance(hid_t file, Analysis& analysis)
    {
        if (!h5::exists(file, "/importance"))
            throw h5::Failure(
                h5::exists(file, "/logits") ? "it holds logits and no analysis" : "it holds no importance");
        const h5::Handle group = h5::open_group(file, "/importance");
        analysis.layers = h5::read_int(group, "layers");
        analysis.heads = h5::read_int(group, "heads");
        analysis.kv_heads = h5::read_int(group, "kv_heads");
        analysis.context = h5::read_int(group, "context");
        analysis.offset = h5::read_int(group, "offset");
        analysis.bos = h5::read_bool(group, "bos");
        analysis.seconds = h5::read_double(group, "seconds");
        if (H5Aexists(group, "largest_hidden") > 0) // earlier builds wrote none
            analysis.largest_hidden = h5::read_double(group, "largest_hidden");
        analysis.perturbation = trace::read_perturbation(group, "context_change");
        const bool sensible = analysis.layers > 0 && analysis.context > 0 && analysis.offset >= 0
            && analysis.kv_heads > 0 && analysis.heads >= analysis.kv_heads && analysis.heads % analysis.kv_heads == 0;
        if (!sensible)
            throw h5::Failure("the sizes on its /importance are impossible");
        const Shape shape { static_cast<hsize_t>(analysis.layers), static_cast<hsize_t>(analysis.heads),
            static_cast<hsize_t>(analysis.context) };
        analysis.importance = h5::read_numbers<float>(file, "/importance/cumulative", shape);
        if (h5::exists(file, "/importance/windows")) // where a layer slides; earlier builds wrote none
            analysis.windows = h5::read_numbers<std::int64_t>(file, "/importance/windows", { shape[0] });
        analysis.row_lse = h5::read_numbers<float>(file, "/attention/lse", shape);
        read_last_importance(file, shape, analysis);
    }

    /// Scores of policies' own; earlier builds wrote none.
    void read_scores(hid_t file, Analysis& analysis)
    {
        if (!h5::exists(file, "/scores"))
            return;
        const Shape shape { static_cast<hsize_t>(analysis.layers), static_cast<hsize_t>(analysis.kv_heads),
            static_cast<hsize_t>(analysis.context) };
        for (std::size_t n = 0;; ++n) {
            const std::string path = "/scores/" + std::to_string(n);
            if (!h5::exists(file, path))
                break;
            const std::string source = h5::read_string(h5::open_dataset(file, path), "source");
            if (source != "importance") // it follows from the importance of the query heads
                analysis.own_scores[source] = h5::read_numbers<float>(file, path, shape);
        }
    }

    SelectRequest read_request(hid_t group)
    {
        SelectRequest request;
        request.policy = trace::unspelled(h5::read_string(group, "policy_asked"));
        request.sparsity = h5::read_double(group, "sparsity");
        request.budget = h5::read_int(group, "budget_asked");
        from_name(h5::read_string(group, "granularity"), request.granularity);
        from_name(h5::read_string(group, "importance"), request.importance);
        from_name(h5::read_string(group, "gqa"), request.gqa);
        from_name(h5::read_string(group, "rounding"), request.rounding);
        request.sliding = Sliding::evict; // of earlier versions
        if (H5Aexists(group, "sliding") > 0)
            from_name(h5::read_string(group, "sliding"), request.sliding);
        request.seed = h5::read_uint(group, "seed");
        request.window = h5::read_int(group, "window");
        return request;
    }

    std::vector<std::int64_t> evicting_of(const Analysis& analysis, Sliding sliding)
    {
        try {
            return policy::evicting_layers(analysis.windows, analysis.context, sliding);
        } catch (const Error& error) {
            throw h5::Failure(error.what());
        }
    }

    KeepSet read_keep_set(hid_t file, const std::string& path, const Analysis& analysis)
    {
        const h5::Handle group = h5::open_group(file, path);
        KeepSet keep { read_request(group), h5::read_string(group, "policy"), h5::read_int(group, "budget"),
            analysis.layers, analysis.kv_heads, analysis.context, {}, h5::read_double(group, "kept_mass"), {} };
        keep.evicting = evicting_of(analysis, keep.request.sliding);
        if (H5Aexists(group, "file_sha256") > 0)
            keep.file_sha256 = h5::read_string(group, "file_sha256");
        const Shape shape { static_cast<hsize_t>(keep.layers), static_cast<hsize_t>(keep.kv_heads),
            static_cast<hsize_t>(keep.context) };
        const h5::Handle dataset = h5::open_dataset(file, path + "/label");
        h5::expect(dataset, shape, path + "/label");
        h5::expect_class(dataset, H5T_ENUM, path + "/label");
        keep.labels.resize(shape[0] * shape[1] * shape[2]);
        const h5::Handle type = trace::label_type();
        h5::check(
            H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, keep.labels.data()), "reading " + path + "/label");
        const auto unknown = [](Label label) { return static_cast<std::size_t>(label) >= label_count; };
        if (std::ranges::any_of(keep.labels, unknown))
            throw h5::Failure(path + "/label has values that are no labels");
        const std::string budgets = path + "/budgets";
        if (h5::exists(file, budgets)
            && h5::read_numbers<std::int64_t>(file, budgets, { shape[0], shape[1] }) != kept_by_row(keep))
            throw h5::Failure(budgets + " contradicts the labels beside it");
        return keep;
    }

    std::shared_ptr<const Analysis> read_analysis(hid_t file)
    {
        const FileSummary root = trace::read_root(file);
        trace::expect_kind(root, "trace");
        auto analysis = std::make_shared<Analysis>();
        analysis->provenance = root.provenance;
        read_importance(file, *analysis);
        analysis->tokens = read_tokens(file, analysis->context);
        read_source(file, *analysis);
        read_scores(file, *analysis);
        h5::open_group(file, "/keep");
        for (std::size_t n = 0;; ++n) {
            const std::string path = "/keep/" + std::to_string(n);
            if (!h5::exists(file, path))
                break;
            analysis->keep_sets.push_back(read_keep_set(file, path, *analysis));
        }
        analysis->audit = trace::read_audit(file);
        return analysis;
    }

    std::shared_ptr<const LogitsResult> read_logits(hid_t file)
    {
        const FileSummary root = trace::read_root(file);
        trace::expect_kind(root, "trace");
        if (!h5::exists(file, "/logits"))
            throw h5::Failure("it holds an analysis and no logits");
        auto logits = std::make_shared<LogitsResult>();
        logits->provenance = root.provenance;
        const Shape shape = h5::shape_of(h5::open_dataset(file, "/logits/log_prob"));
        if (shape.size() != 2 || shape[0] == 0 || shape[1] == 0)
            throw h5::Failure("the sizes of its /logits/log_prob are impossible");
        logits->positions = static_cast<std::int64_t>(shape[0]);
        logits->vocabulary = static_cast<std::int64_t>(shape[1]);
        logits->log_prob = h5::read_numbers<float>(file, "/logits/log_prob", shape);
        logits->tokens = read_tokens(file, logits->positions);
        return logits;
    }

} // namespace

std::shared_ptr<const LogitsResult> load_logits(const std::filesystem::path& file)
{
    return trace::reading(file, [&] { return read_logits(h5::open_for_reading(file)); });
}

std::shared_ptr<const Analysis> load_analysis(const std::filesystem::path& file)
{
    return trace::reading(file, [&] { return read_analysis(h5::open_for_reading(file)); });
}

} // namespace keepset
