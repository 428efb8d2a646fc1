#pragma once

#include "core/selection.h"
#include "core/text_lines.h"
#include "ui/token_layout.h"
#include "ui/token_state.h"

#include <QAbstractScrollArea>
#include <QPen>

#include <array>
#include <memory>
#include <vector>

namespace keepset::ui {

/// Flowing text whose tokens are coloured by their label. The layout is made once a width; a new set of labels only
/// repaints the lines in sight.
class TokenTextView : public QAbstractScrollArea {
    Q_OBJECT

public:
    explicit TokenTextView(QWidget* parent = nullptr);

    void setDocument(std::shared_ptr<const TokenDocument> document);
    /// One state a token (tokens).
    void setStates(std::vector<TokenState> states);
    void setLabels(const std::vector<Label>& labels);
    /// Tokens that a search found, ascending: they are framed.
    void setMatches(std::vector<std::int64_t> tokens);
    /// Spans that the user marked, apart and ascending: those that stay have a line above them, those that go one
    /// through them.
    void setPins(std::vector<Pin> pins);
    /// Tokens [begin, end) that are chosen together, as text is; none where they are fewer than two.
    void setChosen(TextLine chosen);
    void setCurrent(std::int64_t token);
    void setHovered(std::int64_t token);
    /// Scrolls until the token is in sight.
    void reveal(std::int64_t token);
    /// Boxes of a token in pixels of the viewport.
    std::vector<QRectF> boxes(std::int64_t token) const;
    std::int64_t tokenAt(const QPoint& viewportPosition) const;
    /// Null: none. With stateOf() and current(), what a screen reader is told.
    const std::shared_ptr<const TokenDocument>& document() const { return document_; }
    std::int64_t current() const { return current_; }
    TokenState stateOf(std::int64_t token) const;
    QString stateTitleOf(std::int64_t token) const { return stateTitle(stateOf(token), titles_[0], titles_[1]); }
    QSize minimumSizeHint() const override { return { 120, 64 }; } ///< it scrolls: what is around it goes first
    /// Of the two policies whose difference is shown.
    void setTitles(const QString& a, const QString& b) { titles_ = { a, b }; }

Q_SIGNALS:
    void tokenClicked(qint64 token);
    void tokenHovered(qint64 token); ///< -1: none
    /// The mouse was dragged, or Shift held, from one token to another; the same: no more than that one is chosen.
    void rangeChosen(qint64 from, qint64 to);
    void detailsAsked(); ///< by key, about the chosen token
    void detailsDismissed(); ///< by key, or with the focus

protected:
    void paintEvent(QPaintEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void leaveEvent(QEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void focusInEvent(QFocusEvent* event) override;
    void focusOutEvent(QFocusEvent* event) override;
    bool viewportEvent(QEvent* event) override;

private:
    void layOut();
    void paintLine(QPainter& painter, int line) const;
    void paintOverTokens(QPainter& painter, const QRect& part) const;
    void paintMarks(QPainter& painter, int line) const;
    const Pin* pinOf(std::int64_t token) const;
    void chooseTo(std::int64_t token);
    /// Draws again where a token's outline is or was.
    void updateOutline(std::int64_t token);
    void paintOutline(QPainter& painter, std::int64_t token, const QColor& color, double width) const;
    std::int64_t stepFrom(std::int64_t token, int key) const;

    std::shared_ptr<const TokenDocument> document_;
    std::unique_ptr<TokenLayout> layout_;
    std::vector<TokenState> states_;
    std::array<QString, 2> titles_;
    std::vector<std::int64_t> matches_;
    std::vector<Pin> pins_;
    TextLine chosen_;
    std::int64_t anchor_ = -1; ///< where the tokens that are chosen together began
    bool dragging_ = false;
    std::int64_t current_ = -1;
    std::int64_t hovered_ = -1;
};

/// Draws the second cue of a state under a stretch of text.
void drawUnderline(QPainter& painter, Underline underline, double left, double right, double y, const QColor& color);
/// A sample of a state, for legends; what has no colour of its own has a frame where it is wanted.
void drawSwatch(QPainter& painter, const QRectF& box, const TokenStyle& style, const QPen& frame = Qt::NoPen);
/// The cue of a span that the user marked: a line above what stays, one through what goes.
void drawPin(QPainter& painter, bool stays, const QRectF& box, const Theme& theme);

} // namespace keepset::ui
