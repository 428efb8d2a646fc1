"""What every golden folder is made of: the tokenizer, the text, the runs and what the reference finds in them.

golden.json says what was run, with which settings; golden.safetensors has
    ids (tokens)                         token ids of the text, BOS in front where the tokenizer adds one
    log_prob (rows, vocabulary)          log-probabilities after the positions in `rows`
    importance, row_lse (layers, heads, tokens)
    run.N.label (points, windows, layers, kv_heads, context)     labels of the keep sets
    run.N.token_nll (points, windows, target - 1)
    run.N.importance (windows, layers, heads, context)           where it is that of the last queries
Logits, importance and losses come from transformers (transformers_eviction.py), keep sets from policies.py. Scores at
every cut differ by more than 1e-5 of their size, so that no rounding decides between two right answers.
"""
import json

import numpy as np
import safetensors.torch
import tokenizers
import torch
import transformers
from safetensors.numpy import save_file
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors

import policies
from transformers_eviction import agreement, divergence, scored_losses

CLEAR_GAP = 1e-5
TEXT = ("Zwölf Boxkämpfer jagen Viktor — quer über den Sylter Deich…\n\n\tWer?  „Niemand“, said e\u0301mile's 2nd twin: "
        "‘x²≠3·y’ 🧑‍🚀🇨🇭 漢字かな交じり文 مرحبا\u200d\u00a0\r\n0123456789 aaaaaaaaaaaa!!")
POLICIES = ["dense", "h2o", "cab", "h2o(local=0.3)", "streaming-llm", "recent", "random"]
SPARSITIES = [0, 0.5, 0.9, 0.95]


def run(name, context, target, windows, **settings):
    defaults = {"protocol": "prefill-evict", "granularity": "head", "importance": "cumulative", "gqa": "mean",
                "positions": "original", "rounding": "floor", "seed": 0, "offset": 0, "budgets": [],
                "sparsities": SPARSITIES, "policies": POLICIES}
    return {"name": name, "context": context, "target": target, "windows": windows, **defaults, **settings}


def save_tokenizer(folder, bos):
    """Bytes as tokens: id = byte. With BOS: token 256, put first by the post-processor."""
    visible = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in visible]
    vocabulary = {chr(byte): byte for byte in visible} | {chr(256 + n): byte for n, byte in enumerate(others)}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    if bos:
        tokenizer.add_special_tokens([AddedToken("<s>", special=True, normalized=False)])
        tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 256)])
    tokenizer.save(str(folder / "tokenizer.json"))


def save_weights(folder, weights, shards):
    names = sorted(weights)
    if shards == 1:
        safetensors.torch.save_file(weights, str(folder / "model.safetensors"), {"format": "pt"})
        return
    index = {"metadata": {"total_size": sum(w.numel() * w.element_size() for w in weights.values())}, "weight_map": {}}
    for shard in range(shards):
        file = f"model-{shard + 1:05d}-of-{shards:05d}.safetensors"
        part = {name: weights[name] for name in names[shard::shards]}
        safetensors.torch.save_file(part, str(folder / file), {"format": "pt"})
        index["weight_map"] |= {name: file for name in part}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index, indent=2) + "\n")


def points_of(settings):
    """Points in the order of a run: dense, then each policy by rising sparsity (or falling budget)."""
    context, rounding = settings["context"], settings["rounding"]
    if settings["budgets"]:
        sizes = [(1 - k / context, k) for k in sorted(settings["budgets"], reverse=True)]
    else:
        sizes = [(s, policies.budget_of(s, context, rounding)) for s in settings["sparsities"]]
    points = [{"policy": "dense", "sparsity": 0.0, "budget": context}]
    points += [{"policy": p, "sparsity": s, "budget": k} for p in settings["policies"] if p != "dense" for s, k in sizes]
    return points


def windows_of(ids, settings, bos):
    """Token ids of every window; each starts with the BOS where there is one."""
    stream, front = (ids[1:], [ids[0]]) if bos else (ids, [])
    size = settings["context"] + settings["target"] - len(front)
    begin = settings["offset"]
    pieces = [stream[begin + w * size:begin + (w + 1) * size] for w in range(settings["windows"])]
    assert all(len(piece) == size for piece in pieces), f"the text is too short for {settings['name']}"
    return [front + piece for piece in pieces]


