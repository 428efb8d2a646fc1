#!/usr/bin/env python3
"""Make the golden file of the tokens that a tokenizer adds to a text with Hugging Face transformers.

usage: pip install transformers==5.23.0; python tests/reference/specials.py
Writes tests/reference/golden/tokenizer/specials.json: tiny tokenizers, each with what tokenizer_config.json says about a
BOS, a text, and the ids that AutoTokenizer gives it. transformers 5 goes by the post-processor of tokenizer.json whatever
tokenizer_config.json says; transformers 4 went by add_bos_token for the classes of Llama, Gemma and Cohere.
"""
import json
import os
import pathlib
import tempfile

os.environ["TRANSFORMERS_VERBOSITY"] = "error"
import tokenizers
import transformers

ROOT = pathlib.Path(__file__).resolve().parents[2]
OUT = ROOT / "tests/reference/golden/tokenizer/specials.json"
VOCABULARY = {"<unk>": 0, "a": 1, "b": 2, "c": 3, "ab": 4, "bc": 5, "abc": 6, "\u2581": 7, "\u2581a": 8, "\u2581ab": 9}
FRONT, BEHIND = "<s>", "</s>"


def added(identity, content):
    return {"id": identity, "content": content, "single_word": False, "lstrip": False, "rstrip": False,
            "normalized": False, "special": True}


def template(front, behind):
    special = lambda token: {"SpecialToken": {"id": token, "type_id": 0}}
    single = [special(t) for t in front] + [{"Sequence": {"id": "A", "type_id": 0}}] + [special(t) for t in behind]
    tokens = {t: {"id": t, "ids": [10 if t == FRONT else 11], "tokens": [t]} for t in (FRONT, BEHIND)}
    return {"type": "TemplateProcessing", "single": single, "pair": single + [{"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": tokens}


def tokenizer(post_processor):
    return {"version": "1.0", "truncation": None, "padding": None,
            "added_tokens": [added(10, FRONT), added(11, BEHIND)], "normalizer": None,
            "pre_tokenizer": {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "first", "split": False},
            "post_processor": post_processor, "decoder": None,
            "model": {"type": "BPE", "dropout": None, "unk_token": "<unk>", "continuing_subword_prefix": None,
                      "end_of_word_suffix": None, "fuse_unk": True, "byte_fallback": False, "vocab": VOCABULARY,
                      "merges": ["a b"]}}


POST_PROCESSORS = {
    "none": None,
    "pass": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
    "front": template([FRONT], []),
    "behind": template([], [BEHIND]),
    "both": template([FRONT], [BEHIND]),
    "two": template([FRONT], [BEHIND, BEHIND]),
    "roberta": {"type": "RobertaProcessing", "sep": [BEHIND, 11], "cls": [FRONT, 10], "trim_offsets": True,
                "add_prefix_space": False},
    "sequence": {"type": "Sequence", "processors": [template([], [BEHIND]), template([FRONT], [BEHIND])]},
}
CONFIGS = [{}, {"add_bos_token": True}, {"add_bos_token": False}, {"add_eos_token": True}]
CLASSES = ["LlamaTokenizerFast", "LlamaTokenizer", "PreTrainedTokenizerFast"]
TEXTS = ["ab", "<s>ab", "ab</s>", "", "<s><s>", "a<s>b"]


def ids_of(folder, text):
    return transformers.AutoTokenizer.from_pretrained(folder)(text)["input_ids"]


def main():
    cases = []
    with tempfile.TemporaryDirectory() as place:
        folder = pathlib.Path(place)
        (folder / "config.json").write_text(json.dumps({"model_type": "llama"}))
        for name, post_processor in POST_PROCESSORS.items():
            (folder / "tokenizer.json").write_text(json.dumps(tokenizer(post_processor)))
            for kind in CLASSES:
                for asked in CONFIGS:
                    config = {"bos_token": FRONT, "eos_token": BEHIND, "unk_token": "<unk>", "tokenizer_class": kind} | asked
                    (folder / "tokenizer_config.json").write_text(json.dumps(config))
                    for text in TEXTS if not asked else TEXTS[:1]:
                        cases.append({"post_processor": name, "config": config, "text": text, "ids": ids_of(folder, text)})
    demo = tokenizers.Tokenizer.from_file(str(ROOT / "resources/demo/model/tokenizer.json"))
    texts = ["<|endoftext|>Hi", "\ufeffHello", "Hello\r\nworld\r\n", "\ufeff", "\r\n", "a\r\n\r\nb"]
    result = {"transformers": transformers.__version__, "tokenizers": tokenizers.__version__,
              "tokenizers_json": {name: tokenizer(post) for name, post in POST_PROCESSORS.items()}, "cases": cases,
              "demo": [{"text": text, "ids": demo.encode(text).ids} for text in texts]}
    OUT.write_text(json.dumps(result, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
