#include "app/commands.h"

#include "core/flat_rows.h"
#include "core/keep_file.h"
#include "core/policy_files.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <iostream>
#include <memory>

namespace keepset::cli {

namespace {

    struct AnalyzeOptions {
        std::string folder;
        std::string text;
        std::string out;
        std::string policies = "h2o,cab";
        std::string sparsity = "0.5,0.8,0.9";
        std::string granularity = "head";
        std::string importance = "cumulative";
        std::string gqa = "mean";
        std::string rounding = "floor";
        std::string sliding = "keep";
        std::string pins;
        std::int64_t context = 0;
        std::uint64_t seed = 0;
    };

    /// Known before the long work begins: a typing error must not cost minutes.
    std::vector<SelectRequest> requests_of(const AnalyzeOptions& options)
    {
        SelectRequest request;
        from_name(options.granularity, request.granularity);
        from_name(options.importance, request.importance);
        from_name(options.gqa, request.gqa);
        from_name(options.rounding, request.rounding);
        from_name(options.sliding, request.sliding);
        request.seed = options.seed;
        std::vector<SelectRequest> requests;
        for (const PolicySpec& policy : parse_policies(options.policies)) {
            for (const double sparsity : parse_sparsities(options.sparsity)) {
                request.policy = policy;
                request.sparsity = sparsity;
                requests.push_back(request);
                if (takes_keep_sets(policy)) // they are what they are, at every sparsity
                    break;
            }
        }
        return requests;
    }

    int run(const AnalyzeOptions& options, const Common& common, const StopOnSignal& stop)
    {
        std::vector<SelectRequest> requests = requests_of(options);
        const std::vector<PinnedSpan> pins = parse_pins(options.pins);
        refuse_output(options.out, common.force);
        const std::vector<PolicySpec> policies = parse_policies(options.policies);
        check_policy_files(policies);
        refuse_shared_files({ { "--out", options.out } }, inputs_of(options.text, policies), options.folder);
        check_positions(options.folder, options.context, 0);
        if (options.context > 0)
            refuse_long_window(requests.front().importance, options.context);
        AnalysisRequest request;
        request.text = read_text(options.text, stop.token());
        request.context = options.context;
        request.offset = common.offset;
        request.command = common.command;
        request.policies = policies;
        request.importance = requests.front().importance;
        request.keep_attention = std::ranges::any_of(
            requests, [](const SelectRequest& selection) { return needs_attention(selection.policy); });
        ProgressLine line(common.quiet);
        Engine engine;
        const ModelInfo info = engine.open_model(options.folder, common.open_options(), task_of(line, stop));
        line.clear();
        print_notes(info.notes, common.quiet);
        print_notes(engine.text_notes(request.text), common.quiet);
        const std::shared_ptr<Analysis> made = engine.analyse(request, task_of(line, stop));
        Analysis& analysis = *made; // large: not copied
        analysis.provenance.seed = options.seed;
        for (SelectRequest& selection : requests)
            selection.pins = pins_in(analysis.tokens, pins);
        add_keep_sets(analysis, select(analysis, std::span(requests), common.threads, task_of(line, stop)));
        save(analysis, options.out, common.force, task_of(line, stop));
        line.clear();
        print_notes(notes_about(analysis), common.quiet);
        if (common.json) {
            print_json(to_json(analysis));
        } else {
            std::vector<std::vector<std::string>> rows { { "policy", "sparsity", "kept", "kept mass" } };
            for (const KeepSet& set : analysis.keep_sets)
                rows.push_back({ set.policy, number(set.request.sparsity, 4),
                    number(kept_a_row(set), 6) + " of " + std::to_string(set.context), number(set.kept_mass, 4) });
            std::cout << analysis.context << " tokens, " << analysis.layers << " layers, " << analysis.heads
                      << " heads in " << seconds_text(analysis.seconds) << " on " << analysis.provenance.device
                      << "\n\n";
            print_table(rows);
            std::cout << "\nwritten to " << options.out << '\n';
        }
        return analysis.audit.failed() ? 1 : 0;
    }

} // namespace

Runner add_analyze(CLI::App& command, Common& common)
{
    const auto options = std::make_shared<AnalyzeOptions>();
    add_common(command, common, true);
    command.add_option("MODEL_DIR", options->folder, "Hugging Face model folder")->required();
    command.add_option("--text", options->text, "UTF-8 text file, - for standard input")->required();
    command.add_option("--out", options->out, "Trace file (HDF5)")->required();
    command.add_option("--context", options->context, "Tokens; 0: the whole text, up to what the model allows")
        ->check(at_least(0));
    command.add_option("--offset", common.offset, "Skip the first N tokens of the text")->check(at_least(0));
    command.add_option("--policies", options->policies, "Keep sets to store, such as h2o,cab(local=0.3)")
        ->capture_default_str();
    command.add_option("--sparsity", options->sparsity, "Shares, 0.5,0.9 or 0:0.9:0.1 (both ends included)")
        ->capture_default_str();
    command.add_option("--granularity", options->granularity, "head, layer or model")->capture_default_str();
    command.add_option("--importance", options->importance, importance_help)->capture_default_str();
    command.add_option("--gqa", options->gqa, "mean, max or sum over the query heads of a kv head")
        ->capture_default_str();
    command.add_option("--rounding", options->rounding, "floor or kvpress")->capture_default_str();
    command
        .add_option("--sliding", options->sliding,
            "keep or evict: whether layers whose own sliding window is shorter than the context keep all of it")
        ->capture_default_str();
    command.add_option("--pin", options->pins,
        "BEGIN-END,…: bytes of the text that every policy keeps; !BEGIN-END: that every policy drops");
    command.add_option("--seed", options->seed, "Of the random policy")->capture_default_str()->check(seed_number());
    command.add_flag("--force", common.force, "Overwrite the output file");
    return [options](Common& shared, const StopOnSignal& stop) { return run(*options, shared, stop); };
}

} // namespace keepset::cli
