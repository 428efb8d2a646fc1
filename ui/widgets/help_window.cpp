#include "ui/widgets/help_window.h"

#include "ui/style.h"
#include "ui/theme.h"
#include "ui/widgets/help_document.h"
#include "ui/widgets/labels.h"

#include <QDesktopServices>
#include <QEvent>
#include <QFile>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QLabel>
#include <QLineEdit>
#include <QListWidget>
#include <QShortcut>
#include <QSignalBlocker>
#include <QTextBrowser>
#include <QToolButton>
#include <QVBoxLayout>

#include <algorithm>
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
        Page { "own-method.md", QT_TRANSLATE_NOOP("keepset::ui::HelpWindow", "Your own method") },
        Page { "families.md", QT_TRANSLATE_NOOP("keepset::ui::HelpWindow", "Model families") },
        Page { "files.md", QT_TRANSLATE_NOOP("keepset::ui::HelpWindow", "Files") },
        Page { "command-line.md", QT_TRANSLATE_NOOP("keepset::ui::HelpWindow", "Command line") },
        Page { "benchmarks.md", QT_TRANSLATE_NOOP("keepset::ui::HelpWindow", "Benchmarks") },
    };

    std::size_t indexOf(const QString& page)
    {
        const auto found
            = std::ranges::find_if(pages, [&](const Page& other) { return page == QLatin1String(other.file); });
        return static_cast<std::size_t>(found - pages.begin());
    }

    QString readPage(const QString& page)
    {
        QFile file(QStringLiteral(":/help/") + page);
        return file.open(QIODevice::ReadOnly) ? QString::fromUtf8(file.readAll()) : QString();
    }

} // namespace

HelpWindow::HelpWindow(QWidget* parent)
    : QWidget(parent, Qt::Window)
    , browser_(new QTextBrowser(this))
    , list_(new QListWidget(this))
{
    setWindowTitle(tr("Keepset manual"));
    setObjectName(QStringLiteral("helpWindow"));
    resize(980, 720);
    list_->setFixedWidth(200);
    list_->setAccessibleName(tr("Pages of the manual"));
    nameForStyle(list_, QStringLiteral("helpPages"));
    for (const Page& page : pages)
        list_->addItem(tr(page.title));
    browser_->setOpenLinks(false);
    browser_->setAccessibleName(tr("Page of the manual"));
    browser_->document()->setDocumentMargin(24);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    layout->addWidget(makeBar());
    auto* row = new QHBoxLayout;
    row->addWidget(list_);
    row->addWidget(browser_, 1);
    layout->addLayout(row, 1);
    connect(list_, &QListWidget::currentRowChanged, this,
        [this](int index) { open(QLatin1String(pages[static_cast<std::size_t>(index)].file)); });
    connect(browser_, &QTextBrowser::anchorClicked, this, [this](const QUrl& url) {
        if (url.isRelative() && url.path().endsWith(QStringLiteral(".md")))
            open(url.path());
        else if (url.isRelative())
            browser_->scrollToAnchor(url.fragment());
        else
            QDesktopServices::openUrl(url);
    });
}

QWidget* HelpWindow::makeBar()
{
    auto* bar = new QWidget(this);
    auto* layout = new QHBoxLayout(bar);
    layout->setContentsMargins(8, 6, 8, 6);
    back_ = flatButton(tr("← Back"), tr("Shows the page before (Alt+Left)"), bar);
    back_->setObjectName(QStringLiteral("helpBack"));
    back_->setEnabled(false);
    found_ = roleLabel({}, "muted", bar);
    search_ = new QLineEdit(bar);
    search_->setObjectName(QStringLiteral("helpSearch"));
    search_->setPlaceholderText(tr("Search the manual … Ctrl+F"));
    search_->setAccessibleName(tr("Search the manual"));
    search_->setClearButtonEnabled(true);
    search_->setFixedWidth(260);
    layout->addWidget(back_);
    layout->addStretch(1);
    layout->addWidget(found_);
    layout->addWidget(search_);
    connect(back_, &QToolButton::clicked, this, &HelpWindow::back);
    connect(search_, &QLineEdit::returnPressed, this, [this] { find(search_->text()); });
    const auto key = [this](const QKeySequence& keys, auto slot) {
        connect(new QShortcut(keys, this), &QShortcut::activated, this, slot);
    };
    key(QKeySequence::Find, [this] { search_->setFocus(); });
    key(QKeySequence::FindNext, [this] { find(search_->text()); });
    key(QKeySequence(Qt::ALT | Qt::Key_Left), [this] { back(); });
    return bar;
}

void HelpWindow::keyPressEvent(QKeyEvent* event)
{
    if (event->key() == Qt::Key_Escape)
        close();
    else
        QWidget::keyPressEvent(event);
}

void HelpWindow::changeEvent(QEvent* event)
{
    QWidget::changeEvent(event);
    if (event->type() == QEvent::PaletteChange && !page_.isEmpty()) // later: the application is walking through
        QMetaObject::invokeMethod(
            this, [this] { load(page_); }, Qt::QueuedConnection); // its widgets
}

void HelpWindow::open(const QString& page)
{
    const QString file = page.section(QLatin1Char('/'), -1);
    if (file == page_)
        return;
    if (!page_.isEmpty())
        history_.push_back(page_);
    load(file);
}

void HelpWindow::back()
{
    if (history_.empty())
        return;
    const QString page = history_.back();
    history_.pop_back();
    load(page);
}

void HelpWindow::load(const QString& page)
{
    page_ = page;
    const QString text = readPage(page);
    browser_->document()->setBaseUrl(QUrl(QStringLiteral("qrc:/help/")));
    if (text.isEmpty())
        browser_->setPlainText(tr("The page %1 is not in this build.").arg(page));
    else
        browser_->setMarkdown(text);
    layOutHelp(*browser_->document(), themeOf(this));
    const QSignalBlocker quiet(list_);
    list_->setCurrentRow(indexOf(page) < pages.size() ? static_cast<int>(indexOf(page)) : -1);
    back_->setEnabled(!history_.empty());
    found_->clear();
}

void HelpWindow::showText(const QString& markdown)
{
    if (!page_.isEmpty())
        history_.push_back(page_);
    page_.clear();
    browser_->setMarkdown(markdown);
    layOutHelp(*browser_->document(), themeOf(this));
    back_->setEnabled(!history_.empty());
}

bool HelpWindow::find(const QString& words)
{
    if (words.isEmpty())
        return false;
    if (browser_->find(words))
        return true;
    const std::size_t here = indexOf(page_);
    for (std::size_t step = 1; step <= pages.size(); ++step) {
        const QString file = QLatin1String(pages[(here + step) % pages.size()].file);
        if (!readPage(file).contains(words, Qt::CaseInsensitive))
            continue;
        open(file);
        browser_->moveCursor(QTextCursor::Start);
        if (browser_->find(words)) // marks of the Markdown may lie between the words
            return true;
    }
    found_->setText(tr("not found"));
    return false;
}

} // namespace keepset::ui

#include "moc_help_window.cpp"
