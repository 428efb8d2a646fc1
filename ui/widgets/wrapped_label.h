#pragma once

#include <QLabel>

#include <map>

namespace keepset::ui {

/// A label of wrapped rich text. Layouts ask for the height of a width many times over, and for each a plain one lays
/// its text out anew; this one remembers the answers until its words change.
class WrappedLabel : public QLabel {
    Q_OBJECT

public:
    explicit WrappedLabel(QWidget* parent = nullptr);
    void setWords(const QString& html);
    int heightForWidth(int width) const override;
    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;

protected:
    void changeEvent(QEvent* event) override;

private:
    mutable std::map<int, int> heights_; ///< by width
};

} // namespace keepset::ui
