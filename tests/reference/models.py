#!/usr/bin/env python3
"""Makes the golden folders that tst_reference compares the engine with.

usage: python models.py [NAME …]        (all of them by default; see MODELS; "demo" needs resources/demo/model)
needs: pip install torch transformers tokenizers safetensors numpy      (made with the versions in golden.json)

A folder golden/NAME has a tiny random model of the Llama family in the Hugging Face layout, text.txt and what
golden_folder.py describes. The seed of the weights is raised until the cuts are clear.
"""
import json
import pathlib
import sys

import torch
import transformers
from tokenizers import Tokenizer

from golden_folder import TEXT, gold, run, save_tokenizer, save_weights, write
from transformers_eviction import Reference

HERE = pathlib.Path(__file__).resolve().parent
DEMO = HERE.parent.parent / "resources" / "demo" / "model"
LLAMA3 = {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
          "original_max_position_embeddings": 64}

RUNS = [
    run("by head", 40, 9, 2, sparsities=[0, 0.3, 0.5, 0.75, 0.9, 0.95]),
    run("by layer", 37, 8, 2, granularity="layer", gqa="max", seed=3),
    run("by model", 29, 7, 3, granularity="model", offset=5),
    run("mean received", 39, 6, 1, importance="mean-received", gqa="sum", offset=1),
    run("repacked positions", 33, 9, 2, positions="repacked", sparsities=[0, 0.5, 0.9]),
    run("token drop", 35, 7, 2, protocol="token-drop", granularity="model", sparsities=[0, 0.5, 0.9]),
    run("budgets", 43, 5, 1, budgets=[1, 2, 3, 4, 5, 6, 11, 42, 43], sparsities=[]),
    run("rounding of kvpress", 40, 5, 1, rounding="kvpress", sparsities=[0.5, 0.9]),
]
BRIDGES = ["dense", "cab(bridge=flow)", "cab(bridge=curvature)", "cab(local=0.1,bridge_ratio=0.5,bridge=flow)"]
BRIDGE_RUNS = [
    run("by head", 44, 7, 1, policies=BRIDGES, sparsities=[0, 0.5, 0.8]),
    run("by layer", 41, 7, 2, policies=BRIDGES, granularity="layer", gqa="max", sparsities=[0, 0.6]),
    run("by model", 37, 6, 1, policies=BRIDGES, granularity="model", importance="mean-received",
        sparsities=[0, 0.4, 0.7]),
    run("token drop", 39, 7, 1, policies=BRIDGES, protocol="token-drop", granularity="model", sparsities=[0, 0.5]),
]
FEW = ["dense", "h2o", "h2o(local=0)", "cab"]
LAST_RUNS = [
    run("by head", 40, 7, 2, importance="window:8", policies=FEW),
    run("by layer", 37, 6, 1, importance="window:5", granularity="layer", gqa="max", policies=FEW),
    run("by model", 33, 6, 1, importance="last-query", granularity="model", gqa="sum", policies=FEW),
    run("one query", 40, 6, 1, importance="window:1", policies=FEW),
    run("every query", 36, 6, 1, importance="window:36", policies=FEW),
    run("token drop", 35, 6, 1, importance="window:3", protocol="token-drop", granularity="model", policies=FEW),
]
DEMO_RUNS = [
    run("by head", 96, 17, 2, sparsities=[0, 0.5, 0.9]),
    run("token drop", 96, 17, 1, protocol="token-drop", granularity="model", sparsities=[0, 0.8]),
]


def config(**settings):
    return {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu", "hidden_size": 32,
            "intermediate_size": 48, "num_hidden_layers": 2, "vocab_size": 257, "max_position_embeddings": 512,
            "rms_norm_eps": 1e-5, "tie_word_embeddings": True, "attention_bias": False, "mlp_bias": False, **settings}


