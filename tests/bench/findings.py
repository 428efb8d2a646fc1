#!/usr/bin/env python3
"""What the policies lose on a text, and which of them beat chance that keeps both ends: the tables and charts of README and
benchmarks.md.

usage: findings.py sweep MODEL_DIR --text FILE --granularity head|model --out RUN.h5 [--cli keepset-cli] [options of its sweep]
       findings.py table RUN.h5 ... [--sparsity 0.75,0.9] [--names "SmolLM2-135M;Gemma 3 270M"]
       findings.py chart RUN.h5 ... --sparsity 0.75 --out CHART.svg [--names ...]
       findings.py check RUN.h5
needs: pip install h5py numpy (not for sweep)

    sweep   every policy as it is published, and again with the first 4 tokens and the most recent tenth of the budget kept
            whatever its score says, beside random that keeps the same; 7 sparsities, 32 windows of 1024 + 256 tokens
    table   Markdown: loss over dense in nats a token; two numbers are the policy as published, and with both ends kept.
            Bold beats random with both ends kept by the interval paired by window, italics is beaten by it; an asterisk
            says that this does not stand by Holm's correction over all comparisons of the run
    chart   the same at one sparsity as SVG, a panel a run, rows in the order of the first
    check   that the intervals agree with those that keepset-cli writes (those to dense)
"""
import argparse
import json
import math
import os
import subprocess
import sys

SPARSITY = "0.5,0.6,0.7,0.75,0.8,0.9,0.95"
ENDS = "sink=4,recent=0.1"
CONTROL = f"random({ENDS})"
# lagkv's default of 128 is refused from 80% on, where its protected tail exceeds the budget: 34 divides 1024 - 4 sinks.
SCORED = ["h2o", "cab", "h2o-observed", "snapkv", "snapkv(window=16)", "tova", "keydiff", "knorm", "expected-attention",
          "criticalkv", "dropkv", "lagkv(lag=34)", "cur", "pyramid", "ada", "chunkkv", "kvzip"]
BY_PLACE = ["random", "recent", "streaming-llm"]
EXTRA = ["h2o(local=0.3)"]  # the control of cab: the same without bridges


def with_ends(policy):
    return f"{policy[:-1]},{ENDS})" if policy.endswith(")") else f"{policy}({ENDS})"


def sweep(options, more):
    known = subprocess.run([options.cli, "policies", "--json"], capture_output=True, text=True, check=True).stdout
    known = {policy["name"] for policy in json.loads(known)}
    scored = [policy for policy in SCORED if policy.split("(")[0] in known]
    policies = ["dense", *BY_PLACE, CONTROL, *EXTRA, *scored, *map(with_ends, scored)]
    command = [options.cli, "sweep", options.model, "--text", options.text, "--policies", ",".join(policies),
               "--sparsity", options.sparsity or SPARSITY, "--context", "1024", "--target", "256", "--windows", options.windows,
               "--granularity", options.granularity, "--out", options.out]
    os.execvp(command[0], command + more)


def student_tail(t, freedom):
    """P(|T| > t), by the continued fraction of the incomplete beta function (modified Lentz)."""
    a, b, x = freedom / 2, 0.5, freedom / (freedom + t * t)
    if x > (a + 1) / (a + b + 2):  # t near 0, where the fraction of the other side converges
        return 1 - incomplete_beta(b, a, 1 - x)
    return incomplete_beta(a, b, x)


def incomplete_beta(a, b, x):
    if x <= 0:
        return 0.0
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)) / a
    c, d = 1.0, 1 / (1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, 200):
        for factor in (m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
                       -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))):
            d, c = 1 / (1 + factor * d), 1 + factor / c
            value *= c * d
    return front * value


def student_quantile(freedom):
    """The t that 5% of the samples exceed in size."""
    low, high = 0.0, 1000.0
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if student_tail(middle, freedom) > 0.05 else (low, middle)
    return high


def paired(differences):
    """Mean, half of its 95% interval and p-value of differences by window."""
    count = len(differences)
    if count < 5:
        sys.exit(f"findings: {count} windows are done and intervals need 5: let the sweep go on with --resume.")
    mean, error = float(differences.mean()), float(differences.std(ddof=1)) / math.sqrt(count)
    return mean, student_quantile(count - 1) * error, student_tail(abs(mean) / error, count - 1) if error > 0 else 1.0


