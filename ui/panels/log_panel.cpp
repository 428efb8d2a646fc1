#include "ui/panels/log_panel.h"

#include "ui/theme.h"
#include "ui/widgets/labels.h"

#include <QClipboard>
#include <QEvent>
#include <QGuiApplication>
#include <QHBoxLayout>
#include <QLabel>
#include <QPlainTextEdit>
#include <QTextCursor>
#include <QToolButton>
#include <QVBoxLayout>

namespace keepset::ui {

namespace {

    constexpr std::size_t mostLines = 2000;

} // namespace

LogPanel::LogPanel(QWidget* parent)
    : QWidget(parent)
    , view_(new QPlainTextEdit(this))
{
    setObjectName(QStringLiteral("logPanel"));
    setAttribute(Qt::WA_StyledBackground);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(cardPadding, 8, cardPadding, 10);
    layout->setSpacing(4);
    auto* heading = new QHBoxLayout;
    heading->setSpacing(8);
    QLabel* title = roleLabel(tr("Log"), "group", this);
    title->setBuddy(view_);
    auto* copy = flatButton(tr("Copy"), tr("Copies all lines"), this);
    copy->setObjectName(QStringLiteral("logCopy"));
    auto* empty = flatButton(tr("Clear"), tr("Removes all lines"), this);
    empty->setObjectName(QStringLiteral("logClear"));
    heading->addWidget(title);
    heading->addStretch(1);
    heading->addWidget(copy);
    heading->addWidget(empty);
    view_->setObjectName(QStringLiteral("logLines"));
    view_->setAccessibleName(tr("Log"));
    view_->setReadOnly(true);
    view_->setUndoRedoEnabled(false);
    view_->setFont(interfaceFont(12));
    view_->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
    view_->setPlaceholderText(tr("What is done stands here, with warnings and errors."));
    layout->addLayout(heading);
    layout->addWidget(view_, 1);
    connect(copy, &QToolButton::clicked, this, [this] { QGuiApplication::clipboard()->setText(text()); });
    connect(empty, &QToolButton::clicked, this, &LogPanel::clear);
}

void LogPanel::add(Kind kind, const QString& words)
{
    if (words.isEmpty())
        return;
    const QTime now = QTime::currentTime();
    const bool again = !lines_.empty() && lines_.back().kind == kind && lines_.back().words == words
        && lines_.back().time.msecsTo(now) < 1000;
    if (again)
        return;
    lines_.push_back({ now, kind, words });
    if (lines_.size() > mostLines) {
        lines_.erase(lines_.begin(), lines_.begin() + mostLines / 10);
        writeAll();
        return;
    }
    write(lines_.back());
}

QString LogPanel::wordsOf(const Line& line)
{
    const QString sign = line.kind == Kind::error ? QStringLiteral("✕ ")
        : line.kind == Kind::warning              ? QStringLiteral("⚠ ")
                                                  : QString();
    return line.time.toString(QStringLiteral("HH:mm:ss")) + QStringLiteral("  ") + sign + line.words;
}

QString LogPanel::text() const
{
    QString all;
    for (const Line& line : lines_)
        all += wordsOf(line) + QLatin1Char('\n');
    return all;
}

void LogPanel::write(const Line& line)
{
    const Theme& colors = themeOf(this);
    QTextCharFormat look;
    look.setForeground(line.kind == Kind::error ? colors.fail
            : line.kind == Kind::warning        ? colors.warning
                                                : colors.ink);
    QTextCursor end(view_->document());
    end.movePosition(QTextCursor::End);
    if (!view_->document()->isEmpty())
        end.insertBlock();
    end.insertText(wordsOf(line), look);
    if (!view_->textCursor().hasSelection()) { // what is being read or copied stays where it is
        view_->moveCursor(QTextCursor::End);
        view_->ensureCursorVisible();
    }
}

void LogPanel::writeAll()
{
    view_->clear();
    for (const Line& line : lines_)
        write(line);
}

void LogPanel::clear()
{
    lines_.clear();
    view_->clear();
}

void LogPanel::changeEvent(QEvent* event)
{
    QWidget::changeEvent(event);
    if (event->type() == QEvent::PaletteChange)
        writeAll();
}

} // namespace keepset::ui

#include "moc_log_panel.cpp"
