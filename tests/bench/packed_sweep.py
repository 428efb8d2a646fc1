#!/usr/bin/env python3
"""The yardstick of a sweep on a GPU, in turns with keepset-cli: how fast plain torch can be that keeps everything there.

usage: python packed_sweep.py [--cli build/release/bin/keepset-cli] [--shapes smollm2-135m,qwen2-0.5b,llama-3.2-1b] [--turns 3]
needs: torch and triton with a CUDA device

A window: the context is read once with its importance (column sums by a Triton kernel), 20 points keep what H2O and a CAB without
bridges would, all that they kept is packed into one variable-length attention call a layer, and losses and divergences of all
points are read from their logits. Small operations are compiled (torch.compile), and a window, or four, is one CUDA graph. bfloat16,
random weights, context 2048 (SmolLM2: 1024), target 256. At s = 0 its losses are checked against one plain causal pass.

Prints windows a second of the better of one and four at a time, those of `keepset-cli bench sweep --shape`, and the ratio. The two
take turns; neither runs beside the other.
"""
import argparse
import json
import statistics
import subprocess
import time

import torch
import torch.nn.functional as F
import triton
import triton.language as tl

# layers, hidden, intermediate, heads, kv heads, head_dim, vocabulary, context
SHAPES = {"smollm2-135m": (30, 576, 1536, 9, 3, 64, 49152, 1024), "qwen2-0.5b": (24, 896, 4864, 14, 2, 64, 151936, 2048),
          "llama-3.2-1b": (16, 2048, 8192, 32, 8, 64, 128256, 2048)}
TARGET = 256
ROWS = TARGET - 1  # scored
EPS = 1e-6
OPTIONS = dict(device="cuda", dtype=torch.bfloat16)


