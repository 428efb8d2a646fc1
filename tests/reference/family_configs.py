"""What each golden folder of families.py is made from: its config.json and how its weights are stored.

config: as written to config.json, or, with `saved`, what transformers 5 reads before it saves in its own spelling.
dtype: of the weights on disk. bare: names without the model's prefix. buffers: with those of old checkpoints.
experts: the family whose names experts have one by one; stacked: saved as transformers 5 holds them.
tied_copy: the output matrix is stored too, though tied. shards: files the weights are spread over.
own_config: the weights as transformers 5 saves them, under the config.json written here.
peak: variance of the scores aimed at, 2.5 by default. runs: see RUNS in families.py.
One folder of each family has an unusual epsilon in its norms and an unusual base of its rotary embedding, so that a
reader who takes them for granted is found out.
"""

FAMILIES = {}


def family(name, architecture, model_type, config, **settings):
    FAMILIES[name] = {"config": {"architectures": [architecture], "model_type": model_type, **config}, **settings}


def sizes(hidden, heads, layers=2, intermediate=40, vocab=257, **others):
    return {"hidden_size": hidden, "intermediate_size": intermediate, "num_hidden_layers": layers,
            "num_attention_heads": heads, "vocab_size": vocab, "max_position_embeddings": 256, **others}


# ---- gpt2
GPT2 = {"activation_function": "gelu_new", "attn_pdrop": 0.1, "bos_token_id": 0, "embd_pdrop": 0.1, "eos_token_id": 0,
        "initializer_range": 0.02, "layer_norm_epsilon": 1e-05, "resid_pdrop": 0.1, "summary_activation": None,
        "summary_first_dropout": 0.1, "summary_proj_to_labels": True, "summary_type": "cls_index",
        "summary_use_proj": True, "vocab_size": 257}
family("gpt2", "GPT2LMHeadModel", "gpt2",
       {**GPT2, "n_ctx": 140, "n_embd": 30, "n_head": 3, "n_layer": 2, "n_positions": 140,
        "task_specific_params": {"text-generation": {"do_sample": True, "max_length": 50}}},
       bare=True, buffers=True, runs=["head", "layer", "drop"])
family("gpt2-saved", "GPT2LMHeadModel", "gpt2",
       {**GPT2, "n_embd": 32, "n_head": 4, "n_layer": 3, "n_positions": 160, "n_inner": 44,
        "activation_function": "gelu", "layer_norm_epsilon": 1e-3,
        "scale_attn_by_inverse_layer_idx": True, "tie_word_embeddings": False},
       saved=True, dtype="bfloat16", peak=5)

# ---- gpt_neox
family("gpt_neox", "GPTNeoXForCausalLM", "gpt_neox",
       {**sizes(48, 3, vocab=263), "max_position_embeddings": 140, "bos_token_id": 0, "eos_token_id": 0,
        "hidden_act": "gelu", "initializer_range": 0.02, "layer_norm_eps": 1e-05, "rotary_emb_base": 1000,
        "rotary_pct": 0.25, "tie_word_embeddings": False, "torch_dtype": "float16", "use_cache": True,
        "use_parallel_residual": True},
       dtype="float16", buffers=True, runs=["head", "repacked"])
family("gpt_neox-serial", "GPTNeoXForCausalLM", "gpt_neox",
       {**sizes(30, 3, layers=3), "hidden_act": "gelu_new", "layer_norm_eps": 1e-3, "rotary_pct": 0.4, "rotary_emb_base": 500,
        "use_parallel_residual": False, "attention_bias": False, "tie_word_embeddings": True},
       saved=True)

# ---- mistral
family("mistral", "MistralForCausalLM", "mistral",
       {**sizes(32, 4), "num_key_value_heads": 2, "bos_token_id": 1, "eos_token_id": 2, "hidden_act": "silu",
        "rms_norm_eps": 1e-05, "rope_theta": 500.0, "sliding_window": 12, "tie_word_embeddings": False,
        "torch_dtype": "bfloat16"}, dtype="bfloat16", runs=["head", "layer", "drop"], bos=True)
