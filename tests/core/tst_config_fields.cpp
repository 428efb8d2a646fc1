#include "tests/core/config_samples.h"
#include "tests/support/test_main.h"

#include <QTest>

#include <cmath>

using namespace keepset;
using namespace keepset::samples;

namespace {

const std::string not_computed = " asks for something that Keepset does not compute.";
const std::string unknown = " is unknown to Keepset, so it cannot tell whether it changes the numbers.";

} // namespace

/// Fields that a family does not honour: which values change nothing, and what is said of the others.
class TstConfigFields : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void bookkeeping_changes_nothing_data();
    void bookkeeping_changes_nothing();
    void a_field_may_say_what_the_family_does_anyway_data();
    void a_field_may_say_what_the_family_does_anyway();
    void a_value_that_changes_the_pass_is_refused_by_name_data();
    void a_value_that_changes_the_pass_is_refused_by_name();
    void an_unknown_field_is_called_unknown();
    void quantised_weights_are_called_so();
    void silent_files_have_the_sizes_of_the_familys_own_defaults();
    void head_dim_goes_before_an_uneven_division();
    void layers_are_counted_before_memory_is_taken();
    void rope_type_and_type_follow_one_rule();
    void positions_in_three_dimensions_are_plain_for_text();
    void longrope_of_phi3_has_its_default_context();
    void the_scale_of_gemma_is_its_own();
};

void TstConfigFields::bookkeeping_changes_nothing_data()
{
    QTest::addColumn<QString>("field");
    QTest::addColumn<QString>("value");
    const std::pair<const char*, const char*> fields[] = { { "model_max_length", "4096" }, { "seq_length", "2048" },
        { "max_seq_len", "2048" }, { "max_sequence_length", "2048" }, { "tokenizer_model_max_length", "2048" },
        { "tokenizer_padding_side", "\"right\"" }, { "suppress_tokens", "[1]" }, { "_some_new_mark", "true" },
        { "_name_or_path", "\"org/name\"" }, { "custom_pipelines", "{\"a\": {}}" }, { "is_decoder", "false" },
        { "use_cache", "false" }, { "internal_version", "\"7b\"" }, { "image_token_id", "5" },
        { "unsloth_version", "\"1\"" }, { "never_heard_of", "false" }, { "never_heard_of", "0" },
        { "never_heard_of", "null" }, { "never_heard_of", "[]" } };
    for (const auto& [field, value] : fields)
        QTest::addRow("%s = %s", field, value) << QString(field) << QString(value);
}

void TstConfigFields::bookkeeping_changes_nothing()
{
    QFETCH(QString, field);
    QFETCH(QString, value);
    for (const char* const family : { "llama", "qwen3_moe", "phi3", "gemma2" })
        QCOMPARE(said_of(small(family, { { field.toStdString(), json::parse(value.toStdString()) } })),
            std::string("opens"));
}

void TstConfigFields::a_field_may_say_what_the_family_does_anyway_data()
{
    QTest::addColumn<QString>("config");
    const auto row
        = [](const char* name, const json& config) { QTest::newRow(name) << QString::fromStdString(config.dump()); };
    row("norms of queries and keys", small("qwen3_moe", { { "use_qk_norm", true } }));
    row("and in Qwen 3", small("qwen3", { { "use_qk_norm", true } }));
    row("no such norms", small("llama", { { "qk_layernorm", false }, { "use_qk_norm", false } }));
    row("causal", small("llama", { { "is_causal", true } }));
    row("head_dim", small("stablelm", { { "head_dim", 8 } }));
    row("rotated dims", small("phi", { { "rotary_dim", 4 }, { "partial_rotary_factor", 0.5 } }));
    row("layers alike", small("llama", { { "layer_types", json::array_t(4, "full_attention") } }));
    row("a window that is off", small("llama", { { "sliding_window", 64 }, { "use_sliding_window", false } }));
    row("a window that nothing reaches", small("llama", { { "sliding_window", 512 } }));
    row("a window that is on", small("mistral", { { "sliding_window", 64 }, { "use_sliding_window", true } }));
    row("biases", small("qwen2", { { "qkv_bias", true }, { "mlp_bias", false } }));
    row("rotary", small("llama", { { "position_embedding_type", "rope" }, { "use_rope", true }, { "alibi", false } }));
    row("another activation field", small("llama", { { "hidden_activation", "silu" } }));
    row("a wider MLP in other words",
        { { "model_type", "falcon" }, { "hidden_size", 32 }, { "num_attention_heads", 4 }, { "ffn_hidden_size", 96 },
            { "ff_factor", 3 } });
}

