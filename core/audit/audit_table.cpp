#include "core/audit/distinct.h"
#include "core/audit_places.h"
#include "core/words.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <set>
#include <utility>

namespace keepset {

namespace {

    using namespace audit_checks;
    using Row = ImportedTable::Row;

    /// What a check found, and in which rows.
    struct Found {
        Outcome outcome;
        std::vector<std::pair<std::string, double>> at {}; ///< method, sparsity
    };

    bool is_dense(const std::string& method)
    {
        std::string name = method;
        std::transform(name.begin(), name.end(), name.begin(),
            [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
        return name == "dense" || name == "full" || name == "baseline";
    }

    /// The table's methods without dense, in order of appearance.
    std::vector<std::string> methods_of(const ImportedTable& table)
    {
        std::vector<std::string> names;
        std::set<std::string> seen;
        for (const Row& row : table.rows) {
            if (!is_dense(row.method) && seen.insert(row.method).second)
                names.push_back(row.method);
        }
        return names;
    }

    /// Rows of a method by ascending sparsity.
    std::vector<Row> curve_of(const ImportedTable& table, const std::string& method)
    {
        std::vector<Row> curve;
        std::copy_if(table.rows.begin(), table.rows.end(), std::back_inserter(curve),
            [&](const Row& row) { return row.method == method; });
        std::sort(curve.begin(), curve.end(), [](const Row& a, const Row& b) { return a.sparsity < b.sparsity; });
        return curve;
    }

    /// One unit of the last decimal that any perplexity of the table was written with: what rounding may change.
    double resolution(const ImportedTable& table)
    {
        double unit = 1;
        for (const Row& row : table.rows) {
            const auto is_whole = [&](double u) {
                const double scaled = row.perplexity / u;
                return std::abs(scaled - std::round(scaled)) < 1e-9 * std::max(1.0, std::abs(scaled));
            };
            while (unit > 1e-12 && std::isfinite(row.perplexity) && !is_whole(unit))
                unit /= 10;
        }
        return unit;
    }

    std::vector<Row>::const_iterator dense_row(const ImportedTable& table)
    {
        return std::find_if(table.rows.begin(), table.rows.end(),
            [](const Row& row) { return is_dense(row.method) && row.sparsity == 0; });
    }

    Found check_baseline(const ImportedTable& table)
    {
        const auto dense = dense_row(table);
        if (dense == table.rows.end())
            return { not_applicable("The table has no row of dense at sparsity 0 to compare with.") };
        const double tolerance = std::max(resolution(table), baseline_tolerance * std::abs(dense->perplexity));
        std::int64_t compared = 0;
        std::vector<std::string> wrong;
        Found found;
        for (const Row& row : table.rows) {
            if (is_dense(row.method) || row.sparsity != 0)
                continue;
            ++compared;
            if (std::abs(row.perplexity - dense->perplexity) <= tolerance * (1 + 1e-9))
                continue;
            wrong.push_back(title_of(row.method) + " (" + significant(row.perplexity, 6) + ")");
            found.at.emplace_back(row.method, row.sparsity);
        }
        if (compared == 0)
            return { not_applicable("The table has no method at sparsity 0, where it must equal dense.") };
        found.outcome = wrong.empty()
            ? passed("At sparsity 0 every method equals dense within the rounding of the table.")
            : failed("With nothing evicted " + listed(wrong) + (wrong.size() == 1 ? " differs" : " differ")
                + " from dense (" + significant(dense->perplexity, 6)
                + "): the attention differs, not only what is kept, so the whole curve measures that difference and "
                  "not the eviction.");
        return found;
    }

    /// Whether two rows keep the same entries by definition: where their policies are spelled as Keepset does and both
    /// say that they keep one budget, over a context that budget and sparsity give.
    bool same_by_definition(const Row& a, const Row& b)
    {
        constexpr double longest = 1 << 17; // tokens that are looked at
        const double budget = static_cast<double>(a.budget);
        // A difference of definitions shows in a context of four budgets as in a longer one.
        const double context = std::min(std::round(budget / (1 - a.sparsity)), 4 * budget + 64);
        if (a.budget < 1 || a.budget != b.budget || !(context <= longest))
            return false;
        SelectRequest request;
        request.budget = a.budget;
        return audit_checks::same_by_definition(a.method, b.method, request, static_cast<std::int64_t>(context));
    }

    /// Sparsities above 0 that two methods share.
    struct Shared {
        std::size_t compared = 0; ///< where their definitions differ
        std::vector<double> equal; ///< of these, where their perplexities are equal
    };

    Shared compare_curves(const std::vector<Row>& a, const std::vector<Row>& b)
    {
        Shared shared;
        auto other = b.begin();
        for (const Row& row : a) { // both ascend by sparsity
            while (other != b.end() && other->sparsity < row.sparsity - 1e-12)
                ++other;
            if (!(row.sparsity > 0) || other == b.end() || other->sparsity > row.sparsity + 1e-12)
                continue;
            const bool equal = row.perplexity == other->perplexity && std::isfinite(row.perplexity);
            if (equal && same_by_definition(row, *other))
                continue;
            ++shared.compared;
            if (equal)
                shared.equal.push_back(row.sparsity);
        }
        return shared;
    }

    /// Equal perplexities of two methods, in words and by row.
    struct Equal {
        std::vector<std::string> pairs;
        std::vector<std::pair<std::string, double>> at;

        void add(const std::string& a, const std::string& b, const std::vector<double>& sparsities)
        {
            pairs.push_back(pair_at(a, b, sparsities));
            for (const double sparsity : sparsities) {
                at.emplace_back(a, sparsity);
                at.emplace_back(b, sparsity);
            }
        }
    };

    Found judge_equal(const Equal& everywhere, const Equal& somewhere)
    {
        const std::string some = somewhere.pairs.empty() ? ""
                                                         : "Equal perplexities: " + listed(somewhere.pairs)
                + ". Rounding can do that, or a policy that was not applied.";
        if (!everywhere.pairs.empty())
            return { failed("Identical curves: " + listed(everywhere.pairs)
                         + ". Policies that keep different tokens cannot agree at every sparsity: the policy was never "
                           "applied."
                         + (some.empty() ? "" : " " + some)),
                everywhere.at };
        if (!some.empty())
            return { warned(some), somewhere.at };
        return { passed("No two methods whose definitions differ have equal perplexities at a sparsity above 0.") };
    }

    Found check_distinct(const ImportedTable& table)
    {
        const std::vector<std::string> names = methods_of(table);
        Equal everywhere;
        Equal somewhere;
        std::size_t compared = 0;
        for (std::size_t i = 0; i < names.size(); ++i) {
            for (std::size_t j = i + 1; j < names.size(); ++j) {
                const auto [shared, equal] = compare_curves(curve_of(table, names[i]), curve_of(table, names[j]));
                compared += shared;
                const bool all = shared >= 2 && equal.size() == shared;
                if (!equal.empty())
                    (all ? everywhere : somewhere).add(names[i], names[j], equal);
            }
        }
        if (compared == 0)
            return { not_applicable("No two methods whose definitions differ share a sparsity above 0.") };
        return judge_equal(everywhere, somewhere);
    }

    /// Whether a row's perplexity is below that of the one before by more than rounding.
    bool falls(const Row& row, const Row& before, double unit)
    {
        return row.perplexity < before.perplexity - unit * (1 + 1e-9);
    }

    Found check_monotone(const ImportedTable& table)
    {
        const double unit = resolution(table);
        bool compared = false;
        bool all_fall = true; // from the lowest sparsity to the highest
        std::vector<std::string> found;
        std::vector<std::pair<std::string, double>> at;
        for (const auto& [method, rows] : curves_of(table)) {
            if (rows.size() < 2)
                continue;
            compared = true;
            all_fall = all_fall && falls(rows.back(), rows.front(), unit);
            for (std::size_t i = 1; i < rows.size(); ++i) {
                if (!falls(rows[i], rows[i - 1], unit))
                    continue;
                found.push_back(
                    title_of(method) + " from " + percent(rows[i - 1].sparsity) + " to " + percent(rows[i].sparsity));
                at.emplace_back(method, rows[i].sparsity);
            }
        }
        if (!compared)
            return { not_applicable("No method has two sparsities to compare.") };
        if (found.empty())
            return { passed("Perplexity nowhere falls as sparsity grows.") };
        return { warned(all_fall
                         ? "Every curve falls as sparsity grows. Is the column the share that is KEPT? Sparsity is the "
                           "share evicted: write 1 minus it. Perplexity falls: "
                             + listed(found) + "."
                         : "Perplexity falls though more is evicted: " + listed(found)
                             + ". The table gives no uncertainty, so this may be chance or a mistake."),
            at };
    }

    Outcome check_finite(const ImportedTable& table)
    {
        constexpr std::size_t shown = 3;
        std::vector<std::string> wrong;
        std::int64_t others = 0;
        for (const Row& row : table.rows) {
            if (std::isfinite(row.perplexity))
                continue;
            if (wrong.size() < shown)
                wrong.push_back(title_of(row.method) + " at " + percent(row.sparsity));
            else
                ++others;
        }
        if (wrong.empty())
            return passed("Every value is a finite number.");
        if (others > 0)
            wrong.push_back(counted(others, "more row"));
        return failed((wrong.size() == 1 ? "The perplexity of " : "The perplexities of ") + listed(wrong)
            + (wrong.size() == 1 ? " is no finite number" : " are no finite numbers")
            + ": the model or its dtype overflowed.");
    }

} // namespace

std::vector<ImportedCurve> curves_of(const ImportedTable& table)
{
    std::vector<ImportedCurve> curves;
    for (const std::string& method : methods_of(table))
        curves.push_back({ method, curve_of(table, method) });
    return curves;
}

double dense_perplexity(const ImportedTable& table)
{
    const auto dense = dense_row(table);
    return dense == table.rows.end() ? not_a_number : dense->perplexity;
}

std::vector<AuditPlace> places_of(const ImportedTable& table)
{
    std::vector<AuditPlace> places;
    if (check_finite(table).status != CheckStatus::pass)
        return places;
    const std::vector<std::pair<std::string, Found>> all { { "baseline", check_baseline(table) },
        { "distinct", check_distinct(table) }, { "monotone", check_monotone(table) } };
    for (const auto& [check, found] : all) {
        for (const auto& [method, sparsity] : found.at)
            places.push_back({ check, found.outcome.status, method, sparsity });
    }
    return places;
}

AuditReport audit(const ImportedTable& table)
{
    const Outcome finite = check_finite(table);
    const auto only_if_finite = [&](const Outcome& outcome) {
        return finite.status == CheckStatus::pass || outcome.status == CheckStatus::not_applicable
            ? outcome
            : undecided("This cannot be told, because a perplexity is not finite (see finite).");
    };
    return report_of({ { "finite", finite }, { "baseline", only_if_finite(check_baseline(table).outcome) },
                         { "distinct", only_if_finite(check_distinct(table).outcome) },
                         { "monotone", only_if_finite(check_monotone(table).outcome) } },
        "A table of perplexities does not tell; run the sweep here to check it.");
}

} // namespace keepset
