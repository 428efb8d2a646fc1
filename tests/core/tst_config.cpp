#include "core/engine.h"
#include "core/model/family.h"
#include "tests/support/golden.h"
#include "tests/support/test_main.h"

#include <nlohmann/json.hpp>

#include <QTemporaryDir>
#include <QTest>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <limits>

using namespace keepset;
using nlohmann::json;

namespace {

const std::filesystem::path root = KEEPSET_SOURCE_DIR;
const std::filesystem::path page = root / "resources/help/families.md";

json llama()
{
    return { { "model_type", "llama" }, { "architectures", { "LlamaForCausalLM" } }, { "hidden_size", 32 },
        { "intermediate_size", 48 }, { "num_hidden_layers", 4 }, { "num_attention_heads", 4 },
        { "num_key_value_heads", 2 }, { "vocab_size", 257 }, { "max_position_embeddings", 512 },
        { "rms_norm_eps", 1e-5 }, { "rope_theta", 10000.0 } };
}

/// The sizes above under another family's name, with some fields changed.
json with(const char* model_type, const json& changes)
{
    json config = llama();
    config.erase("architectures");
    config["model_type"] = model_type;
    config.update(changes.is_null() ? json::object() : changes);
    return config;
}

json falcon(const json& changes)
{
    json config = { { "model_type", "falcon" }, { "hidden_size", 32 }, { "num_hidden_layers", 2 },
        { "num_attention_heads", 4 }, { "vocab_size", 257 } };
    config.update(changes.is_null() ? json::object() : changes);
    return config;
}

void write_file(const std::filesystem::path& file, const std::string& bytes)
{
    std::ofstream(file, std::ios::binary) << bytes;
}

DecoderConfig read(const json& config)
{
    const QTemporaryDir folder;
    const std::filesystem::path path = folder.path().toStdString();
    write_file(path / "config.json", config.dump());
    return read_config(path);
}

/// What is said where a config is refused; empty where it is not.
std::string refusal(const json& config)
{
    try {
        read(config);
    } catch (const Error& error) {
        return error.kind() == ErrorKind::input ? error.sentence() : "of another kind: " + error.sentence();
    }
    return {};
}

/// A safetensors file of these tensors.
void write_tensors(const std::filesystem::path& file, const std::map<std::string, golden::Tensor>& tensors)
{
    json header = json::object();
    std::string data;
    for (const auto& [name, tensor] : tensors) {
        header[name] = { { "dtype", tensor.dtype }, { "shape", tensor.shape },
            { "data_offsets", { data.size(), data.size() + tensor.bytes.size() } } };
        data += tensor.bytes;
    }
    std::string text = header.dump();
    text.resize((text.size() + 7) / 8 * 8, ' ');
    const std::uint64_t size = text.size();
    write_file(file, std::string(reinterpret_cast<const char*>(&size), sizeof size) + text + data);
}

/// A copy of a golden folder whose tensors are changed before it is opened.
class ChangedFolder {
public:
    explicit ChangedFolder(const char* name)
        : from_(root / "tests/reference/golden" / name)
        , tensors(golden::read_tensors(from_ / "model.safetensors"))
    {
    }
    ModelInfo open(Engine& engine)
    {
        const std::filesystem::path path = folder_.path().toStdString();
        for (const char* const file : { "config.json", "tokenizer.json" })
            write_file(path / file, golden::read_bytes(from_ / file));
        write_tensors(path / "model.safetensors", tensors);
        return engine.open_model(path, { .device = "cpu", .dtype = Dtype::float32, .threads = 1 });
    }
    std::string refusal()
    {
        Engine engine;
        try {
            open(engine);
        } catch (const Error& error) {
            return error.sentence();
        }
        return {};
    }

private:
    QTemporaryDir folder_;
    std::filesystem::path from_;

public:
    std::map<std::string, golden::Tensor> tensors;
};

/// Files that lie differently in memory are added up in another order.
double largest_difference(const std::vector<float>& a, const std::vector<float>& b)
{
    double largest = a.size() == b.size() ? 0 : std::numeric_limits<double>::infinity();
    for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i)
        largest = std::max(largest, std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
    return largest;
}

golden::Tensor zeros(const std::vector<std::int64_t>& shape)
{
    std::size_t count = 1;
    for (const std::int64_t size : shape)
        count *= static_cast<std::size_t>(size);
    return { "F32", shape, std::string(4 * count, '\0') };
}

/// resources/help/families.md, from the table.
std::string families_page()
{
    std::string text
        = "# Model families\n\n"
          "A Hugging Face folder opens where its `model_type` is one of these. Every field of `config.json` that is "
          "listed "
          "is\n"
          "honoured, in the older spellings and in those of transformers 5; where a file is silent, the family's own "
          "defaults are taken,\n"
          "those of its configuration class in transformers. Other fields are of three kinds:\n\n"
          "- bookkeeping, training and generation (`torch_dtype`, `use_cache`, `model_max_length`, names that begin "
          "with "
          "an underscore):\n"
          "  they change nothing;\n"
          "- fields that say what the family does anyway (`use_qk_norm: true` in Qwen 3), or that switch off what it "
          "does "
          "not do: they\n"
          "  change nothing with that value, and with another (`is_causal: false`) they are refused by name, because "
          "the "
          "numbers would be\n"
          "  wrong;\n"
          "- fields that Keepset does not know: `false`, 0 and null are passed over, anything else is refused by name. "
          "Where such a field\n"
          "  changes nothing about the computation, take it out of `config.json`.\n\n"
          "Rotary scaling (`rope_scaling` or `rope_parameters`) may be default, linear, dynamic, llama3, yarn or "
          "longrope. `rope_type`\n"
          "names it, or `type` where there is no `rope_type`; a file in which the two differ is refused. Tensors may "
          "be "
          "named with or\n"
          "without the model's prefix, experts may stand one by one or stacked, and the output matrix may be tied or "
          "not. "
          "A tensor inside\n"
          "a layer that nothing uses is refused, one outside the layers is noted.\n\n"
          "## Language models beside pictures or sound\n\n"
          "A folder whose `config.json` has a `text_config` (Gemma 3 from 4B on, Mistral Small 3.1 and 3.2, LLaVA, "
          "Voxtral, Idefics 3, …)\n"
          "opens where the language model in it is of a family below: it alone, for text, with a note of what was left "
          "out. So do Qwen 2-VL,\n"
          "2.5-VL and 3-VL, whose positions in three dimensions are plain rotation where there is text alone. "
          "PaliGemma "
          "is refused: it\n"
          "reads its prompt in both directions.\n\n"
          "## Tokenizers\n\n"
          "A tokenizer may know tokens for which the model's embedding has no row, as Gemma 3's does. The folder opens "
          "with a note, and\n"
          "only a text that yields such a token is refused.\n\n"
          "## Families\n\n"
          "This table is made from the code: `KEEPSET_WRITE_PAGES=1 tst_config`.\n\n"
          "| `model_type` | what is computed | fields honoured |\n| --- | --- | --- |\n";
    for (const Family* const family : families()) {
        std::string fields;
        for (const char* const field : family->fields)
            fields += (fields.empty() ? "`" : ", `") + std::string(field) + "`";
        text += "| `" + std::string(family->model_type) + "` | " + family->sentence + " | " + fields + " |\n";
    }
    return text;
}

} // namespace

