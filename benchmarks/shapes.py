"""How much of the machine the engine uses: networks of several sizes, against a large matrix product and the strongest peer."""

import tempfile
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.figures import Target, ratios, spread
from benchmarks.neighbours import Watch
from benchmarks.peer import Peer
from benchmarks.report import Report
from benchmarks.sizes import Problem, Sizes


def operations(problem: Problem, widths: Sequence[int]) -> float:
    """Multiplications and additions of the matrix products of one step of one run: forward, both gradients, and its share of the
    validation after each epoch.

    >>> operations(Problem(rows=100, stop=50, columns=1, batch=100), [1])
    1200.0
    """
    sizes = [problem.columns, *widths, 1]
    layers = [2.0 * inputs * outputs for inputs, outputs in pairwise(sizes)]
    steps = -(-problem.rows // problem.batch)
    forward = sum(layers)
    return problem.batch * (3 * forward - layers[0]) + problem.stop * forward / steps


def measure(report: Report, sizes: Sizes, watch: Watch) -> None:
    """For each shape ours and the ensemble in turns, a large product between them."""
    found: list[dict[str, Any]] = []
    lanes = sizes.lanes["mlp"]
    report.say(f"\nshapes: {lanes} runs together, the share of a large matrix product's rate, and the torch.compile ensemble")
    with tempfile.TemporaryDirectory() as cache, Peer("ours", Path(cache)) as ours, Peer("pytorch_ensemble", Path(cache)) as peer:
        for widths, batch in sizes.networks:
            problem = Problem(sizes.problem.rows, sizes.problem.stop, sizes.problem.columns, batch, sizes.network_epochs)
            given = {name: value for name, value in asdict(problem).items() if name != "rows"}
            for each in (ours, peer):
                report.use(each.ask("prepare", count=problem.rows, widths=widths, **given))
                each.ask("run", lanes=lanes, **({"model": "mlp", "threads": 0} if each is ours else {}))
            micro: dict[str, list[float]] = defaultdict(list)
            shares = []
            for _ in range(sizes.alternations):
                rate = max(each.ask("product")["rate"] for each in (ours, peer))
                mine = ours.ask("run", model="mlp", lanes=lanes, threads=0)
                theirs = peer.ask("run", lanes=lanes)
                for name, answer in (("ours", mine), ("ensemble", theirs)):
                    micro[name].append(1e6 * answer["seconds"] / (answer["steps"] * lanes))
                shares.append(100 * operations(problem, widths) / (micro["ours"][-1] * 1e-6) / rate)
                watch.check()
            name = f"MLP {'-'.join(map(str, widths))}, batch {batch}"
            found.append({"name": name, **{each: spread(values)._asdict() for each, values in micro.items()}})
            middle = {each: spread(values).median for each, values in micro.items()}
            report.say(f"{name}: a step of one run {middle['ours']:.1f} µs, in the ensemble {middle['ensemble']:.1f} µs")
            report.judge(Target(f"{name}, of a large product's rate", 60, "%"), shares)
            report.judge(Target(f"{name}, against the torch.compile ensemble", 1), ratios(micro["ensemble"], micro["ours"]))
    report.data["shapes"] = found
