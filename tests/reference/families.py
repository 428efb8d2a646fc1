#!/usr/bin/env python3
"""Makes the golden folders of every model family, which tst_families compares the engine with.

usage: python families.py [NAME …]        (all of them by default; a family's name makes all of its folders)
needs: pip install torch transformers tokenizers safetensors numpy      (made with the versions in golden.json)

A folder golden/families/NAME has a tiny random model in the Hugging Face layout, text.txt and what golden_folder.py
describes. config.json and the weights' names are spelled as in the folders people have: by hand in the way of the
years before transformers 5 (rope_theta and rope_scaling, torch_dtype, pattern fields; some without the model's prefix,
some with the buffers that old checkpoints carry), or as transformers 5 saves them (family_configs.py). The seed of the weights is
raised until the cuts are clear.
"""
import json
import pathlib
import shutil
import sys

import torch
import transformers
from tokenizers import Tokenizer

from family_configs import FAMILIES
from golden_folder import TEXT, gold, run, save_tokenizer, save_weights, write
from transformers_eviction import Reference, auto_class_of

HERE = pathlib.Path(__file__).resolve().parent
PASSAGE = TEXT[:96]
FEW = {"policies": ["dense", "h2o", "cab", "streaming-llm"], "sparsities": [0, 0.5, 0.9]}
BY_HEAD = run("by head", 30, 7, 2, **FEW)
RUNS = {
    "head": BY_HEAD,
    "layer": run("by layer", 26, 6, 1, granularity="layer", gqa="max", offset=3, **FEW),
    "model": run("by model", 26, 6, 1, granularity="model", offset=3, **FEW),
    "received": run("mean received", 29, 6, 1, importance="mean-received", gqa="sum", offset=2, **FEW),
    "received by model": run("mean received by model", 29, 6, 1, importance="mean-received", granularity="model", **FEW),
    "last": run("last queries", 30, 7, 1, importance="window:6", **FEW),
    "last query": run("last query by layer", 28, 6, 1, importance="last-query", granularity="layer", gqa="max", **FEW),
    "all queries": run("every query as the last", 27, 6, 1, importance="window:27", **FEW),
    "drop": run("token drop", 28, 6, 1, protocol="token-drop", granularity="model", **FEW),
    "repacked": run("repacked positions", 27, 7, 1, positions="repacked", **FEW),
}
FUSED = ("c_attn", "query_key_value", "qkv_proj")
EMBEDDINGS = ("embed_tokens", "embed_in", "wte", "word_embeddings")
POSITIONS = ("wpe", "embed_positions")


def scale_of(name, shape, transposed, settings):
    """Standard deviation of a matrix: attention peaky (scores of about 2.5), streams and logits of the order of one."""
    part = name.split(".")[-2]
    inputs = shape[-2] if transposed else shape[-1]
    if part in EMBEDDINGS:
        return 0.5
    if part in POSITIONS:
        return 0.3
    if part in ("lm_head", "embed_out"):
        return 3 / inputs ** 0.5
    if part in ("q_proj", "k_proj") or part in FUSED:
        return (settings.get("peak", 2.5) / inputs) ** 0.5
    if part == "gate":
        return 2 / inputs ** 0.5
    return 1.3 / inputs ** 0.5


def weights_of(model, settings, seed):
    """Random weights by name; those tied to others are left out."""
    generator = torch.Generator().manual_seed(seed)
    # Gemma's norms multiply by 1 + weight. Norms of queries and keys set the size of the scores.
    centre = 0 if model.config.model_type.startswith("gemma") else 1
    weights = {}
    for name, old in model.state_dict().items():
        if name in (model._tied_weights_keys or {}) and model.config.tie_word_embeddings:
            continue
        value = torch.randn(old.shape, generator=generator)
        if name.endswith("bias"):
            value *= 0.3
        elif value.ndim == 1:
            of_scores = any(part in name for part in ("q_norm", "k_norm", "q_layernorm", "k_layernorm"))
            value = 0.2 * value + centre + (0.6 if of_scores else 0)
        else:
            transposed = model.config.model_type == "gpt2" and name.split(".")[-2].startswith("c_")
            value *= scale_of(name, old.shape, transposed, settings)
        weights[name] = value
    return weights


