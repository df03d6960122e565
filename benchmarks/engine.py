"""The engine alone: whole loops with validation after each epoch, peers alternating with ours."""

import tempfile
from collections import defaultdict
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.figures import Target, better, promising, ratios, spread
from benchmarks.neighbours import Watch
from benchmarks.peer import Peer, cores
from benchmarks.report import Report, case_line
from benchmarks.sizes import Sizes

MODELS = {"linear": "linear", "mlp": "MLP 64-64"}


@dataclass(frozen=True)
class Case:
    """One thing that is timed: a worker, a model, the runs that it trains together, the threads it may use."""

    worker: str
    model: str
    lanes: int = 1
    threads: int = 0

    @property
    def name(self) -> str:
        """As it is printed."""
        threads = f", {self.threads} thread{'s' if self.threads > 1 else ''}" if self.threads else ""
        return f"{self.worker}, {MODELS[self.model]}, {self.lanes} run{'s' if self.lanes > 1 else ''}{threads}"

    @property
    def request(self) -> dict[str, Any]:
        """As a worker understands it."""
        return {"model": self.model, "lanes": self.lanes, "threads": self.threads}


def cases(sizes: Sizes) -> list[Case]:
    """All cases in the order of one alternation."""
    found = []
    for model, lanes in sizes.lanes.items():
        found += [Case("ours", model), *(Case("pytorch", model, 1, threads) for threads in sorted({1, cores()}))]
        found += [Case("ours", model, lanes), Case("optax_loop", model), Case("optax_loop", model, lanes)]
    return found + [Case("scikit_learn", "mlp", 1, threads) for threads in sorted({1, cores()})]


def targets(lanes: dict[str, int]) -> list[tuple[Target, str, str, int]]:
    """What is promised against whom: the target, the peer's worker, the model, our lanes."""
    linear, mlp = lanes["linear"], lanes["mlp"]
    return [
        (Target("linear, 1 run, against PyTorch", 20), "pytorch", "linear", 1),
        (Target(f"linear, each of {linear} runs, against PyTorch", 100), "pytorch", "linear", linear),
        (Target("MLP 64-64, 1 run, against PyTorch", 5), "pytorch", "mlp", 1),
        (Target(f"MLP 64-64, each of {mlp} runs, against PyTorch", 9), "pytorch", "mlp", mlp),
        (Target("MLP 64-64, 1 run, against scikit-learn", 8), "scikit_learn", "mlp", 1),
        (Target(f"MLP 64-64, each of {mlp} runs, against scikit-learn", None), "scikit_learn", "mlp", mlp),
        (Target("linear, 1 run, against optax", None), "optax_loop", "linear", 1),
        (Target(f"linear, {linear} runs, against optax and vmap", None), "optax_loop", "linear", linear),
        (Target("MLP 64-64, 1 run, against optax", None), "optax_loop", "mlp", 1),
        (Target(f"MLP 64-64, {mlp} runs, against optax and vmap", None), "optax_loop", "mlp", mlp),
    ]


def measure(report: Report, sizes: Sizes, watch: Watch) -> None:
    """Starts the peers, lets them take turns, reports."""
    wanted = cases(sizes)
    micro: dict[Case, list[float]] = defaultdict(list)
    validation: dict[Case, float] = {}
    parts: dict[str, str] = {}
    problem = asdict(sizes.problem)
    report.say(
        f"\nengine: {problem['rows']} x {problem['columns']} rows, {problem['stop']} to validate on, {problem['epochs']} epochs"
    )
    with tempfile.TemporaryDirectory() as cache, ExitStack() as stack:
        peers: dict[str, Peer] = {}
        for worker in dict.fromkeys(case.worker for case in wanted):
            peers[worker] = stack.enter_context(Peer(worker, Path(cache)))
            report.use(peers[worker].ask("prepare", count=problem["rows"], **{k: v for k, v in problem.items() if k != "rows"}))
        report.data["compile_seconds"] = compiled(report, peers, wanted)
        # The first turn warms up, and rules out numbers of threads.
        wanted = worthwhile({case: peers[case.worker].ask("run", **case.request)["seconds"] for case in wanted})
        watch.check()
        for _ in range(sizes.alternations):
            for case in wanted:
                answer = peers[case.worker].ask("run", **case.request)
                micro[case].append(1e6 * answer["seconds"] / (answer["steps"] * case.lanes))
                validation[case] = answer["validation"]
                if "parts" in answer:
                    parts[case.name] = shares(answer["parts"], answer["seconds"])
            watch.check()
    report.data["problem"] = problem
    report.data["cases"] = [told(case, micro[case], validation[case]) for case in wanted]
    report.say("time for a step of one run, compilation apart:")
    for case in report.data["cases"]:
        report.say(case_line(case))
    for name, words in parts.items():
        report.data["where_time_goes"].append(f"{name}: {words}")
        report.say(report.data["where_time_goes"][-1])
    for target, worker, model, lanes in targets(sizes.lanes):
        report.judge(target, ratios(best_of(micro, worker, model, lanes), micro[Case("ours", model, lanes)]))


def worthwhile(seconds: dict[Case, float]) -> list[Case]:
    """The cases without those whose number of threads a first look rules out."""
    kept = []
    for case in seconds:
        alike = {one: each for one, each in seconds.items() if replace(one, threads=0) == replace(case, threads=0)}
        kept += [case] if case in promising(alike) else []
    return kept


def compiled(report: Report, peers: dict[str, Peer], wanted: list[Case]) -> dict[str, float]:
    """Seconds that compilers need, with nothing in their caches; our lanes share the program of a single run."""
    found = {}
    for case in wanted:
        if case.worker == "optax_loop" or (case.worker == "ours" and case.lanes == 1):
            found[case.name] = peers[case.worker].ask("compile", model=case.model, lanes=case.lanes)["seconds"]
            report.say(f"compiling {case.name}: {found[case.name]:.2f} s")
    return found


def shares(parts: dict[str, float], seconds: float) -> str:
    """Where a run's time goes, in hundredths.

    >>> shares({"scoring": 0.25, "gathering rows": 0.5}, 1.0)
    'gathering rows 50 %, scoring 25 %, the rest 25 %'
    """
    whole = parts | {"the rest": seconds - sum(parts.values())}
    found = sorted(whole.items(), key=lambda item: (item[0] == "the rest", -item[1]))
    return ", ".join(f"{name} {100 * each / seconds:.0f} %" for name, each in found)


def told(case: Case, values: list[float], validation: float) -> dict[str, Any]:
    """A case as the report stores it."""
    return {"name": case.name, **asdict(case), **spread(values)._asdict(), "microseconds": values, "validation": validation}


def best_of(micro: dict[Case, list[float]], worker: str, model: str, lanes: int) -> list[float]:
    """A peer's times: in as many runs together as ours if it can, with the better number of threads."""
    several = any(case.worker == worker and case.lanes > 1 for case in micro)
    mine = {
        case.name: values
        for case, values in micro.items()
        if case.worker == worker and case.model == model and case.lanes == (lanes if several else 1)
    }
    return mine[better(mine)]
