#!/usr/bin/env python3
"""Make the golden files of the tests of all kinds of tokenizers with Hugging Face's `tokenizers` library.

usage: pip install tokenizers==0.23.3 sentencepiece==0.2.3 protobuf; python tests/reference/tokenizer_kinds.py
Trains small vocabularies (BPE over characters with and without byte fallback, Unigram, WordLevel) on the bundled
public-domain text and a few lines of other scripts, takes the charsmap nmt_nfkc out of a sentencepiece model, and writes
tests/reference/golden/tokenizer/: {characters,affixes,unigram,wordlevel}.json (tokenizer.json files), nmt_nfkc.z (for
qUncompress) and kinds.json: for every kind and every batch of texts a hash of the ids and one of the byte ranges. The
texts are those of golden.json and GENERATED more, which the test makes by the same generator. Ranges are compared where
the library's character offsets tell the bytes: see edges_of.
"""
import base64
import io
import json
import pathlib
import sys
import unicodedata
import zlib

import sentencepiece
import tokenizers
from sentencepiece import sentencepiece_model_pb2
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers

from tokenizer import LLAMA3, OUT, QWEN2, ROOT, SCRIPTS, TEXTS, added, as_json, byte_level, long_text, replaced
from tokenizer import sequence, split

GENERATED = 2000
BATCH = 25
CHARSMAP = "nmt_nfkc"  # stands in kinds.json for the charsmap's base64
# Ranges of characters (first, last) that the generated texts mix; every library's tables know them all alike.
POOLS = [
    [(0x20, 0x7E)], [(0x61, 0x7A)], [(0x61, 0x65), (0x20, 0x20)], [(0x20, 0x20)],
    [(0x09, 0x0D), (0x20, 0x20), (0x85, 0x85), (0xA0, 0xA0), (0x1680, 0x1680), (0x2000, 0x200A), (0x2028, 0x2029),
     (0x202F, 0x202F), (0x205F, 0x205F), (0x3000, 0x3000)],
    [(0x01, 0x1F), (0x7F, 0x9F)], [(0xC0, 0xFF)], [(0x100, 0x17F)], [(0x300, 0x344)], [(0x391, 0x3A1), (0x3A3, 0x3C9)],
    [(0x410, 0x44F)], [(0x5D0, 0x5EA)], [(0x621, 0x64A), (0x64B, 0x652)], [(0x905, 0x939), (0x93E, 0x94D)],
    [(0xE01, 0xE3A), (0xE40, 0xE4E)], [(0x1100, 0x1112), (0x1161, 0x1175), (0x11A8, 0x11C2)], [(0xAC00, 0xAC40)],
    [(0x3041, 0x3096), (0x30A1, 0x30FA)], [(0x4E00, 0x4E80)], [(0x20000, 0x20020)], [(0x1F600, 0x1F640), (0x1F3FB, 0x1F3FF)],
    [(0x1F1E6, 0x1F1FF)], [(0x200B, 0x200F), (0xFE0F, 0xFE0F), (0x20E3, 0x20E3)], [(0x1F468, 0x1F469), (0x200D, 0x200D)],
    [(0x30, 0x39)], [(0x660, 0x669), (0xB2, 0xB3), (0xBC, 0xBE), (0x2160, 0x216B)], [(0x21, 0x2F), (0x3A, 0x40)],
    [(0x2010, 0x2027), (0x3001, 0x3003)], [(0xFF01, 0xFF5E)], [(0xFB00, 0xFB06)], [(0x1D400, 0x1D419)], [(0x2581, 0x2581)],
    [(0x2460, 0x2473), (0x2122, 0x2122), (0x2126, 0x2126), (0x212A, 0x212B)], [(0x10300, 0x1031E)], [(0x0D, 0x0D), (0x0A, 0x0A)],
]
PIECES = ["<s>", "</s>", "<unk>", "<mask>", "word", "'s", "'LL", "  ", "``", "''", "<0x0A>", "\u2581", "e\u0301", "\r\n", "the "]


