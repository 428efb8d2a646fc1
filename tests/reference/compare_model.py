#!/usr/bin/env python3
"""Compares keepset-cli with Hugging Face transformers on a model and text of any size, by hand.

usage: python compare_model.py MODEL_DIR TEXT [--context 512] [--target 64] [--windows 2] [--granularity head]
                               [--policies h2o,cab,streaming-llm] [--sparsity 0,0.5,0.9] [--cli build/release/bin/keepset-cli]
needs: pip install torch transformers h5py numpy

Everything goes through the files that users get: `logits` (last 8 positions), `analyze` (importance, keep sets) and
`sweep --per-token`, all in float32 on the CPU. transformers gets OUR keep sets (read from the traces' /keep), because
two scores that are almost equal may be ordered either way (SEMANTICS 7). Prints the largest differences and whether
they are within SEMANTICS 7: log-probabilities and losses 1e-4, importance 1e-4 relative. Exit status 1 where not.
"""
import argparse
import pathlib
import subprocess
import sys
import tempfile

import h5py
import numpy as np
import torch

from transformers_eviction import Reference, scored_losses

ROOT = pathlib.Path(__file__).resolve().parents[2]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("text", type=pathlib.Path)
    parser.add_argument("--context", type=int, default=512)
    parser.add_argument("--target", type=int, default=64)
    parser.add_argument("--windows", type=int, default=2)
    parser.add_argument("--granularity", default="head")
    parser.add_argument("--policies", default="h2o,cab,streaming-llm")
    parser.add_argument("--sparsity", default="0,0.5,0.9")
    parser.add_argument("--cli", type=pathlib.Path, default=ROOT / "build" / "release" / "bin" / "keepset-cli")
    return parser.parse_args()


class Files:
    """Runs keepset-cli and opens what it wrote."""

    def __init__(self, options, folder):
        self.options, self.folder = options, pathlib.Path(folder)

    def make(self, command, name, *more):
        out = self.folder / name
        subprocess.run([self.options.cli, command, self.options.model, "--text", self.options.text, "--device", "cpu", "--dtype",
                        "float32", "--quiet", "--out", out, *map(str, more)], check=True, stdout=subprocess.DEVNULL)
        return h5py.File(out, "r")


def name_of(value):
    return value.decode() if isinstance(value, bytes) else str(value)


class Report:
    good = True

    def line(self, what, largest, allowed):
        self.good &= bool(largest <= allowed)
        print(f"{what:58} {largest:9.2e}  {'within' if largest <= allowed else 'ABOVE'} {allowed:g}")


def compare_window(files, reference, report, window, run):
    """Importance and losses of one window of the sweep in `run`."""
    options = files.options
    tokens_before = window * (options.context + options.target - int(run["/sweep"].attrs["bos"]))
    policy_options = ["--policies", options.policies, "--sparsity", options.sparsity, "--granularity", options.granularity]
    trace = files.make("analyze", f"trace{window}.h5", "--context", options.context, "--offset", tokens_before, *policy_options)
    more = files.make("analyze", f"ids{window}.h5", "--context", options.context + options.target, "--offset", tokens_before)
    ids = more["/tokens/id"][:].tolist()
    wanted = reference.importance(ids[:options.context])
    difference = np.abs(trace["/importance/cumulative"][:] - wanted) / np.maximum(wanted, 1e-30)
    report.line(f"importance, window {window}, relative", difference.max(), 1e-4)
    points = [(name_of(p["policy"]), round(float(p["sparsity"]), 9)) for p in run["/sweep/points"][:]]
    for keep in trace["/keep"].values():
        point = (name_of(keep.attrs["policy"]), round(float(keep.attrs["sparsity"]), 9))
        found = run["/sweep/token_nll"][points.index(point), window]
        log_prob = reference.evicted(ids, options.context, keep["label"][:] != 0)
        largest = np.abs(scored_losses(log_prob, ids, options.context) - found).max()
        report.line(f"loss after {point[0]} at {point[1]:g}, window {window}", largest, 1e-4)


def main():
    options = arguments()
    reference, report = Reference(options.model), Report()
    with tempfile.TemporaryDirectory() as folder:
        files = Files(options, folder)
        passage = pathlib.Path(folder) / "passage.txt"  # logits takes the whole text: give it a beginning
        passage.write_bytes(options.text.read_bytes()[:2000].decode(errors="ignore").encode())
        whole, options.text = options.text, passage
        logits = files.make("logits", "logits.h5", "--last", 8)
        ids = files.make("analyze", "ids.h5")["/tokens/id"][:].tolist()
        options.text = whole
        report.line("log-probabilities, last 8 positions",
                    np.abs(logits["/logits/log_prob"][:] - reference.logits(ids)[-8:]).max(), 1e-4)
        run = files.make("sweep", "run.h5", "--context", options.context, "--target", options.target, "--windows", options.windows,
                         "--policies", options.policies, "--sparsity", options.sparsity, "--granularity", options.granularity,
                         "--per-token")
        for window in range(options.windows):
            compare_window(files, reference, report, window, run)
    sys.exit(0 if report.good else 1)


if __name__ == "__main__":
    torch.manual_seed(0)
    main()
