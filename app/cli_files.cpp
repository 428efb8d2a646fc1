#include "app/commands.h"

#include "core/flat_rows.h"
#include "core/policy_files.h"

#include <nlohmann/json.hpp>

#include <algorithm>
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

    /// What the policies of keep sets read, each file once.
    std::vector<HashedFile> files_of(const Analysis& analysis)
    {
        std::vector<HashedFile> files;
        for (const KeepSet& set : analysis.keep_sets) {
            if (set.file_sha256.empty())
                continue;
            const HashedFile file { keepset::files_of(set.request.policy).front(), set.file_sha256 };
            if (std::ranges::find(files, file) == files.end())
                files.push_back(file);
        }
        return files;
    }

    /// What policies read, and what it held.
    void print_files(const std::vector<HashedFile>& files)
    {
        for (const HashedFile& file : files)
            std::cout << "read from '" << file.path << "' (SHA-256 " << file.sha256 << ")\n";
    }

    void print_analysis(const Analysis& analysis)
    {
        std::cout << analysis.context << " tokens from " << analysis.offset << ", " << analysis.layers << " layers, "
                  << analysis.heads << " query heads, " << analysis.kv_heads << " kv heads\n\n";
        std::vector<std::vector<std::string>> rows { { "policy", "sparsity", "kept", "granularity", "importance",
            "kept mass" } };
        for (const KeepSet& set : analysis.keep_sets)
            rows.push_back({ set.policy, number(set.request.sparsity, 4), number(kept_a_row(set), 6),
                name_of(set.request.granularity), name_of(set.request.importance), number(set.kept_mass, 4) });
        if (rows.size() > 1)
            print_table(rows);
        std::cout << '\n';
        print_files(files_of(analysis));
        for (const std::string& note : notes_about(analysis))
            std::cout << note << '\n';
        print_audit(analysis.audit);
    }

    /// "4 x 2 x 128".
    std::string shape_text(const std::vector<std::int64_t>& shape)
    {
        std::string text;
        for (const std::int64_t extent : shape)
            text += (text.empty() ? "" : " x ") + std::to_string(extent);
        return text;
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

    /// "1 window", "3 windows".
    std::string count(std::int64_t number, const std::string& thing)
    {
        return std::to_string(number) + " " + thing + (number == 1 ? "" : "s");
    }

    void print_keep_file(const KeepSummary& found)
    {
        std::vector<std::vector<std::string>> arrays { { "array", "holds", "shape" } };
        for (const KeepArray& array : found.arrays)
            arrays.push_back({ array.name, array.holds.empty() ? "no numbers" : array.holds, shape_text(array.shape) });
        std::cout << "a file for the policy file(path=\u2026), " << found.container << ", SHA-256 " << found.sha256
                  << '\n';
        if (!found.model_name.empty() || !found.text_name.empty())
            std::cout << "made for " << found.model_name << (found.text_name.empty() ? "" : ", " + found.text_name)
                      << '\n';
        std::cout << '\n';
        print_table(arrays);
        if (found.layers > 0)
            std::cout << '\n'
                      << (found.keep_sets ? "keep sets for " : "scores for ") << count(found.windows, "window")
                      << " of " << count(found.context, "token") << ", " << count(found.layers, "layer") << ", "
                      << count(found.kv_heads, "kv head") << "; "
                      << (found.tokens ? "the tokens stand beside them"
                                       : "no tokens beside them, so that another text is not noticed")
                      << '\n';
        std::vector<std::vector<std::string>> layers { { "layer", "least", "mean", "most" } };
        for (const KeepLayer& layer : found.by_layer)
            layers.push_back(
                { std::to_string(layers.size() - 1), number(layer.least), number(layer.mean), number(layer.most) });
        if (layers.size() > 1) {
            std::cout << '\n' << (found.keep_sets ? "entries that a row keeps:" : "scores:") << '\n';
            print_table(layers);
        }
        std::cout << '\n' << (found.problem.empty() ? "nothing is wrong with it" : found.problem) << '\n';
    }

    /// Exit status 1 where the policy would refuse the file.
    int show_keep_file(const std::string& file, bool json)
    {
        const KeepSummary found = describe_keep_file(file);
        if (json)
            print_json(to_json(found));
        else
            print_keep_file(found);
        return found.problem.empty() ? 0 : 1;
    }

    int show(const std::string& file, std::string reference, bool json)
    {
        if (is_keep_file(file)) {
            if (!reference.empty())
                throw Error(ErrorKind::usage, "'" + file + "' is no run, and --reference is for runs.");
            return show_keep_file(file, json);
        }
        // All is read and checked before the first line is printed: what is wrong prints its error only.
        const FileSummary found = summary(file);
        if (found.kind == "run") {
            const auto run = load_run(file);
            if (!reference.empty()) {
                reference = canonical(parse_policy(reference));
                findings(*run, reference);
            }
            if (!json) {
                print_provenance(run->provenance);
                print_files(run->files);
            }
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
    command
        .add_option("FILE", options->file,
            "Trace, run or logits file (HDF5, whatever its name), or one of scores or keep sets for file(path=\u2026)")
        ->required();
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
