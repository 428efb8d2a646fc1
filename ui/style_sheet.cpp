#include "ui/theme.h"

namespace keepset::ui {

namespace {

    const char* const sheet = R"(
QMainWindow, QWidget#centre { background: $window; }
QMainWindow::separator { background: $line; width: 1px; height: 1px; }
QToolTip { background: $panel; color: $ink; border: 1px solid $line; padding: 4px 6px; }
QToolBar#mainToolBar { background: $panel; border: 0; border-bottom: 1px solid $line; padding: 7px 8px; spacing: 8px; }
QToolBar#mainToolBar::separator { background: transparent; width: 1px; }
QPushButton, QToolBar QToolButton { background: $window; color: $ink; border: 1px solid $line; border-radius: 6px;
    padding: 3px 10px; min-height: 18px; }
QPushButton:hover, QToolBar QToolButton:hover { border-color: $muted; }
QPushButton:pressed, QToolBar QToolButton:pressed { background: $line; }
QPushButton:focus, QToolBar QToolButton:focus { border-color: $accent; }
QPushButton:disabled, QToolBar QToolButton:disabled { color: $faint; }
QPushButton::menu-indicator, QToolButton::menu-indicator { image: none; width: 0; }
QPushButton[primary="true"], QToolBar QToolButton[primary="true"] { background: $accent; color: $accentInk;
    border-color: $accent; font-weight: 600; }
QPushButton[primary="true"]:hover, QToolBar QToolButton[primary="true"]:hover { background: $accentHover; }
QPushButton[primary="true"]:focus, QToolBar QToolButton[primary="true"]:focus { border-color: $ink; }
QPushButton[primary="true"]:disabled, QToolBar QToolButton[primary="true"]:disabled { background: $line;
    color: $muted; border-color: $line; }
QToolButton[chip="true"] { background: $panel; color: $muted; border: 1px dashed $line; border-radius: 10px;
    padding: 2px 0px 2px 7px; font-size: 12px; }
QToolButton[chip="true"]:checked { color: $ink; border: 1px solid $line; }
QToolButton[chip="true"]:hover, QToolButton[chip="true"]:focus, QToolButton[chip="true"]:pressed { border-color: $accent; }
QToolButton[policyChip="true"] { background: $window; color: $ink; border: 1px solid $line; border-radius: 10px;
    padding: 2px 7px; font-size: 12px; }
QToolButton[policyChip="true"][removable="true"] { padding-right: 24px; }
QToolButton[policyChip="true"]:checked { background: $panel; border-color: $accent; }
QToolButton[policyChip="true"]:hover, QToolButton[policyChip="true"]:focus { border-color: $accent; }
QFrame[inset="true"] { background: $window; border: 1px solid $line; border-radius: 8px; }
QFrame[inset="true"] QLineEdit, QFrame[inset="true"] QDoubleSpinBox { background: $panel; }
QPushButton[flat="true"], QToolButton[flat="true"] { background: transparent; border: 1px solid transparent;
    border-radius: 4px; padding: 1px 6px; color: $ink; }
QFrame[card="true"] QToolButton[flat="true"] { background: $window; border: 1px solid $line; border-radius: 6px;
    padding: 2px 7px 3px 7px; }
QFrame[card="true"] QToolButton[flat="true"]:hover { border-color: $muted; }
QFrame[card="true"] QToolButton[flat="true"]:checked { background: $panel; color: $accent; border-color: $accent; }
QFrame[card="true"] QToolButton[flat="true"]:focus { border-color: $accent; }
QFrame[card="true"] QToolButton[flat="true"][cross="true"] { background: transparent; border: 1px solid transparent;
    padding: 1px 2px; }
QFrame[card="true"] QToolButton[flat="true"][cross="true"]:hover { color: $ink; background: $line; border-radius: 4px; }
QToolBar QLineEdit QToolButton { background: transparent; border: 0; padding: 0; min-height: 0; }
QToolButton[flat="true"][cross="true"] { padding: 1px 2px; color: $muted; }
QPushButton[flat="true"]:disabled, QToolButton[flat="true"]:disabled { color: $faint; }
QPushButton[flat="true"]:hover, QToolButton[flat="true"]:hover { color: $ink; background: $window; }
QPushButton[flat="true"]:focus, QToolButton[flat="true"]:focus { border-color: $accent; }
QLineEdit, QPlainTextEdit, QSpinBox, QDoubleSpinBox { background: $window; color: $ink; border: 1px solid $line;
    border-radius: 6px; padding: 3px 8px; min-height: 18px; selection-background-color: $accent;
    selection-color: $accentInk; }
QLineEdit:focus, QPlainTextEdit:focus, QSpinBox:focus, QDoubleSpinBox:focus { border-color: $accent; }
QSpinBox::up-button, QSpinBox::down-button, QDoubleSpinBox::up-button, QDoubleSpinBox::down-button { width: 0;
    border: 0; }
QFrame[card="true"] { background: $panel; border: 1px solid $line; border-radius: 8px; }
QDockWidget { border: 0; }
QWidget#setupPanel, QWidget#tokenInspector, QWidget#logPanel { background: $panel; border: 0; }
QScrollArea[panel="true"] { background: $panel; border: 1px solid $panel; }
QScrollArea[panel="true"]:focus { border-color: $accent; }
QLabel[links="true"] { border: 1px solid transparent; border-radius: 4px; }
QLabel[links="true"]:focus { border-color: $accent; }
QLabel[role="group"] { font-size: 13px; font-weight: 600; }
QLabel[role="caption"] { color: $muted; font-size: 11px; font-weight: 600; }
QLabel[role="muted"] { color: $muted; }
QLabel[role="small"] { color: $muted; font-size: 11px; }
QLabel[role="title"] { font-size: 14px; font-weight: 600; }
QLabel[role="strong"] { font-weight: 600; }
QLabel[role="big"] { font-size: 20px; }
QTabWidget::pane { border: 0; border-top: 1px solid $line; background: $window; }
QTabWidget::tab-bar { left: 14px; }
QTabBar { background: transparent; }
QTabBar::tab { background: transparent; color: $muted; padding: 9px 11px 8px 11px; border: 0;
    border-bottom: 2px solid transparent; }
QTabBar::tab:hover { color: $ink; }
QTabBar::tab:selected { color: $ink; font-weight: 600; border-bottom-color: $accent; }
QTabBar::tab:selected:focus { color: $accent; border: 1px solid $accent; border-bottom-width: 2px; }
QStatusBar { background: $panel; border-top: 1px solid $line; color: $muted; }
QStatusBar::item { border: 0; }
QStatusBar QLabel { color: $muted; font-size: 12px; padding: 0 6px; }
QProgressBar { background: $line; border: 0; border-radius: 3px; max-height: 6px; min-height: 6px; }
QProgressBar::chunk { background: $accent; border-radius: 3px; }
QMenuBar { background: $panel; color: $ink; border: 0; }
QMenuBar::item { background: transparent; padding: 4px 8px; border-radius: 4px; }
QMenuBar::item:selected { background: $line; }
QMenu { background: $panel; color: $ink; border: 1px solid $line; padding: 4px; }
QMenu::item { padding: 5px 22px 5px 12px; border-radius: 4px; }
QMenu::item:selected { background: $accent; color: $accentInk; }
QMenu::item:disabled { color: $muted; background: transparent; }
QMenu::separator { height: 1px; background: $line; margin: 4px 6px; }
QScrollBar:vertical { background: transparent; width: 10px; margin: 0; }
QScrollBar:horizontal { background: transparent; height: 10px; margin: 0; }
QScrollBar::handle { background: $handle; border-radius: 3px; margin: 2px; min-height: 28px; min-width: 28px; }
QScrollBar::handle:hover { background: $muted; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
QAbstractItemView { background: $panel; color: $ink; border: 1px solid $line; outline: 0;
    selection-background-color: $accent; selection-color: $accentInk; }
QTableView { gridline-color: $line; border: 0; alternate-background-color: $panel; }
QHeaderView { background: $panel; border: 0; padding: 0; }
QHeaderView::section { background: $panel; color: $muted; border: 0; border-bottom: 1px solid $line; padding: 5px 8px; }
QTableCornerButton::section { background: $panel; border: 0; }
QListWidget#helpPages { border: 0; border-right: 1px solid $line; }
QListWidget#helpPages::item { border: 0; padding: 5px 10px; }
QListWidget#helpPages::item:selected { background: $accent; color: $accentInk; }
QTextBrowser { background: $panel; color: $ink; border: 0; }
QToolBar#shownToolBar { background: $panel; border: 0; border-bottom: 1px solid $line; padding: 0; spacing: 0; }
QFrame#shownBar { background: $panel; border: 0; }
QFrame#shownBar QLabel { color: $muted; font-size: 12px; }
QLabel#staleWords { color: $warning; font-weight: 600; }
QFrame#errorBar { background: $failFill; border: 0; border-bottom: 1px solid $fail; }
QFrame#errorBar QLabel { color: $ink; }
QFrame#noticeBar { background: $panel; border: 0; border-bottom: 1px solid $accent; }
QFrame#tourCard { background: $panel; border: 1px solid $accent; border-radius: 10px; }
QSplitter::handle { background: transparent; }
)";

