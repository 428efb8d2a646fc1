#include "ui/panels/audit_line.h"

#include "ui/theme.h"

#include <QEvent>
#include <QKeyEvent>
#include <QPainter>

namespace keepset::ui {

AuditLine::AuditLine(QWidget* parent)
    : QLabel(parent)
{
    setObjectName(QStringLiteral("auditLine"));
    setProperty("role", QStringLiteral("muted"));
    setTextFormat(Qt::RichText);
    setWordWrap(true);
    setTextInteractionFlags(Qt::LinksAccessibleByMouse);
    setFocusPolicy(Qt::StrongFocus);
    setToolTip(tr("Opens the audit"));
    setReport({});
}

void AuditLine::changeEvent(QEvent* event)
{
    if (event->type() == QEvent::PaletteChange)
        setReport(AuditReport(report_)); // its rich text has colours in it
    QLabel::changeEvent(event);
}

void AuditLine::keyPressEvent(QKeyEvent* event)
{
    if (event->key() == Qt::Key_Return || event->key() == Qt::Key_Enter || event->key() == Qt::Key_Space)
        Q_EMIT linkActivated(QStringLiteral("audit"));
    else
        QLabel::keyPressEvent(event);
}

void AuditLine::paintEvent(QPaintEvent* event)
{
    QLabel::paintEvent(event);
    QPainter painter(this);
    if (hasFocus())
        paintFocusRing(painter, rect(), themeOf(this));
}

void AuditLine::setReport(const AuditReport& report)
{
    report_ = report;
    const Theme& t = themeOf(this);
    QStringList lines;
    const auto add = [&](CheckStatus status, const QColor& color, const QString& word) {
        QStringList names;
        for (const Check& check : report_.checks) {
            if (check.status == status)
                names << QString::fromStdString(check.name);
        }
        if (!names.isEmpty())
            lines << QStringLiteral("<a href='audit' style='color:%2; text-decoration:none'>%3</a> %1")
                         .arg(names.join(QStringLiteral(", ")).toHtmlEscaped(), color.name(), word);
    };
    add(CheckStatus::fail, t.fail, tr("✗ fail"));
    add(CheckStatus::undecided, t.warning, tr("? undecided"));
    add(CheckStatus::warning, t.warning, tr("! warning"));
    add(CheckStatus::pass, t.pass, tr("✓ pass"));
    setText(lines.isEmpty() ? tr("nothing checked yet") : lines.join(QStringLiteral("<br>")));
}

} // namespace keepset::ui

#include "moc_audit_line.cpp"
