#pragma once

#include "core/model_info.h"
#include "core/run.h"

#include <QWidget>

#include <optional>

class QComboBox;
class QLabel;
class QLineEdit;
class QPushButton;
class QSpinBox;
class QToolButton;

namespace keepset::ui {

class ElidedLabel;
class FlowLayout;
class PolicyChips;

/// Halves context and target until a window fits into the model's positions and five of them into the text, because
/// fewer give no interval; a context of 64 or less is left to be refused. `tokens` of the text, where they are known.
void fitSizes(SweepRequest& request, const ModelInfo& model, std::optional<std::int64_t> tokens);

/// The set-up of a sweep: fields with their errors beside them, what it would take, and Start, Pause, Stop, Go on.
class SweepForm : public QWidget {
    Q_OBJECT

public:
    explicit SweepForm(QWidget* parent = nullptr);

    /// What the fields say, without text and file; nothing where they have an error.
    std::optional<SweepRequest> request() const;
    /// Fills the fields.
    void setRequest(const SweepRequest& request);
    /// Fills those fields that still hold what was proposed before: what the user typed stays.
    void propose(const SweepRequest& request);
    /// What the sweep of the fields would take, and what should be known before it starts.
    void setEstimate(const QString& words, const QStringList& warnings);
    /// GPUs that a sweep can be shared by; below 2 nothing is offered.
    void setGpus(int gpus);
    /// Why nothing can be started (no model yet, …); empty where it can.
    void setObstacle(const QString& sentence);
    /// `running`: a sweep is under way; `partial`: an unfinished one is on the page and can go on.
    void setState(bool running, bool partial);

Q_SIGNALS:
    void changed(); ///< a field has another content
    void startRequested(const keepset::SweepRequest& request);
    void goOnRequested(); ///< with the run on the page, whatever the fields say
    void pauseRequested();
    void stopRequested();
    void copyRequested(); ///< of the command that does what the fields say
    void gpusRequested(); ///< the same on all GPUs

private:
    void addFields();
    void addField(const QString& caption, QWidget* field, int least);
    QString problem() const;
    void check();
    void makeButtons();
    void start();

    PolicyChips* policies_;
    QLineEdit* sparsities_;
    QComboBox* protocol_;
    QComboBox* granularity_;
    QSpinBox* context_;
    QSpinBox* target_;
    QSpinBox* windows_;
    QPushButton* start_ = nullptr;
    QPushButton* pause_ = nullptr;
    QPushButton* stop_ = nullptr;
    QPushButton* goOn_ = nullptr;
    QToolButton* copy_ = nullptr;
    QToolButton* gpus_ = nullptr;
    QLabel* error_;
    ElidedLabel* estimate_;
    ElidedLabel* warnings_;
    FlowLayout* fields_; ///< and the buttons
    std::optional<SweepRequest> proposed_;
    QString obstacle_;
    bool running_ = false;
    bool partial_ = false;
};

} // namespace keepset::ui
