#pragma once

#include "ui/panels/head_grid.h"

#include <memory>

namespace keepset::ui {

/// One token's label in every layer and kv head.
class LabelMap : public HeadGrid {
    Q_OBJECT

public:
    explicit LabelMap(QWidget* parent = nullptr);
    void setKeepSet(std::shared_ptr<const KeepSet> keepSet, std::int64_t token);
    QString words(Scope at) const override;

protected:
    Shape shape() const override;
    bool filled() const override { return keepSet_ && token_ >= 0 && token_ < keepSet_->context; }
    void paintBox(QPainter& painter, const QRectF& box, Scope at, const Theme& theme) const override;

private:
    Label labelAt(Scope at) const;

    std::shared_ptr<const KeepSet> keepSet_;
    std::int64_t token_ = -1;
};

} // namespace keepset::ui
