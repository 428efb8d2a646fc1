#include "core/engine.h"

#include "core/attention/bridge_scores.h"
#include "core/device/device.h"
#include "core/device/memory.h"
#include "core/model/describe.h"
#include "core/model/read_ahead.h"
#include "core/model/weights_hash.h"
#include "core/pass/dense_pass.h"
#include "core/policy/own_scores.h"
#include "core/preflight.h"
#include "core/sha256.h"
#include "core/sweep/causality.h"
#include "core/sweep/sweep.h"
#include "core/tokenizer/token_rows.h"
#include "core/tokenizer/tokenizer.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/logsumexp.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <iterator>
#include <limits>

namespace keepset {

namespace {

    namespace fs = std::filesystem;

    std::string file_sha256(const fs::path& file)
    {
        std::ifstream stream(file, std::ios::binary);
        return sha256(std::string(std::istreambuf_iterator<char>(stream), {}));
    }

    /// A model is laid over several GPUs where one has no room for it and a text of this many tokens.
    constexpr std::int64_t usual_context = 8192;

    /// Log-probabilities that are made between two looks at the stop token: some copies of 16 MB.
    constexpr std::int64_t cells_at_once = std::int64_t { 1 } << 22U;

    /// Everything that belongs to one open folder.
    struct OpenModel {
        ModelInfo info;
        WeightFiles weights;
        std::optional<Tokenizer> tokenizer;
        std::unique_ptr<Decoder> decoder;
        Backend backend;
        std::string tokenizer_sha256;
        std::shared_ptr<const WeightsHash> weights_hash;
    };

    /// The tokens an analysis looks at: the BOS where there is one, then the passage.
    std::vector<Token> passage(
        std::vector<Token> tokens, bool bos, const AnalysisRequest& request, std::int64_t max_context)
    {
        const std::int64_t front = bos ? 1 : 0;
        if (request.context < 0 || request.offset < 0)
            throw Error(ErrorKind::usage, "The context and the offset cannot be negative.");
        const std::int64_t room = static_cast<std::int64_t>(tokens.size()) - request.offset; // with the BOS
        if (room - front < 1)
            throw Error(ErrorKind::input,
                "'" + request.text.name + "' has no token"
                    + (request.offset > 0 ? " behind the offset " + std::to_string(request.offset) : "") + ".",
                "Give a text with at least one token.");
        if (request.context > max_context)
            throw Error(ErrorKind::usage,
                "A context of " + std::to_string(request.context) + " exceeds the " + std::to_string(max_context)
                    + " positions of the model.");
        if (request.context > room)
            throw Error(ErrorKind::input,
                "'" + request.text.name + "' has " + std::to_string(room) + " tokens"
                    + (request.offset > 0 ? " behind the offset" : "") + ", fewer than the context of "
                    + std::to_string(request.context) + ".",
                "Give a longer text or a smaller context.");
        const std::int64_t context = request.context > 0 ? request.context : std::min(room, max_context);
        tokens.erase(tokens.begin() + front, tokens.begin() + front + request.offset);
        tokens.resize(static_cast<std::size_t>(context));
        return tokens;
    }

    /// Linux ends a process that takes more memory than there is without a word, so the CPU is asked before the work; a
    /// GPU's allocator tells by itself.
    /// `attention`: the queries and keys of all layers are kept, as bridges need them.
    void refuse_beyond_memory(const OpenModel& open, std::int64_t context, bool attention = false)
    {
        if (open.decoder->device().is_cuda())
            return;
        OpenOptions options { "cpu", Dtype::automatic, open.backend.threads };
        from_name(open.info.dtype, options.dtype);
        MemoryNeed need = memory_need(open.info, options, context);
        need.loaded = true;
        if (attention)
            need.attention = attention_source_bytes(
                open.info, context, static_cast<std::int64_t>(c10::elementSize(open.decoder->dtype())));
        refuse_too_large(need);
    }

    /// Why the queries and keys of a context cannot be kept beside all else that an analysis needs; empty: they can.
    std::string no_room_for_attention(const OpenModel& open, std::int64_t context)
    {
        OpenOptions options { open.info.device, Dtype::automatic, open.backend.threads };
        from_name(open.info.dtype, options.dtype);
        MemoryNeed need = memory_need(open.info, options, context);
        need.loaded = true;
        need.attention = attention_source_bytes(
            open.info, context, static_cast<std::int64_t>(c10::elementSize(open.decoder->dtype())));
        return need.fits() ? std::string() : sentence(need);
    }

