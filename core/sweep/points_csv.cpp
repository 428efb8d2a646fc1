#include "core/findings.h"
#include "core/metrics.h"
#include "core/words.h"

#include <cmath>

namespace keepset {

namespace {

    /// RFC 4180: quoted where a comma, a quote or a line break is inside, quotes doubled.
    std::string csv_field(const std::string& text)
    {
        if (text.find_first_of(",\"\r\n") == std::string::npos)
            return text;
        std::string quoted = "\"";
        for (const char c : text)
            quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
        return quoted + "\"";
    }

    std::string csv_number(double value) { return std::isnan(value) ? "nan" : shortest(value); }

} // namespace

std::string to_csv(const Run& run)
{
    std::string text = "policy,sparsity,budget,windows,scored_tokens,nll_sum,perplexity,ci_low,ci_high,kl,"
                       "top1_agreement,kept_mass,seconds,key_count";
    const std::vector<const Metric*> others = metrics_beside_points();
    std::vector<std::vector<Interval>> intervals; // (others, points)
    for (const Metric* const metric : others) {
        text += "," + metric->name + "," + metric->name + "_low," + metric->name + "_high";
        intervals.push_back(intervals_of(run, *metric));
    }
    text += "\n";
    const double key_count = key_tokens_of(run);
    for (std::size_t i = 0; i < run.points.size(); ++i) {
        const SweepPoint& p = run.points[i];
        text += csv_field(p.policy) + "," + csv_number(p.sparsity);
        for (const std::int64_t count : { p.budget, p.windows, p.scored_tokens })
            text += "," + std::to_string(count);
        for (const double value :
            { p.nll_sum, p.perplexity, p.ci_low, p.ci_high, p.kl, p.top1_agreement, p.kept_mass, p.seconds, key_count })
            text += "," + csv_number(value);
        for (const std::vector<Interval>& of_metric : intervals) {
            for (const double value : { of_metric[i].mean, of_metric[i].low, of_metric[i].high })
                text += "," + csv_number(value);
        }
        text += "\n";
    }
    return text;
}

} // namespace keepset
