#pragma once

#include "core/selection.h"

#include <QWidget>

#include <algorithm>
#include <memory>

namespace keepset::ui {

/// One token's label in every layer (across) and kv head (down), as small boxes. A click chooses that layer and head;
/// so do the arrows and Enter.
class LabelMap : public QWidget {
    Q_OBJECT

public:
    explicit LabelMap(QWidget* parent = nullptr);
    void setKeepSet(std::shared_ptr<const KeepSet> keepSet, std::int64_t token);
    bool hasHeightForWidth() const override { return true; }
    int heightForWidth(int width) const override;
    QSize sizeHint() const override { return { 200, heightForWidth(std::max(width(), 180)) }; }

Q_SIGNALS:
    void cellClicked(keepset::Scope scope);

protected:
    void paintEvent(QPaintEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void focusInEvent(QFocusEvent* event) override;
    bool event(QEvent* event) override;

private:
    struct Grid {
        int columns = 0; ///< layers in one band
        int bands = 0;
        double cellWidth = 0;
        double cellHeight = 0;
        double bandGap = 0;
    };
    Grid gridFor(int width) const;
    QRectF cell(const Grid& grid, std::int64_t layer, std::int64_t head) const;
    Scope cellAt(const QPointF& point) const;
    Label labelAt(std::int64_t layer, std::int64_t head) const;
    bool filled() const { return keepSet_ && token_ >= 0 && token_ < keepSet_->context; }
    QString words(Scope at) const;
    void moveCursor(Scope to);

    std::shared_ptr<const KeepSet> keepSet_;
    std::int64_t token_ = -1;
    Scope cursor_ { 0, 0 }; ///< of the keys
};

} // namespace keepset::ui
