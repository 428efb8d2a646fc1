#include "app/commands.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <iostream>
#include <memory>

/// info, tokenize, logits: what a model folder is and says.
namespace keepset::cli {

namespace {

    struct TextOptions {
        std::string folder;
        std::string text;
        std::int64_t last = 1;
        std::int64_t context = 0;
        std::string out;
    };

    /// Whether the model has a row for each of the tokens; analyze, sweep and logits refuse a text where it has not.
    void print_note_on_rows(const std::string& folder, const std::vector<Token>& tokens)
    {
        try {
            const std::int64_t rows = describe_model(folder).vocabulary;
            const auto found = std::ranges::find_if(tokens, [&](const Token& token) { return token.id >= rows; });
            if (found != tokens.end())
                std::cerr << "note: the token '" << found->text << "' (id " << found->id
                          << ") has no row in the model's embedding, which has " << rows << ".\n";
        } catch (const Error&) { // a tokenizer without its model can be tried all the same
        }
    }

    void print_tokens(const std::vector<Token>& tokens, std::size_t skip, bool json, const std::stop_token& stop)
    {
        for (std::size_t index = skip; index < tokens.size(); ++index) {
            constexpr std::size_t between_looks = 1024;
            if (index % between_looks == 0 && stop.stop_requested())
                throw Cancelled {};
            const Token& token = tokens[index];
            const nlohmann::json line = to_json(token, index);
            if (json)
                std::cout << line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << '\n';
            else
                std::cout << index << '\t' << token.id << '\t' << token.byte_begin << '-' << token.byte_end << '\t'
                          << line["text"].dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << '\n';
        }
    }

    std::string of_sliding_layers(const ModelInfo& info)
    {
        return std::to_string(info.window) + " tokens in " + std::to_string(info.sliding_layers) + " of "
            + std::to_string(info.layers) + " layers";
    }

    void print_info(const ModelInfo& info, const MemoryNeed& need)
    {
        std::vector<std::vector<std::string>> rows { { "model", info.name }, { "architecture", info.architecture },
            { "layers", std::to_string(info.layers) }, { "query heads", std::to_string(info.heads) },
            { "kv heads", std::to_string(info.kv_heads) }, { "head_dim", std::to_string(info.head_dim) },
            { "hidden size", std::to_string(info.hidden_size) }, { "positions", info.positions },
            { "context", std::to_string(info.max_context) + (info.endless ? " tokens, and longer" : " tokens") } };
        if (info.sliding_layers > 0)
            rows.push_back({ "window", of_sliding_layers(info) });
        if (info.experts > 0)
            rows.push_back({ "experts",
                std::to_string(info.experts_per_token) + " of " + std::to_string(info.experts) + " for each token" });
        rows.insert(rows.end(),
            { { "vocabulary", std::to_string(info.vocabulary) }, { "dtype", info.checkpoint_dtype },
                { "parameters", std::to_string(info.parameters) }, { "weights", std::to_string(info.bytes) + " bytes" },
                { "BOS in front", info.adds_bos ? "yes" : "no" }, { "memory", sentence(need) } });
        for (const std::string& note : info.notes)
            rows.push_back({ "note", note });
        print_table(rows);
    }

} // namespace

Runner add_info(CLI::App& command, Common& common)
{
    const auto options = std::make_shared<TextOptions>();
    add_common(command, common, true);
    command.add_option("MODEL_DIR", options->folder, "Hugging Face model folder")->required();
    command.add_option("--context", options->context, "Tokens that the memory is told for; 0: all the model allows")
        ->check(at_least(0));
    return [options](Common& shared, const StopOnSignal&) {
        const ModelInfo info = describe_model(options->folder);
        const MemoryNeed need = memory_need(info, shared.open_options(), options->context);
        if (shared.json) {
            nlohmann::json all = to_json(info);
            all["memory"] = to_json(need);
            print_json(all);
        } else
            print_info(info, need);
        return 0;
    };
}

Runner add_tokenize(CLI::App& command, Common& common)
{
    const auto options = std::make_shared<TextOptions>();
    add_common(command, common, false);
    command.add_option("MODEL_DIR", options->folder, "Hugging Face model folder")->required();
    command.add_option("--text", options->text, "UTF-8 text file, - for standard input")->required();
    command.add_option("--offset", common.offset, "Skip the first N tokens of the text")->check(at_least(0));
    return [options](Common& shared, const StopOnSignal& stop) {
        const Text text = read_text(options->text, stop.token());
        const auto [tokens, notes] = tokenize(options->folder, text, { stop.token(), {} });
        print_notes(notes, shared.quiet);
        if (shared.offset > 0 && static_cast<std::size_t>(shared.offset) >= tokens.size())
            throw Error(ErrorKind::input,
                "'" + text.name + "' has " + std::to_string(tokens.size()) + " tokens, none of them behind the offset "
                    + std::to_string(shared.offset) + ".");
        print_tokens(tokens, static_cast<std::size_t>(shared.offset), shared.json, stop.token());
        print_note_on_rows(options->folder, tokens);
        return 0;
    };
}

Runner add_logits(CLI::App& command, Common& common)
{
    const auto options = std::make_shared<TextOptions>();
    add_common(command, common, true);
    command.add_option("MODEL_DIR", options->folder, "Hugging Face model folder")->required();
    command.add_option("--text", options->text, "UTF-8 text file, - for standard input")->required();
    command.add_option("--offset", common.offset, "Skip the first N tokens of the text")->check(at_least(0));
    command.add_option("--last", options->last, "Positions from the end; 0: all")
        ->capture_default_str()
        ->check(at_least(0));
    command.add_option("--out", options->out, "HDF5 file for all log-probabilities");
    command.add_flag("--force", common.force, "Overwrite the output file");
    return [options](Common& shared, const StopOnSignal& stop) {
        if (!options->out.empty()) {
            refuse_output(options->out, shared.force);
            refuse_shared_files({ { "--out", options->out } }, { { "--text", options->text } }, options->folder);
        }
        const Text text = read_text(options->text, stop.token());
        ProgressLine line(shared.quiet);
        Engine engine;
        const ModelInfo info = engine.open_model(options->folder, shared.open_options(), task_of(line, stop));
        line.clear();
        print_notes(info.notes, shared.quiet);
        print_notes(engine.text_notes(text), shared.quiet);
        LogitsResult result = engine.logits(text, options->last, shared.offset, task_of(line, stop));
        result.provenance.command = shared.command;
        if (!options->out.empty())
            save(result, options->out, shared.force, task_of(line, stop));
        line.clear();
        if (options->out.empty())
            print_logits(result, shared.json);
        return 0;
    };
}

} // namespace keepset::cli
