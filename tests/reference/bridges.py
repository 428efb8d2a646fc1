"""Flow and curvature by SEMANTICS 4, written apart from the C++ code, on attention made from a formula.

    python bridges.py OUT.json

Queries and keys are small multiples of 1/8, which float32 holds exactly, so that the test makes the same ones. Layer 1
sees a window of 20 positions. All is computed in float64; no pair of tokens lies so close to the threshold of an edge
that rounding could decide.
"""
import json
import sys

import numpy as np

LAYERS, HEADS, KV_HEADS, HEAD_DIM, CONTEXT = 2, 4, 2, 8, 48
WINDOWS = [0, 20]
SCALE = 0.5
EDGE_MARGIN = 1e-5
IMPORTANT = [3, 9, 10, 22, 31, 40]


def values(seed, rows):
    """(rows, context, head_dim): ((7919·a + 104729·b + 1299709·c + seed) mod 17 - 8) / 8 with a, b², c from 0."""
    a, b, c = np.meshgrid(np.arange(rows), np.arange(CONTEXT), np.arange(HEAD_DIM), indexing="ij")
    return ((7919 * a + 104729 * b * b + 1299709 * c * (b + 1) + seed) % 17 - 8) / 8


def attention(layer):
    """P (heads, context, context) of a layer."""
    q = values(5 + layer, HEADS)
    k = np.repeat(values(11 + layer, KV_HEADS), HEADS // KV_HEADS, axis=0)
    scores = SCALE * q @ k.transpose(0, 2, 1)
    i, j = np.indices((CONTEXT, CONTEXT))
    seen = (j <= i) & ((WINDOWS[layer] == 0) | (i - j < WINDOWS[layer]))
    scores = np.where(seen, scores, -np.inf)
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True)


def flow(p):
    marked = np.zeros(CONTEXT)
    marked[IMPORTANT] = 1
    earlier = np.tril(p, -1)
    return (marked @ earlier) * (earlier @ marked)


def curvature(p):
    share = p * np.arange(1, CONTEXT + 1)[:, None]
    below = np.tril(np.ones((CONTEXT, CONTEXT), bool), -1)
    assert np.abs(share[below] - (1 + EDGE_MARGIN)).min() > 2e-6
    edge = (share > 1 + EDGE_MARGIN) & below
    edge = edge | edge.T
    degree = edge.sum(axis=1)
    found = []
    for u in range(CONTEXT):
        forman = [4 - degree[u] - degree[v] + 3 * (edge[u] & edge[v]).sum() for v in np.flatnonzero(edge[u])]
        found.append(float(np.mean(forman)) if forman else 0.0)
    return found


def main():
    layers = [attention(layer) for layer in range(LAYERS)]
    group = HEADS // KV_HEADS
    rows = []
    for layer, kv_head in [(0, 0), (0, 1), (1, 1), (0, -1), (1, -1), (-1, -1)]:
        heads = np.concatenate(layers) if layer < 0 else layers[layer]
        if kv_head >= 0:
            heads = heads[kv_head * group:(kv_head + 1) * group]
        p = heads.mean(axis=0)
        rows.append({"layer": layer, "kv_head": kv_head, "flow": [float(x) for x in flow(p)], "curvature": curvature(p)})
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        json.dump({"important": IMPORTANT, "rows": rows}, file)
        file.write("\n")


if __name__ == "__main__":
    main()
