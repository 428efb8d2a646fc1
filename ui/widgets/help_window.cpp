#include "ui/widgets/help_window.h"

#include "ui/theme.h"

#include <QDesktopServices>
#include <QFile>
#include <QHBoxLayout>
#include <QListWidget>
#include <QRegularExpression>
#include <QTextBlock>
#include <QTextCursor>
#include <QTextDocument>

#include <array>

namespace keepset::ui {

namespace {

    struct Page {
        const char* file;
        const char* title;
    };
    constexpr std::array pages = {
        Page { "index.md", QT_TRANSLATE_NOOP("keepset::ui::HelpWindow", "Contents") },
        Page { "first-steps.md", QT_TRANSLATE_NOOP("keepset::ui::HelpWindow", "First steps") },
        Page { "numbers.md", QT_TRANSLATE_NOOP("keepset::ui::HelpWindow", "What the numbers mean") },
        Page { "policies.md", QT_TRANSLATE_NOOP("keepset::ui::HelpWindow", "Policies") },
        Page { "files.md", QT_TRANSLATE_NOOP("keepset::ui::HelpWindow", "Files") },
        Page { "command-line.md", QT_TRANSLATE_NOOP("keepset::ui::HelpWindow", "Command line") },
        Page { "benchmarks.md", QT_TRANSLATE_NOOP("keepset::ui::HelpWindow", "Benchmarks") },
    };

    /// Space around lines and cells, which Markdown leaves to the reader.
    void spread(QTextDocument* document)
    {
        for (QTextBlock block = document->begin(); block.isValid(); block = block.next()) {
            QTextCursor cursor(block);
            QTextBlockFormat format = block.blockFormat();
            format.setLineHeight(135, QTextBlockFormat::ProportionalHeight);
            if (format.headingLevel() > 0)
                format.setTopMargin(14);
            cursor.setBlockFormat(format);
        }
    }

} // namespace

HelpWindow::HelpWindow(QWidget* parent)
    : QWidget(parent, Qt::Window)
    , browser_(new QTextBrowser(this))
{
    setWindowTitle(tr("Keepset manual"));
    setObjectName(QStringLiteral("helpWindow"));
    resize(980, 720);
    auto* layout = new QHBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    auto* list = new QListWidget(this);
    list->setFixedWidth(200);
    list->setAccessibleName(tr("Pages of the manual"));
    for (const Page& page : pages)
        list->addItem(tr(page.title));
    layout->addWidget(list);
    browser_->setOpenLinks(false);
    browser_->document()->setDocumentMargin(24);
    layout->addWidget(browser_, 1);
    connect(list, &QListWidget::currentRowChanged, this,
        [this](int row) { open(QLatin1String(pages[static_cast<std::size_t>(row)].file)); });
    connect(browser_, &QTextBrowser::anchorClicked, this, [this](const QUrl& url) {
        if (url.isRelative() && url.path().endsWith(QStringLiteral(".md")))
            open(url.path());
        else if (url.isRelative())
            browser_->scrollToAnchor(url.fragment());
        else
            QDesktopServices::openUrl(url);
    });
}

void HelpWindow::open(const QString& page)
{
    QFile file(QStringLiteral(":/help/") + page.section(QLatin1Char('/'), -1));
    if (!file.open(QIODevice::ReadOnly)) {
        browser_->setPlainText(tr("The page %1 is not in this build.").arg(page));
        return;
    }
    browser_->document()->setBaseUrl(QUrl(QStringLiteral("qrc:/help/")));
    browser_->setMarkdown(QString::fromUtf8(file.readAll()));
    spread(browser_->document());
}

} // namespace keepset::ui

#include "moc_help_window.cpp"
