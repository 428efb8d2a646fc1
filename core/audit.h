#pragma once

#include "core/analysis.h"
#include "core/run.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace keepset {

/// A results table from elsewhere: method, sparsity (share), perplexity.
struct ImportedTable {
    std::string name;
    struct Row {
        std::string method;
        double sparsity = 0;
        double perplexity = 0;
        std::int64_t budget = 0; ///< entries kept; 0: the table does not say
    };
    std::vector<Row> rows;
};

/// SEMANTICS 8 on a result or on a table from elsewhere. A file of an earlier version may lack what a check needs,
/// which the check then says.
AuditReport audit(const Analysis& analysis);
AuditReport audit(const Run& run);
AuditReport audit(const ImportedTable& table);
/// Reads a CSV with columns method (or policy), sparsity, perplexity (INTERFACES 1). Throws Error{input} with the line.
ImportedTable import_table(const std::filesystem::path& file);

} // namespace keepset
