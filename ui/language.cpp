#include "ui/language.h"

#include <QApplication>
#include <QLibraryInfo>
#include <QLocale>
#include <QTranslator>

namespace keepset::ui {

void speak(QApplication& application, const QLocale& locale)
{
    // Only the first: who puts English before German wants English, though there is no file of it.
    const QLocale first(locale.uiLanguages().value(0));
    auto* ours = new QTranslator(&application);
    if (!ours->load(first, QStringLiteral("keepset"), QStringLiteral("_"), QStringLiteral(":/translations"))) {
        delete ours;
        return;
    }
    application.installTranslator(ours);
    auto* dialogs = new QTranslator(&application); // Qt's own words: Save, Cancel, …
    if (dialogs->load(
            first, QStringLiteral("qtbase"), QStringLiteral("_"), QLibraryInfo::path(QLibraryInfo::TranslationsPath)))
        application.installTranslator(dialogs);
    else
        delete dialogs;
}

} // namespace keepset::ui
