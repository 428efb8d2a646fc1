#include "core/audit/checks.h"

#include "core/policy/words.h"

#include <algorithm>

namespace keepset::audit_checks {

Outcome passed(std::string detail) { return { CheckStatus::pass, std::move(detail) }; }
Outcome failed(std::string detail) { return { CheckStatus::fail, std::move(detail) }; }
Outcome warned(std::string detail) { return { CheckStatus::warning, std::move(detail) }; }
Outcome not_applicable(std::string detail) { return { CheckStatus::not_applicable, std::move(detail) }; }

AuditReport report_of(const std::array<Outcome, names.size()>& outcomes)
{
    AuditReport report;
    for (std::size_t i = 0; i < names.size(); ++i)
        report.checks.push_back({ names.at(i), outcomes.at(i).status, outcomes.at(i).detail });
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