def in_old_names(name, value, settings):
    """A weight as (name, value) pairs of a folder from before transformers 5: experts one by one."""
    if ".experts." not in name:
        old = name.replace(".mlp.gate.", ".block_sparse_moe.gate.") if settings.get("experts") == "mixtral" else name
        yield old, value
        return
    begin = name[:name.index("experts.")]
    names = ("gate_proj", "up_proj", "down_proj")
    if settings["experts"] == "mixtral":
        begin, names = begin.replace(".mlp.", ".block_sparse_moe."), ("w1", "w3", "w2")
    for expert, one in enumerate(value):
        parts = one.chunk(2) if name.endswith("gate_up_proj") else [one]
        for part, matrix in zip(names[:2] if len(parts) == 2 else names[2:], parts):
            yield f"{begin}experts.{expert}.{part}.weight", matrix


def buffers_of(settings, model, names):
    """Tensors that old checkpoints carry and nobody reads: causal masks and rotary frequencies."""
    if not settings.get("buffers"):
        return
    config, size = model.config, model.config.max_position_embeddings
    for name in names:
        if name.endswith("attn.c_attn.weight") or name.endswith("attention.query_key_value.weight"):
            stem = name[:name.rindex(".", 0, name.rindex("."))]
            yield f"{stem}.bias", torch.ones(size, size, dtype=torch.uint8).tril()[None, None]
            if config.model_type == "gpt_neox":
                yield f"{stem}.masked_bias", torch.tensor(-1e4)
                yield f"{stem}.rotary_emb.inv_freq", torch.ones(2)


def save_model(folder, settings, model, weights):
    """The folder's config.json and weights, in the spelling the settings ask for."""
    if settings.get("saved"):
        model.load_state_dict(weights, strict=False)
        model.to(getattr(torch, settings["dtype"])).save_pretrained(
            str(folder), save_original_format=not settings.get("stacked", False))
        model.float()
        if settings.get("own_config"):
            (folder / "config.json").write_text(json.dumps(settings["config"], indent=2) + "\n")
        return
    (folder / "config.json").write_text(json.dumps(settings["config"], indent=2) + "\n")
    dtype, prefix = getattr(torch, settings["dtype"]), model.base_model_prefix + "."
    kept = {new: w.to(dtype) for name, value in weights.items() for new, w in in_old_names(name, value, settings)}
    if settings.get("tied_copy"):
        kept |= {head: kept[source].clone() for head, source in model._tied_weights_keys.items()}
    kept |= dict(buffers_of(settings, model, list(kept)))
    if settings.get("bare"):
        kept = {name.removeprefix(prefix): value for name, value in kept.items()}
    save_weights(folder, {name: value.contiguous() for name, value in kept.items()}, settings.get("shards", 1))


def make(name):
    settings = {"dtype": "float32", "runs": ["head", "layer"], **FAMILIES[name]}
    folder = HERE / "golden" / "families" / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    save_tokenizer(folder, settings.get("bos", False))
    ids = Tokenizer.from_file(str(folder / "tokenizer.json")).encode(PASSAGE).ids
    rows = [0, 1, 13, 40, 71, len(ids) - 1]
    # Through a file, as a folder's config comes: what stands in it is all that counts.
    (folder / "config.json").write_text(json.dumps(settings["config"]))
    config = transformers.AutoConfig.from_pretrained(str(folder))
    model = auto_class_of(config).from_config(config, dtype=torch.float32)
    for seed in range(1, 100):
        save_model(folder, settings, model, weights_of(model, settings, seed))
        reference, bos = Reference(folder), settings.get("bos", False)
        made = gold(reference, ids, [RUNS[wanted] for wanted in settings["runs"]], bos, rows)
        if made:
            return write(folder, ".", PASSAGE, made, bos, seed, follows_length=reference.follows_length)
    raise RuntimeError(f"{name}: no seed below 100 has clear cuts")


if __name__ == "__main__":
    torch.set_num_threads(1)  # faster than two for models as small as these
    asked = sys.argv[1:]
    for found in FAMILIES:
        if not asked or any(found == a or found.startswith(a + "-") for a in asked):
            make(found)