/// What a config.json asks for is computed or refused by name, whichever way it is spelled.
class TstConfig : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void what_is_not_computed_is_refused_by_name_data();
    void what_is_not_computed_is_refused_by_name();
    void spellings_of_one_thing_are_read_alike_data();
    void spellings_of_one_thing_are_read_alike();
    void bookkeeping_changes_nothing();
    void silent_files_get_the_defaults_of_the_family();
    void rope_scaling_has_its_numbers();
    void layers_may_differ();
    void a_missing_tensor_is_named();
    void a_tensor_in_a_layer_that_nothing_uses_is_refused();
    void a_tensor_outside_the_layers_is_noted();
    void old_buffers_are_passed_over();
    void a_head_that_differs_from_the_embedding_is_its_own();
    void the_prefix_of_names_does_not_matter();
    void repacked_positions_are_refused_where_they_are_learned();
    void the_manual_has_the_table_of_the_code();
};

void TstConfig::what_is_not_computed_is_refused_by_name_data()
{
    QTest::addColumn<QString>("config");
    QTest::addColumn<QString>("said");
    const auto row = [](const char* name, const json& config, const char* said) {
        QTest::newRow(name) << QString::fromStdString(config.dump()) << QString(said);
    };
    row("unknown family", with("mamba", {}), "'mamba' is not known");
    row("pictures", { { "model_type", "llama4" }, { "text_config", { { "model_type", "llama4_text" } } } },
        "('text_config.model_type') is 'llama4_text', which is not known");
    row("quantized", with("llama", { { "quantization_config", { { "bits", 4 } } } }),
        "quantised (quantization_config: ");
    row("another activation", with("llama", { { "hidden_act", "mish" } }), "'hidden_act' asks for 'mish'");
    row("rotary kind", with("llama", { { "rope_scaling", { { "type", "spiral" } } } }),
        "'rope_scaling' asks for rotary scaling 'spiral'");
    row("rotary field",
        with("llama",
            { { "rope_parameters", { { "rope_type", "linear" }, { "factor", 2 }, { "spiral_section", { 1, 2 } } } } }),
        "'rope_parameters.spiral_section'");
    row("rotary factor missing", with("llama", { { "rope_scaling", { { "type", "linear" } } } }),
        "'rope_scaling.factor' is missing");
    row("llama3 numbers",
        with("llama",
            { { "rope_scaling",
                { { "rope_type", "llama3" }, { "factor", 8 }, { "low_freq_factor", 4 },
                    { "high_freq_factor", 4 } } } }),
        "'rope_scaling' holds impossible numbers");
    row("partial rotary", with("llama", { { "partial_rotary_factor", 0.5 } }), "'partial_rotary_factor'");
    row("longrope sizes",
        with("phi3",
            { { "rope_scaling", { { "type", "longrope" }, { "short_factor", { 1 } }, { "long_factor", { 1 } } } } }),
        "'rope_scaling.short_factor' has 1 entries for 4 frequencies");
    row("layer types", with("qwen2", { { "layer_types", { "full_attention" } } }),
        "'layer_types' has 1 entries for 4 layers");
    row("layer type",
        with("gemma2",
            { { "layer_types", { "chunked_attention", "full_attention", "full_attention", "full_attention" } } }),
        "'layer_types' asks for 'chunked_attention'");
    row("window switched off",
        with("qwen3",
            { { "use_sliding_window", false },
                { "layer_types", { "sliding_attention", "full_attention", "full_attention", "full_attention" } } }),
        "'use_sliding_window' switches off");
    row("window missing", with("gemma2", { { "sliding_window", nullptr } }), "'sliding_window' is missing");
    row("two rotary scalings",
        with("gemma3_text",
            { { "rope_scaling", { { "rope_type", "linear" }, { "factor", 2 } } },
                { "rope_parameters", { { "full_attention", { { "rope_type", "default" } } } } } }),
        "'rope_scaling' and 'rope_parameters'");
    row("both directions", with("gemma", { { "use_bidirectional_attention", true } }), "'use_bidirectional_attention'");
    row("two activations", with("gemma2", { { "hidden_act", "relu" } }), "'hidden_act'");
    row("soft cap of gemma 3", with("gemma3_text", { { "attn_logit_softcapping", 50 } }), "'attn_logit_softcapping'");
    row("cross attention",
        { { "model_type", "gpt2" }, { "n_layer", 1 }, { "n_head", 2 }, { "n_embd", 8 }, { "vocab_size", 9 },
            { "add_cross_attention", true } },
        "'add_cross_attention'");
    row("too many experts", with("mixtral", { { "num_local_experts", 2 }, { "num_experts_per_tok", 3 } }),
        "num_experts_per_tok (3) exceeds");
    row("falcon's norms", falcon({ { "num_ln_in_parallel_attn", 2 } }), "'num_ln_in_parallel_attn'");
    row("falcon's order", falcon({ { "new_decoder_architecture", true }, { "parallel_attn", false } }),
        "'parallel_attn'");
    row("heads", with("llama", { { "num_key_value_heads", 3 } }), "not a multiple of num_key_value_heads (3)");
    row("hidden size",
        { { "model_type", "bloom" }, { "n_layer", 1 }, { "n_head", 3 }, { "hidden_size", 8 }, { "vocab_size", 9 } },
        "hidden_size (8) is not a multiple of n_head (3)");
    row("odd rotary dims", with("llama", { { "head_dim", 5 } }), "5 are to be rotated");
    row("classifier", with("llama", { { "architectures", { "LlamaForSequenceClassification" } } }),
        "'LlamaForSequenceClassification' is not a causal");
    row("a word for a number", with("llama", { { "rms_norm_eps", "small" } }), "'rms_norm_eps' must be a number");
    row("no rope layers", with("smollm3", { { "no_rope_layers", { 1, 0 } } }),
        "'no_rope_layers' has 2 entries for 4 layers");
    row("n_ctx",
        { { "model_type", "gpt2" }, { "n_layer", 1 }, { "n_head", 2 }, { "n_embd", 8 }, { "vocab_size", 9 },
            { "n_positions", 64 }, { "n_ctx", 32 } },
        "'n_ctx'");
}

