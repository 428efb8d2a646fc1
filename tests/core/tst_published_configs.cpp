#include "core/model/family.h"
#include "tests/core/config_samples.h"
#include "tests/support/test_main.h"

#include <QTest>

#include <set>

using namespace keepset;
using nlohmann::json;

/// The config.json of models that people have, as they were published or saved again: each opens, or is refused with
/// one exact sentence. published_configs.json has a line for each: its name, where its fields and values were looked up
/// ("recalled": written down from knowledge of the published file), the fields, and what is expected.
class TstPublishedConfigs : public QObject {
    Q_OBJECT

private:
    json all_;

private Q_SLOTS:
    void initTestCase();
    void each_opens_or_is_refused_with_its_sentence_data();
    void each_opens_or_is_refused_with_its_sentence();
    void every_family_has_one_that_opens();
    void there_are_a_hundred();
};

void TstPublishedConfigs::initTestCase()
{
    std::ifstream file(KEEPSET_SOURCE_DIR "/tests/core/published_configs.json");
    all_ = json::parse(file);
}

void TstPublishedConfigs::each_opens_or_is_refused_with_its_sentence_data()
{
    QTest::addColumn<QString>("config");
    QTest::addColumn<QString>("expected");
    for (const json& each : all_) {
        // A text stands for what is no JSON to all readers: Infinity.
        const json& config = each.at("config");
        const std::string text = config.is_string() ? config.get<std::string>() : config.dump();
        QTest::newRow(each.at("name").get<std::string>().c_str())
            << QString::fromStdString(text) << QString::fromStdString(each.at("expected").get<std::string>());
    }
}

void TstPublishedConfigs::each_opens_or_is_refused_with_its_sentence()
{
    QFETCH(QString, config);
    QFETCH(QString, expected);
    QString known;
    for (const Family* const family : families())
        known += (known.isEmpty() ? "" : ", ") + QString(family->model_type);
    expected.replace("{families}", known);
    QCOMPARE(QString::fromStdString(samples::said_of_text(config.toStdString())), expected);
}

void TstPublishedConfigs::every_family_has_one_that_opens()
{
    std::set<std::string> opened;
    for (const json& each : all_) {
        if (each.at("expected") == "opens")
            opened.insert(samples::read(each.at("config")).model_type);
    }
    for (const Family* const family : families())
        QVERIFY2(opened.contains(family->model_type), family->model_type);
}

void TstPublishedConfigs::there_are_a_hundred() { QVERIFY(all_.size() >= 100); }

KEEPSET_TEST(TstPublishedConfigs)
#include "tst_published_configs.moc"
