#pragma once

#include "core/model_info.h"
#include "core/run.h"

#include <QWidget>

#include <array>
#include <optional>

class QComboBox;
class QHBoxLayout;
class QLabel;
class QLineEdit;
class QPushButton;
class QSpinBox;

namespace keepset::ui {

/// Halves context and target until a window fits into the model's positions and five of them into the text, because
/// fewer give no interval; a context of 64 or less is left to be refused. `tokens` of the text, where they are known.
void fitSizes(SweepRequest& request, const ModelInfo& model, std::optional<std::int64_t> tokens);

/// The set-up of a sweep: fields with their errors beside them, and Start, Stop, Go on.
class SweepForm : public QWidget {
    Q_OBJECT

public:
    explicit SweepForm(QWidget* parent = nullptr);

    /// What the fields say, without text and file; nothing where they have an error.
    std::optional<SweepRequest> request() const;
    /// Fills the fields.
    void setRequest(const SweepRequest& request);
    /// Why nothing can be started (no model yet, …); empty where it can.
    void setObstacle(const QString& sentence);
    /// `running`: a sweep is under way; `partial`: an unfinished one is on the page and can go on.
    void setState(bool running, bool partial);

Q_SIGNALS:
    void startRequested(const keepset::SweepRequest& request);
    void stopRequested();

private:
    void addFields();
    void addField(std::size_t row, const QString& caption, QWidget* field, int stretch);
    QString problem() const;
    void check();
    void start(bool resume);

    QLineEdit* policies_;
    QLineEdit* sparsities_;
    QComboBox* protocol_;
    QComboBox* granularity_;
    QSpinBox* context_;
    QSpinBox* target_;
    QSpinBox* windows_;
    QPushButton* start_;
    QPushButton* stop_;
    QPushButton* goOn_;
    QLabel* error_;
    std::array<QHBoxLayout*, 2> rows_; ///< what is swept and the buttons; how it is measured
    QString obstacle_;
    bool running_ = false;
    bool partial_ = false;
};

} // namespace keepset::ui
