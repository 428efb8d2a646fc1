"""Checks files of Keepset with h5py, which shares no code with it, against the schema of core/trace/trace.h.

    python check_files.py FILE.h5 ...        every dataset, attribute, axis and dimension scale
    python check_files.py --follow RUN.h5    reads a run live while it is written, until all windows are done
"""
import argparse
import sys
import time

import h5py
import numpy as np

ROOT = ["created", "generator", "model_name", "model_architecture", "model_sha256", "tokenizer_sha256", "text_name",
        "text_sha256", "device", "dtype", "command"]
LABELS = {"evicted": 0, "kept": 1, "local": 2, "important": 3, "bridge": 4, "sink": 5, "pinned": 6}
POINTS = ["policy", "sparsity", "budget", "windows", "scored_tokens", "nll_sum", "perplexity", "ci_low", "ci_high", "kl",
          "top1_agreement", "kept_mass", "seconds"]
# path: (axes, dtype)
TOKENS = {"tokens/id": ("position", "i4"), "tokens/text": ("position", "S"), "tokens/byte_begin": ("position", "i8"),
          "tokens/byte_end": ("position", "i8")}
ANALYSIS = TOKENS | {"importance/cumulative": ("layer,head,position", "f4"), "attention/lse": ("layer,head,position", "f4"),
                     "tokens/source": ("", "S"), "audit": ("check", "table")}
LOGITS = TOKENS | {"logits/log_prob": ("position,vocabulary", "f4")}
RUN = {"sweep/points": ("point", "table"), "sweep/points_before": ("point", "table"), "sweep/window_nll": ("point,window", "f8"),
       "sweep/keep_hash": ("point,window", "u8"), "sweep/kept_entries": ("point,window", "i8"),
       "sweep/target_hash": ("point,window", "u8"), "sweep/mass_error": ("window", "f8"),
       "sweep/window/done": ("window", "u1"), "sweep/last_key_importance": ("window", "f8"), "audit": ("check", "table")}
# What a sweep stores for its audit; a run made by hand may lack it.
EVIDENCE = {"sweep/selected_hash": ("point,window", "u8"), "sweep/first_kept": ("point,window", "i8"),
            "sweep/budget_entries": ("point,window", "i8"),
            "sweep/tied_rows": ("point,window", "i8"), "sweep/flat_rows": ("point,window", "i8"),
            "sweep/read_hash": ("window", "u8"),
            "sweep/text_read_hash": ("window", "u8"), "sweep/text_target_hash": ("window", "u8"),
            "sweep/window_begin": ("window", "i8"), "sweep/least_importance": ("window", "f8"),
            "sweep/most_of_visible": ("window", "f8"), "sweep/first_token_mass": ("window", "f8"),
            "sweep/largest_hidden": ("window", "f8"), "sweep/window/kl": ("point,window", "f8"),
            "sweep/window/top1": ("point,window", "f8"), "sweep/window/kept_mass": ("point,window", "f8"),
            "sweep/window/seconds": ("point,window", "f8"), "sweep/last_kept": ("point,window", "i8"),
            "sweep/evicted_everywhere": ("point,window", "i8"), "sweep/short_nll": ("window,target", "f4"),
            **{f"sweep/window/{name}": ("point,window", "f8")
               for name in ("delta_p50", "delta_p95", "delta_p99", "kl_p50", "kl_p95", "kl_p99", "over_one_nat", "key_nll",
                            "key_count", "near_nll", "middle_nll", "far_nll")}}
SWEEP = {str: ["protocol", "granularity", "importance", "gqa", "positions", "rounding"],
         np.int64: ["context", "target", "offset", "windows", "shard", "shards", "layers", "kv_heads", "vocabulary",
                    "short_context"],
         np.bool_: ["bos"], np.float64: ["unigram_perplexity", "key_gain", "key_loss", "context_change_before", "context_change_after", "target_change_before",
                                          "target_change_after"]}
KEEP = {str: ["policy", "policy_asked", "granularity", "importance", "gqa", "rounding"], np.uint64: ["seed"],
        np.int64: ["budget", "budget_asked", "window", "context", "offset"], np.bool_: ["bos"],
        np.float64: ["sparsity", "kept_mass"]}
IMPORTANCE = {np.int64: ["layers", "heads", "kv_heads", "context", "offset"], np.bool_: ["bos"],
              np.float64: ["seconds", "largest_hidden", "context_change_before", "context_change_after"]}


def need(condition, sentence):
    if not condition:
        raise SystemExit(sentence)


