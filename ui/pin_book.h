#pragma once

#include "core/analysis.h"
#include "core/marks.h"

#include <QObject>

#include <memory>
#include <vector>

namespace keepset::ui {

class SelectionState;

/// The spans that the user marked in the text that is shown: kept with it from one start to the next, changed step by
/// step, and given to every policy through the SelectionState.
class PinBook : public QObject {
    Q_OBJECT

public:
    explicit PinBook(SelectionState* selection, QObject* parent = nullptr);

    /// Finds what is kept with its text. Null: no text, no pins.
    void setAnalysis(std::shared_ptr<const Analysis> analysis);
    const std::shared_ptr<const Analysis>& analysis() const { return analysis_; }
    /// Apart and ascending.
    const std::vector<Pin>& pins() const;
    /// The same as bytes of the whole text, also where the analysis does not reach.
    const std::vector<PinnedSpan>& spans() const { return kept_; }
    /// Marks some spans in one step.
    void mark(const std::vector<Pin>& spans);
    void remove(std::size_t index);
    void clear();
    /// Takes the last step back.
    void undo();
    bool canUndo() const { return !before_.empty(); }

private:
    void change(std::vector<Pin> pins);
    void take(std::vector<Pin> pins);

    SelectionState* selection_;
    std::shared_ptr<const Analysis> analysis_;
    std::vector<PinnedSpan> kept_; ///< with the text
    std::vector<std::vector<Pin>> before_; ///< every step of this text
};

} // namespace keepset::ui
