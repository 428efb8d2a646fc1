"""Eviction policies by SEMANTICS 2 to 4, written apart from the C++ code so that the two can be compared.

Everything is computed in float64. Besides the labels, every choice reports how clear it was: the smallest relative
gap between the last score taken and the first one left. The golden files are made only where all gaps are clear, so
that no float tie decides between two right answers.
"""
import re

import numpy as np

EVICTED, KEPT, LOCAL, IMPORTANT, BRIDGE, SINK = range(6)
EPSILON = 1e-9
MASK = (1 << 64) - 1


def share(ratio, whole):
    return int(np.floor(ratio * whole + EPSILON))


def budget_of(sparsity, context, rounding="floor"):
    if rounding == "kvpress":
        return max(1, int(context * (1 - sparsity)))
    return max(1, share(1 - sparsity, context))


def parse(policy):
    """'h2o(local=0.3)' -> ('h2o', {'local': '0.3'})"""
    name, inner = re.fullmatch(r"([a-z0-9-]+)(?:\((.*)\))?", policy).groups()
    return name, dict(part.split("=") for part in inner.split(",")) if inner else {}


class Choice:
    """Labels of one row, filled component by component; remembers the narrowest gap at a cut."""

    def __init__(self, context):
        self.labels = np.zeros(context, dtype=np.uint8)
        self.gap = np.inf

    def free(self):
        return np.flatnonzero(self.labels == EVICTED)

    def most_recent(self, count, label):
        free = self.free()
        self.labels[free[len(free) - count:]] = label

    def lowest(self, cost, count, label, scale, exact=False):
        """Takes `count` free positions of lowest cost; equal ones by position. `scale`: what a gap is relative to;
        `exact`: equal costs are equal in every arithmetic."""
        free = self.free()
        order = free[np.argsort(cost[free], kind="stable")]
        if 0 < count < len(order) and not (cost[order[count]] == cost[order[count - 1]] and exact):
            self.gap = min(self.gap, (cost[order[count]] - cost[order[count - 1]]) / scale(order[count]))
        self.labels[order[:count]] = label

    def highest(self, score, count, label):
        self.lowest(-score, count, label, lambda position: abs(score[position]))


def local_count(ratio, k):
    return min(k, max(1 if ratio > 0 else 0, share(ratio, k)))


def mix(value):
    """SplitMix64: the increment, then the finaliser, of a 64-bit number."""
    value = (value + 0x9E3779B97F4A7C15) & MASK
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & MASK
    return value ^ (value >> 31)


def random_hash(coordinates, context):
    """(seed, window, layer, kv head) of a row -> a number for each of its positions; -1: shared by all."""
    row = mix(coordinates[0])
    for part in coordinates[1:]:
        row = mix(row ^ (part & MASK))
    return [mix(row ^ position) for position in range(context)]


def flow(attention, important):
    """What every token passes on between important ones. attention (context, context): rows of P."""
    context = len(attention)
    earlier = np.tri(context, k=-1)  # [i, j] = 1 where j < i
    read = (attention * earlier)[important].sum(axis=0)  # by later important tokens
    reads = (attention * earlier)[:, important].sum(axis=1)  # of earlier ones
    return read * reads


def curvature(attention):
    """Mean augmented Forman-Ricci curvature of every token's edges, 0 where it has none, and by how much of the uniform
    share the closest pair is an edge or none."""
    context = len(attention)
    excess = attention * (np.arange(context)[:, None] + 1) - 1
    pairs = np.tri(context, k=-1, dtype=bool)
    edges = (excess > 0) & pairs
    edges = (edges | edges.T).astype(np.int64)
    degree = edges.sum(axis=0)
    on_edge = (4 - degree[:, None] - degree[None, :] + 3 * (edges @ edges)) * edges
    mean = np.where(degree > 0, on_edge.sum(axis=1) / np.maximum(degree, 1), 0.0)
    return mean, np.abs(excess[pairs]).min(initial=np.inf)


