#include "core/audit/checks.h"

#include "core/policies.h"
#include "core/words.h"

#include <algorithm>
#include <cmath>

namespace keepset::audit_checks {

Outcome passed(std::string detail) { return { CheckStatus::pass, std::move(detail) }; }
Outcome failed(std::string detail) { return { CheckStatus::fail, std::move(detail) }; }
Outcome warned(std::string detail) { return { CheckStatus::warning, std::move(detail) }; }
Outcome undecided(std::string detail) { return { CheckStatus::undecided, std::move(detail) }; }
Outcome not_applicable(std::string detail) { return { CheckStatus::not_applicable, std::move(detail) }; }

AuditReport report_of(const std::map<std::string, Outcome>& outcomes, const std::string& otherwise)
{
    AuditReport report;
    for (const char* const name : check_names) {
        const auto found = outcomes.find(name);
        const Outcome outcome = found == outcomes.end() ? not_applicable(otherwise) : found->second;
        report.checks.push_back({ name, outcome.status, outcome.detail });
    }
    return report;
}

std::string pair_at(const std::string& a, const std::string& b, const std::vector<double>& sparsities)
{
    std::vector<std::string> shares;
    shares.reserve(sparsities.size());
    for (const double sparsity : sparsities)
        shares.push_back(percent(sparsity));
    return title_of(a) + " and " + title_of(b) + " at " + listed(shares);
}

std::string overflow_words(double largest_hidden)
{
    if (std::abs(largest_hidden) < overflow_limit) // never true of NaN
        return {};
    return std::isfinite(largest_hidden)
        ? "hidden states reach " + significant(largest_hidden)
            + ", whose square is beyond float32: the model's weights or its dtype overflowed"
        : std::string("a hidden state is no finite number: the model or its dtype overflowed");
}

std::string sink_words(double mass) { return "Token 0 holds " + significant(100 * mass) + "% of the attention mass"; }

Outcome judge_perturbation(const Perturbation& found, const std::string& changed, const std::string& compared)
{
    if (std::isnan(found.before) || std::isnan(found.after))
        return not_applicable("Whether another " + changed + " changes a " + compared + " before it was not tried.");
    if (!(found.before <= mass_tolerance))
        return failed("Another " + changed + " changes a " + compared + " before it, by " + significant(found.before)
            + " of the largest: attention looks ahead, the mask is not causal.");
    if (!(found.after > 0))
        return failed("Another " + changed + " changes no " + compared + " at all: it is not read.");
    return passed("Another " + changed + " changes no " + compared + " before it.");
}

} // namespace keepset::audit_checks

namespace keepset {

namespace {
    bool has(const AuditReport& report, CheckStatus status)
    {
        return std::any_of(
            report.checks.begin(), report.checks.end(), [&](const Check& check) { return check.status == status; });
    }
} // namespace

bool AuditReport::failed() const { return has(*this, CheckStatus::fail); }
bool AuditReport::warned() const { return has(*this, CheckStatus::warning); }

} // namespace keepset
