#pragma once

#include <QTime>
#include <QWidget>

#include <vector>

class QPlainTextEdit;
class QTextCharFormat;

namespace keepset::ui {

/// What was done when, a line each, with warnings and errors; the newest last. The text can be chosen and copied.
class LogPanel : public QWidget {
    Q_OBJECT

public:
    enum class Kind { done, warning, error };
    explicit LogPanel(QWidget* parent = nullptr);

    /// Adds a line of now. What was said last is not said again in the same second.
    void add(Kind kind, const QString& words);
    /// All lines: "14:03:27  analysed 1,024 tokens in 0.4 s"; warnings and errors have a sign before their words.
    QString text() const;
    QSize sizeHint() const override { return { 600, 132 }; }

protected:
    void changeEvent(QEvent* event) override;

private:
    struct Line {
        QTime time;
        Kind kind;
        QString words;
    };
    static QString wordsOf(const Line& line);
    void write(const Line& line);
    void writeAll();
    void clear();

    QPlainTextEdit* view_;
    std::vector<Line> lines_;
};

} // namespace keepset::ui
