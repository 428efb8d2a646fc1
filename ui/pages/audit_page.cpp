#include "ui/pages/audit_page.h"

#include "ui/charts/chart_view.h"
#include "ui/pages/card.h"
#include "ui/settings.h"
#include "ui/theme.h"
#include "ui/whole_file.h"

#include <QClipboard>
#include <QComboBox>
#include <QEvent>
#include <QGuiApplication>
#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QScrollArea>
#include <QSplitter>
#include <QToolButton>
#include <QVBoxLayout>

#include <algorithm>

namespace keepset::ui {

namespace {

    struct Look {
        QString sign;
        QString word;
        QColor color;
    };

    Look lookOf(CheckStatus status, const Theme& colors)
    {
        switch (status) {
        case CheckStatus::pass:
            return { QStringLiteral("✓"), AuditPage::tr("pass"), colors.pass };
        case CheckStatus::warning:
            return { QStringLiteral("⚠"), AuditPage::tr("warning"), colors.warning };
        case CheckStatus::fail:
            return { QStringLiteral("✕"), AuditPage::tr("fail"), colors.fail };
        case CheckStatus::undecided:
            return { QStringLiteral("?"), AuditPage::tr("undecided"), colors.warning };
        case CheckStatus::not_applicable:
            break;
        }
        return { QStringLiteral("–"), AuditPage::tr("not checked"), colors.muted };
    }

