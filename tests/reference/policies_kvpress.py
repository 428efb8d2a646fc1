#!/usr/bin/env python3
"""Makes the golden folders that tst_kvpress compares the policies with: keep sets and losses of kvpress itself.

usage: python policies_kvpress.py [llama] [qwen3]                      (both by default: golden/kvpress/NAME)
       python policies_kvpress.py --model DIR --text FILE --out FOLDER [--context 512] [--target 65] [--sparsities 0.75]
needs: pip install kvpress==0.5.5 transformers==5.2.0 torch tokenizers safetensors numpy, in an environment of its own:
       kvpress does not run with newer transformers. Other versions are refused.

The first makes tiny random models with peaked attention; the second takes a folder that people have (SmolLM2-135M), and
its result is not stored: tst_kvpress reads it from the folder that KEEPSET_KVPRESS_GOLDEN names.

golden.json names the points (policy in our spelling, sparsity, entries kept in all); golden.safetensors has
    ids (context + target)
    keep.N (layers, kv_heads, context)     1: kept by point N
    token_nll.N (target - 1)               losses of point N, read token by token from the press's own cache
    scores.NAME (layers, kv_heads, context)     what the press ranks by, as its score() returns it
DropKV is in no release yet (pull request 285 of NVIDIA/kvpress): its rule is restated below, and is all that is ours.
Keep sets are read from the compressed cache by its keys, or from what a press masks. At every cut of the tiny models
scores differ by more than 1e-5 of their size, so that no rounding decides; but LagKV ties by construction, and so does
SnapKV where its window is larger than the budget ("tied"). The press takes any of equal scores there; keep and token_nll
are those of the earlier of them first, of SnapKV's window those of the last.
"""
import argparse
import contextlib
import json
import logging
import os
import pathlib
import random
import shutil
from importlib import metadata

WANTED = {"kvpress": "0.5.5", "transformers": "5.2.0"}
FOUND = {package.name: package.version for package in metadata.distributions() if package.name in WANTED}
if FOUND != WANTED:
    raise SystemExit(f"This needs {WANTED}, whose keep sets are compared; installed are {FOUND or 'neither'}.")
os.environ["HF_HUB_OFFLINE"] = "1"

import kvpress
import numpy as np
import torch
import transformers
from kvpress.presses import kvzip_press
from kvpress.utils import compute_n_kept, get_prerope_query_states
from safetensors.numpy import save_file
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM, DynamicCache, PreTrainedTokenizerFast
from transformers.models.llama.modeling_llama import repeat_kv, rotate_half

from golden_folder import CLEAR_GAP, save_tokenizer, save_weights
from transformers_eviction import Reference, scored_losses

HERE = pathlib.Path(__file__).resolve().parent
PINNED = 1e30  # presses give what must stay the highest number there is
CONTEXT, TARGET, SPARSITIES = 203, 12, [0.3, 0.75]


def config(architecture, model_type, **settings):
    return {"architectures": [architecture], "model_type": model_type, "hidden_act": "silu", "initializer_range": 0.25,
            "intermediate_size": 48, "num_hidden_layers": 4, "vocab_size": 257, "max_position_embeddings": 1024,
            "rope_theta": 10000.0, "torch_dtype": "bfloat16", **settings}


# name: config, BOS
MODELS = {
    "llama": (config("LlamaForCausalLM", "llama", hidden_size=32, num_attention_heads=6, num_key_value_heads=2,
                     head_dim=16, rms_norm_eps=1e-5, tie_word_embeddings=False), True),
    "qwen3": (config("Qwen3ForCausalLM", "qwen3", hidden_size=30, num_attention_heads=6, num_key_value_heads=3,
                     head_dim=12, rms_norm_eps=1e-6, tie_word_embeddings=True), False),
}


