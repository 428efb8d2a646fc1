#include "ui/settings.h"

#include "core/engine.h"
#include "ui/selection_state.h"

#include <QAbstractButton>
#include <QComboBox>
#include <QDir>
#include <QFileDialog>
#include <QFileInfo>
#include <QLineEdit>
#include <QMetaProperty>
#include <QSettings>
#include <QSpinBox>
#include <QSplitter>

namespace keepset::ui {

namespace {

    constexpr qsizetype longestList = 8;
    constexpr const char* mark = "remembered";

    QString marksKey(const QString& text) { return QStringLiteral("marks/") + text; }

    QString keyOf(const QWidget& control) { return QStringLiteral("controls/") + control.objectName(); }

    /// An entry by what it stands for, where it says so: its words change with the language, its place with the model.
    QVariant stateOf(const QWidget* control)
    {
        if (const auto* box = qobject_cast<const QComboBox*>(control))
            return box->currentData().isValid() ? box->currentData() : QVariant(box->currentIndex());
        if (const auto* button = qobject_cast<const QAbstractButton*>(control))
            return button->isChecked();
        if (const auto* spin = qobject_cast<const QSpinBox*>(control))
            return spin->value();
        if (const auto* line = qobject_cast<const QLineEdit*>(control))
            return line->text();
        if (const auto* split = qobject_cast<const QSplitter*>(control))
            return split->saveState();
        return control->property(control->metaObject()->userProperty().name());
    }

    void setState(QWidget* control, const QVariant& state)
    {
        if (auto* box = qobject_cast<QComboBox*>(control)) {
            const bool byData = box->currentData().isValid();
            const int index = byData ? box->findData(state) : state.toInt();
            if (index >= 0 && index < box->count())
                box->setCurrentIndex(index);
        } else if (auto* button = qobject_cast<QAbstractButton*>(control)) {
            button->setChecked(state.toBool());
        } else if (auto* spin = qobject_cast<QSpinBox*>(control)) {
            spin->setValue(state.toInt());
        } else if (auto* line = qobject_cast<QLineEdit*>(control)) {
            line->setText(state.toString());
        } else if (auto* split = qobject_cast<QSplitter*>(control)) {
            split->restoreState(state.toByteArray());
        } else {
            control->setProperty(control->metaObject()->userProperty().name(), state);
        }
    }

    template <typename Value> void readChoice(const char* key, Value& value)
    {
        const QSettings settings;
        if (!settings.contains(QLatin1String(key)))
            return;
        try {
            from_name(settings.value(QLatin1String(key)).toString().toStdString(), value);
        } catch (const Error&) { // of another version: as at the first start
        }
    }

    /// A policy by its canonical spelling; nothing where this version has no such policy.
    PolicySpec policyNamed(const QString& name)
    {
        try {
            return name.isEmpty() ? PolicySpec {} : parse_policy(name.toStdString());
        } catch (const Error&) {
            return {};
        }
    }

    QString folderKey(const FileQuestion& question) { return QStringLiteral("folders/") + question.kind; }

    QString folderOf(const FileQuestion& question)
    {
        const QString folder = QSettings().value(folderKey(question)).toString();
        return QDir(folder).exists() ? folder : QString();
    }