void TstConfigFields::a_field_may_say_what_the_family_does_anyway()
{
    QFETCH(QString, config);
    QCOMPARE(said_of_text(config.toStdString()), std::string("opens"));
}

void TstConfigFields::a_value_that_changes_the_pass_is_refused_by_name_data()
{
    QTest::addColumn<QString>("config");
    QTest::addColumn<QString>("field");
    const auto row = [](const char* family, const char* field, const json& value) {
        QTest::addRow("%s of %s = %s", field, family, value.dump().c_str())
            << QString::fromStdString(small(family, { { field, value } }).dump()) << QString(field);
    };
    for (const char* const family : { "llama", "qwen2", "gemma3_text", "phi" })
        row(family, "is_causal", false);
    row("llama", "is_causal", nullptr); // as false in transformers
    row("qwen3", "use_bidirectional_attention", true);
    row("qwen3_moe", "use_qk_norm", false);
    row("llama", "use_qk_norm", true);
    row("llama", "use_rope", false);
    row("llama", "partial_rotary_factor", 0);
    row("llama", "scale_attn_weights", false);
    row("llama", "embedding_multiplier", 0);
    row("mistral", "use_sliding_window", false); // with the window that goes without saying
    row("llama", "use_sliding_window", true);
    row("llama", "sliding_window", 64);
    row("mixtral", "norm_topk_prob", false);
    row("phi", "use_parallel_residual", false);
    row("llama", "use_parallel_residual", true);
    row("llama", "use_rms_norm", false);
    row("qwen3", "head_count_of_another_kind_of_experts_num_experts", 0); // unknown, and nothing
    row("llama", "num_experts", 8);
    row("stablelm", "head_dim", 16);
    row("llama", "position_embedding_type", "nope");
    row("mistral", "qkv_bias", true);
    row("llama", "shared_expert_intermediate_size", 8);
}

void TstConfigFields::a_value_that_changes_the_pass_is_refused_by_name()
{
    QFETCH(QString, config);
    QFETCH(QString, field);
    const std::string said = said_of_text(config.toStdString());
    if (field.startsWith("head_count")) {
        QCOMPARE(said, std::string("opens"));
        return;
    }
    QVERIFY2(said.find("'" + field.toStdString() + "'") != std::string::npos, said.c_str());
    QVERIFY2(said.find(not_computed) != std::string::npos, said.c_str());
}

void TstConfigFields::an_unknown_field_is_called_unknown()
{
    const std::string said = said_of(small("llama", { { "spiral_attention", 3 } }));
    QCOMPARE(
        said, "the field 'spiral_attention' (3)" + unknown + " Where it changes nothing, take it out of config.json.");
}

void TstConfigFields::quantised_weights_are_called_so()
{
    const std::string said = said_of(small("llama", { { "quantization_config", { { "quant_method", "gptq" } } } }));
    QVERIFY2(said.find("the weights are quantised (quantization_config: GPTQ)") != std::string::npos, said.c_str());
    QVERIFY(said_of(small("llama", { { "quantization", { { "bits", 4 }, { "group_size", 64 } } } })).find("quantised")
        != std::string::npos);
    QCOMPARE(said_of(small("llama", { { "quantization_config", nullptr } })), std::string("opens"));
}

void TstConfigFields::silent_files_have_the_sizes_of_the_familys_own_defaults()
{
    const DecoderConfig gemma3 = read({ { "model_type", "gemma3_text" } });
    QCOMPARE(gemma3.vocabulary, std::int64_t { 262208 });
    QCOMPARE(gemma3.heads, std::int64_t { 8 });
    QCOMPARE(gemma3.kv_heads, std::int64_t { 4 });
    QCOMPARE(gemma3.head_dim, std::int64_t { 256 });
    QCOMPARE(gemma3.layers, std::int64_t { 26 });
    QCOMPARE(gemma3.hidden_size, std::int64_t { 2304 });
    const DecoderConfig llama = read({ { "model_type", "llama" } });
    QCOMPARE(llama.intermediate_size, std::int64_t { 11008 });
    QCOMPARE(llama.kv_heads, std::int64_t { 32 });
    QCOMPARE(read({ { "model_type", "qwen2" } }).vocabulary, std::int64_t { 151936 });
    QCOMPARE(read({ { "model_type", "gpt2" } }).layers, std::int64_t { 12 });
    QCOMPARE(read({ { "model_type", "falcon" } }).hidden_size, std::int64_t { 4544 });
}