    /// $name → #rrggbb, the longest names first so that $accent does not cut $accentInk.
    QString fill(QString text, const std::vector<std::pair<QString, QColor>>& colors)
    {
        for (const auto& [name, color] : colors)
            text.replace(QLatin1Char('$') + name, color.name());
        return text;
    }

    QColor mix(const QColor& a, const QColor& b, double share)
    {
        const auto blend = [share](int x, int y) { return static_cast<int>(x + (y - x) * share); };
        return QColor(blend(a.red(), b.red()), blend(a.green(), b.green()), blend(a.blue(), b.blue()));
    }

} // namespace

QString styleSheetFor(const Theme& t)
{
    return fill(QString::fromLatin1(sheet),
        { { QStringLiteral("accentHover"), mix(t.accent, t.ink, 0.12) }, { QStringLiteral("accentInk"), t.accentInk },
            { QStringLiteral("accent"), t.accent }, { QStringLiteral("failFill"), mix(t.panel, t.fail, 0.12) },
            { QStringLiteral("fail"), t.fail }, { QStringLiteral("warning"), t.warning },
            { QStringLiteral("faint"), mix(t.panel, t.muted, 0.6) },
            { QStringLiteral("handle"), mix(t.panel, t.muted, 0.35) }, { QStringLiteral("window"), t.window },
            { QStringLiteral("panel"), t.panel }, { QStringLiteral("muted"), t.muted },
            { QStringLiteral("line"), t.line }, { QStringLiteral("ink"), t.ink } });
}

} // namespace keepset::ui
