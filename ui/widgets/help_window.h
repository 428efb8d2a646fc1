#pragma once

#include <QWidget>

#include <vector>

class QLabel;
class QLineEdit;
class QListWidget;
class QTextBrowser;
class QToolButton;

namespace keepset::ui {

/// The manual: the Markdown pages of :/help with links between them, a way back, and a search through all of them.
class HelpWindow : public QWidget {
    Q_OBJECT

public:
    explicit HelpWindow(QWidget* parent = nullptr);
    /// Shows a page ("index.md").
    void open(const QString& page);
    /// Shows words that are no page of the manual, in Markdown.
    void showText(const QString& markdown);
    QString page() const { return page_; }
    void back();
    /// Goes to the next place with these words, on this page or a later one; round at the end. False: there is none.
    bool find(const QString& words);

protected:
    void keyPressEvent(QKeyEvent* event) override;
    void changeEvent(QEvent* event) override;

private:
    QWidget* makeBar();
    void load(const QString& page);

    QTextBrowser* browser_;
    QListWidget* list_;
    QToolButton* back_ = nullptr;
    QLineEdit* search_ = nullptr;
    QLabel* found_ = nullptr;
    QString page_;
    std::vector<QString> history_; ///< pages before this one
};

} // namespace keepset::ui