void TstConfigFields::head_dim_goes_before_an_uneven_division()
{
    const json uneven = { { "hidden_size", 28 }, { "num_attention_heads", 3 }, { "num_key_value_heads", 1 } };
    json config = small("llama", uneven);
    QCOMPARE(said_of(config), std::string("hidden_size (28) is not a multiple of num_attention_heads (3)."));
    config["head_dim"] = 16;
    QCOMPARE(read(config).head_dim, std::int64_t { 16 });
    QCOMPARE(read(small("llama", { { "head_dim", nullptr } })).head_dim, std::int64_t { 8 });
}

void TstConfigFields::layers_are_counted_before_memory_is_taken()
{
    QCOMPARE(said_of(small("llama", { { "num_hidden_layers", 20000 } })),
        std::string("the field 'num_hidden_layers' asks for 20000 layers; Keepset opens models of up to 10000."));
}

void TstConfigFields::rope_type_and_type_follow_one_rule()
{
    const auto scaled = [](const json& scaling) { return small("llama", { { "rope_scaling", scaling } }); };
    const auto kind = [&](const json& scaling) { return read(scaled(scaling)).ropes.at(0).kind; };
    QVERIFY(kind({ { "type", "linear" }, { "rope_type", "linear" }, { "factor", 4.0 } }) == RopeConfig::Kind::linear);
    QVERIFY(kind({ { "type", "linear" }, { "rope_type", nullptr }, { "factor", 4.0 } }) == RopeConfig::Kind::linear);
    QVERIFY(kind({ { "type", nullptr } }) == RopeConfig::Kind::plain);
    QVERIFY(kind({ { "rope_type", "default" }, { "factor", 1.0 } }) == RopeConfig::Kind::plain);
    const std::string said = said_of(scaled({ { "type", "linear" }, { "rope_type", "default" }, { "factor", 4.0 } }));
    QCOMPARE(said,
        std::string("the field 'rope_scaling' asks for two kinds of rotary scaling, rope_type 'default' and type "
                    "'linear'. transformers follows rope_type. Delete the one that is wrong."));
}

void TstConfigFields::positions_in_three_dimensions_are_plain_for_text()
{
    for (const json& scaling :
        { json { { "type", "default" }, { "rope_type", "default" }, { "mrope_section", { 1, 2, 1 } } },
            json { { "type", "mrope" }, { "mrope_section", { 1, 2, 1 } } } }) {
        const DecoderConfig config = read(small("qwen2", { { "rope_scaling", scaling } }));
        QVERIFY(config.ropes.at(0).kind == RopeConfig::Kind::plain);
        QCOMPARE(config.ropes.at(0).dims, std::int64_t { 8 });
    }
}

void TstConfigFields::longrope_of_phi3_has_its_default_context()
{
    const json scaling
        = { { "type", "longrope" }, { "short_factor", { 1, 1, 1, 1 } }, { "long_factor", { 2, 2, 2, 2 } } };
    const DecoderConfig config
        = read(small("phi3", { { "max_position_embeddings", 131072 }, { "rope_scaling", scaling } }));
    QCOMPARE(config.ropes.at(0).original_context, 4096.0);
    QCOMPARE(config.ropes.at(0).factor, 32.0);
    // √(1 + ln 32 / ln 4096), which transformers 5.23 has too.
    QVERIFY(std::abs(config.ropes.at(0).attention_factor - 1.1902380714238083) < 1e-12);
}

void TstConfigFields::the_scale_of_gemma_is_its_own()
{
    for (const char* const family : { "gemma2", "gemma3_text" }) {
        const json config = small(family, { { "head_dim", 16 }, { "query_pre_attn_scalar", 24 } });
        QCOMPARE(read(config).per_layer.at(0).scale, 1 / std::sqrt(24.0));
        QCOMPARE(read(small(family, { { "head_dim", 16 } })).per_layer.at(0).scale, 1 / 16.0);
    }
}

KEEPSET_TEST(TstConfigFields)
#include "tst_config_fields.moc"
