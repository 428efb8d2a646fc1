"""Makes files that lie from a good trace and a good run: python make_nasty_files.py TRACE.h5 RUN.h5 FOLDER

Each is well-formed HDF5 with one thing wrong, named by the file: what follows the first dash is what a refusal must say.
"""
import pathlib
import shutil
import sys

import h5py
import numpy as np


def replace(file, path, **made):
    attributes = dict(file[path].attrs)
    del file[path]
    data = file.create_dataset(path, **made)
    for name in ("units", "description", "axes", "bytes", "byte_begin"):
        if name in attributes:
            data.attrs[name] = attributes[name]


def absurd(path, shape, dtype):
    """Terabytes by its header, nothing in the file."""
    chunks = (1,) * (len(shape) - 1) + (min(shape[-1], 4096),)
    return lambda file: replace(file, path, shape=shape, dtype=dtype, chunks=chunks)


def attribute(group, name, value):
    return lambda file: file[group].attrs.__setitem__(name, value)


def delete(path):
    return lambda file: file.__delitem__(path)


def absurd_context(file):
    for name in ("layers", "heads", "context"):
        file["importance"].attrs[name] = np.int64(1 << 20)
    absurd("importance/cumulative", (1 << 20,) * 3, "f4")(file)


def labels_beyond(file):
    values = file["keep/0/label"]
    values[...] = np.full(values.shape, 77, "u1")


def budgets_off(file):
    file["keep/0/budgets"][1, 1] += 1


def ranges_beyond(file):
    file["tokens/byte_end"][-1] = 1 << 40


def torn_twice(file):
    for name in ("points", "points_before"):
        rows = file["sweep"][name][:]
        rows["windows"][0] = 99
        file["sweep"][name][:] = rows


TRACE = {
    "major-version 2.0": attribute("/", "format_version", "2.0"),
    "kind-unknown kind": attribute("/", "keepset_format", "novel"),
    "foreign-not one that Keepset wrote": lambda file: file.attrs.__delitem__("keepset_format"),
    "seed-attribute seed": attribute("/", "seed", "seven"),
    "absurd-is not all there": absurd_context,
    "shape-dimensions": lambda file: replace(file, "attention/lse", data=np.zeros((3, 4), "f4")),
    "type-another type": lambda file: replace(file, "tokens/id", data=np.zeros(file["tokens/id"].shape, "f8")),
    "group-no dataset": lambda file: replace(file, "tokens/id", data=0) or delete("tokens/id")(file),
    "missing-no group": delete("keep"),
    "zero-impossible": attribute("importance", "kv_heads", np.int64(0)),
    "negative-impossible": attribute("importance", "layers", np.int64(-3)),
    "granularity-granularity": attribute("keep/0", "granularity", "galaxy"),
    "labels-no labels": labels_beyond,
    "ranges-reach out": ranges_beyond,
    "budgets-contradicts the labels": budgets_off,
    "source-length": attribute("tokens/source", "bytes", np.int64(1 << 50)),
    "vlen-fixed length": lambda file: replace(file, "tokens/text", data=["x"] * file["tokens/id"].shape[0],
                                              dtype=h5py.string_dtype()),
}
RUN = {
    "windows-dimensions": attribute("sweep", "windows", np.int64(1 << 61)),
    "absurd-is not all there": absurd("sweep/window_nll", (5, 6), "f8"),
    "torn-contradict": torn_twice,
    "missing-no dataset": delete("sweep/keep_hash"),
    "column-no column": lambda file: replace(file, "sweep/points", data=np.zeros(5, [("policy", "S9"), ("sparsity", "f8")])),
    "audit-audit": lambda file: replace(file, "audit", data=np.array([(b"a", b"maybe", b"")] * 9, file["audit"].dtype)),
    "protocol-protocol": attribute("sweep", "protocol", np.int64(3)),
    "files-no column": lambda file: replace(file, "sweep/files", data=np.zeros(2, [("path", "S9")])),
    "empty-empty": lambda file: replace(file, "sweep/points", data=file["sweep/points"][:0]),
}


def main():
    trace, run, folder = map(pathlib.Path, sys.argv[1:])
    for good, lies in ((trace, TRACE), (run, RUN)):
        for name, lie in lies.items():
            target = folder / f"{good.stem}.{name}"
            shutil.copy(good, target)
            with h5py.File(target, "r+") as file:
                lie(file)


if __name__ == "__main__":
    main()
