#!/usr/bin/env python3
"""The yardstick of a prefill on a GPU, in turns with keepset-cli: plain torch, compiled as a whole, without importance.

usage: python prefill.py [--cli build/release/bin/keepset-cli] [--shapes qwen2-0.5b,mixtral-tiny] [--context 2048] [--turns 3]
needs: torch and triton with a CUDA device

Reads a context once, keeps keys and values, and computes no logits: torch.compile over the whole of it, and the same as a CUDA graph.
A mixture of experts goes through torch's grouped product. bfloat16, random weights. Beside it `keepset-cli bench analysis --shape`: its
attention pass, which gives importance of every layer and head as well and brings it to the host, and its plain forward pass.
"""
import argparse
import json
import statistics
import subprocess
import time

import torch
import torch.nn.functional as F

# layers, hidden, intermediate, heads, kv heads, head_dim, vocabulary, experts
SHAPES = {"smollm2-135m": (30, 576, 1536, 9, 3, 64, 49152, 0), "qwen2-0.5b": (24, 896, 4864, 14, 2, 64, 151936, 0),
          "llama-3.2-1b": (16, 2048, 8192, 32, 8, 64, 128256, 0), "mixtral-tiny": (12, 1024, 3584, 16, 4, 64, 32000, 8)}
CHOSEN = 2  # experts of a token
OPTIONS = dict(device="cuda", dtype=torch.bfloat16)


def norm(x, weight):
    wide = x.float()
    return (wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + 1e-6)).to(x.dtype) * weight


def rotate(x, cos, sin):
    low, high = x.float().chunk(2, -1)
    return torch.cat((low * cos - high * sin, high * cos + low * sin), -1).to(x.dtype)


def gate(both):
    first, second = both.chunk(2, -1)
    return F.silu(first) * second


class Prefill:
    def __init__(self, shape, context):
        self.layers, hidden, wide, self.heads, self.kv, self.dim, vocabulary, self.experts = shape
        draw = lambda *size: torch.randn(*size, **OPTIONS) * size[-1]**-0.5
        self.embedding = draw(vocabulary, hidden)
        self.ones = torch.ones(hidden, **OPTIONS)
        of_experts = (self.experts,) if self.experts else ()
        self.weights = [(draw((self.heads + 2 * self.kv) * self.dim, hidden), draw(hidden, self.heads * self.dim),
                         draw(*of_experts, 2 * wide, hidden), draw(*of_experts, hidden, wide), draw(max(1, self.experts), hidden))
                        for _ in range(self.layers)]
        angles = torch.arange(context, device="cuda").float()[:, None] * 1e4**(-torch.arange(0, self.dim, 2, device="cuda").float() / self.dim)
        self.cos, self.sin = angles.cos()[:, None], angles.sin()[:, None]
        self.ids = torch.randint(0, vocabulary, (context,), device="cuda")

    def mlp(self, weights, x):
        if not self.experts:
            return F.linear(gate(F.linear(x, weights[2])), weights[3])
        shares, chosen = F.linear(x, weights[4]).float().softmax(-1).topk(CHOSEN, -1)
        shares = (shares / shares.sum(-1, keepdim=True)).to(x.dtype)
        experts, order = chosen.flatten().sort(stable=True)
        ends = torch.searchsorted(experts, torch.arange(self.experts, device="cuda"), right=True).int()
        both = torch._grouped_mm(x[order // CHOSEN], weights[2].transpose(1, 2), ends)
        out = torch._grouped_mm(gate(both), weights[3].transpose(1, 2), ends)
        places = torch.empty_like(order).scatter_(0, order, torch.arange(len(order), device="cuda"))
        return (out[places].view(len(x), CHOSEN, -1) * shares[..., None]).sum(1)

    def run(self):
        x, cache = self.embedding[self.ids], []
        for weights in self.weights:
            q, k, v = F.linear(norm(x, self.ones), weights[0]).view(len(x), -1, self.dim).split([self.heads, self.kv, self.kv], 1)
            q, k = rotate(q, self.cos, self.sin), rotate(k, self.cos, self.sin)
            attended = torch.ops.aten._scaled_dot_product_flash_attention(*(part.transpose(0, 1)[None] for part in (q, k, v)), 0.0, True)[0]
            x = x + F.linear(attended[0].transpose(0, 1).reshape(len(x), -1), weights[1])
            x = x + self.mlp(weights, norm(x, self.ones))
            cache.append((k, v))
        return x, cache


def graph_of(run):
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(2):
            run()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        result = run()
    graph.result = result  # lives as long
    return graph


def seconds_of(run, repeats=20):
    """Median of calls that are waited for, one by one."""
    times = []
    for turn in range(repeats + 2):
        torch.cuda.synchronize()
        begin = time.perf_counter()
        run()
        torch.cuda.synchronize()
        times.append(time.perf_counter() - begin)
    return statistics.median(times[2:])


def ours(cli, shape, context):
    command = [cli, "bench", "analysis", "--shape", shape, "--context", str(context), "--device", "cuda", "--turns", "9", "--json", "--quiet"]
    row = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)["rows"][0]
    return row["attention_pass_seconds"], row["other_seconds"], row["seconds"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cli", default="build/release/bin/keepset-cli")
    parser.add_argument("--shapes", default=",".join(SHAPES))
    parser.add_argument("--context", type=int, default=2048)
    parser.add_argument("--turns", type=int, default=3)
    options = parser.parse_args()
    torch.set_grad_enabled(False)
    for shape in options.shapes.split(","):
        prefill = Prefill(SHAPES[shape], options.context)
        compiled = torch.compile(prefill.run, dynamic=False)
        graph = graph_of(compiled)
        times = {"compiled": [], "as a graph": [], "attention pass": [], "plain forward": [], "analysis": []}
        for turn in range(options.turns):
            times["compiled"].append(seconds_of(compiled))
            times["as a graph"].append(seconds_of(graph.replay))
            for name, seconds in zip(("attention pass", "plain forward", "analysis"), ours(options.cli, shape, options.context)):
                times[name].append(seconds)
        medians = {name: statistics.median(found) for name, found in times.items()}
        print(f"{shape}, {options.context} tokens, ms: " + ", ".join(f"{name} {1e3 * found:.2f}" for name, found in medians.items())
              + f"; attention pass over compiled {medians['attention pass'] / medians['compiled']:.2f}", flush=True)


if __name__ == "__main__":
    main()