    /// The weights are read into memory of their own unless the file's pages can be used as they are.
    void refuse_large_weights(const ModelInfo& info, const OpenOptions& options)
    {
        MemoryNeed need = memory_need(info, options, 1);
        if (need.device == "cpu" && need.dtype == info.checkpoint_dtype)
            return;
        refuse_too_large(need);
    }

    /// The longest text the model takes.
    std::int64_t longest(const ModelInfo& info)
    {
        return info.endless ? std::numeric_limits<std::int64_t>::max() : info.max_context;
    }

    /// Tokens of a text that `count` behind the offset need, with a BOS; more than that are not made.
    std::size_t most_tokens(std::int64_t offset, std::int64_t count)
    {
        constexpr std::int64_t far = std::int64_t { 1 } << 60U; // sums of three stay in range
        return static_cast<std::size_t>(
            1 + std::clamp<std::int64_t>(offset, 0, far) + std::clamp<std::int64_t>(count, 0, far));
    }

    std::size_t most_tokens(const SweepRequest& request)
    {
        constexpr std::int64_t all = std::numeric_limits<std::int64_t>::max();
        std::int64_t window = 0;
        std::int64_t count = 0;
        const bool counted = request.windows > 0 && !__builtin_add_overflow(request.context, request.target, &window)
            && !__builtin_mul_overflow(window, request.windows, &count);
        return most_tokens(request.offset, counted ? count : all);
    }

    std::vector<float> to_vector(const at::Tensor& tensor)
    {
        std::vector<float> values(static_cast<std::size_t>(tensor.numel()));
        at::from_blob(values.data(), tensor.sizes(), at::kFloat).copy_(tensor);
        return values;
    }

    /// Ids of a text without special tokens.
    policy::EncodeFn encoder_of(const Tokenizer& tokenizer)
    {
        return [&tokenizer](const std::string& text) { return ids_of(tokenizer.encode(text, false)); };
    }

} // namespace

struct Engine::Impl {
    std::unique_ptr<OpenModel> open;

