#include "core/model/config_fields.h"

#include "core/model/family.h"
#include "core/model/restated_fields.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <string_view>

namespace keepset {

namespace {

    using nlohmann::json;

    /// Fields that say nothing about the forward pass: bookkeeping, training, generation, names for people.
    constexpr std::array neutral_fields = { "architectures", "model_type", "auto_map", "dtype", "torch_dtype",
        "license", "task_specific_params", "problem_type", "prefix", "id2label", "label2id", "num_labels",
        "finetuning_task", "is_llama_config", "is_decoder", "is_encoder_decoder", "use_cache", "cache_implementation",
        "return_dict", "return_dict_in_generate", "output_hidden_states", "output_attentions", "output_router_logits",
        "output_scores", "output_past", "attn_implementation", "attention_implementation", "use_flash_attn",
        "use_flash_attention", "use_flash_attention_2", "flash_attn", "flash_attn_version", "fused_dense", "fused_mlp",
        "fused_bias_fc", "flash_rotary", "gradient_checkpointing", "use_gradient_checkpointing",
        "chunk_size_feed_forward", "pretraining_tp", "slow_but_exact", "masked_softmax_fusion", "bias_dropout_fusion",
        "skip_bias_add", "skip_bias_add_qkv", "attention_softmax_in_fp32", "softmax_in_fp32", "torchscript",
        "use_bfloat16", "bf16", "fp16", "fp32", "initializer_range", "initializer_factor", "init_std", "init_method",
        "init_device", "dropout", "layerdrop", "router_aux_loss_coef", "router_jitter_noise", "jitter_noise",
        "input_jitter_noise", "max_length", "min_length", "do_sample", "temperature", "top_p", "top_k", "typical_p",
        "repetition_penalty", "length_penalty", "diversity_penalty", "num_beams", "num_beam_groups",
        "num_return_sequences", "no_repeat_ngram_size", "encoder_no_repeat_ngram_size", "early_stopping",
        "suppress_tokens", "begin_suppress_tokens", "bad_words_ids", "remove_invalid_values", "generation_config",
        "offset_alibi", "output_projection", "predict_special_tokens", "custom_pipelines", "pipeline_tag", "tags",
        "datasets", "language", "n_ctx", "n_positions", "seq_len", "seq_length", "seqlen", "max_seq_len",
        "max_seq_length", "max_sequence_length", "model_max_length", "train_seq_len", "context_length",
        "max_context_length", "max_position_embeddings", "max_window_layers", "padded_vocab_size", "text_vocab_size",
        "padding_side", "tensor_parallel_degree", "pipeline_parallel_degree", "tf_legacy_loss", "pruned_heads",
        "tie_encoder_decoder", "processor_class", "image_processor_type", "classifier_bias",
        "pad_vocab_size_multiple_of", "keys_to_ignore_at_inference", "model_id", "model_name", "base_model",
        "base_model_name", "description", "author", "use_auth_token", "trust_remote_code", "neftune_noise_alpha",
        "special_tokens_map", "chat_template", "use_mem_efficient_attn", "use_fused_rms_norm", "use_fused_rope",
        "use_fused_head_and_loss_fn", "use_unpad", "recompute", "recompute_granularity", "sep_parallel_degree",
        "sequence_parallel", "document_attention" };

    constexpr std::array neutral_beginnings = { "_", "tokenizer_", "unsloth_", "transformers_", "transformers.",
        "summary_", "generation_", "initializer_", "wandb_", "lora_init" };
    constexpr std::array neutral_endings = { "_version", "_dropout", "_dropout_prob", "_pdrop", "_token_id",
        "_token_ids", "_token_index", "_token", "_loss_coef", "_loss_coeff", "_loss_weight", "_name_or_path", "_path",
        "_date", "_init_std", "_init_range" };

