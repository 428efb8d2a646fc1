"""What the losses of a run's tokens say beyond their mean, made again with numpy (SEMANTICS 5, beyond the mean).

    python beyond_mean.py RUN.h5 ...     /sweep/window/<metric> of runs made with --per-token, equal to the last bit
    python beyond_mean.py --golden FILE  writes samples with numpy's percentiles, and losses with the key tokens of
                                         LongPPL's rule, for tests without Python
"""
import argparse
import json
import sys

import numpy as np

PERCENTILES = {"p50": 50, "p95": 95, "p99": 99}
DISTANCES = {"near_nll": (1, 32), "middle_nll": (33, 128), "far_nll": (129, None)}  # targets, from 1 behind the context


def is_key(loss_short, loss_full, gain=2.0, loss=2.0):
    """LongPPL's rule (ICLR 2025, find_key_token): loss_short - loss_full > 2 and loss_full < 2, in the losses' float32."""
    loss_short, loss_full = np.asarray(loss_short, np.float32), np.asarray(loss_full, np.float32)
    return np.logical_and((loss_short - loss_full) > np.float32(gain), loss_full < np.float32(loss))


def by_distance(delta):
    """Mean over the targets of each distance; delta[0] is of target 2, because the first is not scored."""
    target = np.arange(len(delta)) + 2
    found = {}
    for name, (first, last) in DISTANCES.items():
        inside = (target >= first) & (target <= (last or len(delta) + 1))
        found[name] = delta[inside].mean() if inside.any() else np.nan
    return found


def metrics(nll, dense, short, attributes):
    """All of one point on one window; `short` is None where no short pass was made."""
    delta = nll.astype(np.float64) - dense.astype(np.float64)
    found = {f"delta_{name}": np.percentile(delta, q) for name, q in PERCENTILES.items()}
    found |= {"over_one_nat": (delta > 1).mean()} | by_distance(delta)
    if short is not None:
        key = is_key(short, dense, attributes["key_gain"], attributes["key_loss"])
        found |= {"key_count": key.sum(), "key_nll": delta[key].mean() if key.any() else np.nan}
    return found


def check(path):
    import h5py
    with h5py.File(path, "r") as file:
        sweep = file["sweep"]
        nll, done = sweep["token_nll"][:], sweep["window/done"][:]
        short = sweep["short_nll"][:] if "short_nll" in sweep else None
        compared, keys = 0, 0
        for window in np.flatnonzero(done):
            for point in range(len(nll)):
                wanted = metrics(nll[point, window], nll[0, window], None if short is None else short[window], sweep.attrs)
                for name, value in wanted.items():
                    found = sweep["window"][name][point, window]
                    exact = name.startswith(("delta_p", "key_count", "over_one"))
                    same = found == value if exact else np.isclose(found, value, rtol=1e-12, atol=1e-14)
                    if not same and not (np.isnan(found) and np.isnan(value)):
                        raise SystemExit(f"{path}: {name} of point {point} in window {window} is {found!r}, not {value!r}")
                    compared += 1
                keys += wanted.get("key_count", 0)
        print(f"{path}: {compared} numbers are numpy's, {keys} key tokens in all")
        if compared == 0:
            raise SystemExit(f"{path} has no window that is done")


def write_golden(path):
    random = np.random.default_rng(16)
    samples = [[0.25], [3.0, -1.0], [1.0, 1.0, 1.0], [5.0, 0.0, 2.5, 2.5, 1e-9]]
    samples += [random.standard_t(2, size).round(6).tolist() for size in (7, 20, 101, 255, 1000)]
    dense = np.abs(random.normal(1.5, 1.0, 400)).astype(np.float32)
    short = (dense + random.normal(1.5, 1.2, 400)).astype(np.float32)
    # Rows at the very edge: neither exactly 2 above nor a dense loss of exactly 2 makes a key token.
    dense[:4], short[:4] = [0.5, 0.5, 2.0, np.nextafter(np.float32(2), np.float32(0))], [2.5, 2.5000002, 6.0, 6.0]
    golden = {"made_with": f"numpy {np.__version__}",
              "samples": [{"values": values, **{name: float(np.percentile(values, q)) for name, q in PERCENTILES.items()}}
                          for values in samples],
              "key_tokens": [{"gain": gain, "loss": loss, "dense": [float(x) for x in dense], "short": [float(x) for x in short],
                              "key": [int(x) for x in is_key(short, dense, gain, loss)]} for gain, loss in ((2.0, 2.0), (0.5, 2.0))]}
    with open(path, "w") as file:
        json.dump(golden, file)
        file.write("\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+")
    parser.add_argument("--golden", action="store_true")
    chosen = parser.parse_args()
    for path in chosen.files:
        (write_golden if chosen.golden else check)(path)


if __name__ == "__main__":
    sys.exit(main())
