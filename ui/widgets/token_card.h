#pragma once

#include "core/choices.h"

#include <QWidget>

#include <vector>

namespace keepset::ui {

class RowState;

/// What is known of a token, as a card says it.
struct TokenFacts {
    struct Side {
        QString policy; ///< title
        Label label = Label::evicted;
    };
    QString text; ///< in quotes, with white space visible
    QStringList lines; ///< name and value, a tab between
    std::vector<Side> sides; ///< its label under each policy that is shown
};
/// Of a token of the analysis in `rows`.
TokenFacts factsOf(const RowState& rows, std::int64_t token);

/// Top left of a card that hides nothing of a token, which has a box on each of its lines: below it, or above it, or
/// beside it, wherever there is room first.
QPoint placeOfCard(QSize card, const std::vector<QRect>& token, QRect room);

/// A card over a view that says what the token under the pointer is, and that lets the mouse through.
class TokenCard : public QWidget {
    Q_OBJECT

public:
    explicit TokenCard(QWidget* parent);

    /// Shows it beside a token, whose boxes are in pixels of the parent.
    void tell(const TokenFacts& facts, const std::vector<QRect>& token);
    const TokenFacts& facts() const { return facts_; }

    QSize sizeHint() const override;

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    TokenFacts facts_;
};

} // namespace keepset::ui
