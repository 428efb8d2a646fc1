#include "core/engine.h"
#include "tests/support/test_main.h"
#include "tests/ui/plausible.h"
#include "ui/pages/policy_chips.h"
#include "ui/plot/style.h"
#include "ui/theme.h"
#include "ui/widgets/parameter_form.h"

#include <QApplication>
#include <QComboBox>
#include <QDoubleSpinBox>
#include <QLineEdit>
#include <QMenu>
#include <QSignalSpy>
#include <QToolButton>
#include <QtTest>

using namespace keepset;
using namespace keepset::ui;

namespace {

/// A policy with a parameter of every kind, one of them a policy.
PolicyInfo anyPolicy()
{
    PolicyInfo info;
    info.name = "any";
    info.parameters = {
        { .name = "share", .description = "A share", .default_value = "0.2" },
        { .name = "first",
            .description = "A count",
            .default_value = "4",
            .kind = ParameterKind::whole,
            .maximum = 100 },
        { .name = "by",
            .description = "One of two",
            .default_value = "flow",
            .kind = ParameterKind::choice,
            .choices = { "flow", "median" } },
        { .name = "of", .description = "A policy", .default_value = "h2o", .kind = ParameterKind::policy },
        { .name = "word", .description = "Some text", .default_value = "none given", .kind = ParameterKind::text },
    };
    return info;
}

template <typename Editor> Editor* editorOf(QWidget& form, const char* name)
{
    return form.findChild<Editor*>(QStringLiteral("parameter_") + QLatin1String(name));
}

} // namespace

class TestPolicyChips : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { installTheme(*qApp, Appearance::light); }
    void every_kind_of_parameter_has_a_field_that_writes_it();
    void a_file_is_typed_to_its_end_before_it_is_read();
    void a_policy_inside_has_its_own_fields();
    void a_number_keeps_all_its_digits();
    void every_policy_of_the_table_has_a_form_data();
    void every_policy_of_the_table_has_a_form();
    void variants_of_one_policy_stand_side_by_side();
    void a_removed_policy_comes_back();
    void all_of_it_goes_by_keyboard();
    void the_text_and_the_chips_say_the_same();
    void what_is_wrong_is_said_in_a_sentence_data();
    void what_is_wrong_is_said_in_a_sentence();
    void a_chip_has_the_mark_of_the_chart_and_keeps_it_when_others_come();
    void it_takes_more_lines_where_it_is_narrow();
    void the_cross_stands_inside_its_chip();
    void pictures();

private:
    static QToolButton* chip(const PolicyChips& chips, const char* spelling)
    {
        return chips.findChild<QToolButton*>(QStringLiteral("policyChip ") + QLatin1String(spelling));
    }
    static void add(PolicyChips& chips, const char* name)
    {
        auto* menu = chips.findChild<QToolButton*>("policyAdd")->menu();
        auto* action = menu->findChild<QAction*>(QStringLiteral("add_") + QLatin1String(name));
        QVERIFY2(action, name);
        action->trigger();
    }
};

void TestPolicyChips::every_kind_of_parameter_has_a_field_that_writes_it()
{
    ParameterForm form(anyPolicy(), { "any", {} }, ParameterForm::Layout::row);
    QSignalSpy changed(&form, &ParameterForm::changed);
    using Parameters = std::map<std::string, std::string>;
    editorOf<QDoubleSpinBox>(form, "share")->setValue(0.35);
    QCOMPARE(form.spec().parameters, (Parameters { { "share", "0.35" } }));
    editorOf<QDoubleSpinBox>(form, "share")->setValue(0.2); // its default is not written
    editorOf<QDoubleSpinBox>(form, "first")->setValue(7);
    editorOf<QComboBox>(form, "by")->setCurrentText("median");
    editorOf<QLineEdit>(form, "word")->setText("keep me");
    QCOMPARE(form.spec().parameters, (Parameters { { "first", "7" }, { "by", "median" }, { "word", "keep me" } }));
    QVERIFY(changed.count() >= 5);
    for (const char* name : { "share", "first", "by", "of", "word" })
        QVERIFY2(!editorOf<QWidget>(form, name)->accessibleName().isEmpty()
                && !editorOf<QWidget>(form, name)->toolTip().isEmpty(),
            name);
}

