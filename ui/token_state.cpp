#include "ui/token_state.h"

#include <QCoreApplication>

namespace keepset::ui {

namespace {

    /// The context of the words, for translators.
    class TokenStateWords {
        Q_DECLARE_TR_FUNCTIONS(keepset::ui::TokenStateWords)
    };

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
        return TokenStateWords::tr("evicted");
    case Label::kept:
        return TokenStateWords::tr("kept");
    case Label::local:
        return TokenStateWords::tr("local");
    case Label::important:
        return TokenStateWords::tr("important");
    case Label::bridge:
        return TokenStateWords::tr("bridge");
    case Label::sink:
        return TokenStateWords::tr("sink");
    case Label::pinned:
        return TokenStateWords::tr("pinned");
    }
    return {};
}

QString stateTitle(TokenState state, const QString& a, const QString& b)
{
    if (const auto* const label = std::get_if<Label>(&state))
        return labelTitle(*label);
    switch (std::get<Membership>(state)) {
    case Membership::neither:
        return TokenStateWords::tr("evicted by both");
    case Membership::both:
        return TokenStateWords::tr("kept by both");
    case Membership::only_a:
        return TokenStateWords::tr("only %1").arg(a);
    case Membership::only_b:
        return TokenStateWords::tr("only %1").arg(b);
    }
    return {};
}

} // namespace keepset::ui
