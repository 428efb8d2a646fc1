#include "ui/shown_state.h"

#include "core/analysis.h"
#include "ui/row_state.h"
#include "ui/selection_state.h"

#include <QDir>

namespace keepset::ui {

ShownState::ShownState(SelectionState* selection, RowState* rows, QObject* parent)
    : QObject(parent)
    , selection_(selection)
    , rows_(rows)
{
    connect(rows_, &RowState::rowChanged, this, &ShownState::changed);
    connect(selection_, &SelectionState::sparsityChanged, this, &ShownState::changed);
    connect(selection_, &SelectionState::pinsChanged, this, &ShownState::changed);
}

void ShownState::openModel(const ModelInfo& model)
{
    model_ = model;
    modelFolder_ = QDir(QString::fromStdString(model.path)).dirName();
    Q_EMIT changed();
}

void ShownState::openText(const QString& hash)
{
    textHash_ = hash;
    Q_EMIT changed();
}

void ShownState::takeAnalysis(const QString& file)
{
    analysisFile_ = file;
    Q_EMIT changed();
}

void ShownState::takeRun(std::shared_ptr<const Run> run, const QString& file)
{
    run_ = std::move(run);
    runFile_ = file;
    Q_EMIT changed();
}

/// By what a result itself says, so that it is true of files, too.
bool ShownState::isOfOpen(const Provenance& provenance, std::int64_t layers, std::int64_t kvHeads) const
{
    return model_ && modelFolder_ == QString::fromStdString(provenance.model_name) && model_->layers == layers
        && model_->kv_heads == kvHeads && textHash_ == QString::fromStdString(provenance.text_sha256);
}

Shown ShownState::completed(Shown shown, const QString& file, bool ofOpen) const
{
    shown.file = file;
    shown.stale = !ofOpen && (model_ || !textHash_.isEmpty());
    if (ofOpen)
        shown.model = QString::fromStdString(model_->name); // as the window calls it
    if (!file.isEmpty() && shown.source == Shown::Source::analysis)
        shown.source = Shown::Source::file;
    return shown;
}

Shown ShownState::analysis() const
{
    const auto& analysis = rows_->analysis();
    if (!analysis)
        return {};
    return completed(shownOf(*analysis, *selection_, rows_->scopeTitle()), analysisFile_,
        isOfOpen(analysis->provenance, analysis->layers, analysis->kv_heads));
}

Shown ShownState::run() const
{
    if (!run_)
        return {};
    return completed(shownOf(*run_), runFile_, isOfOpen(run_->provenance, run_->layers, run_->kv_heads));
}

} // namespace keepset::ui

#include "moc_shown_state.cpp"