void TstConfig::what_is_not_computed_is_refused_by_name()
{
    QFETCH(QString, config);
    QFETCH(QString, said);
    const std::string found = refusal(json::parse(config.toStdString()));
    QVERIFY2(QString::fromStdString(found).contains(said), found.c_str());
    QVERIFY2(found.find("config.json") != std::string::npos, found.c_str());
}

void TstConfig::spellings_of_one_thing_are_read_alike_data()
{
    QTest::addColumn<QString>("one");
    QTest::addColumn<QString>("other");
    const auto row = [](const char* name, const json& one, const json& other) {
        QTest::newRow(name) << QString::fromStdString(one.dump()) << QString::fromStdString(other.dump());
    };
    const json scaling = { { "factor", 4.0 }, { "original_max_position_embeddings", 64 } };
    const auto scaled = [&](const char* field, const char* type_field, bool theta_inside) {
        json config = with("llama", {});
        config[field] = scaling;
        config[field][type_field] = "yarn";
        config.erase("rope_theta");
        (theta_inside ? config[field] : config)["rope_theta"] = 5000.0;
        return config;
    };
    row("rope fields", scaled("rope_scaling", "type", false), scaled("rope_parameters", "rope_type", true));
    row("rope type", scaled("rope_scaling", "type", false), scaled("rope_scaling", "rope_type", true));
    row("gemma 3's bases", with("gemma3_text", { { "rope_theta", 7e5 }, { "rope_local_base_freq", 500 } }),
        with("gemma3_text",
            { { "rope_theta", nullptr },
                { "rope_parameters",
                    { { "full_attention", { { "rope_type", "default" }, { "rope_theta", 7e5 } } },
                        { "sliding_attention", { { "rope_type", "default" }, { "rope_theta", 500 } } } } } }));
    row("patterns", with("gemma3_text", { { "sliding_window_pattern", 2 } }),
        with("gemma3_text",
            { { "layer_types", { "sliding_attention", "full_attention", "sliding_attention", "full_attention" } } }));
    row("upper layers",
        with("qwen2", { { "use_sliding_window", true }, { "sliding_window", 8 }, { "max_window_layers", 3 } }),
        with("qwen2",
            { { "use_sliding_window", true }, { "sliding_window", 8 },
                { "layer_types", { "full_attention", "full_attention", "full_attention", "sliding_attention" } } }));
    row("rotated share",
        with("gpt_neox",
            { { "rotary_pct", 0.5 }, { "rotary_emb_base", 500 }, { "rope_theta", nullptr },
                { "num_key_value_heads", nullptr }, { "rms_norm_eps", nullptr } }),
        with("gpt_neox",
            { { "rope_theta", nullptr }, { "num_key_value_heads", nullptr }, { "rms_norm_eps", nullptr },
                { "rope_parameters",
                    { { "rope_type", "default" }, { "rope_theta", 500 }, { "partial_rotary_factor", 0.5 } } } }));
    row("longrope's first name",
        with("phi3",
            { { "rope_scaling",
                { { "type", "su" }, { "short_factor", { 1, 1, 1, 1 } }, { "long_factor", { 2, 2, 2, 2 } } } } }),
        with("phi3",
            { { "rope_scaling",
                { { "type", "longrope" }, { "short_factor", { 1, 1, 1, 1 } }, { "long_factor", { 2, 2, 2, 2 } } } } }));
    row("sizes of gpt2",
        { { "model_type", "gpt2" }, { "n_layer", 3 }, { "n_head", 2 }, { "n_embd", 8 }, { "vocab_size", 9 },
            { "n_positions", 64 } },
        { { "model_type", "gpt2" }, { "num_hidden_layers", 3 }, { "num_attention_heads", 2 }, { "hidden_size", 8 },
            { "vocab_size", 9 }, { "max_position_embeddings", 64 } });
    row("number of experts", with("mixtral", { { "num_local_experts", 5 } }),
        with("mixtral", { { "num_experts", 5 } }));
}

