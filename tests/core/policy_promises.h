#pragma once

#include "core/policy/policy.h"

#include <string>

/// What every policy of the table promises (SEMANTICS 3 and 4), asked of one policy over awkward rows. The functions
/// return the first broken promise as a sentence, or nothing: so that a test can iterate the table, and another can
/// show that a broken policy is found.
namespace keepset::test {

/// A row to select from.
struct AwkwardRow {
    std::string name;
    std::vector<float> scores; ///< (context), finite
};

/// One token; all equal; ascending; descending; two values; zeros of both signs; denormals; huge; an outlier; drawn.
std::vector<AwkwardRow> awkward_rows();

/// Name, title, description and parameters are filled in, and the manual (`page`, its text) has the policy and its
/// parameters.
std::string broken_words(const policy::Policy& policy, const std::string& page);
/// Parameters lie within their own limits, and every spelling comes back from its canonical one.
std::string broken_spelling(const policy::Policy& policy);
/// Every budget of every awkward row: exactly k positions, each with one of the policy's own labels, the same again.
std::string broken_budgets(const policy::Policy& policy);
/// s = 0 keeps everything, as dense does.
std::string broken_at_zero(const policy::Policy& policy);
/// A larger budget keeps what a smaller one does, where the policy says that it is `nested`.
std::string broken_nesting(const policy::Policy& policy);
/// Non-finite scores are refused, naming the position.
std::string broken_refusal(const policy::Policy& policy);
/// Every position of a row gets a sentence that ends as one, whatever its label.
std::string broken_explanation(const policy::Policy& policy);

/// All of the above.
std::string broken_promise(const policy::Policy& policy, const std::string& page);

} // namespace keepset::test