void TestPolicyChips::a_file_is_typed_to_its_end_before_it_is_read()
{
    ParameterForm form(*policyInfo("file"), parse_policy("file(path=old.h5)"), ParameterForm::Layout::row);
    QSignalSpy changed(&form, &ParameterForm::changed);
    auto* field = editorOf<QWidget>(form, "path");
    QVERIFY(field && field->findChild<QToolButton*>("browse"));
    QVERIFY(!field->accessibleName().isEmpty() && !field->toolTip().isEmpty());
    auto* path = field->findChild<QLineEdit*>("path");
    QCOMPARE(path->text(), QString("old.h5"));
    path->clear();
    QTest::keyClicks(path, "my scores, (new).h5");
    QCOMPARE(changed.count(), 0);
    QTest::keyClick(path, Qt::Key_Return);
    QCOMPARE(changed.count(), 1);
    QCOMPARE(spellingOf(form.spec()), QString("file(path=\"my scores, (new).h5\")"));
    Q_EMIT path->editingFinished(); // leaving the field says nothing new
    QCOMPARE(changed.count(), 1);
}

void TestPolicyChips::a_policy_inside_has_its_own_fields()
{
    ParameterForm form(anyPolicy(), { "any", { { "of", "h2o(local=0.4)" } } }, ParameterForm::Layout::column);
    auto* of = editorOf<QWidget>(form, "of");
    auto* local = editorOf<QDoubleSpinBox>(*of, "local");
    QVERIFY(local);
    QCOMPARE(local->value(), 0.4);
    local->setValue(0.6);
    QCOMPARE(form.spec().parameters.at("of"), std::string("h2o(local=0.6)"));
    local->setValue(0.2);
    QVERIFY(form.spec().parameters.empty()); // h2o itself is the default
    auto* choice = of->findChild<QComboBox*>("policyOf");
    choice->setCurrentIndex(choice->findData("cab"));
    Q_EMIT choice->activated(choice->currentIndex());
    QCOMPARE(form.spec().parameters.at("of"), std::string("cab"));
    editorOf<QComboBox>(*of, "bridge")->setCurrentText("flow");
    QCOMPARE(form.spec().parameters.at("of"), std::string("cab(bridge=flow)"));
}

void TestPolicyChips::a_number_keeps_all_its_digits()
{
    const PolicyInfo& h2o = *policyInfo("h2o");
    ParameterForm form(h2o, parse_policy("h2o(local=0.125)"), ParameterForm::Layout::row);
    auto* local = editorOf<QDoubleSpinBox>(form, "local");
    QCOMPARE(local->text(), QString("0.125"));
    ParameterForm random(*policyInfo("random"), parse_policy("random"), ParameterForm::Layout::row);
    auto* seed = editorOf<QDoubleSpinBox>(random, "seed");
    seed->setValue(9007199254740991.0);
    QCOMPARE(random.spec(), parse_policy("random(seed=9007199254740991)"));
    seed->setValue(0);
    QCOMPARE(random.spec(), parse_policy("random(seed=0)"));
    seed->setValue(seed->minimum()); // the run's
    QCOMPARE(random.spec(), parse_policy("random"));
}

void TestPolicyChips::every_policy_of_the_table_has_a_form_data()
{
    QTest::addColumn<QString>("name");
    for (const PolicyInfo& info : policies()) {
        if (info.name != "dense") // always there
            QTest::newRow(info.name.c_str()) << QString::fromStdString(info.name);
    }
}

void TestPolicyChips::every_policy_of_the_table_has_a_form()
{
    QFETCH(QString, name);
    const auto info = std::ranges::find(policies(), name.toStdString(), &PolicyInfo::name);
    PolicyChips chips;
    chips.setPolicies(parse_policies("dense"));
    std::vector<PolicySpec> expected = chips.policies();
    QSignalSpy changed(&chips, &PolicyChips::changed);
    add(chips, info->name.c_str());
    expected.push_back({ info->name, {} });
    const auto* editor = chips.findChild<QFrame*>("policyEditor");
    QCOMPARE(editor->isVisibleTo(&chips), !info->parameters.empty());
    for (const PolicyParameter& parameter : info->parameters)
        QVERIFY2(editorOf<QWidget>(chips, parameter.name.c_str()), parameter.name.c_str());
    QCOMPARE(chips.policies(), expected);
    QCOMPARE(changed.count(), 1);
}

