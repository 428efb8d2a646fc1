#!/usr/bin/env python3
"""Makes a model folder of the shape of Llama-2-7B from random numbers, for `keepset-cli bench load`.

usage: python make_large.py FOLDER [--layers 32]        (13.5 GB with 32 layers; needs Python alone)

Weights are bfloat16 in one safetensors file: 16 MB of random bytes over and over, all finite. The tokenizer is the bundled
model's, whose ids are below the vocabulary of 32000.
"""
import argparse
import json
import os
import pathlib
import shutil
import struct

DEMO = pathlib.Path(__file__).resolve().parents[2] / "resources" / "demo" / "model"
HIDDEN, WIDE, VOCABULARY = 4096, 11008, 32000


def shapes(layers):
    yield "model.embed_tokens.weight", (VOCABULARY, HIDDEN)
    for layer in range(layers):
        name = f"model.layers.{layer}."
        for part in "qkvo":
            yield f"{name}self_attn.{part}_proj.weight", (HIDDEN, HIDDEN)
        yield name + "mlp.gate_proj.weight", (WIDE, HIDDEN)
        yield name + "mlp.up_proj.weight", (WIDE, HIDDEN)
        yield name + "mlp.down_proj.weight", (HIDDEN, WIDE)
        yield name + "input_layernorm.weight", (HIDDEN,)
        yield name + "post_attention_layernorm.weight", (HIDDEN,)
    yield "model.norm.weight", (HIDDEN,)
    yield "lm_head.weight", (VOCABULARY, HIDDEN)


def random_block():
    """bfloat16 numbers below 2 in size: the high byte's exponent is kept under 128."""
    block = bytearray(os.urandom(1 << 24))
    block[1::2] = bytes(byte & 0xBF for byte in block[1::2])
    return bytes(block)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--layers", type=int, default=32)
    chosen = parser.parse_args()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    header, end = {}, 0
    for name, shape in shapes(chosen.layers):
        size = 2 * shape[0] * (shape[1] if len(shape) > 1 else 1)
        header[name] = {"dtype": "BF16", "shape": list(shape), "data_offsets": [end, end + size]}
        end += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    block = random_block()
    with open(chosen.folder / "model.safetensors", "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for _ in range(end // len(block)):
            file.write(block)
        file.write(block[:end % len(block)])
    config = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu", "hidden_size": HIDDEN,
              "intermediate_size": WIDE, "num_hidden_layers": chosen.layers, "num_attention_heads": 32, "vocab_size": VOCABULARY,
              "max_position_embeddings": 4096, "rms_norm_eps": 1e-5, "tie_word_embeddings": False, "torch_dtype": "bfloat16"}
    (chosen.folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    shutil.copy(DEMO / "tokenizer.json", chosen.folder)
    print(f"{chosen.folder}: {end / 1e9:.1f} GB of weights")


if __name__ == "__main__":
    main()
