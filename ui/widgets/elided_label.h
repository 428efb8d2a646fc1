#pragma once

#include <QLabel>

namespace keepset::ui {

/// A label of plain text that never makes its window wider: words that do not fit end in an ellipsis, and the tool tip
/// has them whole.
class ElidedLabel : public QLabel {
    Q_OBJECT

public:
    explicit ElidedLabel(QWidget* parent = nullptr);
    void setWords(const QString& words, const QString& toolTip = {});
    QSize minimumSizeHint() const override;

protected:
    void paintEvent(QPaintEvent* event) override;
};

} // namespace keepset::ui