family("mistral-saved", "MistralForCausalLM", "mistral",
       {**sizes(33, 6), "num_key_value_heads": 2, "head_dim": 10, "hidden_act": "silu", "rms_norm_eps": 1e-3,
        "rope_theta": 1000000.0, "sliding_window": None, "tie_word_embeddings": False},
       saved=True, dtype="bfloat16")

# ---- qwen2
QWEN2 = {"hidden_act": "silu", "rms_norm_eps": 1e-06, "rope_theta": 1000000.0, "attention_dropout": 0.0,
         "bos_token_id": 0, "eos_token_id": 0, "initializer_range": 0.02, "use_cache": True}
family("qwen2", "Qwen2ForCausalLM", "qwen2",
       {**sizes(70, 7, intermediate=36), **QWEN2, "num_key_value_heads": 1, "max_window_layers": 1,
        "sliding_window": 8, "use_sliding_window": False, "tie_word_embeddings": True, "torch_dtype": "bfloat16"},
       dtype="bfloat16")
family("qwen2-window", "Qwen2ForCausalLM", "qwen2",
       {**sizes(32, 4, layers=3), **QWEN2, "num_key_value_heads": 2, "max_window_layers": 1, "sliding_window": 10,
        "use_sliding_window": True, "tie_word_embeddings": False, "torch_dtype": "bfloat16"},
       dtype="bfloat16", bare=True, runs=["head", "model"])
family("qwen2-types", "Qwen2ForCausalLM", "qwen2",
       {**sizes(32, 4, layers=3), **QWEN2, "num_key_value_heads": 4, "rms_norm_eps": 1e-3, "sliding_window": 9,
        "use_sliding_window": True, "layer_types": ["sliding_attention", "full_attention", "sliding_attention"], "tie_word_embeddings": True},
       saved=True, dtype="bfloat16", runs=["head", "layer", "received", "received by model"])

# ---- qwen3
QWEN3 = {**QWEN2, "attention_bias": False, "max_window_layers": 2, "sliding_window": None, "use_sliding_window": False}
family("qwen3", "Qwen3ForCausalLM", "qwen3",
       {**sizes(35, 6), **QWEN3, "num_key_value_heads": 2, "head_dim": 10, "rope_scaling": None,
        "tie_word_embeddings": True, "torch_dtype": "bfloat16"}, dtype="bfloat16", runs=["head", "drop"])
family("qwen3-saved", "Qwen3ForCausalLM", "qwen3",
       {**sizes(24, 2), **QWEN3, "num_key_value_heads": 2, "head_dim": 80, "rms_norm_eps": 1e-3, "attention_bias": True,
        "sliding_window": 11, "use_sliding_window": True, "layer_types": ["full_attention", "sliding_attention"],
        "tie_word_embeddings": False},
       saved=True, dtype="bfloat16")

# ---- gemma
GEMMA = {"attention_bias": False, "attention_dropout": 0.0, "bos_token_id": 2, "eos_token_id": 1, "pad_token_id": 0,
         "rms_norm_eps": 1e-06, "initializer_range": 0.02, "use_cache": True}
family("gemma", "GemmaForCausalLM", "gemma",
       {**sizes(36, 4), **GEMMA, "num_key_value_heads": 1, "head_dim": 10, "hidden_act": "gelu",
        "hidden_activation": None, "rope_scaling": None, "rope_theta": 10000.0, "torch_dtype": "bfloat16"},
       dtype="bfloat16", bos=True)
family("gemma-saved", "GemmaForCausalLM", "gemma",
       {**sizes(33, 3), **GEMMA, "num_key_value_heads": 3, "head_dim": 16, "hidden_act": "gelu_pytorch_tanh",
        "rms_norm_eps": 0.01, "rope_theta": 500.0},
       saved=True, dtype="bfloat16")

