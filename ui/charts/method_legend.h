#pragma once

#include "ui/plot/style.h"

#include <QWidget>

#include <set>
#include <string>
#include <vector>

class QToolButton;

namespace keepset::ui::charts {

/// The legend of charts that show the same methods, as a row of chips that wraps. A click hides a method or shows it
/// again; a double click, a click with Ctrl, or Return shows it alone, and once more shows all. A method that is
/// pointed at is told, so that charts bring it forward.
class MethodLegend : public QWidget {
    Q_OBJECT

public:
    struct Method {
        std::string key;
        QString name;
        plot::MethodStyle look;
        bool operator==(const Method&) const = default;
    };
    explicit MethodLegend(QWidget* parent = nullptr);

    /// What is hidden stays so, by its key.
    void setMethods(std::vector<Method> methods);
    const std::set<std::string>& hidden() const { return hidden_; }
    void toggle(const std::string& key);
    /// Hides all others; shows all where it is alone already.
    void isolate(const std::string& key);
    /// Marks the chip of a method that is pointed at elsewhere.
    void setHighlighted(const std::string& key);

Q_SIGNALS:
    void hiddenChanged(const std::set<std::string>& keys);
    void highlightChanged(const std::string& key); ///< empty: none

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;
    void changeEvent(QEvent* event) override;

private:
    bool has(const std::string& key) const;
    void showState();

    std::vector<Method> methods_;
    std::vector<QToolButton*> chips_; ///< one a method
    std::set<std::string> hidden_;
};

} // namespace keepset::ui::charts
