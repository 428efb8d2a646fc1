#include "core/model/family.h"
#include "tests/core/golden_test.h"
#include "tests/support/test_main.h"

#include <algorithm>
#include <set>

using namespace keepset;

/// Every model family against Hugging Face transformers, float32: what tst_reference does for the Llama family, over
/// the folders that tests/reference/families.py made. A new family is a new folder.
class TstFamilies : public GoldenTest {
    Q_OBJECT

private:
    /// A comparison with the folder of the current data row; one that does not open fails its own row alone.
    void compare(void (TstFamilies::*check)());
    void check_keep_sets_of_text();
    static std::vector<std::string> folders();
    static void rows();

private Q_SLOTS:
    void initTestCase();
    void every_family_has_a_folder();
    void log_probabilities_are_those_of_transformers_data() { rows(); }
    void log_probabilities_are_those_of_transformers();
    void importance_is_the_column_sum_of_eager_attention_data() { rows(); }
    void importance_is_the_column_sum_of_eager_attention();
    void keep_sets_are_those_of_the_reference_data() { rows(); }
    void keep_sets_are_those_of_the_reference();
    void losses_after_eviction_are_those_of_masked_transformers_data() { rows(); }
    void losses_after_eviction_are_those_of_masked_transformers();
};

std::vector<std::string> TstFamilies::folders()
{
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator(golden_root / "families"))
        found.push_back(entry.path().filename().string());
    std::ranges::sort(found);
    return found;
}

void TstFamilies::rows()
{
    QTest::addColumn<QString>("folder");
    for (const std::string& name : folders())
        QTest::newRow(name.c_str()) << QString::fromStdString(name);
}

void TstFamilies::compare(void (TstFamilies::*check)())
{
    QFETCH(QString, folder);
    try {
        open(golden_root / "families" / folder.toStdString(), 1); // waking more costs more than it gives
        (this->*check)();
    } catch (const Error& error) {
        QFAIL(error.what());
    }
}

void TstFamilies::check_keep_sets_of_text()
{
    if (expected.follows_length())
        QSKIP("keys depend on the length of the text: the sweeps below are compared, each with its own window");
    check_keep_sets();
}

void TstFamilies::initTestCase()
{
    if (!has_test_device())
        QSKIP(qPrintable(QString("no device %1 here").arg(QString::fromStdString(test_device()))));
}

void TstFamilies::every_family_has_a_folder()
{
    std::set<std::string> found;
    for (const std::string& name : folders()) {
        const auto config = nlohmann::json::parse(golden::read_bytes(golden_root / "families" / name / "config.json"));
        found.insert(config.at("model_type").get<std::string>());
    }
    std::set<std::string> wanted;
    for (const Family* const family : keepset::families())
        wanted.insert(family->model_type);
    std::vector<std::string> missing;
    std::ranges::set_difference(wanted, found, std::back_inserter(missing));
    QVERIFY2(missing.empty(), missing.empty() ? "" : missing.front().c_str());
}

void TstFamilies::log_probabilities_are_those_of_transformers() { compare(&TstFamilies::check_log_probabilities); }

void TstFamilies::importance_is_the_column_sum_of_eager_attention() { compare(&TstFamilies::check_importance); }

void TstFamilies::keep_sets_are_those_of_the_reference() { compare(&TstFamilies::check_keep_sets_of_text); }

void TstFamilies::losses_after_eviction_are_those_of_masked_transformers() { compare(&TstFamilies::check_losses); }

KEEPSET_TEST(TstFamilies)
#include "tst_families.moc"
