#pragma once

#include "ui/run_summary.h"

#include <QWidget>

#include <vector>

class QHBoxLayout;
class QLabel;
class QPushButton;
class QToolButton;
class QTreeWidget;
class QTreeWidgetItem;

namespace keepset::ui {

/// What runs there are: newest first, pinned ones before them. It shows and asks; whoever owns the files acts.
class RunList : public QWidget {
    Q_OBJECT

public:
    explicit RunList(QWidget* parent = nullptr);

    void setRuns(const std::vector<RunSummary>& runs);
    /// The run on the page; its line is bold.
    void setShown(const QString& path);
    /// Names of the runs that lie over the chart: their boxes are ticked.
    void setLaidOver(const QStringList& names);
    /// Offers to bring back what was deleted last; an empty name: nothing was.
    void offerUndo(const QString& name);
    /// The user's colour of a run; invalid: none was chosen.
    static QColor colorOf(const QString& path);
    /// Chooses a run's line, once it is there.
    void choose(const QString& path);

Q_SIGNALS:
    void showRequested(const QString& path);
    void goOnRequested(const QString& path);
    void layOverRequested(const QString& path, bool on);
    void renameRequested(const QString& path, const QString& name);
    void deleteRequested(const QString& path);
    void undoRequested();
    void openFolderRequested(const QString& path);
    void chooseFolderRequested();
    void colorChanged(const QString& path); ///< of a run that is laid over
    void copyCommandRequested(const QString& path);

private:
    const RunSummary* chosen() const;
    QTreeWidgetItem* itemOf(const QString& path) const;
    void makeButtons(QHBoxLayout* layout);
    void fillMenu();
    void refresh();
    void refreshLater();
    void fill(QTreeWidgetItem* item, const RunSummary& run) const;
    void edited(QTreeWidgetItem* item, int column);
    void togglePin();
    void setColor(const QString& color);
    void updateButtons();

    QTreeWidget* tree_;
    QLabel* hint_;
    QPushButton* show_ = nullptr;
    QPushButton* goOn_ = nullptr;
    QToolButton* undo_ = nullptr;
    QToolButton* more_ = nullptr;
    std::vector<RunSummary> runs_;
    QStringList laidOver_;
    QString shown_;
    QString wanted_; ///< to be chosen with the next list
    bool filling_ = false; ///< what changes is not the user's doing
};

} // namespace keepset::ui
