"""Hugging Face transformers as the reference for logits, importance and the loss after eviction.

Eviction is done by masking, not by a smaller cache: one pass over context and target in which the target's queries do
not see the evicted keys of their layer and kv head. That is what removing the entries means, reached by another way.

The pass is transformers' own eager attention of the family. Only the softmax over its rows is stepped into, once a
layer: what reaches it has the scaling, windows, soft-capping and biases of the family applied, and the evicted entries
are set to minus infinity there. So one way serves every family, and without anything hidden it is transformers itself.
"""
import contextlib
import sys

import numpy as np
import torch
import transformers
from transformers import AttentionInterface, AttentionMaskInterface, AutoConfig
from transformers.masking_utils import eager_mask

NAME = "keepset_reference"


class Plan:
    """What the attention of the next pass does; one for a model."""

    context = 0
    visible = None  # (layers, kv_heads, context) bool: keys that targets see; None: all
    shift = None  # (layers, kv_heads, context): added to the position of a key that targets see; None: nothing
    lse = None  # a list that gets (heads, tokens) of each layer; None: not wanted
    inverse_frequency = None  # (rotary dimensions / 2)
    layer = None  # the layer whose attention is running; None: between attentions
    calls = 0  # rows of scores seen in this pass


def turn(key, shift, inverse_frequency):
    """Rotates the rotated dimensions of keys (kv_heads, context, head_dim) on by `shift` (kv_heads, context)."""
    angle = shift[..., None].float() * inverse_frequency
    cos, sin = torch.cat([angle.cos()] * 2, -1), torch.cat([angle.sin()] * 2, -1)
    half = len(inverse_frequency)
    part, rest = key[..., :2 * half], key[..., 2 * half:]
    return torch.cat([part * cos + torch.cat([-part[..., half:], part[..., :half]], -1) * sin, rest], -1)


def make_attention(plan):
    """Eager attention of the module's own family, the targets' rows of it with the context's keys turned."""

    def attention(module, query, key, value, attention_mask, **others):
        eager = sys.modules[type(module).__module__].eager_attention_forward
        output, weights = eager(module, query, key, value, attention_mask, **others)
        if not getattr(module, "use_rope", True):  # a layer without rotary embedding has no phase to turn
            return output, weights
        turned, c = key.clone(), plan.context
        turned[0, :, :c] = turn(key[0, :, :c], plan.shift[module.layer_idx], plan.inverse_frequency)
        moved, _ = eager(module, query, turned, value, attention_mask, **others)
        return torch.cat([output[:, :c], moved[:, c:]], dim=1), weights

    return attention