class Run:
    """A run file: what each (policy, sparsity) loses over dense, and whether it beats the control."""

    def __init__(self, file, name):
        import h5py

        with h5py.File(file, "r", swmr=True) as stored:
            done = stored["sweep/window/done"][:] == 1
            nll = stored["sweep/window_nll"][:, done] / (int(stored["sweep"].attrs["target"]) - 1)
            keys = [(point["policy"].decode(), round(float(point["sparsity"]), 6)) for point in stored["sweep/points"]]
            self.stored_perplexity = dict(zip(keys, stored["sweep/points"]["perplexity"]))
            self.granularity = stored["sweep"].attrs["granularity"].decode()
            self.name = name or stored.attrs["model_name"].decode()
            self.text = stored.attrs["text_name"].decode()
        self.windows = int(done.sum())
        self.nll = dict(zip(keys, nll))
        dense = self.nll["dense", 0.0]
        self.dense = math.exp(dense.mean())
        self.loss = {key: paired(losses - dense) for key, losses in self.nll.items() if key[0] != "dense"}
        self.sparsities = sorted({sparsity for _, sparsity in self.loss})
        against = {(policy, sparsity): paired(losses - self.nll[CONTROL, sparsity])
                   for (policy, sparsity), losses in self.nll.items() if policy not in ("dense", CONTROL)}
        self.comparisons = len(against)
        self.verdict, standing = {}, True
        for rank, (key, (mean, half, chance)) in enumerate(sorted(against.items(), key=lambda item: item[1][2])):
            standing = standing and chance * (self.comparisons - rank) < 0.05  # Holm
            decided = (mean > half) - (mean < -half)
            self.verdict[key] = (decided, standing)

    def cell(self, policy, sparsity):
        text = f"{self.loss[policy, sparsity][0]:.3f}"
        decided, standing = self.verdict.get((policy, sparsity), (0, True))
        mark = {-1: "**", 0: "", 1: "*"}[decided]
        return mark + text + mark + ("" if standing or not decided else "\\*")


def policies_of(runs):
    """Rows: the policies as published, in the order of the runs; chance first."""
    names = list(dict.fromkeys(policy for run in runs for policy, _ in run.loss))
    return [name for name in names if ENDS not in name]


def table(runs, sparsities):
    columns = [(run, sparsity) for run in runs for sparsity in sparsities or run.sparsities]
    heads = [(f"{run.name}, {run.granularity}, " if len(runs) > 1 else "") + f"{sparsity:.0%}" for run, sparsity in columns]
    print("| policy | " + " | ".join(heads) + " |")
    print("| --- |" + " --- |" * len(columns))
    for policy in policies_of(runs):
        cells = [" / ".join(run.cell(name, sparsity) for name in (policy, with_ends(policy)) if (name, sparsity) in run.loss)
                 for run, sparsity in columns]
        print(f"| {policy} | " + " | ".join(cell or "–" for cell in cells) + " |")
    print()
    for run in runs:
        print(f"{run.name}, {run.text}, granularity {run.granularity}: {run.windows} windows, dense perplexity {run.dense:.2f}, "
              f"{run.comparisons} comparisons with {CONTROL}.")


def check(run, cli, file):
    """Intervals and perplexities of this script beside keepset-cli's own."""
    shown = json.loads(subprocess.run([cli, "show", file, "--json"], capture_output=True, text=True, check=True).stdout)
    worst = 0.0
    for point in shown["points"]:
        key = (point["policy"], round(point["sparsity"], 6))
        if key in run.loss:
            mean, half, _ = run.loss[key]
            worst = max(worst, abs(mean - point["delta_nll_to_dense"]), abs(mean + half - point["delta_nll_to_dense_high"]))
    print(f"{len(run.loss)} points: largest difference of a mean or an interval's end to keepset-cli show: {worst:.1e}")
    if worst > 1e-9:
        sys.exit(1)


COLOURS = {-1: ("#0072b2", "beats it"), 0: ("#6e7781", "neither is ahead"), 1: ("#d55e00", "is beaten by it")}
TICKS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2]
LEFT, PANEL, GAP, ROW, TOP = 150, 330, 40, 22, 104


