#pragma once

#include "ui/panels/head_grid.h"

#include <vector>

namespace keepset::ui {

/// How alike two keep sets are in every layer and kv head: the less alike, the fuller its box.
class JaccardMap : public HeadGrid {
    Q_OBJECT

public:
    explicit JaccardMap(QWidget* parent = nullptr);
    /// Jaccard of every layer and kv head, (layers, kv_heads); empty: not known yet.
    void setValues(std::vector<double> values, std::int64_t kvHeads);
    /// The box that stands for what is looked at; a layer of -1: none, a kv head of -1: the whole layer.
    void setChosen(Scope chosen);
    QString words(Scope at) const override;

protected:
    Shape shape() const override;
    bool filled() const override { return !values_.empty(); }
    void paintBox(QPainter& painter, const QRectF& box, Scope at, const Theme& theme) const override;

private:
    double valueAt(Scope at) const { return values_[static_cast<std::size_t>(at.layer * kvHeads_ + at.kv_head)]; }

    std::vector<double> values_; ///< (layers, kv_heads)
    std::int64_t kvHeads_ = 0;
    Scope chosen_;
};

} // namespace keepset::ui