void TstConfig::spellings_of_one_thing_are_read_alike()
{
    QFETCH(QString, one);
    QFETCH(QString, other);
    const DecoderConfig a = read(json::parse(one.toStdString()));
    const DecoderConfig b = read(json::parse(other.toStdString()));
    QCOMPARE(a.layers, b.layers);
    QCOMPARE(a.heads, b.heads);
    QCOMPARE(a.hidden_size, b.hidden_size);
    QCOMPARE(a.max_context, b.max_context);
    QCOMPARE(a.experts, b.experts);
    QCOMPARE(a.ropes.size(), b.ropes.size());
    for (std::size_t i = 0; i < a.ropes.size(); ++i) {
        QVERIFY(a.ropes[i].kind == b.ropes[i].kind);
        QCOMPARE(a.ropes[i].theta, b.ropes[i].theta);
        QCOMPARE(a.ropes[i].dims, b.ropes[i].dims);
        QCOMPARE(a.ropes[i].factor, b.ropes[i].factor);
        QCOMPARE(a.ropes[i].attention_factor, b.ropes[i].attention_factor);
        QCOMPARE(a.ropes[i].original_context, b.ropes[i].original_context);
    }
    for (std::size_t layer = 0; layer < a.per_layer.size(); ++layer) {
        QCOMPARE(a.per_layer[layer].window, b.per_layer[layer].window);
        QCOMPARE(a.per_layer[layer].rope, b.per_layer[layer].rope);
    }
}

