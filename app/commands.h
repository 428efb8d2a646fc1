#pragma once

#include "app/console.h"

#include <functional>

/// One function a subcommand: it adds options to its CLI::App and returns what runs it and gives the exit status.
namespace keepset::cli {

inline constexpr const char* importance_help = "cumulative, mean-received, window:N (what the last N queries give) or "
                                               "last-query: by what h2o, cab and their like rank";

using Runner = std::function<int(Common& common, const StopOnSignal& stop)>;

Runner add_info(CLI::App& command, Common& common);
Runner add_tokenize(CLI::App& command, Common& common);
Runner add_logits(CLI::App& command, Common& common);
Runner add_analyze(CLI::App& command, Common& common);
Runner add_policies(CLI::App& command, Common& common);
Runner add_sweep(CLI::App& command, Common& common);
Runner add_merge(CLI::App& command, Common& common);
Runner add_show(CLI::App& command, Common& common);
Runner add_audit(CLI::App& command, Common& common);
Runner add_bench(CLI::App& command, Common& common);

} // namespace keepset::cli
