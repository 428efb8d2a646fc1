#pragma once

#include "core/selection.h"

#include <QObject>

#include <array>
#include <utility>
#include <vector>

namespace keepset::ui {

class RangeState;

/// What is looked at: one object that links all views. Everything is a choice of the user; results are not in here.
/// A setter that changes nothing emits nothing.
class SelectionState : public QObject {
    Q_OBJECT

public:
    explicit SelectionState(QObject* parent = nullptr);

    Scope scope() const { return scope_; }
    /// Chosen query head, one of the scope's kv head; -1: none in particular.
    std::int64_t head() const { return head_; }
    /// Chosen token, a position in the analysis; -1: none.
    std::int64_t token() const { return token_; }
    /// Policies compared, at most two; a side without one has an empty name.
    const PolicySpec& policyA() const { return policies_[0]; }
    const PolicySpec& policyB() const { return policies_[1]; }
    const PolicySpec& policy(int side) const { return policies_[static_cast<std::size_t>(side)]; }
    bool hasPolicy(int side) const { return !policy(side).name.empty(); }
    double sparsity() const { return sparsity_; } ///< in [0, 1)
    Granularity granularity() const { return granularity_; }
    const Importance& importance() const { return importance_; }
    GqaReduction gqa() const { return gqa_; }
    Sliding sliding() const { return sliding_; }
    /// Spans of the text shown that the user marked; apart and ascending.
    const std::vector<Pin>& pins() const { return pins_; }
    /// In which importance is shown, everywhere.
    RangeState* range() const { return range_; }
    /// The request for policy A (0) or B (1) under all of this.
    SelectRequest request(int side) const;

    void setScope(Scope scope);
    /// A query head of a layer and, by that, the kv head that it reads; `group` query heads read one.
    void setHead(std::int64_t layer, std::int64_t head, std::int64_t group);
    void setToken(std::int64_t position);
    /// Scope and token in one step that takeBack() undoes, as a click on a map chooses them.
    void choose(Scope scope, std::int64_t position);
    void takeBack();
    void setPolicies(const PolicySpec& a, const PolicySpec& b);
    /// A policy at a sparsity, as a sweep had it: it becomes B where it is neither A nor B.
    void lookAt(const PolicySpec& policy, double sparsity, Granularity granularity);
    void setSparsity(double sparsity);
    void setGranularity(Granularity granularity);
    void setImportance(const Importance& importance);
    void setGqa(GqaReduction gqa);
    void setSliding(Sliding sliding);
    void setPins(std::vector<Pin> pins);

Q_SIGNALS:
    void scopeChanged(keepset::Scope scope);
    void headChanged(qint64 head);
    void tokenChanged(qint64 position);
    void policiesChanged();
    void sparsityChanged(double sparsity);
    void granularityChanged(keepset::Granularity granularity);
    void importanceChanged(const keepset::Importance& importance);
    void gqaChanged(keepset::GqaReduction gqa);
    void slidingChanged(keepset::Sliding sliding);
    void pinsChanged();

private:
    RangeState* range_;
    Scope scope_;
    std::int64_t head_ = -1;
    std::int64_t token_ = -1;
    std::pair<Scope, std::int64_t> before_ { {}, -1 }; ///< the last choose()
    std::array<PolicySpec, 2> policies_ { PolicySpec { "h2o", {} }, PolicySpec { "cab", {} } };
    double sparsity_ = 0.8;
    Granularity granularity_ = Granularity::head;
    Importance importance_ = Importance::cumulative;
    GqaReduction gqa_ = GqaReduction::mean;
    Sliding sliding_ = Sliding::keep;
    std::vector<Pin> pins_;
};

} // namespace keepset::ui