    void keepFolder(const FileQuestion& question, const QString& path)
    {
        if (!path.isEmpty())
            QSettings().setValue(folderKey(question), QFileInfo(path).absolutePath());
    }

} // namespace

void remember(QWidget* control) { control->setProperty(mark, true); }

void readRemembered(const QWidget& root)
{
    const QSettings settings;
    for (QWidget* control : root.findChildren<QWidget*>()) {
        if (control->property(mark).toBool() && settings.contains(keyOf(*control)))
            setState(control, settings.value(keyOf(*control)));
    }
}

void writeRemembered(const QWidget& root)
{
    QSettings settings;
    for (const QWidget* control : root.findChildren<QWidget*>()) {
        if (control->property(mark).toBool())
            settings.setValue(keyOf(*control), stateOf(control));
    }
}

void readChoices(SelectionState& selection)
{
    const QSettings settings;
    selection.setSparsity(settings.value(QStringLiteral("sparsity"), selection.sparsity()).toDouble());
    Importance importance = selection.importance();
    GqaReduction gqa = selection.gqa();
    Granularity granularity = selection.granularity();
    Sliding sliding = selection.sliding();
    readChoice("importance", importance);
    readChoice("gqa", gqa);
    readChoice("granularity", granularity);
    readChoice("sliding", sliding);
    selection.setImportance(importance);
    selection.setGqa(gqa);
    selection.setGranularity(granularity);
    selection.setSliding(sliding);
    if (settings.contains(QStringLiteral("policies"))) {
        const QStringList names = settings.value(QStringLiteral("policies")).toStringList();
        selection.setPolicies(policyNamed(names.value(0)), policyNamed(names.value(1)));
    }
}

void writeChoices(const SelectionState& selection)
{
    QSettings settings;
    settings.setValue(QStringLiteral("sparsity"), selection.sparsity());
    settings.setValue(QStringLiteral("importance"), QString::fromStdString(name_of(selection.importance())));
    settings.setValue(QStringLiteral("gqa"), QString::fromStdString(name_of(selection.gqa())));
    settings.setValue(QStringLiteral("granularity"), QString::fromStdString(name_of(selection.granularity())));
    settings.setValue(QStringLiteral("sliding"), QString::fromStdString(name_of(selection.sliding())));
    QStringList names;
    for (int side = 0; side < 2; ++side)
        names << (selection.hasPolicy(side) ? QString::fromStdString(canonical(selection.policy(side))) : QString());
    settings.setValue(QStringLiteral("policies"), names);
}

std::vector<PinnedSpan> readMarks(const QString& text)
{
    try {
        return parse_pins(text.isEmpty() ? std::string() : QSettings().value(marksKey(text)).toString().toStdString());
    } catch (const Error&) { // of another version
        return {};
    }
}

void writeMarks(const QString& text, const std::vector<PinnedSpan>& spans)
{
    if (spans.empty())
        QSettings().remove(marksKey(text));
    else if (!text.isEmpty())
        QSettings().setValue(marksKey(text), QString::fromStdString(spelled(spans)));
}

QStringList recent(const QString& list)
{
    QStringList paths = QSettings().value(QStringLiteral("recent/") + list).toStringList();
    paths.removeIf([](const QString& path) { return !QFileInfo::exists(path); });
    return paths;
}

void addRecent(const QString& list, const QString& path)
{
    const QString whole = QFileInfo(path).absoluteFilePath();
    QStringList paths = recent(list);
    paths.removeAll(whole);
    paths.prepend(whole);
    QSettings().setValue(QStringLiteral("recent/") + list, paths.first(std::min(paths.size(), longestList)));
}

QString askFolder(QWidget* parent, const FileQuestion& question)
{
    const QString folder = QFileDialog::getExistingDirectory(parent, question.title, folderOf(question));
    keepFolder(question, folder); // the folder it lies in: the next model lies beside this one
    return folder;
}

QStringList askFiles(QWidget* parent, const FileQuestion& question)
{
    const QStringList paths
        = QFileDialog::getOpenFileNames(parent, question.title, folderOf(question), question.filters);
    keepFolder(question, paths.value(0));
    return paths;
}

QString askFile(QWidget* parent, const FileQuestion& question)
{
    const QString path = QFileDialog::getOpenFileName(parent, question.title, folderOf(question), question.filters);
    keepFolder(question, path);
    return path;
}

QString askNewFile(QWidget* parent, const FileQuestion& question, QString* filter)
{
    const QString place = QDir(folderOf(question)).filePath(question.name);
    const QString path = QFileDialog::getSaveFileName(parent, question.title, place, question.filters, filter);
    keepFolder(question, path);
    return path;
}

} // namespace keepset::ui