void TestPolicyChips::variants_of_one_policy_stand_side_by_side()
{
    PolicyChips chips;
    chips.setPolicies(parse_policies("dense,h2o,cab"));
    chip(chips, "h2o")->click();
    chips.findChild<QToolButton*>("policyVariant")->click();
    QVERIFY(chips.problem().contains("H2O is there twice"));
    editorOf<QDoubleSpinBox>(chips, "local")->setValue(0.5);
    QCOMPARE(chips.spelling(), QString("dense, h2o, h2o(local=0.5), cab"));
    QVERIFY(chips.problem().isEmpty());
    QVERIFY(chip(chips, "h2o(local=0.5)")->isChecked() && !chip(chips, "h2o")->isChecked());
    chips.findChild<QToolButton*>("policyClose")->click();
    QVERIFY(!chips.findChild<QFrame*>("policyEditor")->isVisibleTo(&chips));
}

void TestPolicyChips::a_removed_policy_comes_back()
{
    PolicyChips chips;
    chips.setPolicies(parse_policies("dense,h2o(local=0.5),cab"));
    auto* undo = chips.findChild<QToolButton*>("policyUndo");
    QVERIFY(!undo->isVisibleTo(&chips));
    QVERIFY(!chips.findChild<QToolButton*>("policyRemove dense")); // everything is compared with it
    chips.findChild<QToolButton*>("policyRemove h2o(local=0.5)")->click();
    chip(chips, "cab")->click();
    for (const double share : { 0.1, 0.2, 0.25 })
        editorOf<QDoubleSpinBox>(chips, "local")->setValue(share); // one change
    QCOMPARE(chips.spelling(), QString("dense, cab(local=0.25)"));
    undo->click();
    QCOMPARE(chips.spelling(), QString("dense, cab"));
    undo->click();
    QCOMPARE(chips.spelling(), QString("dense, h2o(local=0.5), cab"));
    QVERIFY(!undo->isVisibleTo(&chips));
}

void TestPolicyChips::all_of_it_goes_by_keyboard()
{
    PolicyChips chips;
    chips.setPolicies(parse_policies("dense,h2o,cab"));
    chips.show();
    chips.activateWindow();
    QVERIFY(QTest::qWaitForWindowActive(&chips));
    chip(chips, "h2o")->setFocus();
    QTest::keyClick(chip(chips, "h2o"), Qt::Key_Return);
    QVERIFY(chips.findChild<QFrame*>("policyEditor")->isVisible());
    QTest::keyClick(chip(chips, "h2o"), Qt::Key_Right);
    QVERIFY(chip(chips, "cab")->hasFocus());
    QTest::keyClick(chip(chips, "cab"), Qt::Key_Delete);
    QCOMPARE(chips.spelling(), QString("dense, h2o"));
    QTest::keyClick(chips.focusWidget(), Qt::Key_Z, Qt::ControlModifier);
    QCOMPARE(chips.spelling(), QString("dense, h2o, cab"));
    chip(chips, "h2o")->click();
    chip(chips, "dense")->setFocus();
    QStringList reached;
    for (int i = 0; i < 8; ++i) {
        reached << chips.focusWidget()->objectName();
        QTest::keyClick(chips.focusWidget(), Qt::Key_Tab);
    }
    QCOMPARE(reached,
        (QStringList { "policyChip dense", "policyChip h2o", "policyChip cab", "policyAdd", "policyText",
            "policyVariant", "policyClose", "parameter_local" }));
}

void TestPolicyChips::the_text_and_the_chips_say_the_same()
{
    PolicyChips chips;
    chips.setPolicies(parse_policies("dense,h2o"));
    auto* line = chips.findChild<QLineEdit*>("sweepPolicies");
    QVERIFY(!line->isVisibleTo(&chips));
    chips.findChild<QToolButton*>("policyText")->click();
    QVERIFY(line->isVisibleTo(&chips));
    QCOMPARE(line->text(), QString("dense, h2o"));
    line->setText("dense, cab(local=0.4,bridge=flow), recent");
    QVERIFY(chip(chips, "cab(local=0.4,bridge=flow)") && chip(chips, "recent") && chip(chips, "h2o") == nullptr);
    line->setText("dense, cab(local=");
    QVERIFY(!chips.problem().isEmpty());
    QVERIFY(chip(chips, "recent")); // the last list that was right
    QCOMPARE(line->text(), QString("dense, cab(local="));
    chips.findChild<QToolButton*>("policyRemove recent")->click();
    QVERIFY(chips.problem().isEmpty());
    QCOMPARE(line->text(), QString("dense, cab(local=0.4,bridge=flow)"));
}

