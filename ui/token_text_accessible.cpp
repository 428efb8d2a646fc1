#include "ui/token_text_accessible.h"

#include "ui/format.h"
#include "ui/token_text_view.h"
#include "ui/widgets/legend.h"

#include <QAccessibleWidget>

#include <algorithm>

namespace keepset::ui {

namespace {

    class TokenTextAccessible : public QAccessibleWidget, public QAccessibleTextInterface {
    public:
        explicit TokenTextAccessible(TokenTextView* view)
            : QAccessibleWidget(view, QAccessible::EditableText)
        {
        }

        void* interface_cast(QAccessible::InterfaceType type) override
        {
            return type == QAccessible::TextInterface ? static_cast<QAccessibleTextInterface*>(this)
                                                      : QAccessibleWidget::interface_cast(type);
        }

        QAccessible::State state() const override
        {
            QAccessible::State result = QAccessibleWidget::state();
            result.readOnly = true;
            result.multiLine = true;
            return result;
        }

        /// Of the chosen token, in words: "token 46 various: evicted".
        QString text(QAccessible::Text kind) const override
        {
            const std::int64_t token = view().current();
            if (kind != QAccessible::Value || token < 0)
                return QAccessibleWidget::text(kind);
            const TokenDocument& document = *view().document();
            const QString word
                = document.text().mid(document.begin(token), document.end(token) - document.begin(token));
            return TokenTextView::tr("token %1 %2: %3")
                .arg(formatCount(token), formatToken(word), view().stateTitleOf(token));
        }

        // The chosen token is the selection.
        int selectionCount() const override { return view().current() >= 0 ? 1 : 0; }
        void selection(int, int* begin, int* end) const override
        {
            const std::int64_t token = view().current();
            *begin = token >= 0 ? view().document()->begin(token) : 0;
            *end = token >= 0 ? view().document()->end(token) : 0;
        }
        void addSelection(int begin, int) override { setCursorPosition(begin); }
        void removeSelection(int) override { }
        void setSelection(int, int begin, int) override { setCursorPosition(begin); }
        int cursorPosition() const override
        {
            return view().current() >= 0 ? view().document()->begin(view().current()) : 0;
        }
        void setCursorPosition(int position) override
        {
            if (const std::int64_t token = tokenAt(position); token >= 0)
                Q_EMIT view().tokenClicked(token);
        }

        QString text(int begin, int end) const override { return words().mid(begin, end - begin); }
        int characterCount() const override { return static_cast<int>(words().size()); }
        QRect characterRect(int offset) const override
        {
            const std::int64_t token = tokenAt(offset);
            const auto boxes = token >= 0 ? view().boxes(token) : std::vector<QRectF>();
            return boxes.empty() ? QRect()
                                 : boxes.front().toRect().translated(view().viewport()->mapToGlobal(QPoint(0, 0)));
        }
        int offsetAtPoint(const QPoint& point) const override
        {
            const std::int64_t token = view().tokenAt(view().viewport()->mapFromGlobal(point));
            return token >= 0 ? view().document()->begin(token) : -1;
        }
        void scrollToSubstring(int begin, int) override { view().reveal(tokenAt(begin)); }
        QString attributes(int offset, int* begin, int* end) const override
        {
            const std::int64_t token = tokenAt(offset);
            *begin = token >= 0 ? view().document()->begin(token) : offset;
            *end = token >= 0 ? view().document()->end(token) : offset;
            return token >= 0 ? QStringLiteral("label:%1;").arg(view().stateTitleOf(token)) : QString();
        }

    private:
        TokenTextView& view() const { return *static_cast<TokenTextView*>(widget()); }
        QString words() const { return view().document() ? view().document()->text() : QString(); }
        std::int64_t tokenAt(int offset) const { return view().document() ? view().document()->tokenAt(offset) : -1; }
    };

    QAccessibleInterface* make(const QString&, QObject* object)
    {
        auto* view = qobject_cast<TokenTextView*>(object);
        return view ? new TokenTextAccessible(view) : nullptr;
    }

} // namespace

void letScreenReadersIn() { QAccessible::installFactory(make); }

void tellScreenReader(TokenTextView* view)
{
    if (!QAccessible::isActive())
        return;
    const int place = view->current() >= 0 ? view->document()->begin(view->current()) : 0;
    QAccessibleTextCursorEvent event(view, place);
    QAccessible::updateAccessibility(&event);
}

} // namespace keepset::ui
