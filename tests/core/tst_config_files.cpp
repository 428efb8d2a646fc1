#include "tests/core/config_samples.h"
#include "tests/support/test_main.h"

#include <QTest>

using namespace keepset;
using namespace keepset::samples;

namespace {

/// A language model's fields beside those of a part for pictures.
json with_pictures(const char* model_type, const json& text, const json& more = json::object())
{
    json config = { { "model_type", model_type }, { "vision_config", { { "model_type", "siglip_vision_model" } } },
        { "text_config", text } };
    config.update(more);
    return config;
}

} // namespace

/// config.json as a file: what Python reads as JSON, and language models that are a part of it.
class TstConfigFiles : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void numbers_of_python_are_read();
    void what_is_no_json_is_told_by_what_it_is();
    void a_name_twice_is_refused();
    void the_language_model_beside_pictures_is_read();
    void sparse_parts_have_the_defaults_of_their_family();
    void fields_beside_it_count_where_they_concern_it();
    void a_language_model_that_is_not_known_is_named();
    void fields_at_the_top_are_the_language_models_in_older_files();
};

void TstConfigFiles::numbers_of_python_are_read()
{
    std::string text = small("llama").dump();
    const auto with = [&](const std::string& fields) { return text.substr(0, text.size() - 1) + "," + fields + "}"; };
    QCOMPARE(said_of_text(with(R"("initializer_range": NaN, "_mark": [Infinity, -Infinity, {"a": NaN}])")),
        std::string("opens"));
    const char* const inside_a_string = "\"initializer_range\": 1e999, \"_mark\": \"NaN, Infinity and \\\" 1e999\"";
    QCOMPARE(said_of_text(with(inside_a_string)), std::string("opens"));
    QCOMPARE(said_of_text(with(R"("rms_norm_eps": Infinity)")),
        std::string("the field 'rms_norm_eps' must be a number, not Infinity."));
    QCOMPARE(said_of_text(with(R"("rms_norm_eps": 1e999)")),
        std::string("the field 'rms_norm_eps' must be a number, not Infinity."));
    const std::string limit = said_of_text(with(R"("time_step_limit": [0.0, -Infinity])"));
    QVERIFY2(limit.starts_with("the field 'time_step_limit' ([0.0,-Infinity]) is unknown"), limit.c_str());
    QVERIFY(said_of_text(with(R"("rms_norm_eps": Infinite)")).starts_with("is not valid JSON"));
    QCOMPARE(said_of_text("\xef\xbb\xbf" + text), std::string("opens"));
    QCOMPARE(said_of(small("llama", { { "tokenizer_length", 1e30 } })), std::string("opens"));
}

void TstConfigFiles::what_is_no_json_is_told_by_what_it_is()
{
    QCOMPARE(said_of_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"),
        std::string("is a Git LFS pointer, not the file: git left it in place of the contents. "
                    "Run git lfs pull in its folder, or download the file again."));
    const std::string utf16 = "is UTF-16 or UTF-32 text, where UTF-8 is needed. Save it again as UTF-8.";
    QCOMPARE(said_of_text(std::string("\xff\xfe{\0}\0", 6)), utf16);
    QCOMPARE(said_of_text(std::string("\0{\0}", 4)), utf16);
    QVERIFY(said_of_text("{\"a\": ").starts_with("is not valid JSON at byte"));
    QVERIFY(said_of_text("").starts_with("is not valid JSON at byte"));
    QCOMPARE(said_of_text("[1]"), std::string("does not hold a JSON object."));
}

void TstConfigFiles::a_name_twice_is_refused()
{
    QCOMPARE(said_of_text(R"({"model_type": "llama", "vocab_size": 5, "vocab_size": 6})"),
        std::string("'vocab_size' stands twice in one object. Which of the two is meant? Delete the other."));
    QCOMPARE(said_of_text(R"({"model_type": "llama", "_a": {"b": 1}, "_c": {"b": 2}})"), std::string("opens"));
}

