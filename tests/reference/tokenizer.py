#!/usr/bin/env python3
"""Make the golden files of the tokenizer tests with Hugging Face's `tokenizers` library.

usage: pip install tokenizers==0.23.3; python tests/reference/tokenizer.py
Trains small byte-level BPE vocabularies on the bundled public-domain text and a few lines of other scripts, and writes
tests/reference/golden/tokenizer/{words,few}.json (tokenizer.json files) and golden.json: for every tokenizer and text the
number of ids and a hash of them and, where the library's character offsets tell it, of the byte ranges (widened to whole
characters).
"""
import copy
import json
import pathlib
import random
import sys
import unicodedata

import tokenizers
from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers

SEED = 20261122
ROOT = pathlib.Path(__file__).resolve().parents[2]
OUT = ROOT / "tests/reference/golden/tokenizer"
DEMO = "resources/demo/model/tokenizer.json"
LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
          r"|\s+(?!\S)|\s+")
QWEN2 = LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")
SCRIPTS = """Grüße aus Köln, où l'été naïve coûte 3 €. Ελληνικά κείμενα. Быстрая бурая лиса перепрыгнула.
人人生而自由,在尊严和权利上一律平等。すべての人間は、生まれながらにして自由であり。 모든 인간은 태어날 때부터 자유로우며
يولد جميع الناس أحراراً متساوين في الكرامة والحقوق. כל בני האדם נולדו בני חורין ושווים בערכם. มนุษย์ทั้งหลายเกิดมามีอิสระ
सभी मनुष्यों को गौरव और अधिकारों के मामले में 👍🏽 👩‍👩‍👧‍👦 🇩🇪🇯🇵 I'm, you're, we've, they'll, he'd, it's, can't
"""

TEXTS = [
    "", " ", "  ", "\n", "\r\n", "\t", "\x00", "a", "A B", " leading", "trailing ", "two  spaces", "many      spaces   here",
    "line\nline\r\nline\rline\n\n\nend\n", "tab\tand\t\ttabs", "\n\n  \n x", "   \n", "x   \n\n   y", "\u2028\u2029", "a\u2028b\u2029 c",
    "\u00a0nbsp\u00a0", "\u3000全角\u3000空白", "\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f",
    "\u200bzero\u200cwidth\u200djoin\ufeffbom", "\ufeffBOM in front", "\x85nel\x85", "\x0b\x0c\x1c\x1d\x1e\x1f", "\x01\x02\x7f\x80\x9f",
    "nul\x00inside\x00\x00", "I'm you're we've they'll he'd it's can't", "I'M YOU'RE WE'VE THEY'LL HE'D IT'S CAN'T",
    "'s's'S 'tis ''ll '", "'ſ 'ſt x'ſ", "it’s ‘quoted’ can’t", "don't'you''d", "l'été d'où", "'", "''", "'S'Re'vE'lL'M'D",
    "e\u0301 \u00e9 E\u0301cole", "a\u0323\u0301 a\u0301\u0323 \u1ea1\u0301", "\u0301 alone", "n\u0303\u0303\u0303", "\u212b \u00c5 A\u030a", "\ufb01 \ufb06 \u2460 \u00bd \u2126",
    "\uac00\u11a8 \u1100\u1161\u11a8 각", "\u1112\u1161\u11ab\u1100\u1173\u11af", "한글과 조합형", "が か\u3099 ガ カ\u3099 ｶﾞ", "\u0958 \u0915\u093c", "\uf900 \u8c48 \ufa0c \U0002f800",
    "z\u0335\u0321\u0327\u0322\u0328\u0334a\u0315\u0300l\u0361\u035e\u0360g", "q\u0307\u0323 q\u0323\u0307", "\u0344 \u0308\u0301", "\u1e9b\u0323", "\u03d3 \u03d4 \u1fb7",
    "👍 👍🏽 👩‍👩‍👧‍👦 🏳️‍🌈 🇩🇪🇯🇵🇺 1️⃣ ❤️ ☺︎", "👩👩👩👩", "a👍b 👍c", "🫠🫡🥹", "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    "人人生而自由", "日本語のテキスト、句読点。「引用」", "中文English混排123数字", "𠀀𠀁 𪜀", "㐀㐁", "ㄅㄆㄇ", "々〆〇",
    "مرحبا بالعالم", "السَّلامُ عَلَيْكُم", "שָׁלוֹם עוֹלָם", "\u202bRTL\u202c\u200f", "ภาษาไทยไม่มีเว้นวรรค", "นั้น ๑๒๓", "नमस्ते दुनिया", "क्षत्रिय श्री ज्ञ", "தமிழ் ௧௨",
    "ພາສາລາວ", "မြန်မာဘာသာ", "ខ្មែរ", "བོད་ཡིག", "አማርኛ", "ქართული ᲥᲐᲠᲗᲣᲚᲘ", "ᏣᎳᎩ", "ᠮᠣᠩᠭᠣᠯ", "Ⴀⴀ", "𐌰𐌱𐌲", "𓀀𓀁", "Ω≈ç√∫˜µ≤≥÷",
    "0123456789", "1 22 333 4444 55555", "3.14159 -2e10 1,000,000", "٠١٢٣٤٥٦٧٨٩", "०१२३४५६७८९", "１２３４", "½⅓¾", "ⅠⅡⅢⅣ ⅷ", "①②③ ⓪ ⑴", "x²+y³=z⁴", "一二三", "𝟎𝟏𝟐", "𐄇𐄈", "㉈㊿",
    "1a2b3c", "abc123def456", "v1.2.3-rc4", "a_b-c.d/e\\f", "!!!???...", "#$%&()*+,-./:;<=>?@[]^_`{|}~", "\"quoted\"", "...\n...\r\n", "--\n\n--", "  !  ?",
    "http://example.org/path?q=1&r=2#frag", "user@example.com", "def f(x):\n    return x ** 2\n", "{\"a\": [1, 2, {\"b\": null}]}", "<div class=\"x\">&nbsp;</div>",
    "a" * 300, " " * 300, "\n" * 100, "ab" * 200, "é" * 100, "🙂" * 60, "\u0301" * 100, "9" * 100, "!" * 100, "e\u0323\u0301" * 40, "\u0301\u0323" * 60,
    "\u200d" * 20, "\U000e0001" * 10, "a " * 50, " \n" * 30, "Hello, world!", "The quick brown fox jumps over the lazy dog.", "ANTIDISESTABLISHMENTARIANISM",
    "ǅ ǈ ǋ", "ß ẞ ŉ", "İ ı i̇", "ʰʱʲ ˈa", "ª º", "\u2060\u2061\u00ad soft\u00adhyphen", "\ue000 \uf8ff \U000f0000 \U0010fffd", "\ufffd\ufffe\uffff", "\ufdd0 \U0001fffe", "\U0010ffff",
    "<|endoftext|>", "a<|endoftext|>b", " <|endoftext|> ", "<|endoftext|><|endoftext|>", "<|endoftext", "<|endoftext|>\n\nText", "<|begin|>x<|end|>",
    "<mask>", "a <mask> b", "a  \n<mask>\t\t b", "<mask><mask>", " <left>x <left> <left>", "x<right>  y <right>\n<right>", "word", "a word here", "words wordword word-word _word word.", "wordé éword word",
    "<long>", "<long><longer>", "<longer>", "<lon<long>", "caf\u00e9!", "cafe\u0301! <cafe\u0301>", "<caf\u00e9>", "x<caf\u00e9>y<cafe\u0301>z", "<no\ufb01>", "<nofi>",
]


