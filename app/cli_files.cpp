#include "app/commands.h"

#include <nlohmann/json.hpp>

#include <filesystem>
#include <iostream>
#include <memory>

/// show, audit and merge: what files hold, without a model.
namespace keepset::cli {

namespace {

    struct MergeOptions {
        std::vector<std::string> runs;
        std::string out;
    };

    int merge(const MergeOptions& options, const Common& common)
    {
        std::vector<NamedFile> inputs;
        for (const std::string& run : options.runs)
            inputs.push_back({ "RUN", run });
        refuse_output(options.out, common.force);
        refuse_shared_files({ { "--out", options.out } }, inputs, {});
        const auto merged = merge_runs({ options.runs.begin(), options.runs.end() }, common.command);
        save(*merged, options.out, common.force);
        if (!merged->finished() && !common.quiet)
            std::cerr << "keepset-cli: note: " << merged->windows_done() << " of " << merged->windows
                      << " windows are there; sweep --resume does the others.\n";
        common.json ? print_json(to_json(*merged)) : print_run(*merged);
        return merged->audit.failed() ? 1 : 0;
    }

    struct FileOptions {
        std::string file;
        std::string reference;
    };

    void print_provenance(const Provenance& from)
    {
        print_table({ { "model", from.model_name }, { "text", from.text_name },
            { "made", from.created + " by " + from.generator }, { "on", from.device + ", " + from.dtype },
            { "command", from.command } });
        std::cout << '\n';
    }

    void print_analysis(const Analysis& analysis)
    {
        std::cout << analysis.context << " tokens from " << analysis.offset << ", " << analysis.layers << " layers, "
                  << analysis.heads << " query heads, " << analysis.kv_heads << " kv heads\n\n";
        std::vector<std::vector<std::string>> rows { { "policy", "sparsity", "kept", "granularity", "importance",
            "kept mass" } };
        for (const KeepSet& set : analysis.keep_sets)
            rows.push_back({ set.policy, number(set.request.sparsity, 4), std::to_string(set.budget),
                name_of(set.request.granularity), name_of(set.request.importance), number(set.kept_mass, 4) });
        if (rows.size() > 1)
            print_table(rows);
        std::cout << '\n';
        print_audit(analysis.audit);
    }

    int show_logits(const LogitsResult& logits, bool json)
    {
        if (json) {
            print_json(to_json(logits));
            return 0;
        }
        print_provenance(logits.provenance);
        std::cout << logits.positions << " positions, log-probabilities of " << logits.vocabulary
                  << " tokens behind each; token and the five most likely behind it:\n\n";
        print_logits(logits, false);
        return 0;
    }

    int show(const std::string& file, std::string reference, bool json)
    {
        // All is read and checked before the first line is printed: what is wrong prints its error only.
        const FileSummary found = summary(file);
        if (found.kind == "run") {
            const auto run = load_run(file);
            if (!reference.empty()) {
                reference = canonical(parse_policy(reference));
                findings(*run, reference);
            }
            if (!json)
                print_provenance(run->provenance);
            json ? print_json(to_json(*run, reference)) : print_run(*run, reference);
        } else {
            if (!reference.empty())
                throw Error(ErrorKind::usage, "'" + file + "' is a trace, and --reference is for runs.");
            if (holds_logits(file))
                return show_logits(*load_logits(file), json);
            const auto analysis = load_analysis(file);
            if (!json)
                print_provenance(analysis->provenance);
            json ? print_json(to_json(*analysis)) : print_analysis(*analysis);
        }
        return 0;
    }

    AuditReport audit_file(const std::string& file)
    {
        const std::string ending = std::filesystem::path(file).extension().string();
        if (!is_hdf5(file) && ending != ".h5" && ending != ".hdf5")
            return audit(import_table(file));
        if (summary(file).kind == "run")
            return audit(*load_run(file));
        return audit(*load_analysis(file));
    }

} // namespace

Runner add_merge(CLI::App& command, Common& common)
{
    const auto options = std::make_shared<MergeOptions>();
    add_common(command, common, false);
    command.add_option("RUN", options->runs, "Run files of one sweep over different windows")->required();
    command.add_option("--out", options->out, "Run file of all their windows (HDF5)")->required();
    command.add_flag("--force", common.force, "Overwrite the output file");
    return [options](Common& shared, const StopOnSignal&) { return merge(*options, shared); };
}

Runner add_show(CLI::App& command, Common& common)
{
    const auto options = std::make_shared<FileOptions>();
    add_common(command, common, false);
    command.add_option("FILE", options->file, "Trace, run or logits file (HDF5, whatever its name)")->required();
    command.add_option("--reference", options->reference,
        "Policy of a run that findings are told against (default: the first behind dense)");
    return
        [options](Common& shared, const StopOnSignal&) { return show(options->file, options->reference, shared.json); };
}

Runner add_audit(CLI::App& command, Common& common)
{
    const auto options = std::make_shared<FileOptions>();
    add_common(command, common, false);
    command
        .add_option("FILE", options->file,
            "Trace or run file (HDF5, whatever its name), or a CSV table with method, sparsity, perplexity")
        ->required();
    return [options](Common& shared, const StopOnSignal&) {
        const AuditReport report = audit_file(options->file);
        if (shared.json)
            print_json(to_json(report));
        else
            print_audit(report);
        return report.failed() ? 1 : 0;
    };
}

} // namespace keepset::cli
