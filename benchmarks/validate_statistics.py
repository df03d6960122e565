"""How often the ranking calls an equal contender worse, and how often it finds a real gap.

Run it with `python -m benchmarks.validate_statistics`; `--times 100` gives a first look in a minute.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

import numpy as np

from benchmarks.traces import stored
from downslope.comparison.rank import tied_set

LAYOUTS = ("folds", "single")
SEED_NOISE = (0.0, 0.3, 1.0, 3.0)  # of the mean over runs, in units of the noise that rows make
GAP = 6.0  # a real gap, in standard errors of a difference


def comparison(
    rng: np.random.Generator, contenders: int, layout: str, rows: int, seed_noise: float, heavy: bool, gap: float = 0.0
) -> tuple[dict[str, list[np.ndarray]], list[np.ndarray]]:
    """Contributions of equal contenders, all `gap` standard errors of a difference worse than the first.

    A row is hard for all contenders alike, and harder for some than for others (contender by row); a run is lucky for all alike,
    and luckier for some (contender by seed); the rest is particular to row, run and contender. Heavy rows are skewed, as squared
    errors are.
    """

    def of_rows(*shape: int) -> np.ndarray:
        return (rng.standard_gamma(0.25, shape) - 0.25) / 0.5 if heavy else rng.standard_normal(shape)

    runs = 10
    hard, taste = 3 * of_rows(rows), of_rows(contenders, rows)
    # Some contenders are noisier over seeds than others.
    spread = np.exp(rng.normal(0, 0.4, contenders)) * seed_noise * np.sqrt(runs / rows)
    luck = rng.normal(0, 1, runs) + spread[:, None] * rng.standard_normal((contenders, runs))
    error = np.sqrt(2 * (1 + 0.25 / (2 if layout == "folds" else runs)) / rows + 2 * seed_noise**2 / rows)
    worse = np.where(np.arange(contenders) > 0, gap * error, 0.0)
    if layout == "single":
        judged = [np.arange(rows)] * runs
    else:
        judged = [part for _ in range(2) for part in np.array_split(rng.permutation(rows), 5)]
    found: dict[str, list[np.ndarray]] = {}
    for c in range(contenders):
        own = [hard[r] + taste[c, r] + luck[c, i] + 0.5 * of_rows(len(r)) + worse[c] for i, r in enumerate(judged)]
        found[f"contender {c}"] = own
    return found, judged


def false_and_found(
    contenders: int, layout: str, rows: int, seed_noise: float, heavy: bool, times: int, draws: int, seed: int
) -> tuple[int, int]:
    """In so many comparisons: how often an equal contender was called worse, and how often the gap to the first was found."""
    wrong = found = 0
    for number in range(times):
        rng = np.random.default_rng([seed, contenders, LAYOUTS.index(layout), rows, int(10 * seed_noise), int(heavy), number])
        equal = tied_set(*comparison(rng, contenders, layout, rows, seed_noise, heavy), "lower", draws=draws, seed=number)
        wrong += not all(equal.tied.values())
        apart = tied_set(*comparison(rng, contenders, layout, rows, seed_noise, heavy, GAP), "lower", draws=draws, seed=number)
        found += not apart.tied["contender 1"]
    return wrong, found


def dealt(
    rng: np.random.Generator, contenders: int, arrays: np.ndarray, rows: np.ndarray, gap: float = 0.0
) -> tuple[dict[str, list[np.ndarray]], list[np.ndarray]]:
    """Contributions of real runs, `(names, runs, rows)`, that differ in their luck alone, dealt to contenders anew for each run.

    Nobody can be better than anybody then, whatever rows, seeds and tails are like; `gap` is added as in `comparison`.
    """
    names, runs = arrays.shape[:2]
    error = np.sqrt(2 * arrays.mean(axis=2).var(axis=0, ddof=1).mean() / runs)
    given = np.stack([rng.permutation(names)[:contenders] for _ in range(runs)])
    worse = np.where(np.arange(contenders) > 0, gap * error, 0.0)
    found = {f"contender {c}": [arrays[given[i, c], i] + worse[c] for i in range(runs)] for c in range(contenders)}
    return found, list(rows)


def of_traces(layouts: Sequence[str], contenders: Sequence[int], times: int, draws: int, seed: int) -> Iterator[dict]:
    """One line for each number of contenders and layout, from the stored contributions of real runs."""
    arrays = stored()
    for layout in layouts:
        for count in contenders:
            start, wrong, found = time.perf_counter(), 0, 0
            given = (arrays[layout], arrays[f"{layout} rows"])
            for number in range(times):
                rng = np.random.default_rng([seed, count, LAYOUTS.index(layout), number])
                equal = tied_set(*dealt(rng, count, *given), "lower", draws=draws, seed=number)
                wrong += not all(equal.tied.values())
                apart = tied_set(*dealt(rng, count, *given, gap=GAP), "lower", draws=draws, seed=number)
                found += not apart.tied["contender 1"]
            line = {"layout": layout, "contenders": count, "rows": arrays[layout].shape[2], "comparisons": times}
            line |= {"false": wrong / times, "found": found / times, "false_by_kind": {"stored runs": wrong / times}}
            yield line | {"seconds": round(time.perf_counter() - start, 1)}


def table(layouts: Sequence[str], contenders: list[int], rows: list[int], times: int, draws: int, seed: int) -> Iterator[dict]:
    """One line for each number of contenders and layout; the noise of seeds and the tails of rows are spread evenly over it."""
    kinds = [(noise, heavy) for noise in SEED_NOISE for heavy in (False, True)]
    for layout in layouts:
        for count in contenders:
            for size in rows:
                start, by_kind, each = time.perf_counter(), {}, max(1, times // len(kinds))
                total = each * len(kinds)
                for noise, heavy in kinds:
                    by_kind[noise, heavy] = false_and_found(count, layout, size, noise, heavy, each, draws, seed)
                wrong, found = (sum(pair[i] for pair in by_kind.values()) for i in (0, 1))
                yield {
                    "layout": layout,
                    "contenders": count,
                    "rows": size,
                    "comparisons": total,
                    "false": wrong / total,
                    "found": found / total,
                    "worst": max(pair[0] for pair in by_kind.values()) / (total / len(kinds)),
                    "false_by_kind": {
                        f"{n:g}{' heavy' if h else ''}": p[0] * len(kinds) / total for (n, h), p in by_kind.items()
                    },
                    "seconds": round(time.perf_counter() - start, 1),
                }


def main() -> int:
    """Prints the table; ends with 1 when false claims are above 5 % by more than chance, or a gap is found too rarely."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--times", type=int, default=1000)
    options.add_argument("--layouts", nargs="+", choices=LAYOUTS, default=LAYOUTS)
    options.add_argument("--contenders", type=int, nargs="+", default=[2, 6, 18, 32])
    options.add_argument("--rows", type=int, nargs="+", default=[500])
    options.add_argument("--draws", type=int, default=2000)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--traces", action="store_true", help="only the stored contributions of real runs")
    options.add_argument("--out", type=Path)
    given = options.parse_args()
    lines, failed = [], False
    print("layout contenders  rows  called worse though equal   gap found   seconds")
    simulated = table(given.layouts, given.contenders, given.rows, given.times, given.draws, given.seed)
    real = of_traces(given.layouts, given.contenders, given.times, given.draws, given.seed)
    for line in real if given.traces else chain(simulated, real):
        lines.append(line)
        chance = 2.5 * np.sqrt(0.05 * 0.95 / line["comparisons"])
        bad = line["false"] > 0.05 + chance or line["found"] < 0.75
        failed |= bad
        kinds = "  ".join(f"{kind}: {100 * rate:.1f}" for kind, rate in line["false_by_kind"].items())
        rates = f"{100 * line['false']:>22.1f} % {100 * line['found']:>11.1f} %"
        verdict = "  FAILS" if bad else ""
        print(f"{line['layout']:>6} {line['contenders']:>10} {line['rows']:>5} {rates} {line['seconds']:>9}{verdict}")
        print(f"       false claims by noise of seeds and tails, %: {kinds}", flush=True)
    if given.out:
        given.out.write_text(json.dumps(lines, indent=1) + "\n", encoding="utf-8")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