void TstConfig::bookkeeping_changes_nothing()
{
    QCOMPARE(
        refusal(with("llama",
            { { "torch_dtype", "bfloat16" }, { "dtype", "float16" }, { "use_cache", true }, { "top_p", 0.9 },
                { "attention_dropout", 0.1 }, { "quantization_config", nullptr }, { "embedding_multiplier", 1 } })),
        std::string());
}

void TstConfig::silent_files_get_the_defaults_of_the_family()
{
    json mistral = with("mistral", {});
    mistral.erase("num_key_value_heads");
    mistral["num_attention_heads"] = 8;
    QCOMPARE(read(mistral).kv_heads, std::int64_t { 8 });
    QCOMPARE(read(mistral).per_layer.front().window, std::int64_t { 4096 });
    mistral["sliding_window"] = nullptr;
    QCOMPARE(read(mistral).per_layer.front().window, std::int64_t { 0 });
    const DecoderConfig gemma2 = read(with("gemma2", {}));
    QCOMPARE(gemma2.attention_softcap, 50.0);
    QCOMPARE(gemma2.final_softcap, 30.0);
    QCOMPARE(gemma2.head_dim, std::int64_t { 256 });
    QCOMPARE(gemma2.per_layer.front().scale, 1 / 16.0);
    QVERIFY(gemma2.tied_embeddings);
    QCOMPARE(read(with("gemma2", { { "final_logit_softcapping", nullptr } })).final_softcap, 0.0);
    QCOMPARE(read(with("llama", {})).architecture, std::string("LlamaForCausalLM"));
    QCOMPARE(read(falcon({})).kv_heads, std::int64_t { 1 });
    QCOMPARE(read(falcon({ { "multi_query", false } })).kv_heads, std::int64_t { 4 });
    QCOMPARE(
        read(falcon({ { "new_decoder_architecture", true }, { "num_kv_heads", 2 } })).kv_heads, std::int64_t { 2 });
}

