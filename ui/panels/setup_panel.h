#pragma once

#include "core/analysis.h"
#include "core/model_info.h"
#include "core/preflight.h"
#include "ui/shown.h"

#include <QWidget>

#include <optional>

class QComboBox;
class QHBoxLayout;
class QLabel;
class QSlider;
class QSpinBox;
class QVBoxLayout;

namespace keepset::ui {

class AuditLine;
class ElidedLabel;
class ImportanceChoice;
class PolicyList;
class SelectionState;

/// Above, what the next analysis takes: model, text, passage. Below, what is shown and how it is looked at: scores,
/// scope, sparsity, policies; and the state of its audit in one line.
class SetupPanel : public QWidget {
    Q_OBJECT

public:
    SetupPanel(SelectionState* selection, ImportanceChoice* importance, QWidget* parent = nullptr);

    void setModel(const std::optional<ModelInfo>& model);
    void setMemory(const MemoryNeed& need);
    void setText(const QString& name, std::optional<qint64> tokens);
    /// What should be known about the text before its numbers are compared: sentences, often none.
    void setTextNotes(const QStringList& notes);
    /// Sizes of the result shown, which need not be those of the open model.
    void setAnalysis(const Analysis& analysis);
    void setAudit(const AuditReport& report);
    /// Of what the analysis shown is.
    void setShown(const Shown& shown);
    /// Tokens asked for; 0: the whole text.
    std::int64_t context() const;
    void setContext(std::int64_t context);
    std::int64_t offset() const;
    void setOffset(std::int64_t offset);

Q_SIGNALS:
    void auditClicked();
    void contextChanged(qint64 context);

private:
    void build();
    void group(const QString& title, const QString& what);
    /// A caption and room for what it names; `named`: the control that the caption belongs to.
    QVBoxLayout* section(const QString& title, QWidget* named = nullptr);
    ElidedLabel* line(const char* role, const char* name = nullptr);
    QHBoxLayout* beside(std::initializer_list<QWidget*> widgets);
    void buildModelAndText();
    void buildPassage();
    void buildScores();
    void buildScope();
    void buildSparsity();
    void fillContexts(std::int64_t most);
    void showScope();
    void showSparsity();

    SelectionState* selection_;
    ImportanceChoice* importance_;
    QVBoxLayout* layout_ = nullptr;
    ElidedLabel* modelName_ = nullptr;
    ElidedLabel* modelShape_ = nullptr;
    ElidedLabel* modelSize_ = nullptr;
    ElidedLabel* memory_ = nullptr;
    ElidedLabel* textName_ = nullptr;
    QLabel* textTokens_ = nullptr;
    QLabel* textNotes_ = nullptr;
    QLabel* shownText_ = nullptr;
    QComboBox* context_ = nullptr;
    QSpinBox* offset_ = nullptr;
    QComboBox* gqa_ = nullptr;
    QComboBox* sliding_ = nullptr; ///< shown where the model has sliding layers
    QComboBox* granularity_ = nullptr;
    QComboBox* layer_ = nullptr;
    QComboBox* head_ = nullptr;
    QSlider* sparsity_ = nullptr;
    QLabel* sparsityText_ = nullptr;
    QLabel* keptText_ = nullptr;
    PolicyList* policies_ = nullptr;
    AuditLine* audit_ = nullptr;
    std::int64_t analysed_ = 0; ///< tokens in the analysis shown
};

} // namespace keepset::ui
