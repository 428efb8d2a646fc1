#include "ui/theme.h"

#include "ui/style.h"

#include <QApplication>
#include <QDir>
#include <QFontDatabase>
#include <QPainter>
#include <QWidget>

static void initResources() { Q_INIT_RESOURCE(keepset); }

namespace keepset::ui {

namespace {

    QColor withAlpha(QColor color, double alpha)
    {
        color.setAlphaF(static_cast<float>(alpha));
        return color;
    }

    Theme lightTheme()
    {
        Theme t;
        t.window = QColor("#f6f7f9");
        t.panel = QColor("#ffffff");
        t.ink = QColor("#1c2128");
        t.muted = QColor("#656e7a");
        t.line = QColor("#dfe3e8");
        t.accent = QColor("#1f6feb");
        t.accentInk = QColor("#ffffff");
        t.pass = QColor("#00805C");
        t.warning = QColor("#9A6700");
        t.fail = QColor("#C62828");
        t.labels = { QColor("#6f7780"), QColor("#5C6B7A"), QColor("#0072B2"), QColor("#D98C00"), QColor("#C2427E"),
            QColor("#00805C"), QColor("#7B4FC9") };
        return t;
    }

    Theme darkTheme()
    {
        Theme t;
        t.dark = true;
        t.window = QColor("#16191e");
        t.panel = QColor("#1e2228");
        t.ink = QColor("#e3e7ec");
        t.muted = QColor("#8b95a1");
        t.line = QColor("#2f353d");
        t.accent = QColor("#58a6ff");
        t.accentInk = QColor("#0d1117");
        t.pass = QColor("#3FCFA3");
        t.warning = QColor("#E3B341");
        t.fail = QColor("#FF7B72");
        t.labels = { QColor("#858e99"), QColor("#9AA7B4"), QColor("#56B4E9"), QColor("#F0B13C"), QColor("#E58FB9"),
            QColor("#3FCFA3"), QColor("#B79CF0") };
        return t;
    }

    QPalette paletteFor(const Theme& t)
    {
        QPalette p;
        for (const auto role : { QPalette::Window, QPalette::AlternateBase, QPalette::Button })
            p.setColor(role, t.window);
        for (const auto role : { QPalette::Base, QPalette::ToolTipBase })
            p.setColor(role, t.panel);
        for (const auto role : { QPalette::WindowText, QPalette::Text, QPalette::ButtonText, QPalette::ToolTipText })
            p.setColor(role, t.ink);
        p.setColor(QPalette::PlaceholderText, t.muted);
        p.setColor(QPalette::Highlight, t.accent);
        p.setColor(QPalette::HighlightedText, t.accentInk);
        p.setColor(QPalette::Link, t.accent);
        p.setColor(QPalette::Mid, t.line);
        p.setColor(QPalette::Midlight, t.line);
        p.setColor(QPalette::Light, t.panel);
        p.setColor(QPalette::Dark, t.line);
        p.setColor(QPalette::Shadow, t.line);
        for (const auto role : { QPalette::WindowText, QPalette::Text, QPalette::ButtonText })
            p.setColor(QPalette::Disabled, role, withAlpha(t.muted, 0.65));
        return p;
    }

    void loadFonts()
    {
        const QDir folder(QStringLiteral(":/fonts"));
        for (const QString& name : folder.entryList({ QStringLiteral("*.ttf"), QStringLiteral("*.otf") }))
            QFontDatabase::addApplicationFont(folder.filePath(name));
    }

} // namespace

QColor Theme::labelFill(Label value) const
{
    if (value == Label::evicted)
        return Qt::transparent;
    return withAlpha(label(value), value == Label::important ? 0.26 : 0.20);
}

QColor Theme::chosenFill() const { return withAlpha(accent, 0.30); }

const Theme& theme(bool dark)
{
    static const Theme light = lightTheme();
    static const Theme night = darkTheme();
    return dark ? night : light;
}

const Theme& themeOf(const QPalette& palette) { return theme(palette.color(QPalette::Window).lightness() < 128); }

const Theme& themeOf(const QWidget* widget) { return themeOf(widget->palette()); }

QFont serifFont(int pixels)
{
    QFont font(QStringList { QStringLiteral("Noto Serif"), QStringLiteral("serif") });
    font.setStyleHint(QFont::Serif);
    font.setPixelSize(pixels);
    return font;
}

QFont interfaceFont(int pixels, bool strong)
{
    QFont font(QStringList { QStringLiteral("Noto Sans"), QStringLiteral("sans-serif") });
    font.setStyleHint(QFont::SansSerif);
    font.setPixelSize(pixels);
    font.setWeight(strong ? QFont::DemiBold : QFont::Normal);
    return font;
}

Underline underlineOf(Label value)
{
    switch (value) {
    case Label::evicted:
    case Label::pinned: // what the user marked has a line above it
        return Underline::none;
    case Label::bridge:
        return Underline::dotted;
    case Label::sink:
        return Underline::twofold;
    case Label::kept:
    case Label::local:
    case Label::important:
        break;
    }
    return Underline::solid;
}

void paintFocusRing(QPainter& painter, const QRectF& box, const Theme& theme)
{
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(QPen(theme.accent, 1.5));
    painter.setBrush(Qt::NoBrush);
    painter.drawRoundedRect(box.adjusted(1, 1, -1, -1), 4, 4);
}

void installTheme(QApplication& application, Appearance appearance)
{
    initResources();
    loadFonts();
    // The desktop's own palette is gone once ours is set, so what it said is kept.
    application.setProperty("keepsetDesktopDark", themeOf(application.palette()).dark);
    application.setStyle(new Style);
    application.setFont(interfaceFont());
    setAppearance(application, appearance);
}

void setAppearance(QApplication& application, Appearance appearance)
{
    const bool dark = appearance == Appearance::automatic ? application.property("keepsetDesktopDark").toBool()
                                                          : appearance == Appearance::dark;
    const Theme& table = theme(dark);
    application.setPalette(paletteFor(table));
    application.setStyleSheet(styleSheetFor(table));
}

} // namespace keepset::ui
