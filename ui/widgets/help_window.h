#pragma once

#include <QTextBrowser>
#include <QWidget>

namespace keepset::ui {

/// The manual: the Markdown pages of :/help with links between them.
class HelpWindow : public QWidget {
    Q_OBJECT

public:
    explicit HelpWindow(QWidget* parent = nullptr);
    /// Shows a page ("index.md").
    void open(const QString& page);

private:
    QTextBrowser* browser_;
};

} // namespace keepset::ui
