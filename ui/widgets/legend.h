#pragma once

#include "core/selection.h"
#include "ui/token_state.h"

#include <QWidget>

#include <array>
#include <optional>

namespace keepset::ui {

/// Labels of one keep set with counts and shares of the budget, what was evicted, and the attention mass kept. Wraps.
class Legend : public QWidget {
    Q_OBJECT

public:
    explicit Legend(QWidget* parent = nullptr);
    void setSelection(const std::optional<RowSelection>& selection);
    /// How many tokens only a keeps, only b, both and neither; a and b are titles.
    void setDifference(const std::vector<Membership>& difference, const QString& a, const QString& b);
    /// The colours of bars of these keep sets: their labels, without numbers. nullptr: there is none.
    void setBars(const std::array<const RowSelection*, 2>& selections);
    /// A legend of the same width that this one is never lower than, so that what stands below both is in line.
    void setTwin(Legend* twin) { twin_ = twin; }
    bool hasHeightForWidth() const override { return true; }
    int heightForWidth(int width) const override;
    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    enum class Swatch { none, token, bar }; ///< as tokens are drawn, or as bars are filled
    struct Item {
        TokenState state = Label::kept;
        Swatch swatch = Swatch::none;
        QString text;
        QString strong; ///< behind the text, in ink
    };
    void setItems(std::vector<Item> items);
    void drawSwatchOf(const Item& item, const QRectF& swatch, QPainter& painter) const;
    /// Walks the items row by row; draws them where there is a painter. Returns the height.
    int flow(int width, QPainter* painter) const;

    std::vector<Item> items_;
    Legend* twin_ = nullptr;
};

} // namespace keepset::ui