    void tint(QLabel* label, const QColor& color, const QString& more = {})
    {
        label->setStyleSheet(QStringLiteral("color: %1; %2").arg(color.name(), more));
    }

} // namespace

AuditPage::AuditPage(QWidget* parent)
    : QWidget(parent)
    , card_(new Card(tr("Audit"), this))
    , verdict_(new QLabel(this))
    , scroll_(new QScrollArea(this))
    , chart_(new charts::ChartView(this))
{
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(cardPadding, cardPadding, cardPadding, cardPadding);
    verdict_->setTextFormat(Qt::PlainText);
    verdict_->setObjectName(QStringLiteral("auditVerdict"));
    verdict_->setWordWrap(true);
    scroll_->setProperty("panel", true);
    scroll_->setWidgetResizable(true);
    scroll_->setFrameShape(QFrame::NoFrame);
    makeControls();
    card_->content()->addWidget(verdict_);
    chart_->setObjectName(QStringLiteral("auditChart"));
    chart_->setExportName(QStringLiteral("audited-table"));
    auto* both = new QSplitter(Qt::Vertical, this);
    both->setObjectName(QStringLiteral("auditSplit"));
    both->setChildrenCollapsible(false);
    both->addWidget(chart_);
    both->addWidget(scroll_);
    both->setSizes({ 1000, 1000 }); // as high as one another
    remember(both);
    card_->content()->addWidget(both, 1);
    layout->addWidget(card_);
    rebuild();
}

void AuditPage::makeControls()
{
    choice_ = new QComboBox(this);
    choice_->setObjectName(QStringLiteral("auditOf"));
    choice_->setAccessibleName(tr("Which audit is looked at"));
    choice_->setToolTip(choice_->accessibleName());
    choice_->setSizeAdjustPolicy(QComboBox::AdjustToContents);
    auto* copy = flatButton(tr("Copy"), tr("Copies the report as text"), this);
    copy->setObjectName(QStringLiteral("auditCopy"));
    auto* keep = flatButton(tr("Save …"), tr("Saves the report as a text file"), this);
    keep->setObjectName(QStringLiteral("auditSave"));
    keeping_ = { copy, keep };
    auto* open = new QPushButton(tr("Open table or file …"), this);
    open->setObjectName(QStringLiteral("auditOpen"));
    open->setToolTip(tr("Audits a results table (.csv: method, sparsity, perplexity) or a file of Keepset (.h5)"));
    auto* picture = flatButton(tr("Export …"), tr("Exports the curves as PNG, SVG, PDF or CSV"), this);
    picture->setObjectName(QStringLiteral("auditExport"));
    auto* copyPicture = flatButton(tr("Copy picture"), tr("Copies the picture of the curves"), this);
    ofChart_ = { picture, copyPicture };
    for (QWidget* control : std::initializer_list<QWidget*> { choice_, copy, keep, picture, copyPicture, open })
        card_->addControl(control);
    connect(choice_, &QComboBox::activated, this, [this] { look(static_cast<Of>(choice_->currentData().toInt())); });
    connect(copy, &QToolButton::clicked, this, [this] { QGuiApplication::clipboard()->setText(reportText()); });
    connect(keep, &QToolButton::clicked, this, &AuditPage::save);
    connect(picture, &QToolButton::clicked, this, [this] { Q_EMIT exportRequested(chart_); });
    connect(copyPicture, &QToolButton::clicked, this, [this] { Q_EMIT copyRequested(chart_); });
    connect(open, &QPushButton::clicked, this, &AuditPage::openRequested);
}

std::vector<const Exportable*> AuditPage::exportables() const { return { chart_ }; }

void AuditPage::setReport(Of of, const AuditReport& report, const Shown& shown, charts::ChartData curves)
{
    const bool first = !entry().known;
    entries_[static_cast<std::size_t>(of)] = { report, shown, std::move(curves), true };
    if (first || of == Of::table || of == of_)
        look(of);
    else
        fillChoice();
}

void AuditPage::look(Of of)
{
    of_ = of;
    rebuild();
    Q_EMIT lookedAtChanged();
}

void AuditPage::fillChoice()
{
    choice_->clear();
    const std::array titles { tr("analysis"), tr("sweep"), entries_[2].shown.file };
    for (std::size_t of = 0; of < entries_.size(); ++of) {
        if (!entries_[of].known)
            continue;
        const QString sign = entries_[of].report.failed() ? QStringLiteral("✕ ") : QString();
        choice_->addItem(sign + titles[of], static_cast<int>(of));
    }
    choice_->setCurrentIndex(choice_->findData(static_cast<int>(of_)));
    choice_->setVisible(choice_->count() > 1);
    for (QWidget* control : keeping_)
        control->setVisible(entry().known);
}

void AuditPage::save()
{
    const QString path = askNewFile(
        this, { QStringLiteral("export"), tr("Save the report"), tr("Text (*.txt)"), QStringLiteral("audit.txt") });
    if (path.isEmpty())
        return;
    if (const auto problem = writeWhole((reportText() + QLatin1Char('\n')).toUtf8(), path))
        Q_EMIT saveFailed(*problem);
}

void AuditPage::changeEvent(QEvent* event)
{
    QWidget::changeEvent(event);
    if (event->type() == QEvent::PaletteChange) // later: the application is walking through its widgets
        QMetaObject::invokeMethod(this, &AuditPage::rebuild, Qt::QueuedConnection);
}

void AuditPage::showVerdict()
{
    const Theme& colors = themeOf(this);
    const AuditReport& report = entry().report;
    const auto count = [&](CheckStatus status) {
        return static_cast<int>(std::ranges::count(report.checks, status, &Check::status));
    };
    if (report.checks.empty()) {
        verdict_->setText(
            tr("Nothing to audit yet. An analysis and a sweep are audited as they are made; a results table "
               "from elsewhere can be opened here."));
        tint(verdict_, colors.muted);
    } else if (report.failed()) {
        verdict_->setText((count(CheckStatus::fail) == 1
                ? tr("1 check fails: this result must not be believed as it stands.")
                : tr("%1 checks fail: this result must not be believed as it stands.").arg(count(CheckStatus::fail))));
        tint(verdict_, colors.fail, QStringLiteral("font-weight: 600"));
    } else if (report.warned()) {
        verdict_->setText(tr("No check fails; warnings: %1.").arg(count(CheckStatus::warning)));
        tint(verdict_, colors.warning, QStringLiteral("font-weight: 600"));
    } else {
        verdict_->setText(tr("Every check that applies passes."));
        tint(verdict_, colors.pass, QStringLiteral("font-weight: 600"));
    }
}

void AuditPage::rebuild()
{
    fillChoice();
    showVerdict();
    card_->setSubtitle(lineOf(shown()));
    chart_->setData(entry().curves);
    chart_->setShown(shown());
    chart_->setVisible(chart_->hasContent());
    for (QWidget* control : ofChart_)
        control->setVisible(chart_->hasContent());
    auto* list = new QWidget(scroll_);
    auto* rows = new QVBoxLayout(list);
    rows->setContentsMargins(0, 6, 8, 0);
    rows->setSpacing(0);
    for (const CheckStatus status : { CheckStatus::fail, CheckStatus::undecided, CheckStatus::warning,
             CheckStatus::pass, CheckStatus::not_applicable }) {
        for (const Check& check : entry().report.checks) {
            if (check.status == status)
                addCheck(rows, check);
        }
    }
    rows->addStretch(1);
    if (QWidget* old = scroll_->takeWidget())
        old->deleteLater();
    scroll_->setWidget(list);
    list->setAutoFillBackground(false);
    scroll_->viewport()->setAutoFillBackground(false);
}

void AuditPage::addCheck(QVBoxLayout* rows, const Check& check)
{
    const Look look = lookOf(check.status, themeOf(this));
    auto* row = new QWidget;
    row->setObjectName(QStringLiteral("check-") + QString::fromStdString(check.name));
    row->setAccessibleName(QString::fromStdString(check.name) + QStringLiteral(": ") + look.word);
    row->setAccessibleDescription(QString::fromStdString(check.detail));
    auto* line = new QHBoxLayout(row);
    line->setContentsMargins(0, 9, 0, 9);
    line->setSpacing(12);
    auto* state = new QLabel(look.sign + QStringLiteral("  ") + look.word, row);
    state->setFixedWidth(104);
    tint(state, look.color, QStringLiteral("font-weight: 600"));
    auto* name = roleLabel(QString::fromStdString(check.name), "strong", row);
    name->setFixedWidth(110);
    auto* detail = new QLabel(QString::fromStdString(check.detail), row);
    detail->setWordWrap(true);
    detail->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
    for (QLabel* label : { state, name, detail }) {
        label->setTextFormat(Qt::PlainText);
        label->setAlignment(Qt::AlignTop | Qt::AlignLeft);
    }
    line->addWidget(state);
    line->addWidget(name);
    line->addWidget(detail, 1);
    auto* rule = new QFrame;
    rule->setFixedHeight(1);
    rule->setStyleSheet(QStringLiteral("background: %1; border: 0").arg(themeOf(this).line.name()));
    rows->addWidget(rule);
    rows->addWidget(row);
}

QString AuditPage::reportText() const
{
    QStringList lines { lineOf(shown()) };
    for (const Check& check : entry().report.checks)
        lines << QString::fromStdString(check.name + ": " + name_of(check.status) + ": " + check.detail);
    return lines.join(QLatin1Char('\n'));
}

} // namespace keepset::ui
