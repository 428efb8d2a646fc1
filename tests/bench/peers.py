#!/usr/bin/env python3
"""How long others take for what Keepset does, on this machine's CPU: the peers of the benchmark page.

usage: python peers.py MODEL_DIR TEXT [--threads 2] [--repeats 3] [--only forward,importance,analysis,sweep,kvpress]
                [--cli build/release/bin/keepset-cli]
needs: pip install torch transformers numpy, and for the last one kvpress

    forward      transformers, sdpa attention, no importance, at 1024 and 2048 tokens
    importance   transformers, eager attention with output_attentions and column sums, at the same lengths
    analysis     an analysis by keepset-cli (causality check included, loading not) in turns with `forward`, and its ratio
    sweep        a plain torch loop: one shared prefill, then 20 points (5 sparsities of 4 policies by kv head) one by
                 one over a pruned cache; context 1024, target 256, one window, language-model head on the target only;
                 in turns with a window of keepset-cli's sweep, and the ratio for as many points
    kvpress      the same window as kvpress has it: ObservedAttentionPress over a whole eager prefill for each of 20
                 points, in turns with a sweep by keepset-cli, and the ratio of a point
All in float32; medians of the repeats, after one warm-up. Compare ratios within one run, not milliseconds of two.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import time

import torch
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM, DynamicCache

CONTEXT, TARGET = 1024, 256
SPARSITIES = [0.5, 0.7, 0.8, 0.9, 0.95]


def timed(what, work, repeats):
    """Prints medians of wall time and of processor time; on a busy machine the second one is what to look at."""
    work()
    wall, processor = [], []
    for _ in range(repeats):
        begin, cpu_begin = time.perf_counter(), time.process_time()
        work()
        wall.append(time.perf_counter() - begin)
        processor.append(time.process_time() - cpu_begin)
    print(f"{what}: {statistics.median(wall):.2f} s, {statistics.median(processor):.2f} s of processor time", flush=True)


def column_sums(model, ids):
    attentions = model.model(ids, output_attentions=True, use_cache=False).attentions
    return torch.stack([attention[0].sum(dim=1) for attention in attentions])


def keepset(options, group, context, more=()):
    """The first row of a group of keepset-cli's bench, one turn."""
    command = [options.cli, "bench", group, "--model", options.model, "--text", str(options.text), "--context",
               str(context), "--threads", str(options.threads), "--turns", "1", "--device", "cpu", "--dtype",
               "float32", "--json", "--quiet", *more]
    found = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return json.loads(found)["rows"][0]


def analysis_over_forward(model, ids, options):
    """Prints the medians of both and of the turns' ratios."""
    model.model(ids, use_cache=False)
    ours, theirs = [], []
    for _ in range(options.repeats):
        ours.append(keepset(options, "analysis", ids.shape[1])["seconds"])
        begin = time.perf_counter()
        model.model(ids, use_cache=False)
        theirs.append(time.perf_counter() - begin)
    ratio = statistics.median(our / their for our, their in zip(ours, theirs))
    print(f"analysis {ids.shape[1]}: {statistics.median(ours):.2f} s, forward {statistics.median(theirs):.2f} s, "
          f"ratio {ratio:.2f}", flush=True)


def kept_positions(scores, budget, local):
    """(kv_heads, budget), ascending: the most recent `local` and the most important of the rest."""
    context = scores.shape[1]
    best = scores[:, :context - local].topk(budget - local, dim=1).indices
    recent = torch.arange(context - local, context).expand(len(scores), local)
    return torch.cat([best, recent], dim=1).sort(dim=1).values


def prefill_with_importance(model, ids):
    """Cache of the context and scores (kv_heads, context) of every layer, head by head so that P of a layer is never held."""
    cache = DynamicCache(config=model.config)
    out = model.model(ids, past_key_values=cache, use_cache=True, output_attentions=True)
    groups = model.config.num_attention_heads // model.config.num_key_value_heads
    scores = [a[0].sum(dim=1).unflatten(0, (-1, groups)).mean(dim=1) for a in out.attentions]
    return cache, scores