@contextlib.contextmanager
def stepping_into_softmax(plan):
    """Until it is left, rows of scores (1, heads, tokens, tokens) pass by the plan on their way to the softmax."""
    softmax = torch.nn.functional.softmax

    def step(scores, *rest, **others):
        if plan.layer is None or scores.ndim != 4:
            return softmax(scores, *rest, **others)
        plan.calls += 1
        if plan.visible is not None:
            seen = plan.visible[plan.layer].repeat_interleave(scores.shape[1] // plan.visible.shape[1], dim=0)
            scores = scores.clone()
            scores[0, :, plan.context:, :plan.context].masked_fill_(~seen[:, None, :], float("-inf"))
        if plan.lse is not None:
            plan.lse.append(torch.logsumexp(scores[0].float(), dim=-1))
        return softmax(scores, *rest, **others)

    torch.nn.functional.softmax, plan.calls = step, 0
    try:
        yield
    finally:
        torch.nn.functional.softmax = softmax


def count_alibi_once(_, args, others):
    """Falcon's eager attention adds alibi although its mask has it already; its sdpa attention, which is what people run,
    adds the mask alone."""
    if others.get("alibi") is not None:
        others["alibi"] = torch.zeros_like(others["alibi"])
    return args, others


def auto_class_of(config):
    """What opens a folder: a model with parts for pictures is no AutoModelForCausalLM."""
    with_parts = config.get_text_config() is not config
    return transformers.AutoModelForImageTextToText if with_parts else transformers.AutoModelForCausalLM


def kv_heads_of(config):
    if config.model_type == "falcon":
        return 1 if config.multi_query and not config.new_decoder_architecture else config.num_kv_heads
    return getattr(config, "num_key_value_heads", None) or config.num_attention_heads


class Reference:
    """A model folder, in float32 on the CPU where nothing else is asked for."""

    def __init__(self, folder, dtype=torch.float32, device="cpu"):
        self.plan = Plan()
        AttentionInterface.register(NAME, make_attention(self.plan))
        AttentionMaskInterface.register(NAME, eager_mask)
        auto = auto_class_of(AutoConfig.from_pretrained(str(folder)))
        self.model = auto.from_pretrained(str(folder), dtype=dtype, attn_implementation="eager")
        self.model.to(device).eval()
        self.device = device
        config = self.model.config.get_text_config()
        self.layers, self.heads, self.kv_heads = (
            config.num_hidden_layers, config.num_attention_heads, kv_heads_of(config))
        self.rotaries = [m for m in self.model.modules() if hasattr(m, "original_max_seq_len")]
        # Scalings by which a key depends on how many tokens there are, not only on its position.
        self.follows_length = any(r.rope_type in ["dynamic", "longrope"] for r in self.rotaries)
        for module in self.model.modules():
            if type(module).__name__.endswith("Attention"):
                module.register_forward_pre_hook(self.enter)
                module.register_forward_pre_hook(count_alibi_once, with_kwargs=True)
                module.register_forward_hook(self.leave)

    def enter(self, module, _):
        self.plan.layer = module.layer_idx

    def leave(self, *_):
        self.plan.layer = None

    def forward(self, ids, attention="eager", **others):
        """transformers' output, from a model that has forgotten how long the texts before were (dynamic scaling)."""
        self.model.set_attn_implementation(attention)
        for rotary in self.rotaries:
            if hasattr(rotary, "max_seq_len_cached"):
                rotary.max_seq_len_cached = rotary.original_max_seq_len
            if hasattr(rotary, "original_inv_freq"):
                rotary.register_buffer("inv_freq", rotary.original_inv_freq.clone(), persistent=False)
        return self.model(torch.tensor([ids], device=self.device), use_cache=False, **others)

    @torch.no_grad()
    def logits(self, ids):
        """Log-probabilities (tokens, vocabulary) float32 by transformers' own eager attention."""
        return torch.log_softmax(self.forward(ids).logits[0].float(), dim=-1).cpu().numpy()

    @torch.no_grad()
    def importance(self, ids, context=None):
        """Column sums (layers, heads, context) float32 of transformers' own output_attentions, summed in float64.

        The pass is over all ids, because scalings of the rotary embedding may depend on their number; rows and columns
        of the first `context` count, or all of them.
        """
        attentions = self.forward(ids, output_attentions=True).attentions
        return np.stack([a[0, :, :context, :context].double().sum(dim=1).float().cpu().numpy() for a in attentions])

    @torch.no_grad()
    def attention(self, ids, context):
        """P (layers, heads, context, context) float64 of the first `context` tokens."""
        attentions = self.forward(ids, output_attentions=True).attentions
        return np.stack([a[0, :, :context, :context].double().cpu().numpy() for a in attentions])

    @torch.no_grad()
    def row_lse(self, ids):
        """Log-sum-exp (layers, heads, tokens) of every row of scores."""
        self.plan.visible, self.plan.lse = None, []
        with stepping_into_softmax(self.plan):
            self.forward(ids)
        rows, self.plan.lse = self.plan.lse, None
        return torch.stack(rows).cpu().numpy()

    @torch.no_grad()
    def evicted(self, ids, context, kept, repacked=False):
        """Log-probabilities (target - 1, vocabulary) of the scored tokens. kept (layers, kv_heads, context) bool."""
        kept = torch.from_numpy(kept).to(self.device)
        self.plan.context, self.plan.visible = context, kept
        others = {}
        if repacked:
            positions = torch.arange(len(ids), device=self.device)
            budget = int(kept[0, 0].sum())
            assert bool((kept.sum(dim=-1) == budget).all()), "every row keeps equally many keys"
            self.plan.shift = (kept.long().cumsum(-1) - 1 - positions[:context]) * kept
            self.plan.inverse_frequency = self.rotaries[0].inv_freq.float()
            positions[context:] += budget - context
            # The mask says that this is one text, for all that its positions jump.
            others = {"attention": NAME, "position_ids": positions[None], "attention_mask": torch.ones(1, len(ids), device=self.device)}
        with stepping_into_softmax(self.plan):
            logits = self.forward(ids, **others).logits[0]
        assert self.layers <= self.plan.calls <= self.layers * (1 + repacked), "every layer's rows have passed by"
        self.plan.visible = None
        return torch.log_softmax(logits[context:-1].float(), dim=-1).cpu().numpy()

    def dropped(self, ids, context, kept_positions):
        """The same for the token-drop protocol: a shorter text of the kept ids, then the targets."""
        short = [ids[j] for j in kept_positions] + list(ids[context:])
        return self.logits(short)[len(kept_positions):-1]


def scored_losses(log_prob, ids, context):
    """NLL (target - 1) of the tokens after the first target."""
    targets = np.asarray(ids[context + 1:])
    return -log_prob[np.arange(len(targets)), targets]


def divergence(dense, method):
    """KL(dense || method) averaged over rows, in float64."""
    p, q = dense.astype(np.float64), method.astype(np.float64)
    return float((np.exp(p) * (p - q)).sum(axis=-1).mean())


def agreement(dense, method):
    return float((dense.argmax(-1) == method.argmax(-1)).mean())