class Picture:
    """Lines of an SVG file."""

    def __init__(self, width, height):
        size = f'width="{width}" height="{height}"'
        self.lines = [f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="0 0 {width} {height}" '
                      'font-family="Noto Sans, sans-serif" font-size="13">', f'<rect {size} fill="#ffffff"/>']

    def text(self, x, y, words, anchor="start", colour="#24292f", more=""):
        self.lines.append(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}"{more}>{words}</text>')

    def path(self, d, colour, width=1.0):
        self.lines.append(f'<path d="{d}" stroke="{colour}" stroke-width="{width}"/>')

    def mark(self, x, y, colour, filled):
        fill = colour if filled else "#ffffff"
        self.lines.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.5" fill="{fill}" stroke="{colour}" stroke-width="1.5"/>')

    def write(self, out):
        with open(out, "w", encoding="utf-8") as stream:
            stream.write("\n".join([*self.lines, "</svg>"]) + "\n")


def legend(picture):
    x = LEFT
    for filled, words in ((False, "as published"), (True, "the first 4 and the most recent tenth kept too")):
        picture.mark(x + 5, 20, "#24292f", filled)
        picture.text(x + 16, 24, words)
        x += 34 + 7 * len(words)
    x = LEFT
    picture.text(x, 46, "against random that keeps both ends:")
    x += 272
    for colour, words in COLOURS.values():
        picture.mark(x, 42, colour, True)
        picture.text(x + 11, 46, words, colour=colour)
        x += 34 + 7 * len(words)


def draw_panel(picture, run, sparsity, begin, rows):
    bottom = TOP + ROW * len(rows)

    def place(loss):
        share = math.log(max(loss, TICKS[0]) / TICKS[0]) / math.log(TICKS[-1] / TICKS[0])
        return begin + PANEL * min(share, 1)

    picture.text(begin, 74, run.name, more=' font-weight="600"')
    picture.text(begin + PANEL, 74, f"dense perplexity {run.dense:.2f}", "end", "#57606a")
    for tick in TICKS:
        picture.path(f"M{place(tick):.1f} {TOP}V{bottom}", "#d8dee4")
        picture.text(place(tick), bottom + 18, f"{tick:g}", "middle", "#57606a")
    picture.text(begin + PANEL / 2, bottom + 38, "loss over dense, nats a token (logarithmic)", "middle", "#57606a")
    control = place(run.loss[CONTROL, sparsity][0])
    picture.path(f"M{control:.1f} {TOP - 6}V{bottom}", "#b57a00", 1.5)
    picture.text(control, TOP - 10, "random, both ends kept", "middle", "#8a5d00", ' font-size="11"')
    for index, policy in enumerate(rows):
        y = TOP + ROW * index + ROW / 2
        for name, filled in ((policy, False), (with_ends(policy), True)):
            if (name, sparsity) in run.loss and name != CONTROL:
                mean, half, _ = run.loss[name, sparsity]
                colour = COLOURS[run.verdict[name, sparsity][0]][0]
                picture.path(f"M{place(mean - half):.1f} {y:.1f}H{place(mean + half):.1f}", colour, 1.5)
                picture.mark(place(mean), y, colour, filled)


def chart(runs, sparsity, out):
    """A panel a run, a row a policy with its 95% intervals; the control as a line."""

    def best(policy):
        names = (policy, with_ends(policy))
        return min(runs[0].loss[name, sparsity][0] for name in names if (name, sparsity) in runs[0].loss)

    rows = sorted(policies_of(runs), key=best)
    picture = Picture(LEFT + len(runs) * (PANEL + GAP), TOP + ROW * len(rows) + 50)
    legend(picture)
    for index, policy in enumerate(rows):
        picture.text(LEFT - 12, TOP + ROW * index + ROW / 2 + 4, policy, "end")
    for number, run in enumerate(runs):
        draw_panel(picture, run, sparsity, LEFT + number * (PANEL + GAP), rows)
    picture.write(out)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["sweep", "table", "chart", "check"])
    parser.add_argument("files", nargs="+")
    parser.add_argument("--cli", default="keepset-cli")
    parser.add_argument("--text")
    parser.add_argument("--granularity")
    parser.add_argument("--windows", default="32")
    parser.add_argument("--out")
    parser.add_argument("--sparsity", default="")
    parser.add_argument("--names", default="")
    options, more = parser.parse_known_args()
    if options.command == "sweep":
        options.model = options.files[0]
        sweep(options, more)
    names = options.names.split(";") if options.names else [None] * len(options.files)
    runs = [Run(file, name) for file, name in zip(options.files, names, strict=True)]
    sparsities = [float(sparsity) for sparsity in options.sparsity.split(",") if sparsity]
    if options.command == "table":
        table(runs, sparsities)
    elif options.command == "chart":
        chart(runs, sparsities[0], options.out)
    else:
        check(runs[0], options.cli, options.files[0])


if __name__ == "__main__":
    main()
