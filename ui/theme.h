#pragma once

#include "core/choices.h"

#include <QColor>
#include <QFont>
#include <QPalette>
#include <QString>

#include <array>

class QApplication;
class QPainter;
class QWidget;

/// The one table of colours and measures of the window, and what is made from it: palette, style sheet, fonts.
namespace keepset::ui {

struct Theme {
    bool dark = false;
    QColor window; ///< behind cards
    QColor panel; ///< cards, docks, bars
    QColor ink;
    QColor muted; ///< captions and secondary text
    QColor line; ///< borders and grid lines
    QColor accent; ///< chosen, running
    QColor accentInk; ///< text on the accent
    QColor pass;
    QColor warning;
    QColor fail;
    std::array<QColor, label_count> labels; ///< by Label; evicted steps back, but is read at 4.5:1

    QColor label(Label value) const { return labels[static_cast<std::size_t>(value)]; }
    /// Background of a token with this label: its colour at 20 to 26%; transparent for evicted.
    QColor labelFill(Label value) const;
    /// Behind tokens that are chosen together.
    QColor chosenFill() const;
};

inline constexpr int cardRadius = 8; ///< px
inline constexpr int cardPadding = 14; ///< px
inline constexpr int gap = 12; ///< px between cards

const Theme& theme(bool dark);
/// Dark or light by the lightness of the palette's window colour.
const Theme& themeOf(const QPalette& palette);
const Theme& themeOf(const QWidget* widget);

/// Text as text: the serif of token views, in pixels.
QFont serifFont(int pixels = 14);
/// The interface font.
QFont interfaceFont(int pixels = 13, bool strong = false);

/// Second cue of a label besides its colour.
enum class Underline { none, solid, dotted, twofold };
Underline underlineOf(Label value);

/// How the window is to look; automatic follows the desktop's palette.
enum class Appearance { automatic, light, dark };

/// The frame around what has the focus, in what is painted by hand.
void paintFocusRing(QPainter& painter, const QRectF& box, const Theme& theme);

/// Style sheet made from the table.
QString styleSheetFor(const Theme& theme);
/// Loads the bundled fonts and sets style, palette, font and style sheet. Once, before the first widget.
void installTheme(QApplication& application, Appearance appearance);
/// Changes the appearance of a running application.
void setAppearance(QApplication& application, Appearance appearance);

} // namespace keepset::ui