def text(value):
    return value.decode() if isinstance(value, bytes) else str(value)


def check_attributes(node, wanted):
    for kind, names in wanted.items():
        for name in names:
            need(name in node.attrs, f"{node.name} lacks the attribute {name}")
            value = node.attrs[name]
            good = isinstance(value, (bytes, np.bytes_, str)) if kind is str else isinstance(value, kind)
            need(good, f"{node.name}: attribute {name} is a {type(value).__name__}")


def check_dataset(file, path, axes, dtype):
    need(path in file, f"no dataset {path}")
    data = file[path]
    for name in ("units", "description"):
        need(text(data.attrs.get(name, "")), f"{path} lacks {name}")
    need(text(data.attrs.get("axes", "")) == axes, f"{path} has the axes {data.attrs.get('axes')}, not {axes}")
    names = axes.split(",") if axes else []
    need(data.ndim == len(names), f"{path} has {data.ndim} dimensions")
    for dimension, name in enumerate(names):
        need(f"axes/{name}" in file, f"no scale of {name}")
        scale = file[f"axes/{name}"]
        need(h5py.h5ds.is_scale(scale.id) and scale.shape == (data.shape[dimension],), f"scale {name} does not fit {path}")
        need(len(data.dims[dimension]) == 1 and data.dims[dimension][0] == scale, f"scale {name} is not attached to {path}")
    if dtype == "S":
        need(h5py.check_string_dtype(data.dtype).length and h5py.check_string_dtype(data.dtype).encoding == "utf-8", path)
    elif dtype == "table":
        need(data.dtype.names, f"{path} is no table")
    else:
        need(data.dtype == np.dtype(dtype), f"{path} is {data.dtype}, not {dtype}")


def check_layers(data):
    need(data.shuffle and data.compression == "gzip", f"{data.name} is not compressed")
    need(data.chunks == (1, *data.shape[1:]), f"{data.name}: a layer is not one chunk but {data.chunks}")


def check_tokens(file):
    begins, ends = file["tokens/byte_begin"][:], file["tokens/byte_end"][:]
    need(np.all(begins <= ends) and np.all(ends[:-1] <= begins[1:]), "byte ranges overlap")
    return begins, ends


def check_trace(file):
    if "logits" in file:
        for path, (axes, dtype) in LOGITS.items():
            check_dataset(file, path, axes, dtype)
        sums = np.exp(file["logits/log_prob"][:].astype("f8")).sum(axis=1)
        need(np.allclose(sums, 1, atol=1e-3), "probabilities do not sum to 1")
        return
    for path, (axes, dtype) in ANALYSIS.items():
        check_dataset(file, path, axes, dtype)
    if "importance/windows" in file:  # where a layer slides
        check_dataset(file, "importance/windows", "layer", "i8")
        need(file["importance/windows"][:].min() >= 0 < file["importance/windows"][:].max(), "windows of layers")
    for name in file["importance"]:  # by the last queries, where the trace was made with it
        if name == "last-query" or name.startswith("window:"):
            check_dataset(file, f"importance/{name}", "layer,head,position", "f4")
            check_layers(file[f"importance/{name}"])
    check_attributes(file["importance"], IMPORTANCE)
    check_layers(file["importance/cumulative"])
    check_layers(file["attention/lse"])
    need(file["audit"].dtype.names == ("check", "status", "detail"), "columns of /audit")
    begins, ends = check_tokens(file)
    source = file["tokens/source"]
    raw = source[()].ljust(int(source.attrs["bytes"]), b"\0")
    first = int(source.attrs["byte_begin"])
    for token, begin, end in zip(file["tokens/text"].asstr()[:], begins, ends):
        if end > begin and "\ufffd" not in token:
            need(raw[begin - first:end - first].rstrip(b"\0") == token.encode().rstrip(b"\0"), f"text of bytes {begin} to {end}")
    sizes = [file["importance"].attrs[name] for name in ("layers", "heads", "context")]
    need(list(file["importance/cumulative"].shape) == sizes, "sizes of the importance")
    for n, scores in file["scores"].items():
        check_dataset(file, f"scores/{n}", "layer,kv_head,position", "f4")
        check_layers(scores)
        check_attributes(scores, {str: ["source"]})
        if text(scores.attrs["source"]) == "importance":
            check_attributes(scores, {str: ["importance", "gqa"]})
    need(sorted(file["scores"], key=int) == [str(n) for n in range(len(file["scores"]))], "numbers of scores")
    for n, group in sorted(file["keep"].items()):
        check_dataset(file, f"keep/{n}/label", "layer,kv_head,position", "u1")
        check_attributes(group, KEEP)
        check_layers(group["label"])
        need(h5py.check_enum_dtype(group["label"].dtype) == LABELS, f"labels of {n}")
        need(group["label"][:].max() <= 6, f"label values of {n}")
        kept = (group["label"][:] != 0).sum(axis=2)
        need(("budgets" in group) == (kept.min() != kept.max()), f"budgets of {n} stand where rows differ")
        if "budgets" in group:
            check_dataset(file, f"keep/{n}/budgets", "layer,kv_head", "i8")
            need(np.array_equal(group["budgets"][:], kept), f"budgets of {n} are what its rows keep")
    need(sorted(file["keep"], key=int) == [str(n) for n in range(len(file["keep"]))], "numbers of keep sets")