    /// Fields that some decoder honours in a way in which `false`, 0 or null does change the pass, with the values that
    /// do not.
    struct Switch {
        const char* field;
        std::vector<json> harmless;
    };
    const std::vector<Switch>& switches()
    {
        static const std::vector<Switch> all = {
            { "is_causal", { true } }, // null is false in transformers
            { "causal", { true } },
            { "causal_attention", { true } },
            { "use_causal_mask", { true } },
            { "use_bidirectional_attention", { false, nullptr } },
            { "attention_direction", { "causal" } },
            { "scale_attn_weights", { true, nullptr } },
            { "scale_attention", { true, nullptr } },
            { "scale_qk", { true, nullptr } },
            { "do_layer_norm_before", { true, nullptr } },
            { "layer_norm_elementwise_affine", { true, nullptr } },
            { "elementwise_affine", { true, nullptr } },
            { "normalize_before", { true, nullptr } },
            { "pre_norm", { true, nullptr } },
            { "final_layer_norm", { true, nullptr } },
            { "use_final_norm", { true, nullptr } },
            { "embedding_multiplier", { 1, nullptr } },
            { "attention_multiplier", { 1, nullptr } },
            { "residual_multiplier", { 1, nullptr } },
            { "lm_head_multiplier", { 1, nullptr } },
            { "key_multiplier", { 1, nullptr } },
            { "attention_in_multiplier", { 1, nullptr } },
            { "attention_out_multiplier", { 1, nullptr } },
            { "ssm_multipliers", { nullptr } },
            { "mlp_multipliers", { json::array({ 1, 1 }), nullptr } },
            { "logits_scaling", { 1, nullptr } },
            { "logit_scale", { 1, nullptr } },
            { "attention_scale", { nullptr } },
            { "full_attn_mod", { 1, nullptr } },
            { "interpolate_factor", { 1, nullptr } },
            { "attention_factor", { 1, nullptr } },
        };
        return all;
    }

    /// Computations of decoders that Keepset does not have in any family; those that it has are the families' fields.
    constexpr std::array computations = { "add_cross_attention", "attention_chunk_size", "attention_sink",
        "attn_output_gate", "attn_temperature_tuning", "clip_qkv", "cross_attention_layers", "embedding_norm",
        "first_k_dense_replace", "full_attention_interval", "index_topk", "kv_lora_rank", "layernorm_embedding",
        "linear_num_key_heads", "llama_4_scaling_beta", "moe_layer_freq", "moe_layers", "mrope_section",
        "mtp_num_hidden_layers", "n_group", "n_routed_experts", "n_shared_experts", "num_nextn_predict_layers",
        "num_shared_experts", "position_embedding_type", "q_lora_rank", "qk_nope_head_dim", "qk_rope_head_dim",
        "routed_scaling_factor", "scale_emb", "scale_depth", "scoring_func", "shared_expert_intermediate_size",
        "shared_intermediate_size", "swiglu_limit", "topk_group", "topk_method", "use_dynamic_ntk", "use_logn_attn",
        "use_mrope", "use_qk_norm", "v_head_dim" };

    bool among(std::span<const char* const> names, std::string_view name)
    {
        return std::ranges::find(names, name) != names.end();
    }

    bool is_neutral(std::string_view name)
    {
        if (name.ends_with("per_token")) // a count of experts, not the name of a token
            return false;
        return among(neutral_fields, name)
            || std::ranges::any_of(neutral_beginnings, [&](const char* begin) { return name.starts_with(begin); })
            || std::ranges::any_of(neutral_endings, [&](const char* end) { return name.ends_with(end); });
    }

    /// null, false, 0 or empty: a field that is no switch asks for nothing then.
    bool asks_for_nothing(const json& value)
    {
        return value.is_null() || (value.is_boolean() && !value.get<bool>())
            || (value.is_number() && value.get<double>() == 0) || (value.is_structured() && value.empty())
            || (value.is_string() && value.get_ref<const std::string&>().empty());
    }

    const Switch* switch_of(std::string_view name)
    {
        const auto found = std::ranges::find_if(switches(), [&](const Switch& each) { return name == each.field; });
        return found == switches().end() ? nullptr : &*found;
    }

    bool is_computation(std::string_view name)
    {
        return among(computations, name) || switch_of(name) != nullptr || is_restatable(name)
            || std::ranges::any_of(families(), [&](const Family* family) { return among(family->fields, name); });
    }

    void refuse_if_asked(const ConfigReader& reader, const std::string& name, const DecoderConfig* config)
    {
        const json& value = reader.fields.at(name);
        if (const Switch* const known = switch_of(name)) {
            if (std::ranges::find(known->harmless, value) != known->harmless.end())
                return;
            reader.refuse_request(name);
        }
        if (config != nullptr && is_restatable(name)) {
            if (value.is_null() || restates(name, reader, *config))
                return;
            reader.refuse_request(name);
        }
        if (is_neutral(name) || asks_for_nothing(value))
            return;
        if (is_computation(name))
            reader.refuse_request(name);
        reader.refuse_unknown(name);
    }

} // namespace

void refuse_other_fields(const ConfigReader& reader, const DecoderConfig& config, std::span<const char* const> honoured)
{
    for (const auto& [name, value] : reader.fields.items()) {
        if (!among(honoured, name))
            refuse_if_asked(reader, name, &config);
    }
}

void refuse_fields_beside(const ConfigReader& whole)
{
    for (const Switch& each : switches()) {
        if (whole.present(each.field))
            refuse_if_asked(whole, each.field, nullptr);
    }
}

} // namespace keepset