def split(pattern, behavior="isolated", invert=False):
    return pre_tokenizers.Split(pattern, behavior, invert)


def sequence(*steps):
    return pre_tokenizers.Sequence(list(steps))


def byte_level(regex=False, prefix=False):
    return pre_tokenizers.ByteLevel(add_prefix_space=prefix, use_regex=regex)


def train(vocabulary, alphabet, pre_tokenizer):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizer
    trainer = trainers.BpeTrainer(vocab_size=vocabulary, initial_alphabet=alphabet, show_progress=False,
                                  special_tokens=["<|endoftext|>"])
    text = (ROOT / "resources/demo/demo.txt").read_text(encoding="utf-8")
    tokenizer.train_from_iterator([text[:60000]] + [SCRIPTS] * 8, trainer)
    return tokenizer


def added(content, identity, **flags):
    entry = {"id": identity, "content": content, "single_word": False, "lstrip": False, "rstrip": False,
             "normalized": False, "special": False}
    return {**entry, **flags}


def as_json(part):
    """How a normalizer or pre-tokenizer stands in tokenizer.json."""
    carrier = Tokenizer(models.BPE())
    if isinstance(part, normalizers.Normalizer):
        carrier.normalizer = part
        return json.loads(carrier.to_str())["normalizer"]
    carrier.pre_tokenizer = part
    return json.loads(carrier.to_str())["pre_tokenizer"]


