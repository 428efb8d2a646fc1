#include "ui/shown_state.h"

#include "core/analysis.h"
#include "ui/row_state.h"
#include "ui/selection_state.h"

#include <QDir>
#include <QFileInfo>

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
    if (!model_ || model_->path != model.path)
        modelHash_.clear();
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
    analysisModel_ = file.isEmpty() && model_ ? QString::fromStdString(model_->path) : QString();
    if (!analysisModel_.isEmpty() && rows_->analysis())
        modelHash_ = QString::fromStdString(rows_->analysis()->provenance.model_sha256);
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

/// Two folders of one name may hold two models. Where a hash is not known, the name decides.
bool ShownState::isOfOpenWeights(const Provenance& provenance) const
{
    return modelHash_.isEmpty() || provenance.model_sha256.empty()
        || modelHash_ == QString::fromStdString(provenance.model_sha256);
}

/// What tells a model from the open one that has its name: the folder it was opened from, or its weights.
QString ShownState::namesake(const Provenance& provenance, const QString& madeIn) const
{
    if (!model_ || modelFolder_ != QString::fromStdString(provenance.model_name))
        return {};
    if (!madeIn.isEmpty())
        return madeIn == QString::fromStdString(model_->path) ? QString() : tr("in %1").arg(QFileInfo(madeIn).path());
    return isOfOpenWeights(provenance)
        ? QString()
        : tr("weights %1 …").arg(QString::fromStdString(provenance.model_sha256).first(8));
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
    const Provenance& from = analysis->provenance;
    const bool here = analysisModel_.isEmpty() ? isOfOpenWeights(from) : analysisModel_.toStdString() == model_->path;
    Shown shown = completed(shownOf(*analysis, *selection_, rows_->scopeTitle()), analysisFile_,
        here && isOfOpen(from, analysis->layers, analysis->kv_heads));
    shown.namesake = namesake(from, analysisModel_);
    return shown;
}

Shown ShownState::run() const
{
    if (!run_)
        return {};
    const Provenance& from = run_->provenance;
    Shown shown
        = completed(shownOf(*run_), runFile_, isOfOpenWeights(from) && isOfOpen(from, run_->layers, run_->kv_heads));
    shown.namesake = namesake(from, {});
    return shown;
}

} // namespace keepset::ui

#include "moc_shown_state.cpp"
