#pragma once

#include "core/selection.h"

#include <QWidget>

#include <algorithm>

namespace keepset::ui {

struct Theme;

/// A small box for every layer (across) and kv head (down); what is in them is up to those that inherit. A click
/// chooses that layer and head; so do the arrows and Enter.
class HeadGrid : public QWidget {
    Q_OBJECT

public:
    explicit HeadGrid(QWidget* parent = nullptr);
    bool hasHeightForWidth() const override { return true; }
    int heightForWidth(int width) const override;
    QSize sizeHint() const override { return { 200, heightForWidth(std::max(width(), 180)) }; }
    QSize minimumSizeHint() const override { return { 100, 0 }; }
    /// What is said of a box.
    virtual QString words(Scope at) const = 0;

Q_SIGNALS:
    void cellClicked(keepset::Scope scope);

protected:
    struct Shape {
        std::int64_t layers = 0;
        std::int64_t kvHeads = 0;
    };
    /// Of the model; nothing is painted where there is none.
    virtual Shape shape() const = 0;
    virtual bool filled() const = 0;
    virtual void paintBox(QPainter& painter, const QRectF& box, Scope at, const Theme& theme) const = 0;
    /// What is in the boxes has changed.
    void refill();

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
    void moveCursor(Scope to);

    Scope cursor_ { 0, 0 }; ///< of the keys
};

} // namespace keepset::ui
