#pragma once

#include "core/error.h"
#include "core/result_files.h"
#include "core/trace/h5.h"

#include <filesystem>
#include <string>

/// The HDF5 schema, format version 1.0 (INTERFACES 2), and what its readers and writers share.
///
/// Every dataset has the attributes `units` and `description`; every dataset with dimensions has `axes` (their names,
/// comma-separated) and for each of them the dimension scale /axes/<name> attached. Text is UTF-8 of fixed length,
/// padded with zeros; booleans are enums FALSE, TRUE over int8, as h5py writes them.
///
/// Root attributes: keepset_format ("trace" or "run"), format_version, created, generator, model_name,
/// model_architecture, model_sha256, tokenizer_sha256, text_name, text_sha256, device, dtype, command (text), seed
/// (uint64). model_sha256 has room for its 64 digits from the start and is empty until the weights are hashed.
///
/// A trace (chunked by layer, shuffle + deflate):
///     /axes/position [C] /axes/layer [L] /axes/head [H] /axes/kv_head [G] /axes/check /axes/vocabulary   int64 indices
///     /tokens/id [C] int32, /tokens/text [C] text, /tokens/byte_begin [C] int64, /tokens/byte_end [C] int64
///     /tokens/source              scalar text, attributes bytes, byte_begin (both int64): the piece of the user's text
///                                 that the tokens cover, so that a trace can be shown without the text file
///     /importance                 attributes layers, heads, kv_heads, context, offset (int64), bos (boolean),
///                                 seconds (double)
///     /importance/cumulative [L, H, C] float32
///     /importance/window:<w>, /importance/last-query [L, H, C] float32   those that the trace was made with, often
///     none /attention/lse [L, H, C] float32 /keep/<n>                   attributes policy (canonical spelling),
///     policy_asked (as asked for), sparsity (double),
///                                 budget (int64: entries kept in a row), budget_asked (int64: 0 where sparsity was
///                                 asked for), granularity, importance, gqa, rounding, sliding (text; absent in
///                                 earlier versions: evict), seed (uint64), window, context, offset (int64), bos
///                                 (boolean), kept_mass (double); where there is such a thing file_sha256 (text: of
///                                 the file that the policy reads), flat_rows (int64: core/flat_rows.h)
///     /scores/<n> [L, G, C] float32   what policies rank by, n = 0, 1, …; attribute source: "importance" (with the
///                                 attributes importance and gqa), or the policy whose own score it is
///     /keep/<n>/label [L, G, C]   enum over uint8: evicted 0, kept 1, local 2, important 3, bridge 4, sink 5, pinned 6
///     /keep/<n>/budgets [L, G] int64  entries that each row keeps; absent where all keep as many
///     /logits/log_prob [N, V] float32 and /tokens/* [N]     instead of the above, from `logits --out`
///     /audit                      table: check, status, detail
///
/// A run (core/trace/run_file.h says how it is written). Its arrays are contiguous, allocated and filled when the file
/// is made: writing a window then moves no metadata and needs no new space, so a full disk is met at the start of a
/// sweep and not after hours, and no instant of a kill can tear the file's structure.
///     /axes/point [P] /axes/window [W] /axes/target [T-1] /axes/check
///     /sweep                      attributes protocol, granularity, importance, gqa, positions, rounding, sliding
///     (text),
///                                 evicting_layers (int64; those that `sliding` lets evict; absent in earlier versions,
///                                 as sliding: all layers evicted), context, target, offset, windows, layers, kv_heads,
///                                 vocabulary (int64), bos (boolean),
///                                 unigram_perplexity (double), pins (text: BEGIN-END bytes of the text that stay,
///                                 !BEGIN-END that go; absent where there are none)
///     /sweep/points [P]           table: policy, sparsity, budget, windows, scored_tokens, nll_sum, perplexity,
///     ci_low,
///                                 ci_high, kl, top1_agreement, kept_mass, seconds
///     /sweep/points_before [P]    the same as of the window before: what counts where a kill tore /sweep/points
///     /sweep/files [F]            table: path, sha256 of what policies read from files; absent where they read none
///     /sweep/window_nll [P, W] float64, /sweep/keep_hash [P, W] uint64, /sweep/kept_entries [P, W] int64,
///     /sweep/definition_hash [P, W] uint64 (where known), /sweep/window/done [W] uint8,
///     /sweep/target_hash [P, W] uint64, /sweep/mass_error [W] float64, /sweep/last_key_importance [W] float64
///     /sweep/window/<metric> [P, W] float64: run_arrays.cpp lists them, with their units and descriptions
///     /sweep/token_nll [P, W, T-1] float32, /sweep/short_nll [W, T-1] float32     optional
///     /audit                      table of a fixed number of rows; rows with an empty check are not filled yet
/// /sweep/window/done says which windows are done, `windows` of /sweep/points how many of them count: a window is
/// flagged just before the table covers it. A file without the flags did its windows in ascending order.
namespace keepset::trace {

inline constexpr const char* format_version = "1.1";

/// Writes the root attributes.
void write_root(hid_t file, const std::string& kind, const Provenance& provenance);
/// Reads the root attributes. Throws Failure where this is no file of Keepset's or of a major version not known here.
FileSummary read_root(hid_t file);
/// Throws Failure unless the file is of this kind.
void expect_kind(const FileSummary& found, const std::string& kind);

/// Makes /audit with room for `rows` checks whose detail takes up to `detail_bytes`; /axes exists.
void create_audit(hid_t file, std::size_t rows, std::size_t detail_bytes);
/// Fills /audit; checks beyond its rows are a broken promise of ours (Error{internal}).
void write_audit(hid_t file, const AuditReport& report);
AuditReport read_audit(hid_t file);

/// Runs `action` with HDF5's own printing off; a Failure or an unknown name in the file becomes Error{input} with the
/// file's name in front: "Cannot read 'x.h5': it is not an HDF5 file."
template <typename Action> auto reading(const std::filesystem::path& file, const Action& action)
{
    const h5::Quiet quiet;
    try {
        return action();
    } catch (const h5::Failure& failure) {
        throw Error(ErrorKind::input, "Cannot read '" + file.string() + "': " + failure.what() + ".");
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::usage)
            throw;
        throw Error(ErrorKind::input, "Cannot read '" + file.string() + "': " + error.what());
    }
}

/// The same for writing.
template <typename Action> auto writing(const std::filesystem::path& file, const Action& action)
{
    const h5::Quiet quiet;
    try {
        return action();
    } catch (const h5::Failure& failure) {
        throw Error(ErrorKind::input, "Cannot write '" + file.string() + "': " + failure.what() + ".");
    }
}

} // namespace keepset::trace
