#include "ui/token_state.h"

#include <QCoreApplication>

namespace keepset::ui {

namespace {

    QString translated(const char* text) { return QCoreApplication::translate("keepset::ui::TokenState", text); }

    TokenStyle styleOf(const Theme& t, Label label)
    {
        if (label == Label::evicted)
            return { {}, {}, Underline::none, t.label(Label::evicted) };
        return { t.labelFill(label), t.label(label), underlineOf(label), t.ink };
    }

    /// What both keep steps back.
    TokenStyle styleOf(const Theme& t, Membership membership)
    {
        const auto filled = [&](QColor color, double alpha, Underline underline) {
            QColor fill = color;
            fill.setAlphaF(static_cast<float>(alpha));
            return TokenStyle { fill, color, underline, t.ink };
        };
        switch (membership) {
        case Membership::neither:
            return styleOf(t, Label::evicted);
        case Membership::both:
            return filled(t.muted, 0.14, Underline::none);
        case Membership::only_a:
            return filled(t.label(Label::important), 0.34, Underline::solid);
        case Membership::only_b:
            return filled(t.label(Label::bridge), 0.34, Underline::dotted);
        }
        return {};
    }

} // namespace

TokenStyle styleOf(const Theme& theme, TokenState state)
{
    return std::visit([&](auto value) { return styleOf(theme, value); }, state);
}

QString labelTitle(Label label)
{
    switch (label) {
    case Label::evicted:
        return translated("evicted");
    case Label::kept:
        return translated("kept");
    case Label::local:
        return translated("local");
    case Label::important:
        return translated("important");
    case Label::bridge:
        return translated("bridge");
    case Label::sink:
        return translated("sink");
    }
    return {};
}

QString stateTitle(TokenState state, const QString& a, const QString& b)
{
    if (const auto* const label = std::get_if<Label>(&state))
        return labelTitle(*label);
    switch (std::get<Membership>(state)) {
    case Membership::neither:
        return translated("evicted by both");
    case Membership::both:
        return translated("kept by both");
    case Membership::only_a:
        return translated("only %1").arg(a);
    case Membership::only_b:
        return translated("only %1").arg(b);
    }
    return {};
}

} // namespace keepset::ui
