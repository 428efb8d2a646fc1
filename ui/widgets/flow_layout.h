#pragma once

#include <QLayout>

#include <memory>
#include <vector>

namespace keepset::ui {

/// Puts its items beside one another and goes on in a further line where the width ends, as words do. An item that may
/// grow takes what its line has left.
class FlowLayout : public QLayout {
    Q_OBJECT

public:
    explicit FlowLayout(int spacing, QWidget* parent = nullptr);
    ~FlowLayout() override;

    void addItem(QLayoutItem* item) override;
    int count() const override { return static_cast<int>(items_.size()); }
    QLayoutItem* itemAt(int index) const override;
    QLayoutItem* takeAt(int index) override;
    Qt::Orientations expandingDirections() const override { return Qt::Horizontal; }
    bool hasHeightForWidth() const override { return true; }
    int heightForWidth(int width) const override;
    /// Items from `first` on stay together: where not all items have room on a line, they begin a line of their own,
    /// unless that took more lines.
    void keepTogether(int first) { together_ = first; }
    /// A layout of the same width that this one is never lower than, so that what stands below both is in line.
    void setTwin(const FlowLayout* twin) { twin_ = twin; }
    QSize sizeHint() const override;
    QSize minimumSize() const override;
    void setGeometry(const QRect& rect) override;

private:
    struct Line {
        std::vector<QLayoutItem*> items;
        int width = 0; ///< of items that do not grow, and the least of those that do
        int height = 0;
        int growing = 0; ///< items
    };
    std::vector<Line> linesOf(int width) const;
    std::vector<Line> flow(int width, int newLineAt) const;
    int ownHeight(int width) const;
    void place(const Line& line, const QRect& rect) const;

    std::vector<std::unique_ptr<QLayoutItem>> items_;
    const FlowLayout* twin_ = nullptr;
    int together_ = -1; ///< -1: none
};

} // namespace keepset::ui