# ---- gemma2
family("gemma2", "Gemma2ForCausalLM", "gemma2",
       {**sizes(32, 4, layers=3), **GEMMA, "num_key_value_heads": 2, "head_dim": 10, "hidden_act": "gelu_pytorch_tanh",
        "hidden_activation": "gelu_pytorch_tanh", "attn_logit_softcapping": 5.0, "final_logit_softcapping": 6.0,
        "query_pre_attn_scalar": 12, "sliding_window": 10, "rope_theta": 10000.0, "cache_implementation": "hybrid",
        "torch_dtype": "bfloat16"}, dtype="bfloat16", runs=["head", "layer", "drop"], bos=True)
family("gemma2-saved", "Gemma2ForCausalLM", "gemma2",
       {**sizes(36, 6), **GEMMA, "num_key_value_heads": 2, "head_dim": 16, "hidden_activation": "gelu_pytorch_tanh",
        "attn_logit_softcapping": 50.0, "final_logit_softcapping": None, "query_pre_attn_scalar": 16,
        "sliding_window": 14, "rms_norm_eps": 0.01, "rope_theta": 500.0, "layer_types": ["full_attention", "sliding_attention"]},
       saved=True, dtype="bfloat16")
# Long windows, so that few keys tie at nothing from the last queries.
family("gemma2-last", "Gemma2ForCausalLM", "gemma2",
       {**sizes(32, 4, layers=3), **GEMMA, "num_key_value_heads": 2, "head_dim": 10, "hidden_act": "gelu_pytorch_tanh",
        "hidden_activation": "gelu_pytorch_tanh", "attn_logit_softcapping": 5.0, "final_logit_softcapping": 6.0,
        "query_pre_attn_scalar": 12, "sliding_window": 24, "rope_theta": 10000.0, "cache_implementation": "hybrid",
        "torch_dtype": "bfloat16"}, dtype="bfloat16", runs=["last", "last query", "all queries"], bos=True)

# ---- gemma3_text
family("gemma3", "Gemma3ForCausalLM", "gemma3_text",
       {**sizes(32, 4, layers=3), **GEMMA, "num_key_value_heads": 1, "head_dim": 10,
        "hidden_activation": "gelu_pytorch_tanh", "attn_logit_softcapping": None, "final_logit_softcapping": None,
        "query_pre_attn_scalar": 12, "sliding_window": 10, "sliding_window_pattern": 3, "rope_theta": 1000000.0,
        "rope_local_base_freq": 10000.0, "rope_scaling": {"factor": 8.0, "rope_type": "linear"},
        "cache_implementation": "hybrid", "torch_dtype": "bfloat16"}, dtype="bfloat16", runs=["head", "drop", "received"], bos=True)
family("gemma3-saved", "Gemma3ForCausalLM", "gemma3_text",
       {**sizes(30, 6, layers=3), **GEMMA, "num_key_value_heads": 2, "head_dim": 16, "query_pre_attn_scalar": 16,
        "sliding_window": 12, "layer_types": ["sliding_attention", "full_attention", "sliding_attention"],
        "rms_norm_eps": 0.01, "rope_theta": 100000.0, "rope_local_base_freq": 500.0}, saved=True, dtype="bfloat16")

# ---- opt
OPT = {"_remove_final_layer_norm": False, "activation_dropout": 0.0, "attention_dropout": 0.0, "bos_token_id": 2,
       "dropout": 0.1, "eos_token_id": 2, "init_std": 0.02, "layerdrop": 0.0, "pad_token_id": 1, "use_cache": True}


def opt(hidden, heads, layers, ffn, **others):
    return {**OPT, "hidden_size": hidden, "num_attention_heads": heads, "num_hidden_layers": layers, "ffn_dim": ffn,
            "max_position_embeddings": 200, "vocab_size": 260, **others}


family("opt", "OPTForCausalLM", "opt",
       opt(32, 4, 2, 48, word_embed_proj_dim=32, activation_function="relu", do_layer_norm_before=True,
           prefix="</s>", torch_dtype="float16"), dtype="float16", runs=["head", "layer", "drop"])