@triton.jit
def column_sums_kernel(q, k, lse, sums, scale, tokens, group: tl.constexpr, dim: tl.constexpr, step: tl.constexpr, keys: tl.constexpr):
    """One program has `keys` keys of a head and walks over the queries that see them. scale is in powers of two."""
    head = tl.program_id(0) // (tokens // keys)
    first = tl.program_id(0) % (tokens // keys) * keys
    own, dims = first + tl.arange(0, keys), tl.arange(0, dim)
    key = tl.load(k + head // group * tokens * dim + own[:, None] * dim + dims[None, :])
    total = tl.zeros([keys], dtype=tl.float32)
    for begin in range(first, tokens, step):
        rows = begin + tl.arange(0, step)
        query = tl.load(q + head * tokens * dim + rows[:, None] * dim + dims[None, :])
        of_row = tl.load(lse + head * tokens + rows) * 1.4426950408889634
        share = tl.math.exp2(tl.dot(key, tl.trans(query)) * scale - of_row[None, :])
        total += tl.sum(tl.where(rows[None, :] >= own[:, None], share, 0.0), 1)
    tl.store(sums + head * tokens + own, total)


def column_sums(q, k, lse):
    """q (heads, tokens, dim), k (kv heads, tokens, dim), lse (heads, tokens) -> (heads, tokens) float32"""
    heads, tokens, dim = q.shape
    sums = torch.empty(heads, tokens, dtype=torch.float32, device=q.device)
    column_sums_kernel[(heads * tokens // 128,)](q, k, lse, sums, dim**-0.5 * 1.4426950408889634, tokens, heads // k.shape[0], dim,
                                                 64, 128, num_warps=4, num_stages=4)
    return sums


def norm(x, weight):
    wide = x.float()
    return (wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + EPS)).to(x.dtype) * weight


def rotate(x, cos, sin):
    low, high = x.float().chunk(2, -1)
    return torch.cat((low * cos - high * sin, high * cos + low * sin), -1).to(x.dtype)


def gate(both):
    first, second = both.chunk(2, -1)
    return F.silu(first) * second


def score(logits, dense, wanted):
    """Losses of rows and their cross entropies with the dense distribution."""
    logits = logits.float()
    lse = logits.logsumexp(-1)
    return lse - logits.gather(1, wanted[:, None])[:, 0], (dense * logits).sum(-1) - lse, logits.argmax(-1)


class Sweep:
    """`windows` windows of a shape at a time."""

    def __init__(self, shape, windows):
        self.layers, self.hidden, wide, self.heads, self.kv, self.dim, self.vocabulary, self.context = shape
        self.windows = windows
        generator = torch.Generator(device="cuda").manual_seed(0)
        draw = lambda *size: torch.randn(*size, generator=generator, **OPTIONS) * size[-1]**-0.5
        self.embedding = draw(self.vocabulary, self.hidden)
        self.ones = torch.ones(self.hidden, **OPTIONS)
        self.weights = [(draw((self.heads + 2 * self.kv) * self.dim, self.hidden), draw(self.hidden, self.heads * self.dim),
                         draw(2 * wide, self.hidden), draw(self.hidden, wide)) for _ in range(self.layers)]
        frequencies = 1e4**(-torch.arange(0, self.dim, 2, device="cuda").float() / self.dim)
        angles = torch.arange(self.context + TARGET, device="cuda").float()[:, None] * frequencies
        self.cos, self.sin = angles.cos()[:, None], angles.sin()[:, None]
        self.ids = torch.randint(0, self.vocabulary, (windows, self.context + TARGET), device="cuda", generator=generator)
        self.budgets = [int(self.context * (1 - tenth / 10) + 1e-9) for tenth in range(10)] * 2
        self.points = len(self.budgets)
        lengths = [budget + ROWS for budget in self.budgets] * windows
        self.key_ends = torch.tensor([0] + lengths, device="cuda").cumsum(0).int()
        self.query_ends = (torch.arange(self.points * windows + 1, device="cuda") * ROWS).int()
        self.longest = max(lengths)

    def project(self, weights, x, cos, sin):
        rows = F.linear(norm(x, self.ones), weights[0]).view(len(x), -1, self.dim)
        q, k, v = rows.split([self.heads, self.kv, self.kv], 1)
        return rotate(q, cos, sin), rotate(k, cos, sin), v.contiguous()

    def finish(self, weights, x, attended):
        x = x + F.linear(attended.reshape(len(x), -1), weights[1])
        return x + F.linear(gate(F.linear(norm(x, self.ones), weights[2])), weights[3])

    def attend(self, q, k, v):
        """Causal; (windows, tokens, heads, dim) -> output of the same shape, log-sum-exps (windows, heads, tokens)"""
        parts = torch.ops.aten._scaled_dot_product_flash_attention(*(x.transpose(1, 2) for x in (q, k, v)), 0.0, True, False)
        return parts[0].transpose(1, 2), parts[1]

    def select(self, importance):
        """importance (layers, windows, kv heads, context) -> rows of (contexts of all windows, own rows of all points) that a layer's
        packed keys are, (layers, all, kv heads)"""
        own = self.windows * self.context + torch.arange(self.windows * self.points * ROWS, device="cuda").view(-1, ROWS)
        parts = []
        for window in range(self.windows):
            for point, budget in enumerate(self.budgets):
                local = max(1, int(budget * (0.2 if point < 10 else 0.3) + 1e-9))
                scores = importance[:, window].clone()
                scores[..., self.context - local:] = torch.inf
                kept = scores.topk(budget, -1).indices.sort(-1).values + window * self.context
                parts += [kept.transpose(1, 2), own[window * self.points + point][None, :, None].expand(self.layers, -1, self.kv)]
        return torch.cat(parts, 1)

    def run(self):
        """Sums of losses and cross entropies, (2, windows, points)"""
        windows, context, points = self.windows, self.context, self.points
        x = self.embedding[self.ids[:, :context].reshape(-1)]
        cos, sin = (table[:context].repeat(windows, 1, 1) for table in (self.cos, self.sin))
        cache, importance = [], []
        for weights in self.weights:
            q, k, v = self.project(weights, x, cos, sin)
            batch = [part.view(windows, context, -1, self.dim) for part in (q, k, v)]
            output, lse = self.attend(*batch)
            sums = [column_sums(*(part[window].transpose(0, 1).contiguous() for part in batch[:2]), lse[window].contiguous())
                    for window in range(windows)]
            importance.append(torch.stack(sums).view(windows, self.kv, -1, context).mean(2))
            x = self.finish(weights, x, output)
            cache.append((k, v))
        rows_of = self.select(torch.stack(importance))
        repeated = lambda ids: ids.unsqueeze(1).expand(windows, points, ROWS).reshape(-1)
        x = self.embedding[repeated(self.ids[:, context:context + ROWS])]
        wanted = repeated(self.ids[:, context + 1:])
        cos, sin = (table[context:context + ROWS].repeat(windows * points, 1, 1) for table in (self.cos, self.sin))
        for index, weights in enumerate(self.weights):
            q, k, v = self.project(weights, x, cos, sin)
            rows = rows_of[index][..., None].expand(-1, -1, self.dim)
            keys, values = (torch.cat((kept, own)).gather(0, rows) for kept, own in zip(cache[index], (k, v)))
            output = torch.ops.aten._flash_attention_forward(q, keys, values, self.query_ends, self.key_ends, ROWS, self.longest, 0.0,
                                                             True, False)[0]
            x = self.finish(weights, x, output)
        x = norm(x, self.ones).view(windows * points, ROWS, -1)
        wanted = wanted.view(windows * points, ROWS)
        dense = [F.linear(x[window * points], self.embedding).float().softmax(-1) for window in range(windows)]
        found = [score(F.linear(x[at], self.embedding), dense[at // points], wanted[at]) for at in range(windows * points)]
        return torch.stack([torch.stack([one[part].sum() for one in found]) for part in range(2)]).view(2, windows, points)

    def whole(self, window):
        """The loss of a window by one plain causal pass: what a point that evicts nothing must give."""
        ids = self.ids[window]
        x = self.embedding[ids[:-1]]
        for weights in self.weights:
            q, k, v = self.project(weights, x, self.cos[:len(x)], self.sin[:len(x)])
            x = self.finish(weights, x, self.attend(q[None], k[None], v[None])[0][0])
        logits = F.linear(norm(x[self.context:], self.ones), self.embedding).float()
        return float(F.cross_entropy(logits, ids[self.context + 1:], reduction="sum"))


def graph_of(sweep):
    """A window as one CUDA graph, checked."""
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(2):
            first = sweep.run()
    torch.cuda.current_stream().wait_stream(side)
    for point in (0, 10):
        assert abs(float(first[0, 0, point]) / sweep.whole(0) - 1) < 2e-3
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        result = sweep.run()
    graph.result = result  # lives as long
    return graph


def rate_of(graph, windows, seconds=1.0):
    """Windows a second."""
    graph.replay()
    torch.cuda.synchronize()
    begin, done = time.perf_counter(), 0
    while time.perf_counter() - begin < seconds:
        graph.replay()
        torch.cuda.synchronize()
        done += windows
    return done / (time.perf_counter() - begin)


def ours(cli, shape):
    command = [cli, "bench", "sweep", "--shape", shape, "--context", str(SHAPES[shape][-1]), "--target", str(TARGET), "--device", "cuda",
               "--turns", "2", "--json", "--quiet"]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)["rows"][0]["windows_per_second"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cli", default="build/release/bin/keepset-cli")
    parser.add_argument("--shapes", default=",".join(SHAPES))
    parser.add_argument("--turns", type=int, default=3)
    options = parser.parse_args()
    torch.set_grad_enabled(False)
    torch._dynamo.config.recompile_limit = 64  # every shape has kernels of its own
    for name in ("norm", "rotate", "gate", "score"):
        globals()[name] = torch.compile(globals()[name], dynamic=False)
    for shape in options.shapes.split(","):
        rates, mine = {1: [], 4: []}, []
        for windows in rates:
            graph = graph_of(Sweep(SHAPES[shape], windows))
            for turn in range(options.turns):
                rates[windows].append(rate_of(graph, windows))
                if windows == 1:
                    mine.append(ours(options.cli, shape))
            del graph
            torch.cuda.empty_cache()
        medians = {windows: statistics.median(found) for windows, found in rates.items()}
        best = max(medians.values())
        print(f"{shape}: yardstick {medians[1]:.1f} windows/s one at a time, {medians[4]:.1f} four; "
              f"keepset-cli {statistics.median(mine):.1f}, {statistics.median(mine) / best:.2f} times the better", flush=True)


if __name__ == "__main__":
    main()
