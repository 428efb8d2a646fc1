#!/usr/bin/env python3
"""Compares sweeps in bfloat16 and float16 with Hugging Face transformers, on a model of random weights made here.

usage: python half_precision_sweep.py --cli build/release/bin/keepset-cli [--device cuda] [--context 2048] [--target 64]
                                      [--windows 2] [--shapes llama,qwen2,mistral,gemma2] [--dtypes bfloat16,float16]
needs: torch, transformers, h5py, numpy, and a GPU for --device cuda. Exit status 77 where one of them is missing.

The reference is transformers in float32 on the same device, given OUR keep sets (SEMANTICS 7). How far a right answer in
16 bits may be from it is not guessed: it is how far transformers itself is in that dtype, with the same keep sets and
plain eager attention. Ours may be `--factor` times as far, in the root mean square and at the worst.

Checked in every window, against the float32 pass: the importance of every layer and head (column sums of eager
attention), and the loss of every scored token after eviction by every policy and sparsity. At s = 0 a policy is dense.
"""
import argparse
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
SKIPPED = 77  # ctest: SKIP_RETURN_CODE


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(SKIPPED)


try:
    import h5py
    import numpy as np
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    from compare_model import Files, name_of
    from transformers_eviction import Reference, scored_losses
except ImportError as missing:
    skip(f"this Python cannot import {missing.name}")

# Shapes of published families, smaller: head_dim and grouping are those of Llama 3 and of Qwen 2.5; a window that hides most of
# the context; and Gemma 2's caps and every other layer's window.
SHAPES = {
    "llama": dict(hidden_size=512, intermediate_size=1024, num_hidden_layers=4, num_attention_heads=8, num_key_value_heads=2,
                  rope_theta=500000.0),
    "qwen2": dict(hidden_size=768, intermediate_size=1024, num_hidden_layers=3, num_attention_heads=6, num_key_value_heads=2,
                  rope_theta=1000000.0),
    "mistral": dict(hidden_size=512, intermediate_size=1024, num_hidden_layers=4, num_attention_heads=8, num_key_value_heads=2,
                    sliding_window=700),
    "gemma2": dict(hidden_size=512, intermediate_size=1024, num_hidden_layers=4, num_attention_heads=4, num_key_value_heads=2,
                   head_dim=256, query_pre_attn_scalar=256, sliding_window=700),
}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cli", type=pathlib.Path, default=ROOT / "build" / "release" / "bin" / "keepset-cli")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--context", type=int, default=2048)
    parser.add_argument("--target", type=int, default=64)
    parser.add_argument("--windows", type=int, default=2)
    parser.add_argument("--shapes", default=",".join(SHAPES))
    parser.add_argument("--dtypes", default="bfloat16,float16")
    parser.add_argument("--policies", default="h2o,cab,streaming-llm,random")
    parser.add_argument("--sparsity", default="0,0.5,0.9")
    parser.add_argument("--granularity", default="head")
    parser.add_argument("--factor", type=float, default=2.0)
    return parser.parse_args()


def make_model(shape, dtype, longest, folder):
    """A folder of random weights in `dtype`, exactly what is computed with, and the demo model's tokenizer."""
    demo = ROOT / "resources" / "demo" / "model"
    vocabulary = AutoConfig.from_pretrained(str(demo)).vocab_size
    torch.manual_seed(0)
    # The width of the draw makes attention that is far from even: every row has keys that matter.
    config = AutoConfig.for_model(shape, vocab_size=vocabulary, max_position_embeddings=2 * longest, initializer_range=0.25,
                                  tie_word_embeddings=False, **SHAPES[shape])
    model = AutoModelForCausalLM.from_config(config).to(getattr(torch, dtype))
    model.save_pretrained(str(folder))
    for name in ["tokenizer.json", "tokenizer_config.json"]:
        (folder / name).write_bytes((demo / name).read_bytes())


def make_text(path, tokens):
    """Words of the demo text in a drawn order, more than enough of them."""
    words = (ROOT / "resources" / "demo" / "demo.txt").read_text().split()
    order = np.random.default_rng(0).integers(len(words), size=2 * tokens)
    path.write_text(" ".join(words[i] for i in order))


