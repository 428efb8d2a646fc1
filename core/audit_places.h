#pragma once

#include "core/audit.h"

#include <string>
#include <vector>

/// A results table from elsewhere as a chart shows it: its curves, and where its audit found something.
namespace keepset {

/// A method that evicts, as a line of a chart.
struct ImportedCurve {
    std::string method;
    std::vector<ImportedTable::Row> rows; ///< by ascending sparsity
};
/// Those of a table, in order of appearance.
std::vector<ImportedCurve> curves_of(const ImportedTable& table);
/// Perplexity of the table's row of dense, which evicts nothing; NaN where it has none.
double dense_perplexity(const ImportedTable& table);

/// A row of a table in which a check of its audit found something.
struct AuditPlace {
    std::string check;
    CheckStatus status = CheckStatus::fail; ///< fail or warning
    std::string method;
    double sparsity = 0;
    bool operator==(const AuditPlace&) const = default;
};
/// Where the checks that fail or warn found it: what a chart marks. Undecided checks have no place.
std::vector<AuditPlace> places_of(const ImportedTable& table);

} // namespace keepset
