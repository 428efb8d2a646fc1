#pragma once

#include "core/model_info.h"
#include "core/run.h"
#include "ui/shown.h"

#include <QObject>

#include <memory>
#include <optional>

namespace keepset {
struct Analysis;
}

namespace keepset::ui {

class RowState;
class SelectionState;

/// Which model and text are open, what the results shown are of, and whether these are the same.
class ShownState : public QObject {
    Q_OBJECT

public:
    ShownState(SelectionState* selection, RowState* rows, QObject* parent = nullptr);

    void openModel(const ModelInfo& model);
    /// By its SHA-256, hexadecimal.
    void openText(const QString& hash);
    /// SHA-256 of the open text, hexadecimal; empty: none.
    const QString& textHash() const { return textHash_; }
    /// `file`: where it was read from; empty: it was made here.
    void takeAnalysis(const QString& file);
    void takeRun(std::shared_ptr<const Run> run, const QString& file);
    /// Of the analysis in `rows`, as it is looked at.
    Shown analysis() const;
    Shown run() const;

Q_SIGNALS:
    void changed();

private:
    bool isOfOpen(const Provenance& provenance, std::int64_t layers, std::int64_t kvHeads) const;
    bool isOfOpenWeights(const Provenance& provenance) const;
    Shown completed(Shown shown, const QString& file, bool ofOpen) const;
    QString namesake(const Provenance& provenance, const QString& madeIn) const;

    SelectionState* selection_;
    RowState* rows_;
    std::optional<ModelInfo> model_;
    QString modelFolder_; ///< its name, as results have it
    QString modelHash_; ///< SHA-256 of its weights; empty: no result of it has told it yet
    QString textHash_; ///< SHA-256; empty: no text is open
    std::shared_ptr<const Run> run_;
    QString analysisFile_;
    QString analysisModel_; ///< folder of the model that the analysis was made with here; empty: it is of a file
    QString runFile_;
};

} // namespace keepset::ui