class Generator:
    """A linear congruential generator, as the test has it too."""

    def __init__(self, seed):
        self.state = seed

    def below(self, count):
        self.state = (self.state * 1103515245 + 12345) % 2**31
        return (self.state >> 12) % count


def generated_texts():
    texts = []
    for seed in range(1, GENERATED + 1):
        draw = Generator(seed)
        draw.below(1)
        pools = [POOLS[draw.below(len(POOLS))] for _ in range(3)]
        text = ""
        for _ in range(1 + draw.below(30)):
            if draw.below(12) == 0:
                text += PIECES[draw.below(len(PIECES))]
                continue
            pool = pools[draw.below(3)]
            first, last = pool[draw.below(len(pool))]
            text += chr(first + draw.below(last - first + 1))
        texts.append(text)
    return texts


def metaspace(scheme="always", split_words=True):
    return pre_tokenizers.Metaspace("\u2581", scheme, split_words)


def charsmap():
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(["a small text"] * 20), model_writer=model, vocab_size=20,
                                             hard_vocab_limit=False, normalization_rule_name=CHARSMAP, minloglevel=2)
    proto = sentencepiece_model_pb2.ModelProto()
    proto.ParseFromString(model.getvalue())
    return proto.normalizer_spec.precompiled_charsmap


def lines():
    text = (ROOT / "resources/demo/demo.txt").read_text(encoding="utf-8")
    return [text[:6000]] + SCRIPTS.splitlines() * 6


def train(model, trainer, pre_tokenizer):
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.train_from_iterator(lines(), trainer)
    return json.loads(tokenizer.to_str())


def bases():
    """Small vocabularies. Byte-fallback tokens stand in the vocabulary only, as in Llama 2's file."""
    special = ["<unk>", "<s>", "</s>"]
    fallback = [f"<0x{byte:02X}>" for byte in range(256)]
    characters = train(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True),
                       trainers.BpeTrainer(vocab_size=800, special_tokens=special + fallback, limit_alphabet=110,
                                           show_progress=False), metaspace())
    affixes = train(models.BPE(unk_token="<unk>", continuing_subword_prefix="##", end_of_word_suffix="</w>"),
                    trainers.BpeTrainer(vocab_size=500, special_tokens=special, limit_alphabet=90, show_progress=False,
                                        continuing_subword_prefix="##", end_of_word_suffix="</w>"),
                    pre_tokenizers.Whitespace())
    unigram = train(models.Unigram(), trainers.UnigramTrainer(vocab_size=500, special_tokens=special, unk_token="<unk>",
                                                              show_progress=False), metaspace())
    wordlevel = train(models.WordLevel(unk_token="<unk>"),
                      trainers.WordLevelTrainer(vocab_size=400, special_tokens=special, show_progress=False),
                      pre_tokenizers.Whitespace())
    for base in (characters, affixes, unigram, wordlevel):
        base["added_tokens"] = [token for token in base["added_tokens"] if token["content"] in special]
    tokens = unigram["model"]["vocab"]
    unigram["model"]["vocab"] = [[token, round(score, 4)] for token, score in tokens]
    return {"characters": characters, "affixes": affixes, "unigram": unigram, "wordlevel": wordlevel,
            "words": json.loads((OUT / "words.json").read_text(encoding="utf-8")),
            "few": json.loads((OUT / "few.json").read_text(encoding="utf-8"))}


def rows(*steps):
    """A sequence of normalizers as JSON."""
    return {"type": "Sequence", "normalizers": [step if isinstance(step, dict) else as_json(step) for step in steps]}


def with_bytes(unigram):
    """The vocabulary with byte-fallback tokens, which score less than any other."""
    return unigram["model"]["vocab"] + [[f"<0x{byte:02X}>", -30.0] for byte in range(256)]


def extra(size, **changes):
    marks = [added("<unk>", 0, special=True), added("<s>", 1, special=True), added("</s>", 2, special=True)]
    marks += [added("<mask>", size, lstrip=True), added("word", size + 1, single_word=True, normalized=True),
              added("'LL", size + 2, rstrip=True, normalized=True)]
    return [{**mark, **changes} if mark["id"] >= size else mark for mark in marks]


