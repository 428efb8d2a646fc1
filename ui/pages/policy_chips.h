#pragma once

#include "core/policies.h"

#include <QWidget>

#include <optional>
#include <vector>

class QLineEdit;
class QToolButton;

namespace keepset::ui {

class FlowLayout;
class PolicyEditor;

/// Policies of a sweep as chips with the mark they have in charts: any of the table, with any parameters, several
/// variants of one side by side. A click on a chip opens its parameters below, ✕ or Delete removes it, Undo or Ctrl+Z
/// takes the last change back, + adds. The same list can be written as text.
class PolicyChips : public QWidget {
    Q_OBJECT
    Q_PROPERTY(QString spelling READ spelling WRITE setSpelling NOTIFY changed USER true) // what is remembered

public:
    explicit PolicyChips(QWidget* parent = nullptr);

    const std::vector<PolicySpec>& policies() const { return specs_; }
    /// Shows others; there is nothing to undo then.
    void setPolicies(std::vector<PolicySpec> specs);
    /// "dense, h2o, cab(local=0.4)".
    QString spelling() const;
    /// Text that says no policies of this version changes nothing.
    void setSpelling(const QString& text);
    /// What is wrong with the list, in a sentence; empty: nothing.
    QString problem() const;

Q_SIGNALS:
    void changed();

protected:
    void changeEvent(QEvent* event) override;
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    void makeControls();
    void makeEditor();
    void add(PolicySpec spec, std::size_t place);
    void remove(std::size_t index);
    void edit(std::size_t index, const PolicySpec& spec);
    void undo();
    void readText(const QString& text);
    void writeText();
    void keep();
    void rebuild();
    void rebuildChips();
    QToolButton* makeChip(std::size_t index);
    void addCross(QToolButton& chip, std::size_t index);
    void open(std::optional<std::size_t> index);
    void showEditor();

    std::vector<PolicySpec> specs_;
    std::vector<std::vector<PolicySpec>> history_; ///< lists before each change, the newest last
    std::optional<std::size_t> open_; ///< whose parameters are shown
    bool editing_ = false; ///< further edits of the one that is open are the same change
    QString textProblem_; ///< of what stands in the line; empty: it says specs_
    FlowLayout* flow_;
    std::vector<QToolButton*> chips_; ///< one a policy
    QToolButton* add_ = nullptr;
    QToolButton* undo_ = nullptr;
    QToolButton* asText_ = nullptr;
    QLineEdit* line_ = nullptr;
    PolicyEditor* editor_ = nullptr;
};

} // namespace keepset::ui