def check_run(file):
    for path, (axes, dtype) in RUN.items():
        check_dataset(file, path, axes, dtype)
    for path, (axes, dtype) in EVIDENCE.items():
        if path in file:
            check_dataset(file, path, axes, dtype)
    need(set(file["sweep/window/done"][:]) <= {0, 1}, "flags of windows")
    if "files" in file["sweep"]:
        check_dataset(file, "sweep/files", "file", "table")
        need(file["sweep/files"].dtype.names == ("path", "sha256"), "columns of /sweep/files")
        need(all(len(row["sha256"]) == 64 for row in file["sweep/files"][:]), "hashes of /sweep/files")
    if "definition_hash" in file["sweep"]:
        check_dataset(file, "sweep/definition_hash", "point,window", "u8")
    if "token_nll" in file["sweep"]:
        check_dataset(file, "sweep/token_nll", "point,window,target", "f4")
        need(file["sweep/token_nll"].shape[2] == file["sweep"].attrs["target"] - 1, "scored tokens of a window")
    check_attributes(file["sweep"], SWEEP)
    need(list(file["sweep/points"].dtype.names) == POINTS, "columns of /sweep/points")
    need(file["audit"].dtype.names == ("check", "status", "detail") and file["audit"].shape[0] >= 9, "/audit")
    need(file["sweep/window_nll"].shape[1] == file["sweep"].attrs["windows"], "number of windows")
    check_windows(file)


def check_windows(file):
    """The table covers whole windows, and agrees with them; gives how many are done."""
    points = file["sweep/points"][:]
    done = int(points["windows"][0])
    if np.any(points["windows"] != done):  # met half-way through a write
        points = file["sweep/points_before"][:]
        done = int(points["windows"][0])
        need(np.all(points["windows"] == done), "both tables are torn")
    nll = file["sweep/window_nll"][:]
    need(np.isfinite(nll[:, :done]).all(), f"a window below {done} is not there")
    need(np.allclose(nll[:, :done].sum(axis=1), points["nll_sum"]), "nll_sum is not the sum of the windows")
    return done


def check(path):
    with h5py.File(path, "r") as file:
        check_attributes(file, {str: ["keepset_format", "format_version", *ROOT], np.uint64: ["seed"]})
        need(text(file.attrs["format_version"]) == "1.1", "format_version")
        kind = text(file.attrs["keepset_format"])
        {"trace": check_trace, "run": check_run}[kind](file)
        print(f"{path}: a {kind} by the schema")


def follow(path, seconds=60.0):
    """Keeps one handle open in SWMR mode, as a plotting script would, and sees the windows come."""
    end = time.monotonic() + seconds
    counts = []
    while not counts:
        try:
            file = h5py.File(path, "r", swmr=True)
        except OSError:  # opened at the instant the writer rewrites the superblock
            need(time.monotonic() < end, "could not open it")
            time.sleep(0.002)
            continue
        with file:
            windows = int(file["sweep"].attrs["windows"])
            while time.monotonic() < end:
                for name in ("points", "points_before", "window_nll"):
                    file["sweep"][name].refresh()
                counts.append(check_windows(file))
                if counts[-1] == windows:
                    break
                time.sleep(0.01)
    need(counts[-1] == windows, f"only {counts[-1]} of {windows} windows were seen")
    need(all(a <= b for a, b in zip(counts, counts[1:])) and len(set(counts)) > 2, f"windows were seen as {sorted(set(counts))}")
    print(f"{path}: followed live, {len(set(counts))} states seen")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+")
    parser.add_argument("--follow", action="store_true")
    chosen = parser.parse_args()
    for path in chosen.files:
        (follow if chosen.follow else check)(path)


if __name__ == "__main__":
    sys.exit(main())