def kinds(base):
    """Name → (base, parts of it that are replaced)."""
    sizes = {name: len(file["model"]["vocab"]) for name, file in base.items()}
    precompiled = {"type": "Precompiled", "precompiled_charsmap": CHARSMAP}
    legacy = rows(normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581"))
    spaces = normalizers.Replace(Regex(" {2,}"), "\u2581")
    lacking = {token: i for token, i in base["characters"]["model"]["vocab"].items() if token != "<0xCC>"}
    lacking["<none>"] = base["characters"]["model"]["vocab"]["<0xCC>"]
    words = [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Punctuation(), pre_tokenizers.Digits(True)]
    return {
        "llama2": ("characters", {"pre_tokenizer": as_json(metaspace("first", False))}),
        "llama2 legacy": ("characters", {"pre_tokenizer": None, "normalizer": legacy, "added_tokens": [
            {**mark, "normalized": mark["content"] != "<unk>"} for mark in base["characters"]["added_tokens"]]}),
        "mistral": ("characters", {"pre_tokenizer": as_json(metaspace("first", True)), "added_tokens": extra(sizes["characters"])}),
        "metaspace never": ("characters", {"pre_tokenizer": as_json(metaspace("never", True)), "model.ignore_merges": True}),
        "gemma": ("characters", {"pre_tokenizer": as_json(split(" ", "merged_with_previous")), "added_tokens": extra(sizes["characters"]),
                                 "normalizer": as_json(normalizers.Replace(" ", "\u2581"))}),
        "unknown": ("characters", {"model.byte_fallback": False, "model.fuse_unk": False}),
        "unknown fused": ("characters", {"model.byte_fallback": False, "pre_tokenizer": as_json(metaspace("always", False))}),
        "byte lacking": ("characters", {"model.vocab": lacking}),
        "byte lacking, no fusing": ("characters", {"model.vocab": lacking, "model.fuse_unk": False, "pre_tokenizer": None}),
        "affixes": ("affixes", {}),
        "affixes, punctuation": ("affixes", {"pre_tokenizer": as_json(sequence(*words)), "model.fuse_unk": True, "normalizer": rows(
            normalizers.NFD(), normalizers.StripAccents(), normalizers.Lowercase())}),
        "t5": ("unigram", {"normalizer": precompiled, "added_tokens": extra(sizes["unigram"])}),
        "t5 converted": ("unigram", {"normalizer": rows(precompiled, normalizers.Strip(left=False, right=True), spaces),
                                     "pre_tokenizer": as_json(metaspace("first"))}),
        "xlnet": ("unigram", {"pre_tokenizer": as_json(sequence(pre_tokenizers.WhitespaceSplit(), metaspace())), "normalizer": rows(
            normalizers.Replace("``", "\""), normalizers.Replace("''", "\""), normalizers.NFKD(), normalizers.StripAccents(),
            normalizers.Lowercase(), precompiled)}),
        "unigram": ("unigram", {"added_tokens": extra(sizes["unigram"])}),
        "unigram whole": ("unigram", {"pre_tokenizer": None, "normalizer": rows(normalizers.Nmt(), normalizers.NFKC())}),
        "unigram of ties": ("unigram", {"model.vocab": [[token, -len(token)] for token, _ in base["unigram"]["model"]["vocab"]]}),
        "unigram of few": ("unigram", {"model.vocab": [
            ["<unk>", 0], ["<s>", 0], ["</s>", 0], ["\u2581", -1], ["a", -1], ["b", -1], ["d", -1], ["ab", 7], ["bc", -20],
            ["ba", 12], ["ac", -20], ["de", 8.5], ["ea", -19]]}),
        "unigram bytes": ("unigram", {"model.vocab": with_bytes(base["unigram"]), "model.byte_fallback": True,
                                      "pre_tokenizer": as_json(metaspace("first", False))}),
        "wordlevel": ("wordlevel", {"added_tokens": extra(sizes["wordlevel"], normalized=True)}),
        "wordlevel split": ("wordlevel", {"pre_tokenizer": as_json(sequence(*words)),
                                          "normalizer": rows(normalizers.Lowercase(), normalizers.Strip())}),
        "wordlevel contiguous": ("wordlevel", {"pre_tokenizer": as_json(sequence(
            pre_tokenizers.Punctuation("contiguous"), pre_tokenizers.Whitespace(), pre_tokenizers.Digits(False)))}),
        "wordlevel merged": ("wordlevel", {"pre_tokenizer": as_json(sequence(
            pre_tokenizers.Punctuation("merged_with_previous"), pre_tokenizers.WhitespaceSplit())),
            "normalizer": as_json(normalizers.Strip(left=True, right=False))}),
        "bytes then digits": ("words", {"pre_tokenizer": as_json(sequence(byte_level(True), pre_tokenizers.Digits(True)))}),
        "bytes then split": ("words", {"pre_tokenizer": as_json(sequence(byte_level(), split(Regex("\u0120|e"), "merged_with_next")))}),
        "bytes, a space in front": ("words", {"pre_tokenizer": as_json(byte_level(True, True))}),
        "letters normalizer": ("words", {"normalizer": as_json(normalizers.ByteLevel()), "pre_tokenizer": None}),
        "letters of a few": ("few", {"normalizer": as_json(normalizers.ByteLevel()), "pre_tokenizer": None, "model.unk_token": "e"}),
        "words of bytes": ("wordlevel", {"pre_tokenizer": as_json(byte_level(True))}),
        "llama3": ("words", {"pre_tokenizer": as_json(sequence(split(Regex(LLAMA3)), byte_level())), "model.ignore_merges": True}),
        "qwen2": ("words", {"pre_tokenizer": as_json(sequence(split(Regex(QWEN2)), byte_level())), "normalizer": {"type": "NFC"}}),
        "gpt2": ("words", {"pre_tokenizer": as_json(byte_level(True))}),
    }


def whole(content, charsmap_base64):
    """The parts with the charsmap itself in place of its name."""
    return json.loads(json.dumps(content).replace(f'"precompiled_charsmap": "{CHARSMAP}"',
                                                  f'"precompiled_charsmap": "{charsmap_base64}"'))


def steps_of(normalizer):
    if normalizer is None:
        return []
    step = json.loads(normalizer.__getstate__())
    return step.get("normalizers", [step])


def singles(normalizer, text):
    """What every character of a text becomes, where each becomes at most one, by itself; else None."""
    if normalizer is None:
        return list(text)
    kinds_of_steps = {step["type"] for step in steps_of(normalizer)}
    if "ByteLevel" in kinds_of_steps or ("Strip" in kinds_of_steps and text != text.strip()):
        return None
    apart = "".join(unicodedata.normalize("NFKD", c) for c in text)
    if depends_on_tables(normalizer) and unicodedata.normalize("NFKD", text) != apart:
        return None  # marks change places
    front = "\u2581" if "Prepend" in kinds_of_steps else ""
    pieces = [c if c == " " else normalizer.normalize_str(c).removeprefix(front) for c in text]
    changed = normalizer.normalize_str(text).removeprefix(front)
    simple = all(len(piece) <= 1 for piece in pieces) and "".join(pieces).replace(" ", "\u2581") == changed.replace(" ", "\u2581")
    # The library's Precompiled moves the ranges behind what it leaves out in front of a section.
    left_out = "Precompiled" in kinds_of_steps and ("" in pieces or "\r\n" in text)
    return pieces if simple and not left_out else None


def edges_of(tokenizer, text):
    """Byte ranges, widened to whole characters, that the library's offsets tell; None where they do not.

    The library gives a character that is put in front the range of the character behind it (here: no bytes), and to each
    byte-fallback token of a stretch the whole stretch (here: the character its byte is part of)."""
    pieces = singles(tokenizer.normalizer, text)
    if pieces is None or "``" in text or "''" in text or "  " in text or "\u2581" in text:
        return None
    encoding = tokenizer.encode(text, add_special_tokens=False)
    size = [0]
    for character in text:
        size.append(size[-1] + len(character.encode("utf-8")))
    edges, at = [], 0
    tokens, offsets = encoding.tokens, encoding.offsets
    while at < len(tokens):
        first, last = offsets[at]
        run = at
        while run < len(tokens) and offsets[run] == (first, last) and tokens[run].startswith("<0x") and len(tokens[run]) == 6:
            run += 1
        owners = [i for i in range(first, last) for _ in range(size[i + 1] - size[i])]
        if run - at > 1 and run - at == len(owners):
            edges += [edge for i in owners for edge in (size[i], size[i + 1])]
            at = run
            continue
        twice = at + 1 < len(tokens) and offsets[at + 1][0] == first and tokens[at + 1].startswith("\u2581")
        in_front = tokens[at] in ("\u2581", "\u0120") and ("".join(pieces[first:last]) not in (" ", "\u2581") or twice)
        edges += [size[first], size[first] if in_front else size[last]]
        at += 1
    return edges


def depends_on_tables(normalizer):
    """The library's tables are older than Python's and than the characters of golden.json's random texts: what becomes of
    a character cannot be told from Python's."""
    return any(step["type"] in ("NFC", "NFD", "NFKC", "NFKD", "StripAccents") for step in steps_of(normalizer))


def fnv(numbers, value=0xCBF29CE484222325):
    for number in numbers:
        for byte in int(number).to_bytes(4, "little"):
            value = (value ^ byte) * 0x100000001B3 % 2**64
    return f"{value:016x}"[:10]


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    table = charsmap()
    (OUT / f"{CHARSMAP}.z").write_bytes(len(table).to_bytes(4, "big") + zlib.compress(table, 9))
    base = bases()
    for name in ("characters", "affixes", "unigram", "wordlevel"):
        text = json.dumps(base[name], ensure_ascii=False, separators=(",", ":"))
        (OUT / f"{name}.json").write_text(text + "\n", encoding="utf-8")
    texts = json.loads((OUT / "golden.json").read_text(encoding="utf-8"))["texts"]
    stored = len(texts)
    texts += generated_texts()
    demo = (ROOT / "resources/demo/demo.txt").read_text(encoding="utf-8")
    golden = {"made_by": f"tests/reference/tokenizer_kinds.py, tokenizers {tokenizers.__version__}", "batch": BATCH,
              "generated": GENERATED, "pools": POOLS, "pieces": PIECES, "kinds": []}
    for name, (file, parts) in kinds(base).items():
        content = whole(replaced(base[file], parts), base64.b64encode(table).decode())
        tokenizer = Tokenizer.from_str(json.dumps({**content, "post_processor": None}))
        newer = range(len(TEXTS), stored) if depends_on_tables(tokenizer.normalizer) else []
        edges = [None if i in newer else edges_of(tokenizer, text) for i, text in enumerate(texts)]
        ids, ranges = [], []
        for begin in range(0, len(texts), BATCH):
            batch = [tokenizer.encode(text, add_special_tokens=False).ids for text in texts[begin:begin + BATCH]]
            ids.append(fnv(number for one in batch for number in [len(one), *one]))
            ranges.append(fnv(edge for one in edges[begin:begin + BATCH] if one is not None for edge in one))
        told = "".join("0" if one is None else "1" for one in edges)
        told += "0" * (-len(told) % 4)
        long_ids = tokenizer.encode(long_text()[:100000], add_special_tokens=False).ids
        demo_ids = tokenizer.encode(demo, add_special_tokens=False).ids
        golden["kinds"].append({"name": name, "file": file, "replace": parts, "size": tokenizer.get_vocab_size(), "ids": "".join(ids),
                                "ranges": "".join(ranges), "told": "".join(f"{int(told[i:i + 4], 2):x}" for i in range(0, len(told), 4)),
                                "long": fnv([len(long_ids), *long_ids]), "demo": fnv([len(demo_ids), *demo_ids])})
        print(f"{name}: ranges of {sum(one is not None for one in edges)} of {len(texts)} texts", file=sys.stderr)
    text = json.dumps(golden, ensure_ascii=True, separators=(",", ":"))
    (OUT / "kinds.json").write_text(text.replace('{"name"', '\n{"name"') + "\n")
    print(f"{len(texts)} texts, {len(text)} bytes", file=sys.stderr)


if __name__ == "__main__":
    main()