class DropKV(kvpress.ScorerPress):
    """Pull request 285, restated: what an attention's output changes by when one key alone is evicted.

    s_j = sum over the last `window` queries i of (p_ij / (1 - p_ij + 1e-6))^2 * |v_j - o_i|^2, o_i = sum_j p_ij v_j;
    mean over the query heads of a kv head; average-pooled over j, zeros counted; the window protected.
    """

    window, kernel = 32, 7

    def score(self, module, hidden_states, keys, values, attentions, kwargs):
        groups, context = module.num_key_value_groups, keys.shape[2]
        query = get_prerope_query_states(module, hidden_states[:, -self.window:])
        cos, sin = (part[:, None, -self.window:] for part in kwargs["position_embeddings"])
        logits = (query * cos + rotate_half(query) * sin) @ repeat_kv(keys, groups).transpose(2, 3)
        later = torch.ones(self.window, context, dtype=torch.bool).triu(context - self.window + 1)
        p = (logits / module.head_dim ** 0.5).masked_fill(later, -torch.inf).softmax(-1)[0].double()
        v = repeat_kv(values, groups)[0].double()
        distance = (v[:, None] - (p @ v)[:, :, None]).square().sum(-1)  # (heads, window, context)
        scores = ((p / (1 - p + 1e-6)).square() * distance).sum(1).float()
        scores = scores.view(keys.shape[1], groups, context).mean(1)
        scores = torch.nn.functional.avg_pool1d(scores[None], self.kernel, stride=1, padding=self.kernel // 2)
        scores[..., -self.window:] = scores.max() + 1
        return scores


def snapkv16(sparsity):
    return kvpress.SnapKVPress(sparsity, window_size=16)


# our spelling: the press, and whose scores it ranks by where that is another's
PRESSES = {
    "snapkv": (kvpress.SnapKVPress, None),
    "snapkv(window=16)": (snapkv16, None),
    "tova": (kvpress.TOVAPress, None),
    "keydiff": (kvpress.KeyDiffPress, None),
    "knorm": (kvpress.KnormPress, None),
    "expected-attention": (kvpress.ExpectedAttentionPress, None),
    "expected-attention(epsilon=0.01)": (lambda s: kvpress.ExpectedAttentionPress(s, epsilon=0.01), None),
    "criticalkv(of=snapkv(window=16))": (lambda s: kvpress.CriticalKVPress(snapkv16(s)), None),
    "dropkv": (DropKV, None),
    "lagkv(lag=32)": (lambda s: kvpress.LagKVPress(s, lag_size=32), None),
    "cur": (kvpress.CURPress, None),
    "chunkkv(of=snapkv(window=16))": (lambda s: kvpress.ChunkKVPress(snapkv16(s)), "snapkv(window=16)"),
    "h2o-observed": (kvpress.ObservedAttentionPress, None),
    "streaming-llm": (kvpress.StreamingLLMPress, None),
    "pyramid(of=snapkv(window=16))": (lambda s: kvpress.PyramidKVPress(s, window_size=16), "snapkv(window=16)"),
    "ada(of=snapkv(window=16))": (lambda s: kvpress.AdaKVPress(snapkv16(s)), "snapkv(window=16)"),
    "ada(of=expected-attention(epsilon=0.01))": (
        lambda s: kvpress.AdaKVPress(kvpress.ExpectedAttentionPress(s, epsilon=0.01)), "expected-attention(epsilon=0.01)"),
    "kvzip": (kvpress.KVzipPress, None),
}
BY_SPARSITY = ["criticalkv", "streaming-llm"]  # their scores depend on the budget
SHARES = {"ada": 1, "chunkkv": 1, "kvzip": 2}  # rows that one cut goes through: a layer's, or all; else each its own


def outer(policy):
    return policy.split("(")[0]


@contextlib.contextmanager
def recorded(press):
    """Until it is left, what each layer's score() returned and what became of it: a list of (copy, the tensor itself)."""
    found, scorer = [], press
    if not isinstance(press, kvpress.ScorerPress) and hasattr(press, "press"):
        scorer = press.press
    name = "compress_post" if isinstance(press, kvpress.KVzipPress) else "score"
    original = getattr(scorer, name)

    def score(*given, **named):
        out = original(*given, **named)
        if name == "compress_post":
            found.extend((layer[0].clone(), layer[0]) for layer in scorer.score_val)
        else:
            found.append((out[0].clone(), out[0]))
        return out

    setattr(scorer, name, score)
    yield found
    delattr(scorer, name)


class PlainTokenizer:
    """KVzip asks AutoTokenizer for its prompt's ids, which reads other files too; tokenizer.json alone is what we read."""

    @staticmethod
    def from_pretrained(folder):
        return PreTrainedTokenizerFast(tokenizer_file=str(pathlib.Path(folder) / "tokenizer.json"))


class Presses:
    """A model folder in float32, read under presses."""

    def __init__(self, folder, ids, context):
        self.model = AutoModelForCausalLM.from_pretrained(str(folder), dtype=torch.float32).eval()
        self.layers = [layer.self_attn for layer in self.model.model.layers]
        self.context, self.target = torch.tensor([ids[:context]]), torch.tensor([ids[context:]])
        self.dense = self.prefill(contextlib.nullcontext(), "sdpa")

    @torch.no_grad()
    def prefill(self, pressed, attention):
        self.model.set_attn_implementation(attention)
        for module in self.layers:
            module.masked_key_indices = None
        cache = DynamicCache()
        with pressed:
            self.model.model(input_ids=self.context, past_key_values=cache, use_cache=True)
        return cache

    def kept(self, cache):
        """(layers, kv_heads, context) bool: the dense keys that are in a cache, without what is masked."""
        found = []
        for module, layer, dense in zip(self.layers, cache.layers, self.dense.layers):
            keep = torch.zeros(dense.keys.shape[1:3], dtype=torch.bool)
            for head, (keys, wanted) in enumerate(zip(layer.keys[0], dense.keys[0])):
                distance = torch.cdist(keys, wanted, compute_mode="donot_use_mm_for_euclid_dist")
                nearest, index = distance.min(dim=1)
                assert nearest.max() < 1e-4 and len(index.unique()) == len(index), "every key is one of the dense ones"
                keep[head, index] = True
            if module.masked_key_indices is not None:
                _, heads, positions = module.masked_key_indices
                keep[heads, positions] = False
            found.append(keep)
        return torch.stack(found).numpy()

    @torch.no_grad()
    def losses(self, cache, masked):
        """(target - 1): token by token, because layers and heads may differ in length, with positions that go on."""
        self.model.set_attn_implementation("sdpa")
        for module, indices in zip(self.layers, masked):
            module.masked_key_indices = indices
        found, begin = [], self.context.shape[1]
        for step in range(self.target.shape[1] - 1):
            hidden = self.model.model(input_ids=self.target[:, step:step + 1], past_key_values=cache, use_cache=True,
                                      position_ids=torch.tensor([[begin + step]])).last_hidden_state
            log_prob = self.model.lm_head(hidden)[0, -1].float().log_softmax(-1)
            found.append(-log_prob[self.target[0, step + 1]])
        return torch.stack(found).numpy()

    def point(self, policy, sparsity):
        """Keep set, cache and what is masked in it, scores (layers, kv_heads, context) and the same as they were ranked."""
        press = PRESSES[policy][0](sparsity)
        attention = "eager" if policy == "h2o-observed" else "sdpa"
        with recorded(press) as scores:
            cache = self.prefill(press(self.model), attention)
        raw, ranked = (torch.stack(part).float().numpy() for part in zip(*scores))
        return self.kept(cache), (cache, [module.masked_key_indices for module in self.layers]), raw, ranked


def ties_by_position(scores, sparsity, last_first):
    """Keep sets of the highest scores."""
    turned = scores[..., ::-1] if last_first else scores
    order = np.argsort(-turned, axis=-1, kind="stable")[..., :compute_n_kept(scores.shape[-1], sparsity)]
    keep = np.zeros(scores.shape, bool)
    np.put_along_axis(keep, order, True, axis=-1)
    return np.ascontiguousarray(keep[..., ::-1] if last_first else keep)


def gap_of(policy, keep, ranked):
    """The narrowest distance at a cut between kept and evicted, as a share of the scores' size."""
    if outer(policy) == "chunkkv":
        chunks = range(0, keep.shape[-1], 20)
        ranked = np.stack([ranked[..., c:c + 20].sum(1).mean(-1) for c in chunks], -1)[:, None]
        keep = np.stack([keep[:, :1, c] for c in chunks], -1)
    shape = {0: (-1, keep.shape[-1]), 1: (len(keep), -1), 2: (1, -1)}[SHARES.get(outer(policy), 0)]
    gaps = []
    for kept, scores in zip(keep.reshape(shape), ranked.reshape(shape)):
        inside, outside = scores[kept & (scores < PINNED)], scores[~kept]
        if len(inside) and len(outside):
            low, high = float(inside.min()), float(outside.max())
            assert low >= high, f"{policy} keeps the highest scores"
            gaps.append((low - high) / max(abs(low), abs(high), 1e-30))
    return min(gaps, default=np.inf)


def gold(folder, ids, context, sparsities, clear):
    """Points and tensors of a folder; None where a cut is too close and must be clear."""
    presses, points, tensors, found = Presses(folder, ids, context), [], {"ids": np.array(ids, np.int32)}, []
    for policy, (_, scores_of) in PRESSES.items():
        for sparsity in sparsities:
            keep, cache, raw, ranked = presses.point(policy, sparsity)
            gap = gap_of(policy, keep, ranked)
            tied = outer(policy) == "lagkv" or outer(policy) == "snapkv" and gap == 0
            if tied:
                keep = ties_by_position(raw, sparsity, last_first=outer(policy) == "snapkv")
            if clear and not tied and gap <= CLEAR_GAP:
                print(f"  {policy} at {sparsity}: gap {gap:.1e}")
                return None
            name = scores_of or policy + (f" at {sparsity}" if outer(policy) in BY_SPARSITY else "")
            scores = ranked if outer(policy) == "criticalkv" else raw
            known = tensors.setdefault(f"scores.{name}", scores)
            assert np.array_equal(known, scores), f"{policy} at {sparsity} ranks by the scores of {name}"
            points.append({"policy": policy, "sparsity": sparsity, "kept": int(keep.sum()), "scores": name,
                           "tied": tied, "narrowest_gap": gap})
            found.append((keep, None if tied else cache))
    check = Reference(folder)
    for n, (keep, cache) in enumerate(found):
        by_mask = scored_losses(check.evicted(ids, context, keep), ids, context)
        losses = by_mask if cache is None else presses.losses(*cache)
        apart = float(np.abs(losses - by_mask).max())
        if clear and apart >= 5e-5:  # AdaKV's fake keys may still be seen by a query that is nearly orthogonal to them
            print(f"  {points[n]['policy']} at {points[n]['sparsity']}: losses by cache and by mask are {apart:.1e} apart")
            return None
        tensors |= {f"keep.{n}": keep.astype(np.uint8), f"token_nll.{n}": losses.astype(np.float32)}
    return points, tensors


def write(folder, model, text, made, bos, seed, context):
    points, tensors = made
    save_file({name: np.ascontiguousarray(value) for name, value in tensors.items()}, str(folder / "golden.safetensors"))
    (folder / "text.txt").write_text(text)
    versions = {m.__name__: m.__version__ for m in (torch, transformers, np)} | {"kvpress": WANTED["kvpress"]}
    golden = {"model": str(model), "bos": bos, "seed_or_passage": seed, "made_with": versions, "context": context,
              "target": len(tensors["ids"]) - context, "points": points}
    (folder / "golden.json").write_text(json.dumps(golden, indent=1) + "\n")
    size = sum(file.stat().st_size for file in folder.iterdir())
    gap = min(point["narrowest_gap"] for point in points if not point["tied"])
    print(f"{folder.name}: seed {seed}, {len(points)} points, {size / 1024:.0f} KB, narrowest gap {gap:.1e}")


def save_random(folder, settings, seed):
    """Weights as transformers draws them; those of the norms too, else all keys of a q/k-norm model had one length."""
    torch.manual_seed(seed)
    loaded = transformers.AutoConfig.from_pretrained(str(folder))
    model = AutoModelForCausalLM.from_config(loaded, dtype=torch.float32)
    weights = {name: value for name, value in model.state_dict().items()
               if not (name == "lm_head.weight" and settings["tie_word_embeddings"])}
    for name, value in weights.items():
        if value.ndim == 1:
            weights[name] = 1 + (0.4 if "k_norm" in name else 0.2) * torch.randn(value.shape)
    save_weights(folder, {name: value.to(torch.bfloat16).contiguous() for name, value in weights.items()}, 1)


def passage():
    """Few bytes come twice: keys of equal tokens are of equal length in the first layer, and K-norm would have ties."""
    draw = random.Random(1)
    ascii = [chr(c) for c in range(32, 127)]
    letters = [chr((lead & 31) << 6 | 2 * (lead & 31)) for lead in range(0xC3, 0xE0)]
    return "".join(draw.sample(ascii, len(ascii)) + [c for c in letters if c.isalpha()] + draw.sample(ascii, len(ascii)))


def make(name):
    settings, bos = MODELS[name]
    folder = HERE / "golden" / "kvpress" / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    save_tokenizer(folder, bos)
    (folder / "config.json").write_text(json.dumps(settings, indent=2) + "\n")
    ids = Tokenizer.from_file(str(folder / "tokenizer.json")).encode(passage()).ids[:CONTEXT + TARGET]
    for seed in range(1, 100):
        save_random(folder, settings, seed)
        made = gold(folder, ids, CONTEXT, SPARSITIES, clear=True)
        if made:
            return write(folder, ".", passage(), made, bos, seed, CONTEXT)
    raise RuntimeError(f"{name}: no seed below 100 has clear cuts")


def make_of(options):
    """A folder of a model that people have: its cuts are what they are."""
    text = options.text.read_text()[:20 * (options.context + options.target)]
    tokenizer = Tokenizer.from_file(str(options.model / "tokenizer.json"))
    ids = tokenizer.encode(text).ids[:options.context + options.target]
    bos = len(tokenizer.encode("").ids) > 0
    options.out.mkdir(parents=True)
    made = gold(options.model, ids, options.context, options.sparsities, clear=False)
    write(options.out, options.model.resolve(), text, made, bos, 0, options.context)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*", choices=[*MODELS, []])
    parser.add_argument("--model", type=pathlib.Path)
    parser.add_argument("--text", type=pathlib.Path)
    parser.add_argument("--out", type=pathlib.Path)
    parser.add_argument("--context", type=int, default=512)
    parser.add_argument("--target", type=int, default=65)
    parser.add_argument("--sparsities", type=lambda text: [float(part) for part in text.split(",")], default=[0.75])
    options = parser.parse_args()
    torch.set_num_threads(1)
    kvzip_press.AutoTokenizer = PlainTokenizer
    transformers.utils.logging.disable_progress_bar()
    logging.disable(logging.WARNING)
    if options.model:
        return make_of(options)
    for name in options.names or MODELS:
        make(name)


if __name__ == "__main__":
    main()
