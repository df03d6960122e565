"""How time and memory grow with rows, epochs and runs; single examples and mini-batches against scikit-learn's SGD."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from itertools import product
from statistics import median
from typing import Any

from benchmarks.figures import Target, ratios, spread
from benchmarks.neighbours import Watch
from benchmarks.peer import Peer
from benchmarks.report import Report
from benchmarks.sizes import Sizes

SETTINGS = {"optimizer": "sgd", "rate": 0.01}
AGAIN = 3  # times that a turn runs every size, for its medians: of single times the largest is above the smallest anyway
LOSSES = ("binary_cross_entropy", "squared_error")


def per_example(seconds: float, rows: int, epochs: int, lanes: int) -> float:
    """Nanoseconds for one row in one epoch of one run.

    >>> per_example(seconds=1e-3, rows=1000, epochs=2, lanes=5)
    100.0
    """
    return round(1e9 * seconds / (rows * epochs * lanes), 6)


def crooked(values: Sequence[float]) -> float:
    """By how much, in hundredths, the largest of some times for the same work is above the smallest.

    >>> crooked([4.0, 5.0])
    25.0
    """
    return 100 * (max(values) / min(values) - 1)


def dearer(values: Sequence[float]) -> float:
    """By how much, in hundredths, the dearest of some times is above the first; 0 where it is the first.

    >>> dearer([4.0, 5.0, 3.0]), dearer([4.0, 2.0])
    (25.0, 0.0)
    """
    return 100 * (max(values) / values[0] - 1)


def measure(report: Report, sizes: Sizes, watch: Watch) -> None:
    """Growth first, then the peer."""
    report.data["growth"] = []
    grown(report, sizes, watch)
    beside(report, sizes, watch)


def grown(report: Report, sizes: Sizes, watch: Watch) -> None:
    """Every size in a process of its own, so that its peak is its own; the sizes take turns."""
    columns, batch = sizes.growth_columns, sizes.problem.batch
    report.say(f"\ngrowth: linear model, {columns} columns, batch {batch}, a fifth as many rows to validate on after each epoch")
    nanoseconds: dict[tuple[int, int, int], list[float]] = {}
    with ExitStack() as stack:
        workers = {rows: stack.enter_context(Peer("ours_linear")) for rows in sizes.growth_rows}
        first: dict[int, Mapping[str, Any]] = {}
        for rows, worker in workers.items():
            answer = worker.ask("prepare", rows=rows, stop=rows // 5, columns=columns, loss=LOSSES[0])
            report.use(answer) if not first else None
            first[rows] = worker.ask("run", **SETTINGS, batch=batch, epochs=1, lanes=sizes.growth_lanes[0])
        middle = sizes.growth_rows[len(sizes.growth_rows) // 2 - 1]
        long = {rows: max(1, sizes.growth_work // rows) for rows in workers}
        cases = [(rows, long[rows], sizes.growth_lanes[0]) for rows in workers]
        cases += [(middle, epochs, sizes.growth_lanes[0]) for epochs in sizes.growth_epochs]
        cases += [(middle, sizes.growth_epochs[-1], lanes) for lanes in sizes.growth_lanes]
        cases = list(dict.fromkeys(cases))
        for case in cases:  # compiles
            workers[case[0]].ask("run", **SETTINGS, batch=batch, epochs=case[1], lanes=case[2])
        for _ in range(sizes.growth_turns):
            turn: dict[tuple[int, int, int], list[float]] = {case: [] for case in cases}
            for _, (rows, epochs, lanes) in product(range(AGAIN), cases):
                answer = workers[rows].ask("run", **SETTINGS, batch=batch, epochs=epochs, lanes=lanes)
                turn[rows, epochs, lanes].append(per_example(answer["seconds"], rows, epochs, lanes))
                first[rows] = answer
                watch.check()
            for case, values in turn.items():
                nanoseconds.setdefault(case, []).append(median(values))
    for (rows, epochs, lanes), values in nanoseconds.items():
        found = spread(values)
        report.data["growth"].append({"rows": rows, "epochs": epochs, "lanes": lanes, **found._asdict()})
        what = f"{rows} rows, {epochs} epochs, {lanes} runs"
        report.say(f"{what}: a row of one run takes {found.median:.2f} ns ({found.low:.2f} to {found.high:.2f})")
    by = {
        "rows": [(rows, long[rows], sizes.growth_lanes[0]) for rows in workers],
        "epochs": [(middle, epochs, sizes.growth_lanes[0]) for epochs in sizes.growth_epochs],
        "runs": [(middle, sizes.growth_epochs[-1], lanes) for lanes in sizes.growth_lanes],
    }
    for name, which in by.items():
        turns = zip(*(nanoseconds[case] for case in which), strict=True)
        # Runs on the same batches share the work of gathering them: more of them are cheaper, and must not be dearer.
        bent, where = (dearer, "beyond") if name == "runs" else (crooked, "off")
        report.judge(Target(f"growth with {name}, {where} a straight line", 15, "%", least=False), [bent(t) for t in turns])
    smallest, largest = (first[rows] for rows in (sizes.growth_rows[0], sizes.growth_rows[-1]))
    gigabytes = [each / 2**30 for each in (largest["data"], largest["peak"], smallest["peak"])]
    report.say(
        f"{sizes.growth_rows[-1]} rows are {gigabytes[0]:.2f} GB, at the peak the process has {gigabytes[1]:.2f} GB; "
        f"with {sizes.growth_rows[0]} rows {gigabytes[2]:.2f} GB"
    )
    beyond = 100 * (largest["peak"] - smallest["peak"] - largest["data"]) / largest["data"]
    report.judge(Target("memory that grows beyond the data, of the data", 15, "%", least=False), [beyond])


def beside(report: Report, sizes: Sizes, watch: Watch) -> None:
    """The same loss, rate and epochs as scikit-learn, which always takes one example at a time."""
    rows, columns, epochs, batch = sizes.peer_rows, sizes.growth_columns, sizes.peer_epochs, sizes.problem.batch
    report.say(f"\nscikit-learn's SGD: {rows} x {columns} rows, {epochs} epochs, one example at a time; ours as named")
    cases = {"one example": (1, 1), f"batch {batch}, 1 run": (batch, 1), f"batch {batch}, 64 runs": (batch, 64)}
    bounds = dict(zip(cases, (1 / 3, 1.0, 5.0), strict=True))
    for loss in LOSSES:
        with Peer("ours_linear") as ours, Peer("scikit_learn_linear") as peer:
            for each in (ours, peer):
                report.use(each.ask("prepare", rows=rows, stop=1000, columns=columns, loss=loss))
            found: dict[str, list[float]] = {name: [] for name in ("scikit-learn", *cases)}
            for turn in range(sizes.alternations + 1):
                theirs = peer.ask("run", rate=SETTINGS["rate"] / 10, epochs=epochs)["seconds"]
                timed = {"scikit-learn": per_example(theirs, rows, epochs, 1)}
                for name, (size, lanes) in cases.items():
                    answer = ours.ask("run", **SETTINGS | {"rate": 0.001}, batch=size, epochs=epochs, lanes=lanes)
                    timed[name] = per_example(answer["seconds"], rows, epochs, lanes)
                if turn:  # the first compiles
                    for name, value in timed.items():
                        found[name].append(value)
                watch.check()
        for name, values in found.items():
            report.say(f"{loss}, {name}: {spread(values).median:.1f} ns for an example of one run")
        for name in cases:
            target = Target(f"{loss}, {name}, against scikit-learn", bounds[name])
            report.judge(target, ratios(found["scikit-learn"], found[name]))