void TstConfig::rope_scaling_has_its_numbers()
{
    // By hand from the definition: YaRN's temperature 0.1 ln 4 + 1, longrope's √(1 + ln 8 / ln 64).
    const DecoderConfig yarn = read(with("llama", { { "rope_scaling", { { "type", "yarn" }, { "factor", 4 } } } }));
    QVERIFY(std::abs(yarn.ropes[0].attention_factor - 1.138629436) < 1e-8);
    QCOMPARE(yarn.ropes[0].original_context, 512.0);
    const DecoderConfig longrope = read(with("phi3",
        { { "original_max_position_embeddings", 64 },
            { "rope_scaling",
                { { "type", "longrope" }, { "short_factor", { 1, 1, 1, 1 } }, { "long_factor", { 2, 2, 2, 2 } } } } }));
    QCOMPARE(longrope.ropes[0].factor, 8.0);
    QVERIFY(std::abs(longrope.ropes[0].attention_factor - std::sqrt(1.5)) < 1e-12);
}

void TstConfig::layers_may_differ()
{
    const DecoderConfig moe = read(with("qwen3_moe", { { "decoder_sparse_step", 2 }, { "mlp_only_layers", { 3 } } }));
    QVERIFY(!moe.per_layer[0].experts);
    QVERIFY(moe.per_layer[1].experts);
    QVERIFY(!moe.per_layer[3].experts);
    const DecoderConfig smol = read(with("smollm3", { { "no_rope_layer_interval", 2 } }));
    QCOMPARE(smol.per_layer[0].rope, 0);
    QCOMPARE(smol.per_layer[1].rope, -1);
    const json gpt2 = { { "model_type", "gpt2" }, { "n_layer", 2 }, { "n_head", 2 }, { "n_embd", 8 },
        { "vocab_size", 9 }, { "scale_attn_by_inverse_layer_idx", true } };
    QCOMPARE(read(gpt2).per_layer[1].scale, 0.25);
}

void TstConfig::a_missing_tensor_is_named()
{
    ChangedFolder folder("gqa7");
    folder.tensors.erase("model.layers.1.mlp.up_proj.weight");
    const std::string said = folder.refusal();
    QVERIFY2(said.find("'model.layers.1.mlp.up_proj.weight' is missing") != std::string::npos, said.c_str());
}

void TstConfig::a_tensor_in_a_layer_that_nothing_uses_is_refused()
{
    ChangedFolder folder("gqa7");
    folder.tensors["model.layers.1.self_attn.q_proj.bias"] = zeros({ 112 });
    const std::string said = folder.refusal();
    QVERIFY2(said.find("'model.layers.1.self_attn.q_proj.bias' is in layer 1") != std::string::npos, said.c_str());
}

