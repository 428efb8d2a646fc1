#pragma once

#include <QTableView>

namespace keepset::ui {

class TextLinesModel;

/// The lines of a text as rows with bars; a click, or Enter, leads to the tokens of a line.
class TextLinesView : public QTableView {
    Q_OBJECT

public:
    explicit TextLinesView(TextLinesModel* lines, QWidget* parent = nullptr);

    /// Marks the row of a token and scrolls it into sight; -1: none.
    void setCurrentToken(std::int64_t token);

Q_SIGNALS:
    void lineChosen(qint64 token); ///< the line that begins with it

protected:
    void resizeEvent(QResizeEvent* event) override;

private:
    TextLinesModel* lines_;
};

} // namespace keepset::ui
