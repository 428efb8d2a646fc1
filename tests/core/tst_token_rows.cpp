#include "core/engine.h"
#include "tests/support/golden.h"
#include "tests/support/test_main.h"

#include <nlohmann/json.hpp>

#include <QTemporaryDir>
#include <QTest>

#include <algorithm>
#include <fstream>

using namespace keepset;
using nlohmann::json;

namespace {

/// A copy of a golden folder whose tokenizer knows one token more than the embedding has rows.
class FolderWithOneMore {
public:
    FolderWithOneMore()
    {
        const std::filesystem::path from = std::filesystem::path(KEEPSET_SOURCE_DIR) / "tests/reference/golden/gqa7";
        for (const char* const file : { "config.json", "model.safetensors" })
            std::filesystem::copy_file(from / file, path() / file);
        json tokenizer = json::parse(golden::read_bytes(from / "tokenizer.json"));
        // Ids go on without a gap: up to the last row, and one more.
        for (std::int64_t id = describe_model(from).tokens_known; id <= rows(); ++id)
            tokenizer["added_tokens"].push_back(
                { { "id", id }, { "content", id == rows() ? "<image_soft_token>" : "<row " + std::to_string(id) + ">" },
                    { "single_word", false }, { "lstrip", false }, { "rstrip", false }, { "normalized", false },
                    { "special", true } });
        std::ofstream(path() / "tokenizer.json") << tokenizer.dump();
    }
    std::filesystem::path path() const { return folder_.path().toStdString(); }
    static std::int64_t rows()
    {
        return describe_model(std::filesystem::path(KEEPSET_SOURCE_DIR) / "tests/reference/golden/gqa7").vocabulary;
    }

private:
    QTemporaryDir folder_;
};

const Text plain { "plain.txt", std::string(120, 'a') };
const Text with_token { "soft.txt", std::string(20, 'a') + "<image_soft_token>" + std::string(100, 'a') };

} // namespace

/// Published so: Gemma 3's tokenizer knows <image_soft_token>, and fine-tunes a padding token, beyond the embedding.
class TstTokenRows : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void the_folder_opens_with_a_note();
    void a_text_without_the_token_is_computed();
    void a_text_with_it_is_refused_by_name();
};

void TstTokenRows::the_folder_opens_with_a_note()
{
    const FolderWithOneMore folder;
    const ModelInfo info = describe_model(folder.path());
    QCOMPARE(info.tokens_known, info.vocabulary + 1);
    QVERIFY(std::ranges::any_of(info.notes, [&](const std::string& note) {
        return note
            == "tokenizer.json knows 1 token for which the model has no row: '<image_soft_token>', id "
            + std::to_string(info.vocabulary) + ". A text that yields it is refused.";
    }));
}

void TstTokenRows::a_text_without_the_token_is_computed()
{
    const FolderWithOneMore folder;
    Engine engine;
    engine.open_model(folder.path(), { .device = "cpu", .threads = 1 });
    QCOMPARE(engine.logits(plain, 1).positions, std::int64_t { 1 });
}

void TstTokenRows::a_text_with_it_is_refused_by_name()
{
    const FolderWithOneMore folder;
    Engine engine;
    engine.open_model(folder.path(), { .device = "cpu", .threads = 1 });
    const std::string rows = std::to_string(FolderWithOneMore::rows());
    const std::string wanted = "'soft.txt' holds the token '<image_soft_token>' (id " + rows
        + ", at byte 20), for which the model has no row: its embedding has " + rows
        + ". Take that token out of the text.";
    const auto said = [](const auto& act) {
        try {
            act();
        } catch (const Error& error) {
            return error.sentence();
        }
        return std::string();
    };
    AnalysisRequest analysis;
    analysis.text = with_token;
    SweepRequest sweep;
    sweep.text = with_token;
    sweep.policies = { parse_policy("h2o") };
    sweep.sparsities = { 0.5 };
    sweep.context = 20;
    sweep.target = 5;
    QCOMPARE(said([&] { engine.analyse(analysis); }), wanted);
    QCOMPARE(said([&] { engine.sweep(sweep); }), wanted);
    QCOMPARE(said([&] { engine.logits(with_token, 1); }), wanted);
    QVERIFY(engine.tokenize(with_token).size() > 100); // shown all the same
}

KEEPSET_TEST(TstTokenRows)
#include "tst_token_rows.moc"
