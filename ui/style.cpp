#include "ui/style.h"

#include "ui/theme.h"

#include <QCoreApplication>
#include <QEvent>
#include <QPainter>
#include <QPainterPath>
#include <QStyleFactory>
#include <QStyleOption>
#include <QWidget>

namespace keepset::ui {

namespace {

    void drawChevron(QPainter* painter, const QPointF& centre, const QColor& color)
    {
        painter->save();
        painter->setRenderHint(QPainter::Antialiasing);
        painter->setPen(QPen(color, 1.4, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
        painter->drawPolyline(
            QPolygonF { centre + QPointF(-3.5, -1.75), centre + QPointF(0, 1.75), centre + QPointF(3.5, -1.75) });
        painter->restore();
    }

    /// A box or circle with its mark.
    void drawCheck(QPainter* painter, const QStyleOption* option, bool round)
    {
        const Theme& t = themeOf(option->palette);
        const bool enabled = option->state.testFlag(QStyle::State_Enabled);
        const bool on = option->state.testFlag(QStyle::State_On);
        const QRectF box = QRectF(option->rect).adjusted(0.5, 0.5, -0.5, -0.5);
        painter->save();
        painter->setRenderHint(QPainter::Antialiasing);
        const bool lit = on || option->state.testFlag(QStyle::State_HasFocus);
        painter->setPen(QPen(lit ? t.accent : t.muted, 1));
        painter->setBrush(on ? (enabled ? t.accent : t.muted) : t.panel);
        const double radius = round ? box.width() / 2 : 3;
        painter->drawRoundedRect(box, radius, radius);
        if (on) {
            painter->setPen(QPen(t.accentInk, 1.6, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
            painter->setBrush(Qt::NoBrush);
            const double w = box.width();
            painter->drawPolyline(QPolygonF { box.topLeft() + QPointF(w * 0.24, w * 0.52),
                box.topLeft() + QPointF(w * 0.43, w * 0.71), box.topLeft() + QPointF(w * 0.77, w * 0.31) });
        }
        painter->restore();
    }

    void drawComboBox(const QStyleOptionComboBox& combo, QPainter* painter)
    {
        const Theme& t = themeOf(combo.palette);
        const bool focused = combo.state.testFlag(QStyle::State_HasFocus);
        const bool hovered = combo.state.testFlag(QStyle::State_MouseOver);
        const bool enabled = combo.state.testFlag(QStyle::State_Enabled);
        const QRectF frame = QRectF(combo.rect).adjusted(0.5, 0.5, -0.5, -0.5);
        painter->save();
        painter->setRenderHint(QPainter::Antialiasing);
        painter->setPen(QPen(focused ? t.accent : (hovered && enabled ? t.muted : t.line), 1));
        painter->setBrush(t.window);
        painter->drawRoundedRect(frame, 6, 6);
        painter->restore();
        drawChevron(painter, QPointF(frame.right() - 12, frame.center().y()), enabled ? t.muted : t.line);
    }

    void drawSlider(const QStyleOptionSlider& slider, const QRect& handleRect, QPainter* painter)
    {
        const Theme& t = themeOf(slider.palette);
        const bool level = slider.orientation == Qt::Horizontal;
        const QRectF handle(handleRect);
        QRectF groove(slider.rect);
        groove = level ? QRectF(groove.left() + 1, groove.center().y() - 2, groove.width() - 2, 4)
                       : QRectF(groove.center().x() - 2, groove.top() + 1, 4, groove.height() - 2);
        QRectF done = groove;
        if (level)
            done.setRight(handle.center().x());
        else
            done.setTop(handle.center().y());
        const bool enabled = slider.state.testFlag(QStyle::State_Enabled);
        painter->save();
        painter->setRenderHint(QPainter::Antialiasing);
        painter->setPen(Qt::NoPen);
        painter->setBrush(t.line);
        painter->drawRoundedRect(groove, 2, 2);
        painter->setBrush(enabled ? t.accent : t.muted);
        painter->drawRoundedRect(done, 2, 2);
        if (slider.state.testFlag(QStyle::State_HasFocus)) {
            QColor halo = t.accent;
            halo.setAlpha(60);
            painter->setBrush(halo);
            painter->drawEllipse(handle.center(), 10, 10);
        }
        painter->setPen(QPen(enabled ? t.accent : t.muted, 2));
        painter->setBrush(t.panel);
        painter->drawEllipse(handle.center(), 6.5, 6.5);
        painter->restore();
    }

} // namespace

Style::Style()
    : QProxyStyle(QStyleFactory::create(QStringLiteral("Fusion")))
{
}

void Style::drawPrimitive(
    PrimitiveElement element, const QStyleOption* option, QPainter* painter, const QWidget* widget) const
{
    switch (element) {
    case PE_IndicatorCheckBox:
    case PE_IndicatorItemViewItemCheck:
        drawCheck(painter, option, false);
        return;
    case PE_IndicatorRadioButton:
        drawCheck(painter, option, true);
        return;
    case PE_IndicatorArrowDown:
        drawChevron(painter, QRectF(option->rect).center(), themeOf(option->palette).muted);
        return;
    default:
        QProxyStyle::drawPrimitive(element, option, painter, widget);
    }
}

void Style::drawComplexControl(
    ComplexControl control, const QStyleOptionComplex* option, QPainter* painter, const QWidget* widget) const
{
    if (control == CC_ComboBox) {
        if (const auto* combo = qstyleoption_cast<const QStyleOptionComboBox*>(option); combo && !combo->editable) {
            drawComboBox(*combo, painter);
            return;
        }
    }
    if (control == CC_Slider) {
        if (const auto* slider = qstyleoption_cast<const QStyleOptionSlider*>(option)) {
            drawSlider(*slider, proxy()->subControlRect(CC_Slider, slider, SC_SliderHandle, widget), painter);
            return;
        }
    }
    QProxyStyle::drawComplexControl(control, option, painter, widget);
}

int Style::pixelMetric(PixelMetric metric, const QStyleOption* option, const QWidget* widget) const
{
    switch (metric) {
    case PM_IndicatorWidth:
    case PM_IndicatorHeight:
    case PM_ExclusiveIndicatorWidth:
    case PM_ExclusiveIndicatorHeight:
        return 14;
    case PM_SliderLength:
    case PM_SliderThickness:
        return 20;
    case PM_DockWidgetSeparatorExtent:
        return 1;
    default:
        return QProxyStyle::pixelMetric(metric, option, widget);
    }
}

int Style::styleHint(
    StyleHint hint, const QStyleOption* option, const QWidget* widget, QStyleHintReturn* returnData) const
{
    if (hint == SH_Slider_AbsoluteSetButtons)
        return Qt::LeftButton; // a click jumps there
    if (hint == SH_ComboBox_Popup)
        return 0;
    return QProxyStyle::styleHint(hint, option, widget, returnData);
}

QSize Style::sizeFromContents(
    ContentsType type, const QStyleOption* option, const QSize& size, const QWidget* widget) const
{
    QSize result = QProxyStyle::sizeFromContents(type, option, size, widget);
    if (type == CT_ComboBox)
        result.setHeight(std::max(result.height(), 28));
    return result;
}

void nameForStyle(QWidget* widget, const QString& name)
{
    widget->setObjectName(name);
    widget->style()->unpolish(widget); // forgets what it answered
    widget->style()->polish(widget);
    QEvent changed(QEvent::StyleChange);
    QCoreApplication::sendEvent(widget, &changed);
}

} // namespace keepset::ui

#include "moc_style.cpp"

#include <algorithm>
