#pragma once

#include <QObject>
#include <QString>

#include <vector>

class QMenu;
class QWidget;

namespace keepset::ui {

class Exportable;

/// The one way of charts into files: for the menu, the buttons beside charts, and pictures without a display.
class Exporter : public QObject {
    Q_OBJECT

public:
    /// `window`: over which questions appear.
    explicit Exporter(QWidget* window);

    /// A chart that the menu offers while there is something on it. It outlives the exporter's use.
    void add(const Exportable* chart);
    /// An entry for every chart; those that show nothing are disabled.
    void fillMenu(QMenu* menu);
    /// The same, to copy them.
    void fillCopyMenu(QMenu* menu);
    /// Puts a chart's picture into the clipboard; it does nothing where there is none.
    void copy(const Exportable* chart);
    /// Asks where to and in which format, then writes; says what came of it.
    void ask(const Exportable* chart);
    /// Writes every chart that shows something, named by what it is.
    void writeAll(const QString& folder, const QString& suffix);

Q_SIGNALS:
    void exported(const QString& path);
    void copied(const QString& title);
    void failed(const QString& sentence);

private:
    void fill(QMenu* menu, bool copies);
    void write(const Exportable& chart, const QString& path);

    QWidget* window_;
    std::vector<const Exportable*> charts_;
};

} // namespace keepset::ui