# name: config, dtype on disk, shards, BOS; those of RUNS_OF have runs of their own
MODELS = {
    "gqa7": (config(num_attention_heads=7, num_key_value_heads=1, head_dim=16, hidden_size=35,
                    rope_theta=10000.0), "float32", 1, False),
    "head80": (config(num_attention_heads=2, num_key_value_heads=2, head_dim=80, hidden_size=18, intermediate_size=40,
                      tie_word_embeddings=False, rope_theta=500.0, rms_norm_eps=1e-6), "float32", 1, False),
    "biases": (config(num_attention_heads=4, num_key_value_heads=4, attention_bias=True,
                      mlp_bias=True, rope_theta=10000.0, vocab_size=263), "float32", 1, False),
    "llama3": (config(num_attention_heads=4, num_key_value_heads=2, head_dim=16, rope_theta=10000.0,
                      rope_scaling=LLAMA3), "float32", 2, False),
    "llama3-new": (config(num_attention_heads=4, num_key_value_heads=2, head_dim=16, num_hidden_layers=3,
                          rope_parameters={**LLAMA3, "rope_theta": 10000.0}, dtype="bfloat16"), "bfloat16", 1, True),
    "linear": (config(num_attention_heads=4, num_key_value_heads=2, num_hidden_layers=3, rope_theta=10000.0,
                      rope_scaling={"type": "linear", "factor": 2.5}, torch_dtype="float16"), "float16", 1, True),
    "cab-bridges": (config(num_attention_heads=6, num_key_value_heads=2, head_dim=12, hidden_size=30, rope_theta=10000.0),
                "float32", 1, False),
    "last-queries": (config(num_attention_heads=7, num_key_value_heads=1, head_dim=16, hidden_size=35,
                            rope_theta=10000.0), "float32", 1, True),
}
RUNS_OF = {"cab-bridges": BRIDGE_RUNS, "last-queries": LAST_RUNS}


def weights_of(settings, seed):
    """Random weights with peaky attention (scores of standard deviation 2.5), so that selections have clear winners."""
    model = transformers.LlamaForCausalLM(transformers.LlamaConfig(**settings))
    generator = torch.Generator().manual_seed(seed)
    hidden = settings["hidden_size"]
    scales = {"q_proj": (2.5 / hidden) ** 0.5, "k_proj": (2.5 / hidden) ** 0.5, "embed_tokens": 0.5,
              "lm_head": 3 / hidden ** 0.5}
    weights = {}
    for name, old in model.state_dict().items():
        if name == "lm_head.weight" and settings["tie_word_embeddings"]:
            continue
        value = torch.randn(old.shape, generator=generator)
        part = name.split(".")[-2]
        if name.endswith("bias"):
            value *= 0.3
        elif value.ndim == 1:
            value = 1 + 0.2 * value
        else:
            value *= scales.get(part, 1.3 / old.shape[1] ** 0.5)
        weights[name] = value
    return weights


def make_model(name):
    settings, dtype, shards, bos = MODELS[name]
    folder = HERE / "golden" / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(settings, indent=2) + "\n")
    save_tokenizer(folder, bos)
    ids = Tokenizer.from_file(str(folder / "tokenizer.json")).encode(TEXT).ids
    rows = [0, 1, 2, 3, 7, *range(16, len(ids), 12), len(ids) - 2, len(ids) - 1]
    for seed in range(1, 200):
        weights = {n: w.to(getattr(torch, dtype)).contiguous() for n, w in weights_of(settings, seed).items()}
        save_weights(folder, weights, shards)
        made = gold(Reference(folder), ids, RUNS_OF.get(name, RUNS), bos, rows)
        if made:
            return write(folder, ".", TEXT, made, bos, seed)
    raise RuntimeError(f"{name}: no seed below 200 has clear cuts")


def make_demo():
    """The bundled model: a text is moved on until its cuts are clear."""
    folder = HERE / "golden" / "demo"
    folder.mkdir(parents=True, exist_ok=True)
    whole = (DEMO.parent / "demo.txt").read_text()
    tokenizer, reference = Tokenizer.from_file(str(DEMO / "tokenizer.json")), Reference(DEMO)
    for begin in range(0, 20000, 500):
        text = whole[begin:begin + 1201]
        ids = tokenizer.encode(text).ids
        made = gold(reference, ids, DEMO_RUNS, False, [1, len(ids) - 1])
        if made:
            return write(folder, "resources/demo/model", text, made, False, begin)
    raise RuntimeError("demo: no passage has clear cuts")


if __name__ == "__main__":
    torch.set_num_threads(1)  # faster than two for models as small as these
    for wanted in sys.argv[1:] or [*MODELS, "demo"]:
        make_demo() if wanted == "demo" else make_model(wanted)
