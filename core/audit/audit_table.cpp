#include "core/audit.h"
#include "core/audit/distinct.h"
#include "core/words.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <set>

namespace keepset {

namespace {

    using namespace audit_checks;
    using Row = ImportedTable::Row;

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

    Outcome check_baseline(const ImportedTable& table)
    {
        const auto dense = std::find_if(table.rows.begin(), table.rows.end(),
            [](const Row& row) { return is_dense(row.method) && row.sparsity == 0; });
        if (dense == table.rows.end())
            return not_applicable("The table has no row of dense at sparsity 0 to compare with.");
        const double tolerance = std::max(resolution(table), baseline_tolerance * std::abs(dense->perplexity));
        std::int64_t compared = 0;
        std::vector<std::string> wrong;
        for (const Row& row : table.rows) {
            if (is_dense(row.method) || row.sparsity != 0)
                continue;
            ++compared;
            if (!(std::abs(row.perplexity - dense->perplexity) <= tolerance * (1 + 1e-9)))
                wrong.push_back(title_of(row.method) + " (" + significant(row.perplexity, 6) + ")");
        }
        if (compared == 0)
            return not_applicable("The table has no method at sparsity 0, where it must equal dense.");
        if (!wrong.empty())
            return failed("With nothing evicted " + listed(wrong) + (wrong.size() == 1 ? " differs" : " differ")
                + " from dense (" + significant(dense->perplexity, 6)
                + "): the attention differs, not only what is kept, so the whole curve measures that difference and "
                  "not the eviction.");
        return passed("At sparsity 0 every method equals dense within the rounding of the table.");
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

    Outcome check_distinct(const ImportedTable& table)
    {
        const std::vector<std::string> names = methods_of(table);
        std::vector<std::string> everywhere;
        std::vector<std::string> somewhere;
        std::size_t compared = 0;
        for (std::size_t i = 0; i < names.size(); ++i) {
            for (std::size_t j = i + 1; j < names.size(); ++j) {
                const auto [shared, equal] = compare_curves(curve_of(table, names[i]), curve_of(table, names[j]));
                compared += shared;
                const bool all = shared >= 2 && equal.size() == shared;
                if (!equal.empty())
                    (all ? everywhere : somewhere).push_back(pair_at(names[i], names[j], equal));
            }
        }
        if (compared == 0)
            return not_applicable("No two methods whose definitions differ share a sparsity above 0.");
        const std::string some = somewhere.empty()
            ? ""
            : "Equal perplexities: " + listed(somewhere) + ". Rounding can do that, or a policy that was not applied.";
        if (!everywhere.empty())
            return failed("Identical curves: " + listed(everywhere)
                + ". Policies that keep different tokens cannot agree at every sparsity: the policy was never applied."
                + (some.empty() ? "" : " " + some));
        return some.empty()
            ? passed("No two methods whose definitions differ have equal perplexities at a sparsity above 0.")
            : warned(some);
    }

    /// Where a method's perplexity falls from one sparsity to the next by more than rounding.
    std::vector<std::string> falls_of(const std::string& method, const std::vector<Row>& curve, double unit)
    {
        std::vector<std::string> falls;
        for (std::size_t i = 1; i < curve.size(); ++i) {
            if (curve[i].perplexity < curve[i - 1].perplexity - unit * (1 + 1e-9))
                falls.push_back(
                    title_of(method) + " from " + percent(curve[i - 1].sparsity) + " to " + percent(curve[i].sparsity));
        }
        return falls;
    }

    Outcome check_monotone(const ImportedTable& table)
    {
        const double unit = resolution(table);
        bool compared = false;
        bool all_fall = true; // from the lowest sparsity to the highest
        std::vector<std::string> falls;
        for (const std::string& method : methods_of(table)) {
            const std::vector<Row> curve = curve_of(table, method);
            if (curve.size() < 2)
                continue;
            compared = true;
            all_fall = all_fall && curve.back().perplexity < curve.front().perplexity - unit * (1 + 1e-9);
            for (const std::string& fall : falls_of(method, curve, unit))
                falls.push_back(fall);
        }
        if (!compared)
            return not_applicable("No method has two sparsities to compare.");
        if (!falls.empty() && all_fall)
            return warned("Every curve falls as sparsity grows. Is the column the share that is KEPT? Sparsity is the "
                          "share evicted: write 1 minus it. Perplexity falls: "
                + listed(falls) + ".");
        if (!falls.empty())
            return warned("Perplexity falls though more is evicted: " + listed(falls)
                + ". The table gives no uncertainty, so this may be chance or a mistake.");
        return passed("Perplexity nowhere falls as sparsity grows.");
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

AuditReport audit(const ImportedTable& table)
{
    const Outcome finite = check_finite(table);
    const auto only_if_finite = [&](const Outcome& outcome) {
        return finite.status == CheckStatus::pass || outcome.status == CheckStatus::not_applicable
            ? outcome
            : undecided("This cannot be told, because a perplexity is not finite (see finite).");
    };
    return report_of({ { "finite", finite }, { "baseline", only_if_finite(check_baseline(table)) },
                         { "distinct", only_if_finite(check_distinct(table)) },
                         { "monotone", only_if_finite(check_monotone(table)) } },
        "A table of perplexities does not tell; run the sweep here to check it.");
}

} // namespace keepset
