"""What each golden folder of families.py is made from: its config.json and how its weights are stored.

config: as written to config.json, or, with `saved`, what transformers 5 reads before it saves in its own spelling.
dtype: of the weights on disk. bare: names without the model's prefix. buffers: with those of old checkpoints.
experts: the family whose names experts have one by one; stacked: saved as transformers 5 holds them.
peak: variance of the scores aimed at, 2.5 by default. runs: see RUNS in families.py.
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
        "activation_function": "gelu", "scale_attn_by_inverse_layer_idx": True, "tie_word_embeddings": False},
       saved=True, dtype="bfloat16", peak=5)

# ---- gpt_neox
family("gpt_neox", "GPTNeoXForCausalLM", "gpt_neox",
       {**sizes(48, 3, vocab=263), "max_position_embeddings": 140, "bos_token_id": 0, "eos_token_id": 0,
        "hidden_act": "gelu", "initializer_range": 0.02, "layer_norm_eps": 1e-05, "rotary_emb_base": 10000,
        "rotary_pct": 0.25, "tie_word_embeddings": False, "torch_dtype": "float16", "use_cache": True,
        "use_parallel_residual": True},
       dtype="float16", buffers=True, runs=["head", "repacked"])
family("gpt_neox-serial", "GPTNeoXForCausalLM", "gpt_neox",
       {**sizes(30, 3, layers=3), "hidden_act": "gelu_new", "rotary_pct": 0.4, "rotary_emb_base": 500,
        "use_parallel_residual": False, "attention_bias": False, "tie_word_embeddings": True},
       saved=True)

# ---- mistral
family("mistral", "MistralForCausalLM", "mistral",
       {**sizes(32, 4), "num_key_value_heads": 2, "bos_token_id": 1, "eos_token_id": 2, "hidden_act": "silu",
        "rms_norm_eps": 1e-05, "rope_theta": 10000.0, "sliding_window": 12, "tie_word_embeddings": False,
        "torch_dtype": "bfloat16"}, dtype="bfloat16", runs=["head", "layer", "drop"], bos=True)
family("mistral-saved", "MistralForCausalLM", "mistral",
       {**sizes(33, 6), "num_key_value_heads": 2, "head_dim": 10, "hidden_act": "silu", "rms_norm_eps": 1e-05,
        "rope_theta": 1000000.0, "sliding_window": None, "tie_word_embeddings": False}, saved=True, dtype="bfloat16")

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
       {**sizes(32, 4, layers=3), **QWEN2, "num_key_value_heads": 4, "sliding_window": 9, "use_sliding_window": True,
        "layer_types": ["sliding_attention", "full_attention", "sliding_attention"], "tie_word_embeddings": True},
       saved=True, dtype="bfloat16")

# ---- qwen3
QWEN3 = {**QWEN2, "attention_bias": False, "max_window_layers": 2, "sliding_window": None, "use_sliding_window": False}
family("qwen3", "Qwen3ForCausalLM", "qwen3",
       {**sizes(35, 6), **QWEN3, "num_key_value_heads": 2, "head_dim": 10, "rope_scaling": None,
        "tie_word_embeddings": True, "torch_dtype": "bfloat16"}, dtype="bfloat16", runs=["head", "drop"])
family("qwen3-saved", "Qwen3ForCausalLM", "qwen3",
       {**sizes(24, 2), **QWEN3, "num_key_value_heads": 2, "head_dim": 80, "attention_bias": True, "sliding_window": 11,
        "use_sliding_window": True, "layer_types": ["full_attention", "sliding_attention"],
        "tie_word_embeddings": False}, saved=True, dtype="bfloat16")

# ---- gemma
GEMMA = {"attention_bias": False, "attention_dropout": 0.0, "bos_token_id": 2, "eos_token_id": 1, "pad_token_id": 0,
         "rms_norm_eps": 1e-06, "initializer_range": 0.02, "use_cache": True}
family("gemma", "GemmaForCausalLM", "gemma",
       {**sizes(36, 4), **GEMMA, "num_key_value_heads": 1, "head_dim": 10, "hidden_act": "gelu",
        "hidden_activation": None, "rope_scaling": None, "rope_theta": 10000.0, "torch_dtype": "bfloat16"},
       dtype="bfloat16", bos=True)
family("gemma-saved", "GemmaForCausalLM", "gemma",
       {**sizes(33, 3), **GEMMA, "num_key_value_heads": 3, "head_dim": 16, "hidden_act": "gelu_pytorch_tanh"},
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
        "sliding_window": 14, "layer_types": ["full_attention", "sliding_attention"]},
       saved=True, dtype="bfloat16")