void TstConfigFiles::the_language_model_beside_pictures_is_read()
{
    const DecoderConfig config = read(with_pictures("mistral3", small("mistral", { { "sliding_window", nullptr } }),
        { { "architectures", { "Mistral3ForConditionalGeneration" } } }));
    QCOMPARE(config.model_type, std::string("mistral"));
    QCOMPARE(config.architecture, std::string("Mistral3ForConditionalGeneration"));
    QCOMPARE(config.hidden_size, std::int64_t { 32 });
    QCOMPARE(config.notes,
        std::vector<std::string> { "The folder holds a language model as a part of 'mistral3'; it alone is opened, for "
                                   "text, without what vision_config describes." });
    // Whatever holds a language model that is known, under its own name or another.
    QCOMPARE(read(with_pictures("some_new_vl", small("qwen3"))).model_type, std::string("qwen3"));
    QCOMPARE(read(with_pictures("qwen2_vl", small("qwen2_vl_text"))).model_type, std::string("qwen2"));
    // The word of the whole file counts, and true where there is none, as in transformers.
    QVERIFY(read(with_pictures("mistral3", small("mistral"))).tied_embeddings);
    QVERIFY(!read(with_pictures("mistral3", small("mistral", { { "tie_word_embeddings", true } }),
                      { { "tie_word_embeddings", false } }))
                 .tied_embeddings);
}

void TstConfigFiles::sparse_parts_have_the_defaults_of_their_family()
{
    const DecoderConfig gemma = read(with_pictures("gemma3", { { "hidden_size", 2560 }, { "num_hidden_layers", 34 } }));
    QCOMPARE(gemma.model_type, std::string("gemma3_text"));
    QCOMPARE(gemma.vocabulary, std::int64_t { 262208 });
    QCOMPARE(gemma.heads, std::int64_t { 8 });
    QCOMPARE(gemma.kv_heads, std::int64_t { 4 });
    QCOMPARE(gemma.head_dim, std::int64_t { 256 });
    QCOMPARE(gemma.ropes.at(0).theta, 1e6);
    QCOMPARE(gemma.ropes.at(1).theta, 1e4);
    const DecoderConfig llava = read(with_pictures("llava", { { "vocab_size", 32064 } }));
    QCOMPARE(llava.layers, std::int64_t { 32 });
    QCOMPARE(read(with_pictures("qwen2_5_vl", { { "vocab_size", 9 } })).ropes.at(0).theta, 1e6);
    QCOMPARE(read(with_pictures("qwen3_vl", { { "vocab_size", 9 } })).ropes.at(0).theta, 5e5);
}

void TstConfigFiles::fields_beside_it_count_where_they_concern_it()
{
    const json text = small("mistral");
    QCOMPARE(said_of(with_pictures("mistral3", text, { { "image_token_index", 10 }, { "never_heard_of", 3 } })),
        std::string("opens"));
    QVERIFY(said_of(with_pictures("mistral3", text, { { "quantization_config", { { "quant_method", "fp8" } } } }))
                .find("quantised (quantization_config: FP8)")
        != std::string::npos);
    QVERIFY(
        said_of(with_pictures("mistral3", text, { { "is_causal", false } })).find("'is_causal'") != std::string::npos);
    QVERIFY(said_of(with_pictures("mistral3", small("mistral", { { "never_heard_of", 3 } })))
                .starts_with("the field 'text_config.never_heard_of' (3) is unknown"));
    QVERIFY(said_of(with_pictures("paligemma", small("gemma"))).find("in both directions") != std::string::npos);
}

void TstConfigFiles::a_language_model_that_is_not_known_is_named()
{
    QVERIFY(
        said_of(with_pictures("mistral3", { { "model_type", "ministral3" } }))
            .starts_with("its language model ('text_config.model_type') is 'ministral3', which is not known. Known: "));
    QVERIFY(said_of({ { "model_type", "gemma3" } }).starts_with("the field 'text_config' is missing."));
}

void TstConfigFiles::fields_at_the_top_are_the_language_models_in_older_files()
{
    json flat = small("qwen2_5_vl",
        { { "vision_config", { { "depth", 32 } } }, { "image_token_id", 7 },
            { "rope_scaling", { { "type", "mrope" }, { "mrope_section", { 1, 2, 1 } } } } });
    const DecoderConfig config = read(flat);
    QCOMPARE(config.model_type, std::string("qwen2"));
    QCOMPARE(config.heads, std::int64_t { 4 });
    QVERIFY(config.is_part);
}

KEEPSET_TEST(TstConfigFiles)
#include "tst_config_files.moc"
