#pragma once

#include "core/pins.h"

#include <QStringList>

#include <vector>

class QWidget;

/// What is kept from one start to the next, and under which names. All of it goes through here.
namespace keepset::ui {

class SelectionState;

/// Marks a control or splitter whose state is kept under its object name; of a widget of ours that is its user
/// property.
void remember(QWidget* control);
/// Gives the marked ones below `root` the state they were left in, and keeps the state they are in.
void readRemembered(const QWidget& root);
void writeRemembered(const QWidget& root);

/// Sparsity, importance, how heads are joined, who shares a keep set, and the policies compared.
void readChoices(SelectionState& selection);
void writeChoices(const SelectionState& selection);

/// The spans that the user marked in a text, which is known by its SHA-256; none where that is empty.
std::vector<PinnedSpan> readMarks(const QString& text);
void writeMarks(const QString& text, const std::vector<PinnedSpan>& spans);

/// Lists of what was opened: "models", "texts", "files". The newest comes first; what is gone from the disk is not
/// listed.
QStringList recent(const QString& list);
void addRecent(const QString& list, const QString& path);

/// File dialogs that begin where the last one of their kind ended. Empty: the user changed their mind.
struct FileQuestion {
    QString kind; ///< "model", "text", "file", "export"
    QString title;
    QString filters = {};
    QString name = {}; ///< proposed, where a file is to be written
};
QString askFolder(QWidget* parent, const FileQuestion& question);
QStringList askFiles(QWidget* parent, const FileQuestion& question);
QString askFile(QWidget* parent, const FileQuestion& question);
/// `filter`: the one that was chosen.
QString askNewFile(QWidget* parent, const FileQuestion& question, QString* filter = nullptr);

} // namespace keepset::ui
