"""Optimizer steps alone: update and apply with donated buffers, as one array and as a thousand, beside optax and PyTorch."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import NamedTuple

from benchmarks.figures import Target, better, promising, ratios, spread
from benchmarks.losses import Timed, label
from benchmarks.neighbours import Watch
from benchmarks.peer import Peer, cores, rotated
from benchmarks.report import Report
from benchmarks.sizes import Sizes

MOVED = {"adam": 7, "adamw": 7, "momentum": 5, "sgd": 3}
"""How many numbers must move for each parameter, read or written; a copy moves two."""

BESIDE = (("copy", 0), ("idle", 0))
"""What stands beside the steps; an idle one is a program of JAX that gives back what it got."""


class Case(NamedTuple):
    """An optimizer and the number of equal arrays that its parameters lie in."""

    optimizer: str
    arrays: int

    @property
    def name(self) -> str:
        """As it is printed."""
        return f"{self.optimizer}, {self.arrays} array{'s' if self.arrays > 1 else ''}"


def bandwidth(moved: int, step: Sequence[float], copy: Sequence[float]) -> list[float]:
    """Bytes that must move in a second, as a share of what a copy of as many numbers moves, turn by turn.

    >>> bandwidth(7, step=[7.0, 14.0], copy=[2.0, 2.0])
    [1.0, 0.5]
    """
    return [moved * each / 2 for each in ratios(copy, step)]


def measure(report: Report, sizes: Sizes, watch: Watch) -> None:
    """Lets ours, optax and PyTorch take turns, and a copy with them. All of it several times in new processes: where the system
    has put the memory of one makes it faster or slower for its whole life."""
    report.say(f"\nsteps: {sizes.parameters} float32 parameters, update and apply")
    report.data["steps"] = []
    found: dict[Case, Timed] = {Case(optimizer, arrays): {} for arrays in (1, sizes.arrays) for optimizer in MOVED}
    for number in range(1, sizes.processes + 1):
        report.say(f"processes {number} of {sizes.processes}")
        with ExitStack() as stack:
            names = {"ours": "ours_pieces", "optax": "optax_pieces", "PyTorch": "pytorch_pieces"}
            workers = {who: stack.enter_context(Peer(worker)) for who, worker in names.items()}
            versions = [each.ask("prepare") for each in workers.values()]
            for each in versions if number == 1 else []:
                report.use(each)
            for case, seconds in found.items():
                take_turns(case, workers, sizes, seconds)
                watch.check()
            if number == sizes.processes:
                for case, seconds in found.items():
                    told(report, case, seconds)
                compiled(report, workers, sizes, watch)


def take_turns(case: Case, workers: Mapping[str, Peer], sizes: Sizes, found: Timed) -> None:
    """Adds seconds to what was found by peer and threads. A first turn warms up, and the very first rules out threads."""
    request = {"optimizer": case.optimizer, "arrays": case.arrays, "size": sizes.parameters // case.arrays}

    def ask(who: str, threads: int) -> float:
        if who == "copy":
            return workers["optax"].ask("copy", numbers=sizes.parameters)["seconds"]
        if who == "idle":
            return workers["optax"].ask("step", **request, threads=0, idle=True)["seconds"]
        return workers[who].ask("step", **request, threads=threads)["seconds"]

    everyone = [("ours", 0), ("optax", 0), *(("PyTorch", threads) for threads in sorted({1, cores()})), *BESIDE]
    tried = {each: ask(*each) for each in found or everyone}
    if not found:
        its_best = promising({setting: each for setting, each in tried.items() if setting[0] == "PyTorch"})
        found.update({setting: [] for setting in everyone if setting[0] != "PyTorch" or setting in its_best})
    for turn in range(sizes.step_turns):
        for setting in [*rotated([each for each in found if each not in BESIDE], turn), *BESIDE]:
            found[setting].append(ask(*setting))


def told(report: Report, case: Case, found: Timed) -> None:
    """One case: the times, and what was promised."""
    copy, idle = (found[each] for each in BESIDE)
    named = {label(*setting): values for setting, values in found.items() if setting not in BESIDE}
    medians = {who: spread(values)._asdict() for who, values in named.items()}
    report.data["steps"].append(
        {**case._asdict(), "seconds": medians, "copy": spread(copy)._asdict(), "idle": spread(idle)._asdict()}
    )
    times = ", ".join(f"{who} {1e3 * each['median']:.3g} ms" for who, each in medians.items())
    copied, handed = (1e3 * spread(each).median for each in (copy, idle))
    report.say(f"{case.name}: {times}; a copy {copied:.3g} ms, JAX handing over what is held {handed:.3g} ms")
    report.judge(Target(f"{case.name}, of the copy's bandwidth", 0.8), bandwidth(MOVED[case.optimizer], named["ours"], copy))
    peers = {who: values for who, values in named.items() if who.startswith("PyTorch")}
    best = better(peers)
    report.judge(Target(f"{case.name}, against fused {best}", 1.0), ratios(peers[best], named["ours"]))
    report.judge(Target(f"{case.name}, against optax", None), ratios(named["optax"], named["ours"]))


def compiled(report: Report, workers: Mapping[str, Peer], sizes: Sizes, watch: Watch) -> None:
    """Tracing and compiling the step on many arrays, beside optax; on all cores together, which neighbours disturb less."""
    for optimizer in ("adam", "adamw"):
        used: dict[str, list[float]] = {"ours": [], "optax": []}
        seconds: dict[str, list[float]] = {"ours": [], "optax": []}
        for _ in range(sizes.compilations):
            for who in used:
                request = {"optimizer": optimizer, "arrays": sizes.arrays, "size": sizes.parameters // sizes.arrays}
                answer = workers[who].ask("compile", **request)
                used[who].append(answer["used"])
                seconds[who].append(answer["seconds"])
        watch.check()
        times = ", ".join(f"{who} {spread(seconds[who]).median:.2f} s ({spread(used[who]).median:.2f} s of work)" for who in used)
        name = f"{optimizer}, {sizes.arrays} arrays, compiling"
        report.say(f"{name}: {times}")
        report.judge(Target(f"{name}, against optax", 2), ratios(seconds["optax"], seconds["ours"]))
        report.judge(Target(f"{name}, work against optax", None), ratios(used["optax"], used["ours"]))