void TestPolicyChips::what_is_wrong_is_said_in_a_sentence_data()
{
    QTest::addColumn<QString>("text");
    QTest::addColumn<QString>("says");
    QTest::newRow("unknown") << "dense, h3o"
                             << "'h3o' is not known";
    QTest::newRow("parameter") << "h2o(lokal=0.3)"
                               << "no parameter 'lokal'";
    QTest::newRow("value") << "h2o(local=2)"
                           << "'2' is not a value of local";
    QTest::newRow("together") << "cab(local=0.9)"
                              << "add up to 1.1";
    QTest::newRow("twice") << "h2o, h2o"
                           << "asked for twice";
    QTest::newRow("none") << " "
                          << "Add a policy";
}

void TestPolicyChips::what_is_wrong_is_said_in_a_sentence()
{
    QFETCH(QString, text);
    QFETCH(QString, says);
    PolicyChips chips;
    chips.findChild<QLineEdit*>("sweepPolicies")->setText(text);
    QVERIFY2(chips.problem().contains(says), qPrintable(chips.problem()));
    QVERIFY(chips.problem().endsWith('.'));
}

void TestPolicyChips::a_chip_has_the_mark_of_the_chart_and_keeps_it_when_others_come()
{
    PolicyChips chips;
    chips.setPolicies(parse_policies("dense,h2o(local=0.5),cab(local=0.4)"));
    const auto picture = [&](const char* spelling) { return chip(chips, spelling)->icon().pixmap(14).toImage(); };
    const QImage half = picture("h2o(local=0.5)");
    const QImage cab = picture("cab(local=0.4)");
    QVERIFY(half != cab);
    const auto look = plot::methodStyles({ "dense", "h2o(local=0.5)" })[1];
    QCOMPARE(half, plot::markerIcon(look, plot::chartStyle(false), 1).pixmap(14).toImage());
    for (const PolicyInfo& info : policies()) {
        if (info.name != "dense")
            add(chips, info.name.c_str());
    }
    QCOMPARE(picture("h2o(local=0.5)"), half);
    QCOMPARE(picture("cab(local=0.4)"), cab);
}

void TestPolicyChips::it_takes_more_lines_where_it_is_narrow()
{
    PolicyChips chips;
    chips.setPolicies(parse_policies("dense,h2o,cab,h2o(local=0.3),cab(bridge=flow),recent,random,streaming-llm"));
    QVERIFY(chips.heightForWidth(300) > chips.heightForWidth(1200));
    QVERIFY(chips.minimumSizeHint().width() < 300);
}

void TestPolicyChips::the_cross_stands_inside_its_chip()
{
    PolicyChips chips;
    chips.setPolicies(parse_policies("dense,h2o,random(sink=4,recent=0.1)"));
    chips.resize(600, 80);
    chips.show();
    QApplication::processEvents();
    for (const char* spelling : { "h2o", "random(sink=4,recent=0.1)" }) {
        const QToolButton* pill = chip(chips, spelling);
        const auto* cross = chips.findChild<QToolButton*>(QStringLiteral("policyRemove ") + QLatin1String(spelling));
        const QRect place(cross->mapTo(pill, QPoint(0, 0)), cross->size());
        QVERIFY(pill->rect().contains(place));
        const int words = pill->iconSize().width() + pill->fontMetrics().horizontalAdvance(pill->text());
        QVERIFY2(place.left() >= words, "over the name");
    }
}

void TestPolicyChips::pictures()
{
    PolicyChips chips;
    chips.setPolicies(parse_policies("dense,h2o,h2o(local=0.5),cab,cab(bridge=flow),streaming-llm,recent,random"));
    chips.resize(700, chips.heightForWidth(700));
    chip(chips, "cab(bridge=flow)")->click();
    chips.findChild<QToolButton*>("policyRemove recent")->click();
    chip(chips, "cab(bridge=flow)")->click();
    chips.findChild<QToolButton*>("policyText")->click();
    chips.resize(700, 190);
    test::savePictures(chips, "policy-chips");
    QVERIFY(chips.problem().isEmpty());
}

KEEPSET_TEST(TestPolicyChips)
#include "tst_policy_chips.moc"
