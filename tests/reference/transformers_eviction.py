"""Hugging Face transformers as the reference for logits, importance and the loss after eviction.

Eviction is done by masking, not by a smaller cache: one pass over context and target in which the target's queries do
not see the evicted keys of their layer and kv head. That is what removing the entries means, reached by another way.
"""
import numpy as np
import torch
from transformers import AttentionInterface, AutoModelForCausalLM

NAME = "keepset_reference"


class Plan:
    """What the attention of the next pass does; one for a model."""

    context = 0
    visible = None  # (layers, kv_heads, context) bool: keys that targets see; None: all
    shift = None  # (layers, kv_heads, context): added to the position of a key that targets see; None: nothing
    lse = None  # a list that gets (heads, tokens) of each layer; None: not wanted
    inverse_frequency = None  # (head_dim / 2)


def turn(key, shift, inverse_frequency):
    """Rotates rotated keys (heads, context, head_dim) on by `shift` (heads, context) positions."""
    angle = shift[..., None].float() * inverse_frequency
    cos, sin = torch.cat([angle.cos()] * 2, -1), torch.cat([angle.sin()] * 2, -1)
    half = key.shape[-1] // 2
    return key * cos + torch.cat([-key[..., half:], key[..., :half]], -1) * sin


def make_attention(plan):
    def attention(module, query, key, value, attention_mask, scaling, dropout=0.0, **others):
        groups, tokens, layer = module.num_key_value_groups, query.shape[2], module.layer_idx
        key, value = key.repeat_interleave(groups, dim=1), value.repeat_interleave(groups, dim=1)
        scores = query @ key.transpose(2, 3) * scaling
        c = plan.context
        if plan.shift is not None:
            turned = turn(key[0, :, :c], plan.shift[layer].repeat_interleave(groups, dim=0), plan.inverse_frequency)
            scores[0, :, c:, :c] = query[0, :, c:] @ turned.transpose(1, 2) * scaling
        allowed = torch.ones(tokens, tokens, dtype=torch.bool).tril().repeat(query.shape[1], 1, 1)
        if plan.visible is not None:
            allowed[:, c:, :c] &= plan.visible[layer].repeat_interleave(groups, dim=0)[:, None, :]
        scores = scores.masked_fill(~allowed, float("-inf"))
        if plan.lse is not None:
            plan.lse.append(torch.logsumexp(scores[0], dim=-1))
        weights = torch.softmax(scores, dim=-1, dtype=torch.float32)
        return (weights @ value).transpose(1, 2).contiguous(), weights

    return attention


class Reference:
    """A model folder in float32 on the CPU."""

    def __init__(self, folder):
        self.plan = Plan()
        AttentionInterface.register(NAME, make_attention(self.plan))
        self.model = AutoModelForCausalLM.from_pretrained(str(folder), dtype=torch.float32, attn_implementation="eager")
        self.model.eval()
        config = self.model.config
        self.layers, self.heads, self.kv_heads = (
            config.num_hidden_layers, config.num_attention_heads, config.num_key_value_heads)
        self.plan.inverse_frequency = self.model.model.rotary_emb.inv_freq.float()

    @torch.no_grad()
    def logits(self, ids):
        """Log-probabilities (tokens, vocabulary) float32 by transformers' own eager attention."""
        self.model.set_attn_implementation("eager")
        return torch.log_softmax(self.model(torch.tensor([ids])).logits[0].float(), dim=-1).numpy()

    @torch.no_grad()
    def importance(self, ids):
        """Column sums (layers, heads, tokens) float32 of transformers' own output_attentions, summed in float64."""
        self.model.set_attn_implementation("eager")
        attentions = self.model(torch.tensor([ids]), output_attentions=True, logits_to_keep=1).attentions
        return np.stack([a[0].double().sum(dim=1).float().numpy() for a in attentions])

    @torch.no_grad()
    def row_lse(self, ids):
        """Log-sum-exp (layers, heads, tokens) of every row of scores."""
        self.plan.visible, self.plan.shift, self.plan.lse = None, None, []
        self.model.set_attn_implementation(NAME)
        self.model(torch.tensor([ids]), logits_to_keep=1)
        rows, self.plan.lse = self.plan.lse, None
        return torch.stack(rows).numpy()

    @torch.no_grad()
    def evicted(self, ids, context, kept, repacked=False):
        """Log-probabilities (target - 1, vocabulary) of the scored tokens. kept (layers, kv_heads, context) bool."""
        kept = torch.from_numpy(kept)
        positions = torch.arange(len(ids))
        self.plan.context, self.plan.visible, self.plan.shift = context, kept, None
        if repacked:
            budget = int(kept[0, 0].sum())
            assert bool((kept.sum(dim=-1) == budget).all()), "every row keeps equally many keys"
            self.plan.shift = (kept.long().cumsum(-1) - 1 - positions[:context]) * kept
            positions[context:] += budget - context
        self.model.set_attn_implementation(NAME)
        logits = self.model(torch.tensor([ids]), position_ids=positions[None]).logits[0]
        return torch.log_softmax(logits[context:-1].float(), dim=-1).numpy()

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