def keep_sets(reference, windows, settings):
    """Labels (points, windows, layers, kv_heads, context), importance of every window, and the narrowest gap."""
    importance = [reference.importance(ids, settings["context"]) for ids in windows]
    points, gap = points_of(settings), np.inf
    by_attention = settings["importance"] != "cumulative" or any("bridge=" in name for name in settings["policies"])
    attention = [reference.attention(ids, settings["context"]) if by_attention else None for ids in windows]
    scores = [policies.row_scores(a, reference.kv_heads, settings["importance"], settings["gqa"], p)
              for a, p in zip(importance, attention)]
    labels = np.zeros((len(points), len(windows), reference.layers, reference.kv_heads, settings["context"]), np.uint8)
    for p, point in enumerate(points):
        for w in range(len(windows)):
            labels[p, w], row_gap = policies.keep_labels(point["policy"], scores[w], point["budget"], settings, w,
                                                               attention[w])
            gap = min(gap, row_gap)
    return labels, importance, gap


def losses(reference, windows, settings, labels, importance):
    """Points with their numbers, and NLL (points, windows, target - 1)."""
    context, points = settings["context"], points_of(settings)
    token_nll = np.zeros((len(points), len(windows), settings["target"] - 1), np.float32)
    sums = np.zeros((len(points), 3))
    for w, ids in enumerate(windows):
        dense = reference.logits(ids)[context:-1]
        everything = np.ones(labels.shape[2:], bool)
        assert np.abs(reference.evicted(ids, context, everything) - dense).max() <= 1e-5, "nothing hidden: eager attention"
        for p, point in enumerate(points):
            kept = labels[p, w] != policies.EVICTED
            if settings["protocol"] == "token-drop":
                found = reference.dropped(ids, context, np.flatnonzero(kept[0, 0]))
            else:
                found = reference.evicted(ids, context, kept, settings["positions"] == "repacked")
            token_nll[p, w] = scored_losses(found, ids, context)
            sums[p] += divergence(dense, found), agreement(dense, found), policies.kept_mass(importance[w], labels[p, w])
    for p, point in enumerate(points):
        kl, top1, mass = sums[p] / len(windows)
        point |= {"nll_sum": float(token_nll[p].astype(np.float64).sum()), "kl": kl, "top1_agreement": top1, "kept_mass": mass}
    assert np.abs(token_nll[0] - token_nll).max() > 0.05, "eviction must matter for the test to mean something"
    return points, token_nll


def gold(reference, ids, runs, bos, rows):
    """Tensors and runs of one folder, or None where a cut is too close."""
    tensors, found, selected = {}, [], []
    for settings in runs:
        windows = windows_of(ids, settings, bos)
        labels, importance, gap = keep_sets(reference, windows, settings)
        if gap <= CLEAR_GAP:
            return None
        selected.append((settings, windows, labels, importance, gap))
    for n, (settings, windows, labels, importance, gap) in enumerate(selected):
        points, token_nll = losses(reference, windows, settings, labels, importance)
        tensors |= {f"run.{n}.label": labels, f"run.{n}.token_nll": token_nll}
        if last := policies.last_queries(settings["importance"]):
            rows_of = [reference.attention(ids, settings["context"])[:, :, -last:] for ids in windows]
            tensors[f"run.{n}.importance"] = np.stack([p.sum(axis=2) for p in rows_of]).astype(np.float32)
        found.append({**settings, "points": points, "narrowest_gap": gap})
    tensors |= {"ids": np.array(ids, np.int32), "rows": np.array(rows, np.int32),
                "log_prob": reference.logits(ids)[rows], "importance": reference.importance(ids),
                "row_lse": reference.row_lse(ids)}
    return {name: np.ascontiguousarray(value) for name, value in tensors.items()}, found


def write(folder, model, text, made, bos, seed, **more):
    """`more` is written to golden.json beside the rest."""
    tensors, runs = made
    save_file(tensors, str(folder / "golden.safetensors"))
    (folder / "text.txt").write_bytes(text.encode())
    versions = {m.__name__: m.__version__ for m in (torch, transformers, tokenizers, np)}
    golden = {"model": model, "bos": bos, "seed_or_passage": seed, "made_with": versions, **more, "runs": runs}
    (folder / "golden.json").write_text(json.dumps(golden, indent=1) + "\n")
    size = sum(file.stat().st_size for file in folder.iterdir())
    print(f"{folder.name}: seed {seed}, {len(tensors['ids'])} tokens, {size / 1024:.0f} KB, "
          f"narrowest gap {min(r['narrowest_gap'] for r in runs):.1e}")