def choose(policy, scores, k, coordinates, attention=None):
    """Labels (context) uint8 of one row, and the narrowest gap. scores (context) float64; attention: what gives P of the
    row (context, context) float64, where a policy goes by it."""
    name, parameters = parse(policy)
    choice = Choice(len(scores))
    if name == "dense":
        choice.labels[:] = KEPT
    elif name == "h2o":
        local = local_count(float(parameters.get("local", 0.2)), k)
        choice.most_recent(local, LOCAL)
        choice.highest(scores, k - local, IMPORTANT)
    elif name == "cab":
        local = local_count(float(parameters.get("local", 0.3)), k)
        bridges = min(share(float(parameters.get("bridge_ratio", 0.2)), k), k - local)
        choice.most_recent(local, LOCAL)
        choice.highest(scores, k - local - bridges, IMPORTANT)
        rest = np.sort(scores[choice.free()])
        criterion = parameters.get("bridge", "median")
        if bridges and criterion == "flow":
            passed_on = flow(attention(), choice.labels == IMPORTANT)
            choice.lowest(-passed_on, bridges, BRIDGE, lambda at: abs(passed_on[at]) or 1e-300, exact=True)  # zeros
        elif bridges and criterion == "curvature":
            curved, clear = curvature(attention())
            choice.gap = min(choice.gap, clear / 3)  # edges have a margin of 1e-5 themselves
            choice.lowest(curved, bridges, BRIDGE, lambda _: 1.0, exact=True)
        elif bridges:
            median = rest[(len(rest) - 1) // 2]
            choice.lowest(np.abs(scores - median), bridges, BRIDGE, lambda position: median)
    elif name == "streaming-llm":
        choice.labels[:min(4, k)] = SINK
        choice.most_recent(k - min(4, k), LOCAL)
    elif name == "recent":
        choice.most_recent(k, LOCAL)
    elif name == "random":
        hashes = random_hash(coordinates, len(scores))
        for position in sorted(range(len(scores)), key=lambda j: -hashes[j])[:k]:
            choice.labels[position] = KEPT
    else:
        raise ValueError(f"no reference for the policy {policy}")
    assert (choice.labels != EVICTED).sum() == (len(scores) if name == "dense" else k)
    return choice.labels, choice.gap


def last_queries(mode):
    """How many of the last queries a mode of importance sums over; 0: all."""
    return 1 if mode == "last-query" else int(mode.removeprefix("window:")) if mode.startswith("window:") else 0


def row_scores(importance, kv_heads, mode, gqa, attention=None):
    """Scores of every kv head. importance (layers, heads, context), cumulative -> (layers, kv_heads, context) float64.
    attention (layers, heads, context, context): P, which tells how many queries see a key (None: all from the key on)
    and what the last of them give."""
    layers, heads, context = importance.shape
    scores = importance.astype(np.float64)
    if last_queries(mode):
        scores = attention[:, :, -last_queries(mode):].sum(axis=2)
    if mode == "mean-received":
        readers = context - np.arange(context) if attention is None else (attention > 0).sum(axis=2)
        scores = scores / readers
    grouped = scores.reshape(layers, kv_heads, heads // kv_heads, context)
    return {"mean": grouped.mean, "max": grouped.max, "sum": grouped.sum}[gqa](axis=2)


def keep_labels(policy, scores, k, run, window, attention=None):
    """Labels (layers, kv_heads, context) of a policy by the run's granularity, and the narrowest gap of all rows.
    attention (layers, heads, context, context): P, for policies that go by it."""
    layers, kv_heads, context = scores.shape
    labels = np.zeros(scores.shape, dtype=np.uint8)
    gap = np.inf
    rows = {
        "head": [((l, g), scores[l, g], (l, g)) for l in range(layers) for g in range(kv_heads)],
        "layer": [((l, slice(None)), scores[l].mean(axis=0), (l, -1)) for l in range(layers)],
        "model": [((slice(None), slice(None)), scores.mean(axis=(0, 1)), (-1, -1))],
    }[run["granularity"]]
    for where, row, (layer, kv_head) in rows:
        def shared(layer=layer, kv_head=kv_head):
            """P of the row: the mean over the layers and query heads that share it."""
            group = attention.shape[1] // kv_heads
            of_layers = attention if layer < 0 else attention[layer:layer + 1]
            heads = slice(None) if kv_head < 0 else slice(kv_head * group, (kv_head + 1) * group)
            return of_layers[:, heads].mean(axis=(0, 1))

        labels[where], row_gap = choose(policy, row, k, (run["seed"], window, layer, kv_head), shared)
        gap = min(gap, row_gap)
    return labels, gap


def kept_mass(importance, labels):
    """Mean over layers and query heads of the share of attention mass on kept keys."""
    layers, heads, context = importance.shape
    kept = np.repeat(labels != EVICTED, heads // labels.shape[1], axis=1)
    return float((importance.astype(np.float64) * kept).sum(axis=2).mean() / context)