void TstConfig::a_tensor_outside_the_layers_is_noted()
{
    ChangedFolder folder("gqa7");
    folder.tensors["model.layers.2.mlp.up_proj.weight"] = zeros({ 2, 2 });
    folder.tensors["score.weight"] = zeros({ 1 });
    Engine engine;
    const ModelInfo info = folder.open(engine);
    QCOMPARE(info.notes.size(), std::size_t { 1 });
    QVERIFY(info.notes.front().ends_with("not used: model.layers.2.mlp.up_proj.weight, score.weight."));
}

void TstConfig::old_buffers_are_passed_over()
{
    ChangedFolder folder("gqa7");
    Engine engine;
    const std::int64_t parameters = folder.open(engine).parameters;
    folder.tensors["model.layers.0.self_attn.rotary_emb.inv_freq"] = zeros({ 8 });
    const ModelInfo info = folder.open(engine);
    QVERIFY(info.notes.empty());
    QCOMPARE(info.parameters, parameters);
    // As transformers counts them: masks are none, but the biases of c_attn and ln_attn are parameters.
    const std::filesystem::path golden_folders = root / "tests/reference/golden/families";
    QCOMPARE(describe_model(golden_folders / "gpt2").parameters, std::int64_t { 34350 });
    QCOMPARE(describe_model(golden_folders / "falcon-groups").parameters, std::int64_t { 37260 });
}

void TstConfig::a_head_that_differs_from_the_embedding_is_its_own()
{
    ChangedFolder folder("gqa7"); // tied
    const Text text { "text", "a few words" };
    Engine engine;
    folder.open(engine);
    const std::vector<float> tied = engine.logits(text, 1).log_prob;
    folder.tensors["lm_head.weight"] = folder.tensors.at("model.embed_tokens.weight");
    folder.open(engine);
    QVERIFY(largest_difference(engine.logits(text, 1).log_prob, tied) < 1e-4);
    folder.tensors["lm_head.weight"].bytes.assign(folder.tensors["lm_head.weight"].bytes.size(), '\0');
    folder.open(engine);
    QVERIFY(largest_difference(engine.logits(text, 1).log_prob, tied) > 1);
}

void TstConfig::the_prefix_of_names_does_not_matter()
{
    const Text text { "text", "a few words" };
    Engine engine;
    std::vector<std::vector<float>> found;
    for (const char* const prefix : { "model.", "", "base.decoder." }) {
        ChangedFolder folder("gqa7");
        std::map<std::string, golden::Tensor> renamed;
        for (const auto& [name, tensor] : folder.tensors)
            renamed[name.starts_with("model.") ? prefix + name.substr(6) : name] = tensor;
        folder.tensors = renamed;
        folder.open(engine);
        found.push_back(engine.logits(text, 1).log_prob);
    }
    QVERIFY(largest_difference(found[1], found[0]) < 1e-4);
    QVERIFY(largest_difference(found[2], found[0]) < 1e-4);
}

void TstConfig::repacked_positions_are_refused_where_they_are_learned()
{
    Engine engine;
    engine.open_model(root / "tests/reference/golden/families/gpt2", { .device = "cpu", .threads = 1 });
    SweepRequest request;
    request.text = { "text", std::string(120, 'a') };
    request.policies = { parse_policy("h2o") };
    request.sparsities = { 0.5 };
    request.context = 20;
    request.target = 5;
    request.positions = Positions::repacked;
    try {
        engine.sweep(request);
        QFAIL("it was not refused");
    } catch (const Error& error) {
        QVERIFY(error.kind() == ErrorKind::usage);
        QVERIFY(error.sentence().find("positions=repacked") != std::string::npos);
    }
}

void TstConfig::the_manual_has_the_table_of_the_code()
{
    if (std::getenv("KEEPSET_WRITE_PAGES") != nullptr) // NOLINT(concurrency-mt-unsafe): nothing sets it
        write_file(page, families_page());
    QCOMPARE(golden::read_bytes(page), families_page());
}

KEEPSET_TEST(TstConfig)
#include "tst_config.moc"
