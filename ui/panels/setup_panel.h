#pragma once

#include "core/analysis.h"
#include "core/model_info.h"
#include "core/preflight.h"

#include <QWidget>

#include <optional>

class QComboBox;
class QLabel;
class QSlider;
class QSpinBox;
class QVBoxLayout;

namespace keepset::ui {

class PolicyList;
class SelectionState;

/// What is analysed and how it is looked at: model, text, context, scores, scope, sparsity, policies; and the state of
/// the audit in one line.
class SetupPanel : public QWidget {
    Q_OBJECT

public:
    explicit SetupPanel(SelectionState* selection, QWidget* parent = nullptr);

    void setModel(const std::optional<ModelInfo>& model);
    void setMemory(const MemoryNeed& need);
    void setText(const QString& name, std::optional<qint64> tokens);
    /// What should be known about the text before its numbers are compared: sentences, often none.
    void setTextNotes(const QStringList& notes);
    /// Sizes of the result shown, which need not be those of the open model.
    void setAnalysis(const Analysis& analysis);
    void setAudit(const AuditReport& report);
    /// Tokens asked for; 0: the whole text.
    std::int64_t context() const;
    void setContext(std::int64_t context);
    std::int64_t offset() const;
    PolicyList* policyList() const { return policies_; }

Q_SIGNALS:
    void auditClicked();
    void contextChanged(qint64 context);

protected:
    void changeEvent(QEvent* event) override;

private:
    void build();
    QVBoxLayout* section(const QString& title);
    void buildModelAndText();
    void buildChoices();
    void buildScope();
    void buildSparsity();
    void fillContexts(std::int64_t most);
    void showScope();
    void showSparsity();

    SelectionState* selection_;
    QVBoxLayout* layout_ = nullptr;
    QLabel* modelName_ = nullptr;
    QLabel* modelShape_ = nullptr;
    QLabel* modelSize_ = nullptr;
    QLabel* memory_ = nullptr;
    QLabel* textName_ = nullptr;
    QLabel* textTokens_ = nullptr;
    QLabel* textNotes_ = nullptr;
    QComboBox* context_ = nullptr;
    QSpinBox* offset_ = nullptr;
    QComboBox* importance_ = nullptr;
    QComboBox* gqa_ = nullptr;
    QComboBox* granularity_ = nullptr;
    QComboBox* layer_ = nullptr;
    QComboBox* head_ = nullptr;
    QSlider* sparsity_ = nullptr;
    QLabel* sparsityText_ = nullptr;
    QLabel* keptText_ = nullptr;
    PolicyList* policies_ = nullptr;
    QLabel* auditText_ = nullptr;
    AuditReport audit_;
    std::int64_t analysed_ = 0; ///< tokens in the analysis shown
};

} // namespace keepset::ui
