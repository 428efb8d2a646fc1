#pragma once

class QApplication;
class QLocale;

namespace keepset::ui {

/// Speaks the first language that the user wants, where there is a translation of ours; English otherwise. Before the
/// first widget. Numbers keep their points in every language: see main().
void speak(QApplication& application, const QLocale& locale);

} // namespace keepset::ui
