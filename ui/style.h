#pragma once

#include <QProxyStyle>

namespace keepset::ui {

/// What a style sheet cannot draw without picture files: combo boxes with a chevron, check marks, sliders, arrows.
/// Colours come from the widget's palette, so light and dark need nothing more.
class Style : public QProxyStyle {
    Q_OBJECT

public:
    Style();
    void drawPrimitive(
        PrimitiveElement element, const QStyleOption* option, QPainter* painter, const QWidget* widget) const override;
    void drawComplexControl(ComplexControl control, const QStyleOptionComplex* option, QPainter* painter,
        const QWidget* widget) const override;
    int pixelMetric(PixelMetric metric, const QStyleOption* option, const QWidget* widget) const override;
    int styleHint(
        StyleHint hint, const QStyleOption* option, const QWidget* widget, QStyleHintReturn* returnData) const override;
    QSize sizeFromContents(
        ContentsType type, const QStyleOption* option, const QSize& size, const QWidget* widget) const override;
};

/// Gives a widget the name that rules of the style sheet ask for. Some widgets ask for their look when they are made,
/// and a name that they get later would change nothing until the next change of the theme.
void nameForStyle(QWidget* widget, const QString& name);

} // namespace keepset::ui