class Report:
    good = True

    def __init__(self, factor):
        self.factor = factor

    def line(self, what, ours, naive, exact):
        """Whether ours is about as near to the exact answer as the naive way in the same dtype."""
        errors = [np.abs(np.asarray(found, np.float64) - exact) for found in (ours, naive)]
        mine, allowed = [(float(np.sqrt((e**2).mean())), float(e.max())) for e in errors]
        floor = 1e-6 * float(np.abs(exact).max())  # where the naive way happens to be exact
        right = all(a <= self.factor * b + floor for a, b in zip(mine, allowed))  # False for NaN
        self.good &= right
        print(f"{what:62} {mine[0]:8.1e} {mine[1]:8.1e}   naive {allowed[0]:8.1e} {allowed[1]:8.1e}  "
              f"{'within' if right else 'ABOVE'}")


def compare_window(files, references, report, window, run):
    """Importance and losses of one window; references are float32, then the dtype."""
    options = files.options
    begin = window * (options.context + options.target - int(run["/sweep"].attrs["bos"]))
    trace = files.make("analyze", f"trace{window}.h5", "--context", options.context, "--offset", begin, "--policies",
                       options.policies, "--sparsity", options.sparsity, "--granularity", options.granularity)
    ids = files.make("analyze", f"ids{window}.h5", "--context", options.context + options.target, "--offset",
                     begin)["/tokens/id"][:].tolist()
    exact, naive = (one.importance(ids[:options.context]) for one in references)
    report.line(f"importance, window {window}", trace["/importance/cumulative"][:], naive, exact)
    points = [(name_of(p["policy"]), round(float(p["sparsity"]), 9)) for p in run["/sweep/points"][:]]
    for keep in trace["/keep"].values():
        point = (name_of(keep.attrs["policy"]), round(float(keep.attrs["sparsity"]), 9))
        kept = keep["label"][:] != 0
        if point[0] == "random" and window > 0:
            continue  # drawn anew in every window, and a trace is always the first
        found = run["/sweep/token_nll"][points.index(point), window]
        exact, naive = (scored_losses(one.evicted(ids, options.context, kept), ids, options.context) for one in references)
        report.line(f"loss, {point[0]} at {point[1]:g}, window {window}", found, naive, exact)


class Sweeps(Files):
    """keepset-cli on the device and in the dtype of one comparison."""

    def make(self, command, name, *more):
        out = self.folder / name
        shared = ["--text", self.options.text, "--device", self.options.device, "--dtype", self.options.dtype, "--sliding", "evict",
                  "--quiet"]
        run_cli(self.options.cli, command, self.options.model, *shared, "--out", out, *more)
        return h5py.File(out, "r")


def run_cli(*words):
    done = subprocess.run([str(word) for word in words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, words))}\nended with {done.returncode}: {done.stdout.strip()}")


def compare(options, shape, dtype):
    report = Report(options.factor)
    with tempfile.TemporaryDirectory() as folder:
        options.model, options.text = pathlib.Path(folder) / f"{shape}-{dtype}", pathlib.Path(folder) / "text.txt"
        options.dtype = dtype
        make_model(shape, dtype, options.context + options.target, options.model)
        make_text(options.text, (options.windows + 1) * (options.context + options.target))
        files = Sweeps(options, folder)
        references = [Reference(options.model, each, options.device) for each in (torch.float32, getattr(torch, dtype))]
        print(f"{shape}, {dtype}, {options.device}, context {options.context}: error against float32, RMS and largest")
        run = files.make("sweep", "run.h5", "--context", options.context, "--target", options.target, "--windows", options.windows,
                         "--policies", options.policies, "--sparsity", options.sparsity, "--granularity", options.granularity,
                         "--per-token")
        for window in range(options.windows):
            compare_window(files, references, report, window, run)
    return report.good


def main():
    options = arguments()
    if options.device.startswith("cuda") and not torch.cuda.is_available():
        skip("there is no CUDA device here")
    # Matrix products of the float32 reference must be float32's.
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    good = [compare(options, shape, dtype) for shape in options.shapes.split(",") for dtype in options.dtypes.split(",")]
    sys.exit(0 if all(good) else 1)


if __name__ == "__main__":
    main()
