#pragma once

#include "core/audit_report.h"

#include <QLabel>

namespace keepset::ui {

/// An audit in a few words: which checks fail, are undecided, warn and pass. Each state is a link to the audit's page.
class AuditLine : public QLabel {
    Q_OBJECT

public:
    explicit AuditLine(QWidget* parent = nullptr);
    void setReport(const AuditReport& report);

protected:
    void changeEvent(QEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void paintEvent(QPaintEvent* event) override;

private:
    AuditReport report_;
};

} // namespace keepset::ui