family("opt-after", "OPTForCausalLM", "opt",
       opt(30, 3, 2, 40, word_embed_proj_dim=20, activation_function="relu", do_layer_norm_before=False,
           torch_dtype="float16"), dtype="float16", bare=True)
family("opt-plain", "OPTForCausalLM", "opt",
       opt(33, 3, 2, 40, word_embed_proj_dim=33, activation_function="gelu", do_layer_norm_before=True,
           enable_bias=False, layer_norm_elementwise_affine=False, tie_word_embeddings=False),
       saved=True, dtype="bfloat16")

# ---- llama: as transformers 5 saves it, and scalings of the rotary embedding (the rest is in models.py)
LLAMA = {"hidden_act": "silu", "rms_norm_eps": 1e-05, "attention_bias": False, "bos_token_id": 1, "eos_token_id": 2}
YARN = {"factor": 4.0, "original_max_position_embeddings": 64}
family("llama-saved", "LlamaForCausalLM", "llama",
       {**sizes(35, 7), **LLAMA, "num_key_value_heads": 1, "head_dim": 16, "hidden_act": "gelu", "rms_norm_eps": 1e-3,
        "tie_word_embeddings": False,
        "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0}}, saved=True, dtype="bfloat16")
family("llama-dynamic", "LlamaForCausalLM", "llama",
       {**sizes(32, 4), **LLAMA, "max_position_embeddings": 32, "num_key_value_heads": 2, "rope_theta": 10000.0,
        "rope_scaling": {"type": "dynamic", "factor": 2.0}, "pretraining_tp": 1, "tie_word_embeddings": False,
        "torch_dtype": "float16"}, dtype="float16", bare=True, runs=["head", "drop"])
family("llama-dynamic-saved", "LlamaForCausalLM", "llama",
       {**sizes(35, 7), **LLAMA, "max_position_embeddings": 64, "num_key_value_heads": 1, "head_dim": 10,
        "mlp_bias": True, "rope_parameters": {"rope_type": "dynamic", "factor": 4.0, "rope_theta": 5000.0},
        "tie_word_embeddings": True}, saved=True, dtype="bfloat16")
family("llama-yarn", "LlamaForCausalLM", "llama",
       {**sizes(32, 4), **LLAMA, "num_key_value_heads": 2, "head_dim": 16, "rope_theta": 10000.0,
        "rope_scaling": {"type": "yarn", **YARN}, "tie_word_embeddings": True, "torch_dtype": "float16"},
       dtype="float16", runs=["head", "repacked"])
family("llama-yarn-saved", "LlamaForCausalLM", "llama",
       {**sizes(36, 6), **LLAMA, "num_key_value_heads": 2, "head_dim": 20, "tie_word_embeddings": True,
        "rope_parameters": {"rope_type": "yarn", "rope_theta": 500.0, **YARN, "attention_factor": 1.3,
                            "beta_fast": 4.0, "beta_slow": 0.5, "truncate": False}}, saved=True, dtype="bfloat16")

# ---- mixtral
family("mixtral", "MixtralForCausalLM", "mixtral",
       {**sizes(32, 4, intermediate=24), "num_key_value_heads": 2, "bos_token_id": 1, "eos_token_id": 2,
        "hidden_act": "silu", "num_experts_per_tok": 2, "num_local_experts": 4, "output_router_logits": False,
        "rms_norm_eps": 1e-05, "rope_theta": 1000000.0, "router_aux_loss_coef": 0.02, "sliding_window": None,
        "tie_word_embeddings": False, "torch_dtype": "bfloat16"},
       dtype="bfloat16", experts="mixtral", shards=2, runs=["head", "layer", "drop"])
family("mixtral-stacked", "MixtralForCausalLM", "mixtral",
       {**sizes(28, 7, intermediate=20), "num_key_value_heads": 1, "head_dim": 10, "num_experts_per_tok": 3,
        "num_local_experts": 5, "sliding_window": 12, "rms_norm_eps": 1e-3, "tie_word_embeddings": True},
       saved=True, stacked=True, dtype="bfloat16")

# ---- qwen3_moe
QWEN3_MOE = {**QWEN3, "moe_intermediate_size": 20, "num_experts": 6, "num_experts_per_tok": 2,
             "output_router_logits": False, "router_aux_loss_coef": 0.001}
family("qwen3_moe", "Qwen3MoeForCausalLM", "qwen3_moe",
       {**sizes(32, 4), **QWEN3_MOE, "num_key_value_heads": 2, "head_dim": 10, "decoder_sparse_step": 1,
        "mlp_only_layers": [0], "norm_topk_prob": True, "rope_scaling": None, "tie_word_embeddings": False,
        "torch_dtype": "bfloat16"}, dtype="bfloat16", experts="qwen", runs=["head", "model"])
family("qwen3_moe-stacked", "Qwen3MoeForCausalLM", "qwen3_moe",
       {**sizes(32, 6, layers=3), **QWEN3_MOE, "num_key_value_heads": 2, "head_dim": 16, "num_experts": 5, "rms_norm_eps": 1e-3,
        "num_experts_per_tok": 3, "decoder_sparse_step": 2, "norm_topk_prob": False, "tie_word_embeddings": True},
       saved=True, stacked=True, dtype="bfloat16")

# ---- phi
family("phi", "PhiForCausalLM", "phi",
       {**sizes(40, 4), "attention_dropout": 0.0, "bos_token_id": 0, "embd_pdrop": 0.0, "eos_token_id": 0,
        "hidden_act": "gelu_new", "layer_norm_eps": 1e-05, "num_key_value_heads": 4, "partial_rotary_factor": 0.4,
        "qk_layernorm": False, "resid_pdrop": 0.1, "rope_scaling": None, "rope_theta": 500.0,
        "tie_word_embeddings": False, "torch_dtype": "float16"}, dtype="float16", runs=["head", "repacked"])
family("phi-saved", "PhiForCausalLM", "phi",
       {**sizes(42, 3), "hidden_act": "gelu", "layer_norm_eps": 1e-3, "num_key_value_heads": 1, "partial_rotary_factor": 0.6,
        "qk_layernorm": True, "tie_word_embeddings": True}, saved=True, dtype="bfloat16")

# ---- phi3
PHI3 = {"attention_bias": False, "attention_dropout": 0.0, "bos_token_id": 1, "embd_pdrop": 0.0, "eos_token_id": 0,
        "pad_token_id": 0, "hidden_act": "silu", "resid_pdrop": 0.0, "rms_norm_eps": 1e-05}
family("phi3", "Phi3ForCausalLM", "phi3",
       {**sizes(40, 4), **PHI3, "num_key_value_heads": 4, "original_max_position_embeddings": 64, "rope_theta": 500.0,
        "rope_scaling": {"type": "longrope", "short_factor": [1.0, 1.05, 1.1, 1.3, 1.5],
                         "long_factor": [1.2, 2.0, 3.0, 5.5, 9.0]}, "sliding_window": 20, "tie_word_embeddings": False,
        "torch_dtype": "bfloat16"}, dtype="bfloat16", runs=["head", "layer", "drop"])
family("phi3-long", "Phi3ForCausalLM", "phi3",
       {**sizes(42, 3), **PHI3, "num_key_value_heads": 1, "original_max_position_embeddings": 34,
        "rope_parameters": {"rope_type": "longrope", "rope_theta": 10000.0, "partial_rotary_factor": 0.6,
                            "short_factor": [1.0, 1.1, 1.2, 1.4], "long_factor": [1.0, 2.5, 4.0, 7.0]},
        "rms_norm_eps": 1e-3, "sliding_window": None, "tie_word_embeddings": True}, saved=True, dtype="bfloat16")
family("phi3-plain", "Phi3ForCausalLM", "phi3",
       {**sizes(36, 6), **PHI3, "num_key_value_heads": 2, "original_max_position_embeddings": 256,
        "rope_scaling": None, "rope_theta": 10000.0, "sliding_window": 14, "tie_word_embeddings": False,
        "torch_dtype": "bfloat16"}, dtype="bfloat16", runs=["head"])

# original_max_position_embeddings is 4096 where the file does not say it, and the scaling 131072 / 4096.
family("phi3-silent", "Phi3ForCausalLM", "phi3",
       {**sizes(40, 4), **PHI3, "max_position_embeddings": 131072, "num_key_value_heads": 2, "rope_theta": 10000.0,
        "rope_scaling": {"type": "longrope", "short_factor": [1.0, 1.05, 1.1, 1.3, 1.5],
                         "long_factor": [1.2, 2.0, 3.0, 5.5, 9.0]}, "sliding_window": None,
        "tie_word_embeddings": False, "torch_dtype": "bfloat16"}, dtype="bfloat16", runs=["head"])

# ---- language models beside parts for pictures
SIGLIP = {"model_type": "siglip_vision_model", "hidden_size": 16, "image_size": 28, "intermediate_size": 16,
          "num_attention_heads": 2, "num_hidden_layers": 1, "patch_size": 14, "vision_use_head": False}
PIXTRAL = {"model_type": "pixtral", "hidden_size": 16, "head_dim": 8, "image_size": 28, "intermediate_size": 16,
           "num_attention_heads": 2, "num_hidden_layers": 1, "patch_size": 14}
# As sparse as published: 8 heads, 4 kv heads of 256 dims, the scale of scores and both bases go without saying.
family("gemma3-parts", "Gemma3ForConditionalGeneration", "gemma3",
       {"boi_token_index": 255, "eoi_token_index": 256, "eos_token_id": [1, 106], "image_token_index": 262144,
        "initializer_range": 0.02, "mm_tokens_per_image": 4, "torch_dtype": "bfloat16",
        "text_config": {"hidden_size": 16, "intermediate_size": 40, "model_type": "gemma3_text", "num_hidden_layers": 2,
                        "rope_scaling": {"factor": 8.0, "rope_type": "linear"}, "sliding_window": 11,
                        "sliding_window_pattern": 2, "vocab_size": 257}, "vision_config": SIGLIP},
       dtype="bfloat16", saved=True, own_config=True, bos=True, runs=["head", "layer"])
MISTRAL3_TEXT = {**sizes(32, 4), "model_type": "mistral", "head_dim": 10, "hidden_act": "silu", "num_key_value_heads": 2,
                 "rms_norm_eps": 1e-05, "rope_theta": 1000000000.0, "sliding_window": None}
family("mistral3", "Mistral3ForConditionalGeneration", "mistral3",
       {"image_token_index": 10, "multimodal_projector_bias": False, "projector_hidden_act": "gelu",
        "spatial_merge_size": 2, "text_config": MISTRAL3_TEXT, "tie_word_embeddings": False, "torch_dtype": "bfloat16",
        "vision_config": PIXTRAL, "vision_feature_layer": -1},
       dtype="bfloat16", saved=True, own_config=True, runs=["head", "drop"])
family("mistral3-saved", "Mistral3ForConditionalGeneration", "mistral3",
       {"image_token_index": 10, "spatial_merge_size": 2, "tie_word_embeddings": True, "vision_config": PIXTRAL,
        "text_config": {**MISTRAL3_TEXT, "rms_norm_eps": 1e-3, "rope_theta": 500.0, "sliding_window": 14}},
       dtype="bfloat16", saved=True, stacked=True, runs=["head"])
# Of before text_config: the language model's fields at the top, positions in three dimensions.
family("qwen2_5_vl", "Qwen2_5_VLForConditionalGeneration", "qwen2_5_vl",
       {**sizes(32, 2), "hidden_act": "silu", "image_token_id": 250, "max_window_layers": 2, "num_key_value_heads": 1,
        "rms_norm_eps": 1e-06, "rope_scaling": {"mrope_section": [2, 3, 3], "type": "mrope"}, "rope_theta": 10000.0,
        "sliding_window": 4096, "tie_word_embeddings": False, "torch_dtype": "bfloat16", "use_sliding_window": False,
        "video_token_id": 251, "vision_start_token_id": 252, "vision_end_token_id": 253,
        "vision_config": {"depth": 1, "hidden_act": "silu", "hidden_size": 16, "intermediate_size": 16, "num_heads": 2,
                          "out_hidden_size": 32, "patch_size": 14, "fullatt_block_indexes": [0]}},
       dtype="bfloat16", saved=True, own_config=True, runs=["head"])

# ---- falcon
FALCON = {"apply_residual_connection_post_layernorm": False, "attention_dropout": 0.0, "bos_token_id": 11,
          "eos_token_id": 11, "hidden_dropout": 0.0, "initializer_range": 0.02, "layer_norm_epsilon": 1e-05,
          "num_hidden_layers": 2, "use_cache": True, "vocab_size": 257}
family("falcon", "FalconForCausalLM", "falcon",
       {**FALCON, "hidden_size": 50, "num_attention_heads": 5, "alibi": False, "bias": False, "multi_query": True,
        "new_decoder_architecture": False, "parallel_attn": True, "torch_dtype": "bfloat16"},
       dtype="bfloat16", tied_copy=True, runs=["head", "layer", "drop"])
family("falcon-groups", "FalconForCausalLM", "falcon",
       {**FALCON, "hidden_size": 36, "num_attention_heads": 6, "num_kv_heads": 2, "alibi": False, "bias": False,
        "multi_query": True, "new_decoder_architecture": True, "parallel_attn": True, "torch_dtype": "bfloat16"},
       dtype="bfloat16", bare=True)
family("falcon-one-norm", "FalconForCausalLM", "falcon",
       {**FALCON, "hidden_size": 32, "num_attention_heads": 4, "num_kv_heads": 2, "alibi": False, "bias": True,
        "multi_query": True, "new_decoder_architecture": True, "num_ln_in_parallel_attn": 1, "parallel_attn": True,
        "ffn_hidden_size": 44, "layer_norm_epsilon": 1e-3, "rope_theta": 500042.0}, saved=True, dtype="bfloat16")
family("falcon-alibi", "FalconForCausalLM", "falcon",
       {**FALCON, "hidden_size": 32, "num_attention_heads": 4, "alibi": True, "bias": True, "multi_query": False,
        "new_decoder_architecture": False, "parallel_attn": False, "torch_dtype": "bfloat16"},
       dtype="bfloat16", runs=["head", "drop"])
family("falcon-alibi-parallel", "FalconForCausalLM", "falcon",
       {**FALCON, "hidden_size": 36, "num_attention_heads": 6, "alibi": True, "bias": False, "multi_query": True,
        "new_decoder_architecture": False, "parallel_attn": True}, saved=True, dtype="bfloat16")

# ---- bloom
BLOOM = {"attention_dropout": 0.0, "attention_softmax_in_fp32": True, "bias_dropout_fusion": True, "bos_token_id": 1,
         "eos_token_id": 2, "hidden_dropout": 0.0, "initializer_range": 0.02, "layer_norm_epsilon": 1e-05,
         "masked_softmax_fusion": True, "n_layer": 2, "offset_alibi": 100, "pad_token_id": 3, "pretraining_tp": 1,
         "seq_length": 256, "skip_bias_add": True, "skip_bias_add_qkv": False, "slow_but_exact": False,
         "unk_token_id": 0, "use_cache": True, "vocab_size": 257}
family("bloom", "BloomForCausalLM", "bloom",
       {**BLOOM, "apply_residual_connection_post_layernorm": False, "n_embed": 30, "num_attention_heads": 3},
       dtype="float16", bare=True, runs=["head", "layer", "drop"])
family("bloom-saved", "BloomForCausalLM", "bloom",
       {**BLOOM, "apply_residual_connection_post_layernorm": True, "hidden_size": 32, "n_head": 4,
        "layer_norm_epsilon": 1e-3},
       saved=True, dtype="bfloat16")

# ---- stablelm
family("stablelm", "StableLmForCausalLM", "stablelm",
       {**sizes(48, 3), "bos_token_id": 0, "eos_token_id": 0, "hidden_act": "silu", "layer_norm_eps": 1e-05,
        "num_key_value_heads": 1, "partial_rotary_factor": 0.25, "rope_theta": 500, "tie_word_embeddings": False,
        "use_qkv_bias": True, "torch_dtype": "float16"}, dtype="float16", runs=["head", "repacked"])
family("stablelm-saved", "StableLmForCausalLM", "stablelm",
       {**sizes(40, 4), "hidden_act": "silu", "layer_norm_eps": 1e-3, "num_key_value_heads": 2, "partial_rotary_factor": 0.4,
        "qk_layernorm": True, "use_parallel_residual": True, "tie_word_embeddings": True},
       saved=True, dtype="bfloat16")

# ---- olmo2
family("olmo2", "Olmo2ForCausalLM", "olmo2",
       {**sizes(40, 4), "attention_bias": False, "attention_dropout": 0.0, "eos_token_id": 0, "pad_token_id": 0,
        "hidden_act": "silu", "num_key_value_heads": 4, "rms_norm_eps": 1e-06, "rope_scaling": None,
        "rope_theta": 500000, "tie_word_embeddings": False, "torch_dtype": "float32"},
       dtype="float32", runs=["head"])
family("olmo2-saved", "Olmo2ForCausalLM", "olmo2",
       {**sizes(36, 6), "attention_bias": True, "hidden_act": "silu", "rms_norm_eps": 1e-3, "num_key_value_heads": 2,
        "tie_word_embeddings": True}, saved=True, dtype="bfloat16")

# ---- granite
family("granite", "GraniteForCausalLM", "granite",
       {**sizes(32, 4), "attention_bias": False, "attention_multiplier": 0.25, "bos_token_id": 0, "eos_token_id": 0,
        "embedding_multiplier": 12.0, "hidden_act": "silu", "logits_scaling": 1.5, "mlp_bias": False,
        "num_key_value_heads": 2, "residual_multiplier": 0.22, "rms_norm_eps": 1e-05, "rope_scaling": None,
        "rope_theta": 500, "tie_word_embeddings": True, "torch_dtype": "bfloat16"},
       dtype="bfloat16", peak=4, runs=["head", "model"])
family("granite-saved", "GraniteForCausalLM", "granite",
       {**sizes(30, 3), "attention_bias": True, "attention_multiplier": 0.4, "embedding_multiplier": 3.0,
        "hidden_act": "silu", "rms_norm_eps": 1e-2, "logits_scaling": 0.8, "mlp_bias": True, "num_key_value_heads": 1,
        "residual_multiplier": 0.7, "tie_word_embeddings": False},
       saved=True, dtype="bfloat16")

# ---- smollm3
SMOLLM3 = {"attention_bias": False, "attention_dropout": 0.0, "bos_token_id": 0, "eos_token_id": 0, "pad_token_id": 0,
           "hidden_act": "silu", "mlp_bias": False, "rms_norm_eps": 1e-06, "rope_theta": 5000000.0}
family("smollm3", "SmolLM3ForCausalLM", "smollm3",
       {**sizes(32, 4, layers=3), **SMOLLM3, "num_key_value_heads": 2, "no_rope_layer_interval": 4,
        "no_rope_layers": [1, 0, 1], "rope_scaling": None, "sliding_window": None, "use_sliding_window": False,
        "max_window_layers": 28, "tie_word_embeddings": True, "torch_dtype": "bfloat16"},
       dtype="bfloat16", runs=["head", "repacked"])
family("smollm3-saved", "SmolLM3ForCausalLM", "smollm3",
       {**sizes(36, 6, layers=3), **SMOLLM3, "num_key_value_heads": 2, "no_rope_layer_interval": 3,
        "sliding_window": 11, "rms_norm_eps": 1e-3, "use_sliding_window": True, "tie_word_embeddings": False},
       saved=True, dtype="bfloat16")
