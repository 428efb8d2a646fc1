#pragma once

#include "core/text_lines.h"

#include <QFrame>

#include <vector>

class QLabel;
class QListWidget;
class QPushButton;
class QVBoxLayout;

namespace keepset::ui {

class PinBook;
class TokenDocument;

/// A panel that opens over the page: marks what is chosen or found as what must stay or must go, and lists what is
/// marked.
class PinPanel : public QFrame {
    Q_OBJECT

public:
    PinPanel(PinBook* book, QWidget* parent);

    /// What the buttons act on: the tokens that are chosen (none: begin == end) and those that a search found.
    void setTargets(TextLine chosen, std::vector<TextLine> matches);
    void setDocument(std::shared_ptr<const TokenDocument> document);
    void markChosen(bool stays);
    /// Opens it at a button.
    void openAt(const QWidget* button);

Q_SIGNALS:
    void marked(); ///< what was chosen

private:
    void build();
    void buildList(QVBoxLayout* layout);
    void refresh();
    QString wordsOf(TextLine tokens) const;
    QPushButton* makeButton(const char* name, const QString& text, const QString& tip);

    PinBook* book_;
    std::shared_ptr<const TokenDocument> document_;
    TextLine chosen_;
    std::vector<TextLine> matches_;
    QLabel* chosenWords_ = nullptr;
    QLabel* matchWords_ = nullptr;
    std::vector<QPushButton*> chosenButtons_;
    std::vector<QPushButton*> matchButtons_;
    QListWidget* list_ = nullptr;
    QPushButton* remove_ = nullptr;
    QPushButton* undo_ = nullptr;
    QPushButton* clear_ = nullptr;
};

} // namespace keepset::ui