    const OpenModel& model() const
    {
        if (!open)
            throw Error(ErrorKind::usage, "No model is open.", "Open a model folder first.");
        return *open;
    }
    /// Waits for nothing: the hash of the weights is filled in where it is known by now.
    Provenance provenance(const Text& text, const std::string& command, const Task& task) const
    {
        const OpenModel& from = model();
        Provenance provenance;
        provenance.created = timestamp();
        provenance.generator = generator();
        provenance.model_name = from.info.name;
        provenance.model_architecture = from.info.architecture;
        provenance.weights_hash = from.weights_hash;
        take_weights_hash(provenance);
        provenance.tokenizer_sha256 = from.tokenizer_sha256;
        provenance.text_name = text.name;
        provenance.text_sha256 = sha256(text.bytes, task.stop);
        provenance.device = from.info.device + " (" + from.info.device_name + ")";
        provenance.dtype = from.info.dtype;
        provenance.command = command;
        return provenance;
    }
};

Engine::Engine()
    : impl_(std::make_unique<Impl>())
{
}
Engine::~Engine() = default;

ModelInfo Engine::open_model(const fs::path& given, const OpenOptions& options, const Task& task)
{
    const fs::path folder = model_folder(given);
    ChosenDevice device = choose_device(options);
    auto open = std::make_unique<OpenModel>();
    guarded(device.backend.threads, [&] {
        const DecoderConfig config = read_config(folder);
        open->tokenizer = Tokenizer::load(folder / "tokenizer.json");
        open->weights = open_weights(folder);
        open->info = describe(folder, config, open->weights);
        open->info.tokens_known = open->tokenizer->vocabulary();
        open->info.adds_bos = open->tokenizer->bos().has_value();
        // What a GPU's allocator keeps of an earlier model is free for this one, but is not told as free.
        if (!impl_->open || !device.device.is_cuda())
            refuse_large_weights(open->info, options);
        device = choose_devices_for(open->info, options, std::min(open->info.max_context, usual_context));
        const at::ScalarType dtype = choose_dtype(options.dtype, open->info.checkpoint_dtype, device.device);
        const Placement placement { device.device, place_layers(open->info, device, dtype) };
        const ReadAhead ahead(open->weights.files);
        open->decoder = std::make_unique<Decoder>(config, open->weights, placement, dtype, task);
        open->info.dtype = dtype_name(dtype);
        open->info.notes = device.notes;
        add_tokenizer_notes(open->info, *open->tokenizer);
        open->info.notes.insert(open->info.notes.end(), open->decoder->notes().begin(), open->decoder->notes().end());
    });
    open->info.device = device.text();
    open->info.device_name = device.name;
    open->backend = device.backend;
    open->tokenizer_sha256 = file_sha256(folder / "tokenizer.json");
    if (options.hash_weights)
        open->weights_hash = std::make_shared<const WeightsHash>(open->weights);
    impl_->open = std::move(open);
    return impl_->open->info;
}

std::optional<ModelInfo> Engine::model() const { return impl_->open ? std::optional(impl_->open->info) : std::nullopt; }

std::vector<Token> Engine::tokenize(const Text& text, const Task& task) const
{
    return impl_->model().tokenizer->encode(text.bytes, true, task.stop);
}

std::vector<std::string> Engine::text_notes(const Text& text) const
{
    return impl_->model().tokenizer->notes_about(text.bytes);
}

LogitsResult Engine::logits(const Text& text, std::int64_t last, std::int64_t offset, const Task& task)
{
    const OpenModel& open = impl_->model();
    LogitsResult result;
    result.provenance = impl_->provenance(text, {}, task);
    AnalysisRequest request;
    request.text = text;
    request.offset = offset;
    std::vector<Token> tokens
        = passage(open.tokenizer->encode(text.bytes, true, task.stop, most_tokens(offset, longest(open.info))),
            open.info.adds_bos, request, longest(open.info));
    refuse_tokens_without_row(tokens, open.info.vocabulary, text.name);
    const auto count = static_cast<std::int64_t>(tokens.size());
    result.positions = last <= 0 ? count : std::min(last, count);
    result.vocabulary = open.info.vocabulary;
    guarded(open.backend.threads, [&] {
        // Taken at once: a vector that grows copies all it holds, at a gigabyte longer than a stop may wait.
        result.log_prob.reserve(static_cast<std::size_t>(result.positions * result.vocabulary));
        prefer_large_pages(result.log_prob.data(), result.log_prob.capacity() * sizeof(float));
        const at::Tensor hidden
            = dense_pass(*open.decoder, to_tensor(*open.decoder, ids_of(tokens)), {}, open.backend, task).hidden;
        const std::int64_t rows = std::clamp<std::int64_t>(cells_at_once / result.vocabulary, 1, 128);
        for (std::int64_t begin = count - result.positions; begin < count; begin += rows) {
            if (task.stop.stop_requested())
                throw Cancelled {};
            const at::Tensor logits = open.decoder->logits(hidden.slice(0, begin, begin + rows), task.stop);
            const std::vector<float> part = to_vector(logits - at::logsumexp(logits, { 1 }, true));
            result.log_prob.insert(result.log_prob.end(), part.begin(), part.end());
        }
    });
    result.tokens.assign(tokens.end() - result.positions, tokens.end());
    return result;
}

std::shared_ptr<Analysis> Engine::analyse(const AnalysisRequest& request, const Task& task)
{
    const OpenModel& open = impl_->model();
    auto analysis = std::make_shared<Analysis>();
    const std::int64_t wanted = request.context > 0 ? request.context : longest(open.info);
    analysis->tokens
        = passage(open.tokenizer->encode(request.text.bytes, true, task.stop, most_tokens(request.offset, wanted)),
            open.info.adds_bos, request, longest(open.info));
    refuse_tokens_without_row(analysis->tokens, open.info.vocabulary, request.text.name);
    analysis->layers = open.info.layers;
    analysis->heads = open.info.heads;
    analysis->kv_heads = open.info.kv_heads;
    analysis->windows = windows_of(open.decoder->config());
    analysis->context = static_cast<std::int64_t>(analysis->tokens.size());
    analysis->offset = request.offset;
    analysis->bos = open.info.adds_bos;
    const std::size_t first = analysis->bos && analysis->tokens.size() > 1 ? 1 : 0;
    const auto begin = static_cast<std::size_t>(analysis->tokens[first].byte_begin);
    analysis->text
        = request.text.bytes.substr(begin, static_cast<std::size_t>(analysis->tokens.back().byte_end) - begin);
    for (const PolicySpec& policy : request.policies)
        policy::refuse_long_context(policy, analysis->context);
    refuse_beyond_memory(open, analysis->context);
    guarded(open.backend.threads, [&] {
        const std::vector<std::int64_t> ids = ids_of(analysis->tokens);
        const auto start = std::chrono::steady_clock::now();
        if (request.keep_attention)
            analysis->no_attention = no_room_for_attention(open, analysis->context);
        policy::OwnScores own(request.policies, true);
        const std::int64_t last_queries
            = request.importance.last_queries() <= analysis->context ? request.importance.last_queries() : 0;
        const DensePassOptions options { .importance = true,
            .last_queries = last_queries,
            .cache = own.needs_replay(),
            .attention = request.keep_attention && analysis->no_attention.empty(),
            .look = own.look() };
        const at::Tensor text = to_tensor(*open.decoder, ids);
        const DensePass pass = dense_pass(*open.decoder, text, options, open.backend, task);
        own.replay({ *open.decoder, open.backend, pass, text, encoder_of(*open.tokenizer), task.stop });
        pass.hidden.slice(0, 0, 1).cpu(); // a GPU is done with it now
        analysis->seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        analysis->attention = pass.attention;
        analysis->bridges
            = analysis->no_attention.empty() ? bridge_source(pass.attention) : no_bridge_source(analysis->no_attention);
        analysis->importance = to_vector(pass.importance);
        analysis->row_lse = to_vector(pass.row_lse);
        if (last_queries > 0)
            analysis->by_last_queries[request.importance]
                = std::make_shared<const std::vector<float>>(to_vector(pass.last_importance));
        for (const auto& [name, scores] : own.take(at::kCPU))
            analysis->own_scores.emplace(name, to_vector(scores));
        analysis->no_scores = own.missing();
        analysis->largest_hidden = largest_magnitude(pass.hidden);
        analysis->perturbation = try_context(*open.decoder, open.backend, ids, task.stop);
        analysis->audit = audit(*analysis);
    });
    analysis->provenance = impl_->provenance(request.text, request.command, task);
    return analysis;
}

std::shared_ptr<const Run> Engine::sweep(const SweepRequest& request, const Task& task, const SweepFn& on_window)
{
    const OpenModel& open = impl_->model();
    if (request.positions == Positions::repacked && open.decoder->config().positions == PositionKind::learned)
        throw Error(ErrorKind::usage,
            "positions=repacked needs positions that can be turned, but " + open.info.model_type
                + " adds learned ones to the tokens, so that kept keys hold theirs for good.",
            "Use positions=original.");
    SweepModel model { *open.decoder, open.backend, impl_->provenance(request.text, request.command, task),
        open.tokenizer->encode(request.text.bytes, true, task.stop, most_tokens(request)), open.info.adds_bos,
        longest(open.info), {}, encoder_of(*open.tokenizer) };
    refuse_tokens_without_row(model.tokens, open.info.vocabulary, request.text.name);
    model.provenance.seed = request.seed;
    refuse_beyond_memory(open, std::clamp<std::int64_t>(request.context + request.target, 1, longest(open.info)),
        std::ranges::any_of(request.policies, [](const PolicySpec& policy) { return needs_attention(policy); }));
    std::shared_ptr<const Run> run;
    guarded(open.backend.threads, [&] { run = run_sweep(model, request, task, on_window); });
    return run;
}

MemoryNeed memory_need(const fs::path& given, const OpenOptions& options, std::int64_t context)
{
    const fs::path folder = model_folder(given);
    return memory_need(describe(folder, read_config(folder), open_weights(folder)), options, context);
}

ModelInfo describe_model(const fs::path& given)
{
    const fs::path folder = model_folder(given);
    const DecoderConfig config = read_config(folder);
    const WeightFiles weights = open_weights(folder);
    ModelInfo info = describe(folder, config, weights);
    const Tokenizer tokenizer = Tokenizer::load(folder / "tokenizer.json");
    info.tokens_known = tokenizer.vocabulary();
    info.adds_bos = tokenizer.bos().has_value();
    add_tokenizer_notes(info, tokenizer);
    return info;
}

} // namespace keepset
