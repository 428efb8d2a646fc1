#pragma once

#include "core/audit_report.h"

#include <QWidget>

class QLabel;
class QScrollArea;
class QVBoxLayout;

namespace keepset::ui {

class Card;

/// Every check of an audit: its state as sign and word, and what it means for the result.
class AuditPage : public QWidget {
    Q_OBJECT

public:
    explicit AuditPage(QWidget* parent = nullptr);

    /// Shows a report; `title` says of what ("demo.txt, analysis", "published.csv").
    void setReport(const AuditReport& report, const QString& title);
    /// The report as text, for copying and for tests.
    QString reportText() const;

Q_SIGNALS:
    void openRequested(); ///< the window asks for a .csv or .h5 and opens it

protected:
    void changeEvent(QEvent* event) override;

private:
    void rebuild();
    void addCheck(QVBoxLayout* rows, const Check& check);

    Card* card_;
    QLabel* verdict_;
    QScrollArea* scroll_;
    AuditReport report_;
    QString title_;
};

} // namespace keepset::ui