def template(front, behind):
    piece = lambda token: {"SpecialToken": {"id": token, "type_id": 0}}
    single = [piece(t) for t in front] + [{"Sequence": {"id": "A", "type_id": 0}}] + [piece(t) for t in behind]
    return {"type": "TemplateProcessing", "single": single, "pair": single + [{"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {"<|endoftext|>": {"id": "<|endoftext|>", "ids": [0], "tokens": ["<|endoftext|>"]}}}


def variants(base_size):
    """Name → (base file, parts of it that are replaced). A dotted name is a field of the model."""
    marks = [added("<|endoftext|>", 0, special=True)]
    marks += [added(content, base_size + i, **flags) for i, (content, flags) in enumerate([
        ("<mask>", {"lstrip": True, "special": True}), ("<left>", {"lstrip": True, "normalized": True}),
        ("<right>", {"rstrip": True}), ("word", {"single_word": True, "normalized": True}), ("<long>", {}),
        ("<longer>", {}), ("<caf\u00e9>", {"normalized": True}), ("<no\ufb01>", {})])]
    llama = as_json(sequence(split(Regex(LLAMA3)), byte_level()))
    return {
        "gpt2": ("words", {"pre_tokenizer": as_json(byte_level(True)), "post_processor": {
            "type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True}}),
        "llama3": ("words", {"pre_tokenizer": llama, "model.ignore_merges": True,
                             "post_processor": {"type": "Sequence", "processors": [template(["<|endoftext|>"], [])]}}),
        "qwen2": ("words", {"pre_tokenizer": as_json(sequence(split(Regex(QWEN2)), byte_level())),
                            "normalizer": {"type": "NFC"}, "added_tokens": marks}),
        "smollm2": ("words", {"pre_tokenizer": as_json(sequence(
            pre_tokenizers.Digits(individual_digits=True), byte_level(True)))}),
        "prefix": ("words", {"pre_tokenizer": as_json(sequence(pre_tokenizers.Digits(False), byte_level(True, True))),
                             "added_tokens": marks, "post_processor": template(["<|endoftext|>"], ["<|endoftext|>"])}),
        "prefix whole": ("words", {"pre_tokenizer": as_json(sequence(split("e"), byte_level(False, True)))}),
        "nfd": ("words", {"normalizer": {"type": "NFD"}, "added_tokens": marks}),
        "nfkc": ("words", {"normalizer": {"type": "NFKC"}, "added_tokens": marks}),
        "nfkd then nfc": ("words", {"normalizer": {"type": "Sequence", "normalizers": [{"type": "NFKD"}, {"type": "NFC"}]}}),
        "removed": ("words", {"pre_tokenizer": as_json(sequence(split(Regex(r"\s+"), "removed"), byte_level()))}),
        "previous": ("words", {"pre_tokenizer": as_json(sequence(split(" ", "merged_with_previous"), byte_level()))}),
        "next": ("words", {"pre_tokenizer": as_json(sequence(split(Regex("[e. ]"), "merged_with_next"), byte_level()))}),
        "contiguous": ("words", {"pre_tokenizer": as_json(sequence(split(Regex("[aeiou]"), "contiguous"), byte_level()))}),
        "inverted": ("words", {"pre_tokenizer": as_json(sequence(split(Regex(r"\p{L}+"), "removed", True), byte_level()))}),
        "inverted next": ("words", {"pre_tokenizer": as_json(sequence(
            split(Regex(r"[a-m]"), "merged_with_next", True), byte_level()))}),
        "lines": ("words", {"pre_tokenizer": as_json(sequence(split(Regex(r"^.*$")), byte_level()))}),
        "few": ("few", {}),
        "unknown": ("few", {"model.unk_token": "e"}),
        "unknown fused": ("few", {"model.unk_token": "e", "model.fuse_unk": True}),
        "demo": (None, {}),
    }


def replaced(base, parts):
    result = copy.deepcopy(base)
    for name, value in parts.items():
        if name.startswith("model."):
            result["model"][name[6:]] = value
        else:
            result[name] = value
    return result


def random_texts(generator, count):
    """Characters of every assigned block, and neighbours that combine; Python's tables are older than any in use."""
    assigned = [c for c in range(0x110000) if unicodedata.category(chr(c)) not in ("Cn", "Cs", "Co")]
    marks = [c for c in assigned if unicodedata.combining(chr(c))]
    decomposable = [c for c in assigned if unicodedata.decomposition(chr(c)) and not 0xAC00 <= c < 0xD7A4]
    pools = [assigned, range(1, 0x7F), range(0x80, 0x250), marks, [9, 10, 13, 32, 0x85, 0xA0, 0x2028, 0x3000],
             range(0x1F300, 0x1F650), decomposable, [ord(c) for c in "aeioust' "], range(0x1100, 0x1200), range(0xAC00, 0xAD00)]
    texts = []
    for _ in range(count):
        pool = generator.sample(pools, 3)
        texts.append("".join(chr(generator.choice(generator.choice(pool))) for _ in range(generator.randint(1, 24))))
    return [t for t in texts if all(unicodedata.category(c) not in ("Cn", "Cs") for c in t)]


def long_text():
    """1 MB without a space, made by a linear congruential generator that the test repeats."""
    state, letters = 1, []
    for _ in range(1_000_000):
        state = (state * 1103515245 + 12345) % 2**31
        letters.append("etaoinshrdlucmfwypvbgkqjxz"[(state >> 16) % 26])
    return "".join(letters)


def fnv(numbers):
    """FNV-1a, 64 bits, over the numbers as 32-bit little-endian; the first 10 hex digits, to keep the file small."""
    value = 0xCBF29CE484222325
    for number in numbers:
        for byte in int(number).to_bytes(4, "little"):
            value = (value ^ byte) * 0x100000001B3 % 2**64
    return f"{value:016x}"[:10]


def same_normal_form(tokenizer, text):
    """The library's normalisation tables are older than Unicode 14; texts it normalises otherwise than Python are left out."""
    step = tokenizer.normalizer
    if step is None:
        return True
    forms = [n["type"] for n in json.loads(tokenizer.to_str())["normalizer"].get("normalizers", [])]
    expected = text
    for form in forms or [json.loads(tokenizer.to_str())["normalizer"]["type"]]:
        expected = unicodedata.normalize(form, expected)
    return step.normalize_str(text) == expected


def case(tokenizer, plain, index, text, with_ranges):
    ids = tokenizer.encode(text).ids
    offsets = plain.encode(text, add_special_tokens=False).offsets
    result = [index, len(ids), fnv(ids)]
    if with_ranges and (plain.normalizer is None or plain.normalizer.normalize_str(text) == text):
        size = [0]
        for character in text:
            size.append(size[-1] + len(character.encode("utf-8")))
        result.append(fnv(size[edge] for pair in offsets for edge in pair))
    return result


def main():
    generator = random.Random(SEED)
    OUT.mkdir(parents=True, exist_ok=True)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    words = json.loads(train(900, alphabet, sequence(split(Regex(LLAMA3)), byte_level())).to_str())
    few = json.loads(train(300, [], byte_level(True)).to_str())
    few["model"]["merges"] = [" ".join(pair) for pair in few["model"]["merges"]]  # the older spelling
    bases = {"words": words, "few": few}
    for name, base in bases.items():
        (OUT / f"{name}.json").write_text(json.dumps(base, ensure_ascii=False) + "\n", encoding="utf-8")
    bases[None] = json.loads((ROOT / DEMO).read_text(encoding="utf-8"))
    texts = TEXTS + random_texts(generator, 420)
    golden = {"made_by": f"tests/reference/tokenizer.py, tokenizers {tokenizers.__version__}, seed {SEED}", "texts": texts,
              "tokenizers": []}
    skipped = 0
    for name, (base, parts) in variants(len(words["model"]["vocab"])).items():
        content = replaced(bases[base], parts)
        tokenizer = Tokenizer.from_str(json.dumps(content))
        plain = Tokenizer.from_str(json.dumps(replaced(content, {"post_processor": None})))
        if any(p["type"] == "TemplateProcessing" and p["single"][-1] != {"Sequence": {"id": "A", "type_id": 0}}
               for p in [content.get("post_processor") or {"type": ""}]):
            tokenizer = Tokenizer.from_str(json.dumps(replaced(content, {"post_processor": template(["<|endoftext|>"], [])})))
        every = name in ("gpt2", "llama3", "qwen2", "smollm2", "demo")
        ranged = not name.startswith(("prefix", "few", "unknown"))
        usable = [i for i, text in enumerate(texts) if same_normal_form(tokenizer, text)]
        skipped += len(texts) - len(usable)
        chosen = usable if every else [i for i in usable if i < len(TEXTS) or i % 5 == 0]
        cases = [case(tokenizer, plain, i, texts[i], ranged) for i in chosen]
        entry = {"name": name, "file": DEMO if base is None else f"tests/reference/golden/tokenizer/{base}.json",
                 "replace": parts, "size": tokenizer.get_vocab_size(), "cases": cases}
        if every:
            long_ids = tokenizer.encode(long_text()).ids
            entry["long"] = {"count": len(long_ids), "ids": fnv(long_ids)}
        golden["tokenizers"].append(entry)
    lines = json.dumps(golden, ensure_ascii=True, separators=(",", ":"))
    (OUT / "golden.json").write_text(lines.replace('{"name"', '\n{"name"') + "\n")
    print(f"seed {SEED}, {len(texts)} texts, {skipped} left out where the library's normalisation tables are old, "
          f"{len(lines)} bytes", file=sys.stderr)


if __name__ == "__main__":
    main()