def loss_after(model, cache, kept, target):
    pruned = DynamicCache(config=model.config)
    for index, (layer, rows) in enumerate(zip(cache.layers, kept)):
        where = rows[None, :, :, None].expand(1, -1, -1, layer.keys.shape[-1])
        pruned.update(layer.keys.gather(2, where), layer.values.gather(2, where), index)
    positions = torch.arange(CONTEXT, CONTEXT + TARGET)[None]
    hidden = model.model(target, past_key_values=pruned, position_ids=positions, use_cache=True).last_hidden_state
    return torch.nn.functional.cross_entropy(model.lm_head(hidden[0, :-1]).float(), target[0, 1:], reduction="sum")


def sweep(model, ids):
    """20 points of one window, one after another."""
    model.set_attn_implementation("eager")
    cache, scores = prefill_with_importance(model, ids[:, :CONTEXT])
    model.set_attn_implementation("sdpa")
    losses = []
    for local_share in (0.2, 0.3, 0.5, 1.0):
        for sparsity in SPARSITIES:
            budget = max(1, int(CONTEXT * (1 - sparsity) + 1e-9))
            local = max(1, int(local_share * budget + 1e-9))
            kept = [kept_positions(layer, budget, local) for layer in scores]
            losses.append(loss_after(model, cache, kept, ids[:, CONTEXT:CONTEXT + TARGET]))
    return torch.stack(losses)


def kvpress_point(model, ids, ratio):
    """One point in kvpress's way: the context read under the press, then the target over what is left."""
    from kvpress import ObservedAttentionPress
    cache = DynamicCache()
    with ObservedAttentionPress(compression_ratio=ratio)(model):
        model.model(ids[:, :CONTEXT], past_key_values=cache, use_cache=True)
    positions = torch.arange(CONTEXT, CONTEXT + TARGET)[None]
    target = ids[:, CONTEXT:CONTEXT + TARGET]
    hidden = model.model(target, past_key_values=cache, position_ids=positions, use_cache=True).last_hidden_state
    return torch.nn.functional.cross_entropy(model.lm_head(hidden[0, :-1]).float(), target[0, 1:], reduction="sum")


def sweep_in_turns(what, others, options):
    """Prints the medians of our points and of `others`, which does 20, and of the turns' ratios, all a point."""
    others()
    ours, theirs = [], []
    for _ in range(options.repeats):
        row = keepset(options, "sweep", CONTEXT, ["--target", str(TARGET)])
        ours.append(row["seconds"] / row["points"])
        begin = time.perf_counter()
        others()
        theirs.append((time.perf_counter() - begin) / 20)
    ratio = statistics.median(our / their for our, their in zip(ours, theirs))
    print(f"sweep, a point: {statistics.median(ours):.2f} s, {what} {statistics.median(theirs):.2f} s, ratio {ratio:.2f}",
          flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("text", type=pathlib.Path)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", default="forward,importance,analysis,sweep")
    parser.add_argument("--cli", default="build/release/bin/keepset-cli")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.set_grad_enabled(False)
    tokenizer = Tokenizer.from_file(f"{options.model}/tokenizer.json")
    ids = torch.tensor([tokenizer.encode(options.text.read_text()[:40000], add_special_tokens=False).ids[:2048]])
    model = AutoModelForCausalLM.from_pretrained(options.model, dtype=torch.float32).eval()
    wanted = options.only.split(",")
    for length in (1024, 2048):
        if "forward" in wanted:
            model.set_attn_implementation("sdpa")
            timed(f"forward {length}", lambda: model.model(ids[:, :length], use_cache=False), options.repeats)
        if "importance" in wanted:
            model.set_attn_implementation("eager")
            timed(f"importance {length}", lambda: column_sums(model, ids[:, :length]), options.repeats)
        if "analysis" in wanted:
            model.set_attn_implementation("sdpa")
            analysis_over_forward(model, ids[:, :length], options)
    if "kvpress" in wanted:
        model.set_attn_implementation("eager")
        sweep_in_turns("kvpress", lambda: [kvpress_point(model, ids, point / 20) for point in range(20)], options)
    if "sweep" in wanted:
        sweep_in_turns("a plain loop", lambda: sweep(model, ids), options)


if __name__ == "__main__":
    main()
